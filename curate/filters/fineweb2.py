"""FineWeb-2's rules: Gopher's and FineWeb's, with bounds and stop words of the document's language.

Source: Penedo et al. 2025, "FineWeb2", and `fineweb-2-pipeline.py` of its repository: which rules are on, what is the
same for all languages, and the order. Its bounds for language identification are GlotLID's; another model's scores do
not compare, so they judge nothing here unless asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.filters.bounds import within, without
from curate.filters.fineweb2_configs import Config, config_files, load_configs
from curate.kernels.end_marks import SENTENCE_TERMINALS
from curate.kernels.line_stats import SIGNALS as LINE_SIGNALS
from curate.kernels.line_stats import line_stats
from curate.kernels.repetition import SIGNALS as REPETITION_SIGNALS
from curate.kernels.repetition import repetition
from curate.kernels.word_stats import SIGNALS as WORD_SIGNALS
from curate.kernels.word_stats import word_stats
from curate.language.codes import language_code
from curate.stage import Filter, Limit, at_least, at_most
from curate.words.source import WordKind, word_source

SIGNALS = pa.struct(
    [
        pa.field("config", pa.string()),  # the file that judges: `fra_Latn`; null where the language has none
        pa.field("unlisted_language", pa.bool_()),
        pa.field("language_score", pa.float64()),
        *(pa.field(f.name, f.type) for f in REPETITION_SIGNALS),
        *(pa.field(f.name, f.type) for f in LINE_SIGNALS if f.name not in REPETITION_SIGNALS.names),
        *(pa.field(f.name, f.type) for f in WORD_SIGNALS),
    ]
)


class FineWeb2(Filter):
    """Keep documents within the bounds of their language. None turns a bound off.

    Counting is datatrove's throughout, as in its sources. A document whose language has no file is not judged, and
    `config` is null; `drop_unlisted` drops it. A language with files of several scripts is judged by the first of them,
    unless the `language` column says which (`srp_Latn`).
    """

    requires = ("text", "language", "language_score")

    configs_path: str | None = None  # folder of files as FineWeb-2 has them; None: the toolkit's own, of 21 languages
    words: WordKind = "spacy"  # pipeline: datatrove's words of the language
    drop_unlisted: bool = False  # our choice: FineWeb-2 knows only languages that have a file
    judge_language_score: bool = False  # our choice: the bounds are for GlotLID's scores
    max_dup_line_char_frac: float | None = 0.1  # pipeline: char_duplicates_ratio
    min_word_count: int | None = 50  # pipeline: datatrove's default
    max_word_count: int | None = 100_000  # pipeline: datatrove's default
    max_hash_symbol_frac: float | None = 0.1  # pipeline: datatrove's default
    max_ellipsis_symbol_frac: float | None = 0.1  # pipeline: datatrove's default
    max_bullet_line_frac: float | None = 0.9  # pipeline: datatrove's default
    max_ellipsis_line_frac: float | None = 0.3  # pipeline: datatrove's default
    min_stop_word_count: int | None = 2  # pipeline

    @property
    def files(self) -> tuple[str, ...]:
        """The files of `configs_path`."""
        return () if self.configs_path is None else tuple(map(str, config_files(self.configs_path)))

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """`SIGNALS` of each text, null where the language has no file. InputError where files cannot be read."""
        configs = load_configs(self.configs_path)
        names = _config_names(batch.column("language"), list(configs))
        parts, rows = [], []
        for name in sorted({name or "" for name in names}):
            chosen = np.array([i for i, other in enumerate(names) if (other or "") == name], dtype=np.int64)
            rows.append(chosen)
            parts.append(self._measured(batch.take(pa.array(chosen)), name, configs.get(name)))
        if not parts:
            return pa.array([], SIGNALS)
        return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(rows))))

    @property
    def limits(self) -> tuple[Limit, ...]:
        configs = load_configs(self.configs_path)

        def bound(make: Callable[..., Limit], signal: str, value: Callable[[Config], float]) -> Limit:
            return make(signal, {name: value(config) for name, config in configs.items()}, "config")

        def shares(kind: str, ngrams: Callable[[Config], Mapping[int, float]]) -> Sequence[Limit]:
            sizes = sorted({n for config in configs.values() for n in ngrams(config)})
            return [
                at_most(
                    f"{kind}_{n}gram_char_frac",
                    {name: ngrams(config)[n] for name, config in configs.items() if n in ngrams(config)},
                    "config",
                )
                for n in sizes
            ]

        score = bound(at_least, "language_score", lambda c: c.language_score or 0)
        return (
            *without("unlisted_language", self.drop_unlisted),
            *((score,) if self.judge_language_score else ()),
            bound(at_most, "dup_line_frac", lambda c: c.dup_line_frac),
            *shares("top", lambda c: dict(c.top_n_grams)),
            *shares("dup", lambda c: dict(c.dup_n_grams)),
            bound(at_least, "line_punct_frac", lambda c: c.line_punct_thr),
            *within("dup_line_char_frac", high=self.max_dup_line_char_frac),
            bound(at_most, "newline_word_ratio", lambda c: c.new_line_ratio),
            *within("word_count", self.min_word_count, self.max_word_count),
            bound(at_least, "mean_word_length", lambda c: c.min_avg_word_length),
            bound(at_most, "mean_word_length", lambda c: c.max_avg_word_length),
            *within("hash_symbol_frac", high=self.max_hash_symbol_frac),
            *within("ellipsis_symbol_frac", high=self.max_ellipsis_symbol_frac),
            *within("bullet_line_frac", high=self.max_bullet_line_frac),
            *within("ellipsis_line_frac", high=self.max_ellipsis_line_frac),
            bound(at_least, "alphabetic_word_frac", lambda c: c.max_non_alpha_words_ratio),
            *within("stop_word_count", low=self.min_stop_word_count),
        )

    def _measured(self, batch: pa.RecordBatch, name: str, config: Config | None) -> pa.StructArray:
        """Signals of documents of one language."""
        nulls = {field.name: pa.nulls(batch.num_rows, field.type) for field in SIGNALS}
        unlisted = pa.array([config is None] * batch.num_rows, pa.bool_())
        values = nulls | {"unlisted_language": unlisted, "language_score": batch.column("language_score")}
        if config is not None:
            text, words = batch.column("text"), word_source(self.words, batch)
            quality = word_stats(text, stop_words=config.stopwords, bullets="•-", counting="datatrove", words=words)
            lines = line_stats(
                text, end_marks=SENTENCE_TERMINALS, max_short_line_chars=30, counting="datatrove", words=words
            )
            for measured in (repetition(text, "datatrove", words), quality, lines):
                values |= {field.name: pc.struct_field(measured, field.name) for field in measured.type}
            values["config"] = pa.array([name] * batch.num_rows, pa.string())
        arrays = [values[field.name].cast(field.type) for field in SIGNALS]
        return pa.StructArray.from_arrays(arrays, fields=list(SIGNALS))


def _config_names(languages: pa.StringArray, configs: Sequence[str]) -> list[str | None]:
    """The file that judges each document, by its full name or by its language."""
    by_language: dict[str, str] = {}
    for name in sorted(configs):
        by_language.setdefault(language_code(name), name)
    known = {
        value: value if value in configs else by_language.get(language_code(value))
        for value in set(languages.to_pylist())
        if value
    }
    return [known.get(value) for value in languages.to_pylist()]
