"""What stands inside of a tag: its name, its attributes and their values, as ranges of bytes."""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bool, Bytes, Int


@borrowing
def is_space(byte: Int) -> Bool:
    """Whether HTML's white space: tab, line feed, form feed, return, space."""
    return byte == 0x20 or (0x09 <= byte <= 0x0D and byte != 0x0B)


@borrowing
def tag_name_end(data: Bytes, i: Int, size: Int) -> Int:
    """The place behind the tag name that begins at `i`."""
    while i < size and not (is_space(data[i]) or data[i] == 0x2F or data[i] == 0x3E):
        i += 1
    return i


@borrowing
def _value(data: Bytes, i: Int, size: Int) -> tuple[Int, Int, Int]:
    """Start and end of the attribute value at `i`, and the place behind it."""
    while i < size and is_space(data[i]):
        i += 1
    if i >= size:
        return i, i, i
    quote = data[i]
    if quote == 0x22 or quote == 0x27:
        start = i + 1
        i = start
        while i < size and data[i] != quote:
            i += 1
        return start, i, min(i + 1, size)
    start = i
    while i < size and not is_space(data[i]) and data[i] != 0x3E:
        i += 1
    return start, i, i


@borrowing
def attribute(data: Bytes, i: Int, size: Int) -> tuple[Int, Int, Int, Int, Int]:
    """The next attribute of a tag: its name's start and end, its value's, and the place behind it.

    Name and value are empty at the ">" that ends the tag, where the last place is, and at the end of the page.
    """
    while i < size and (is_space(data[i]) or data[i] == 0x2F):
        i += 1
    if i >= size or data[i] == 0x3E:
        return i, i, i, i, i
    start = i
    i += 1
    while i < size and not (is_space(data[i]) or data[i] == 0x2F or data[i] == 0x3E or data[i] == 0x3D):
        i += 1
    end = i
    while i < size and is_space(data[i]):
        i += 1
    if i >= size or data[i] != 0x3D:
        return start, end, end, end, i
    value_start, value_end, behind = _value(data, i + 1, size)
    return start, end, value_start, value_end, behind


@borrowing
def is_word(data: Bytes, start: Int, end: Int, word: bytes) -> Bool:
    """Whether these bytes are the word, whose letters are small; their own may be capitals."""
    if end - start != len(word):
        return False
    for i in range(len(word)):
        byte = data[start + i]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        if byte != word[i]:
            return False
    return True


@borrowing
def hides(data: Bytes, start: Int, end: Int) -> Bool:
    """Whether a style says `display:none`."""
    for i in range(start, end - 11):
        if is_word(data, i, i + 7, b"display"):
            j = i + 7
            while j < end and (data[j] == 0x3A or is_space(data[j])):
                j += 1
            return is_word(data, j, min(j + 4, end), b"none")
    return False


@borrowing
def skip_attributes(data: Bytes, i: Int, size: Int) -> Int:
    """The place of the ">" that ends the tag."""
    length = 1
    while length:
        start, end, _, _, i = attribute(data, i, size)
        length = end - start
    return i
