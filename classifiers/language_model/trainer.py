"""Train a language model for the stage `perplexity`: n-grams with interpolated modified Kneser-Ney smoothing.

The model is the one that KenLM's lmplz makes of the same tokens, sentence by sentence, to float32's rounding (Heafield,
Pouzyrevsky, Clark, Koehn 2013, "Scalable Modified Kneser-Ney Language Model Estimation"); three things differ. Blank
lines are no sentences. Words are numbered by frequency, so the order of examples does not matter. And lmplz enters the
last n-gram of each order into its discounts by its count where the adjusted count belongs; as a rule the two are equal.

Text that holds KenLM's own words (<s>, </s>, <unk>, <UNK>) is read without them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator, model_validator

from classifiers.evaluation.metrics import is_positive
from classifiers.language_model.arpa import write_arpa
from classifiers.language_model.counting import NgramCounts, count_ngrams
from classifiers.language_model.estimation import Estimate, Smoothing, estimate
from classifiers.language_model.kenlm_binary import write_kenlm
from classifiers.language_model.workspace import Workspace
from classifiers.trainer import Trainer
from curate.kernels.ngram_keys import MAX_ORDER
from curate.scoring.language_model_file import write_description
from curate.scoring.pretokenize import Pretokenizer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ROWS_AT_ONCE = 1000


class LanguageModelTrainer(Trainer):
    """An n-gram model of the texts whose label is the positive one. More like them: lower perplexity."""

    stage: ClassVar[str] = "perplexity"
    needs_negatives: ClassVar[bool] = False

    order: int = Field(5, ge=2, le=MAX_ORDER)  # CCNet; KenLM reads no order 1, PyPI's build none above 6
    #: For each order, the count up to which n-grams are left out; the last goes for orders after it (lmplz --prune).
    prune: tuple[int, ...] = ()
    #: Discounts of an order that has n-grams too few, or too alike, to estimate them; lmplz --discount_fallback.
    #: None: an error. Ours is on by default: characters of a small corpus have no singletons, and it is said.
    discount_fallback: tuple[float, float, float] | None = (0.5, 1.0, 1.5)
    memory_gib: float = Field(4.0, gt=0)  # beside the vocabulary; our choice, lmplz takes 80 % of the machine's
    pretokenizer: Pretokenizer = Pretokenizer()  # type: ignore[call-arg]  # all settings have defaults; mypy sees no plugin
    #: "kenlm" is KenLM's binary file, which loads at once; "arpa" is text that other programs read too.
    format: Literal["kenlm", "arpa"] = "kenlm"

    @property
    def suffix(self) -> str:  # type: ignore[override]  # the format says which, not the class
        """Of the file. KenLM tells its formats by what is in the file, not by this."""
        return ".bin" if self.format == "kenlm" else ".arpa"

    @property
    def files(self) -> tuple[str, ...]:
        """The SentencePiece model, where there is one for all languages."""
        path = self.pretokenizer.model_path
        return () if path is None or "{language}" in path else (path,)

    @property
    def memory_bytes(self) -> int:
        """`memory_gib` in bytes."""
        return int(self.memory_gib * (1 << 30))

    @field_validator("prune")
    @classmethod
    def _never_falls(cls, prune: tuple[int, ...]) -> tuple[int, ...]:
        if list(prune) != sorted(prune) or any(count < 0 for count in prune):
            raise ValueError("counts must not fall from one order to the next, else ends of n-grams would be missing")
        return prune

    @model_validator(mode="after")
    def _fits(self) -> LanguageModelTrainer:
        if len(self.prune) > self.order:
            raise ValueError(f"prune has {len(self.prune)} counts for {self.order} orders")
        if self.discount_fallback and not all(0 <= d <= i for i, d in enumerate(self.discount_fallback, 1)):
            raise ValueError("discount_fallback: discounts of counts 1, 2, 3 lie between 0 and the count")
        return self

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Write the model of the positive examples and its description. Their order and `seed` do not matter.

        InputError where they have no words, or where discounts cannot be estimated and have no fallback.
        """
        wanted = examples.filter(pa.array(is_positive(examples, positive)))
        languages = pc.unique(wanted["language"]).to_pylist()
        batches = wanted.select(["text", "language"]).to_batches(_ROWS_AT_ONCE)
        self.train_from(batches, path, languages[0] if len(languages) == 1 else None)

    def train_from(self, batches: Iterable[pa.RecordBatch], path: Path, language: str | None = None) -> None:
        """The same of batches with the columns `text` and, for segmenters, `language`: a corpus need not fit memory."""
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as name:
            folder = Path(name)
            tokens = (sentences for batch in batches for sentences in self._sentences(batch))
            counts = count_ngrams(tokens, self.order, folder, self.memory_bytes)
            self.write(counts, folder, path, language)

    def train_on_spark(self, documents: DataFrame, path: Path, language: str | None = None) -> None:
        """The same of a Spark relation with columns `text` and `language`, counted by its workers: the same bytes."""
        from classifiers.language_model.spark_counts import count_ngrams_on_spark

        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as name:
            folder = Path(name)
            counts = count_ngrams_on_spark(documents, self._sentences, self.order, folder, self.memory_bytes)
            self.write(counts, folder, path, language)

    def write(self, counts: NgramCounts, folder: Path, path: Path, language: str | None = None) -> None:
        """Estimate and write the model of counts. folder: for arrays on the way; must be there, and be left alone."""
        prune = [*self.prune, *[self.prune[-1] if self.prune else 0] * (self.order - len(self.prune))]
        model = estimate(counts, Smoothing(prune, self.discount_fallback), Workspace(folder))
        if model.fallback_orders:
            warnings.warn(
                f"the discounts of orders {list(model.fallback_orders)} cannot be estimated and were set to "
                f"{self.discount_fallback}: the corpus is small, or repeats itself. Deduplicate its sentences.",
                stacklevel=2,
            )
        if self.format == "kenlm":
            write_kenlm(model, path)
        else:
            write_arpa(model, path, [_facts(model)])
        write_description(path, self._kept_pretokenizer(path, language), self.order, language)

    def _kept_pretokenizer(self, path: Path, language: str | None) -> Pretokenizer:
        """The pretokenizer with its SentencePiece model beside the language model, so that the two go together."""
        own = self.pretokenizer.of_language(language) if language else self.pretokenizer
        if own.model_path is None:
            return own
        kept = shutil.copyfile(own.model_path, f"{path}.sp.model")
        return own.model_copy(update={"model_path": str(kept)})

    def _sentences(self, batch: pa.RecordBatch) -> Iterator[pa.Array]:
        """Tokens parted by spaces, a sentence in each row."""
        if not self.pretokenizer.segmenters:
            yield self.pretokenizer.sentences(batch["text"]).tokens
            return
        for language in pc.unique(batch["language"]).to_pylist():
            own = pc.is_null(batch["language"]) if language is None else pc.equal(batch["language"], language)
            yield self.pretokenizer.sentences(batch["text"].filter(own), language).tokens


def _facts(model: Estimate) -> str:
    """What the file's reader may want to know, as one line of JSON."""
    discounts = [[round(float(d), 6) for d in own[1:]] for own in model.discounts]
    return json.dumps(
        {
            "smoothing": "interpolated modified Kneser-Ney",
            "tokens": int(model.words.counts[2:].sum()),
            "sentences": int(model.words.counts[2]),
            "discounts": discounts,
            "fallback_orders": list(model.fallback_orders),
        }
    )
