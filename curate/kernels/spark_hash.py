"""The terms of Spark ML's `Tokenizer` and their places in its `HashingTF`, over the bytes of a string column.

The tokenizer takes Java's lower case of a text and splits it by Java's `\\s`, which is ASCII: tab, line feed, vertical
tab, form feed, carriage return and space. Each of them parts two terms, so between two spaces, and before one that
begins a text, stands an empty term; behind the last term that is not empty none is left, and the empty text has one.
A term's place is the MurmurHash3 (x86, 32 bits, seed 42) of its UTF-8, as a signed number, modulo the places there are
(Spark 3 and later; `HashingTF`, `Murmur3_x86_32.hashUnsafeBytes2`).

Java's lower case is that of each character, but for two: "İ" is "i" and a dot above, and a capital sigma that ends a
word is a final sigma. What a word is `java.text.BreakIterator` says; `_final_sigma` says it again. Characters are those
of Java 17, which has Unicode 13: the 40 capitals that came with Unicode 14 stay as they are. Java runs in a locale
whose lower case is the root's, which leaves out Turkish, Azerbaijani and Lithuanian.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, inlined
from curate.kernels.unicode_tables import char_table
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]

#: What came with Unicode 14, and Java 17 does not know: capitals, and what else it takes for no part of a word.
_UNKNOWN = (0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8, *range(0x10570, 0x10596))
_NO_LETTERS = (
    *((0x870, 0x892), (0x898, 0x8A0), (0x8B5, 0x8B6), (0x8C8, 0x8D3), (0xC3C, 0xC3D), (0xC5D, 0xC5E), (0xCDD, 0xCDE)),
    *((0x170D, 0x170E), (0x1715, 0x1716), (0x171F, 0x1720), (0x180F, 0x1810), (0x1AC1, 0x1ACF), (0x1B4C, 0x1B4D)),
    *((0x1DFA, 0x1DFB), (0x2C2F, 0x2C30), (0x2C5F, 0x2C60), (0x2E5D, 0x2E5E), (0x9FFD, 0xA000), (0xA7C0, 0xA7C2)),
    *((0xA7D0, 0xA7DA), (0xA7F2, 0xA7F5), (0x10570, 0x105BD), (0x1DF00, 0x1DF1F)),
)
_SIGMA, _FINAL_SIGMA, _DOTTED_I = 0x3A3, 0x3C2, 0x130

#: What a character is to `BreakIterator`, for words with letters in them.
_LETTER, _DIGIT, _PASSED_OVER, _CASED = 1, 2, 4, 8
_JOINS_LETTERS, _JOINS_DIGITS, _FORMAT = _LETTER << 4, _DIGIT << 4, 64
#: Letters that are no part of a word of others.
_SINGLE = (
    *((0x3005, 0x3006), (0x3041, 0x3095), (0x309B, 0x309F), (0x30A1, 0x30FB), (0x30FC, 0x30FF)),
    *((0x4E00, 0x9FA6), (0xF900, 0xFA2E)),
)
#: Cased by `java.lang.ConditionalSpecialCasing`, beside Lu, Ll and Lt.
_ALSO_CASED = (
    *((0x2B0, 0x2B9), (0x2C0, 0x2C2), (0x2E0, 0x2E5), (0x345, 0x346), (0x37A, 0x37B)),
    *((0x1D2C, 0x1D62), (0x2160, 0x2180), (0x24B6, 0x24EA)),
)
_CATEGORIES = (
    dict.fromkeys(("Lu", "Ll", "Lt"), _LETTER | _CASED)
    | dict.fromkeys(("Lm", "Lo", "Mc"), _LETTER)
    | dict.fromkeys(("Nd", "Nl", "No"), _DIGIT)
    | dict.fromkeys(("Mn", "Me"), _PASSED_OVER)
    | {"Cf": _FORMAT}
    | dict.fromkeys(("Pd", "Pc"), _JOINS_LETTERS)
)
_KNOWN = 1 << 17  # beyond is nothing cased


class JavaCase(NamedTuple):
    """Java's lower case; kernels take it as an argument."""

    ascii: Bytes  # of each ASCII byte; 0 for white space, and NUL is 128 so that it differs
    blocks: NDArray[np.uint16]
    lower: NDArray[np.int32]  # what to add to a code point; for its place see `unicode_tables`
    kind: Bytes  # of each code point below 2**17, to tell where words end


@cache
def java_case() -> JavaCase:
    """The tables, made once in a process."""
    table = char_table()
    lower = table.lower.copy()
    for point in _UNKNOWN:
        lower[int(table.blocks[point >> 7]) << 7 | point & 127] = 0
    first = np.array([ord(chr(point).lower()) for point in range(128)], np.uint8)
    first[[9, 10, 11, 12, 13, 32]] = 0
    first[0] = 128
    return JavaCase(first, table.blocks, lower, _kinds())


def _kinds() -> Bytes:
    kinds = np.array([_CATEGORIES.get(unicodedata.category(chr(point)), 0) for point in range(_KNOWN)], np.uint8)
    for start, end in (*_SINGLE, *_NO_LETTERS):
        kinds[start:end] = 0
    for start, end in _ALSO_CASED:
        kinds[start:end] |= _CASED
    kinds[[ord(sign) for sign in "\u00ad\u2027"]] = _JOINS_LETTERS
    kinds[[ord(sign) for sign in ",\u066b"]] = _JOINS_DIGITS
    kinds[[ord(sign) for sign in "\"'."]] = _JOINS_LETTERS | _JOINS_DIGITS
    return kinds


@inlined
def _mixed(h: np.uint32, k: np.uint32) -> np.uint32:
    k = np.uint32(k * np.uint32(0xCC9E2D51))  # numba's product of two of 32 bits has 64
    k = np.uint32((k << np.uint32(15)) | (k >> np.uint32(17)))
    return np.uint32(h ^ np.uint32(k * np.uint32(0x1B873593)))


@inlined
def _stirred(h: np.uint32) -> np.uint32:
    h = np.uint32((h << np.uint32(13)) | (h >> np.uint32(19)))
    return np.uint32(h * np.uint32(5) + np.uint32(0xE6546B64))


@inlined
def _place(h: np.uint32, tail: np.uint32, size: Int, num_features: Int) -> Int:
    """Of a term of `size` bytes; `tail` has the last of them, those beyond whole words of four."""
    if size & 3:
        h = _mixed(h, tail)
    h = np.uint32(h ^ np.uint32(size))
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.int64(np.int32(h ^ (h >> np.uint32(16)))) % num_features  # never negative, as Spark's


@borrowing
def spark_terms(
    data: Bytes, start: Int, end: Int, case: JavaCase, num_features: Int, state: Int64s, out: Int32s
) -> Int:
    """Put the places of the next terms of a text into `out` and return how many there are; none: there are no more.

    state: int64[3], where to read on (`start` at first), empty terms met, and those of them that may be trailing. Empty
    terms, which a hostile text has as many of as bytes, are only counted: after the last call there are `state[1]`.
    """
    count, at = 0, state[0]
    if start == end and at == start:
        state[1], state[0] = 1, end + 1
        return 0
    while at < end and count < out.size:
        h, held, bits, size, first = np.uint32(42), np.uint64(0), 0, 0, at
        while at < end:
            byte = data[at]
            if byte < 128:
                lower = case.ascii[byte]
                if lower == 0:
                    break
                held |= np.uint64(lower & 127) << np.uint64(bits)
                at += 1
                bits += 8
            else:
                value, given, taken = _lowered(data, start, first, at, end, case)
                held |= value << np.uint64(bits)
                at += taken
                bits += given
            if bits >= 32:
                h = _stirred(_mixed(h, np.uint32(held & np.uint64(0xFFFFFFFF))))
                held >>= np.uint64(32)
                bits -= 32
                size += 4
        if at == first:
            state[2] += 1
        else:
            out[count] = _place(h, np.uint32(held), size + (bits >> 3), num_features)
            count += 1
            state[1] += state[2]
            state[2] = 0
        at += 1  # past the white space
    state[0] = at
    return count


@borrowing
def _lowered(data: Bytes, start: Int, first: Int, at: Int, end: Int, case: JavaCase) -> tuple[np.uint64, Int, Int]:
    """The lower case of the character at `at`: UTF-8, the first byte lowest; its bits; the bytes it was read from."""
    byte = np.int64(data[at])
    if 0xE3 <= byte <= 0xE9 and at + 3 <= end:  # U+3000 to U+9FFF have no case
        return _as_it_is(data, at, 3), 24, 3
    point, size = code_point(data, at, end)
    if size == 1:  # no UTF-8
        return np.uint64(byte), 8, 1
    if point == _DOTTED_I:
        return np.uint64(0x87CC69), 24, size
    if point == _SIGMA and _final_sigma(data, start, first, at, end, case.kind):
        return np.uint64(0x82CF), 16, size
    shift = np.int64(case.lower[np.int64(case.blocks[point >> 7]) << 7 | point & 127])
    if shift == 0:
        return _as_it_is(data, at, size), 8 * size, size
    value, bits = _encoded(point + shift)
    return value, bits, size


@inlined
def _as_it_is(data: Bytes, at: Int, size: Int) -> np.uint64:
    value = np.uint64(0)
    for i in range(size):
        value |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return value


@borrowing
def _encoded(point: Int) -> tuple[np.uint64, Int]:
    """UTF-8 of a code point, the first byte lowest, and its bits."""
    if point < 0x80:
        return np.uint64(point), 8
    following = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    value = np.uint64((0x0F00 >> following + 1 & 0xF0) | point >> 6 * following)
    for i in range(1, following + 1):
        value |= np.uint64(0x80 | (point >> 6 * (following - i) & 0x3F)) << np.uint64(8 * i)
    return value, 8 * following + 8


@borrowing
def _final_sigma(data: Bytes, start: Int, first: Int, at: Int, end: Int, kind: Bytes) -> Bool:
    """Whether the capital sigma at `at` has a cased letter before it in its word, and none behind it.

    A word is of letters and digits; between two letters one dash, low line, quotation mark, apostrophe, full stop or
    hyphenation point joins, between two digits one quotation mark, apostrophe, full stop or comma. Marks are passed
    over, but not between such a sign and what follows it; format characters always. Behind a character beyond
    U+FFFF Java always finds a boundary, unless that begins the text. Found by asking Java 17 about every character. A
    sigma is cased, so no character is looked at for more than two of them.
    """
    return _cased_before(data, start, first, at, kind) and not _cased_after(data, at + 2, end, kind)


@borrowing
def _kind(data: Bytes, at: Int, kind: Bytes) -> Int:
    point, _ = code_point(data, at, data.size)
    return np.int64(kind[point]) if point < kind.size else 0


@borrowing
def _cased_before(data: Bytes, start: Int, first: Int, at: Int, kind: Bytes) -> Bool:
    beside = _LETTER  # what stands directly behind: a letter, a digit, or 0
    wanted = _LETTER | _DIGIT  # before a sign: what it has behind it
    cased = 0  # a mark, of which what it stands on is still to come
    while at > first:
        at -= 1
        while at > first and data[at] & 0xC0 == 0x80:
            at -= 1
        what = _kind(data, at, kind)
        if data[at] >= 0xF0 and at > start:
            return what & wanted != 0 and cased != 0
        if what & _PASSED_OVER:
            cased |= what & _CASED
            beside = 0
        elif what & _FORMAT:
            continue
        elif what & wanted:
            if (what | cased) & _CASED:
                return True
            beside, wanted = what & (_LETTER | _DIGIT), _LETTER | _DIGIT
        elif (what >> 4) & beside and wanted == _LETTER | _DIGIT:
            beside, wanted = 0, beside
        else:
            return False
    return False


@borrowing
def _cased_after(data: Bytes, at: Int, end: Int, kind: Bytes) -> Bool:
    before = _LETTER  # what stands before, marks passed over
    wanted = _LETTER | _DIGIT | _PASSED_OVER  # behind a sign: what it has before it
    while at < end:
        what, size = _kind(data, at, kind), code_point(data, at, end)[1]
        if data[at] >= 0xF0:
            return what & wanted != 0 and what & _CASED != 0
        if what & wanted:
            if what & _CASED:
                return True
            if not what & _PASSED_OVER:
                before, wanted = what & (_LETTER | _DIGIT), _LETTER | _DIGIT | _PASSED_OVER
        elif (what >> 4) & before and wanted & _PASSED_OVER:
            wanted = before
        elif not what & _FORMAT:
            return False
        at += size
    return False
