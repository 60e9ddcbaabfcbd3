"""Find the words of a short list among the words of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.scan import FACTOR, SEED, SHIFT, Int32s, Words, flags_of, lower_of
from curate.kernels.strip import char_before
from curate.kernels.unicode_tables import LETTER, NUMBER, UPPER, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

Flags = NDArray[np.bool_]

AS_IT_IS, LOWER, BARE_LOWER = 0, 1, 2
PLACE = np.uint64(40)  # the key's upper bits say where it lies


class StopWords(NamedTuple):
    """A hash table of words as code points."""

    points: Int32s
    start: Int32s  # of each word in `points`, and where the last ends
    key: NDArray[np.uint64]
    slots: Int32s  # power of two; number of a word or -1
    longest: int  # characters of the longest
    initials: int  # bit i: one begins with the i-th letter from a to z, in either case


def stop_word_table(words: Sequence[str]) -> StopWords:
    """The table of different words; they are compared as they stand, so give them in the case that is looked for."""
    different = list(dict.fromkeys(word for word in words if word))
    points = [np.array([ord(char) for char in word], np.int32) for word in different]
    start = np.cumsum([0, *map(len, points)]).astype(np.int32)
    slots = np.full(8 << len(different).bit_length(), -1, np.int32)
    keys = np.zeros(len(different), np.uint64)
    for number, word in enumerate(points):
        key = int(SEED)
        for point in word.tolist():
            key = (key ^ point) * int(FACTOR) % 2**64
        key ^= key >> int(SHIFT)  # as `scan` has it
        keys[number] = key
        slot = (key >> int(PLACE)) % len(slots)
        while slots[slot] >= 0:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    longest = max(map(len, different), default=0)
    initials = sum(1 << letter for letter in {ord(word[0].lower()) - ord("a") for word in different} & {*range(26)})
    return StopWords(np.concatenate([*points, np.zeros(0, np.int32)]), start, keys, slots, longest, initials)


@borrowing
def count_stop_words(
    text: Bytes, table: CharTable, words: Words, num: int, wanted: StopWords, form: int, different: bool, seen: Flags
) -> int:
    """How many words of a text are on the list, or how many of the list occur if `different`.

    `form`: words as they are, in lower case, or in lower case without what is neither letter nor number at their ends.
    `seen` has a place for each word of the list.
    """
    # One loop without calls that take many arrays: each costs as much as ten words.
    count, mask = 0, wanted.slots.size - 1
    seen[:] = False
    for i in range(num):
        start, end = words.start[i], words.end[i]
        if not _may_be_listed(text, start, end, words.chars[i], wanted.initials, wanted.longest, form):
            continue
        plain = form != BARE_LOWER or (is_plain(text[start]) and is_plain(text[end - 1]))
        is_lower = words.flags[i] & UPPER == 0 and words.chars[i] == end - start  # ASCII
        key = words.key[i]
        if not plain:
            start, end = _bare(text, table, start, end)
        if not plain or not (is_lower or form == AS_IT_IS):
            key = _key(text, table, start, end, form)
        slot = np.int64(key >> PLACE) & mask
        while wanted.slots[slot] >= 0 and wanted.key[wanted.slots[slot]] != key:
            slot = (slot + 1) & mask
        number = wanted.slots[slot]
        if number < 0 or (different and seen[number]):
            continue
        # The hash has found it; its characters say whether it is.
        at, place = start, wanted.start[number]
        beyond = wanted.start[number + 1]
        while at < end and place < beyond:
            point, width = code_point(text, at, end)
            if (point if form == AS_IT_IS else lower_of(table, point)) != wanted.points[place]:
                break
            at, place = at + width, place + 1
        if at == end and place == beyond:
            count += 1
            seen[number] = True
    return count


@borrowing
def _key(text: Bytes, table: CharTable, start: Int, end: Int, form: int) -> np.uint64:
    key, at = SEED, start
    while at < end:
        point, width = code_point(text, at, end)
        key = (key ^ np.uint64(point if form == AS_IT_IS else lower_of(table, point))) * FACTOR
        at += width
    return key ^ (key >> SHIFT)


@borrowing
def _may_be_listed(text: Bytes, start: Int, end: Int, chars: Int, initials: int, longest: int, form: int) -> Bool:
    """False for most words that are not on the list, at a glance."""
    first = np.int64(text[start])
    if 97 <= first | 32 <= 122 and not initials >> ((first | 32) - 97) & 1:
        return False
    return chars <= longest or (form == BARE_LOWER and not (is_plain(first) and is_plain(text[end - 1])))


@borrowing
def is_plain(byte: Int) -> Bool:
    """An ASCII letter or digit."""
    return 97 <= byte | 32 <= 122 or 48 <= byte <= 57


@borrowing
def _bare(text: Bytes, table: CharTable, start: Int, end: Int) -> tuple[Int, Int]:
    while start < end:
        point, width = code_point(text, start, end)
        if flags_of(table, point) & (LETTER | NUMBER):
            break
        start += width
    while end > start:
        last = char_before(text, start, end)
        if flags_of(table, code_point(text, last, end)[0]) & (LETTER | NUMBER):
            break
        end = last
    return start, end
