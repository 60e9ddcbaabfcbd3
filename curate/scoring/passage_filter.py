"""Apply any filter to each sentence, paragraph or line, and take out those that break its limits.

Dolma takes out sentences that a fastText model finds toxic or obscene with 0.4 or more (Soldaini et al. 2024; its
configs/dolma-v1_5), Baichuan 2 has a sentence-wise quality filter (Yang et al. 2023, section 2.1). What a sentence, a
paragraph and a line are is said in `curate.kernels.passages`; white space around what goes is closed as there.

It refuses filters that change text or that need the whole corpus. A passage that the filter does not measure stays.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, field_validator

from curate.errors import RecipeError
from curate.filters.bounds import within
from curate.kernels.cuts import CUTS, cut
from curate.kernels.passage_cuts import ALL_CHARS, DUPLICATE_CHARS, DUPLICATES, PASSAGES, cuts, marked, marks_of
from curate.kernels.passage_texts import passage_texts
from curate.kernels.passages import Passages, Unit, passages
from curate.kernels.signals import signal_struct
from curate.recipe import build, split_named
from curate.registry import stage_class
from curate.stage import Annotator, Limit, Modified, Modifier

#: Passages that are measured at a time.
MAX_UNITS = 1 << 16
_WHERE = "passage_filter"

Numbers = NDArray[np.int64]


class PassageFilter(Modifier):
    """Take out the passages that break a limit of `stage`, and drop a document that loses too much by it.

    To the filter each passage is a document: its id is the document's with "-" and the passage's number, so that draws
    differ, and it has the document's language and whatever else the filter requires.
    """

    writes: ClassVar[tuple[str, ...]] = ("text",)

    unit: Unit = "sentence"
    stage: dict[str, Any]  # one filter with its settings, as in a recipe: {fasttext_score: {model_path: …, …}}
    max_removed_char_frac: float | None = Field(None, ge=0, le=1)  # of the passages' characters; drops the document
    min_kept_chars: int | None = Field(1, ge=0)  # of the passages that are left; drops the document

    _filter: Annotator = PrivateAttr()

    @field_validator("stage", mode="before")
    @classmethod
    def _resolved(cls, value: Any) -> dict[str, Any]:
        """The stage with every setting written out."""
        name, stage = _built(value)
        return {name: stage.model_dump(mode="json")}

    def model_post_init(self, context: Any) -> None:
        self._filter = _built(self.stage)[1]

    @property
    def version(self) -> int:  # type: ignore[override]  # what the inner filter gives is part of what this one gives
        """Of this stage and the filter within it."""
        return 1000 + self._filter.version

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the filter says which
        """What the filter requires."""
        return tuple(dict.fromkeys(("text", *self._filter.requires)))

    @property
    def files(self) -> tuple[str, ...]:
        """The filter's files."""
        return self._filter.files

    @property
    def signals(self) -> pa.StructType:
        """Counts of passages, and for each limit of the filter how many broke it first and the worst number met.

        The worst of `at_most` is `max_<signal>`, of `at_least` `min_<signal>`: over all passages, those that went too,
        so that one sees what another bound would do. Null where nothing was measured, as all are of a null text.
        """
        return pa.struct(
            [
                pa.field("unit_count", pa.int64()),  # of the text as it came
                pa.field("removed_count", pa.int64()),
                *(pa.field(f"{reason}_count", pa.int64()) for reason in self._reasons()),
                *(pa.field(name, pa.float64()) for name in self._worst()),
                pa.field("kept_chars", pa.int64()),  # of the passages that are left, not of what lies between them
                pa.field("removed_char_frac", pa.float64()),  # 0 where there is no passage
            ]
        )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("kept_chars", low=self.min_kept_chars),
            *within("removed_char_frac", high=self.max_removed_char_frac),
        )

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `signals`."""
        texts = batch.column("text")
        found = passages(texts, self.unit, "none")
        rows = np.repeat(np.arange(len(texts)), np.diff(found.first))
        broken = np.full(len(rows), -1)  # number of the limit that each passage breaks first
        worst = {name: np.full(len(texts), np.nan) for name in self._worst()}
        for first in range(0, len(rows), MAX_UNITS):
            part = slice(first, first + MAX_UNITS)
            signals = self._filter.annotate(self._units(batch, found, rows, part))
            broken[part] = _first_broken(self._filter.limits, signals)
            for name, limit in self._worst().items():
                _note_worst(limit, signals, rows[part], worst[name])
        text, counts = _without(texts, found, broken >= 0)
        fields = {"unit_count": counts[:, PASSAGES], "removed_count": counts[:, DUPLICATES], **worst}
        reasons = np.array([self._reasons().index(limit.reason) for limit in self._filter.limits])
        for number, reason in enumerate(self._reasons()):
            gone = rows[(broken >= 0) & (reasons[broken] == number)]
            fields[f"{reason}_count"] = np.bincount(gone, minlength=len(texts))
        fields["kept_chars"] = counts[:, ALL_CHARS] - counts[:, DUPLICATE_CHARS]
        fields["removed_char_frac"] = counts[:, DUPLICATE_CHARS] / np.maximum(counts[:, ALL_CHARS], 1)
        return Modified({"text": text}, signal_struct(self.signals, fields, texts))

    def _units(self, batch: pa.RecordBatch, found: Passages, rows: Numbers, part: slice) -> pa.RecordBatch:
        """Passages as documents, with the columns that the filter may look at."""
        of = pa.array(rows[part])
        columns = {"text": passage_texts(batch.column("text"), found, rows, *part.indices(len(rows))[:2])}
        if "doc_id" in batch.schema.names:
            numbers = pa.array(np.arange(len(rows))[part] - found.first[rows[part]]).cast(pa.string())
            columns["doc_id"] = pc.binary_join_element_wise(batch.column("doc_id").take(of), numbers, "-")
        for required in ("language", *self._filter.requires):
            name = required.partition(".")[0]
            if name not in columns and name in batch.schema.names:
                columns[name] = batch.column(name).take(of)
        return pa.record_batch(columns)

    def _reasons(self) -> list[str]:
        return list(dict.fromkeys(limit.reason for limit in self._filter.limits))

    def _worst(self) -> dict[str, Limit]:
        """The signals of the worst numbers, each with the limit that it is of."""
        ends = {"at_most": "max", "at_least": "min"}
        return {f"{ends[limit.op]}_{limit.signal}": limit for limit in self._filter.limits if limit.op in ends}


def _built(value: Any) -> tuple[str, Annotator]:
    """The name and the filter of `{name: settings}`. RecipeError as for a stage of a recipe."""
    name, settings, _ = split_named(value, set(), "stage")
    found = build(stage_class(name), settings, f"{_WHERE}, stage {name}")
    if not isinstance(found, Annotator):
        raise RecipeError(f"{_WHERE} applies a filter to passages; {name} changes text or needs all documents at once")
    if not found.limits:
        raise RecipeError(f"{_WHERE}: {name} has no limit with these settings, so it would take nothing out. Set one")
    return name, found


def _first_broken(limits: tuple[Limit, ...], signals: pa.StructArray) -> Numbers:
    """The number of the first limit that each passage breaks, -1 where it breaks none."""
    first = np.full(len(signals), -1)
    for number, limit in reversed(list(enumerate(limits))):
        first[limit.broken_by(signals).to_numpy(zero_copy_only=False)] = number
    return first


def _note_worst(limit: Limit, signals: pa.StructArray, rows: Numbers, worst: NDArray[np.float64]) -> None:
    """Take the measured numbers into the worst of each text."""
    values = pc.struct_field(signals, limit.signal).cast(pa.float64()).to_numpy(zero_copy_only=False)
    (np.fmax if limit.op == "at_most" else np.fmin).at(worst, rows, values)


def _without(texts: pa.StringArray, found: Passages, goes: NDArray[np.bool_]) -> tuple[pa.StringArray, Numbers]:
    """The texts without the passages that go, and the counts of `passage_cuts.Cuts`."""
    rows = np.repeat(np.arange(len(texts)), np.diff(found.first))[goes]
    marks = marked(rows, np.flatnonzero(goes) - found.first[rows], np.zeros(len(rows), np.bool_))
    made = cuts(found.first, found.spans, marks, marks_of(marks, np.arange(len(texts))), 1)
    spans = pa.StructArray.from_arrays([pa.array(made.starts), pa.array(made.ends)], fields=list(CUTS.value_type))
    left = cut(texts, pa.ListArray.from_arrays(pa.array(made.first.astype(np.int32)), spans))
    count, gone = made.counts[:, PASSAGES], made.counts[:, DUPLICATES]
    nothing = pa.array((count > 0) & (count == gone))  # of such a text nothing is cut, because nothing could stay
    return pc.if_else(pc.and_(nothing, pc.is_valid(texts)), "", left), made.counts
