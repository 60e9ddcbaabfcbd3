"""What deduplication found, on the terminal: how many pairs and clusters, and all that is known of one document.

Read from the evidence under `dedup/`, with filters that parquet's statistics serve, so that a document of a large run
is found without reading all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import fsspec
import pyarrow.compute as pc
import pyarrow.dataset as ds

from curate.dedup.banding import s_curve_text
from curate.recipe import Recipe
from curate.report import reading
from curate.rundir import FITTED, RunDir

MAX_ROWS = 20  # of a kind of evidence, shown of one document or cluster
MAX_COMPARED = 1000  # of them, looked through for the most similar
_SCORES = ("jaccard", "containment", "estimated_jaccard", "cosine")


class Evidence(NamedTuple):
    """The evidence of one corpus stage, by name: `pairs`, `clusters`, …"""

    stage: str
    files: dict[str, Any]  # name → pyarrow dataset


def banding_lines(recipe: Recipe) -> list[str]:
    """For each MinHash stage of a recipe: its bands, and how likely two documents are compared."""
    lines: list[str] = []
    for step in recipe.stages:
        banding, bound = getattr(step.stage, "banding", None), getattr(step.stage, "min_jaccard", None)
        if banding is not None and bound is not None:
            lines.append(f"{step.name}:")
            lines += s_curve_text(banding, bound).splitlines()
    return lines


def evidence(run: RunDir) -> Iterator[Evidence]:
    """The evidence of each corpus stage of the last run, in order."""
    for entry in reading.read_record(run)["passes"]:
        name = str(entry["name"])
        if run.exists("dedup", name):
            kinds = [
                kind
                for kind in run.names("dedup", name)
                if kind != FITTED and not kind.startswith("_") and "." not in kind
            ]
            yield Evidence(name.partition("-")[2], {kind: _files(run, name, kind) for kind in kinds})


def _files(run: RunDir, pass_name: str, kind: str) -> Any:
    fs, path = fsspec.core.url_to_fs(run.url("dedup", pass_name, kind))
    return ds.dataset(path, format="parquet", filesystem=fs)


def dedup_lines(folder: str) -> list[str]:
    """One line for each corpus stage that compared pairs or made clusters, and for each set of test items."""
    run = RunDir(folder)
    _, recipe = reading.read_recipe(run)
    bounds = {step.name: step.stage for step in recipe.stages} if recipe else {}
    lines = []
    for found in evidence(run):
        told = []
        if (pairs := found.files.get("pairs")) is not None and "jaccard" in pairs.schema.names:
            bound = getattr(bounds.get(found.stage), "min_jaccard", 0.0)
            told.append(f"{pairs.count_rows():,} candidate pairs")
            told.append(f"{pairs.count_rows(filter=pc.field('jaccard') >= bound):,} of Jaccard {bound:g} and more")
        if (clusters := found.files.get("clusters")) is not None:
            told.append(f"{_num_clusters(clusters):,} clusters of {clusters.count_rows():,} documents")
        if told:
            lines.append(f"{found.stage}: {', '.join(told)}")
        if (sets := found.files.get("decontamination")) is not None:
            lines += [_set_line(found.stage, row) for row in sets.head(MAX_ROWS).to_pylist()]
    return lines


def _set_line(stage: str, row: dict[str, Any]) -> str:
    return (
        f"{stage}: {row['items_found']:,} of {row['items']:,} items of {row['set']} in {row['documents']:,} documents, "
        f"{row['items_searchable']:,} could be told from ordinary text"
    )


def _num_clusters(clusters: Any) -> int:
    """How many clusters there are: each document counts for its share of one."""
    shares = (pc.divide(1.0, batch.column("cluster_size")) for batch in clusters.to_batches(columns=["cluster_size"]))
    return round(sum(pc.sum(share).as_py() or 0.0 for share in shares))


def document_lines(run: RunDir, doc_id: str) -> list[str]:
    """What the evidence says of one document.

    The documents it was compared with, those of its cluster, test items in it, runs of tokens taken out of it.
    """
    lines = []
    for found in evidence(run):
        mine = pc.field("doc_id") == doc_id
        for row in _some(found, "matches", mine):
            item = row["item_id"] or row["item"]
            lines.append(f"{found.stage} found {row['set']} item {item} ({row['part']}), {row['verdict']}:")
            lines += [f"  here: {row['document_text']}", f"  item: {row['item_text']}"]
        for row in _some(found, "spans", mine):
            place = f"bytes {row['start']:,} to {row['end']:,}, which stay in {row['kept_doc_id']}"
            lines.append(f"{found.stage} took out {place}: {row['text']}")
        for row in pairs_of(found, doc_id):
            scores = ", ".join(f"{name} {row[name]:.3f}" for name in _SCORES if row.get(name) is not None)
            where = f", band {row['band']}" if row.get("band") is not None else ""
            lines.append(f"{found.stage} compared it with {row['other']}: {scores}{where}  {row['other_url'] or ''}")
        for cluster_id in _clusters_of(found, doc_id):
            lines += _member_lines(found, cluster_id)
    return lines


def cluster_lines(run: RunDir, cluster_id: str) -> list[str]:
    """The members of one cluster, whichever stage made it."""
    return [line for found in evidence(run) for line in _member_lines(found, cluster_id)]


def _some(found: Evidence, kind: str, wanted: Any) -> list[dict[str, Any]]:
    """A few rows of a kind of evidence; none where the stage keeps no such."""
    files = found.files.get(kind)
    rows: list[dict[str, Any]] = [] if files is None else files.head(MAX_ROWS, filter=wanted).to_pylist()
    return rows


def pairs_of(found: Evidence, doc_id: str) -> list[dict[str, Any]]:
    """Pairs of a document that were compared, the most similar first, each with `other` and `other_url`."""
    pairs = found.files.get("pairs", found.files.get("semantic_pairs"))
    if pairs is None:
        return []
    score = "jaccard" if "jaccard" in pairs.schema.names else "cosine"
    mine = (pc.field("a_doc_id") == doc_id) | (pc.field("b_doc_id") == doc_id)
    rows: list[dict[str, Any]] = (
        pairs.head(MAX_COMPARED, filter=mine).sort_by([(score, "descending")]).slice(0, MAX_ROWS).to_pylist()
    )
    for row in rows:
        other = "b" if row["a_doc_id"] == doc_id else "a"
        row.update(other=row[f"{other}_doc_id"], other_url=row[f"{other}_url"])
    return rows


def members(found: Evidence, cluster_id: str) -> list[dict[str, Any]]:
    """Documents of a cluster, those that stay first."""
    clusters = found.files.get("clusters")
    if clusters is None or "cluster_id" not in clusters.schema.names:
        return []
    rows = clusters.head(MAX_COMPARED, filter=pc.field("cluster_id") == cluster_id).to_pylist()
    return sorted(rows, key=lambda row: (row["duplicate_of"] is not None, row["doc_id"]))[:MAX_ROWS]


def _clusters_of(found: Evidence, doc_id: str) -> list[str]:
    clusters = found.files.get("clusters")
    if clusters is None or "cluster_id" not in clusters.schema.names:
        return []
    held = clusters.head(1, columns=["cluster_id"], filter=pc.field("doc_id") == doc_id)
    return [str(name) for name in held["cluster_id"].to_pylist()]


def _member_lines(found: Evidence, cluster_id: str) -> list[str]:
    rows = members(found, cluster_id)
    if not rows:
        return []
    lines = [f"{found.stage} cluster {cluster_id}: {rows[0]['cluster_size']:,} documents"]
    for row in rows:
        fate = "stays" if row["duplicate_of"] is None else f"dropped for {row['duplicate_of']}"
        likeness = f", Jaccard {row['jaccard']:.3f}" if row.get("jaccard") is not None else ""
        lines.append(f"  {row['doc_id']} {fate}{likeness}  {row.get('url') or row.get('id') or ''}")
    return lines
