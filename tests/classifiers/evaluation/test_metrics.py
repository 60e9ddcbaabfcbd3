"""An evaluation says what a table of scored examples shows, and no more."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import MAJORITY, MAX_GROUPS, evaluate, is_called, is_positive, plain
from classifiers.evaluation.ranking import Confusion
from curate.errors import InputError


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def held_out(rows, **columns):
    """Rows of (label, score); each a group of its own."""
    labels, scores = [row[0] for row in rows], [row[1] for row in rows]
    table = {
        "doc_id": pa.array([f"{i:04}" for i in range(len(rows))], pa.string()),
        "label": pa.array(labels, pa.string()),
        "group": pa.array([str(i) for i in range(len(rows))], pa.string()),
        "language": pa.nulls(len(rows), pa.string()),
        "source": pa.array(["a"] * len(rows), pa.string()),
        "score": pa.array(scores, pa.float64()),
    }
    return pa.table({**table, **columns})


SEPARATE = [("spam", 0.9), ("spam", 0.6), ("spam", 0.4), ("ham", 0.5), ("ham", 0.1), ("ham", 0.2)]


def test_figures_are_of_the_positive_label_at_half_of_a_probability():
    found = evaluate(held_out(SEPARATE), "spam")
    assert (found.num_examples, found.num_positive, found.num_groups) == (6, 3, 6)
    assert (found.threshold, found.threshold_from) == (0.5, "half of a probability")
    assert found.confusion == Confusion(2, 1, 1, 2)  # 0.5 is on the bound, and called
    assert found.figures["precision"].value == found.figures["recall"].value == pytest.approx(2 / 3)
    assert found.figures["roc_auc"].value == pytest.approx(8 / 9)


def test_a_threshold_that_is_given_is_taken():
    found = evaluate(held_out(SEPARATE), "spam", 0.3)
    assert (found.threshold, found.threshold_from) == (0.3, "given")
    assert found.confusion == Confusion(3, 1, 0, 2)


def test_scores_that_are_no_probabilities_take_the_best_threshold():
    found = evaluate(held_out([(label, 10 * score) for label, score in SEPARATE]), "spam")
    assert (found.threshold, found.threshold_from) == (6.0, "best F1 of both kinds on these examples")
    assert found.figures["brier"] == Figure(None)
    assert found.reliability == ()


def test_where_less_is_better_the_threshold_bounds_from_above():
    """The same examples, scored by something like perplexity."""
    ours = evaluate(held_out([(label, 100 - 50 * score) for label, score in SEPARATE]), "spam", more_is_better=False)
    same = evaluate(held_out(SEPARATE), "spam", 0.6)
    assert ours.threshold == 100 - 50 * 0.6
    assert ours.confusion == same.confusion
    assert ours.figures["roc_auc"] == same.figures["roc_auc"]
    assert [point.threshold for point in ours.curve] == [100 - 50 * point.threshold for point in same.curve]
    assert is_called(ours, np.array([70.0, 70.1, math.nan])).tolist() == [True, False, False]
    assert ours.histogram.edges[0] > 50


def test_examples_without_a_score_are_counted_and_left_out():
    rows = [*SEPARATE, ("spam", None), ("ham", math.nan)]
    found = evaluate(held_out(rows), "spam")
    assert found.num_without_score == 2
    assert found._replace(num_without_score=0) == evaluate(held_out(SEPARATE), "spam")


def test_the_majority_class_is_a_baseline():
    rows = [("spam", 0.9)] + [("ham", 0.1)] * 3
    (majority,) = evaluate(held_out(rows), "spam").baselines
    assert majority.name == MAJORITY
    values = {name: one.value for name, one in majority.figures.items()}
    assert values["accuracy"] == 0.75
    assert values["roc_auc"] == 0.5
    assert values["average_precision"] == 0.25
    assert values["macro_f1"] == pytest.approx((0 + 6 / 7) / 2)
    assert values["precision"] is None
    assert majority.ahead["accuracy"].value == 0.25


def test_a_baseline_is_judged_at_its_best_and_by_difference():
    words = pa.array([3, 2, 0, 0, 0, None], pa.int64())
    baseline = evaluate(held_out(SEPARATE, words=words), "spam", baseline="words").baselines[1]
    assert (baseline.name, baseline.threshold) == ("words", 2.0)
    assert baseline.figures["precision"].value == 1.0
    assert baseline.figures["recall"].value == pytest.approx(2 / 3)
    assert baseline.figures["brier"] == Figure(None)
    assert baseline.ahead["precision"].value == pytest.approx(2 / 3 - 1)


def test_a_baseline_with_the_same_scores_is_as_good_in_every_draw():
    table = held_out(SEPARATE * 5)
    found = evaluate(table.append_column("same", table["score"]), "spam", 0.6, "same")
    assert found.baselines[1].threshold == 0.6
    assert found.baselines[1].ahead["roc_auc"] == Figure(0.0, 0.0, 0.0)
    assert found.baselines[1].ahead["f1"] == Figure(0.0, 0.0, 0.0)


def test_thresholds_say_what_they_give_or_that_there_is_none():
    rows = [("ham", 0.95), ("spam", 0.9), ("spam", 0.8), ("spam", 0.7), ("ham", 0.1)]
    found = {row.name: row for row in evaluate(held_out(rows), "spam", targets=(0.75, 0.9)).thresholds}
    assert found["precision 0.75"].threshold == 0.7
    assert (found["precision 0.75"].precision, found["precision 0.75"].recall) == (0.75, 1.0)
    assert found["precision 0.75"].called_frac == 0.8
    assert found["precision 0.75"].precision_low < 0.75
    assert found["precision 0.9"] == ("precision 0.9", None, None, None, None, None, None)
    assert found["precision 0.75, sure"].threshold is None
    assert found["best F1"].threshold == found["best macro-F1"].threshold == 0.7


def test_groups_are_judged_apart_with_the_same_threshold():
    languages = pa.array(["en", "en", "zh", "zh", "zh", None])
    found = evaluate(held_out(SEPARATE, language=languages), "spam")
    assert list(found.by) == ["language"]  # one source says no more than all
    chinese, english = found.by["language"]
    assert (chinese.name, chinese.num_examples, chinese.num_positive) == ("zh", 3, 1)
    assert chinese.confusion == Confusion(0, 1, 1, 1)
    assert english.confusion == Confusion(2, 0, 0, 0)
    assert english.called.value == 1.0
    assert english.figures["roc_auc"] == Figure(None)


def test_only_the_largest_groups_are_listed():
    names = [f"s{i}" for i in range(MAX_GROUPS + 5)]
    rows = [("spam", 0.5)] * (len(names) + 1)
    found = evaluate(held_out(rows, source=pa.array([*names, "s9"])), "spam").by["source"]
    assert len(found) == MAX_GROUPS
    assert found[0].name == "s9"


def test_labels_of_several_kinds_are_categories():
    rows = [("hate", 0.9), ("hate", 0.2), ("rude", 0.8), ("fine", 0.1)]
    shares = {row.name: row.called.value for row in evaluate(held_out(rows), "hate").by["category"]}
    assert shares == {"hate": 0.5, "rude": 1.0, "fine": 0.0}
    own = evaluate(held_out(rows, category=pa.array(["x", "x", "x", "y"])), "hate").by["category"]
    assert [(row.name, row.num_examples) for row in own] == [("x", 3), ("y", 1)]


def test_folds_are_judged_apart():
    found = evaluate(held_out(SEPARATE, fold=pa.array([0, 0, 1, 0, 1, 1])), "spam").folds
    assert found.num_folds == 2
    assert [fold["accuracy"] for fold in found.by_fold] == pytest.approx([2 / 3, 2 / 3])
    assert found.figures["accuracy"].value == pytest.approx(2 / 3)
    assert [fold["precision"] for fold in found.by_fold] == [pytest.approx(2 / 3), None]
    assert evaluate(held_out(SEPARATE, fold=pa.array([4] * 6)), "spam").folds is None


def test_reliability_and_histogram_count_every_example():
    found = evaluate(held_out(SEPARATE * 3), "spam")
    assert sum(one.num_examples for one in found.reliability) == 18
    assert (sum(found.histogram.positive), sum(found.histogram.others)) == (9, 9)
    assert (found.histogram.edges[0], found.histogram.edges[-1]) == (0.0, 1.0)


def test_a_predicted_class_is_judged_too():
    found = evaluate(held_out(SEPARATE, predicted=pa.array(["spam", "spam", "ham", "ham", "ham", "spam"])), "spam")
    assert found.classes.figures["accuracy"].value == pytest.approx(4 / 6)
    assert evaluate(held_out(SEPARATE), "spam").classes is None


def test_numbers_are_positive_from_a_bound_on_and_a_regression_as_well():
    rows = [("0", 0.3), ("1", 2.0), ("3", 2.9), ("3.5", 3.0), ("5", 4.0)]
    found = evaluate(held_out(rows), ">=3")
    assert is_positive(held_out(rows), ">=3").tolist() == [False, False, True, True, True]
    assert (found.threshold, found.threshold_from) == (3.0, "the labels' bound")
    assert found.confusion == Confusion(2, 0, 1, 2)
    assert found.regression.figures["spearman"].value == pytest.approx(1.0)
    assert "category" not in found.by


@pytest.mark.parametrize("labels", [["high"], ["nan"], ["inf"]])
def test_a_label_that_is_no_number_is_refused_where_numbers_are_wanted(labels):
    with pytest.raises(InputError, match="labels of a regression"):
        evaluate(held_out([(label, 0.5) for label in labels]), ">=3")


@pytest.mark.parametrize(("positive", "threshold"), [(">=x", None), (">=", None), (">=nan", None), ("spam", math.nan)])
def test_what_is_no_bound_and_no_threshold_is_refused(positive, threshold):
    with pytest.raises(InputError):
        evaluate(held_out([("1", 0.5)]), positive, threshold)


def test_missing_columns_are_named():
    with pytest.raises(InputError, match="missing: score, words"):
        evaluate(held_out(SEPARATE).drop_columns(["score"]), "spam", baseline="words")


@pytest.mark.parametrize("rows", [[], [("spam", 0.9)], [("ham", 0.9)], [("ham", 0.5)] * 4, [("spam", 5.0)] * 4])
@pytest.mark.parametrize("more_is_better", [True, False])
def test_too_little_to_judge_is_judged_as_far_as_it_goes(rows, more_is_better):
    table = held_out(rows, fold=pa.array([0] * len(rows), pa.int64()), words=pa.array([0.0] * len(rows), pa.float64()))
    found = evaluate(table, "spam", None, "words", more_is_better=more_is_better)
    json.dumps(found.as_json(), allow_nan=False)
    assert found.figures["roc_auc"] == Figure(None)
    assert found.curve == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["spam", "ham", "other"]),
            st.one_of(st.none(), st.floats(), st.floats(0, 1), st.just(0.5)),
            st.sampled_from(["a", "b", "c"]),
        ),
        max_size=12,
    ),
    st.booleans(),
)
@settings(max_examples=12, deadline=None)
def test_any_scores_give_plain_json_and_counts_that_add_up(rows, more_is_better):
    table = held_out([row[:2] for row in rows], group=pa.array([row[2] for row in rows], pa.string()))
    found = evaluate(table, "spam", baseline="score", more_is_better=more_is_better)
    json.dumps(found.as_json(), allow_nan=False)
    assert sum(found.confusion) == found.num_examples == len(rows) - found.num_without_score
    for one in found.figures.values():
        assert one.value is None or 0 <= one.value <= 1
        assert one.low is None or one.low <= one.high


def test_the_same_examples_give_the_same_bytes():
    first, again = (json.dumps(evaluate(held_out(SEPARATE * 4), "spam", seed=3).as_json()) for _ in range(2))
    assert first == again
    assert first != json.dumps(evaluate(held_out(SEPARATE * 4), "spam", seed=4).as_json())


def test_columns_as_spark_writes_them_are_read():
    """Dictionaries, several chunks, other widths."""
    plainly = held_out([*SEPARATE, ("ham", None)] * 2, language=pa.array(["en", None] * 7))
    table = pa.concat_tables([plainly.slice(0, 5), plainly.slice(5)])
    for name in ("label", "group", "language", "source"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].dictionary_encode())
    table = table.set_column(table.schema.get_field_index("score"), "score", table["score"].cast(pa.float32()))
    narrow = plainly.set_column(plainly.schema.get_field_index("score"), "score", table["score"].cast(pa.float64()))
    assert evaluate(table, "spam") == evaluate(narrow, "spam")


def test_examples_without_a_group_are_one():
    assert evaluate(held_out(SEPARATE, group=pa.nulls(6, pa.string())), "spam").num_groups == 1


def test_plain_keeps_names_and_has_no_number_that_json_lacks():
    assert plain({"a": Figure(math.inf), "b": (1, [math.nan, "x"])}) == {
        "a": {"value": None, "low": None, "high": None},
        "b": [1, [None, "x"]],
    }


def test_a_probability_a_little_above_one_is_drawn_as_one():
    found = evaluate(held_out([*SEPARATE, ("spam", 1.00001)]), "spam")
    assert found.threshold_from == "half of a probability"
    assert found.reliability[-1][0] == 1.0
