"""What a deduplication should have found, and what it did: true similarities, recall by band, precision of removals.

Similarity is the Jaccard of the sets of 5-word shingles by this toolkit's own tokens (`curate.kernels.shingles`), and
once more, for English, by a plain split at `\\w+` that shares no code with it. Nothing here knows how a contestant
works: it sees the ids that stayed.
"""

from __future__ import annotations

import itertools
import multiprocessing
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.kernels import minhash
from curate.kernels.shingles import ShingleSets, shingle_sets

NGRAM_SIZE, NUM_BANDS, ROWS_PER_BAND, MIN_JACCARD = 5, 14, 8, 0.8
BANDS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0), (1.0, 1.01))  # 1: the same shingles
SEED = 0  # of a recipe that names none
FAMILIES_A_JOB = 2_000
MOST_REMOVALS = 2_000  # of one family that are checked: of a template's thousands a sample says enough

PAIRS = pa.schema(
    [
        ("a", pa.string()),
        ("b", pa.string()),
        ("jaccard", pa.float64()),
        ("jaccard_words", pa.float64()),  # null: Chinese
        ("family_size", pa.int64()),
        ("template", pa.bool_()),
    ]
)


class Band(NamedTuple):
    """Planted pairs of one range of Jaccard."""

    low: float
    high: float
    pairs: int
    found: int  # pairs of which not both stayed
    predicted: float  # how many of them a document's bands let meet, by the S-curve over their own Jaccards

    @property
    def recall(self) -> float | None:
        """The share found; None where there is no pair."""
        return self.found / self.pairs if self.pairs else None


class Precision(NamedTuple):
    """Of the documents that a contestant removed, those with a document that stays at `MIN_JACCARD` or more."""

    removed: int
    checked: int
    justified: int
    outside: int  # removed though nothing like them was planted

    @property
    def share(self) -> float | None:
        """Justified of those checked, `outside` being never justified; None where nothing was removed."""
        return self.justified / self.checked if self.checked else None


@numba.njit  # type: ignore[untyped-decorator]  # numba ships no types
def _jaccards(
    values: NDArray[np.uint64], offsets: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of the sorted sets `values[offsets[i]:offsets[i + 1]]`, pair by pair; nothing is estimated."""
    out = np.zeros(left.size)
    for pair in range(left.size):
        i, j = offsets[left[pair]], offsets[right[pair]]
        i_end, j_end = offsets[left[pair] + 1], offsets[right[pair] + 1]
        union, shared = (i_end - i) + (j_end - j), 0
        while i < i_end and j < j_end:
            x, y = values[i], values[j]
            shared += x == y
            i += x <= y
            j += y <= x
        if union:
            out[pair] = shared / (union - shared)
    return out


def pair_jaccards(sets: ShingleSets, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The exact Jaccard of each pair of rows of `sets`, in [0, 1]; 0 where both are empty."""
    return np.asarray(_jaccards(sets.values, sets.offsets, left.astype(np.int64), right.astype(np.int64)))


def word_shingles(text: str) -> set[tuple[str, ...]]:
    """The 5-word shingles of a text as plainly as can be; those of a shorter text are all its words."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + NGRAM_SIZE]) for i in range(max(1, len(words) - NGRAM_SIZE + 1))}


def word_jaccard(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    """Shared over all."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def write_pairs(data: Path | None, cache: Path, documents: int, seed: int, path: Path, processes: int) -> None:
    """All pairs of each family, and of the template's pages each with the next one and with one further away."""
    from dedup_corpus import layout

    num_families = len(layout(documents, seed).families())
    starts = range(0, num_families + 1, FAMILIES_A_JOB)  # one more: the template
    jobs = [(data, cache, documents, seed, start, min(start + FAMILIES_A_JOB, num_families + 1)) for start in starts]
    with (
        ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool,
        pq.ParquetWriter(path, PAIRS) as writer,
    ):
        for table in pool.map(_pairs, *zip(*jobs, strict=True)):
            writer.write_table(table)


def _pairs(data: Path | None, cache: Path, documents: int, seed: int, first: int, last: int) -> pa.Table:
    from dedup_corpus import identity, maker

    made = maker(data, cache, documents, seed)
    families = made.plan.families()
    tables = [PAIRS.empty_table()]
    for family in range(first, last):
        template = family == len(families)
        numbers = made.plan.template if template else families[family]
        size = len(numbers)
        if size < 2:
            continue
        texts = [made.text(number) for number in numbers]
        if template:
            rows = np.arange(size)
            left, right = np.tile(rows, 2), np.concatenate([(rows + 1) % size, (rows + size // 3 + 1) % size])
            left, right = left[left != right], right[left != right]
        else:
            left, right = (np.array(side) for side in zip(*itertools.combinations(range(size), 2), strict=True))
        exact = pair_jaccards(shingle_sets(pa.array(texts), NGRAM_SIZE), left, right)
        plain: list[float | None] = [None] * left.size
        if not made.language(numbers[0]):
            words = [word_shingles(text) for text in texts]
            plain = [word_jaccard(words[a], words[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        names = [identity(seed, number) for number in numbers]
        columns = [[names[a] for a in left.tolist()], [names[b] for b in right.tolist()], exact, plain]
        columns += [[size] * left.size, [template] * left.size]
        tables.append(pa.table([pa.array(c, f.type) for c, f in zip(columns, PAIRS, strict=True)], schema=PAIRS))
    return pa.concat_tables(tables)


def recall(pairs: pa.Table, stays: pa.Array) -> list[Band]:
    """By band, how many planted pairs were found: not both of them stayed."""
    both = pc.and_(pc.is_in(pairs["a"], value_set=stays), pc.is_in(pairs["b"], value_set=stays))
    found = ~both.combine_chunks().to_numpy(zero_copy_only=False)
    jaccard = pairs["jaccard"].to_numpy()
    bands = []
    for low, high in BANDS:
        inside = (jaccard >= low) & (jaccard < high)
        predicted = sum(share_a_band(j) for j in jaccard[inside].tolist())
        bands.append(Band(low, high, int(inside.sum()), int(found[inside].sum()), float(predicted)))
    return bands


def share_a_band(jaccard: float) -> float:
    """How likely two documents meet in a band (Leskovec, Rajaraman, Ullman, chapter 3): the S-curve."""
    return float(1 - (1 - jaccard**ROWS_PER_BAND) ** NUM_BANDS)


def shortfall(bands: Iterable[Band], min_jaccard: float = MIN_JACCARD) -> float | None:
    """By how many points recall at `min_jaccard` or more stays behind the S-curve; below 0 where it is better."""
    above = [band for band in bands if band.low >= min_jaccard]
    pairs = sum(band.pairs for band in above)
    if not pairs:
        return None
    return 100 * (sum(band.predicted for band in above) - sum(band.found for band in above)) / pairs


def precision(texts: pa.Table, families: Mapping[str, int], stays: set[str], documents: int) -> Precision:
    """How many removals are justified by a document of the same family that stays.

    `texts` has `id` and `text` of all planted documents, `families` their families, `documents` is the corpus's size.
    """
    ids: list[str] = texts["id"].to_pylist()
    sets = shingle_sets(texts["text"].combine_chunks(), NGRAM_SIZE)
    members: dict[int, tuple[list[int], list[int]]] = {}
    for row, name in enumerate(ids):
        members.setdefault(families[name], ([], []))[name not in stays].append(row)
    checked = justified = 0
    left: list[NDArray[np.int64]] = []
    right: list[NDArray[np.int64]] = []
    for kept, removed in members.values():
        checked += len(removed[:MOST_REMOVALS])
        grid = np.meshgrid(np.array(removed[:MOST_REMOVALS], np.int64), np.array(kept, np.int64), indexing="ij")
        left.append(grid[0].ravel())
        right.append(grid[1].ravel())
    rows, others = np.concatenate(left), np.concatenate(right)
    near = pair_jaccards(sets, rows, others) >= MIN_JACCARD
    justified = np.unique(rows[near]).size
    inside = sum(len(removed) for _, removed in members.values())
    outside = documents - len(stays) - inside
    return Precision(inside + outside, checked + outside, justified, outside)


def planted_texts(corpus: Path) -> tuple[pa.Table, dict[str, int]]:
    """`id` and `text` of the planted documents of a corpus, and their families."""
    families = pq.read_table(corpus / "families.parquet")
    wanted = families["id"].combine_chunks()
    tables = []
    for path in sorted((corpus / "documents").glob("*.parquet")):
        table = pq.read_table(path, columns=["id", "text"])
        tables.append(table.filter(pc.is_in(table["id"], value_set=wanted)))
    return pa.concat_tables(tables), dict(zip(wanted.to_pylist(), families["family"].to_pylist(), strict=True))


class Natural(NamedTuple):
    """Pages that are alike by nature, and every pair of them."""

    texts: pa.Table  # id, text
    pairs: pa.Table  # a, b, jaccard of all pairs at 0.5 or more
    shares_a_band: NDArray[np.bool_]  # of each pair: candidates of a run with the default seed

    @property
    def findable(self) -> int:
        """Pairs at `MIN_JACCARD` or more that share a band."""
        return int(self._findable.sum())

    def missed(self, stays: pa.Array) -> int:
        """Findable pairs of which both stay."""
        both = pc.and_(pc.is_in(self.pairs["a"], value_set=stays), pc.is_in(self.pairs["b"], value_set=stays))
        return int((both.combine_chunks().to_numpy(zero_copy_only=False) & self._findable).sum())

    @property
    def _findable(self) -> NDArray[np.bool_]:
        return np.asarray(self.shares_a_band & (self.pairs["jaccard"].to_numpy() >= MIN_JACCARD))


def natural_truth(source: Path, folder: Path) -> Natural:
    """Compare all documents of a file with `id` and `text`, and write them to `folder` as contestants read them."""
    texts = pq.read_table(source, columns=["id", "text"])
    names = pa.array([f"{row:06d}" for row in range(texts.num_rows)])
    texts = pa.table({"id": names, "url": [f"https://natural.example/{name}" for name in names], "text": texts["text"]})
    folder.mkdir(parents=True)
    pq.write_table(texts, folder / "documents.parquet")
    sets = shingle_sets(texts["text"].combine_chunks(), NGRAM_SIZE)
    left, right = np.triu_indices(texts.num_rows, 1)
    found = pair_jaccards(sets, left, right)
    alike = found >= BANDS[0][0]
    left, right = left[alike], right[alike]
    signatures = minhash.signatures(sets.values, sets.offsets, NUM_BANDS * ROWS_PER_BAND, SEED)
    bands = minhash.band_hashes(signatures, NUM_BANDS)
    shared = (bands[left] == bands[right]).any(axis=1)
    pairs = pa.table({"a": names.take(left), "b": names.take(right), "jaccard": found[alike]})
    return Natural(texts, pairs, shared)


def unplanted_similarity(corpus: Path, sample: int = 200) -> float:
    """The largest Jaccard between `sample` documents that were not planted and any other document of the corpus.

    Every shingle of the corpus is looked up among those of the sample: nothing is estimated.
    """
    planted = pq.read_table(corpus / "families.parquet", columns=["id"])["id"].combine_chunks()
    files = sorted((corpus / "documents").glob("*.parquet"))
    first = pq.read_table(files[0], columns=["id", "text"])
    chosen = first.filter(pc.invert(pc.is_in(first["id"], value_set=planted))).slice(0, sample)
    sets = shingle_sets(chosen["text"].combine_chunks(), NGRAM_SIZE)
    owners = np.repeat(np.arange(chosen.num_rows), np.diff(sets.offsets))
    order = np.argsort(sets.values, kind="stable")
    values, owners = sets.values[order], owners[order]
    largest = 0.0
    for path in files:
        table = pq.read_table(path, columns=["id", "text"])
        others = shingle_sets(table["text"].combine_chunks(), NGRAM_SIZE)
        low, high = np.searchsorted(values, others.values, "left"), np.searchsorted(values, others.values, "right")
        hits = np.nonzero(high > low)[0]
        counts = (high - low)[hits]
        documents = np.repeat(np.searchsorted(others.offsets, hits, "right") - 1, counts)
        places = np.repeat(low[hits] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
        keys, shared = np.unique(documents * chosen.num_rows + owners[places], return_counts=True)
        theirs, ours = np.divmod(keys, chosen.num_rows)
        union = others.num_shingles[theirs] + sets.num_shingles[ours] - shared
        names = np.array(table["id"].to_pylist())[theirs], np.array(chosen["id"].to_pylist())[ours]
        similar = np.where(names[0] == names[1], 0, shared / union)
        largest = max(largest, float(similar.max(initial=0)))
    return largest


def band_table(found: Mapping[str, Sequence[Band]]) -> str:
    """Recall of each contestant by band, with the pairs and the S-curve's prediction."""
    some = next(iter(found.values()))
    heads = [f"{low:g}" if low == 1 else f"{low:g}-{high:g}" for low, high in BANDS]
    lines = [f"{'Jaccard of a planted pair':<28}" + "".join(f"{head:>9}" for head in heads)]
    lines.append(f"{'pairs':<28}" + "".join(f"{band.pairs:>9,}" for band in some))
    shares = [band.predicted / band.pairs if band.pairs else None for band in some]
    lines.append(f"{'share a band, by the S-curve':<28}" + "".join(_cell(share) for share in shares))
    for name, bands in found.items():
        lines.append(f"{name:<28}" + "".join(_cell(band.recall) for band in bands))
    return "\n".join(lines)


def _cell(share: float | None) -> str:
    return f"{'-':>9}" if share is None else f"{share:9.3f}"
