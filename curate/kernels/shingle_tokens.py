"""The tokens that shingles are made of, as hashes, straight from UTF-8 at nearly a gigabyte a second.

A **token** is a maximal run of letters, marks, digits and "_" (near what `\\w` matches), lower case, with compatibility
forms and the diacritics U+0300-U+036F removed where one character is left; everything else separates. Format characters
(soft hyphen, zero-width joiners) do not count at all. A character of a script written without spaces (Han, kana, Thai,
Lao, Khmer, Myanmar) is a token of its own. That is decided character by character, not by the share of scripts in a
document: two near duplicates on two sides of such a share would have no shingle in common. Numbers stay (datatrove
makes them 0), because pages of one template that differ in their numbers differ in what they say.

A text goes through a window of `WINDOW` bytes in three loops without surprises for the processor:

    text -> folded bytes, 0 where it separates -> places where tokens begin and end -> hashes of 16 bytes at a time

ASCII is folded 64 bytes at a time, other characters through a table. A token longer than the window is hashed as it
comes, so memory does not grow with the text, whatever it is.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros  # one instruction, which numba offers nowhere else
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bytes, Int, code_point

Unit = Literal["word", "character"]
Hashes = NDArray[np.uint64]
Table = NDArray[np.uint32]

#: Folded bytes at a time: with what is made of them they stay in the nearest caches.
WINDOW = 8192
_FIRST = 64  # place of the first folded byte; those before it are 0
_ROOM = 320  # beyond the window: what 64 bytes can become (5 for each), and zeros to the next 64
#: Places of `Tokens.state`: the hash of an unfinished token as far as it is hashed, and how many bytes of it wait.
_HASH, _WAITING = 0, 1

_SINGLE = np.uint32(1 << 31)  # flag: the character is a token of its own
_IGNORED = np.uint32(0xFFFF_FFFF)
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark, closing mark, zero
    (0x3040, 0x30FF),  # hiragana, katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_LAST_LETTER = 0x323B0  # beyond it Unicode 16 has tags and variation selectors only

# In compiled code a signed place is asked whether it counts from the end, and a mix of signs makes a float: so all is
# unsigned there, constants too.
_U = np.uint64
_ONE, _CHUNK = _U(1), _U(64)
_SEED, _FACTOR, _FACTOR_2 = _U(0x9E3779B97F4A7C15), _U(0xD6E8FEB86659FD93), _U(0xA0761D6478BD642F)
_LOW, _HIGH, _GATHER = _U(0x7F7F7F7F7F7F7F7F), _U(0x8080808080808080), _U(0x0102040810204080)


class Tokens(NamedTuple):
    """Where a text is on its way to token hashes; one for all texts of a batch."""

    folded: Bytes
    words: Hashes  # the same memory, 8 bytes at a time
    edges: NDArray[np.int32]  # where tokens begin and end, in turn
    hashes: Hashes
    state: Hashes


def new_tokens(ngram_size: int) -> Tokens:
    """Room for a window. `ngram_size` token hashes of the window before can stand at the front."""
    words = np.zeros((_FIRST + WINDOW + _ROOM) // 8, np.uint64)
    size = 8 * words.size
    edges = np.empty(size, np.int32)
    return Tokens(words.view(np.uint8), words, edges, np.empty(size // 2 + ngram_size, np.uint64), np.zeros(2, _U))


@lru_cache(maxsize=2)
def token_table(unit: Unit = "word") -> Table:
    """What each code point is within a token: uint32[0x110000], 0 where it separates. 4.4 MB, built once a process."""
    table = np.zeros(0x110000, np.uint32)
    for point in range(_LAST_LETTER):
        table[point] = _entry(chr(point))
    for first, last in _UNSPACED:
        table[first : last + 1] |= np.where(table[first : last + 1] != 0, _SINGLE, np.uint32(0))
    table[0xFE00:0xFE10] = table[0xE0100:0xE01F0] = _IGNORED  # variation selectors
    if unit == "character":
        table |= np.where((table != 0) & (table != _IGNORED), _SINGLE, np.uint32(0))
    table.flags.writeable = False
    return table


def _entry(char: str) -> int:
    category = unicodedata.category(char)
    if category == "Cf" or 0x0300 <= ord(char) <= 0x036F:
        return int(_IGNORED)
    if category[0] not in "LMN" and char != "_":
        return 0
    folded = _folded(char)
    single = any(first <= ord(folded) <= last for first, last in _UNSPACED)  # halfwidth kana fold into the range
    return ord(folded) | (int(_SINGLE) if single else 0)


def _folded(char: str) -> str:
    """One character for one: the base of its compatibility decomposition in lower case, where that is one character."""
    kept = [c for c in unicodedata.normalize("NFKD", char.lower()).lower() if not 0x0300 <= ord(c) <= 0x036F]
    if len(kept) == 1:
        return kept[0]
    lower = char.lower()
    return lower if len(lower) == 1 else char


@borrowing
def begin_text(tokens: Tokens) -> None:
    """Forget the text before."""
    tokens.state[_HASH], tokens.state[_WAITING] = _SEED, 0


@borrowing
def read_tokens(data: Bytes, at: Int, end: Int, table: Table, tokens: Tokens, count: Int) -> tuple[Int, Int]:
    """Append the tokens of the next window to the first `count` of `tokens.hashes`; where to go on, and their count.

    A token at the border of two windows comes with the second. When the first result is `end`, all have come.
    """
    folded, state = tokens.folded, tokens.state
    at, filled = _fold(data, at, end, table, folded, _U(_FIRST) + state[_WAITING])
    for i in range(64):
        folded[filled + _U(i)] = 0
    num = _token_edges(tokens.words, filled, tokens.edges) >> _ONE
    unfinished = at < end and folded[filled - _ONE] != 0
    state[_WAITING] = 0
    if unfinished:
        num -= _ONE
    count = _hash_tokens(tokens, num, count)
    if unfinished:
        _hold_back(tokens, _U(tokens.edges[num + num]), filled)
    return at, count


@borrowing
def _fold(data: Bytes, start: Int, stop: Int, table: Table, folded: Bytes, filled: Int) -> tuple[Int, Int]:
    """Folded UTF-8 from `filled` on, until the text ends or the window is full; where to go on, and where it is filled.

    The next text's bytes may be folded with the last chunk: they are not counted, and the next chunk lies over them.
    """
    at, end, size, full = _U(start), _U(stop), _U(data.size), _U(_FIRST + WINDOW)
    words = table[97] < _SINGLE  # not so where each character is a token
    while at < end and filled < full:
        if words and at + _CHUNK <= size:
            together = np.uint8(0)
            for i in range(64):
                together |= data[at + _U(i)]
            if together < np.uint8(128):
                for i in range(64):
                    folded[filled + _U(i)] = _folded_ascii(data[at + _U(i)])
                step = min(_CHUNK, end - at)
                at, filled = at + step, filled + step
                continue
        at, filled = _fold_chunk(data, at, min(at + _CHUNK, end), end, table, folded, filled)
    return np.int64(at), filled


@borrowing
def _folded_ascii(char: Int) -> Int:
    """What the table says of ASCII, in arithmetic that a processor does for 64 bytes at a time."""
    lower = np.uint8(char | np.uint8(32))
    if np.uint8(lower - np.uint8(97)) < np.uint8(26):
        return lower
    return char if np.uint8(char - np.uint8(48)) < np.uint8(10) or char == np.uint8(95) else np.uint8(0)


@borrowing
def _fold_chunk(data: Bytes, at: Int, stop: Int, end: Int, table: Table, folded: Bytes, filled: Int) -> tuple[Int, Int]:
    """Characters one by one, those that begin before `stop`."""
    inside = folded[filled - _ONE] != 0  # a token is open
    while at < stop:
        point, width = _U(data[at]), _ONE
        if point >= _U(128):
            other, size = _three_bytes(data, at, end) if _U(0xE1) <= point <= _U(0xEC) else (-1, 0)
            if other < 0:
                other, size = code_point(data, np.int64(at), np.int64(end))
            point, width = _U(other), _U(size)
        at += width
        entry = table[point]
        if entry < _SINGLE:
            filled = _put(folded, filled, _U(entry))
            inside = entry != np.uint32(0)
        elif entry != _IGNORED:
            if inside:
                folded[filled] = 0
                filled += _ONE
            filled = _put(folded, filled, _U(entry & ~_SINGLE))
            folded[filled] = 0
            filled += _ONE
            inside = False
    return at, filled


@borrowing
def _three_bytes(data: Bytes, at: Int, end: Int) -> tuple[Int, Int]:
    """The code point of three bytes, most of Asia's; -1 where they are none. The first is neither 0xE0 nor 0xED."""
    if at + _U(2) >= end or data[at + _ONE] & 0xC0 != 0x80 or data[at + _U(2)] & 0xC0 != 0x80:
        return -1, 0
    return (np.int64(data[at]) & 15) << 12 | (np.int64(data[at + _ONE]) & 63) << 6 | np.int64(data[at + _U(2)]) & 63, 3


@borrowing
def _put(folded: Bytes, at: Int, point: Int) -> Int:
    """Write a code point as UTF-8; the place after it."""
    if point < _U(0x80):
        folded[at] = point
        return at + _ONE
    six, low, more = _U(6), _U(63), _U(0x80)
    if point < _U(0x800):
        folded[at] = _U(0xC0) | point >> six
        folded[at + _ONE] = more | point & low
        return at + _U(2)
    if point < _U(0x10000):
        folded[at] = _U(0xE0) | point >> _U(12)
        folded[at + _ONE] = more | point >> six & low
        folded[at + _U(2)] = more | point & low
        return at + _U(3)
    folded[at] = _U(0xF0) | point >> _U(18)
    folded[at + _ONE] = more | point >> _U(12) & low
    folded[at + _U(2)] = more | point >> six & low
    folded[at + _U(3)] = more | point & low
    return at + _U(4)


@borrowing
def _token_edges(words: Hashes, filled: Int, edges: NDArray[np.int32]) -> Int:
    """Where runs of bytes other than 0 begin and end, in turn; how many places. 64 bytes become bits of a number."""
    num, before = _U(0), _U(0)
    for group in range(_FIRST // 64, (np.int64(filled) + 64) // 64):
        bits = _U(0)
        for k in range(8):
            word = words[_U(8 * group + k)]
            filled_bytes = ((word & _LOW) + _LOW | word) & _HIGH  # the top bit of each byte that is not 0
            bits |= ((filled_bytes >> _U(7)) * _GATHER >> _U(56)) << _U(8 * k)
        changes = bits ^ (bits << _ONE | before)
        before = bits >> _U(63)
        while changes:
            edges[num] = _U(64 * group) + trailing_zeros(changes)
            num += _ONE
            changes &= changes - _ONE
    return num


@borrowing
def _hash_tokens(tokens: Tokens, num: Int, count: Int) -> Int:
    """Append the hashes of the first `num` tokens between edges."""
    h, place = tokens.state[_HASH], _U(count)
    for i in range(num):
        start, end = _U(tokens.edges[_U(i + i)]), _U(tokens.edges[_U(i + i) + _ONE])
        while True:
            h = _block_hash(tokens.words, start, min(end - start, _U(16)), h)
            start += _U(16)
            if start >= end:
                break
        tokens.hashes[place] = h
        place += _ONE
        h = _SEED
    tokens.state[_HASH] = h
    return np.int64(place)


@borrowing
def _block_hash(words: Hashes, start: Int, size: Int, h: Int) -> Int:
    """A hash and up to 16 bytes more of a token. Tokens of up to 8 bytes, from the seed, are mapped one to one."""
    at, shift = start >> _U(3), (start & _U(7)) << _U(3)
    back = _U(63) - shift
    one, two, three = words[at], words[at + _ONE], words[at + _U(2)]
    first, second = one >> shift | two << _ONE << back, two >> shift | three << _ONE << back
    half = min(size, _U(8)) << _U(2)  # of the bits that count; a shift by all 64 is not defined
    rest = (size << _U(2)) - half
    h = (h ^ first & ((_ONE << half << half) - _ONE)) * _FACTOR
    h = (h ^ h >> _U(32) ^ second & ((_ONE << rest << rest) - _ONE)) * _FACTOR_2
    return h ^ h >> _U(32)


@borrowing
def _hold_back(tokens: Tokens, start: Int, filled: Int) -> None:
    """Take a token that the window cut to the front: at least one byte of it, so that its end is met in the next."""
    h = tokens.state[_HASH]
    while filled - start > _U(16):
        h = _block_hash(tokens.words, start, _U(16), h)
        start += _U(16)
    for i in range(np.int64(filled - start)):
        tokens.folded[_U(_FIRST + i)] = tokens.folded[start + _U(i)]
    tokens.state[_HASH], tokens.state[_WAITING] = h, filled - start
