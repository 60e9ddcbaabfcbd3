"""Figures from sorted scores equal those counted pair by pair, and scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.evaluation.ranking import (
    FIGURES,
    MAX_EXCESS,
    best_f1_threshold,
    best_macro_f1_threshold,
    bin_of,
    confusion,
    curve,
    figures,
    ranked,
    threshold_for_precision,
    wilson,
)

# Few distinct scores, so that ties are common.
EXAMPLES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.booleans()), max_size=40)
BOTH_KINDS = EXAMPLES.filter(lambda rows: len({positive for _, positive in rows}) == 2)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def of(rows, threshold=0.5, **more):
    scores, positive = [row[0] for row in rows], [row[1] for row in rows]
    return dict(zip(FIGURES, figures(ranked(scores, positive, **more), threshold).tolist(), strict=True))


def same(a, b):
    return a == pytest.approx(b, abs=1e-12, nan_ok=True)


@given(BOTH_KINDS)
def test_roc_auc_is_the_chance_that_a_positive_outscores_another(rows):
    pairs = [(p, n) for p, yes in rows if yes for n, other in rows if not other]
    wins = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs)
    assert same(of(rows)["roc_auc"], wins / len(pairs))


@given(BOTH_KINDS)
def test_average_precision_sums_precision_over_steps_of_recall(rows):
    num_positive = sum(yes for _, yes in rows)
    total, before = 0.0, 0.0
    for threshold in sorted({score for score, _ in rows}, reverse=True):
        called = [yes for score, yes in rows if score >= threshold]
        recall = sum(called) / num_positive
        total += (recall - before) * sum(called) / len(called)
        before = recall
    assert same(of(rows)["average_precision"], total)


@given(BOTH_KINDS, st.sampled_from([0.0, 0.25, 0.5, 0.6, 1.0, 2.0]))
def test_figures_are_those_of_scikit_learn(rows, threshold):
    metrics = pytest.importorskip("sklearn.metrics")
    scores, truth = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    called, found = scores >= threshold, of(rows, threshold)
    assert same(found["roc_auc"], metrics.roc_auc_score(truth, scores))
    assert same(found["average_precision"], metrics.average_precision_score(truth, scores))
    assert same(found["brier"], metrics.brier_score_loss(truth, scores))
    assert same(found["accuracy"], metrics.accuracy_score(truth, called))
    assert same(found["recall"], metrics.recall_score(truth, called))
    assert same(found["f1"], metrics.f1_score(truth, called))
    assert same(found["macro_f1"], metrics.f1_score(truth, called, average="macro"))
    assert same(found["precision"], metrics.precision_score(truth, called) if called.any() else float("nan"))


@given(BOTH_KINDS, st.data())
def test_weights_count_an_example_as_often_as_it_were_there(rows, data):
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    repeated = [row for row, count in zip(rows, times, strict=True) for _ in range(count)]
    examples = ranked([row[0] for row in rows], [row[1] for row in rows], range(len(rows)))
    weighted = figures(examples, 0.5, np.array(times, np.float64)[examples.group])
    if repeated:
        assert same(weighted.tolist(), list(of(repeated).values()))
    else:
        assert np.isnan(weighted).all()


@given(EXAMPLES, st.randoms(use_true_random=False))
def test_order_of_examples_does_not_matter(rows, random):
    mixed = random.sample(rows, len(rows))
    assert same(list(of(mixed).values()), list(of(rows).values()))


@given(EXAMPLES, st.sampled_from([0.0, 0.25, 0.5, 0.6, 2.0]))
def test_confusion_counts_a_score_on_the_threshold_as_called(rows, threshold):
    examples = ranked([row[0] for row in rows], [row[1] for row in rows])
    kinds = [(yes, score >= threshold) for score, yes in rows]
    wanted = [(True, True), (False, True), (True, False), (False, False)]
    assert list(confusion(examples, threshold)) == [kinds.count(kind) for kind in wanted]


def test_calibration_error_is_the_mean_gap_of_bins():
    # Bin of 0.1: mean score 0.1, none positive. Bin of 0.9: 0.9, of which 2 of 4 are. Weights 2/6 and 4/6.
    rows = [(0.1, False)] * 2 + [(0.9, True), (0.9, False)] * 2
    assert same(of(rows)["calibration_error"], 2 / 6 * 0.1 + 4 / 6 * 0.4)
    assert bin_of(np.array([0.0, 1 / 15 - 1e-9, 1 / 15, 1.0])).tolist() == [0, 0, 1, 14]


@pytest.mark.parametrize(
    ("rows", "undefined"),
    [
        ([], set(FIGURES)),
        ([(0.9, True), (0.2, True)], {"roc_auc"}),
        ([(0.9, False), (0.2, False)], {"recall", "roc_auc", "average_precision"}),
        ([(0.2, True), (0.1, False)], {"precision"}),
        ([(7.0, True), (0.1, False)], {"brier", "calibration_error"}),
        ([(float("inf"), True), (-float("inf"), False)], {"brier", "calibration_error"}),
    ],
)
def test_what_is_not_defined_is_nan_and_nothing_else_is(rows, undefined):
    assert {name for name, value in of(rows).items() if np.isnan(value)} == undefined


def test_kinds_that_neither_are_nor_are_called_have_no_part_in_macro_f1():
    assert of([(0.9, True)])["macro_f1"] == 1.0
    assert of([(0.9, True), (0.1, True)])["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_scores_that_are_no_probabilities_can_be_said_to_be_none():
    assert np.isnan(of([(0.9, True), (0.1, False)], calibrated=False)["brier"])


def test_a_score_that_is_not_a_number_has_no_rank():
    with pytest.raises(ValueError, match="not a number"):
        ranked([0.5, float("nan")], [True, False])


@given(BOTH_KINDS)
def test_the_best_thresholds_are_best_of_all_and_the_highest_such(rows):
    examples = ranked([row[0] for row in rows], [row[1] for row in rows])
    thresholds = sorted({score for score, _ in rows}, reverse=True)
    for name, best in (("f1", best_f1_threshold(examples)), ("macro_f1", best_macro_f1_threshold(examples))):
        values = [of(rows, threshold)[name] for threshold in thresholds]
        found = of(rows, best)[name]
        assert same(found, max(values))
        assert all(
            value < found + 1e-12 for threshold, value in zip(thresholds, values, strict=True) if threshold > best
        )


def test_without_a_kind_there_is_no_best_threshold():
    assert best_f1_threshold(ranked([0.5], [False])) is None
    assert best_f1_threshold(ranked([], [])) is None
    assert best_macro_f1_threshold(ranked([0.5, 0.7], [True, True])) is None


@given(EXAMPLES, st.sampled_from([0.25, 0.5, 2 / 3, 0.9, 1.0]))
def test_the_threshold_for_a_precision_is_the_lowest_that_reaches_it(rows, target):
    examples = ranked([row[0] for row in rows], [row[1] for row in rows])
    reaching = []
    for threshold in {score for score, _ in rows}:
        called = [yes for score, yes in rows if score >= threshold]
        if sum(called) / len(called) >= target:
            reaching.append(threshold)
    assert threshold_for_precision(examples, target) == (min(reaching) if reaching else None)


def test_a_precision_on_the_bound_is_reached_and_one_below_it_is_not():
    nine_of_ten = ranked([0.5] * 10, [True] * 9 + [False])
    assert threshold_for_precision(nine_of_ten, 0.9) == 0.5
    assert threshold_for_precision(nine_of_ten, 0.9 + 1e-9) is None


def test_a_sure_threshold_is_not_taken_in_by_a_lucky_top():
    rows = [(0.9, True)] * 3 + [(0.5, True)] * 400 + [(0.4, False)] * 10
    examples = ranked([row[0] for row in rows], [row[1] for row in rows])
    assert threshold_for_precision(examples, 0.98, sure=True) == 0.5
    assert threshold_for_precision(ranked([0.9] * 3 + [0.1], [True] * 3 + [False]), 0.8, sure=True) is None


def test_wilson_intervals():
    low, high = wilson([0, 5, 10, 0], [10, 10, 10, 0])
    assert low.tolist() == pytest.approx([0.0, 0.2366, 0.7225, 0.0], abs=1e-4)  # Wilson's formula by hand
    assert high.tolist() == pytest.approx([0.2775, 0.7634, 1.0, 1.0], abs=1e-4)


@given(BOTH_KINDS)
def test_a_short_curve_has_every_threshold(rows):
    scores, truth = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    points = curve(ranked(scores, truth))
    assert [point.threshold for point in points] == sorted(set(scores.tolist()), reverse=True)
    for point in points:
        called = scores >= point.threshold
        assert same(point.recall, (called & truth).sum() / truth.sum())
        assert same(point.false_positive_rate, (called & ~truth).sum() / (~truth).sum())
        assert same(point.precision, (called & truth).sum() / called.sum())


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    draw = np.random.default_rng(3)
    scores = draw.permutation(np.arange(5000) / 5000)
    points = curve(ranked(scores, draw.random(5000) < scores), max_points=100)
    assert 50 <= len(points) <= 102
    assert points[0].threshold == scores.max()
    assert points[-1].threshold == scores.min()
    assert np.diff([point.recall for point in points]).max() < 0.05


def test_a_curve_needs_both_kinds():
    assert curve(ranked([], [])) == curve(ranked([0.5], [True])) == curve(ranked([0.5], [False])) == []


def test_a_probability_may_be_a_little_above_one_as_that_of_fasttext_is():
    on_one, above = [(1.0, True), (0.2, False)], [(1.00001, True), (0.2, False)]
    for name in ("brier", "calibration_error"):
        assert same(of(above)[name], of(on_one)[name])
    assert ranked([1 + MAX_EXCESS], [True]).is_probability
    assert not ranked([1 + 2 * MAX_EXCESS], [True]).is_probability
    assert bin_of(np.array([1.00001])).tolist() == [14]
