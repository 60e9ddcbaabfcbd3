"""What a stage is.

A stage is a frozen pydantic model: its settings are the fields, its behaviour is pure functions over them. There are
two kinds. A **document stage** sees one `pyarrow.RecordBatch` and has never heard of Spark:

- an `Annotator` measures: `annotate(batch) -> signals`;
- a `Filter` is an annotator with `limits`; the drop reasons are generated from them;
- a `Modifier` changes columns and says what it changed: `modify(batch) -> Modified`. It may have limits too.

A **corpus stage** needs all documents at once: `apply(documents, context) -> verdicts`, relations in, relation out.

Measuring and deciding are apart: signals are stored in a struct column named after the stage, a limit is a comparison
over stored signals, so a bound can move without reading the text again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

Op = Literal["at_least", "at_most", "one_of", "absent"]


class Limit(NamedTuple):
    """A bound that a kept document satisfies. A null signal satisfies any: what was not measured is not judged.

    With `group`, which names a signal, `value` maps what that signal is to the bound; without a bound all is kept.
    """

    signal: str
    op: Op
    value: Any
    group: str | None = None

    @property
    def reason(self) -> str:
        """The drop reason: `word_count_below_min`, `dup_line_frac_above_max`, `language_not_listed`, `lorem_ipsum`."""
        suffix = {"at_least": "_below_min", "at_most": "_above_max", "one_of": "_not_listed", "absent": ""}
        return self.signal + suffix[self.op]

    def broken_by(self, signals: pa.StructArray) -> pa.BooleanArray:
        """True where the signal breaks the bound: bool[len(signals)], never null. The bound itself is inside.

        A NaN breaks `at_least` and `at_most`: it is no number within any bound.
        """
        values = pc.struct_field(signals, self.signal)
        if self.op in ("at_least", "at_most"):
            # The bound in the signal's own precision: 0.3 as float32 is more than 0.3, and would break `at_most`.
            precision = values.type if pa.types.is_floating(values.type) else None
            bound = pa.scalar(self.value, precision) if self.group is None else self.bounds(signals, precision)
            inside = pc.greater_equal if self.op == "at_least" else pc.less_equal
            broken = pc.invert(inside(values, bound))
        elif self.op == "one_of":
            broken = pc.invert(pc.is_in(values, value_set=pa.array(list(self.value), values.type)))
            broken = pc.and_(broken, pc.is_valid(values))
        else:
            broken = values
        return pc.fill_null(broken, False)

    def bounds(self, signals: pa.StructArray, type_: pa.DataType | None = None) -> pa.Array:
        """The bound of each row by its group; null where its group has none."""
        groups = pc.struct_field(signals, self.group)
        number = pc.index_in(groups, value_set=pa.array(list(self.value), groups.type))
        return pa.array(list(self.value.values()), type_).take(number)


def at_least(signal: str, value: float | Mapping[str, float], group: str | None = None) -> Limit:
    """Keep `signal >= value`."""
    return Limit(signal, "at_least", value, group)


def at_most(signal: str, value: float | Mapping[str, float], group: str | None = None) -> Limit:
    """Keep `signal <= value`."""
    return Limit(signal, "at_most", value, group)


def one_of(signal: str, values: Sequence[str]) -> Limit:
    """Keep a signal that is one of `values`."""
    return Limit(signal, "one_of", tuple(values))


def absent(signal: str) -> Limit:
    """Keep where a boolean signal is false; the signal's own name is the reason."""
    return Limit(signal, "absent", False)


class Modified(NamedTuple):
    """What a modifier did to a batch."""

    columns: Mapping[str, pa.Array]  # replaced columns, each as long as the batch, of the document's own types
    signals: pa.StructArray  # what was changed, one struct per row


class Stage(BaseModel):
    """Settings of a stage, frozen; an unknown setting is an error. Its behaviour is in one of the classes below."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    #: Columns that must be there. Another stage's signals are required by that stage's name, one of them as
    #: `stage.signal`. Where the settings decide, a property of the same name.
    requires: ClassVar[tuple[str, ...]] = ("text",)
    #: Document columns that a stage replaces.
    writes: ClassVar[tuple[str, ...]] = ()
    #: Raise it when the code changes what the same settings give: it is part of the fingerprint.
    version: ClassVar[int] = 1

    @property
    def signals(self) -> pa.StructType:
        """The Arrow type of the signals column. Given, never inferred, so that an empty batch has it too."""
        raise NotImplementedError

    @property
    def named_sources(self) -> tuple[str, ...]:
        """Sources that the settings name: the recipe must have them."""
        return ()

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the settings name: lists, models. Their content is part of the fingerprint, like the settings."""
        return ()


class DocumentStage(Stage):
    """A stage that looks at each document alone. Rows come out as many as went in, in the same order.

    A struct field named `error` is special: where it is not null the document is dropped with reason `error_<value>`.
    """

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The bounds, in the order in which the first broken one names the reason."""
        return ()


class Annotator(DocumentStage):
    """Measures. With limits it is a filter."""

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of each row, of type `self.signals`."""
        raise NotImplementedError


class Filter(Annotator):
    """An annotator that has limits."""


class Modifier(DocumentStage):
    """Replaces columns (those in `writes`) and says what it changed."""

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """New values for `writes`, and signals of type `self.signals`."""
        raise NotImplementedError


class CorpusStage(Stage):
    """A stage over all documents, built of small functions `DataFrame -> DataFrame`.

    `documents` gives the columns of `requires` and `node`, a document's key, unique even where ids repeat. The verdicts
    that come back have `node`, `drop_reason` (null: keep) and the fields of `signals`, one row at most for each
    document; a document without a row is kept with null signals. So no text moves for a decision: the next pass reads
    its parts and drops what has a verdict.

    A stage that takes passages out has a signal `cuts`, list<struct<start: int64, end: int64>>: UTF-8 byte offsets into
    the text, ascending, disjoint, none empty. The next pass takes them out of the documents that are kept.
    """

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """Verdicts: node long, drop_reason string, and the signals as flat columns."""
        raise NotImplementedError
