"""Windows of tokens by which equal stretches of text are found, straight from an Arrow text column.

A **token** is a maximal run of characters that are no white space, as the words of `scan` are: case and punctuation
count, the white space between tokens does not. A letter of a script written without spaces is a token of its own, with
the marks that follow it. Tokens are compared by their bytes.

A **window** is so many consecutive tokens. Its hash is a polynomial of the hashes of its tokens, so the next window
takes two products whatever its size. Two windows are taken for equal where two hashes with nothing in common but the
text agree. A polynomial modulo 2**64 loses at most 8 bits to windows that hold the same tokens in another order, so
different windows pass for equal with a probability below 2**-112. Hashes are not cryptographic: who wants two texts to
collide can have it.

**Anchors** are chosen by winnowing (Schleimer, Wilkerson and Aiken 2003): of the keys of each window's n-grams the
smallest, the last of equal ones. It depends on the window's tokens alone, so equal windows have equal anchors at the
same place, while of all n-grams only 2 in (n-grams of a window + 1) are anchors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.scan import flags_of, text_bytes
from curate.kernels.unicode_tables import MARK, SPACE, SPACELESS, CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

Hashes = NDArray[np.uint64]
Int32s = NDArray[np.int32]

#: Multipliers of the two polynomials: odd, and 3 or 5 modulo 8, so that their powers do not repeat soon.
FIRST, SECOND = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4B


class Tokens(NamedTuple):
    """Tokens of some texts: those of text `i` are at `offsets[i]` to `offsets[i + 1]`."""

    start: Int32s  # of its bytes, in its text
    end: Int32s
    first: Hashes  # two hashes of its bytes
    second: Hashes
    offsets: Offsets  # int64[num_texts + 1]


def tokens(texts: pa.Array) -> Tokens:
    """The tokens of a string column; a null text has none.

    Of a text with more than `scan.MAX_BYTES` the beginning is looked at, up to its last whole token.

    >>> found = tokens(pa.array(["It's  so, 今天"]))
    >>> list(zip(found.start.tolist(), found.end.tolist()))
    [(0, 4), (6, 9), (10, 13), (13, 16)]
    """
    data, offsets = utf8(texts)
    room = max(1024, int(offsets[-1] - offsets[0]) // 4)
    start, end, first, second, bounds = _tokens(data, offsets, char_table(), room)
    count = bounds[-1]
    return Tokens(start[:count], end[:count], first[:count], second[:count], bounds)


def window_hashes(hashes: Hashes, offsets: Offsets, size: int, multiplier: int = FIRST) -> Hashes:
    """The hash of the window that begins at each token: uint64[num_tokens].

    Where a text has fewer than `size` tokens left the value means nothing.
    """
    out: Hashes = np.zeros_like(hashes)
    _roll(hashes, offsets, size, np.uint64(multiplier), out)
    return out


def ngram_keys(found: Tokens, size: int) -> Hashes:
    """A well mixed 64-bit key of the n-gram that begins at each token, as `window_hashes`."""
    keys = window_hashes(found.first, found.offsets, size)
    _mix(keys)
    return keys


def remixed(keys: Hashes) -> Hashes:
    """Other keys, equal where these are, and spread evenly whichever of them were chosen by their size."""
    out = keys ^ np.uint64(0xA4093822299F31D0)
    _mix(out)
    return out


def has_window(offsets: Offsets, size: int) -> NDArray[np.bool_]:
    """Whether a window of `size` tokens begins at a token: bool[num_tokens]."""
    left = np.repeat(offsets[1:], np.diff(offsets)) - np.arange(offsets[-1])
    inside: NDArray[np.bool_] = left >= size
    return inside


def anchors(keys: Hashes, offsets: Offsets, ngram_size: int, size: int) -> Offsets:
    """Where the anchor of the window of `size` tokens that begins at each token lies: int64[num_tokens].

    -1 where no window begins. `keys` are the `ngram_keys`, of at most `size` tokens.
    """
    out = np.full(keys.size, -1, np.int64)
    _winnow(keys, offsets, size - ngram_size + 1, size, out)
    return out


@borrowing
def _mixed(h: np.uint64) -> np.uint64:
    """The finaliser of MurmurHash3: every input bit reaches every output bit."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@borrowing
def _mix(keys: Hashes) -> None:
    for i in range(keys.size):
        keys[i] = _mixed(keys[i])


@borrowing
def _space(text: Bytes, at: np.uint64, end: np.uint64, table: CharTable) -> Int:
    """Bytes of the white space character at `at`; 0 where there is another."""
    if text[at] < 128:
        return np.int64(table.flags[text[at]] & SPACE)  # which is 1
    point, width = code_point(text, np.int64(at), np.int64(end))
    return width if flags_of(table, point) & SPACE else 0


@borrowing
def _token(text: Bytes, at: np.uint64, end: np.uint64, table: CharTable) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Where the token ends that begins at `at`, and its two hashes. Places are unsigned, see `scan`."""
    a, b = np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344)
    factor_a, factor_b = np.uint64(0x9FB21C651E98DF25), np.uint64(0xD6E8FEB86659FD93)
    space, one, ascii = np.uint16(SPACE), np.uint64(1), table.flags
    begin, alone = at, False
    while at < end:
        byte = text[at]
        if byte < 128:
            if ascii[byte] & space or alone:
                break
            a, b = (a ^ np.uint64(byte)) * factor_a, (b ^ np.uint64(byte)) * factor_b
            at += one
            continue
        point, width = code_point(text, np.int64(at), np.int64(end))
        flags = flags_of(table, point)
        mark, single = flags & MARK != 0, flags & SPACELESS != 0
        if flags & SPACE or (at > begin and not mark and (alone or single)):
            break
        alone |= single and at == begin
        for _ in range(width):
            a, b = (a ^ np.uint64(text[at])) * factor_a, (b ^ np.uint64(text[at])) * factor_b
            at += one
    return at, _mixed(a), _mixed(b)


@compiled
def _tokens(
    data: Bytes, offsets: Offsets, table: CharTable, room: int
) -> tuple[Int32s, Int32s, Hashes, Hashes, Offsets]:
    start, end = np.empty(room, np.int32), np.empty(room, np.int32)
    first, second = np.empty(room, np.uint64), np.empty(room, np.uint64)
    bounds = np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        begin, at = bounds[row], np.int64(0)
        while True:
            at, count = _fill(text, at, table, begin, start, end, first, second)
            if at >= text.size:
                break
            room, begin = 2 * room, count
            start, end = _grown(start, room), _grown(end, room)
            first, second = _grown(first, room), _grown(second, room)
        cut = text.size < offsets[row + 1] - offsets[row]
        bounds[row + 1] = count - (cut and count > bounds[row])  # the last token may go on
    return start, end, first, second, bounds


@borrowing
def _fill(
    text: Bytes, at: Int, table: CharTable, count: Int, start: Int32s, end: Int32s, first: Hashes, second: Hashes
) -> tuple[Int, Int]:
    """Write tokens from `count` on until the text ends or the arrays are full; where to go on, and the count."""
    place, size, number, room = np.uint64(at), np.uint64(text.size), np.uint64(count), np.uint64(start.size)
    while place < size:
        width = np.uint64(_space(text, place, size, table))
        place += width
        if width:
            continue
        if number == room:
            break
        start[number] = place
        place, first[number], second[number] = _token(text, place, size, table)
        end[number] = place
        number += np.uint64(1)
    return np.int64(place), np.int64(number)


@compiled
def _grown(values: Any, room: int) -> Any:
    larger = np.empty(room, values.dtype)
    larger[: values.size] = values
    return larger


@borrowing
def _roll(hashes: Hashes, offsets: Offsets, size: int, multiplier: np.uint64, out: Hashes) -> None:
    """Of tokens t: t[0] * m**(size-1) + … + t[size-1], modulo 2**64."""
    top = np.uint64(1)
    for _ in range(size):
        top *= multiplier
    for row in range(offsets.size - 1):
        window = np.uint64(0)
        for i in range(offsets[row], offsets[row + 1]):
            window = window * multiplier + hashes[i]
            if i - offsets[row] >= size:
                window -= top * hashes[i - size]
            if i - offsets[row] >= size - 1:
                out[i - size + 1] = window


@borrowing
def _winnow(keys: Hashes, offsets: Offsets, num_keys: int, size: int, out: Offsets) -> None:
    """The last smallest of `num_keys` keys in a row. It is looked for anew only where it has been left behind.

    The last, so that a text that repeats itself leaves none behind.
    """
    for row in range(offsets.size - 1):
        best: Int = np.int64(-1)
        for i in range(offsets[row], offsets[row + 1] - size + 1):
            last = i + num_keys - 1
            if best < i:
                best = i
                for j in range(i + 1, last + 1):
                    if keys[j] <= keys[best]:
                        best = j
            elif keys[last] <= keys[best]:
                best = last
            out[i] = best
