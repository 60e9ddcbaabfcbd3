"""Train a fastText classifier (Joulin et al. 2017) by the maintained build of the library, `fasttext-community`.

The library trains; what is here makes its input: one line for each example by the kernel that also makes the lines for
scoring, so that a text is read alike in both. How (lower case, tokens) and which label the score is of stand in a note
behind the library's part of the file, which the library does not read and the stage does.

One thread, one seed: the same examples in the same order give the same bytes. `trials` looks for settings in a fixed
number of trainings; the library's own autotune stops by the clock, so that no two of its runs agree, and is not used.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from classifiers.distillation.distil import at_cut
from classifiers.evaluation.regression import at_least
from classifiers.trainer import Trainer
from curate.errors import InputError
from curate.kernels.fasttext_lines import LineRules, lines
from curate.models import fasttext_module
from curate.scoring.fasttext_file import LABEL, Note, Tokens
from curate.words.source import word_source

#: What fastText takes for a blank, and "%", which stands for them in a label.
_UNSAFE = re.compile(r"[%\x00\t-\r ]")
#: A quantiser has so many centroids and wants as many rows.
MIN_QUANTISED_ROWS = 256

Count = Annotated[int, Field(gt=0)]


class FastTextTrainer(Trainer):
    """Settings of the library by its own names; defaults are its own where nothing else is said."""

    stage: ClassVar[str] = "fasttext_score"

    lr: float = Field(0.1, gt=0)
    dim: Count = 100
    epoch: Count = 5
    word_ngrams: Count = 2  # DCLM (Li et al. 2024, section 4.4); the library's is 1
    min_count: int = Field(1, ge=0)  # of a word in all examples
    bucket: Count = 2_000_000  # rows for n-grams: 4 * dim bytes each in a .bin
    minn: int = Field(0, ge=0)  # characters of the n-grams within a word; maxn = 0: none
    maxn: int = Field(0, ge=0)
    loss: Literal["softmax", "ova", "ns", "hs"] = "softmax"
    tokens: Tokens = "spaces"  # "characters" for Chinese: each letter stands alone, and n-grams are of letters
    lower_case: bool = False
    max_bytes: int | None = Field(None, gt=0)  # of an example that are read
    quantize: bool = False  # write a .ftz: codes instead of numbers, some ten times smaller
    cutoff: int = Field(0, ge=0)  # rows that a .ftz keeps, the longest ones; 0: all
    retrain: bool = False  # after the cut-off
    qnorm: bool = True  # code the length of rows apart; the library's is false, its published models have it
    trials: int = Field(0, ge=0)  # trainings to choose lr, epoch, word_ngrams and character n-grams by; 0: as given

    @property
    def suffix(self) -> str:  # type: ignore[override]  # the settings say which, not the class
        """Of the file."""
        return ".ftz" if self.quantize else ".bin"

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Write the model; InputError where the positive label has no example, or is the only one."""
        bound = at_least(positive)
        if bound is not None:  # its labels are names
            examples, positive = at_cut(examples, bound), "positive"
        labels = examples.column("label").unique().to_pylist()
        if positive not in labels or len(labels) < 2:
            raise InputError(
                f"fastText wants examples of {positive!r} and of another label at least; the {examples.num_rows} "
                f"examples have {', '.join(map(repr, labels)) or 'none'}"
            )
        chosen = self
        if self.trials:
            from classifiers.fasttext.search import best_settings

            chosen = best_settings(self, examples, positive, seed)
        chosen.fit(examples, positive, path, seed)

    def fit(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Train with these settings, and write the file with its note."""
        with tempfile.TemporaryDirectory(prefix="curate-fasttext-") as folder:
            file = Path(folder) / "examples.txt"
            self._write_lines(examples, file)
            model = self._fitted(str(file), seed)
            written = Path(folder) / "model"
            model.save_model(str(written))
            data = written.read_bytes()
        safe = {safe_label(label): label for label in sorted(set(examples.column("label").to_pylist()))}
        note = Note(positive=positive, labels=safe, tokens=self.tokens, lower_case=self.lower_case)
        path.write_bytes(data + note.model_dump_json().encode())

    def _fitted(self, file: str, seed: int) -> Any:
        module = fasttext_module(training=True)
        options = self.model_dump(include={"lr", "dim", "epoch", "word_ngrams", "min_count", "bucket", "loss"})
        try:
            model = module.train_supervised(
                file, **options, minn=self.minn, maxn=self.maxn, thread=1, seed=seed, verbose=0
            )
            if self.quantize:
                model.quantize(
                    file if self.retrain else None,
                    cutoff=self.cutoff,
                    retrain=self.retrain,
                    qnorm=self.qnorm,
                    thread=1,
                    verbose=0,
                )
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"fastText cannot train on these examples with {self!r}: {error}. Give it more examples, a smaller "
                f"min_count, or (quantize) at least {MIN_QUANTISED_ROWS} words and n-grams"
            ) from error
        return model

    def _write_lines(self, examples: pa.Table, file: Path) -> None:
        rules = LineRules(self.lower_case, self.tokens == "characters", self.max_bytes or LineRules().max_bytes)
        with file.open("wb") as out:
            for batch in examples.select(["text", "label", "language"]).to_batches(max_chunksize=10_000):
                words = word_source("segmenter", batch) if self.tokens == "words" else None
                texts = lines(batch.column("text"), rules, words).cast(pa.large_binary()).to_pylist()
                for label, text in zip(batch.column("label").to_pylist(), texts, strict=True):
                    out.write((LABEL + safe_label(label)).encode() + b" " + text + b"\n")


def safe_label(label: str) -> str:
    """A label as one token: blanks and "%" by their code, as in a URL.

    >>> safe_label("very good"), safe_label("100%")
    ('very%20good', '100%25')
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", label)
