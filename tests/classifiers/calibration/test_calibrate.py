from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from classifiers.calibration.calibrate import calibrate
from classifiers.calibration.score_tables import as_signals, joined
from classifiers.calibration.settings import CalibrationSettings
from classifiers.evaluation.ranking import figures, ranked
from curate.errors import InputError
from curate.scoring.combination import Combination, combined

pytest.importorskip("sklearn")

GOOD, BAD, PLEASING = "linear_score.score", "perplexity.perplexity", "fasttext_score.score"


def held_out(count: int = 3000, seed: int = 0, **others: Any) -> pa.Table:
    """Documents of hosts, with three scores: overconfident, one of which less is better, and a weak one."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.4
    logit = 3.0 * truth + rng.normal(size=count) * 1.2 - 1.5
    columns = {
        "doc_id": [f"{number:06}" for number in range(count)],
        "label": np.where(truth, "positive", "other"),
        "group": [f"host{number}" for number in rng.integers(0, count // 4, count)],
        "language": np.where(rng.random(count) < 0.3, "zh", "en"),
        GOOD: 1 / (1 + np.exp(-4 * logit - 3)),
        BAD: np.exp(6 - truth + rng.normal(size=count)).astype(np.float32),
        PLEASING: truth * 0.3 + rng.random(count),
    }
    return pa.table({**columns, **others})


def settings(*inputs: tuple[str, str], **others: Any) -> CalibrationSettings:
    given = [{"signal": s, "calibration": how, "more_is_better": s != BAD} for s, how in inputs]
    return CalibrationSettings.model_validate({"inputs": given, **others})


def score(combination: Combination, table: pa.Table) -> np.ndarray:
    signals = [one.signal for one in combination.inputs]
    batch = as_signals(table, signals, combination.by)
    # A veto judges signals that the table need not have.
    return combined(batch, combination.model_copy(update={"veto": ()})).field("score").to_numpy(zero_copy_only=False)


def figure(name: str, scores: np.ndarray, table: pa.Table) -> float:
    from classifiers.evaluation.ranking import FIGURES

    truth = np.array(table["label"].to_pylist()) == "positive"
    return float(figures(ranked(scores, truth), 0.5)[FIGURES.index(name)])


@pytest.mark.parametrize("how", ["isotonic", "platt"])
def test_calibration_brings_an_overconfident_score_nearer_to_the_share_of_positives(how):
    found = calibrate(settings((GOOD, how)), held_out())
    own, fresh = found.combination.provenance.figures[GOOD], held_out(seed=1)
    for name in ("calibration_error", "brier"):
        assert own[f"{name}_after"] < own[f"{name}_before"]
        assert figure(name, score(found.combination, fresh), fresh) < own[f"{name}_before"]
    assert own["calibration_error_after"] < (0.03 if how == "isotonic" else 0.08)  # its logit is no straight line


def test_figures_are_of_documents_that_the_fit_has_not_seen():
    """Noise that a fit could learn by heart: isotonic on its own documents would look better than chance."""
    rng = np.random.default_rng(4)
    table = held_out(400, **{GOOD: rng.random(400)})
    found = calibrate(settings((GOOD, "isotonic")), table)
    assert figure("roc_auc", score(found.combination, table), table) > 0.54
    assert found.combination.provenance.figures["combined"]["roc_auc"] < 0.54


def test_no_group_is_on_both_sides_and_every_document_is_judged_once():
    table = held_out(500)
    crossed = calibrate(settings((GOOD, "isotonic")), table).cross_fitted
    assert crossed is not None
    assert sorted(crossed["doc_id"].to_pylist()) == table["doc_id"].to_pylist()
    folds = {}
    for group, fold in zip(crossed["group"].to_pylist(), crossed["fold"].to_pylist(), strict=True):
        assert folds.setdefault(group, fold) == fold


def test_a_learned_logistic_does_better_than_its_best_input():
    three = ((GOOD, "isotonic"), (BAD, "isotonic"), (PLEASING, "isotonic"))
    found = calibrate(settings(*three, combine="logistic"), held_out())
    best = max(found.combination.provenance.figures[name]["roc_auc_after"] for name in (GOOD, BAD, PLEASING))
    assert found.combination.provenance.figures["combined"]["roc_auc"] > best
    fresh = held_out(seed=1)
    combined_scores = score(found.combination, fresh)
    assert figure("roc_auc", combined_scores, fresh) > best
    assert figure("calibration_error", combined_scores, fresh) < 0.04


def test_the_mean_of_ranks_needs_no_labels():
    sample = held_out().drop_columns(["label", "group"])
    ranks = settings((GOOD, "ranks"), (BAD, "ranks"), by="language")
    found = calibrate(ranks, None, sample)
    assert found.cross_fitted is None
    table = held_out(seed=1)
    mean = score(found.combination, table)
    by_hand = np.zeros(table.num_rows)
    language = np.array(table["language"].to_pylist())
    for name, sign in ((GOOD, 1), (BAD, -1)):
        for own in ("en", "zh"):
            known = np.sort(sign * sample.filter(pa.compute.field("language") == own)[name].to_numpy())
            rows = language == own
            by_hand[rows] += np.searchsorted(known, sign * table[name].to_numpy()[rows]) / len(known) / 2
    assert np.abs(mean - by_hand).max() < 0.01


def test_a_share_of_the_sample_is_kept_in_each_language():
    sample = held_out()
    what = settings((GOOD, "ranks"), (PLEASING, "ranks"), by="language", target={"top_frac": 0.1})
    combination = calibrate(what, None, sample).combination
    kept = score(combination, sample)
    for language in ("en", "zh"):
        rows = np.array(sample["language"].to_pylist()) == language
        threshold = combination.thresholds.groups[language]
        assert (kept[rows] >= threshold).mean() == pytest.approx(0.1, abs=0.002)
        assert (kept[rows] == threshold).any()


@pytest.mark.parametrize(("share", "count"), [(0.1, 30), (0.1001, 31), (1.0, 300), (1e-9, 1)])
def test_a_share_is_of_whole_documents_rounded_up(share, count):
    sample = held_out(300)
    combination = calibrate(settings((GOOD, "none"), target={"top_frac": share}), None, sample).combination
    assert int((score(combination, sample) >= combination.thresholds.pooled).sum()) == count


@pytest.mark.parametrize("sure", [False, True])
def test_thresholds_give_the_precision_that_was_asked_for(sure):
    table = held_out()
    what = settings((GOOD, "isotonic"), by="language", target={"precision": 0.9, "sure": sure})
    found = calibrate(what, table)
    crossed = found.cross_fitted
    assert crossed is not None
    for language, threshold in found.combination.thresholds.groups.items():
        rows = (np.array(crossed["language"].to_pylist()) == language) & (crossed["score"].to_numpy() >= threshold)
        precision = (np.array(crossed["label"].to_pylist())[rows] == "positive").mean()
        assert precision >= (0.905 if sure else 0.9)
        assert precision < 0.95


def test_a_precision_that_none_gives_is_an_error_and_of_one_group_a_note():
    table = held_out(1000, **{GOOD: np.random.default_rng(0).random(1000)})
    with pytest.raises(InputError, match=r"no threshold of the combined score gives a precision of 0\.99"):
        calibrate(settings((GOOD, "platt"), target={"precision": 0.99, "sure": True}), table)
    good = held_out(2000)
    bad_language = good.filter(pa.compute.field("language") == "zh")
    noise = pa.array(np.random.default_rng(0).random(bad_language.num_rows))
    bad_language = bad_language.set_column(bad_language.schema.get_field_index(GOOD), GOOD, noise)
    mixed = pa.concat_tables([good.filter(pa.compute.field("language") == "en"), bad_language])
    what = settings((GOOD, "isotonic"), by="language", target={"precision": 0.9, "sure": True})
    found = calibrate(what, mixed)
    crossed = found.cross_fitted
    assert crossed is not None
    best = crossed.filter(pa.compute.field("language") == "zh")["score"].to_numpy().max()
    assert found.combination.thresholds.groups["zh"] == best
    assert "zh: no threshold gives a precision of 0.9" in found.combination.provenance.notes[-1]


@pytest.mark.parametrize(("smallest", "groups"), [(300, {"en", "zh"}), (301, {"en"})])
def test_a_group_of_the_smallest_size_has_its_own_fit_and_a_smaller_one_the_pooled(smallest, groups):
    language = np.where(np.arange(1000) < 300, "zh", "en")
    what = settings((GOOD, "ranks"), by="language", min_group_documents=smallest, target={"top_frac": 0.5})
    combination = calibrate(what, held_out(1000, language=language)).combination
    assert set(combination.inputs[0].groups) == set(combination.thresholds.groups) == groups


def test_rows_without_a_score_are_left_out_and_counted():
    table = held_out(1000)
    values = table[GOOD].to_pylist()
    values[:3] = [None, float("nan"), float("inf")]
    table = table.set_column(table.schema.get_field_index(GOOD), GOOD, pa.array(values))
    documents = calibrate(settings((GOOD, "isotonic")), table).combination.provenance.documents
    assert (documents["held_out"], documents["held_out_used"]) == (1000, 997)


def test_the_same_tables_give_the_same_file():
    what = settings((GOOD, "isotonic"), (BAD, "ranks"), combine="logistic", veto=[{"signal": "x.y", "at_most": 1}])
    first, second = (calibrate(what, held_out(800), digests={"held_out": "ab"}).combination for _ in range(2))
    assert first.to_json() == second.to_json()
    assert Combination.model_validate_json(first.to_json()) == first
    assert first.veto[0].signal == "x.y"


@pytest.mark.parametrize("how", ["platt", "isotonic", "ranks"])
def test_of_a_score_that_says_the_opposite_a_note_tells_and_as_a_probability_it_has_no_say(how):
    turned = {"inputs": [{"signal": BAD, "calibration": how, "more_is_better": True}]}
    combination = calibrate(CalibrationSettings.model_validate(turned), held_out()).combination
    [note] = combination.provenance.notes
    assert note.startswith(
        "perplexity.perplexity: more_is_better: true ranks documents the wrong way round (ROC-AUC 0.2"
    )
    area = combination.provenance.figures["combined"]["roc_auc"]
    assert (area < 0.3) == (how == "ranks")
    if how == "platt":
        assert np.ptp(score(combination, held_out())) == 0


def test_labels_may_be_numbers_judged_at_a_cut():
    table = held_out(1000)
    truth = np.array(table["label"].to_pylist()) == "positive"
    numbers = table.set_column(1, "label", pa.array(np.where(truth, "3.5", "2.9")))
    what = settings((GOOD, "isotonic"))
    assert calibrate(what, numbers, positive=">=3").combination.inputs == calibrate(what, table).combination.inputs


@pytest.mark.parametrize(
    ("what", "table", "message"),
    [
        (settings((GOOD, "isotonic")), None, "needs held-out documents with labels"),
        (settings((GOOD, "isotonic")), held_out(9).drop_columns([GOOD]), "lack the column linear_score.score"),
        (settings((GOOD, "isotonic"), by="source"), held_out(9), "lack the column source"),
        (settings((GOOD, "isotonic")), held_out(20, group=["one"] * 20), "all are of one kind"),
        (settings((GOOD, "platt")), held_out(20, label=["positive"] * 20), "20 positive"),
        (settings((GOOD, "none")), held_out(9, **{GOOD: [None] * 9}), "none of the 9 held-out documents"),
    ],
)
def test_what_does_not_do_is_said(what, table, message):
    with pytest.raises(InputError, match=message):
        calibrate(what, table)


@pytest.mark.parametrize("target", [{}, {"precision": 0.9, "top_frac": 0.1}, {"precision": 1.1}, {"top_frac": 0}])
def test_a_target_is_one_share(target):
    with pytest.raises(ValueError, match=r"target|less than|greater than"):
        settings((GOOD, "none"), target=target)


def one_model(ids: list[str], labels: list[str], scores: list[float]) -> pa.Table:
    return pa.table({"doc_id": ids, "label": labels, "group": ids, "score": scores})


def test_tables_of_several_models_are_joined_on_documents_that_all_have():
    a = one_model(["1", "2", "3"], ["x", "y", "x"], [0.1, 0.2, 0.3])
    b = one_model(["3", "2", "4"], ["x", "y", "x"], [30.0, 20.0, 40.0])
    found = joined({GOOD: a, BAD: b})
    assert found.select(["doc_id", "label", GOOD, BAD]).to_pylist() == [
        {"doc_id": "2", "label": "y", GOOD: 0.2, BAD: 20.0},
        {"doc_id": "3", "label": "x", GOOD: 0.3, BAD: 30.0},
    ]


def test_tables_that_do_not_fit_together_are_refused():
    a = one_model(["1", "2"], ["x", "y"], [0.1, 0.2])
    with pytest.raises(InputError, match=r"1 documents have one label .* the first is 2"):
        joined({GOOD: a, BAD: one_model(["1", "2"], ["x", "x"], [0.1, 0.2])})
    with pytest.raises(InputError, match="no document is held out for all"):
        joined({GOOD: a, BAD: one_model(["5"], ["x"], [0.1])})
    with pytest.raises(InputError, match="has a document twice"):
        joined({GOOD: a, BAD: one_model(["1", "1"], ["x", "x"], [0.1, 0.2])})


def test_a_logistic_wants_three_folds():
    parts = [(GOOD, "isotonic"), (PLEASING, "isotonic")]
    with pytest.raises(ValueError, match="num_folds is 3 at least"):
        settings(*parts, combine="logistic", num_folds=2)
    three = settings(*parts, combine="logistic", num_folds=3)
    calibrate(three, held_out(600))
    with pytest.raises(InputError, match=r"3 folds at least, and groups fill [12] of 3"):
        calibrate(three, held_out(600, group=[f"host{number % 2}" for number in range(600)]))
