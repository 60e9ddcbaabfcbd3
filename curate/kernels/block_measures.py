"""What the text of each block of a page is like: lengths, links, punctuation, function words, known phrases.

A **word** is a run of letters, marks and digits, or one Han character, as the evaluation counts them. Measures are
counts; what is made of them (shares, logarithms) is for `page_features`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.function_words import SEED, add_point, is_function_word
from curate.kernels.html_names import NUMBER
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_reader import NUM_ELEMENTS, NUM_RUNS, Page, attribute, is_word
from curate.kernels.page_traits import Floats, Keys, lexicon_place
from curate.kernels.scan import flags_of, lower_of
from curate.kernels.unicode_tables import DIGIT, LETTER, LOWER, MARK, SPACE, UPPER, CharTable
from curate.kernels.unicode_tables import NUMBER as NUMERIC
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

MEASURES: tuple[str, ...] = (
    "chars",
    "words",
    "link_chars",
    "links",
    "upper",
    "digits",
    "sentence_ends",
    "commas",
    "other_marks",
    "function_words",
    "lower_words",
    "short_words",
    "lines",
    "title_words",
    "description_words",
    "years",
    "separators",
    "code_marks",
    "questions",
    "at_signs",
    "currency",
    "ends_sentence",
    "starts_upper",
    "starts_digit",
    "phrase_sum",
    "phrase_min",
    "phrase_max",
    "first_phrase",
    "han",
    "emphasis_chars",
)
(
    CHARS,
    WORDS,
    LINK_CHARS,
    LINKS,
    UPPERS,
    DIGITS,
    SENTENCE_ENDS,
    COMMAS,
    OTHER_MARKS,
    FUNCTION_WORDS,
    LOWER_WORDS,
    SHORT_WORDS,
    LINES,
    TITLE_WORDS,
    DESCRIPTION_WORDS,
    YEARS,
    SEPARATORS,
    CODE_MARKS,
    QUESTIONS,
    AT_SIGNS,
    CURRENCY,
    ENDS_SENTENCE,
    STARTS_UPPER,
    STARTS_DIGIT,
    PHRASE_SUM,
    PHRASE_MIN,
    PHRASE_MAX,
    FIRST_PHRASE,
    HAN,
    EMPHASIS_CHARS,
) = range(len(MEASURES))

#: Of blocks with more words, phrases are not looked up behind this word: what they are shows in other ways.
MAX_PHRASE_WORDS = 16
_TEXT, _PAIR = np.uint64(0xD6E8FEB9), np.uint64(0xA0761D65)

_TITLE, _META, _A, _BR = (NUMBER[name] for name in "title meta a br".split())
_B, _STRONG = NUMBER["b"], NUMBER["strong"]
_NUM_SLOTS = 2048  # a power of two
_MAX_PROBES = 32
_MAX_WORDS = 256  # of one text
_SPACE_FLAG = np.uint16(SPACE)

#: Bits of what an ASCII or other code point says in a text.
_ENDS = frozenset(".!?。！？…؟।．")
_COMMAS = frozenset(",;:，；：、،؛")
_SEPARATORS = frozenset("|›»«•·/→▸►©®™★")
_CODE = frozenset("{}=<>()[]\\`$#")
_CURRENCY = frozenset("$€£¥₹₽")


class Known(NamedTuple):
    """Words that the page says of itself, as hash sets of keys."""

    title: Keys  # of `<title>` and `og:title`
    description: Keys  # of descriptions in `<meta>`


class Phrases(NamedTuple):
    """What the first words of blocks, alone and in pairs, say by a learned lexicon."""

    lexicon: Floats
    places: NDArray[np.int32]  # int32[blocks, 2 * MAX_PHRASE_WORDS]: where in the lexicon they lie, -1 where none is


def known_room() -> Known:
    """Room for the words of one page."""
    return Known(np.zeros(_NUM_SLOTS, np.uint64), np.zeros(_NUM_SLOTS, np.uint64))


def _class_of_points() -> NDArray[np.uint8]:
    classes = np.zeros(0x3100, np.uint8)
    for bit, points in enumerate((_ENDS, _COMMAS, _SEPARATORS, _CODE, _CURRENCY)):
        for character in points:
            if ord(character) < classes.size:
                classes[ord(character)] |= 1 << bit
    return classes


_POINTS = _class_of_points()
_IS_END, _IS_COMMA, _IS_SEPARATOR, _IS_CODE, _IS_CURRENCY = (1 << bit for bit in range(5))


@borrowing
def marks_of(point: Int) -> Int:
    """What a code point says, as bits."""
    if point < _POINTS.size:
        return np.int64(_POINTS[point])
    if point == 0xFF01 or point == 0xFF1F or point == 0xFF0E:
        return _IS_END
    if point == 0xFF0C or point == 0xFF1B or point == 0xFF1A:
        return _IS_COMMA
    if point == 0xFFE5:
        return _IS_CURRENCY
    return 0


@borrowing
def _add(keys: Keys, key: Int) -> None:
    """Take a key into the set; a set that is nearly full takes no more."""
    slot = np.int64(key >> np.uint64(40))
    for step in range(_MAX_PROBES):
        at = (slot + step) & (keys.size - 1)
        if keys[at] == key:
            return
        if keys[at] == 0:
            keys[at] = key
            return


@borrowing
def _holds(keys: Keys, key: Int) -> Bool:
    slot = np.int64(key >> np.uint64(40))
    for step in range(_MAX_PROBES):
        at = (slot + step) & (keys.size - 1)
        if keys[at] == 0:
            return False
        if keys[at] == key:
            return True
    return False


@borrowing
def is_han(point: Int) -> Bool:
    """Whether the character counts as a word by itself."""
    return 0x3400 <= point <= 0x9FFF


@borrowing
def _add_words(data: Bytes, start: Int, end: Int, table: CharTable, keys: Keys) -> None:
    """Take the first words of a text into a set."""
    key, i, num = SEED, start, 0
    while i < end and num < _MAX_WORDS:
        point, length = code_point(data, i, end)
        i += length
        flags = flags_of(table, point)
        if is_han(point):
            _add(keys, add_point(SEED, point))
            num += 1
        elif flags & (LETTER | MARK | NUMERIC):
            key = add_point(key, lower_of(table, point))
            continue
        if key != SEED:
            _add(keys, key)
            num += 1
        key = SEED
    if key != SEED:
        _add(keys, key)


@borrowing
def find_known(data: Bytes, page: Page, table: CharTable, known: Known) -> None:
    """Fill `known` from `<title>` and `<meta>`."""
    for i in range(known.title.size):
        known.title[i] = 0
    for i in range(known.description.size):
        known.description[i] = 0
    elements, runs = page.elements, page.runs
    for run in range(page.place[NUM_RUNS]):
        if elements.name[runs.element[run]] == _TITLE:
            _add_words(page.text, runs.start[run], runs.end[run], table, known.title)
            break
    num_metas = 0
    for element in range(page.place[NUM_ELEMENTS]):
        if elements.name[element] == _META and num_metas < 200:
            num_metas += 1
            _add_meta(data, elements.attributes[element], elements.content[element], table, known)


@borrowing
def _add_meta(data: Bytes, i: Int, end: Int, table: CharTable, known: Known) -> None:
    start = behind = 0
    kind = 0
    while True:
        name_start, name_end, value_start, value_end, i = attribute(data, i, end)
        if name_end == name_start:
            break
        if is_word(data, name_start, name_end, b"content"):
            start, behind = value_start, value_end
        elif is_word(data, name_start, name_end, b"name") or is_word(data, name_start, name_end, b"property"):
            if _ends_with(data, value_start, value_end, b"description"):
                kind = 1
            elif _ends_with(data, value_start, value_end, b"og:title"):
                kind = 2
    if kind == 1:
        _add_words(data, start, behind, table, known.description)
    elif kind == 2:
        _add_words(data, start, behind, table, known.title)


@borrowing
def _ends_with(data: Bytes, start: Int, end: Int, word: bytes) -> Bool:
    return end - start >= len(word) and is_word(data, end - len(word), end, word)


@borrowing
def measure_blocks(
    page: Page, blocks: Blocks, num_blocks: Int, known: Known, table: CharTable, phrases: Phrases, measures: Floats
) -> None:
    """Fill `measures[block, MEASURES]` and `phrases.places`."""
    for block in range(num_blocks):
        _measure(page, blocks, block, known, table, phrases, measures)


@borrowing
def _measure(
    page: Page, blocks: Blocks, block: Int, known: Known, table: CharTable, phrases: Phrases, measures: Floats
) -> None:
    for k in range(phrases.places.shape[1]):
        phrases.places[block, k] = -1
    runs, text = page.runs, page.text
    for k in range(measures.shape[1]):
        measures[block, k] = 0
    key, before = SEED, SEED
    word_chars, word_digits = 0, 0
    chars, marks = 0, 0
    last_point: Int = 0
    first_point: Int = 0
    spaced = True
    link = 0
    lines = runs.lines[blocks.first_run[block]]
    for run in range(blocks.first_run[block], blocks.last_run[block]):
        element = runs.element[run]
        if blocks.unseen[element]:
            continue
        if runs.lines[run] != lines and key != SEED:  # <br> ends a word
            before = _word(measures, block, key, before, word_chars, word_digits, known, phrases)
            key, word_chars, word_digits = SEED, 0, 0
        lines = runs.lines[run]
        if runs.link[run] and runs.link[run] != link:
            measures[block, LINKS] += 1
        link = runs.link[run]
        name = page.elements.name[element]
        strong = name in (_B, _STRONG)
        i, end = runs.start[run], runs.end[run]
        while i < end:
            byte = text[i]
            if byte < 0x80:
                point = np.int64(byte)
                i += 1
            else:
                point, length = code_point(text, i, end)
                i += length
            flags = flags_of(table, point)
            if flags & _SPACE_FLAG:
                if not spaced:
                    chars += 1  # white space counts once
                    spaced = True
                if key != SEED:
                    before = _word(measures, block, key, before, word_chars, word_digits, known, phrases)
                    key, word_chars, word_digits = SEED, 0, 0
                continue
            spaced = False
            chars += 1
            if link:
                measures[block, LINK_CHARS] += 1
            if strong:
                measures[block, EMPHASIS_CHARS] += 1
            if first_point == 0:
                first_point = point
            last_point = point
            if is_han(point):
                if key != SEED:
                    before = _word(measures, block, key, before, word_chars, word_digits, known, phrases)
                measures[block, HAN] += 1
                before = _word(measures, block, add_point(SEED, point), before, 4, 0, known, phrases)
                key, word_chars, word_digits = SEED, 0, 0
            elif flags & (LETTER | MARK | NUMERIC):
                if key == SEED and flags & LOWER:
                    measures[block, LOWER_WORDS] += 1
                if flags & UPPER:
                    measures[block, UPPERS] += 1
                if flags & DIGIT:
                    measures[block, DIGITS] += 1
                    word_digits += 1
                key = add_point(key, lower_of(table, point))
                word_chars += 1
            else:
                if key != SEED:
                    before = _word(measures, block, key, before, word_chars, word_digits, known, phrases)
                    key, word_chars, word_digits = SEED, 0, 0
                marks = marks_of(point)
                if marks & _IS_END:
                    # A dot within a number or a name ends no sentence.
                    if point >= 0x80 or i >= end or text[i] <= 0x20:
                        measures[block, SENTENCE_ENDS] += 1
                    if point == 0x3F or point == 0xFF1F:
                        measures[block, QUESTIONS] += 1
                elif marks & _IS_COMMA:
                    measures[block, COMMAS] += 1
                else:
                    measures[block, OTHER_MARKS] += 1
                if marks & _IS_SEPARATOR:
                    measures[block, SEPARATORS] += 1
                if marks & _IS_CODE:
                    measures[block, CODE_MARKS] += 1
                if marks & _IS_CURRENCY:
                    measures[block, CURRENCY] += 1
                if point == 0x40:
                    measures[block, AT_SIGNS] += 1
    if key != SEED:
        _word(measures, block, key, before, word_chars, word_digits, known, phrases)
    measures[block, CHARS] = max(chars - 1, 1) if spaced else chars
    first, last = blocks.first_run[block], blocks.last_run[block] - 1
    measures[block, LINES] = runs.lines[last] - runs.lines[first]
    measures[block, ENDS_SENTENCE] = 1 if marks_of(last_point) & _IS_END else 0
    first_flags = flags_of(table, first_point)
    measures[block, STARTS_UPPER] = 1 if first_flags & UPPER else 0
    measures[block, STARTS_DIGIT] = 1 if first_flags & DIGIT else 0


@borrowing
def _word(
    measures: Floats, block: Int, key: Int, before: Int, chars: Int, digits: Int, known: Known, phrases: Phrases
) -> Int:
    """Take in a word; its key."""
    num = measures[block, WORDS]
    measures[block, WORDS] = num + 1
    if is_function_word(key):
        measures[block, FUNCTION_WORDS] += 1
    if chars <= 3:
        measures[block, SHORT_WORDS] += 1
    if digits == 4 and chars == 4:
        measures[block, YEARS] += 1
    if _holds(known.title, key):
        measures[block, TITLE_WORDS] += 1
    if _holds(known.description, key):
        measures[block, DESCRIPTION_WORDS] += 1
    if num < MAX_PHRASE_WORDS:
        place = np.int64(num) * 2
        worth = _look_up(phrases, block, place, lexicon_place(key, _TEXT))
        if num > 0:
            worth += _look_up(phrases, block, place + 1, lexicon_place(key ^ (before >> np.uint64(7)), _PAIR))
        else:
            measures[block, FIRST_PHRASE] = worth
        measures[block, PHRASE_SUM] += worth
        measures[block, PHRASE_MIN] = min(measures[block, PHRASE_MIN], worth)
        measures[block, PHRASE_MAX] = max(measures[block, PHRASE_MAX], worth)
    return key


@borrowing
def _look_up(phrases: Phrases, block: Int, at: Int, place: Int) -> Int:
    phrases.places[block, at] = place
    return phrases.lexicon[place]
