"""Score documents by an n-gram language model, and sort them into CCNet's buckets (Wenzek et al. 2020, section 3).

The perplexity of a document is 10 ** (-log10 p / n): p is the product of the probabilities of its sentences, each with
its end, given its beginning; n counts their tokens and ends, as cc_net's `DocLM` does. A sentence is a line, unless the
pretokenizer says otherwise. KenLM (Heafield 2011) reads the model, an ARPA file or its own binary, and gives the
probabilities; a model of one's own comes from `curate classifiers train`.

Refuses to judge null text and text without a token: there is nothing to be surprised by. It says how much a text is
like the model's training text, not whether it is good: a list of names is no worse a document for being unforeseeable.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.errors import EnvironmentProblem, RecipeError
from curate.filters.bounds import within, without
from curate.kernels.known_tokens import KnownTokens
from curate.models import load_once
from curate.scoring.language_model_file import description_path, read_description
from curate.scoring.model_file import ModelStage
from curate.scoring.perplexity_cutoffs import CCNET_CUTOFFS, buckets, checked, load_cutoffs
from curate.scoring.pretokenize import Pretokenizer
from curate.stage import Limit, one_of

LANGUAGE = "{language}"
_A_LANGUAGE = r"[A-Za-z][A-Za-z0-9_-]{1,15}"  # it is data, and part of a path here

#: KenLM adds up a sentence in single precision: one of 400,000 tokens came out 0.3 % off. Longer ones than this are
#: added up here, word by word, which takes longer.
_MAX_SINGLE_PRECISION_TOKENS = 1 << 13

SIGNALS = pa.struct(
    [
        pa.field("perplexity", pa.float64()),
        pa.field("log10_prob", pa.float64()),  # of all sentences with their ends
        pa.field("sentence_count", pa.int64()),
        pa.field("token_count", pa.int64()),  # without sentence ends
        pa.field("oov_count", pa.int64()),  # tokens that the model does not know
        pa.field("bucket", pa.string()),  # "head", "middle", "tail"; null without cut-offs for the language
        pa.field("model_missing", pa.bool_()),  # no model for the language
    ]
)


class Perplexity(ModelStage):
    """Keep documents that the model expects: by a bound, or by the bucket of their language."""

    score_signal: ClassVar[str] = "perplexity"
    more_is_better: ClassVar[bool] = False

    # model_path may have {language} in it: a model for each language, such as cc_net's {language}.arpa.bin
    pretokenizer: Pretokenizer | None = None  # None: as the model's description says
    without_model: Literal["keep", "drop"] = "keep"  # documents of a language without a model; cc_net keeps them
    #: "ccnet", which holds for CCNet's own models alone; a file; or by language where head and where middle ends
    cutoffs: str | dict[str, tuple[float, float]] | None = None
    keep_buckets: tuple[Literal["head", "middle", "tail"], ...] | None = None  # LLaMA took CCNet's head by its own rule
    min_perplexity: float | None = Field(None, ge=0)  # CCNet has no such bounds
    max_perplexity: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Perplexity:
        if self.keep_buckets is not None and self.cutoffs is None:
            raise ValueError("keep_buckets asks for buckets, and cutoffs, which say where they end, is not given")
        if self.model_sha256 is not None and LANGUAGE in self.model_path:
            raise ValueError("model_sha256 pins one file, and model_path names one for each language")
        if isinstance(self.cutoffs, dict):
            checked(self.cutoffs)
        return self

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings say which, not the class
        """The text, and the language where models or cut-offs go by it."""
        return ("text", "language") if self.cutoffs is not None or LANGUAGE in self.model_path else ("text",)

    @property
    def files(self) -> tuple[str, ...]:
        """Models, their descriptions, SentencePiece models and the cut-offs."""
        models = _by_language(self.model_path)
        named = [*models, *(str(path) for model in models if (path := description_path(model)).is_file())]
        if self.pretokenizer is not None and self.pretokenizer.model_path is not None:
            named += _by_language(self.pretokenizer.model_path)
        return (*named, self.cutoffs) if isinstance(self.cutoffs, str) and self.cutoffs != "ccnet" else tuple(named)

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *without("model_missing", self.without_model == "drop"),
            *within("perplexity", self.min_perplexity, self.max_perplexity),
            *(() if self.keep_buckets is None else (one_of("bucket", self.keep_buckets),)),
        )

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `SIGNALS`. Null text: null fields. No token: null perplexity, counts of 0."""
        texts = batch.column("text")
        asked = len(self.requires) > 1
        languages = batch.column("language").cast(pa.string()) if asked else pa.nulls(len(texts), pa.string())
        sums, missing = np.zeros((4, len(texts))), np.zeros(len(texts), np.bool_)
        for language, rows in self._groups(languages):
            model = self._model(language)
            if model is None:
                missing[rows] = True
            else:
                sums[:, rows] = model.score(texts.take(pa.array(rows)) if len(rows) < len(texts) else texts)
        return self._signals(sums, missing | ~texts.is_valid().to_numpy(False), missing, texts, languages)

    def _groups(self, languages: pa.StringArray) -> Iterator[tuple[str | None, NDArray[np.int64]]]:
        """The rows of each language; all as one where one model scores all."""
        if LANGUAGE not in self.model_path:
            yield None, np.arange(len(languages))
            return
        codes = pc.fill_null(languages, "").dictionary_encode()
        numbers = codes.indices.to_numpy(False)
        for number, code in enumerate(codes.dictionary.to_pylist()):
            yield code, np.flatnonzero(numbers == number)

    def _model(self, language: str | None) -> LanguageModel | None:
        """The model of a language; None where there is none."""
        path = self.model_path
        if language is not None:
            path = path.replace(LANGUAGE, language)
            if not re.fullmatch(_A_LANGUAGE, language) or not Path(path).is_file():
                return None
        return load_language_model(path, self.pretokenizer, language, digest=self.model_sha256)

    def _signals(
        self,
        sums: NDArray[np.float64],
        unmeasured: NDArray[np.bool_],
        missing: NDArray[np.bool_],
        texts: pa.Array,
        languages: pa.StringArray,
    ) -> pa.StructArray:
        log10_prob, num_sentences, num_tokens, num_unknown = sums
        events = num_sentences + num_tokens
        with np.errstate(over="ignore"):
            perplexity = 10.0 ** (-log10_prob / np.maximum(events, 1))
        perplexities = pa.array(perplexity, mask=unmeasured | (events == 0))
        fields = [
            perplexities,
            pa.array(log10_prob, mask=unmeasured | (events == 0)),
            *(
                pa.array(counts.astype(np.int64), mask=unmeasured)
                for counts in (num_sentences, num_tokens, num_unknown)
            ),
            buckets(perplexities, languages, self._cutoffs()),
            pa.array(missing, mask=~texts.is_valid().to_numpy(False)),
        ]
        return pa.StructArray.from_arrays(fields, fields=list(SIGNALS))

    def _cutoffs(self) -> Mapping[str, tuple[float, float]]:
        if self.cutoffs == "ccnet":
            return CCNET_CUTOFFS
        if isinstance(self.cutoffs, str):
            return load_cutoffs(self.cutoffs).cutoffs
        return self.cutoffs or {}


@dataclass(frozen=True)
class LanguageModel:
    """A model with what cuts texts for it."""

    model: Any  # kenlm.Model
    known: KnownTokens
    pretokenizer: Pretokenizer
    language: str | None

    def score(self, texts: pa.Array) -> NDArray[np.float64]:
        """log10 p of each text, its sentences, its tokens, and those unknown: float64[4, len(texts)]."""
        found = self.pretokenizer.sentences(texts, self.language)
        lines = found.tokens.cast(pa.large_binary()).to_pylist()
        scores = np.fromiter(map(self.model.score, lines), np.float64, len(lines))
        for i in np.flatnonzero(found.counts > _MAX_SINGLE_PRECISION_TOKENS):
            scores[i] = sum(prob for prob, _, _ in self.model.full_scores(lines[i]))
        num_sentences = np.diff(found.first)
        rows = np.repeat(np.arange(len(texts)), num_sentences)
        per_sentence = (scores, found.counts, self.known.unknown(found.tokens))
        # bincount adds one after the other: the sum of a text is the same in any batch.
        log10_prob, tokens, unknown = (np.bincount(rows, values, len(texts)) for values in per_sentence)
        return np.stack([log10_prob, num_sentences.astype(np.float64), tokens, unknown])


class _Loaded(NamedTuple):
    model: Any
    known: KnownTokens


def load_language_model(
    path: str, pretokenizer: Pretokenizer | None, language: str | None = None, *, digest: str | None = None
) -> LanguageModel:
    """A model, read once per worker, with its own pretokenizer or a given one, which then counts.

    language: of the texts; None: as the model's description says. EnvironmentProblem where kenlm or the file is
    missing; RecipeError where nothing says how texts are cut for it.
    """
    described = read_description(path)
    if pretokenizer is None and described is None:
        raise RecipeError(
            f"{path} has no description ({description_path(path).name}) to say how texts are cut for it, and the stage "
            "has no `pretokenizer`. For cc_net's models: {kind: sentencepiece, sentence: ccnet, model_path: …sp.model}"
        )
    language = language or (described.language if described else None)
    cut = pretokenizer.of_language(language or "") if pretokenizer else described.pretokenizer  # type: ignore[union-attr]  # one of the two is there
    loaded = load_once("kenlm", path, _open, digest=digest)
    return LanguageModel(loaded.model, loaded.known, cut, language)


def _open(path: str) -> _Loaded:
    try:
        kenlm = import_module("kenlm")
    except ImportError as error:
        raise EnvironmentProblem(
            f"perplexity needs kenlm, which cannot be imported ({error}). It is built from source with a C++ compiler. "
            "Install it on every machine that runs a worker: pip install 'curate[perplexity]'"
        ) from error
    config = kenlm.Config()
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    model = kenlm.Model(path, config)
    return _Loaded(model, KnownTokens(model.__contains__))


def _by_language(path: str) -> list[str]:
    """The files that a path with {language}, in whatever part of it, stands for; itself where it has none."""
    if LANGUAGE not in path:
        return [path]
    path = str(Path(path))  # as glob writes what it finds: without "./" and "//"
    first, *others = (re.escape(part) for part in path.split(LANGUAGE))
    name = f"{first}(?P<language>{_A_LANGUAGE}){'(?P=language)'.join(others)}"
    found = sorted(glob.glob(glob.escape(path).replace(LANGUAGE, "*")))
    return [file for file in found if re.fullmatch(name, file) and Path(file).is_file()]
