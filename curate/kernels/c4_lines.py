"""C4's rules over lines: what is rewritten, what is removed, what a page is dropped for.

Source: Raffel et al. 2020 (T5), section 2.2, in the order and with the phrases of Google's code
(tensorflow/datasets, `text/c4_utils.py`, commit 0560e686). A line is removed by the first rule that it breaks; a page
rule looks at the lines that the line rules before it left. Where we differ from that code: lines end at "\\n" alone, a
line is stripped again after its citation marks are gone (else "as shown. [1]" lacks an end mark), a bad word may stand
at either end of a line, and sentences are counted by a stated rule instead of NLTK's punkt model.

All of it is RE2 and Arrow kernels over flat arrays of lines: linear time, whatever a page holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.kernels.segments import Bools, Ints, Segments, by_chunks, signal_struct, split_lines, split_words
from curate.kernels.text_stats import ends_with

LINE_RULES = ("long_word", "no_end_mark", "few_words", "javascript", "policy")
PAGE_RULES = ("lorem_ipsum", "curly_brace", "bad_word")
SIGNALS = pa.struct(
    [
        pa.field("char_count", pa.int32()),  # of the text as it came
        pa.field("line_count", pa.int32()),  # lines that were not blank, before any rule
        *(pa.field(f"{rule}_lines", pa.int32()) for rule in LINE_RULES),  # removed
        pa.field("citation_marks", pa.int32()),  # removed
        *(pa.field(rule, pa.bool_()) for rule in PAGE_RULES),
        pa.field("sentence_count", pa.int32()),  # of the text that is left
    ]
)
_CLEANED = pa.struct([pa.field("text", pa.string()), pa.field("signals", SIGNALS)])

_ELLIPSIS = "..."
_CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
_POLICY = "terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
# A run of end marks, closing marks, then white space or the end; marks of scripts without spaces end it by themselves.
_SENTENCE_END = r"""[.!?…؟।]+["'”’»)\]]*(?:\s|$)|[。！？]+"""
_ENDS_SENTENCE = r"""[.!?…؟।。！？]["'”’»)\]」』）]*$"""
_NO_WORD_CHAR = r"[^\pL\pM\pN_]"
#: Words for each pattern: RE2 refuses a pattern whose automaton outgrows its memory.
_WORDS_PER_PATTERN = 1000


class C4Rules(NamedTuple):
    """Which rules are on. The defaults are Google's; a rule is off at None, False or an empty tuple."""

    max_word_chars: int | None = 1000
    remove_citations: bool = True
    end_marks: tuple[str, ...] = (".", "?", "!", '"')
    min_words_per_line: int | None = 5
    remove_javascript: bool = True
    remove_policy: bool = True
    bad_word_patterns: tuple[str, ...] = ()  # from `bad_word_patterns`


def clean_lines(texts: pa.StringArray, rules: C4Rules) -> tuple[pa.StringArray, pa.StructArray]:
    """The lines that stay, stripped and joined by one "\\n", and `SIGNALS`. Null text: null text and fields.

    Blank lines always go and are counted nowhere. A text that loses every line becomes "".
    """
    cleaned = by_chunks(texts, lambda part: _clean(part, rules), _CLEANED, max_chars=None)
    return pc.struct_field(cleaned, "text"), pc.struct_field(cleaned, "signals")


def bad_word_patterns(words: Iterable[str], *, inside_words: bool) -> tuple[str, ...]:
    """RE2 patterns that find any of `words` or phrases in lower-cased text.

    A word is found where no letter, mark, digit or underscore stands beside it; `inside_words` finds it anywhere, as
    scripts without spaces need. Blank entries are left out; no words give no pattern.
    """
    wanted = sorted({word.strip().lower() for word in words} - {""})
    blocks = (wanted[i : i + _WORDS_PER_PATTERN] for i in range(0, len(wanted), _WORDS_PER_PATTERN))
    patterns = ("|".join(re.escape(word) for word in block) for block in blocks)
    if inside_words:
        return tuple(patterns)
    return tuple(f"(?:^|{_NO_WORD_CHAR})(?:{pattern})(?:$|{_NO_WORD_CHAR})" for pattern in patterns)


def sentence_counts(lines: pa.StringArray) -> Ints:
    """Sentences of each line: int64[len(lines)], at least 1 for a line that is not empty.

    A sentence ends at a run of `. ! ? …` (and Arabic and Devanagari marks) with its closing quotes and brackets where
    white space or the end of the line follows, or at a run of `。 ！ ？`; what is left after the last end is one more.
    So "3.14" ends nothing and "Dr. Who" ends one too many: pages pass a little more easily than with punkt.
    """
    ends = np.asarray(pc.count_substring_regex(lines, _SENTENCE_END), dtype=np.int64)
    unfinished = ~_bools(pc.match_substring_regex(lines, _ENDS_SENTENCE)) & _bools(pc.not_equal(lines, ""))
    return ends + unfinished


def _clean(texts: pa.StringArray, rules: C4Rules) -> pa.StructArray:
    lines = split_lines(texts)
    signals = {"char_count": np.asarray(pc.utf8_length(texts).fill_null(0)), "line_count": lines.count()}

    def remove(rule: str, hit: Bools) -> None:
        nonlocal lines
        signals[f"{rule}_lines"] = lines.count(hit)
        lines = lines.keep(~hit) if hit.any() else lines

    remove("long_word", _has_long_word(lines, rules.max_word_chars))
    signals["citation_marks"], lines = _without_citations(lines, rules.remove_citations)
    remove("no_end_mark", _lacks_end_mark(lines, rules.end_marks))
    remove("few_words", _has_few_words(lines, rules.min_words_per_line))
    signals["lorem_ipsum"] = _pages_with(lines, ("lorem ipsum",))
    remove("javascript", _matches(lines, ("javascript",) if rules.remove_javascript else ()))
    signals["curly_brace"] = _pages_with(lines, (r"\{",))
    remove("policy", _matches(lines, (_POLICY,) if rules.remove_policy else ()))
    signals["bad_word"] = _pages_with(lines, rules.bad_word_patterns)
    signals["sentence_count"] = lines.total(sentence_counts(lines.values))
    text = pc.if_else(texts.is_valid(), lines.joined("\n"), pa.scalar(None, pa.string()))
    return pa.StructArray.from_arrays([text, signal_struct(SIGNALS, signals, texts)], fields=list(_CLEANED))


def _has_long_word(lines: Segments, max_word_chars: int | None) -> Bools:
    found = np.zeros(len(lines.values), dtype=np.bool_)
    if max_word_chars is None:
        return found
    # Only a line of more bytes than that can hold such a word, so nearly no line is cut into words here.
    candidates = np.flatnonzero(np.asarray(pc.binary_length(lines.values), dtype=np.int64) > max_word_chars)
    words = split_words(lines.values.take(pa.array(candidates)))
    found[candidates[words.rows[words.lengths() > max_word_chars]]] = True
    return found


def _without_citations(lines: Segments, remove: bool) -> tuple[Ints, Segments]:
    """Marks taken from each row, and the lines without them; a line of nothing else is blank and goes."""
    if not remove:
        return np.zeros(lines.num_rows, dtype=np.int64), lines
    marks = np.asarray(pc.count_substring_regex(lines.values, _CITATION), dtype=np.int64)
    if not marks.any():
        return lines.total(marks), lines
    values = pc.utf8_trim_whitespace(pc.replace_substring_regex(lines.values, _CITATION, ""))
    return lines.total(marks), replace(lines, values=values).keep(_bools(pc.not_equal(values, "")))


def _lacks_end_mark(lines: Segments, end_marks: Sequence[str]) -> Bools:
    if not end_marks:
        return np.zeros(len(lines.values), dtype=np.bool_)
    return ~ends_with(lines.values, end_marks) | ends_with(lines.values, (_ELLIPSIS,))


def _has_few_words(lines: Segments, min_words: int | None) -> Bools:
    if min_words is None:
        return np.zeros(len(lines.values), dtype=np.bool_)
    return np.asarray(split_words(lines.values).count() < min_words)


def _matches(lines: Segments, patterns: Sequence[str]) -> Bools:
    """True for lines that hold any of the patterns in lower case."""
    found = np.zeros(len(lines.values), dtype=np.bool_)
    lower = pc.utf8_lower(lines.values) if patterns else lines.values
    for pattern in patterns:
        found |= _bools(pc.match_substring_regex(lower, pattern))
    return found


def _pages_with(lines: Segments, patterns: Sequence[str]) -> Bools:
    """True for rows with a line that holds any of the patterns in lower case."""
    return lines.count(_matches(lines, patterns)) > 0


def _bools(array: pa.Array) -> Bools:
    return np.asarray(array, dtype=np.bool_)
