"""Keep documents that resemble a reference, by the n-grams that they share (CC-Stories: Trinh and Le 2018, 5.2).

The reference is the user's own: one text a line, for CC-Stories the questions of a commonsense test. Refuses to judge a
text that was not measured: null text is kept.
"""

from __future__ import annotations

import pyarrow as pa

from curate.errors import InputError
from curate.filters.bounds import within
from curate.kernels.ngram_overlap import SIGNALS, Reference, ngram_overlap, reference_ngrams
from curate.models import load_once
from curate.stage import Filter, Limit

MAX_REFERENCE_BYTES = 64 << 20  # our choice: 4 n-grams for each byte at most fit a worker's memory


class ReferenceOverlap(Filter):
    """Keep documents of at least `min_similarity`.

    CC-Stories kept the top 0.1 % of Common Crawl; `curate thresholds --low 99.9` finds what that is for a sample. None,
    the default, measures only: what is similar depends on the reference.
    """

    reference_path: str  # one text a line, UTF-8
    min_similarity: float | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The reference."""
        return (self.reference_path,)

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Five shares of each text, of type `SIGNALS`. InputError where the reference cannot be read."""
        return ngram_overlap(batch.column("text"), load_once("reference n-grams", self.reference_path, _read))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return within("similarity", low=self.min_similarity)


def _read(path: str) -> Reference:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_REFERENCE_BYTES + 1)
        lines = [line for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: {error}") from None
    if len(content) > MAX_REFERENCE_BYTES:
        raise InputError(f"{path} has more than {MAX_REFERENCE_BYTES >> 20} MiB. Give a smaller reference")
    if not lines:
        raise InputError(f"{path} has no text. A reference holds one text a line")
    return reference_ngrams(lines)
