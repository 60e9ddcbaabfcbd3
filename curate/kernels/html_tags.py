"""What stands inside of a tag: its name, its attributes and their values, as ranges of bytes; where comments and raw
text end.

Source: the HTML standard, "Tokenization". Each looks at `data[i:size]` alone and stops at `size` whatever is open.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import key_of
from curate.kernels.utf8 import Bool, Bytes, Int

_CDATA = b"<![CDATA["


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


@borrowing
def comment(data: Bytes, i: Int, size: Int) -> Int:
    """The place behind a comment, a declaration or what the standard makes a comment of."""
    if i + 3 < size and data[i + 1] == 0x21 and data[i + 2] == 0x2D and data[i + 3] == 0x2D:
        i += 4
        first = i
        if i < size and data[i] == 0x3E:  # <!-->
            return i + 1
        if i + 1 < size and data[i] == 0x2D and data[i + 1] == 0x3E:  # <!--->
            return i + 2
        while i < size:
            if data[i] == 0x3E:
                bang = i - first >= 3 and data[i - 1] == 0x21  # --!>
                if data[i - 1 - bang] == 0x2D and data[i - 2 - bang] == 0x2D:
                    return i + 1
            i += 1
        return size
    while i < size and data[i] != 0x3E:
        i += 1
    return min(i + 1, size)


@borrowing
def is_cdata(data: Bytes, i: Int, size: Int) -> Bool:
    if i + len(_CDATA) > size:
        return False
    for j in range(len(_CDATA)):  # noqa: SIM110  # numba compiles no generator
        if data[i + j] != _CDATA[j]:
            return False
    return True


@borrowing
def cdata(data: Bytes, i: Int, size: Int, text: Bytes, to: Int) -> tuple[Int, Int]:
    while i < size:
        if data[i] == 0x5D and i + 2 < size and data[i + 1] == 0x5D and data[i + 2] == 0x3E:
            return i + 3, to
        text[to] = data[i]
        to += 1
        i += 1
    return i, to


@borrowing
def ends_raw(data: Bytes, i: Int, size: Int, length: Int, key: Int) -> Bool:
    """Whether the end tag stands at `i` whose name has this key and length."""
    behind = i + 2 + length
    if data[i] != 0x3C or behind > size or data[i + 1] != 0x2F:
        return False
    return bool(_name_ends(data, behind, size) and key_of(data, i + 2, behind) == key)


@borrowing
def _name_ends(data: Bytes, i: Int, size: Int) -> Bool:
    return i == size or is_space(data[i]) or data[i] == 0x2F or data[i] == 0x3E


@borrowing
def script_end(data: Bytes, i: Int, size: Int, key: Int) -> Int:
    """Where the end tag of a script begins. Behind "<!--", a script inside of the script hides an end tag."""
    escaped, nested = False, False
    while i < size:
        if data[i] == 0x3C:
            if ends_raw(data, i, size, 6, key):
                if not nested:
                    return i
                nested = False
            elif i + 3 < size and data[i + 1] == 0x21 and data[i + 2] == 0x2D and data[i + 3] == 0x2D:
                escaped = True
            elif escaped and i + 7 < size and _name_ends(data, i + 7, size) and key_of(data, i + 1, i + 7) == key:
                nested = True
        elif escaped and data[i] == 0x3E and data[i - 1] == 0x2D and data[i - 2] == 0x2D:
            escaped, nested = False, False
        i += 1
    return i
