"""Texts cut into words, lines and paragraphs for a whole batch at once, and per-document sums back.

Every kernel of the quality rules works on flat arrays of segments beside the row each one came from, so no rule loops
over documents and none costs more than linear time, whatever a text holds.

What the words mean here, for all rules: **whitespace** is Unicode white space as `str.isspace` has it; a **word** is a
maximal run of anything else, so punctuation stays attached and case is kept (the Gopher paper does not say; DCLM does
the same, datatrove asks spaCy or NLTK); a **line** ends at "\\n" alone and is stripped of white space; a **blank** line
is no line; a **paragraph** is a maximal run of lines without a blank one between. **Characters** are code points.
Scripts written without spaces have lines and paragraphs but no words in this sense: recipes restrict word rules by
language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: A longer text is measured by its beginning. Where all words are one letter long n-grams cost some 80 bytes of memory
#: for each character (measured), so this keeps a hostile text below 0.4 GB; long novels have 2 or 3 million characters.
MAX_CHARS = 4 << 20
#: Text that is cut up at a time, for the same reason.
MAX_CHUNK_BYTES = MAX_CHARS


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of a batch in reading order. `rows[i]`, ascending, is the row that `values[i]` came from."""

    values: pa.StringArray
    rows: Ints
    num_rows: int

    def keep(self, mask: Bools) -> Segments:
        """The segments where `mask` is true."""
        return Segments(self.values.filter(pa.array(mask)), self.rows[mask], self.num_rows)

    def count(self, mask: Bools | None = None) -> Ints:
        """Segments of each row (those where `mask` is true): int64[num_rows]."""
        rows = self.rows if mask is None else self.rows[mask]
        return np.bincount(rows, minlength=self.num_rows).astype(np.int64, copy=False)

    def total(self, weights: Ints, mask: Bools | None = None) -> Ints:
        """Sum of an integer weight over the segments of each row: int64[num_rows], exact below 2**53."""
        rows = self.rows if mask is None else self.rows[mask]
        weights = weights if mask is None else weights[mask]
        return np.bincount(rows, weights=weights, minlength=self.num_rows).astype(np.int64)

    def lengths(self) -> Ints:
        """Characters of each segment: int64[len(values)]."""
        return _ints(pc.utf8_length(self.values))

    def joined(self, separator: str) -> pa.StringArray:
        """The segments of each row in one string; "" for a row that has none."""
        offsets = np.concatenate(([0], np.cumsum(self.count()))).astype(np.int32)
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), self.values), separator)


def split_words(texts: pa.StringArray) -> Segments:
    """The words of each text. Null and blank texts have none."""
    # Trimmed first: of several non-ASCII blanks at the end of a text, pyarrow 26 may leave the last with the last word.
    blanks_inside = pc.utf8_trim_whitespace(texts)
    return _without_empty(_segments(pc.utf8_split_whitespace(blanks_inside), len(texts)))


def split_lines(texts: pa.StringArray) -> Segments:
    """The stripped lines of each text that are not blank. Null and blank texts have none."""
    lines = _segments(pc.split_pattern(texts, "\n"), len(texts))
    return _without_empty(replace(lines, values=pc.utf8_trim_whitespace(lines.values)))


def split_paragraphs(texts: pa.StringArray) -> Segments:
    """The paragraphs of each text, their stripped lines joined by one "\\n"."""
    lines = _segments(pc.split_pattern(texts, "\n"), len(texts))
    values = pc.utf8_trim_whitespace(lines.values)
    filled = _bools(pc.not_equal(values, ""))
    after_filled = np.concatenate(([False], filled[:-1])) & (np.diff(lines.rows, prepend=-1) == 0)
    starts = filled & ~after_filled
    rows = lines.rows[starts]
    paragraphs = np.cumsum(starts) - 1
    kept = Segments(values.filter(pa.array(filled)), paragraphs[filled], len(rows))
    return Segments(kept.joined("\n"), rows, len(texts))


def share(part: Ints, whole: Ints) -> NDArray[np.float64]:
    """`part / whole`, 0 where both are 0. A quotient is rounded once, so 3 of 10 equals a bound of 0.3."""
    return part / np.maximum(whole, 1)


def signal_struct(type_: pa.StructType, values: Mapping[str, Any], texts: pa.Array) -> pa.StructArray:
    """One struct per text with the fields of `type_`; every field is null where the text is."""
    null = _bools(pc.is_null(texts))
    arrays = [pa.array(values[field.name], type=field.type, mask=null) for field in type_]
    return pa.StructArray.from_arrays(arrays, fields=list(type_))


def by_chunks(
    texts: pa.Array,
    measure: Callable[[pa.StringArray], pa.Array],
    type_: pa.DataType,
    *,
    max_chars: int | None = MAX_CHARS,
    max_bytes: int = MAX_CHUNK_BYTES,
) -> pa.Array:
    """`measure` over slices of bounded size, put together, so that memory does not depend on the batch.

    `measure` sees the first `max_chars` characters of a text, or all where that is None. A large_string is measured
    too. No rows give an empty array of `type_`.
    """
    if not len(texts):
        return pa.array([], type=type_)
    parts = (_beginnings(part, max_chars).cast(pa.string()) for part in _chunks(texts, max_bytes))
    return pa.concat_arrays([measure(part) for part in parts])


def _beginnings(texts: pa.Array, max_chars: int | None) -> pa.Array:
    # No text has more characters than bytes, so that most slices need no copy.
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    return texts if max_chars is None or longest <= max_chars else pc.utf8_slice_codeunits(texts, 0, max_chars)


def _chunks(texts: pa.Array, max_bytes: int) -> Iterator[pa.Array]:
    """Neighbouring rows of at most `max_bytes` of text together, or one row alone that is longer."""
    ends = np.cumsum(_ints(pc.fill_null(pc.binary_length(texts), 0)))
    start = 0
    while start < len(texts):
        limit = (ends[start - 1] if start else 0) + max_bytes
        stop = max(start + 1, int(np.searchsorted(ends, limit, side="right")))
        yield texts.slice(start, stop - start)
        start = stop


def _segments(lists: pa.ListArray, num_rows: int) -> Segments:
    return Segments(lists.flatten(), _ints(pc.list_parent_indices(lists)), num_rows)


def _without_empty(segments: Segments) -> Segments:
    filled = _bools(pc.not_equal(segments.values, ""))
    return segments if filled.all() else segments.keep(filled)


def _ints(array: pa.Array) -> Ints:
    return np.asarray(array.to_numpy(zero_copy_only=False)).astype(np.int64, copy=False)


def _bools(array: pa.Array) -> Bools:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
