"""C4's rules over lines: what is rewritten, what is removed, what a page is dropped for.

Source: Raffel et al. 2020 (T5), section 2.2, with the order and the phrases of Google's code (tensorflow/datasets,
`text/c4_utils.py`, commit 0560e686). A line is removed by the first rule that it breaks; a page rule looks at the lines
that the line rules before it left. `C4Rules` holds what other toolkits do otherwise under the same name. Two things are
ours: blank lines go whatever rules are on, and sentences are counted by a rule over characters, not by NLTK's punkt.

One trip over each text, in time linear in its bytes. A line is copied to where it will stand if it is kept, and
looked at there.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels import c4_matching as match
from curate.kernels.c4_matching import copied, copy_without_citations, ends_with, find_phrases, has_long_word, has_words
from curate.kernels.compiled import borrowing, compiled
from curate.kernels.keyword_match import WordList, has_any, has_any_between_blanks
from curate.kernels.phrases import Phrases
from curate.kernels.rewritten import rewritten
from curate.kernels.sentences import Ends, scratch_ends, sentence_ends
from curate.kernels.sentencizer import sentencizer_ends
from curate.kernels.signals import signal_struct
from curate.kernels.strip import stripped_end, stripped_start
from curate.kernels.unicode_tables import BREAK, NEWLINE, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, char_count, code_point, utf8

LINE_RULES = ("long_word", "no_end_mark", "few_words", "javascript", "policy")
PAGE_RULES = ("lorem_ipsum", "curly_brace", "javascript")
SIGNALS = pa.struct(
    [
        pa.field("char_count", pa.int32()),  # of the text as it came
        pa.field("line_count", pa.int32()),  # lines that were not blank, before any rule
        *(pa.field(f"{rule}_lines", pa.int32()) for rule in LINE_RULES),  # removed
        pa.field("citation_marks", pa.int32()),  # removed
        *(pa.field(rule, pa.bool_()) for rule in PAGE_RULES),
        pa.field("bad_word", pa.bool_()),
        pa.field("sentence_count", pa.int32()),  # of the text that is left
    ]
)
_COLUMNS = (
    "char_count",
    "line_count",
    *(f"{rule}_lines" for rule in LINE_RULES),
    "citation_marks",
    *PAGE_RULES,
    "sentence_count",
)
(_CHARS, _LINES, _LONG_WORD, _NO_END_MARK, _FEW_WORDS, _JAVASCRIPT_LINE, _POLICY_LINE, _MARKS) = range(8)
(_LOREM_IPSUM, _CURLY_BRACE, _JAVASCRIPT, _SENTENCES) = range(8, 12)

Counts = NDArray[np.int64]
WhiteSpace = Literal["lines", "cleaned_lines", "text", "none"]
Unit = Literal["lines", "sentences"]
SentenceRule = Literal["marks", "sentencizer"]
_OF_LINES, _OF_CLEANED_LINES, _OF_TEXT, _OF_NOTHING = range(4)
_NEWLINE, _BLANK, _STOP = 10, 32, 46


class C4Rules(NamedTuple):
    """Which rules are on. The defaults are Google's; a rule is off at None, False or an empty tuple.

    Where white space is stripped: "lines", of each line before its citation marks go, and of the text at last;
    "cleaned_lines", of each line after that too, so that "as shown. [1]" ends in its full stop; "text", of the text
    alone; "none": a line that stays keeps its white space and the break after it.
    """

    unit: Unit = "lines"  # what is kept or removed
    all_breaks: bool = True  # a line ends wherever it does for str.splitlines; else at "\n" alone
    strip: WhiteSpace = "lines"
    keep_empty_lines: bool = False
    max_word_chars: int | None = 1000
    remove_citations: bool = True
    end_marks: tuple[str, ...] = (".", "?", "!", '"')
    ellipsis_ends_line: bool = False  # else "..." is no end mark
    min_words_per_line: int | None = 5
    words_before_citations: bool = False  # words are counted before citation marks are removed
    remove_javascript: bool = True
    remove_policy: bool = True
    whole_text: bool = False  # page rules look at the text as it came
    javascript_word: bool = False  # the page rule asks for "javascript" between white space
    sentence_rule: SentenceRule = "marks"


class _Rules(NamedTuple):
    """The same as kernels take it, in numbers: what is off is out of reach."""

    table: CharTable
    phrases: Phrases
    by_sentence: bool
    sentencizer: bool
    breaks: int
    strip: int
    keep_empty: bool
    max_word_chars: int
    remove_citations: bool
    end_marks: Bytes
    end_mark_ends: Offsets
    ellipsis_ends_line: bool
    min_words: int
    words_before: bool
    removing: int  # bits of c4_matching
    whole_text: bool
    javascript: int  # bit


def clean_lines(
    texts: pa.Array,
    rules: C4Rules,
    bad_words: WordList | None = None,
    inside_words: bool = False,
    between_blanks: bool = False,
) -> tuple[pa.StringArray, pa.StructArray]:
    """The lines that stay, joined by "\n" (sentences by a space), and `SIGNALS`. Null text: null text and fields.

    A text that loses every line becomes "". Bad words are looked for in what is left, or in the text as it came where
    the rules say so: see `keyword_match.has_any` and `has_any_between_blanks`.
    """
    data, offsets = utf8(texts)
    # Sentences may follow one another without white space: joined by a space they can become longer.
    size = int(offsets[-1] - offsets[0]) * (2 if rules.unit == "sentences" else 1)
    out, out_ends = np.empty(size + 1, np.uint8), np.zeros(len(offsets), np.int64)
    found: Counts = np.zeros((len(texts), len(_COLUMNS)), np.int64)
    _clean_all(data, offsets, _numbers(rules), scratch_ends(offsets), out, out_ends, found)
    cleaned = rewritten(texts, out[: out_ends[-1]].copy(), out_ends)
    values: dict[str, object] = dict(zip(_COLUMNS, found.T, strict=True))
    values |= {rule: found[:, _COLUMNS.index(rule)] > 0 for rule in PAGE_RULES}
    values["bad_word"] = np.zeros(len(texts), np.bool_)
    if bad_words is not None:
        searched = texts if rules.whole_text else cleaned
        if between_blanks:
            held = has_any_between_blanks(searched, bad_words)
        else:
            held = has_any(searched, bad_words, inside_words)
        values["bad_word"] = np.asarray(held.fill_null(False))
    return cleaned, signal_struct(SIGNALS, values, texts)


def _numbers(rules: C4Rules) -> _Rules:
    marks = [mark.encode() for mark in rules.end_marks if mark]
    never = np.iinfo(np.int64).max
    return _Rules(
        table=char_table(),
        phrases=match.PHRASES,
        by_sentence=rules.unit == "sentences",
        sentencizer=rules.sentence_rule == "sentencizer",
        breaks=BREAK if rules.all_breaks else NEWLINE,
        strip=get_args(WhiteSpace).index(rules.strip),
        keep_empty=rules.keep_empty_lines,
        max_word_chars=never if rules.max_word_chars is None else rules.max_word_chars,
        remove_citations=rules.remove_citations,
        end_marks=np.frombuffer(b"".join(marks), np.uint8),
        end_mark_ends=np.cumsum([0, *map(len, marks)], dtype=np.int64),
        ellipsis_ends_line=rules.ellipsis_ends_line,
        min_words=rules.min_words_per_line or 0,
        words_before=rules.words_before_citations,
        removing=match.JAVASCRIPT * rules.remove_javascript | match.POLICY * rules.remove_policy,
        whole_text=rules.whole_text,
        javascript=match.JAVASCRIPT_WORD if rules.javascript_word else match.JAVASCRIPT,
    )


@compiled
def _clean_all(
    data: Bytes, offsets: Offsets, rules: _Rules, ends: Ends, out: Bytes, out_ends: Offsets, found: Counts
) -> None:
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        out_ends[row + 1] = _clean(text, rules, ends, out, out_ends[row], found[row])


@borrowing
def _clean(text: Bytes, rules: _Rules, ends: Ends, out: Bytes, begin: Int, found: Counts) -> Int:
    """Write what stays of a text to `out[begin:]` and what was found to `found`; where the text ends in `out`."""
    found[_CHARS] = char_count(text)
    if rules.whole_text:
        _mark_page(find_phrases(text, 0, text.size, rules.table, rules.phrases), rules, found)
    if rules.by_sentence:
        num = _sentences(text, 0, text.size, rules, ends)
    at, start, number = begin, 0, 0
    while start < text.size:
        if not rules.by_sentence:
            end, past = _line_end(text, start, rules.breaks)
        elif number < num:
            end = past = ends[number]
            number += 1
        else:
            break  # what is left is white space
        at = _take(text, start, end, past, rules, ends, out, begin, at, found)
        start = past
    return at if rules.strip == _OF_NOTHING else stripped_end(out, begin, at, rules.table)


@borrowing
def _sentences(text: Bytes, start: Int, end: Int, rules: _Rules, ends: Ends) -> Int:
    if rules.sentencizer:
        return sentencizer_ends(text, start, end, rules.table, ends)
    return sentence_ends(text, start, end, rules.table, ends)


@borrowing
def _line_end(text: Bytes, start: Int, breaks: Int) -> tuple[Int, Int]:
    """Where a line ends, and where the next one begins. With `BREAK` as `str.splitlines` has it."""
    for at in range(start, text.size):
        byte = text[at]
        if byte > 30 and byte != 0xC2 and byte != 0xE2:
            continue  # most bytes
        if byte == 10 or (breaks == BREAK and (10 < byte < 14 or 27 < byte < 31)):
            return at, at + 2 if byte == 13 and at + 1 < text.size and text[at + 1] == 10 else at + 1
        if breaks == BREAK and (byte == 0xC2 or byte == 0xE2):
            point, width = code_point(text, at, text.size)
            if point == 0x85 or point == 0x2028 or point == 0x2029:
                return at, at + width
    return text.size, text.size


@borrowing
def _take(
    text: Bytes,
    start: Int,
    end: Int,
    past: Int,
    rules: _Rules,
    ends: Ends,
    out: Bytes,
    begin: Int,
    at: Int,
    found: Counts,
) -> Int:
    """Copy the line `text[start:end]` to where it will stand after `out[begin:at]`, and judge it there.

    Where `out` ends then: after the line where it is kept, else at `at`.
    """
    table = rules.table
    first = stripped_start(text, start, end, table)
    if first == end:
        return _put_empty(text, end, past, rules, out, begin, at) if start == end else at
    last = stripped_end(text, first, end, table)
    found[_LINES] += 1
    if rules.strip == _OF_LINES or rules.strip == _OF_CLEANED_LINES:
        start, end = first, last
    if end - start > rules.max_word_chars and has_long_word(text, start, end, table, rules.max_word_chars):
        found[_LONG_WORD] += 1
        return at
    into = at + (at > begin and rules.strip != _OF_NOTHING)  # a separator stands before it
    stop, marks = into + end - start, 0
    if rules.remove_citations:
        stop, marks = copy_without_citations(text, start, end, table, out, into)
        found[_MARKS] += marks
    else:
        copied(text, start, end, out, into)
    last_out = stop - (end - last)
    if marks or at == begin:
        empty = stop == into
        stop = _stripped(out, into, stop, rules, at == begin)
        last_out = stripped_end(out, into, stop, table)
        if last_out == into:
            return _put_empty(text, end, past, rules, out, begin, at) if empty else at
    if not _judged(text, start, end, rules, ends, out, into, stop, last_out, marks, found):
        return at
    if rules.strip == _OF_NOTHING:
        return copied(text, end, past, out, stop)
    if into > at:
        out[at] = _BLANK if rules.by_sentence else _NEWLINE
    return stop


@borrowing
def _put_empty(text: Bytes, end: Int, past: Int, rules: _Rules, out: Bytes, begin: Int, at: Int) -> Int:
    """Keep a line without any character, where such are kept; where `out` ends then."""
    if not rules.keep_empty:
        return at
    if rules.strip == _OF_NOTHING:
        return copied(text, end, past, out, at)
    out[at] = _NEWLINE
    return at + (at > begin)  # none begins a text that is stripped


@borrowing
def _stripped(out: Bytes, start: Int, end: Int, rules: _Rules, is_first: Bool) -> Int:
    """Move a line to where it begins without white space, if it is to have none there; where it ends then."""
    if rules.strip == _OF_CLEANED_LINES:
        end = stripped_end(out, start, end, rules.table)
    if rules.strip == _OF_CLEANED_LINES or (is_first and rules.strip != _OF_NOTHING):
        skip = stripped_start(out, start, end, rules.table) - start
        if skip:
            for i in range(start, end - skip):
                out[i] = out[i + skip]
            end -= skip
    return end


@borrowing
def _judged(
    text: Bytes,
    start: Int,
    end: Int,
    rules: _Rules,
    ends: Ends,
    out: Bytes,
    into: Int,
    stop: Int,
    last: Int,
    marks: Int,
    found: Counts,
) -> Bool:
    """Count the first rule that the line breaks, or its sentences; True where it stays. The line is `out[into:stop]`,
    to `last` without white space; it was `text[start:end]` with its citation marks.
    """
    table, line_end = rules.table, stop if rules.strip == _OF_LINES else last
    if rules.end_mark_ends.size > 1:
        ellipsis = line_end - into > 2 and out[line_end - 1] == out[line_end - 2] == out[line_end - 3] == _STOP
        marked = ends_with(out, into, line_end, rules.end_marks, rules.end_mark_ends)
        if not marked or (ellipsis and not rules.ellipsis_ends_line):
            found[_NO_END_MARK] += 1
            return False
    if rules.words_before and marks:
        enough = has_words(text, start, end, table, rules.min_words)
    else:
        enough = has_words(out, into, stop, table, rules.min_words)
    if not enough:
        found[_FEW_WORDS] += 1
        return False
    hits = find_phrases(out, into, stop, table, rules.phrases)
    removing = hits & rules.removing
    if not rules.whole_text:  # a line that goes for its "javascript" was not looked at for a brace
        _mark_page(hits & ~match.CURLY_BRACE if removing & match.JAVASCRIPT else hits, rules, found)
    if removing:
        found[_JAVASCRIPT_LINE if removing & match.JAVASCRIPT else _POLICY_LINE] += 1
        return False
    found[_SENTENCES] += 1 if rules.by_sentence else _sentences(out, into, stop, rules, ends)
    return True


@borrowing
def _mark_page(hits: Int, rules: _Rules, found: Counts) -> None:
    found[_LOREM_IPSUM] += hits & match.LOREM_IPSUM != 0
    found[_CURLY_BRACE] += hits & match.CURLY_BRACE != 0
    found[_JAVASCRIPT] += hits & rules.javascript != 0
