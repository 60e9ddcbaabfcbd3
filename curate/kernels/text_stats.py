"""Word and line statistics behind the Gopher quality rules and FineWeb's own rules.

Sources: Rae et al. 2021 (Gopher), A1.1; Penedo et al. 2024 (FineWeb), section 3.6. What a word and a line are is said
in `curate.kernels.segments`. Whatever is asked of a word is asked once for each different word of a slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.kernels.repetition import duplicate_char_frac
from curate.kernels.segments import Bools, Ints, Segments, by_chunks, share, signal_struct, split_lines, split_words

WORD_SIGNALS = pa.struct(
    [
        pa.field("word_count", pa.int32()),
        pa.field("mean_word_length", pa.float64()),
        pa.field("hash_symbol_frac", pa.float64()),
        pa.field("ellipsis_symbol_frac", pa.float64()),
        pa.field("bullet_line_frac", pa.float64()),
        pa.field("ellipsis_line_frac", pa.float64()),
        pa.field("alphabetic_word_frac", pa.float64()),
        pa.field("stop_word_count", pa.int32()),
    ]
)
LINE_SIGNALS = pa.struct(
    [
        pa.field("line_punct_frac", pa.float64()),
        pa.field("short_line_frac", pa.float64()),
        pa.field("dup_line_char_frac", pa.float64()),
        pa.field("newline_word_ratio", pa.float64()),
    ]
)


def word_stats(texts: pa.StringArray, *, stop_words: Sequence[str], bullets: str) -> pa.StructArray:
    """`WORD_SIGNALS` of each text. Null text: null fields; no words: 0 everywhere.

    A text of more than `segments.MAX_CHARS` characters is measured by its first so many, its `word_count` too.

    - `mean_word_length`: characters for each word, punctuation that sticks to it included.
    - `hash_symbol_frac`: "#" for each word; `ellipsis_symbol_frac`: "..." (three at a time) and "…" for each word. They
      are ratios and may pass 1.
    - `bullet_line_frac`, `ellipsis_line_frac`: lines that begin with one of `bullets`; lines that end in an ellipsis.
    - `alphabetic_word_frac`: words with at least one letter (Unicode category L).
    - `stop_word_count`: how many different `stop_words` occur, compared in lower case, punctuation around a word
      taken off.
    """
    return by_chunks(texts, lambda part: _word_stats(part, stop_words, bullets), WORD_SIGNALS)


def line_stats(texts: pa.StringArray, *, end_marks: str, max_short_line_chars: int) -> pa.StructArray:
    """`LINE_SIGNALS` of each text. Null text: null fields; no lines: 0 everywhere.

    A text of more than `segments.MAX_CHARS` characters is measured by its first so many.

    - `line_punct_frac`: lines whose last character is one of `end_marks`.
    - `short_line_frac`: lines of at most `max_short_line_chars` characters.
    - `dup_line_char_frac`: characters of lines that occurred before, of the characters of all lines.
    - `newline_word_ratio`: "\\n" for each word, those of blank lines included; a text without words counts as one word.
    """
    return by_chunks(texts, lambda part: _line_stats(part, end_marks, max_short_line_chars), LINE_SIGNALS)


def _word_stats(texts: pa.StringArray, stop_words: Sequence[str], bullets: str) -> pa.StructArray:
    words, lines = split_words(texts), split_lines(texts)
    encoded = words.values.dictionary_encode()
    different, which = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
    lengths = np.asarray(pc.utf8_length(different), dtype=np.int64)[which]
    alphabetic = np.asarray(pc.match_substring_regex(different, r"\pL"), dtype=np.bool_)[which]
    num_words = words.count()
    bulleted = _count_of(lines, pc.utf8_slice_codeunits(lines.values, 0, 1), bullets)
    ellipses = pc.add(pc.count_substring(texts, "..."), pc.count_substring(texts, "…"))
    signals = {
        "word_count": num_words,
        "mean_word_length": share(words.total(lengths), num_words),
        "hash_symbol_frac": share(_counts(pc.count_substring(texts, "#")), num_words),
        "ellipsis_symbol_frac": share(_counts(ellipses), num_words),
        "bullet_line_frac": share(bulleted, lines.count()),
        "ellipsis_line_frac": share(lines.count(ends_with(lines.values, ("...", "…"))), lines.count()),
        "alphabetic_word_frac": share(words.count(alphabetic), num_words),
        "stop_word_count": _stop_word_count(words, different, which, stop_words),
    }
    return signal_struct(WORD_SIGNALS, signals, texts)


def _line_stats(texts: pa.StringArray, end_marks: str, max_short_line_chars: int) -> pa.StructArray:
    lines = split_lines(texts)
    num_lines = lines.count()
    _, dup_chars, all_chars = duplicate_char_frac(lines)
    newlines = _counts(pc.count_substring(texts, "\n"))
    signals = {
        "line_punct_frac": share(_count_of(lines, pc.utf8_slice_codeunits(lines.values, -1), end_marks), num_lines),
        "short_line_frac": share(lines.count(lines.lengths() <= max_short_line_chars), num_lines),
        "dup_line_char_frac": share(dup_chars, all_chars),
        "newline_word_ratio": share(newlines, split_words(texts).count()),
    }
    return signal_struct(LINE_SIGNALS, signals, texts)


def ends_with(values: pa.StringArray, endings: Sequence[str]) -> Bools:
    """True where a value ends with one of `endings`: bool[len(values)]."""
    found = np.zeros(len(values), dtype=np.bool_)
    for ending in endings:
        found |= np.asarray(pc.ends_with(values, ending), dtype=np.bool_)
    return found


def _count_of(lines: Segments, characters: pa.StringArray, wanted: str) -> Ints:
    """Lines of each row whose character is one of `wanted`."""
    return lines.count(np.asarray(pc.is_in(characters, value_set=pa.array(list(wanted), pa.string())), dtype=np.bool_))


def _counts(array: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(array, 0), dtype=np.int64)


def _stop_word_count(words: Segments, different: pa.StringArray, which: Ints, stop_words: Sequence[str]) -> Ints:
    """Different stop words of each row. The bare form is looked up for each different word only."""
    bare = pc.utf8_lower(pc.replace_substring_regex(different, r"^[^\pL\pN]+|[^\pL\pN]+$", ""))
    found = pc.index_in(bare, value_set=pa.array(list(dict.fromkeys(stop_words)), pa.string()))
    number = np.asarray(pc.fill_null(found, -1), dtype=np.int64)[which]
    seen = np.zeros((words.num_rows, len(stop_words)), dtype=np.bool_)
    hit = number >= 0
    seen[words.rows[hit], number[hit]] = True
    return np.asarray(seen.sum(axis=1, dtype=np.int64))
