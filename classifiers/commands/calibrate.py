"""`curate classifiers calibrate`: held-out scores of several models in, the file of `combine_scores` out.

A score is named as its signal will be called in a recipe, `stage.signal`. The folder of a trained model gives its
held-out scores, what is positive and which way its score goes; a parquet file gives `doc_id`, `label`, `group` and
`score`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from classifiers.calibration.calibrate import Calibrated
from classifiers.calibration.calibrate import calibrate as fit
from classifiers.calibration.score_tables import joined
from classifiers.calibration.settings import CalibrationSettings
from classifiers.evaluation.metrics import evaluate
from classifiers.evaluation.report_page import write_report
from classifiers.trained_model import HELD_OUT, training_in
from curate import registry
from curate.errors import InputError, OutputError, RecipeError
from curate.models import file_digest
from curate.progress import Reporter
from curate.readers.source import Source, filesystem, list_files
from curate.recipe import build

_GROUPS = ("language", "source")  # that a sample's thresholds may be told apart by


class _Scores(NamedTuple):
    """Held-out scores of one model."""

    signal: str
    path: Path
    positive: str | None
    more_is_better: bool


def calibrate(
    inputs: Mapping[str, Sequence[str]],
    output: Path,
    *,
    settings: str | None,
    assignments: Mapping[str, Any],
    sample: Sequence[str],
    positive: str | None,
    seed: int,
    report: Path | None,
    reporter: Reporter,
) -> Calibrated:
    """Fit a combination of scores and write it to a new file.

    inputs: signal → held-out scores, "" for folders that say it themselves. settings: a YAML file of
    `CalibrationSettings`. sample: parquet files with the signals, drawn as the corpus is. report: where to write a page
    on the combined, cross-fitted score. CurateError where a person can put something right.
    """
    for path in (output, report):
        if path is not None and path.exists():
            raise OutputError(f"{path} is there already. Choose another place")
    scores = [_scores(name, path) for name, paths in inputs.items() for path in paths]
    if not scores:
        raise RecipeError("calibrate what? Give held-out scores with -i SIGNAL=PATH, or folders of trained models")
    _check_names(scores)
    chosen = _settings(scores, settings, assignments)
    positive = positive or _positive(scores)
    held_out = joined(_tables(scores))
    reporter.say(f"calibrating {', '.join(one.signal for one in scores)} on {held_out.num_rows:,} documents …")
    drawn = _sample(sample, chosen) if sample else None
    found = fit(chosen, held_out, drawn, positive, seed, {one.signal: file_digest(one.path) for one in scores})
    if report is not None and found.cross_fitted is not None:
        evaluation = evaluate(found.cross_fitted, positive, seed=seed)
        write_report(evaluation, found.cross_fitted, report, f"Combination of {', '.join(chosen.signals)}")
    try:
        output.write_text(found.combination.to_json(), "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}. Choose another --output") from error
    return found


def _scores(name: str, path: str) -> _Scores:
    place = Path(path)
    if place.is_dir():
        training = training_in(place)
        trainer: Any = training.model.settings
        stage: Any = registry.stage_class(trainer.stage)
        signal = name or f"{trainer.stage}.{stage.score_signal}"
        found = _Scores(signal, place / HELD_OUT, training.positive, stage.more_is_better)
    elif not name:
        raise RecipeError(f"which signal has the scores of {path}? Give -i STAGE.SIGNAL={path}")
    else:
        found = _Scores(name, place, None, True)
    if not found.path.is_file():
        raise InputError(f"there are no held-out scores at {found.path}")
    return found


def _tables(scores: Sequence[_Scores]) -> dict[str, pa.Table]:
    found: dict[str, pa.Table] = {}
    for one in scores:
        try:
            found[one.signal] = pq.read_table(one.path)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"cannot read {one.path} as parquet: {error}") from error
    return found


def _check_names(scores: Sequence[_Scores]) -> None:
    for signal, count in Counter(one.signal for one in scores).items():
        if count > 1:
            raise RecipeError(f"{count} scores are called {signal}: give -i NAME.score=FOLDER, each with its own name")


def _settings(scores: Sequence[_Scores], file: str | None, assignments: Mapping[str, Any]) -> CalibrationSettings:
    """Settings of the file, or each score by itself; `calibration` of the assignments is of all scores."""
    tree: dict[str, Any] = {}
    if file is not None:
        try:
            tree = yaml.safe_load(Path(file).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise RecipeError(f"cannot read the calibration file {file}: {error}") from None
    if not isinstance(tree, dict):
        raise RecipeError(f"{file}: settings are a mapping, got {type(tree).__name__}")
    tree.setdefault("inputs", [{"signal": one.signal, "more_is_better": one.more_is_better} for one in scores])
    tree |= {name: value for name, value in assignments.items() if name != "calibration"}
    if "calibration" in assignments:
        build(CalibrationSettings, tree, "calibration")  # inputs that are none are refused here
        tree["inputs"] = [{**one, "calibration": assignments["calibration"]} for one in tree["inputs"]]
    chosen = build(CalibrationSettings, tree, "calibration")
    for signal in chosen.signals:
        if signal not in [one.signal for one in scores]:
            raise RecipeError.unknown("signal", signal, [one.signal for one in scores], where="the held-out scores")
    return chosen


def _positive(scores: Sequence[_Scores]) -> str:
    told = sorted({one.positive for one in scores if one.positive is not None})
    if len(told) != 1:
        found = f"the models have {', '.join(told)}" if told else "the files do not say"
        raise RecipeError(f"which label is positive? {found}. Give --positive")
    return told[0]


def _sample(paths: Sequence[str], settings: CalibrationSettings) -> pa.Table:
    """Signals, language and source of parquet files as `curate apply` and a run write them."""
    source = Source(name="sample", paths=tuple(paths), format="parquet")
    parts = [_signals(file.path, settings) for file in list_files(source)]
    return pa.concat_tables(parts, promote_options="permissive")


def _signals(path: str, settings: CalibrationSettings) -> pa.Table:
    fs, inner = filesystem(path)
    try:
        with fs.open(inner, "rb") as file:
            parquet = pq.ParquetFile(file)
            groups = [name for name in _GROUPS if name in parquet.schema_arrow.names]
            table = parquet.read(columns=[*groups, *settings.signals])
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read {path} as parquet: {error}") from error
    columns = {name: table[name].cast(pa.string()) for name in groups}
    for signal in settings.signals:
        stage, _, field = signal.partition(".")
        if stage not in table.schema.names:
            raise InputError(f"{path} has no {signal}. A sample is scored first: `curate apply`, `classifiers score`")
        columns[signal] = pc.struct_field(table[stage], field) if field else table[stage]
    return pa.table(columns)
