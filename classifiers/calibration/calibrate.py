"""Fit the file by which `combine_scores` makes several scores comparable and one, and says what is kept.

Two kinds of tables come in. *Held-out* documents have labels and scores of models that have not seen them: they fit
probabilities (isotonic, Platt), a learned logistic and thresholds of a wanted precision. A *sample* of the corpus has
scores and needs no labels: it fits ranks and thresholds of a wanted share. Where there is no sample the held-out
documents stand for it, which is right only if they are drawn as the corpus is.

Nothing is judged by what it was fitted on: figures and thresholds of precision come from cross-fitting, where each
document is calibrated and combined by what was fitted without its group (a host, an author).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifiers.calibration.score_fits import fit_isotonic, fit_logistic, fit_platt, fit_ranks
from classifiers.calibration.score_tables import as_signals, complete
from classifiers.calibration.settings import NEEDS_LABELS, CalibrationSettings, ScoreSettings
from classifiers.evaluation.metrics import is_positive
from classifiers.evaluation.ranking import FIGURES, Ranked, figures, ranked, threshold_for_precision
from classifiers.examples.splitting import folds, labels_text
from classifiers.one_thread import one_thread
from curate.errors import InputError
from curate.scoring.calibrated import Calibration, Ranks, Raw
from curate.scoring.combination import (
    Combination,
    Highest,
    Input,
    Lowest,
    Mean,
    Provenance,
    Thresholds,
    combined,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SHOWN = ("roc_auc", "average_precision", "brier", "calibration_error")


class Calibrated(NamedTuple):
    """What was fitted, and what it is worth."""

    combination: Combination
    #: The held-out documents that were used, without text, with `score`, the cross-fitted combination, and `fold`. None
    #: without labels.
    cross_fitted: pa.Table | None


def calibrate(
    settings: CalibrationSettings,
    held_out: pa.Table | None,
    sample: pa.Table | None = None,
    positive: str = "positive",
    seed: int = 0,
    digests: Mapping[str, str] | None = None,
) -> Calibrated:
    """Fit a combination of scores.

    held_out: columns `label`, `group` and one for each signal, and the column of `by`. sample: the signals, and the
    column of `by`. `positive` is the label of what is looked for, or ">=3" of numbers. Rows without one of the scores
    are left out, and counted in the provenance. `digests` (of what → SHA-256) go to the provenance as they are.
    InputError where a table lacks a column or holds too little, or where no threshold gives the precision.
    """
    if held_out is None and (settings.needs_labels or sample is None):
        raise InputError("fitting probabilities, a logistic or a precision needs held-out documents with labels")
    labelled = None if held_out is None else _labelled(held_out, settings, positive, seed)
    corpus = None if sample is None else complete(sample, settings.signals, settings.columns, "sampled")
    with one_thread():
        combination = _fitted(settings, labelled, corpus)
        crossed = None if labelled is None else _cross_fitted(settings, labelled, corpus)
    found = {} if crossed is None else _figures(settings, crossed)
    notes = _contrary(settings, found)
    thresholds = _thresholds(settings, combination, labelled, crossed, corpus, notes)
    provenance = Provenance(
        method=_method(settings, corpus is not None),
        documents=_counts(held_out, labelled, sample, corpus),
        digests=dict(digests or {}),
        notes=tuple(notes),
        figures=found,
    )
    parts = {"veto": settings.veto, "thresholds": thresholds, "provenance": provenance}
    whole = Combination.model_validate(combination.model_copy(update=parts).model_dump())
    return Calibrated(whole, None if crossed is None else crossed.table)


class _Labelled(NamedTuple):
    """Held-out documents: every score is there."""

    table: pa.Table
    truth: Mask
    fold: NDArray[np.int64]

    def of(self, rows: Mask) -> _Labelled:
        return _Labelled(self.table.filter(pa.array(rows)), self.truth[rows], self.fold[rows])


def _labelled(held_out: pa.Table, settings: CalibrationSettings, positive: str, seed: int) -> _Labelled:
    table = complete(held_out, settings.signals, ("label", "group", *settings.columns), "held-out")
    found = _Labelled(table, is_positive(table, positive), folds(table, settings.num_folds, seed))
    numbers = np.unique(found.fold).tolist()
    if settings.combine == "logistic" and len(numbers) < 3:
        raise InputError(
            f"a logistic wants held-out documents in 3 folds at least, and groups fill {len(numbers)} of "
            f"{settings.num_folds}. Give documents of more groups, or combine by mean"
        )
    for number in numbers:
        others = found.truth[found.fold != number]
        if others.all() or not others.any():
            raise InputError(
                f"there must be held-out documents with label {positive} and others, of many groups; there are "
                f"{labels_text(table)}, and outside of one fold of {settings.num_folds} all are of one kind"
            )
    return found


def _fitted(settings: CalibrationSettings, labelled: _Labelled | None, corpus: pa.Table | None) -> Combination:
    """Inputs and how they are combined, without thresholds. `corpus` None: the labelled documents stand for it."""
    inputs = tuple(_input(one, settings, labelled, corpus) for one in settings.inputs)
    if settings.combine != "logistic":
        return Combination(
            by=settings.by, inputs=inputs, combine={"mean": Mean, "max": Highest, "min": Lowest}[settings.combine]()
        )
    assert labelled is not None
    values = np.zeros((len(labelled.truth), len(inputs)))
    for number in np.unique(labelled.fold).tolist():  # calibrated by what has not seen them, as scores will be
        inside = labelled.fold == number
        rest = labelled.of(~inside)
        for place, one in enumerate(settings.inputs):
            values[inside, place] = _values(_input(one, settings, rest, corpus), labelled.of(inside).table, settings)
    learned = fit_logistic(values, labelled.truth, labelled.fold)
    return Combination(by=settings.by, inputs=inputs, combine=learned)


def _input(
    one: ScoreSettings, settings: CalibrationSettings, labelled: _Labelled | None, corpus: pa.Table | None
) -> Input:
    how = _calibration(one, settings, labelled, corpus)
    return Input(signal=one.signal, more_is_better=one.more_is_better, calibration=how)


def _calibration(
    one: ScoreSettings, settings: CalibrationSettings, labelled: _Labelled | None, corpus: pa.Table | None
) -> Calibration:
    if one.calibration == "none":
        return Raw()
    if one.calibration == "ranks":
        table = corpus if corpus is not None else _known(labelled).table
        scores = _column(table, one.signal)
        own = {
            name: fit_ranks(scores[rows], settings.num_knots, one.more_is_better)
            for name, rows in _groups(table, settings)
        }
        return Ranks(groups=own, pooled=fit_ranks(scores, settings.num_knots, one.more_is_better))
    known = _known(labelled)
    scores = _column(known.table, one.signal)
    return (
        fit_isotonic(scores, known.truth, one.more_is_better)
        if one.calibration == "isotonic"
        else fit_platt(scores, known.truth, one.more_is_better)
    )


def _cross_fitted(settings: CalibrationSettings, labelled: _Labelled, corpus: pa.Table | None) -> _Labelled:
    """The documents with each one's calibrated inputs and `score` by what was fitted without its group."""
    parts = []
    for number in np.unique(labelled.fold).tolist():
        inside = labelled.fold == number
        held = labelled.of(inside)
        combination = _fitted(settings, labelled.of(~inside), corpus)
        found = combined(as_signals(held.table, settings.signals, settings.by), combination)
        table = held.table.append_column("score", found.field("score"))
        for one in combination.inputs:
            table = table.append_column(one.name, found.field(one.name))
        parts.append(held._replace(table=table.append_column("fold", pa.array(held.fold))))
    tables, truths, numbers = zip(*parts, strict=True)
    return _Labelled(pa.concat_tables(tables), np.concatenate(truths), np.concatenate(numbers))


def _thresholds(
    settings: CalibrationSettings,
    combination: Combination,
    labelled: _Labelled | None,
    crossed: _Labelled | None,
    corpus: pa.Table | None,
    notes: list[str],
) -> Thresholds:
    if settings.target is None:
        return Thresholds()
    if settings.target.top_frac is not None:
        table = corpus if corpus is not None else _known(labelled).table
        return _by_share(settings, table, _scores(combination, table, settings), settings.target.top_frac)
    assert settings.target.precision is not None
    return _by_precision(settings, _known(crossed), settings.target.precision, settings.target.sure, notes)


def _contrary(settings: CalibrationSettings, figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Notes on scores that say the opposite of what is stated: no say as probabilities, harm as ranks."""
    found = [(one, figures.get(one.signal, {}).get("roc_auc_before", 1.0)) for one in settings.inputs]
    return [
        f"{one.signal}: more_is_better: {str(one.more_is_better).lower()} ranks documents the wrong way round "
        f"(ROC-AUC {area:.3f}). Turn it round, or leave the score out"
        for one, area in found
        if area < 0.5
    ]


def _by_precision(
    settings: CalibrationSettings, crossed: _Labelled, target: float, sure: bool, notes: list[str]
) -> Thresholds:
    scores = _column(crossed.table, "score")

    def lowest(rows: Mask) -> float | None:
        return threshold_for_precision(ranked(scores[rows], crossed.truth[rows]), target, sure=sure)

    pooled = lowest(np.ones(len(scores), bool))
    if pooled is None:
        raise InputError(
            f"no threshold of the combined score gives a precision of {target:g} on the {len(scores):,} held-out "
            "documents. Ask for less, or give better scores or more documents"
        )
    own: dict[str, float] = {}
    for name, rows in _groups(crossed.table, settings):
        found = lowest(rows)
        if found is None:
            notes.append(
                f"{name}: no threshold gives a precision of {target:g} on {int(rows.sum()):,} documents; only what "
                "scores as high as the best of them is kept"
            )
        own[name] = float(scores[rows].max()) if found is None else found
    return Thresholds(groups=own, pooled=pooled)


def _by_share(settings: CalibrationSettings, table: pa.Table, scores: Floats, share: float) -> Thresholds:
    """The score of the last document that belongs to the share; documents of the same score are kept with it."""

    def last(rows: Mask) -> float:
        found = np.sort(scores[rows])[::-1]
        return float(found[math.ceil(share * len(found)) - 1])

    own = {name: last(rows) for name, rows in _groups(table, settings)}
    return Thresholds(groups=own, pooled=last(np.ones(len(scores), bool)))


def _groups(table: pa.Table, settings: CalibrationSettings) -> list[tuple[str, Mask]]:
    """Groups that are large enough for a fit of their own, and their rows."""
    if settings.by == "none":
        return []
    names = table[settings.by].cast(pa.string())
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(names).to_pylist()}
    large = sorted(name for name, count in counts.items() if name is not None and count >= settings.min_group_documents)
    return [(name, pc.fill_null(pc.equal(names, name), False).to_numpy()) for name in large]


def _figures(settings: CalibrationSettings, crossed: _Labelled) -> dict[str, dict[str, float]]:
    """How well each score, before and after, and the combination tell the kinds apart; of those that are defined."""
    found: dict[str, dict[str, float]] = {}
    for one in settings.inputs:
        raw = _column(crossed.table, one.signal) * (1 if one.more_is_better else -1)
        values = _column(crossed.table, one.signal.replace(".", "_"))
        is_probability = one.calibration in NEEDS_LABELS
        before, after = ranked(raw, crossed.truth), ranked(values, crossed.truth, calibrated=is_probability)
        found[one.signal] = {**_named(before, "_before"), **_named(after, "_after")}
    is_probability = settings.combine == "logistic" or all(one.calibration in NEEDS_LABELS for one in settings.inputs)
    scores = ranked(_column(crossed.table, "score"), crossed.truth, calibrated=is_probability)
    return {**found, "combined": _named(scores, "")}


def _named(examples: Ranked, suffix: str) -> dict[str, float]:
    values = dict(zip(FIGURES, figures(examples, 0.5).tolist(), strict=True))
    return {f"{name}{suffix}": values[name] for name in _SHOWN if math.isfinite(values[name])}


def _method(settings: CalibrationSettings, has_sample: bool) -> str:
    inputs = ", ".join(f"{one.signal} by {one.calibration}" for one in settings.inputs)
    ranks = "the sample" if has_sample else "the held-out documents"
    return f"{settings.combine} of {inputs}; ranks and shares of {ranks}; figures by {settings.num_folds} folds"


def _counts(
    held_out: pa.Table | None, labelled: _Labelled | None, sample: pa.Table | None, corpus: pa.Table | None
) -> dict[str, int]:
    counts = {}
    if held_out is not None and labelled is not None:
        positive = int(labelled.truth.sum())
        counts = {"held_out": held_out.num_rows, "held_out_used": len(labelled.truth), "held_out_positive": positive}
    if sample is not None and corpus is not None:
        counts |= {"sampled": sample.num_rows, "sampled_used": corpus.num_rows}
    return counts


def _scores(combination: Combination, table: pa.Table, settings: CalibrationSettings) -> Floats:
    found = combined(as_signals(table, settings.signals, settings.by), combination)
    return np.asarray(found.field("score").to_numpy(zero_copy_only=False))


def _values(one: Input, table: pa.Table, settings: CalibrationSettings) -> Floats:
    """The calibrated values of one score."""
    alone = Combination(by=settings.by, inputs=(one,))
    return _scores(alone, table, settings)


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].to_numpy(), np.float64)


def _known(labelled: _Labelled | None) -> _Labelled:
    assert labelled is not None, "`calibrate` has looked that labels are there"
    return labelled
