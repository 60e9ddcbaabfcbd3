"""Which sentences of a text go, by rules that look at each of them and at those before it.

**Sentences** lie within a line and end as `curate.kernels.sentences` says: at end marks of any script, or with their
line. So a heading is a sentence, and a text with hard line breaks is judged line by line. Shares are of a sentence's
characters that are no white space. **Words** stand between white space, and each letter of a script without spaces is
one.

Between two sentences that stay stands one of the runs of white space that stood between them: the one with the most
newlines, the first of equal ones. So paragraphs stay paragraphs, and where nothing goes nothing changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.line_ends import is_among
from curate.kernels.phrases import Phrases, find_phrase, phrases
from curate.kernels.recurrence import equal_bytes, table_bits
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.scan import FACTOR, SEED, SHIFT, flags_of
from curate.kernels.sentences import scratch_ends, sentence_ends
from curate.kernels.signals import signal_struct
from curate.kernels.strip import char_before, stripped_start
from curate.kernels.unicode_tables import DIGIT, LETTER, MARK, SPACE, SPACELESS, SYMBOL, CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

RULES = ("short", "long", "letters", "digits", "symbols", "no_end_mark", "keyword", "duplicate")
SIGNALS = pa.struct(
    [
        pa.field("sentence_count", pa.int64()),  # of the text as it came
        *(pa.field(f"{rule}_sentences", pa.int64()) for rule in RULES),  # removed, by the first rule that they broke
        pa.field("kept_char_count", pa.int64()),  # of the sentences that are left, white space between them not counted
        pa.field("removed_char_frac", pa.float64()),  # of the characters of all sentences; 0 where there are none
    ]
)
CLOSING = "\"'”’»)]」』）"

_SHORT, _LONG, _LETTERS, _DIGITS, _SYMBOLS, _NO_END, _KEYWORD, _DUPLICATE, _KEEP = range(9)
_FIRST_RULE, _CHARS, _REMOVED = 1, 9, 10  # columns of the counts
_NEVER = np.iinfo(np.int64).max


class SentenceRules(NamedTuple):
    """Bounds as numbers; what is off is out of reach."""

    min_chars: int
    max_chars: int
    min_words: int
    max_words: int
    min_share_chars: int
    min_letter_frac: float
    max_digit_frac: float
    max_symbol_frac: float
    min_duplicate_chars: int
    end_marks: NDArray[np.int32]  # ascending; none: the rule is off
    closing: NDArray[np.int32]
    keywords: Phrases


class _Sentence(NamedTuple):
    chars: int  # no white space
    letters: int
    digits: int
    symbols: int
    words: int
    key: np.uint64


def sentence_rules(
    chars: tuple[int | None, int | None],
    words: tuple[int | None, int | None],
    min_share_chars: int,
    min_letter_frac: float | None,
    max_digit_frac: float | None,
    max_symbol_frac: float | None,
    min_duplicate_chars: int | None,
    end_marks: str | None,
    keywords: tuple[str, ...],
) -> SentenceRules:
    """The rules; None, or no keywords, turns one off. `chars` and `words` are the least and the most.

    min_share_chars: sentences of fewer characters are not judged by shares.
    """
    low_chars, high_chars, low_words, high_words = (*chars, *words)
    return SentenceRules(
        0 if low_chars is None else low_chars,
        _NEVER if high_chars is None else high_chars,
        0 if low_words is None else low_words,
        _NEVER if high_words is None else high_words,
        min_share_chars,
        -1.0 if min_letter_frac is None else min_letter_frac,
        2.0 if max_digit_frac is None else max_digit_frac,
        2.0 if max_symbol_frac is None else max_symbol_frac,
        _NEVER if min_duplicate_chars is None else min_duplicate_chars,
        np.array(sorted(map(ord, end_marks or "")), np.int32),
        np.array(sorted(map(ord, CLOSING)), np.int32),
        phrases(keywords),
    )


def filter_sentences(texts: pa.Array, rules: SentenceRules) -> tuple[pa.StringArray, pa.StructArray]:
    """The texts without the sentences that break a rule, and `SIGNALS`. Null text: null text and fields."""
    data, offsets = utf8(texts)
    out, ends = room_like(offsets)
    counts = np.zeros((len(texts), len(SIGNALS)), np.int64)
    starts, stops, line_ends = (scratch_ends(offsets) for _ in range(3))
    _filter_all(data, offsets, char_table(), rules, starts, stops, line_ends, out, ends, counts)
    signals = {name: counts[:, i] for i, name in enumerate(SIGNALS.names[: _CHARS + 1])}
    signals["removed_char_frac"] = counts[:, _REMOVED] / np.maximum(counts[:, _REMOVED] + counts[:, _CHARS], 1)
    return rewritten(texts, out, ends), signal_struct(SIGNALS, signals, texts)


@compiled
def _filter_all(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    rules: SentenceRules,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    line_ends: NDArray[np.int64],
    out: Bytes,
    ends: Offsets,
    counts: NDArray[np.int64],
) -> None:
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        num = _spans(text, table, starts, stops, line_ends)
        broken = _broken_rules(text, table, rules, starts, stops, num, counts[row])
        ends[row + 1] = ends[row] + _written(text, starts, stops, num, broken, out[ends[row] :])


@compiled
def _spans(
    text: Bytes, table: CharTable, starts: NDArray[np.int64], stops: NDArray[np.int64], ends: NDArray[np.int64]
) -> int:
    """Where the sentences begin and end, without white space at their ends; how many."""
    num = start = 0
    while start < text.size:
        end = start
        while end < text.size and text[end] != 10:
            end += 1
        at = start
        for i in range(sentence_ends(text, start, end, table, ends)):
            at = stripped_start(text, at, ends[i], table)
            if at < ends[i]:
                starts[num], stops[num] = at, ends[i]
                num += 1
            at = ends[i]
        start = end + 1
    return num


@compiled
def _broken_rules(
    text: Bytes,
    table: CharTable,
    rules: SentenceRules,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    num: Int,
    count: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """For each sentence the rule that it breaks, or `_KEEP`."""
    broken = np.full(num, _KEEP, np.uint8)
    bits = table_bits(num) if rules.min_duplicate_chars < _NEVER else 0
    slots, keys = np.full(1 << bits, -1, np.int64), np.empty(num, np.uint64)
    min_chars, max_chars, min_words, max_words = rules.min_chars, rules.max_chars, rules.min_words, rules.max_words
    min_letter_frac, max_digit_frac = rules.min_letter_frac, rules.max_digit_frac
    max_symbol_frac, min_duplicate_chars = rules.max_symbol_frac, rules.min_duplicate_chars
    min_share_chars = rules.min_share_chars
    any_end_mark, any_keyword = rules.end_marks.size > 0, rules.keywords.ends.size > 1
    for i in range(num):
        start, stop = starts[i], stops[i]
        one = _measure(text, start, stop, table)
        shares = one.chars >= min_share_chars
        if one.chars < min_chars or one.words < min_words:
            broken[i] = _SHORT
        elif one.chars > max_chars or one.words > max_words:
            broken[i] = _LONG
        elif shares and one.letters / one.chars < min_letter_frac:
            broken[i] = _LETTERS
        elif shares and one.digits / one.chars > max_digit_frac:
            broken[i] = _DIGITS
        elif shares and one.symbols / one.chars > max_symbol_frac:
            broken[i] = _SYMBOLS
        elif any_end_mark and not _has_end_mark(text, start, stop, rules):
            broken[i] = _NO_END
        elif any_keyword and find_phrase(text, start, stop, table, rules.keywords) >= 0:
            broken[i] = _KEYWORD
        elif one.chars >= min_duplicate_chars:
            keys[i] = one.key
            if _seen(text, starts, stops, keys, i, slots, bits):
                broken[i] = _DUPLICATE
        count[0] += 1
        if broken[i] == _KEEP:
            count[_CHARS] += one.chars
        else:
            count[_REMOVED] += one.chars
            count[_FIRST_RULE + np.int64(broken[i])] += 1
    return broken


@compiled
def _measure(text: Bytes, start: Int, end: Int, table: CharTable) -> _Sentence:
    at, key = start, SEED
    chars = letters = digits = symbols = words = 0
    in_word = False
    while at < end:
        point = np.int64(text[at])
        width = 1
        if point >= 128:
            point, width = code_point(text, at, end)
        at += width
        flags = flags_of(table, point)
        key = (key ^ np.uint64(point)) * FACTOR
        if flags & SPACE:
            in_word = False
            continue
        chars += 1
        alone = flags & SPACELESS != 0 and flags & LETTER != 0
        words += alone or not in_word
        in_word = True
        letters += flags & (LETTER | MARK) != 0
        digits += flags & DIGIT != 0
        symbols += flags & SYMBOL != 0
    return _Sentence(chars, letters, digits, symbols, words, key ^ (key >> SHIFT))


@compiled
def _has_end_mark(text: Bytes, start: Int, end: Int, rules: SentenceRules) -> bool:
    """True where a sentence ends in an end mark, closing quotes and brackets behind it left aside."""
    while end > start:
        last = char_before(text, start, end)
        point, _ = code_point(text, last, end)
        if is_among(point, rules.end_marks):
            return True
        if not is_among(point, rules.closing):
            return False
        end = last
    return False


@compiled
def _seen(
    text: Bytes,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    keys: NDArray[np.uint64],
    i: Int,
    slots: NDArray[np.int64],
    bits: Int,
) -> bool:
    """True where an earlier sentence has the same bytes as sentence `i`, which is noted otherwise."""
    slot = np.int64((keys[i] * FACTOR) >> np.uint64(64 - bits))
    start: Int = starts[i]
    size: Int = stops[i] - start
    while slots[slot] >= 0:
        other: Int = slots[slot]
        first: Int = starts[other]
        same = keys[other] == keys[i] and stops[other] - first == size
        if same and equal_bytes(text, first, start, size):
            return True
        slot = (slot + 1) & (slots.size - 1)
    slots[slot] = i
    return False


@compiled
def _written(
    text: Bytes,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    num: Int,
    broken: NDArray[np.uint8],
    out: Bytes,
) -> int:
    """Write the sentences that stay, and the white space between them; how many bytes they take."""
    at, before, any_kept = 0, 0, False
    gap_start, gap_end, newlines = 0, 0, -1
    for i in range(num + 1):
        start = starts[i] if i < num else text.size
        found = _newlines(text, before, start)
        if found > newlines:
            gap_start, gap_end, newlines = before, start, found
        if i < num:
            before = stops[i]
            if broken[i] != _KEEP:
                continue
        # White space at the ends of the text stays where the sentence beside it does.
        inner = any_kept and i < num
        whole = num == 0 or (i == 0 and not any_kept) or (i == num and num > 0 and broken[num - 1] == _KEEP)
        if inner or whole:
            out[at : at + gap_end - gap_start] = text[gap_start:gap_end]
            at += gap_end - gap_start
        if i < num:
            out[at : at + stops[i] - start] = text[start : stops[i]]
            at, any_kept, newlines = at + stops[i] - start, True, -1
    return at


@compiled
def _newlines(text: Bytes, start: Int, end: Int) -> int:
    count = 0
    for at in range(start, end):
        count += text[at] == 10
    return count
