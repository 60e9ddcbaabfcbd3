"""Train a model on sources of the run itself, and judge the other documents by it: GPT-3's, LLaMA's and DCLM's step.

GPT-3 trained a classifier to tell curated text from raw Common Crawl and sampled the crawl by its score (Brown et al.
2020, appendix A). What is good is here what the sources named `positive` hold, and what is raw are the others. The
stage draws examples of both, holds some hosts out, trains, judges the model on what was held out, and scores the raw
documents by the document stage that belongs to the model. Model, card, figures and evaluation page are kept beside the
verdicts under `fitted/`, so that the same model can be applied to other dumps by that stage, in the documents' pass.

The same documents give the same model however they are partitioned: which are drawn is decided by id and seed, and
training has one thread. A score flatters the model where it was trained on the document: the signal `example` says so.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, WithJsonSchema, field_validator, model_validator
from pyspark import SparkFiles
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_type

from curate import registry
from curate.errors import InputError
from curate.recipe import Part, build
from curate.rundir import FITTED
from curate.scoring.drawn_examples import (
    COLUMNS,
    NEGATIVE,
    POSITIVE,
    Labels,
    candidates,
    draws,
    largest_draws,
    smallest_draws,
)
from curate.scoring.model_file import ModelStage
from curate.stage import CorpusStage, Limit

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

ALL_LANGUAGES = "all"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,15}")


class FittedScore(CorpusStage):
    """A model of `positive` sources against the others, and its score for those.

    Signals are those of the stage that applies the model, and `example`: whether the document was drawn as one. A
    document of a source or language that is not judged has none, and stays.
    """

    #: A model by its name in `curate.registry.MODELS`, with the trainer's settings: `{linear: {…}}`.
    model: Annotated[Part, WithJsonSchema({"type": ["string", "object"]})]
    positive: Annotated[tuple[str, ...], Field(min_length=1)]  # sources that show what is good
    negative: tuple[str, ...] | None = None  # sources to tell it from; None: all others
    judged: tuple[str, ...] | None = None  # sources that are scored; None: all that are not positive
    scoring: Mapping[str, Any] = {}  # settings of the stage that applies the model, its limits among them
    by_language: bool = False  # a model for each language, as CCNet; a language without positives is not judged
    max_examples: Annotated[int, Field(ge=1)] = 200_000  # of each label, and language: DCLM's for its classifier
    max_example_bytes: Annotated[int, Field(ge=1)] = 1 << 16  # of a text; our choice
    #: Of the texts of all examples, about: fewer are drawn where they are long. Our choice: Spark hands 1 GiB at a time
    #: to the driver (`spark.driver.maxResultSize`), and training holds them.
    max_examples_mib: Annotated[int, Field(ge=1, le=2000)] = 1024
    min_examples: Annotated[int, Field(ge=1)] = 50  # positive ones of a language, for a model of its own; our choice
    test_frac: Annotated[float, Field(ge=0, lt=1)] = 0.1  # of the examples, by host: what the model is judged on
    seed: int = 0

    @field_validator("model", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Part:
        return Part.parse(value, registry.MODELS, "model")

    @model_validator(mode="after")
    def _checked(self) -> FittedScore:
        self._stage("")  # a wrong setting is an error before anything runs
        return self

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the scoring stage has its own
        return tuple(dict.fromkeys((*COLUMNS, *self._stage("").requires)))

    @property
    def version(self) -> int:  # type: ignore[override]  # what the scoring stage gives is part of what this one gives
        """Of this stage and the one that applies the model."""
        return 1000 + self._stage("").version

    @property
    def files(self) -> tuple[str, ...]:
        """Those of the trainer and of the stage that applies the model, but for the model."""
        return (*(path for path in self._stage("").files if path), *self._trainer.files)

    @property
    def named_sources(self) -> tuple[str, ...]:
        """The sources of its settings."""
        return (*self.positive, *(self.negative or ()), *(self.judged or ()))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The bounds on the score, those of the stage that applies the model."""
        return self._stage("").limits

    @property
    def score_signal(self) -> str:
        """The signal that ranks documents."""
        return self._stage("").score_signal

    @property
    def signals(self) -> pa.StructType:
        return pa.struct([*self._stage("").signals, pa.field("example", pa.bool_())])

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document. InputError where there is nothing to train on."""
        labels = Labels(self.positive, self.negative)
        found = context.save("_candidates", candidates(documents, labels, self.seed, self.max_example_bytes))
        by = ("label", "language") if self.by_language else ("label",)
        examples = self._enough(smallest_draws(found, by, self.max_examples, self.max_examples_mib << 20))
        judge = _Judge(self._fit(examples, context), largest_draws(examples, by), self)
        fields = ", ".join(f"`{field.name}` {from_arrow_type(field.type).simpleString()}" for field in self.signals)
        return documents.map(self.requires, judge.verdicts, f"node long, drop_reason string, {fields}")

    def _stage(self, model_path: str) -> ModelStage:
        """The stage that applies the model."""
        name = self._trainer.stage
        settings = {**self.scoring, "model_path": model_path}
        stage = build(registry.stage_class(name), settings, f"fitted_score, scoring {name}")
        assert isinstance(stage, ModelStage)
        return stage

    @property
    def _trainer(self) -> Any:
        return self.model.settings  # a `classifiers.trainer.Trainer`, which curate knows from the registry only

    def _enough(self, examples: pa.Table) -> pa.Table:
        needed = {POSITIVE: self.positive} | (
            {NEGATIVE: self.negative or ("the other sources",)} if self._trainer.needs_negatives else {}
        )
        for label, sources in needed.items():
            if not pc.any(pc.equal(examples["label"], label)).as_py():
                raise InputError(
                    f"fitted_score has no {label} examples: no document of {', '.join(sources)} has come this far. "
                    "Give them as -i NAME=PATH, and let the stages before keep some"
                )
        return examples

    def _fit(self, examples: pa.Table, context: CorpusContext) -> Mapping[str, str]:
        """Train, judge and keep; of each language, or of all, the model's place below what Spark carries."""
        home = Path(tempfile.mkdtemp(prefix="curate-models-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)  # Spark hands files out while the session lives
        files = {}
        for language in self._languages(examples):
            rows = examples.filter(pc.equal(examples["language"], language)) if self.by_language else examples
            folder = home / language
            model = self._fit_one(rows.drop_columns(["draw"]), folder)
            for path in sorted(folder.iterdir()):
                context.save_file(f"{FITTED}/{language}/{path.name}", path)
            if model is not None:
                # Spark knows one file by a name in a session, and a run may be repeated in it.
                carried = home / f"curate-{uuid4().hex}"
                carried.mkdir()
                for path in folder.glob(f"{model.name}*"):
                    path.rename(carried / path.name)
                context.spark.sparkContext.addFile(str(carried), recursive=True)
                files[language] = f"{carried.name}/{model.name}"
        if not files:
            raise InputError(
                f"fitted_score has no language with {self.min_examples} positive examples that a model can be trained "
                "on. Give more of them, a smaller min_examples, or by_language: false"
            )
        return files

    def _fit_one(self, examples: pa.Table, folder: Path) -> Path | None:
        """The model's file in its folder. None, and why, where a language's examples do not do: the others go on."""
        fit: Callable[..., Path] = registry.load(registry.CLASSIFIERS, "fit", what="command")
        try:
            return fit(examples, self._trainer, folder, positive=POSITIVE, test_frac=self.test_frac, seed=self.seed)
        except InputError as error:
            if not self.by_language:
                raise
            folder.mkdir(exist_ok=True)
            notes = {"notes": [f"There is no model: {error}"]}
            (folder / "metrics.json").write_text(json.dumps(notes, ensure_ascii=False) + "\n", "utf-8")
            return None

    def _languages(self, examples: pa.Table) -> list[str]:
        """The languages that have examples enough. A language is data, and names a folder: only codes are taken."""
        if not self.by_language:
            return [ALL_LANGUAGES]
        found = []
        for language in pc.unique(examples["language"]).drop_null().to_pylist():
            labels = Counter(examples.filter(pc.equal(examples["language"], language))["label"].to_pylist())
            enough = labels[POSITIVE] >= self.min_examples and (labels[NEGATIVE] or not self._trainer.needs_negatives)
            if enough and _CODE.fullmatch(language):
                found.append(language)
        return sorted(found)


class _Judge(NamedTuple):
    """What a worker needs to score documents."""

    files: Mapping[str, str]  # by language, below `SparkFiles`
    drawn: Mapping[tuple[str | None, ...], float]  # the largest draw of an example, by label, or label and language
    settings: FittedScore

    def verdicts(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """node, the reason of the first broken limit, and the signals, of the documents that a model judges."""
        batch = batch.filter(self._is_judged(batch.column("source")))
        if not self.settings.by_language:
            return self._scored(batch, ALL_LANGUAGES)
        languages = batch.column("language").cast(pa.string())
        return pa.concat_batches(
            [self._scored(batch.filter(pc.fill_null(pc.equal(languages, name), False)), name) for name in self.files]
        )

    def _scored(self, batch: pa.RecordBatch, language: str) -> pa.RecordBatch:
        stage = self.settings._stage(SparkFiles.get(self.files[language]))
        measured, reasons = stage.annotate(batch), pa.nulls(batch.num_rows, pa.string())
        for limit in stage.limits:
            broken = pc.and_(limit.broken_by(measured), reasons.is_null())
            reasons = pc.if_else(broken, limit.reason, reasons)
        columns = [batch.column("node"), reasons, *measured.flatten(), self._is_example(batch)]
        return pa.RecordBatch.from_arrays(
            columns, ["node", "drop_reason", *(field.name for field in self.settings.signals)]
        )

    def _is_judged(self, sources: pa.Array) -> pa.BooleanArray:
        names, judged = sources.cast(pa.string()), self.settings.judged
        if judged is None:
            return pc.invert(pc.is_in(names, value_set=pa.array(self.settings.positive, pa.string())))
        return pc.is_in(names, value_set=pa.array(judged, pa.string()))

    def _is_example(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        own = draws(batch.column("doc_id"), self.settings.seed)
        has_text = pc.greater(pc.fill_null(pc.binary_length(batch.column("text")), 0), 0)
        keys = [Labels(self.settings.positive, self.settings.negative).of(batch.column("source")).to_pylist()]
        keys += [batch.column("language").to_pylist()] if self.settings.by_language else []
        bounds = [self.drawn.get(key, -1.0) for key in zip(*keys, strict=True)]
        return pc.and_(has_text, pc.less_equal(own, pa.array(bounds, pa.float64())))
