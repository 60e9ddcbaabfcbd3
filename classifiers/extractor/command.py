"""`curate extractor train` and `curate extractor evaluate`: from files to files, with progress."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from classifiers.extractor.boosting import lightgbm_module
from classifiers.extractor.errors_page import write_errors
from classifiers.extractor.evaluate import Contestant, Extractor, Report, contestant, sample
from classifiers.extractor.evaluate import evaluate as run_extractors
from classifiers.extractor.examples import Example, examples_of
from classifiers.extractor.gold import GoldPage, read_gold
from classifiers.extractor.report import Trained, as_json, card
from classifiers.extractor.settings import TrainingSettings
from classifiers.extractor.training import fit
from classifiers.extractor.validation import (
    COLUMNS,
    CurvePoint,
    cross_validate,
    learning_curve,
    leave_out,
    mean_f1,
    outcomes,
)
from curate.errors import InputError, OutputError, RecipeError
from curate.extraction.decoding import decode_bytes
from curate.extraction.learned import LearnedExtractor
from curate.extraction.model import load, save
from curate.extraction.model_card import DataSet, render_card, save_card
from curate.models import file_digest
from curate.progress import Reporter

#: Shares of the training pages on the learning curve, beside all of them.
FRACS = (0.125, 0.25, 0.5)
NOT_STATED = "not stated"


def train(
    pages: Sequence[str],
    gold: Sequence[str],
    output: Path,
    *,
    settings: Mapping[str, Any],
    name: str,
    licences: Sequence[str],
    with_curve: bool,
    left_out: Sequence[str],
    limit: int,
    reporter: Reporter,
) -> Trained:
    """Train on pages and gold texts, pair by pair, and write model, card and cross-validation to a new folder.

    settings: changes of `TrainingSettings`; licences: of the gold texts, one for each or none; left_out: columns of
    `COLUMNS`; limit: at most so many pages of each pair, 0 for all. CurateError where a person can put something right.
    """
    lightgbm_module()  # what is missing is said before minutes of work
    chosen = TrainingSettings.of(settings)
    for column in left_out:
        if column not in COLUMNS:
            raise RecipeError.unknown("column", column, COLUMNS, where="--leave-out")
    if licences and len(licences) != len(gold):
        raise RecipeError(f"{len(licences)} licences for {len(gold)} files of gold texts: give one for each, or none")
    _new_folder(output)
    sets = read_pairs(pages, gold, limit)
    examples = _examples([page for one in sets for page in one], reporter)
    trained = _trained(examples, chosen, with_curve, left_out, reporter)
    data = [
        DataSet(
            name=Path(text).name.removesuffix(".parquet"),
            licence=licence,
            pages=len(one),
            sha256=file_digest(page),
            gold_sha256=file_digest(text),
        )
        for one, page, text, licence in zip(sets, pages, gold, licences or [NOT_STATED] * len(gold), strict=True)
    ]
    write(trained, output, name, data)
    return trained


def evaluate(
    pages: Sequence[str], gold: Sequence[str], extractors: Sequence[str], model: Path | None, limit: int
) -> Report:
    """Run extractors on pages with gold texts. `model` is the file that "learned" means, None for the installed one."""
    found = [page for one in read_pairs(pages, gold, limit) for page in one]
    contestants: dict[str, Contestant] = {}
    for name in extractors:
        contestants[name] = contestant(extractor_of(model) if model and name == "learned" else name)
    return run_extractors(found, contestants)


def extractor_of(model: Path) -> Extractor:
    """A model's file as an extractor. EnvironmentProblem where it is none."""
    extractor = LearnedExtractor(load(model))
    return lambda payload, url, charset: extractor.extract(decode_bytes(payload, charset).utf8, url).text


def read_pairs(pages: Sequence[str], gold: Sequence[str], limit: int = 0) -> list[list[GoldPage]]:
    """The pages of each file with the gold texts that stand at its place. InputError where a file has no partner."""
    if len(pages) != len(gold):
        raise InputError(
            f"{len(pages)} files of pages and {len(gold)} of gold texts: give a --gold for each --pages, in their order"
        )
    return [sample(read_gold([one], [text]), limit) for one, text in zip(pages, gold, strict=True)]


def write(trained: Trained, folder: Path, name: str, data: Sequence[DataSet]) -> None:
    """model.npz, model.card.json, card.md, cross_validation.json and report.html."""
    model = folder / "model.npz"
    save(trained.model, model)
    licences = sorted({one.licence for one in data} - {NOT_STATED})
    made = card(trained, name, f"that of the gold texts: {', '.join(licences) or NOT_STATED}", data, file_digest(model))
    save_card(made, model)
    _write(folder / "card.md", render_card(made))
    _write(folder / "cross_validation.json", json.dumps(as_json(trained), indent=1, ensure_ascii=False) + "\n")
    found = outcomes(trained.examples, trained.validation)
    write_errors(found, folder / "report.html", title=f"{name}: {made.method}")


def _trained(
    examples: Sequence[Example],
    settings: TrainingSettings,
    with_curve: bool,
    left_out: Sequence[str],
    reporter: Reporter,
) -> Trained:
    curve: list[CurvePoint] = []
    with reporter.bar("cross-validation", 1.0) as show:
        validation = cross_validate(examples, settings, show)
    if with_curve:
        with reporter.bar("learning curve", 1.0) as show:
            curve = learning_curve(examples, settings, FRACS, show)
        curve.append(CurvePoint(1.0, validation.num_training_pages, mean_f1(validation.judged)))
    without = {}
    for column in left_out:
        with reporter.bar(f"without each {column.replace('_', ' ')}", 1.0) as show:
            without[column] = leave_out(examples, column, settings, validation.judged, show)
    with reporter.bar("model", 1.0) as show:
        model = fit(examples, settings, show)
    return Trained(examples, settings, model, validation, curve, without)


def _examples(pages: Sequence[GoldPage], reporter: Reporter) -> list[Example]:
    with reporter.bar("pages", len(pages)) as show, _rated(show) as progress:
        return examples_of(pages, progress)


@contextmanager
def _rated(show: Callable[[float, str], None]) -> Iterator[Callable[[int], None]]:
    started = time.monotonic()
    yield lambda done: show(done, f"{done:,} pages, {done / max(time.monotonic() - started, 1e-3):,.0f}/s")


def _new_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty. Choose a new folder, or empty this one")
    except OSError as error:
        raise OutputError(f"cannot use {folder} as the output folder: {error.strerror}. Choose another") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}. Choose another output folder") from error
