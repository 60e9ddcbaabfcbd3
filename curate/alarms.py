"""What of a run is so implausible that a person should look before the data is used.

Deduplication that goes wrong goes wrong silently: one project found 859,090 of 859,092 documents of a source removed,
and 51,160 unrelated books in one cluster. So after every run each corpus stage is asked two questions: did a source
lose nearly everything to it, and did one cluster take a good part of the corpus? An alarm stops nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import fsspec
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from curate.plan import Plan
from curate.rundir import RunDir

# Our choice: a crawl that is compared with the one before it may lose two thirds, hardly nine tenths.
MAX_SOURCE_LOSS = 0.9
MIN_SOURCE_DOCUMENTS = 100
# Our choice: boilerplate of one site comes in hundreds, seldom in more than a hundredth of a corpus.
MAX_CLUSTER_SHARE = 0.01
MIN_CLUSTER_DOCUMENTS = 1000


class Alarm(NamedTuple):
    """A loss by one stage: of a source by its name, or of a cluster by its id."""

    stage: str
    kind: str  # source, cluster
    name: str
    lost: int  # documents
    of: int  # that the source had when the stage began, or that the cluster has

    @property
    def text(self) -> str:
        """One sentence for a person."""
        look = f"`curate inspect RUN --stage {self.stage}` shows some"
        if self.kind == "source":
            return f"{self.stage} dropped {self.lost:,} of {self.of:,} documents of source {self.name}: {look}"
        return (
            f"{self.stage} dropped {self.lost:,} of {self.of:,} documents of one cluster, {self.name}: "
            f"`curate inspect RUN --cluster {self.name}` shows them"
        )


def alarms(run: RunDir, plan: Plan, funnel: dict[str, Any]) -> list[Alarm]:
    """The alarms of a run whose passes are done, stage by stage."""
    found: list[Alarm] = []
    for one in plan.passes:
        if one.is_corpus:
            found += source_alarms(funnel, one.steps[0].name)
            found += cluster_alarms(run, one.name, one.steps[0].name, funnel["read"])
    return found


def source_alarms(funnel: dict[str, Any], stage: str) -> list[Alarm]:
    """Sources of `MIN_SOURCE_DOCUMENTS` and more that lost `MAX_SOURCE_LOSS` or more of them to a stage."""
    order = [entry["stage"] for entry in funnel["stages"]]
    lost: dict[str, int] = {}
    reached: dict[str, int] = {}
    for entry in funnel["kept_by"]:
        reached[entry["source"]] = reached.get(entry["source"], 0) + entry["documents"]
    for entry in funnel["dropped_by"]:
        source, count = entry["source"], entry["documents"]
        if order.index(entry["stage"]) >= order.index(stage):
            reached[source] = reached.get(source, 0) + count
        if entry["stage"] == stage:
            lost[source] = lost.get(source, 0) + count
    return [
        Alarm(stage, "source", source, count, reached[source])
        for source, count in sorted(lost.items())
        if reached[source] >= MIN_SOURCE_DOCUMENTS and count >= MAX_SOURCE_LOSS * reached[source]
    ]


def cluster_alarms(run: RunDir, pass_name: str, stage: str, num_documents: int) -> list[Alarm]:
    """The largest cluster of a stage, where it has more than `MAX_CLUSTER_SHARE` of all documents."""
    if not run.exists("dedup", pass_name, "clusters"):
        return []
    fs, folder = fsspec.core.url_to_fs(run.url("dedup", pass_name, "clusters"))
    sizes = [size for path in fs.find(folder) if path.endswith(".parquet") for size in _largest(fs, path)]
    largest = max(sizes, default=0)
    if largest < MIN_CLUSTER_DOCUMENTS or largest <= MAX_CLUSTER_SHARE * num_documents:
        return []
    files = ds.dataset(folder, format="parquet", filesystem=fs)
    members = files.to_table(["cluster_id", "duplicate_of"], filter=pc.field("cluster_size") == largest)
    ids = members["cluster_id"].combine_chunks()
    return [
        Alarm(stage, "cluster", name, _num_lost(members, name), largest)
        for name in sorted(pc.unique(ids).to_pylist())[:10]
    ]


def _num_lost(members: Any, cluster_id: str) -> int:
    of_it = members.filter(pc.equal(members["cluster_id"], cluster_id))
    return int(pc.count(of_it["duplicate_of"]).as_py())


def _largest(fs: Any, path: str) -> list[int]:
    """The largest `cluster_size` of each row group, which its statistics tell."""
    with fs.open(path, "rb") as file:
        metadata = pq.ParquetFile(file).metadata
        column = metadata.schema.names.index("cluster_size")
        held = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
        return [int(one.max) for one in held if one is not None and one.has_min_max]
