"""Sample documents by the size, or the score, of the cluster that they are in: more of some, less of others.

The weight of a document is how many copies of it are wanted, and follows from one signal of an earlier stage:

- from a table, each entry of which holds from its value up (**rehydration**: after deduplication a document that had
  many copies is likelier to be wanted, one that had very many likelier to be spam. FineWeb-2: Penedo et al. 2025), or a
  table over a quality score, as Baichuan 2 has clusters "scored" and sampled by it (Yang et al. 2023, section 2.1);
- or (target / size) ** alpha, so that large clusters give way to small ones (**diversity**): with alpha 1 no cluster
  gives more than about `target` documents, with less they keep some of their lead.

A weight of 2.3 is two copies, and a third for 30 % of the documents, drawn by doc_id and seed. A document with no
copies is dropped. Copies are a signal and no rows: a mix with `copies: cluster_sample.copies` has each document come so
often in every epoch. A document whose signal is null has weight 1: what was not measured is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.document import uniform
from curate.stage import Filter, Limit, at_least

Floats = NDArray[np.float64]

#: Copies of a document by the number of documents in its MinHash cluster, from each number up: README of
#: huggingface/fineweb-2 at 7bdf8fc, "Deduplication". Later it has a table for each language, computed from how often
#: clusters of a size fail the filters (misc/rehydration/weights); such a table goes into `weights` as it is.
FINEWEB2_WEIGHTS: dict[float, float] = {1: 1, 2: 2, 3: 3, 5: 5, 100: 8, 1000: 1}

#: More copies than this of anything are an error in a table, not a wish.
MAX_WEIGHT = 1000.0

Weight = Annotated[float, Field(ge=0, le=MAX_WEIGHT, allow_inf_nan=False)]


class ClusterSample(Filter):
    """Give each document a weight by a signal, and copies by its weight; drop those with none."""

    #: Which signal, `stage.signal`. The default is what FineWeb-2's weights are meant for.
    signal: Annotated[str, Field(pattern=r"^[^.]+\.[^.]+$")] = "near_dedup.cluster_size"
    #: Value of the signal → weight from that value up. A value below the lowest has the lowest's weight.
    weights: dict[float, Weight] | None = None  # FINEWEB2_WEIGHTS where there is no `target` either
    #: Size of a cluster from which on its documents become fewer; needs no table.
    target: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    alpha: Annotated[float, Field(gt=0, le=1)] = 1.0  # of `target`: 1 evens out all of the excess
    max_weight: Weight = 1.0  # of `target`: 1 never repeats a document of a small cluster
    seed: int = 0  # other seeds draw other documents

    @model_validator(mode="after")
    def _one_rule(self) -> ClusterSample:
        if self.weights is not None and self.target is not None:
            raise ValueError("give `weights` (a table) or `target` (a size), not both")
        if self.weights is not None and not self.weights:
            raise ValueError("`weights` is empty; write for example {1: 1, 2: 2, 100: 1}")
        return self

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings say which, not the class
        """doc_id and the signal."""
        return ("doc_id", self.signal)

    @property
    def signals(self) -> pa.StructType:
        """`weight`: copies wanted, 0 or more; `copies`: copies given, never null."""
        return pa.struct([("weight", pa.float32()), ("copies", pa.int32())])

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (at_least("copies", 1),)

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `signals`."""
        weights = self._weights(_values(batch, self.signal))
        draws = [uniform(doc_id or "", self.seed, "cluster-sample") for doc_id in batch.column("doc_id").to_pylist()]
        copies = copies_of(weights, draws)
        arrays = [pa.array(weights.astype(np.float32)), pa.array(copies)]
        return pa.StructArray.from_arrays(arrays, fields=list(self.signals))

    def _weights(self, values: Floats) -> Floats:
        """The weight of each value; 1 where it is NaN."""
        if self.target is not None:
            sizes = np.maximum(np.nan_to_num(values, nan=self.target), 1.0)
            weights = np.minimum(np.power(self.target / sizes, self.alpha), self.max_weight)
        else:
            table = sorted((FINEWEB2_WEIGHTS if self.weights is None else self.weights).items())
            bounds, heights = (np.array(column, np.float64) for column in zip(*table, strict=True))
            weights = heights[np.maximum(np.searchsorted(bounds, values, side="right") - 1, 0)]
        return np.where(np.isnan(values), 1.0, weights)


def copies_of(weights: Floats, draws: Iterable[float]) -> NDArray[np.int32]:
    """The whole part of each weight, and one more where its draw in [0, 1) is below the rest: int32[num_weights].

    >>> copies_of(np.array([1.0, 2.25, 2.25, 0.0]), [0.0, 0.2, 0.25, 0.0]).tolist()
    [1, 3, 2, 0]
    """
    whole = np.floor(weights)
    return (whole + (np.array(list(draws), np.float64) < weights - whole)).astype(np.int32)


def _values(batch: pa.RecordBatch, name: str) -> Floats:
    stage, _, signal = name.partition(".")
    numbers = pc.struct_field(batch.column(stage), signal).cast(pa.float64())
    found: Floats = pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False)
    return found
