"""A group is on one side and in one fold, whatever else there is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.examples.splitting import check, folds, label_counts, labels_text, split_by_group, split_by_source
from classifiers.trainer import EXAMPLES
from curate.document import uniform
from curate.errors import InputError


def table(rows):
    """Rows of (id, label, group, source)."""
    return pa.Table.from_pylist(
        [
            {"doc_id": i, "text": "t", "label": label, "group": group, "source": source, "language": None, "url": None}
            for i, label, group, source in rows
        ],
        EXAMPLES,
    )


def many(num, num_groups=50):
    return table([(str(n), "ab"[n % 2], f"g{n % num_groups}", "s") for n in range(num)])


@given(st.lists(st.text(max_size=5), max_size=30), st.integers(0, 5), st.floats(0.1, 0.9))
def test_the_side_of_a_group_is_its_own(groups, seed, frac):
    split = split_by_group(table([(str(n), "a", group, "s") for n, group in enumerate(groups)]), frac, seed)
    assert split.train.num_rows + split.test.num_rows == len(groups)
    assert {*split.test["group"].to_pylist()} == {g for g in groups if uniform(g, seed, "held_out") < frac}
    assert {*split.train["group"].to_pylist()} == {g for g in groups if uniform(g, seed, "held_out") >= frac}


def test_a_split_keeps_the_order_and_comes_near_the_share():
    examples = many(2000, 1000)
    split = split_by_group(examples, 0.2, seed=0)
    assert 0.15 < split.test.num_rows / 2000 < 0.25
    order = {identity: n for n, identity in enumerate(examples["doc_id"].to_pylist())}
    for side in split:
        places = [order[identity] for identity in side["doc_id"].to_pylist()]
        assert places == sorted(places)


def test_a_split_by_document_parts_a_group():
    split = split_by_group(many(100, 1), 0.5, seed=0, by="doc_id")
    assert 20 < split.test.num_rows < 80


def test_folds_hold_groups_together_and_cover_all():
    examples = many(1000, 200)
    fold = folds(examples, 4, seed=1)
    assert set(fold.tolist()) == {0, 1, 2, 3}
    of_group = {}
    for group, number in zip(examples["group"].to_pylist(), fold.tolist(), strict=True):
        assert of_group.setdefault(group, number) == number == int(4 * uniform(group, 1, "fold"))
    assert folds(examples.slice(0, 0), 4, seed=1).size == 0
    assert np.bincount(fold).min() > 150


def test_folds_within_folds_go_their_own_way():
    examples = many(1000, 200)
    outer = folds(examples, 2, seed=1, purpose="cross-validation")
    inner = folds(examples.filter(pa.array(outer == 0)), 2, seed=1)
    assert 0.3 < inner.mean() < 0.7


def test_a_held_out_source_takes_its_groups_with_it():
    examples = table([("1", "a", "x", "one"), ("2", "b", "y", "one"), ("3", "a", "x", "two"), ("4", "b", "z", "two")])
    split = split_by_source(examples, ["two"])
    assert split.test["doc_id"].to_pylist() == ["3", "4"]
    assert split.train["doc_id"].to_pylist() == ["2"]


def test_both_sides_need_positives_and_others():
    rows = [("1", "a", "x", "s"), ("2", "b", "y", "s"), ("3", "a", "z", "t"), ("4", "b", "w", "t")]
    assert check(split_by_source(table(rows), ["t"]), "a") == []
    with pytest.raises(InputError, match=r"no positive example is left to train on.*1 b to train on"):
        check(split_by_source(table(rows[1:]), ["t"]), "a")
    with pytest.raises(InputError, match="no other example is held out"):
        check(split_by_source(table(rows[:3]), ["t"]), "a")
    with pytest.raises(InputError, match="no positive example is held out"):
        check(split_by_source(table(rows[:2]), ["t"]), "a")
    only_positives = [row for row in rows if row[1] == "a"]
    (said,) = check(split_by_source(table(only_positives), ["t"]), "a")
    assert "how others score is not known" in said


def test_numbers_are_positive_from_a_bound_on():
    rows = [(str(n), str(n % 6), str(n), "st"[n % 2]) for n in range(24)]
    told = check(split_by_source(table(rows), ["t"]), ">=3")  # of s: 0, 2, 4; of t: 1, 3, 5
    assert told == ["33.3% of what is trained on is positive, and 66.7% of what is held out"]
    with pytest.raises(InputError, match="no positive"):
        check(split_by_source(table(rows), ["t"]), ">=6")


@pytest.mark.parametrize(("in_one_group", "is_said"), [(5, False), (6, True)])
def test_figures_of_one_group_are_said(in_one_group, is_said):
    train = [(f"r{n}", "ab"[n % 2], f"r{n}", "s") for n in range(20)]
    good = [(f"a{n}", "a", "big.example" if n < in_one_group else f"a{n}", "t") for n in range(10)]
    bad = [(f"b{n}", "b", f"b{n}", "t") for n in range(10)]
    found = check(split_by_source(table(train + good + bad), ["t"]), "a")
    assert any("big.example" in sentence for sentence in found) == is_said


@pytest.mark.parametrize(("num_positive", "is_said"), [(6, False), (7, True)])
def test_sides_with_other_shares_are_said(num_positive, is_said):
    train = [(f"r{n}", "a" if n < 4 else "b", f"r{n}", "s") for n in range(10)]
    test = [(f"t{n}", "a" if n < num_positive else "b", f"t{n}", "t") for n in range(10)]
    found = check(split_by_source(table(train + test), ["t"]), "a")
    assert any("40.0% of what is trained on" in sentence for sentence in found) == is_said


def test_labels_are_counted_by_name():
    assert label_counts(many(5)) == {"a": 3, "b": 2}
    assert labels_text(many(5)) == "3 a, 2 b"
    assert labels_text(many(0)) == "none"
