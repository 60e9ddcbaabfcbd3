"""Spherical k-means (Dhillon and Modha 2001): centroids of unit vectors, trained on a sample, the same on any machine
layout.

It trains where it is called, on a sample that fits there, since a centroid needs some tens of vectors and not all of
them; every document is then put to its nearest centroid by `curate.kernels.cosines.nearest`, wherever it lies. Means
are summed in float64 in the order of the sample and nearest centroids decided by sums in a fixed order: the same sample
in the same order gives the same bits. It refuses to look for the best number of clusters.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.cosines import Int64s, Vectors, add_by_number, nearest


def train(sample: Vectors, num_clusters: int, num_iterations: int) -> Vectors:
    """Unit centroids: float32[k, dimensions], k = `num_clusters` or the number of different vectors, if that is less.

    sample: float32[n, dimensions], unit vectors, one at least, in an order drawn at random. Centroids begin at the
    first different ones, as good a start as any random one (faiss starts so). Each round moves every centroid to the
    mean direction of its vectors; one that has none takes the vector farthest from its own centroid. It ends when no
    vector changes its centroid, or after `num_iterations`.
    """
    centroids = _first_different(sample, num_clusters)
    before: Int64s | None = None
    for _ in range(num_iterations):
        found = nearest(sample, centroids)
        if before is not None and np.array_equal(found.number, before):
            break
        before = found.number
        centroids = _means(sample, found.number, centroids)
        empty = np.flatnonzero(np.bincount(found.number, minlength=len(centroids)) == 0)
        farthest = np.argsort(found.cosine, kind="stable")[: len(empty)]
        centroids[empty[: len(farthest)]] = sample[farthest]
    return centroids


def default_num_clusters(num_documents: int, sample_size: int) -> int:
    """One for each 100 documents, and for each 100 of the sample that they are trained on.

    Our choice, by what share of 618 pairs of news at a cosine of 0.95 or more lies within one cluster: 99.4 % with 190
    clusters trained on 100 vectors for each, 96.9 % on 39 for each (the fewest that faiss takes without a warning);
    98.7 % with 19 clusters. SemDeDup took 50,000 for 440 M images and 11,000 for C4 (Abbas et al. 2023): a corpus of
    that size wants a larger sample, since a document is compared with all that stay in its cluster.
    """
    return max(1, min(num_documents, sample_size) // 100)


def _first_different(sample: Vectors, count: int) -> Vectors:
    first: dict[bytes, int] = {}
    for row, vector in enumerate(sample):
        first.setdefault(vector.tobytes(), row)
        if len(first) == count:
            break
    return sample[list(first.values())]


def _means(sample: Vectors, numbers: Int64s, centroids: Vectors) -> Vectors:
    """The mean direction of the vectors of each number; the old centroid where there is no vector, or no direction."""
    sums = np.zeros(centroids.shape, np.float64)
    add_by_number(sample, numbers, sums)
    norms = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
    means = np.divide(sums, norms, out=centroids.astype(np.float64), where=norms > 0)
    rounded: Vectors = means.astype(np.float32)
    return rounded
