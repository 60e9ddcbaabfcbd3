from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup.banding import candidate_probability
from curate.kernels.minhash import band_hashes, estimated_jaccards, permutations, signatures, text_signatures
from curate.kernels.shingles import Unit, shingle_sets

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


@pytest.mark.parametrize("size", [1, 7, 8, 9, 2047, 2048, 2049, 5000])
def test_a_set_of_any_size_is_signed_whole(size: int) -> None:
    values = np.random.default_rng(size).integers(0, 2**64, size, dtype=np.uint64)
    parts = [signed([part])[0] for part in np.array_split(values, min(size, 3))]
    assert signed([values])[0].tolist() == np.min(parts, axis=0).tolist()


def test_the_last_value_counts_as_the_first_does() -> None:
    values = np.random.default_rng(0).integers(0, 2**64, 2051, dtype=np.uint64)
    assert signed([values])[0].tolist() == signed([values[::-1].copy()])[0].tolist()
    assert by_hand(values.tolist(), 9, 3) == signed([values], 9, 3)[0].tolist()


texts = st.lists(st.one_of(st.none(), st.text(alphabet="ab cD.é字1_\u0301\U0001f600ß", max_size=90)), max_size=6)


@given(texts, st.integers(1, 7), st.sampled_from(["word", "character"]), st.integers(1, 20), st.integers(0, 9))
def test_texts_are_signed_as_their_sets_are(
    column: list[str | None], n: int, unit: Unit, num_hashes: int, seed: int
) -> None:
    array = pa.array(column, pa.string())
    sets = shingle_sets(array, n, unit)
    found = text_signatures(array, n, unit, num_hashes, seed)
    assert found.signatures.tolist() == signatures(sets.values, sets.offsets, num_hashes, seed).tolist()
    assert ((found.num_tokens > 0) == (sets.num_shingles > 0)).all()


def test_real_texts_are_signed_as_their_sets_are(real_texts: list[str]) -> None:
    column = pa.array(real_texts)
    sets = shingle_sets(column)
    assert (text_signatures(column).signatures == signatures(sets.values, sets.offsets, 112, 0)).all()


def test_a_text_above_the_bound_is_signed_whole() -> None:
    column = pa.array([" ".join(map(str, range(200_000)))])
    whole, cut = shingle_sets(column, max_shingles=1 << 40), shingle_sets(column)
    found = text_signatures(column, num_hashes=16)
    assert found.signatures.tolist() == signatures(whole.values, whole.offsets, 16, 0).tolist()
    assert found.signatures.tolist() != signatures(cut.values, cut.offsets, 16, 0).tolist()
    assert found.num_tokens.tolist() == [200_000]


def test_texts_without_tokens_have_the_largest_signature() -> None:
    found = text_signatures(pa.array([None, "", "?!", "a"]), num_hashes=3)
    assert found.num_tokens.tolist() == [0, 0, 0, 1]
    assert (found.signatures[:3] == 2**32 - 1).all()
    assert (found.signatures[3] < 2**32 - 1).all()
    assert text_signatures(pa.array([], pa.string())).signatures.shape == (0, 112)


@pytest.mark.parametrize("size", [5, 50, 1000])
@pytest.mark.parametrize("jaccard", [0.1, 0.5, 0.9])
def test_real_shingles_are_estimated_without_bias(real_texts: list[str], size: int, jaccard: float) -> None:
    pool, num, generator = np.unique(shingle_sets(pa.array(real_texts)).values), 800, np.random.default_rng(size)
    shared = max(1, round(2 * size * jaccard / (1 + jaccard)))
    drawn = [pool[generator.choice(pool.size, 2 * size - shared, replace=False)] for _ in range(num)]
    true = shared / (2 * size - shared)
    estimates = estimated_jaccards(signed([d[:size] for d in drawn]), signed([d[-size:] for d in drawn]))
    spread = (true * (1 - true) / 112) ** 0.5
    # All pairs share the functions, so their mean is off by a little more than independent ones would be.
    assert estimates.mean() == pytest.approx(true, abs=5 * spread / num**0.5 + 0.004)
    assert estimates.std() == pytest.approx(spread, rel=0.2)
