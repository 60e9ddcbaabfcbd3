"""Several classes: precision, recall and F1 of each equal scikit-learn's, and the matrix holds every example."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.multi_class import MAX_CLASSES, OTHERS, multi_class

ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1, max_size=30)


def judged(rows, group=None):
    labels, predicted = (pa.chunked_array([pa.array([row[i] for row in rows], pa.string())]) for i in (0, 1))
    return multi_class(labels, predicted, np.zeros(len(rows), np.int64) if group is None else group, 0)


@pytest.mark.filterwarnings("ignore:A single label was found")  # of scikit-learn
@given(ROWS)
@settings(deadline=None)
def test_figures_are_those_of_scikit_learn(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, chosen = [row[0] for row in rows], [row[1] for row in rows]
    found = judged(rows)
    names = [row.name for row in found.classes]
    precision, recall, f1, size = metrics.precision_recall_fscore_support(
        truth, chosen, labels=names, zero_division=np.nan
    )
    for i, row in enumerate(found.classes):
        assert row.num_examples == size[i]
        for ours, theirs in zip(row[2:4], (precision[i], recall[i]), strict=True):
            assert (np.nan if ours is None else ours) == pytest.approx(theirs, nan_ok=True)
        assert row.f1 == pytest.approx(f1[i])
    assert found.confusion == tuple(map(tuple, metrics.confusion_matrix(truth, chosen, labels=names).tolist()))
    assert found.figures["accuracy"].value == pytest.approx(metrics.accuracy_score(truth, chosen))
    assert found.figures["macro_f1"].value == pytest.approx(metrics.f1_score(truth, chosen, average="macro"))


def test_intervals_hold_the_figure():
    rows = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c")] * 20
    found = judged(rows, np.arange(80)).figures["accuracy"]
    assert found.low < found.value < found.high
    assert judged(rows).figures["accuracy"] == Figure(0.75)  # one group has none


def test_classes_are_in_order_of_their_size():
    assert [row.name for row in judged([("b", "b"), ("b", "z"), ("a", "a"), ("c", "c")]).classes] == [
        "b",
        "a",
        "c",
        "z",
    ]


def test_rare_classes_beyond_the_bound_count_as_one():
    rows = [(f"{i:03}", f"{i:03}") for i in range(MAX_CLASSES + 10)] + [("000", "000")]
    found = judged(rows)
    assert len(found.classes) == MAX_CLASSES
    assert (found.classes[0].name, found.classes[-1].name) == ("000", OTHERS)
    assert found.classes[-1].num_examples == 11
    assert sum(map(sum, found.confusion)) == len(rows)


def test_no_examples_have_no_figures():
    found = judged([])
    assert found.figures == {"accuracy": Figure(None), "macro_f1": Figure(None)}
    assert found.classes == found.confusion == ()


def test_no_choice_is_a_class_of_its_own():
    assert [row.name for row in judged([("a", None), ("a", "a")]).classes] == ["a", "null"]
