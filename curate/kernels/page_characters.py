"""Characters of a page's text as they are written: white space by the rules of HTML, characters nobody sees left out.

White space is what `str.isspace` says, the no-break space and the wide space of Chinese among it: a run of it is one
space, and none stands at the start or the end of a line. Soft hyphens go: they say where a word may be parted, are not
seen where it is not, and make another word of it for whoever reads bytes. Zero-width spaces stay: Khmer, Burmese and
Thai pages part their words with them. NULs go, as HTML wants it.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bool, Bytes, Int


@borrowing
def space_width(text: Bytes, i: Int, end: Int) -> Int:
    """Bytes of the white space character at `i`, 0 where there is none."""
    byte = text[i]
    if byte <= 0x20:
        return 1 if byte == 0x20 or 0x09 <= byte <= 0x0D or byte >= 0x1C else 0
    if byte < 0xC2 or byte > 0xE3 or i + 1 >= end:
        return 0
    second = text[i + 1]
    if byte == 0xC2:
        return 2 if second == 0xA0 or second == 0x85 else 0
    if byte < 0xE1 or i + 2 >= end:
        return 0
    third = text[i + 2]
    if byte == 0xE2:
        if second == 0x80:
            return 3 if 0x80 <= third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
        return 3 if second == 0x81 and third == 0x9F else 0
    if byte == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    return 3 if second == 0x80 and third == 0x80 else 0


@borrowing
def unwritten_width(text: Bytes, i: Int, end: Int) -> Int:
    """Bytes of the character at `i` where it is left out, else 0: NUL and the soft hyphen."""
    if text[i] == 0:
        return 1
    return 2 if text[i] == 0xC2 and i + 1 < end and text[i + 1] == 0xAD else 0


@borrowing
def is_blank(text: Bytes, start: Int, end: Int) -> Bool:
    """Whether nothing of this is written but white space."""
    i = start
    while i < end:
        width = space_width(text, i, end) + unwritten_width(text, i, end)
        if width == 0:
            return False
        i += width
    return True


@borrowing
def put_words(text: Bytes, start: Int, end: Int, out: Bytes, at: Int, line: Int, space: Bool) -> tuple[Int, Bool]:
    """Write text whose line began at `line` of `out`; the place behind it, and whether white space waits to be written.

    `space` says whether it waited before.
    """
    i = start
    while i < end:
        byte = text[i]
        if byte <= 0x20 or byte == 0xC2 or 0xE1 <= byte <= 0xE3:
            width = space_width(text, i, end)
            if width:
                space = True
                i += width
                continue
            width = unwritten_width(text, i, end)
            if width:
                i += width
                continue
        if space:
            if at > line:
                out[at] = 0x20
                at += 1
            space = False
        out[at] = byte
        at += 1
        i += 1
    return at, space


@borrowing
def put_preformatted(text: Bytes, start: Int, end: Int, out: Bytes, at: Int) -> Int:
    """Write text with its white space as it is, no-break spaces as spaces and every line end as a line feed."""
    i = start
    while i < end:
        byte: Int = text[i]
        skip = unwritten_width(text, i, end)
        if skip:
            i += skip
            continue
        if byte == 0x0D:
            if i + 1 < end and text[i + 1] == 0x0A:
                i += 1
            byte = 0x0A
        elif byte == 0xC2 and i + 1 < end and text[i + 1] == 0xA0:
            byte = 0x20
            i += 1
        out[at] = byte
        at += 1
        i += 1
    return at
