"""The true similarity of candidate pairs: Jaccard and containment of the two shingle sets. LSH proposes, this decides.

A shingle set is as large as its text, and a page of a template may be in hundreds of pairs. So sets are not joined to
pairs. Pairs that hang together make a group, and each set travels once to each group that it is in, which is one group
unless that is large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.dedup.components import components
from curate.kernels.minhash import estimated_jaccards
from curate.kernels.shingles import similarities

#: Documents of a connected part that are compared by one task. A task holds a group's sets: 8 bytes a shingle, which is
#: 16 MB for pages, and 4 GB for as many novels of a million bytes.
GROUP_DOCUMENTS = 4096
_BUFFER_BYTES = 32 << 20  # small groups that are compared together
_OUT_ROWS = 10_000

_SIDE = ("doc_id", "id", "url")


def grouped(candidates: DataFrame) -> DataFrame:
    """The pairs with a `group`: what is connected, in pieces of about `GROUP_DOCUMENTS` where it is larger.

    A large part is cut by its `b`s, so each of these is in one piece, and an `a` in each piece where it has a pair.
    """
    members = components(candidates.select("a", "b"))
    size = F.count(F.lit(1)).over(Window.partitionBy("component"))
    sized = members.select(F.col("node").alias("a"), "component", size.alias("size"))
    piece = F.pmod(F.xxhash64("b"), F.ceil(F.col("size") / GROUP_DOCUMENTS))
    group = F.xxhash64("component", piece).alias("group")  # where two have one hash they are compared by one task
    return candidates.join(sized, "a").select(group, *candidates.columns)


def places(groups: DataFrame) -> DataFrame:
    """node and `group`: where the set of each document is wanted."""
    return groups.select("group", F.explode(F.array("a", "b")).alias("node")).distinct()


def scored_pairs(groups: DataFrame, sketches: DataFrame, num_partitions: int) -> DataFrame:
    """The pairs with a_order, and of both sides doc_id, id and url, and three similarities in [0, 1].

    `estimated_jaccard` is that of the signatures; `jaccard` = |A ∩ B| / |A ∪ B| and `containment` = |A ∩ B| over the
    smaller of |A| and |B| are those of the sets.
    """
    pairs = groups.withColumn("is_pair", F.lit(True))
    sets = places(groups).join(sketches, "node").withColumnRenamed("node", "a").withColumn("is_pair", F.lit(False))
    rows = pairs.unionByName(sets, allowMissingColumns=True).repartition(num_partitions, "group")
    sides = ", ".join(f"{end}_{name} string" for end in ("a", "b") for name in _SIDE)
    order = sketches.schema["order"].dataType.simpleString()
    scores = "estimated_jaccard double, jaccard double, containment double"
    schema = f"a long, b long, band int, num_bands long, {sides}, a_order {order}, {scores}"
    return rows.sortWithinPartitions("group", "is_pair").mapInArrow(_score, schema)


def _score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for table in whole_groups(batches):
        yield from _scored(table)


def whole_groups(batches: Iterable[pa.RecordBatch], buffer_bytes: int = _BUFFER_BYTES) -> Iterator[pa.Table]:
    """Rows sorted by `group` in tables that end where a group does, each of `buffer_bytes` or of one group."""
    held: list[pa.Table] = []
    num_bytes = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        held.append(pa.Table.from_batches([batch]))
        num_bytes += batch.nbytes
        if num_bytes >= buffer_bytes:
            groups = batch["group"].to_numpy()
            start = int(np.searchsorted(groups, groups[-1]))  # of the last group, which may go on
            if start or (len(held) > 1 and held[-2]["group"][-1] != batch["group"][0]):
                yield pa.concat_tables([*held[:-1], held[-1].slice(0, start)])
                held = [held[-1].slice(start)]
                num_bytes = held[0].nbytes
    if held:
        yield pa.concat_tables(held)


def _scored(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The pairs of whole groups, with what the sets of the same groups say."""
    sets, pairs = table.filter(pc.invert(table["is_pair"])), table.filter(table["is_pair"])
    nodes = sets["a"].to_numpy()
    by_node = np.argsort(nodes, kind="stable")
    a, b = (by_node[np.searchsorted(nodes, pairs[end].to_numpy(), sorter=by_node)] for end in ("a", "b"))
    values, offsets = _sets(sets["shingles"])
    jaccard, containment = similarities(values, offsets, a, b)
    signatures = _signatures(sets["signature"])
    for start in range(0, pairs.num_rows, _OUT_ROWS):
        some = slice(start, start + _OUT_ROWS)
        out = {name: pairs[name].slice(start, _OUT_ROWS) for name in ("a", "b", "band", "num_bands")}
        for end, rows in (("a", a[some]), ("b", b[some])):
            out |= {f"{end}_{name}": sets[name].take(pa.array(rows)) for name in _SIDE}
        out["a_order"] = sets["order"].take(pa.array(a[some]))
        out["estimated_jaccard"] = estimated_jaccards(signatures[a[some]], signatures[b[some]])
        out["jaccard"], out["containment"] = jaccard[some], containment[some]
        yield from pa.table(out).combine_chunks().to_batches()


def _bytes(column: pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of a binary column without nulls, and the offsets of its rows in them, from 0."""
    whole = column.cast(pa.large_binary()).combine_chunks()
    _, positions, body = whole.buffers()
    offsets = np.frombuffer(positions, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.frombuffer(body or b"", np.uint8)[offsets[0] : offsets[-1]], offsets - offsets[0]


def _sets(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    data, offsets = _bytes(column)
    return np.require(data.view(np.uint64), requirements="A"), offsets // 8


def _signatures(column: pa.ChunkedArray) -> NDArray[np.uint32]:
    data, _ = _bytes(column)
    return data.view(np.uint32).reshape(len(column), -1)
