"""How much of a corpus a score calls hateful, offensive, spam …: by category, source and language, with texts.

The corpus is any parquet with scores: the documents of a run, or what `curate classifiers score` wrote; sentences do as
well as documents. What a threshold calls so is not what is so: with the recall and the false-positive rate of an
evaluation, the true share is estimated (Rogan and Gladen 1978), which holds as far as the corpus is like the examples
that were judged. Where its scores are distributed as in no mixture of them (`score_mixture`) nothing is estimated.
Reads each row group once for all categories, and texts only of the rows that are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import Evaluation, plain
from classifiers.evaluation.ranking import wilson
from classifiers.evaluation.report_page import template
from classifiers.evaluation.report_samples import MAX_NAME_CHARS, Sample, printable, samples
from classifiers.evaluation.score_mixture import NUM_BINS, Mixture, Numbers
from curate.card_file import write_text
from curate.errors import InputError
from curate.progress import Show

COLUMNS = ("source", "language")  # that shares are said by
MAX_GROUPS = 30  # sources, languages of a table; smaller ones are summed
NUM_SAMPLES = 10  # texts of a category
OTHERS, UNKNOWN = "(others)", "(not known)"


class Category(NamedTuple):
    """What a score says, from which value on, and how well it does."""

    name: str
    signal: str  # a column, or a field of a stage's signals: "toxicity.score"
    threshold: float
    more_is_worse: bool = True
    recall: Figure | None = None
    false_positive_rate: Figure | None = None
    mixture: Mixture | None = None  # how the scores of what is so, and of what is not, are distributed


class Share(NamedTuple):
    """Rows of a source or language that are called so."""

    name: str
    num_rows: int  # with a score
    num_without_score: int
    num_called: int
    called: Figure  # share, with its 95 % Wilson interval
    estimated: Figure  # true share, its range as those of `called`, recall and false-positive rate; None: not known
    unlike: float | None = None  # how far the scores are from any mixture of the examples', where that is too far


class CategoryReport(NamedTuple):
    """One category in a corpus. `by` has a table of each column with the sources, languages that have a score."""

    category: Category
    by: dict[str, tuple[Share, ...]]
    samples: tuple[Sample, ...]


class _Place(NamedTuple):
    """A row to show. Ids of a run are hashes, so the smallest are a random sample, the same for any partitioning."""

    doc_id: str
    path: str
    row_group: int
    row: int


def category_of(name: str, signal: str, evaluation: Evaluation, mixture: Mixture | None = None) -> Category:
    """A category with what an evaluation found at its threshold. InputError where it has none."""
    if evaluation.threshold is None:
        raise InputError(f"the evaluation for {name} has no threshold ({evaluation.threshold_from}). Give it one.")
    counts = evaluation.confusion
    others = counts.false_positives + counts.true_negatives
    low, high = wilson(counts.false_positives, others)
    rate = Figure(counts.false_positives / others, float(low), float(high)) if others else None
    recall = evaluation.figures["recall"]
    return Category(name, signal, evaluation.threshold, evaluation.more_is_better, recall, rate, mixture)


def safety(
    path: str | Path, categories: Sequence[Category], show: Show = lambda done, detail: None
) -> list[CategoryReport]:
    """What each category's score calls so in a parquet file, in all those of a folder, or in the documents of a run.

    `path` is local or a URL of fsspec. Rows need `doc_id` and the signals; `text`, `source`, `language`, `label` and
    `url` are used where they are there. InputError where there is no such file or signal.
    """
    fs, root = fsspec.core.url_to_fs(str(path))
    tallies = [_Tally(category) for category in categories]
    try:
        files, num_rows = _files(fs, root), 0
        for done, file in enumerate(files, 1):
            for number, table in _row_groups(fs, file, [category.signal for category in categories]):
                for tally in tallies:
                    tally.add(file, number, table)
                num_rows += table.num_rows
            show(done / len(files), f"{num_rows:,} rows")
        texts = _texts(fs, tallies)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read: {error}. Name a parquet file or a folder of them.") from error
    return [tally.report(texts) for tally in tallies]


def estimated_share(called: float, recall: float, false_positive_rate: float) -> float | None:
    """The true share of what is called so with this share, in [0, 1]; None for a score that tells nothing.

    >>> round(estimated_share(0.055, 0.5, 0.05), 6)
    0.011111
    """
    if recall <= false_positive_rate:
        return None
    return min(max((called - false_positive_rate) / (recall - false_positive_rate), 0.0), 1.0)


def as_json(reports: Sequence[CategoryReport]) -> list[dict[str, Any]]:
    """Plain JSON of all but the texts."""
    return [plain(one._replace(samples=(), category=one.category._replace(mixture=None))) for one in reports]


def write_safety(reports: Sequence[CategoryReport], path: str | Path, title: str) -> None:
    """Write the page of a safety report: one file, no script. OutputError where it cannot be written."""
    page = template("safety.html.jinja").render(title=printable(title)[:MAX_NAME_CHARS], reports=reports)
    write_text(Path(path), page)


class _Tally:
    """Counts of one category so far, and the rows to show."""

    def __init__(self, category: Category) -> None:
        self.category = category
        self.scored: Counter[tuple[str, str]] = Counter()
        self.without: Counter[tuple[str, str]] = Counter()
        self.called: Counter[tuple[str, str]] = Counter()
        self.bins: dict[tuple[str, str], Numbers] = {}
        self.shown: list[_Place] = []

    def add(self, path: str, number: int, table: pa.Table) -> None:
        """Count the rows of a row group."""
        scores, category = _scores(table, self.category.signal), self.category
        beyond = scores >= category.threshold if category.more_is_worse else scores <= category.threshold
        known = ~np.isnan(scores)
        for column in ("all", *(name for name in COLUMNS if name in table.schema.names)):
            for counter, mask in ((self.scored, known), (self.without, ~known), (self.called, beyond)):
                for name, count in _counts(table, column, mask):  # two values may be printed alike
                    counter[column, name] += count
            if category.mixture is not None:
                for name, counts in _counts_by_bin(table, column, category.mixture.bins(scores)):
                    self.bins[column, name] = self.bins.get((column, name), 0) + counts
        rows = np.flatnonzero(beyond)
        ids = table["doc_id"].take(pa.array(rows)).to_pylist()
        places = (_Place(str(doc_id), path, number, int(row)) for doc_id, row in zip(ids, rows, strict=True))
        self.shown = nsmallest(NUM_SAMPLES, (*self.shown, *places))

    def report(self, texts: Mapping[tuple[_Place, str], Sample]) -> CategoryReport:
        """What was counted, with the texts of the rows to show."""
        by = {column: self._shares(column) for column in ("all", *COLUMNS)}
        samples_ = tuple(texts[place, self.category.signal] for place in self.shown)
        return CategoryReport(self.category, {name: rows for name, rows in by.items() if rows}, samples_)

    def _shares(self, column: str) -> tuple[Share, ...]:
        """The values of a column with most scores, then the others together."""
        names = sorted(
            (name for of, name in self.scored if of == column), key=lambda name: (-self.scored[column, name], name)
        )
        if column == "all":
            names = ["all"]  # of no rows at all there is a line too
        groups = [[name] for name in names[:MAX_GROUPS]] + ([names[MAX_GROUPS:]] if len(names) > MAX_GROUPS else [])
        return tuple(self._share(column, group) for group in groups)

    def _share(self, column: str, names: Sequence[str]) -> Share:
        num_rows, num_without, num_called = (
            sum(counter[column, name] for name in names) for counter in (self.scored, self.without, self.called)
        )
        low, high = wilson(num_called, num_rows)
        called = Figure(num_called / num_rows, float(low), float(high)) if num_rows else Figure(None)
        name = names[0] if len(names) == 1 else OTHERS
        found = Share(name, num_rows, num_without, num_called, called, _estimated(self.category, called))
        unlike = self._unlike([self.bins[column, one] for one in names if (column, one) in self.bins])
        return found if unlike is None else found._replace(estimated=Figure(None), unlike=unlike)

    def _unlike(self, bins: Sequence[Numbers]) -> float | None:
        """How far the scores are from any mixture of the examples', where chance would not have it."""
        if self.category.mixture is None or not bins:
            return None
        return self.category.mixture.unlike(np.sum(bins, axis=0))


def _files(fs: Any, root: str) -> list[str]:
    """Parquet files in a stable order; names that begin with "_" or "." hold no data, as Spark has it."""
    if fs.isfile(root):
        return [root]
    folder = f"{root.rstrip('/')}/documents"
    folder = folder if fs.isdir(folder) else root
    found = sorted(str(path) for path in fs.find(folder) if str(path).endswith(".parquet"))
    files = [path for path in found if not any(part[:1] in "_." for part in path[len(folder) :].strip("/").split("/"))]
    if not files:
        raise InputError(f"no parquet file in {root}. Name a file or a folder of scored documents.")
    return files


def _row_groups(fs: Any, path: str, signals: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Each row group of a file with the columns that are counted, structs as columns with dotted names."""
    with fs.open(path, "rb") as file:
        parquet = pq.ParquetFile(file)
        leaves = _leaves(parquet.schema_arrow)
        _check_columns(path, leaves, signals)
        wanted = [name for name in dict.fromkeys(("doc_id", *signals, *COLUMNS)) if name in leaves]
        for number in range(parquet.num_row_groups):
            yield number, _flat(parquet.read_row_group(number, columns=wanted))


def _leaves(fields: Iterable[pa.Field], within: str = "") -> dict[str, pa.DataType]:
    """The type of each column that is no struct; the fields of structs by their dotted names."""
    found: dict[str, pa.DataType] = {}
    for field in fields:
        name = f"{within}{field.name}"
        found.update(_leaves(field.type, f"{name}.") if pa.types.is_struct(field.type) else {name: field.type})
    return found


def _check_columns(path: str, leaves: Mapping[str, pa.DataType], signals: Sequence[str]) -> None:
    """InputError where a signal is not there or is no number; it names those that are."""
    numbers = [name for name, type_ in leaves.items() if _is_number(type_)]
    advice = f"Numbers in it: {', '.join(numbers) or 'none'}. Name one of them, or score the documents first."
    if "doc_id" not in leaves:
        raise InputError(f"{path} has no column doc_id: it is neither of a run nor of `curate classifiers score`.")
    for signal in signals:
        if signal not in leaves:
            raise InputError(f"{path} has no column {signal}. {advice}")
        if not _is_number(leaves[signal]):
            raise InputError(f"{signal} in {path} is {leaves[signal]}, not a number. {advice}")


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)  # null: of no row
    return any(kind(type_) for kind in kinds)


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _scores(table: pa.Table, signal: str) -> NDArray[np.float64]:
    values = pc.cast(table[signal], pa.float64()).combine_chunks()
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)


def _counts(table: pa.Table, column: str, mask: NDArray[np.bool_]) -> list[tuple[str, int]]:
    if column == "all":
        return [("all", int(mask.sum()))]
    found = pc.value_counts(table[column].filter(pa.array(mask))).to_pylist()
    return [(_named(one["values"]), one["counts"]) for one in found]


def _counts_by_bin(table: pa.Table, column: str, bins: Numbers) -> list[tuple[str, Numbers]]:
    """Rows of each value by the bin of their score, without those that have none (-1)."""
    if column == "all":
        return [("all", np.bincount(bins[bins >= 0], minlength=NUM_BINS))]
    values = pc.fill_null(pc.cast(table[column].combine_chunks(), pa.string()), UNKNOWN).dictionary_encode()
    codes = values.indices.to_numpy()
    pairs = np.bincount((codes * NUM_BINS + bins)[bins >= 0], minlength=len(values.dictionary) * NUM_BINS)
    return list(zip(map(_named, values.dictionary.to_pylist()), pairs.reshape(-1, NUM_BINS), strict=True))


def _named(value: str | None) -> str:
    return UNKNOWN if value is None else printable(str(value))[:MAX_NAME_CHARS]


def _estimated(category: Category, called: Figure) -> Figure:
    """The true share; its range takes all three figures to the ends of their intervals, so it is wide rather."""
    recall, rate = category.recall, category.false_positive_rate
    if called.value is None or recall is None or recall.value is None or rate is None or rate.value is None:
        return Figure(None)
    value = estimated_share(called.value, recall.value, rate.value)
    if value is None or None in (recall.low, recall.high, rate.low, rate.high):
        return Figure(value)
    low = estimated_share(called.low or 0.0, recall.high or 0.0, rate.high or 0.0)
    high = estimated_share(called.high or 0.0, recall.low or 0.0, rate.low or 0.0)
    return Figure(value, low, high) if low is not None and high is not None else Figure(value)


def _texts(fs: Any, tallies: Sequence[_Tally]) -> dict[tuple[_Place, str], Sample]:
    """The rows to show by their place and signal; each row group is opened once."""
    found: dict[tuple[_Place, str], Sample] = {}
    for path, number in sorted({(place.path, place.row_group) for tally in tallies for place in tally.shown}):
        signals = [tally.category.signal for tally in tallies]
        columns = list(dict.fromkeys(("doc_id", "text", "label", "url", *signals, *COLUMNS)))
        with fs.open(path, "rb") as file:
            parquet = pq.ParquetFile(file)
            leaves = _leaves(parquet.schema_arrow)
            table = _flat(parquet.read_row_group(number, columns=[name for name in columns if name in leaves]))
        for tally in tallies:
            here = [place for place in tally.shown if (place.path, place.row_group) == (path, number)]
            signal = tally.category.signal
            rows = samples(table, [place.row for place in here], _scores(table, signal))
            found.update(zip([(place, signal) for place in here], rows, strict=True))
    return found
