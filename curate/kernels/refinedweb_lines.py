"""RefinedWeb's line rules: which lines go, and which short ones lose a phrase.

Source: Penedo et al. 2023, appendix G.2, as DCLM rebuilt it (`baselines/mappers/modifiers.py` in the order of
`baselines_configs/dclm_baseline_refinedweb.yaml`, commit 15af3ce5). What is counted is what that code counts:

- a **line** ends at "\\n"; shares are of all its characters, white space too; digits are Unicode's decimal digits (that
  code takes "²" for one too);
- **words** of a line stand between white space;
- **words of a text**, of which at most 5 % may go, are fastText's tokens that begin with a letter or a digit: they
  stand between ASCII's white space or NUL, so `"quoted` is none;
- a **counter** is a line of one number, with commas, dots and perhaps one of K, M, B behind it, white space, and one
  of the listed words, whatever stands around them that is no letter, digit or "_";
- phrases are looked for in any case, in lines of few words; the white space before a phrase goes with it (behind it,
  for one at the beginning); a line that is blank then goes. White space at both ends of the text goes too.

A script without spaces has no words in this sense, and its lines would go for being one word. With `spaceless_words`
each of its letters is a word; DCLM, which keeps English alone, has no such rule.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.phrases import Phrases, any_phrase_end, find_phrase, phrase_end, phrases
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.scan import flags_of
from curate.kernels.signals import signal_struct
from curate.kernels.strip import char_before, is_space, stripped_end, stripped_start
from curate.kernels.unicode_tables import DIGIT, LETTER, NUMBER, SPACE, SPACELESS, UPPER, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8

LINE_RULES = ("uppercase", "numeric", "counter", "short")
SIGNALS = pa.struct(
    [
        pa.field("word_count", pa.int32()),  # of the text as it came
        pa.field("line_count", pa.int32()),  # lines that were not blank
        *(pa.field(f"{rule}_{what}", pa.int32()) for rule in LINE_RULES for what in ("lines", "words")),  # removed
        pa.field("phrase_lines", pa.int32()),  # lines that lost a phrase, or all they had
        pa.field("phrase_words", pa.int32()),  # words that went with them
        pa.field("removed_word_frac", pa.float64()),  # of all words; 0 where there are none
    ]
)

_UPPERCASE, _NUMERIC, _COUNTER, _SHORT, _KEEP, _BLANK = range(6)
_WORDS, _LINES, _RULES, _EDITED, _LEFT = 0, 1, 2, 10, 11  # columns of the counts
_UNDERSCORE = 95


class LineRules(NamedTuple):
    """Bounds as numbers; what is off is out of reach."""

    max_uppercase_frac: float
    max_digit_frac: float
    min_words: int
    max_edited_words: int
    counter_words: Phrases
    anywhere: Phrases
    at_end: Phrases
    at_start: Phrases
    spaceless_words: bool


class _Lines(NamedTuple):
    """Lines of one text that are kept, as spans of its bytes; words -1: it went with a phrase."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    words: NDArray[np.int64]
    tokens: NDArray[np.int64]
    edited: NDArray[np.bool_]


class _Measured(NamedTuple):
    end: int  # of the line
    chars: int
    uppercase: int
    digits: int
    words: int
    tokens: int
    number_first: bool


def line_rules(
    max_uppercase_frac: float | None,
    max_digit_frac: float | None,
    min_words: int | None,
    max_edited_words: int | None,
    counter_words: tuple[str, ...],
    anywhere: tuple[str, ...],
    at_end: tuple[str, ...],
    at_start: tuple[str, ...],
    *,
    any_char: str = "",
    spaceless_words: bool = True,
) -> LineRules:
    """The rules; None or no words turn one off. `any_char` in a phrase stands for any character."""
    return LineRules(
        2.0 if max_uppercase_frac is None else max_uppercase_frac,
        2.0 if max_digit_frac is None else max_digit_frac,
        0 if min_words is None else min_words,
        np.iinfo(np.int64).max if max_edited_words is None else max_edited_words,
        phrases(counter_words),
        phrases(anywhere, any_char),
        phrases(at_end, any_char),
        phrases(at_start, any_char),
        spaceless_words,
    )


def clean_lines(texts: pa.Array, rules: LineRules) -> tuple[pa.StringArray, pa.StructArray]:
    """The texts that are left, and `SIGNALS`. Null text: null text and fields; a text that loses all becomes ""."""
    data, offsets = utf8(texts)
    out, ends = room_like(offsets)
    counts = np.zeros((len(texts), _LEFT + 1), np.int64)
    size = _most_lines(data, offsets)
    start, end, words, tokens = (np.empty(size, np.int64) for _ in range(4))
    lines = _Lines(start, end, words, tokens, np.empty(size, np.bool_))
    _clean_all(data, offsets, char_table(), rules, lines, out, ends, counts)
    names = SIGNALS.names
    signals = {name: counts[:, i] for i, name in enumerate(names[: _EDITED + 1])}
    removed = counts[:, _WORDS] - counts[:, _LEFT]
    signals["phrase_words"] = np.maximum(removed - counts[:, _RULES + 1 : _EDITED : 2].sum(axis=1), 0)
    signals["removed_word_frac"] = np.maximum(removed, 0) / np.maximum(counts[:, _WORDS], 1)
    return rewritten(texts, out, ends), signal_struct(SIGNALS, signals, texts)


@compiled
def _most_lines(data: Bytes, offsets: Offsets) -> Int:
    most: Int = 0
    for row in range(offsets.size - 1):
        most = max(most, np.count_nonzero(data[offsets[row] : offsets[row + 1]] == 10))
    return most + 1


@compiled
def _clean_all(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    rules: LineRules,
    lines: _Lines,
    out: Bytes,
    ends: Offsets,
    counts: NDArray[np.int64],
) -> None:
    for row in range(offsets.size - 1):
        size = offsets[row + 1] - offsets[row]
        text = out[ends[row] : ends[row] + size]
        text[:] = data[offsets[row] : offsets[row + 1]]
        count = counts[row]
        num = _kept_lines(text, table, rules, lines, count)
        first, last = _stripped(text, table, lines, 0, num)
        for place in range(3):
            _edit(text, table, rules, place, lines, first, last)
            first, last = _stripped(text, table, lines, first, last)
        count[_EDITED] = np.count_nonzero(lines.edited[:num])
        count[_LEFT] = _tokens(text, table, lines, first, last, rules.spaceless_words)
        ends[row + 1] = ends[row] + _joined(text, lines, first, last)


@compiled
def _kept_lines(text: Bytes, table: CharTable, rules: LineRules, lines: _Lines, count: NDArray[np.int64]) -> Int:
    """Fill `lines` with those that no line rule removes, blank ones too; how many."""
    num = start = num_words = num_lines = 0
    spaceless_words, min_words = rules.spaceless_words, rules.min_words
    max_uppercase_frac, max_digit_frac = rules.max_uppercase_frac, rules.max_digit_frac
    while start <= text.size:
        line = _measure(text, start, text.size, table, spaceless_words)
        num_words += line.tokens
        num_lines += line.words > 0
        broken, chars = _KEEP, max(line.chars, 1)
        if line.uppercase / chars > max_uppercase_frac:
            broken = _UPPERCASE
        elif line.digits / chars > max_digit_frac:
            broken = _NUMERIC
        elif line.number_first and _is_counter(text, start, line.end, table, rules.counter_words):
            broken = _COUNTER
        elif line.words < min_words and line.chars:
            broken = _SHORT if line.words else _BLANK
        if broken == _KEEP:
            lines.start[num], lines.end[num] = start, line.end
            lines.words[num], lines.tokens[num], lines.edited[num] = line.words, line.tokens, False
            num += 1
        elif broken != _BLANK:
            count[_RULES + 2 * broken] += 1
            count[_RULES + 2 * broken + 1] += line.tokens
        start = line.end + 1
    count[_WORDS], count[_LINES] = num_words, num_lines
    return num


@compiled
def _measure(text: Bytes, start: Int, end: Int, table: CharTable, spaceless_words: Bool) -> _Measured:
    """The line that begins at `start` and ends at "\\n" or at `end`."""
    at = start
    chars = uppercase = digits = words = tokens = 0
    in_word = in_token = number_first = seen = False
    while at < end:
        point = np.int64(text[at])
        width = 1
        if point == 10:
            break
        if point >= 128:
            point, width = code_point(text, at, end)
        flags = flags_of(table, point)
        at, chars = at + width, chars + 1
        if flags & SPACE or point == 0:
            in_token = point != 32 and point != 0 and not 9 <= point <= 13
            words += point == 0 and not in_word
            in_word = point == 0
            continue
        letter_or_number = flags & (LETTER | NUMBER) != 0
        if spaceless_words and flags & SPACELESS and flags & LETTER:
            words, tokens = words + 1, tokens + 1
            in_word = in_token = True
        else:
            words += not in_word
            tokens += letter_or_number and not in_token
            in_word = in_token = True
        if not seen and (letter_or_number or point == _UNDERSCORE):
            seen, number_first = True, flags & DIGIT != 0
        uppercase += flags & UPPER != 0
        digits += flags & DIGIT != 0
    return _Measured(at, chars, uppercase, digits, words, tokens, number_first)


@compiled
def _is_counter(text: Bytes, start: Int, end: Int, table: CharTable, words: Phrases) -> Bool:
    """`[^\\w]* digit (digit|,|.)* [KMB]? space+ word [^\\w]*`, where the first character of `\\w` is a digit."""
    at = start
    while not _is_digit(text, at, end, table):
        _, width = code_point(text, at, end)
        at += width
    while at < end and (text[at] == 44 or text[at] == 46 or _is_digit(text, at, end, table)):
        _, width = code_point(text, at, end)
        at += width
    if at < end and text[at] | 32 in (107, 109, 98):
        at += 1
    blank = at
    at = stripped_start(text, at, end, table)
    if at == blank:
        return False
    for number in range(words.ends.size - 1):
        found = phrase_end(text, at, end, table, words, number)
        if found >= 0 and not _has_word_char(text, found, end, table):
            return True
    return False


@compiled
def _is_digit(text: Bytes, at: Int, end: Int, table: CharTable) -> Bool:
    point, _ = code_point(text, at, end)
    return flags_of(table, point) & DIGIT != 0


@compiled
def _has_word_char(text: Bytes, at: Int, end: Int, table: CharTable) -> Bool:
    while at < end:
        point, width = code_point(text, at, end)
        if flags_of(table, point) & (LETTER | NUMBER) or point == _UNDERSCORE:
            return True
        at += width
    return False


@compiled
def _stripped(text: Bytes, table: CharTable, lines: _Lines, first: Int, last: Int) -> tuple[Int, Int]:
    """The range of lines without blank ones at its ends, and white space at its ends cut off."""
    while first < last:
        lines.start[first] = stripped_start(text, lines.start[first], lines.end[first], table)
        if lines.words[first] > 0 and lines.start[first] < lines.end[first]:
            break
        first += 1
    while last > first:
        lines.end[last - 1] = stripped_end(text, lines.start[last - 1], lines.end[last - 1], table)
        if lines.words[last - 1] > 0 and lines.start[last - 1] < lines.end[last - 1]:
            break
        last -= 1
    return first, last


@compiled
def _edit(text: Bytes, table: CharTable, rules: LineRules, place: Int, lines: _Lines, first: Int, last: Int) -> None:
    """Take the phrases of one place out of short lines; a line that is blank after it is marked as gone."""
    wanted = rules.anywhere if place == 0 else rules.at_end if place == 1 else rules.at_start
    max_words, begins, lasts = rules.max_edited_words, wanted.begins, wanted.lasts
    if wanted.ends.size == 1:
        return
    for i in range(first, last):
        start, end, words = lines.start[i], lines.end[i], lines.words[i]
        if start == end or words < 0 or words > max_words:
            continue
        if place == 0:
            end = _without(text, start, end, table, wanted)
        elif place == 1:
            end = _without_end(text, start, end, table, wanted) if lasts[text[end - 1]] else end
        else:
            start = _without_start(text, start, end, table, wanted) if begins[text[start]] else start
        if lines.start[i] == start and lines.end[i] == end:
            if words == 0:
                lines.words[i] = -1
            continue
        line = _measure(text, start, end, table, rules.spaceless_words)
        lines.start[i], lines.end[i], lines.edited[i] = start, end, True
        lines.words[i], lines.tokens[i] = line.words if line.words else -1, line.tokens


@compiled
def _without(text: Bytes, start: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Take every phrase out, each with one white space before it; where the line ends then."""
    at = find_phrase(text, start, end, table, wanted)
    if at < 0:
        return end
    floor, out = start, at
    while at >= 0:
        left = any_phrase_end(text, at, end, table, wanted)
        out = _before_one_space(text, floor, out, table)
        floor = out
        at = find_phrase(text, left, end, table, wanted)
        for i in range(left, at if at >= 0 else end):
            text[out] = text[i]
            out += 1
    return out


@compiled
def _without_end(text: Bytes, start: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Where the line ends without the longest phrase at its end and one white space before that."""
    longest = end
    for number in range(wanted.ends.size - 1):
        at = end
        for _ in range(wanted.ends[number + 1] - wanted.ends[number]):
            at = char_before(text, start, at) if at > start else -1
            if at < 0:
                break
        if at >= 0 and at < longest and phrase_end(text, at, end, table, wanted, number) == end:
            longest = at
    return _before_one_space(text, start, longest, table) if longest < end else end


@compiled
def _before_one_space(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where `text[start:end]` ends without one white space."""
    if end <= start:
        return end
    before = char_before(text, start, end)
    return before if is_space(text, before, end, table) else end


@compiled
def _without_start(text: Bytes, start: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Where the line begins behind a phrase at its beginning and one white space."""
    found = any_phrase_end(text, start, end, table, wanted)
    if found < 0:
        return start
    if found < end and is_space(text, found, end, table):
        return found + code_point(text, found, end)[1]
    return found


@compiled
def _tokens(text: Bytes, table: CharTable, lines: _Lines, first: Int, last: Int, spaceless_words: Bool) -> Int:
    """Words of the text that is left. White space may have been cut off the first line and the last."""
    tokens = 0
    for i in range(first, last):
        if i == first or i == last - 1:
            tokens += _measure(text, lines.start[i], lines.end[i], table, spaceless_words).tokens
        elif lines.words[i] >= 0:
            tokens += lines.tokens[i]
    return tokens


@compiled
def _joined(text: Bytes, lines: _Lines, first: Int, last: Int) -> Int:
    """Move the lines to the front of the text, "\\n" between them; how many bytes they take."""
    out = 0
    for i in range(first, last):
        if lines.words[i] < 0:
            continue
        if out:
            text[out] = 10
            out += 1
        size = lines.end[i] - lines.start[i]
        if lines.start[i] != out:
            for j in range(size):
                text[out + j] = text[lines.start[i] + j]
        out += size
    return out
