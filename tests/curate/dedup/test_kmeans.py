"""Spherical k-means on planted clusters, and the same centroids to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from curate.dedup.kmeans import default_num_clusters, train
from curate.kernels.cosines import nearest


def planted(num_clusters: int, each: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around random directions, shuffled, and which direction each belongs to."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_clusters, 32))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = rng.permutation(np.repeat(np.arange(num_clusters), each))
    drawn = centres[labels] + noise * rng.normal(size=(len(labels), 32))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32), labels


def test_planted_clusters_are_found() -> None:
    sample, labels = planted(6, 200, 0.05)
    centroids = train(sample, 12, 50)
    found = nearest(sample, centroids).number
    assert all(len(set(labels[found == number])) == 1 for number in set(found.tolist()))


def test_centroids_are_the_mean_directions_of_their_vectors() -> None:
    sample, _ = planted(5, 100, 0.1)
    centroids = train(sample, 8, 200)
    found = nearest(sample, centroids).number
    assert sorted(set(found.tolist())) == list(range(8))
    for number in range(8):
        mean = sample[found == number].mean(axis=0, dtype=np.float64)
        assert centroids[number] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_more_rounds_never_make_vectors_farther_from_their_centroids() -> None:
    sample, _ = planted(10, 50, 0.3)
    totals = [nearest(sample, train(sample, 10, rounds)).cosine.sum() for rounds in (1, 2, 4, 8, 32)]
    assert totals == sorted(totals)


def test_the_same_sample_gives_the_same_bits() -> None:
    sample, _ = planted(7, 80, 0.3)
    assert train(sample, 9, 15).tobytes() == train(sample.copy(), 9, 15).tobytes()


def test_there_are_no_more_centroids_than_different_vectors() -> None:
    sample = planted(3, 1, 0.0)[0][[0, 0, 1, 0, 2, 1]]
    assert len(train(sample, 10, 5)) == 3
    assert (train(sample[:1], 1, 5) == sample[:1]).all()


def test_a_centroid_that_lost_its_vectors_takes_a_far_one() -> None:
    # Two of the three first vectors are all but equal: one of their centroids ends up with nothing of its own.
    near, far = planted(2, 60, 0.01, seed=3)[0], planted(5, 12, 0.01, seed=9)[0]
    sample = np.concatenate([near[:3], far, near[3:]])
    assert np.bincount(nearest(sample, train(sample, 5, 30)).number, minlength=5).min() > 0


@pytest.mark.parametrize(
    ("documents", "sample", "clusters"),
    [(0, 100_000, 1), (199, 100_000, 1), (200, 100_000, 2), (10**6, 100_000, 1000), (10**9, 10**6, 10_000), (10, 1, 1)],
)
def test_the_default_number_of_clusters(documents: int, sample: int, clusters: int) -> None:
    assert default_num_clusters(documents, sample) == clusters
