"""Words of a batch as byte positions, from a segmenter where a language has one, elsewhere between spaces or by rules.

A word never begins or ends with white space (`str.isspace`), and tokens of white space alone are dropped; otherwise the
words are the segmenter's tokens, punctuation included. A text that is not UTF-8 throughout has no characters to give to
a segmenter: its words are what stands between spaces. A text of more than `scan.MAX_BYTES` is cut up at its beginning,
which is all that the rules look at.

A library is given a text in pieces, so that memory stays within bounds and a library that takes more than linear time
takes it for one piece. A piece ends after a line break, else a space, else a full stop or comma of Chinese or Japanese,
else where it is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.rule_tokens import rule_tokens, scratch_tokens
from curate.kernels.scan import Lines, Words, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.token_rules import TokenRules
from curate.kernels.tokenizer_languages import tokenizer_rules
from curate.kernels.unicode_tables import SPACE, CharTable, char_table
from curate.kernels.utf8 import Bytes, Offsets, code_point, utf8
from curate.language.codes import language_code
from curate.words.segmenters import Segmenter, cut, segmenter_for, segmenter_named

Int32s = NDArray[np.int32]
Elsewhere = Literal["spaces", "spacy"]


class WordBounds(NamedTuple):
    """Words of a batch. Words of text i are starts/ends[offsets[i]:offsets[i + 1]], byte positions within that text
    (its own first byte is 0), in order and not overlapping. A null text has none."""

    offsets: Offsets  # int64[len(texts) + 1]
    starts: Int32s
    ends: Int32s


def word_bounds(texts: pa.StringArray, segmenter: str) -> WordBounds:
    """The words that one segmenter finds in each text.

    RecipeError for an unknown segmenter; EnvironmentProblem, naming what to install, where its library is missing.
    """
    return _word_bounds(texts, [segmenter_named(segmenter)] * len(texts))


def word_bounds_by_language(
    texts: pa.StringArray, languages: pa.StringArray, elsewhere: Elsewhere = "spaces"
) -> WordBounds:
    """The words of each text by the segmenter of its language, or as `elsewhere` says where it has none.

    languages: codes of the `language` column, one for each text. elsewhere: "spaces" (`str.split()`), or "spacy" for
    the tokens of spaCy's rules for the language, English where it is null. EnvironmentProblem, naming what to install,
    where a language of the batch has a segmenter whose library is missing.
    """
    if len(languages) != len(texts):
        raise ValueError(f"{len(texts)} texts have {len(languages)} languages; each text needs one, or null")
    codes = np.array([code or "" for code in languages.to_pylist()], dtype=object)
    groups = [np.flatnonzero(codes == code) for code in sorted(set(codes))]
    if len(groups) == 1:
        return _of_language(texts, codes[0], elsewhere)
    parts = [_of_language(texts.take(pa.array(rows)), codes[rows[0]], elsewhere) for rows in groups]
    return _merged(len(texts), groups, parts)


def _of_language(texts: pa.StringArray, code: str, elsewhere: Elsewhere) -> WordBounds:
    segmenter = segmenter_for(code)
    if segmenter is None and elsewhere == "spacy":
        return _rule_bounds(texts, code or "en")
    return _word_bounds(texts, [segmenter] * len(texts))


def _merged(num_rows: int, groups: Sequence[Offsets], parts: Sequence[WordBounds]) -> WordBounds:
    """The bounds of all rows, from those of groups of rows."""
    counts = np.zeros(num_rows, np.int64)
    for rows, part in zip(groups, parts, strict=True):
        counts[rows] = np.diff(part.offsets)
    of_row = [np.repeat(rows, np.diff(part.offsets)) for rows, part in zip(groups, parts, strict=True)]
    order = np.argsort(np.concatenate([np.zeros(0, np.int64), *of_row]), kind="stable")
    starts, ends = (
        np.concatenate([np.zeros(0, np.int32), *(part[field] for part in parts)])[order] for field in (1, 2)
    )
    return WordBounds(np.concatenate(([0], np.cumsum(counts))), starts, ends)


def _rule_bounds(texts: pa.StringArray, language: str) -> WordBounds:
    data, offsets = utf8(texts)
    words, lines, tokens = scratch_words(offsets), scratch_lines(offsets), scratch_tokens(offsets)
    rules = tokenizer_rules(language_code(language))
    return WordBounds(*_rule_rows(data, offsets, char_table(), rules, words, lines, tokens))


@compiled
def _rule_rows(
    data: Bytes, offsets: Offsets, table: CharTable, rules: TokenRules, words: Words, lines: Lines, tokens: Words
) -> tuple[Offsets, Int32s, Int32s]:
    num_rows = offsets.size - 1
    found = np.zeros(num_rows + 1, np.int64)
    # At most a token for each byte; memory is taken only for those that are.
    starts, ends = np.empty(offsets[-1] - offsets[0], np.int32), np.empty(offsets[-1] - offsets[0], np.int32)
    for row in range(num_rows):
        text = text_bytes(data, offsets, row)
        num_words, _ = scan(text, table, False, words, lines)
        num, first = rule_tokens(text, table, rules, words, num_words, tokens), found[row]
        starts[first : first + num], ends[first : first + num] = tokens.start[:num], tokens.end[:num]
        found[row + 1] = first + num
    return found, starts[: found[-1]].copy(), ends[: found[-1]].copy()


def _word_bounds(texts: pa.StringArray, segmenters: Sequence[Segmenter | None]) -> WordBounds:
    data, offsets = utf8(texts)
    tokens, spaced = [np.zeros(0, np.int32)] * len(texts), np.ones(len(texts), np.bool_)
    for row, segmenter in enumerate(segmenters):
        text = _decoded(text_bytes(data, offsets, row)) if segmenter else None
        if segmenter and text is not None:
            tokens[row], spaced[row] = _token_lengths(text, segmenter), False
    token_offsets = np.cumsum([0, *map(len, tokens)], dtype=np.int64)
    flat = np.concatenate([np.zeros(0, np.int32), *tokens])
    return WordBounds(*_bounds(data, offsets, spaced, token_offsets, flat, char_table()))


def _decoded(text: Bytes) -> str | None:
    try:
        return text.tobytes().decode()
    except UnicodeDecodeError:
        return None


def _token_lengths(text: str, segmenter: Segmenter) -> Int32s:
    """Characters of each token; together they are the text."""
    lengths_of = cut(segmenter)
    pieces = [np.array(lengths_of(piece), np.int32) for piece in _pieces(text, segmenter.max_piece_chars)]
    lengths = np.concatenate(pieces) if pieces else np.zeros(0, np.int32)
    if lengths.sum() != len(text):
        raise ValueError(f"segmenter {segmenter.name}: tokens of {lengths.sum()} characters for a text of {len(text)}")
    return lengths


def _pieces(text: str, max_chars: int) -> Iterator[str]:
    """The text in pieces of at most `max_chars`, and of at least half of that but for the last."""
    start = 0
    while len(text) - start > max_chars:
        middle, full = start + max_chars // 2, start + max_chars
        ends = (text.rfind(mark, middle, full) + 1 for mark in "\n 。、，")
        end = next((end for end in ends if end), full)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


@compiled
def _bounds(
    data: Bytes,
    offsets: Offsets,
    spaced: NDArray[np.bool_],
    token_offsets: Offsets,
    token_chars: Int32s,
    table: CharTable,
) -> tuple[Offsets, Int32s, Int32s]:
    """The fields of `WordBounds`: of the row's tokens, or between spaces where `spaced`."""
    num_rows = offsets.size - 1
    room = token_chars.size
    for row in range(num_rows):
        if spaced[row]:
            room += (text_bytes(data, offsets, row).size + 1) // 2
    found = np.zeros(num_rows + 1, np.int64)
    starts, ends = np.empty(room, np.int32), np.empty(room, np.int32)
    for row in range(num_rows):
        text = text_bytes(data, offsets, row)
        if spaced[row]:
            found[row + 1] = _between_spaces(text, table, starts, ends, found[row])
        else:
            chars = token_chars[token_offsets[row] : token_offsets[row + 1]]
            found[row + 1] = _of_tokens(text, chars, table, starts, ends, found[row])
    return found, starts[: found[-1]].copy(), ends[: found[-1]].copy()


@compiled
def _between_spaces(text: Bytes, table: CharTable, starts: Int32s, ends: Int32s, found: int) -> int:
    """Append the runs of anything but white space; how many words there are then."""
    at, inside = 0, False
    while at < text.size:
        point, width = code_point(text, at, text.size)
        if inside and _is_space(table, point):
            ends[found] = at
            found, inside = found + 1, False
        elif not inside and not _is_space(table, point):
            starts[found] = at
            inside = True
        at += width
    if inside:
        ends[found] = text.size
        found += 1
    return found


@compiled
def _of_tokens(text: Bytes, chars: Int32s, table: CharTable, starts: Int32s, ends: Int32s, found: int) -> int:
    """Append the tokens without white space at their ends, where anything is left; how many words there are then."""
    at = 0
    for token in range(chars.size):
        start = end = -1
        for _ in range(chars[token]):
            point, width = code_point(text, at, text.size)
            if not _is_space(table, point):
                start = at if start < 0 else start
                end = at + width
            at += width
        if start >= 0:
            starts[found], ends[found] = start, end
            found += 1
    return found


@compiled
def _is_space(table: CharTable, point: int | np.int64) -> bool:
    place = np.int64(table.blocks[point >> 7]) << 7 | point & 127
    return bool(table.flags[place] & SPACE)
