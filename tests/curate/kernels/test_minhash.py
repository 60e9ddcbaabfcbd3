from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.minhash import (
    band_hashes,
    candidate_probability,
    estimated_jaccards,
    permutations,
    signatures,
)

U64 = np.ndarray


def random_sets(jaccard: float, size: int, num: int, seed: int) -> tuple[list[U64], list[U64]]:
    """Pairs of sets of `size` hashes whose similarity is `jaccard`."""
    generator = np.random.default_rng(seed)
    shared = round(2 * size * jaccard / (1 + jaccard))
    pools = generator.integers(0, 2**64, (num, 2 * size - shared), dtype=np.uint64)
    return [pool[:size] for pool in pools], [pool[-size:] for pool in pools]


def signed(sets: list[U64], num_hashes: int = 112, seed: int = 0) -> np.ndarray:
    offsets = np.cumsum([0, *map(len, sets)]).astype(np.int64)
    return signatures(np.concatenate(sets), offsets, num_hashes, seed)


def by_hand(values: list[int], num_hashes: int, seed: int) -> list[int]:
    a, b = permutations(num_hashes, seed)
    folded = [(v ^ (v >> 32)) & 0xFFFFFFFF for v in values]
    return [min((int(m) * x + int(n)) % 2**64 >> 32 for x in folded) for m, n in zip(a, b, strict=True)]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(1, 20), st.integers(-5, 2**70))
def test_a_signature_is_the_minimum_of_each_function(values: list[int], num_hashes: int, seed: int) -> None:
    assert signed([np.array(values, np.uint64)], num_hashes, seed)[0].tolist() == by_hand(values, num_hashes, seed)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.randoms())
def test_order_and_repetition_do_not_count(values: list[int], random: object) -> None:
    again = values + values[:3]
    random.shuffle(again)  # type: ignore[attr-defined]
    first, second = signed([np.array(values, np.uint64), np.array(again, np.uint64)])
    assert first.tolist() == second.tolist()


def test_the_empty_set_has_the_largest_signature() -> None:
    assert signatures(np.zeros(0, np.uint64), np.zeros(2, np.int64), 3, 0).tolist() == [[2**32 - 1] * 3]


def test_functions_differ_by_seed_and_never_change() -> None:
    a, b = permutations(4, 0)
    assert (a & np.uint64(1)).all()
    assert len({*a.tolist(), *b.tolist(), *permutations(4, 1)[0].tolist()}) == 12
    first = 0xE220A8397B1DCDAF  # SplitMix64's first number from state 0 (Vigna's reference)
    assert int(a[0]) == first


@pytest.mark.parametrize("jaccard", [0.2, 0.5, 0.8, 0.95])
def test_the_estimate_is_unbiased_and_spreads_as_the_theory_says(jaccard: float) -> None:
    a, b = random_sets(jaccard, size=300, num=400, seed=1)
    true = len(np.intersect1d(a[0], b[0])) / len(np.union1d(a[0], b[0]))
    estimates = estimated_jaccards(signed(a), signed(b))
    spread = (true * (1 - true) / 112) ** 0.5
    assert estimates.mean() == pytest.approx(true, abs=4 * spread / 400**0.5)
    assert estimates.std() == pytest.approx(spread, rel=0.2)


def test_errors_are_no_larger_than_those_of_datasketch() -> None:
    a, b = random_sets(0.7, size=200, num=60, seed=2)
    true = len(np.intersect1d(a[0], b[0])) / len(np.union1d(a[0], b[0]))
    ours = estimated_jaccards(signed(a), signed(b)) - true
    theirs = []
    for x, y in zip(a, b, strict=True):
        left, right = MinHash(112), MinHash(112)
        left.update_batch([v.tobytes() for v in x])
        right.update_batch([v.tobytes() for v in y])
        theirs.append(left.jaccard(right) - true)
    assert np.sqrt(np.mean(ours**2)) < 1.4 * np.sqrt(np.mean(np.square(theirs)))


@pytest.mark.parametrize("jaccard", [0.6, 0.75, 0.85])
def test_bands_meet_as_often_as_the_s_curve_says(jaccard: float) -> None:
    a, b = random_sets(jaccard, size=400, num=500, seed=3)
    true = len(np.intersect1d(a[0], b[0])) / len(np.union1d(a[0], b[0]))
    met = (band_hashes(signed(a), 14) == band_hashes(signed(b), 14)).any(axis=1).mean()
    expected = candidate_probability(true, 14, 8)
    assert met == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 500) ** 0.5 + 0.005)


def test_a_band_hash_depends_on_all_its_rows_and_on_its_number() -> None:
    base = np.arange(12, dtype=np.uint32).reshape(1, 12)
    changed = base.copy()
    changed[0, 5] += 1
    differs = (band_hashes(base, 3) != band_hashes(changed, 3))[0]
    assert differs.tolist() == [False, True, False]
    assert len(set(band_hashes(np.zeros((1, 12), np.uint32), 3)[0].tolist())) == 3
