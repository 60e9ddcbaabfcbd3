"""Trees against a walk from node to node, and the same bits for a row in any company."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.trees import (
    ALL,
    DE_BRUIJN,
    MAX_LEAVES,
    ROWS,
    TOP,
    Tree,
    Trees,
    faults,
    packed,
    place,
    scores,
    sigmoid,
    softmax,
)

FEATURES = 7


def grown(rng: np.random.Generator, num_leaves: int) -> Tree:
    """A random tree: a leaf is split until there are enough. Few different thresholds, so that rows lie on them."""
    left, right, parent_of = [], [], {0: None}
    for node in range(num_leaves - 1):
        leaf = int(rng.choice(list(parent_of)))
        above = parent_of.pop(leaf)
        if above is not None:
            side, parent = above
            side[parent] = node
        left.append(~leaf)
        right.append(~(node + 1))
        parent_of[leaf], parent_of[node + 1] = (left, node), (right, node)
    features = rng.integers(0, FEATURES, num_leaves - 1)
    thresholds = rng.integers(-2, 3, num_leaves - 1).astype(np.float32)
    return Tree(
        features, thresholds, np.array(left, int), np.array(right, int), rng.normal(size=num_leaves).astype("f4")
    )


def walked(trees: list[Tree], row: np.ndarray, num_classes: int) -> list[float]:
    totals = [np.float32(0)] * num_classes
    for number, tree in enumerate(trees):
        node = 0 if len(tree.feature) else -1
        while node >= 0:
            goes_left = row[tree.feature[node]] <= tree.threshold[node]
            node = int((tree.left if goes_left else tree.right)[node])
        totals[number % num_classes] += tree.value[~node]
    return totals


def some_rows(rng: np.random.Generator, num: int) -> np.ndarray:
    return rng.integers(-3, 4, (num, FEATURES)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(0, 4), st.sampled_from([0, 1, 2, 3, 15, 16, 17, 40]))
def test_scores_are_those_of_a_walk(seed: int, num_classes: int, rounds: int, num_rows: int) -> None:
    rng = np.random.default_rng(seed)
    trees = [grown(rng, int(rng.integers(1, MAX_LEAVES + 1))) for _ in range(rounds * num_classes)]
    rows = some_rows(rng, num_rows)
    found = packed(trees, FEATURES, num_classes)
    assert faults(found) == ""
    expected = np.array([walked(trees, row, num_classes) for row in rows], np.float32).reshape(num_rows, num_classes)
    assert np.array_equal(scores(found, rows), expected)


@pytest.mark.parametrize("num_leaves", [1, 2, MAX_LEAVES - 1, MAX_LEAVES])
def test_chains_of_any_length_are_walked(num_leaves: int) -> None:
    """x <= 0, else x <= 1, else …: row x ends in leaf x. And its mirror image."""
    nodes = np.arange(num_leaves - 1)
    on = np.where(nodes < num_leaves - 2, nodes + 1, ~(num_leaves - 1))
    values = np.arange(num_leaves).astype(np.float32)
    down = Tree(nodes * 0, nodes.astype(np.float32), ~nodes, on, values)
    up = Tree(nodes * 0, -nodes.astype(np.float32) - 0.5, on, ~nodes, values)
    rows = np.arange(num_leaves, dtype=np.float32)[:, None]
    assert scores(packed([down], 1), rows)[:, 0].tolist() == values.tolist()
    assert scores(packed([up], 1), -rows)[:, 0].tolist() == values.tolist()


def test_a_row_on_the_threshold_goes_left_and_one_just_above_it_right() -> None:
    bound = np.float32(0.1)
    one = np.array([0])
    trees = packed([Tree(one, np.array([bound]), ~one, ~(one + 1), np.array([5, 7], np.float32))], 1)
    rows = np.array([[bound], [np.nextafter(bound, np.float32(1))], [-np.inf], [np.inf]], np.float32)
    assert scores(trees, rows)[:, 0].tolist() == [5, 7, 5, 7]
    assert scores(trees, rows[:1]).tolist() == [[5]]
    assert scores(trees, rows[1:2]).tolist() == [[7]]


def test_a_row_has_the_same_bits_in_any_company() -> None:
    rng = np.random.default_rng(0)
    trees = packed([grown(rng, 31) for _ in range(60)], FEATURES, 2)
    rows = rng.normal(size=(2 * ROWS + 5, FEATURES)).astype(np.float32)
    whole = scores(trees, rows)
    for part in (slice(0, 1), slice(7, 9), slice(3, 20), slice(ROWS - 1, ROWS + 2), slice(100, None)):
        assert scores(trees, rows[part]).tobytes() == whole[part].tobytes()


@given(st.integers(0, 10_000))
def test_features_that_many_rows_share_change_nothing(seed: int) -> None:
    """What all rows of a batch pass alike is found out once; so batches where much is the same, and rows one by one."""
    rng = np.random.default_rng(seed)
    trees = [grown(rng, 31) for _ in range(5)]
    rows = some_rows(rng, 12)
    for feature in range(FEATURES):
        rows[:, feature] = np.clip(rows[:, feature], *sorted(rng.integers(-3, 4, 2)))
    rows[rng.random(rows.shape) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
    found = packed(trees, FEATURES)
    expected = [walked(trees, np.where(np.isnan(row), -np.inf, row), 1) for row in rows]  # no number goes left
    assert scores(found, rows).tolist() == expected
    assert [scores(found, row[None])[0].tolist() for row in rows] == expected


def test_each_leaf_has_a_place_of_its_own() -> None:
    assert sorted(place(bit) for bit in range(MAX_LEAVES)) == list(range(MAX_LEAVES))


def test_what_is_no_tree_of_few_leaves_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="more than 32 leaves"):
        packed([grown(rng, MAX_LEAVES + 1)], FEATURES)
    zero = np.zeros(1, int)
    with pytest.raises(ValueError, match="no tree"):
        packed([Tree(zero, np.zeros(1, np.float32), zero, ~zero, np.zeros(1, np.float32))], 1)  # its own left child


def test_rows_of_another_width_are_refused() -> None:
    trees = packed([grown(np.random.default_rng(0), 4)], FEATURES)
    for width in (FEATURES - 1, FEATURES + 1):
        with pytest.raises(ValueError, match="number of features"):
            scores(trees, np.zeros((5, width), np.float32))


@pytest.mark.parametrize(
    ("field", "change", "fault"),
    [
        ("feature", lambda a: a + np.uint16(FEATURES), "feature"),
        ("feature", lambda a: a.astype(np.int64), "types"),
        ("feature", lambda a: a[:-1], "lengths"),
        ("threshold", lambda a: a * np.float32("nan"), "no numbers"),
        ("threshold", lambda a: a.astype(float), "types"),
        ("right", lambda a: a[:-2], "lengths"),
        ("first_node", lambda a: a + np.int32(2), "no tree"),
        ("first_node", lambda a: a[:-1], "no tree"),
        ("first_node", lambda a: np.array([0, 10, 4, a[-1]], np.int32), "before it begins"),
        ("first_node", lambda a: np.array([0, 2**31 - 2, -(2**31), a[-1]], np.int32), "before it begins"),
        ("value", lambda a: a[:, :31], "lengths"),
        ("value", lambda a: a / np.float32(0), "no numbers"),
        ("num_classes", lambda n: 2, "classes"),
        ("num_classes", lambda n: 0, "classes"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_arrays_that_could_be_read_past_their_ends_are_faulty(field, change, fault) -> None:
    rng = np.random.default_rng(0)
    trees = packed([grown(rng, 9) for _ in range(3)], FEATURES)
    assert faults(trees) == ""
    assert fault in faults(trees._replace(**{field: change(getattr(trees, field))}))


@given(st.integers(0, 1000))
def test_any_bits_give_a_leaf(seed: int) -> None:
    """Nodes of a damaged file may strike out all leaves: something is read all the same, and inside the array."""
    rng = np.random.default_rng(seed)
    trees = packed([grown(rng, 9)], FEATURES)
    damaged: Trees = trees._replace(
        right=rng.integers(0, 2**32, 8).astype(np.uint32) & rng.integers(0, 2, 8).astype("u4")
    )
    assert np.isin(scores(damaged, some_rows(rng, 20)), trees.value).all()
    assert all((int(bits) * int(DE_BRUIJN) & int(ALL)) >> int(TOP) < MAX_LEAVES for bits in damaged.right)


@given(st.lists(st.floats(-200, 200, width=32), min_size=1, max_size=20))
def test_probabilities(values: list[float]) -> None:
    given_scores = np.array(values, np.float32)
    out = np.empty_like(given_scores)
    sigmoid(given_scores, out)
    assert out.tolist() == [float(np.float32(1 / (1 + math.exp(-v)))) for v in given_scores.tolist()]
    rows = np.array([values, values[::-1]], np.float32)
    softmax(rows, rows)
    assert rows.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    powers = [math.exp(v - max(values)) for v in values]
    assert rows[0] == pytest.approx([p / sum(powers) for p in powers], abs=1e-6)
