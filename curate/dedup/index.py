"""An index of sketches that grows from dump to dump, so that a new dump is compared with all before it.

    index/generation-00001/   manifest.json, sketches/, bands/, pairs/, clusters/
    index/generation-00002/   …

A generation is one corpus that was deduplicated with the index: the sketch of each of its documents (shingle set,
signature, id, URL, priority), its band hashes, the pairs that were verified when it came, and what became of every
document of all generations so far. It is written once, committed by one rename and never changed, so nodes in it are
good forever. What is expensive (reading text, shingles, signatures, verifying pairs) is done for the new documents
alone; band hashes of all generations are grouped again, so that pairs are the same as if all had come at once.

An index takes about 1.5 bytes for each byte of text: exact similarity with documents that are gone needs their shingle
sets. It must lie where all workers can read and write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from curate.dedup.priority import Keep, order_ddl
from curate.dedup.sketches import SKETCH, Sketching, bands_of, sketch, sketch_columns, token_rows
from curate.errors import InputError
from curate.kernels import minhash, shingles
from curate.node import GENERATION_SHIFT, LOCAL_MASK, MAX_GENERATION, PART_BITS, ROW_BITS
from curate.rundir import MANIFEST, RunDir
from curate.spark.documents import Documents, by_part
from curate.spark.parts import PartWriter, literal

FORMAT = 1
_ROW_GROUP_ROWS = 1000  # what is read for one wanted sketch, about 4 MB


class Generation(NamedTuple):
    """One corpus within an index."""

    number: int  # from 1
    folder: str  # within the index
    manifest: dict[str, Any]


class Index:
    """The index in a folder, as one run uses it: the generations before the run's own, and the run's own."""

    def __init__(self, root: str, settings: Sketching, keep: Keep, digest: str) -> None:
        """`digest` names the corpus: one that the index has already is met again, not added again.

        InputError where the index was made with other settings.
        """
        self.run, self.settings, self.keep = RunDir(root), settings, keep
        described = {
            "format": FORMAT,
            **settings._asdict(),
            "keep": [c if isinstance(c, str) else c.model_dump(mode="json") for c in keep],
            "tokens_version": shingles.TOKENS_VERSION,
            "minhash_version": minhash.VERSION,
        }
        found = self._generations(described)
        same = [g for g in found if g.manifest["digest"] == digest]
        self.older = found[: same[0].number - 1] if same else found
        self.number = len(self.older) + 1
        self.is_new = not same
        if self.number > MAX_GENERATION:
            raise InputError(f"{root} has {MAX_GENERATION} generations already. Begin another index")
        self.manifest = {**described, "digest": digest, "generation": self.number}
        self.folder = same[0].folder if same else self.run.staging(f"generation-{self.number:05d}")

    def _generations(self, described: dict[str, Any]) -> list[Generation]:
        found: list[Generation] = []
        for name in self.run.names():
            manifest = self.run.read_json(name, MANIFEST) if name.startswith("generation-") else None
            if manifest is None:
                continue
            for setting, value in described.items():
                if manifest.get(setting) != value:
                    raise InputError(
                        f"the index {self.run.root} was made with {setting} = {manifest.get(setting)}, and this run "
                        f"has {value}. Use the index's settings, or begin another index"
                    )
            found.append(Generation(len(found) + 1, name, manifest))
        return found

    def write_sketches(self, documents: Documents, spark: SparkSession) -> None:
        """Sketches and band rows of the run's own documents, unless they are there from an earlier attempt."""
        if not self.is_new:
            return
        settings, keep = self.settings, self.keep
        folder, shift = self.run.url(self.folder, "sketches"), self.number << GENERATION_SHIFT

        def write_part(part: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            writer: PartWriter | None = None
            for batch in batches:
                made = sketch(batch, settings, keep)
                made = made.set_column(0, "node", pc.add(made["node"], shift))
                if writer is None:
                    writer = PartWriter(folder, f"part-{part:05d}.parquet", made.schema, "none", _ROW_GROUP_ROWS)
                writer.write(made)
                signatures = np.frombuffer(made["signature"].buffers()[2], np.uint32).reshape(made.num_rows, -1)
                yield bands_of(signatures, token_rows(made), made["node"], made["order"], settings.num_bands)
            if writer is not None:
                writer.close(part, "")

        rows = documents.map_parts(sketch_columns(keep), write_part, f"hash long, `order` {order_ddl(keep)}, node long")
        rows.write.mode("overwrite").parquet(self.run.url(self.folder, "bands"))

    def read(self, spark: SparkSession, name: str, *, own: bool) -> DataFrame | None:
        """A relation of all older generations together, with the run's own or without; None where there is none."""
        folders = [g.folder for g in self.older] + ([self.folder] if own else [])
        frames = [spark.read.parquet(literal(self.run.url(folder, name))) for folder in folders]
        return reduce(DataFrame.unionByName, frames) if frames else None

    def latest_clusters(self, spark: SparkSession) -> DataFrame | None:
        """What had become of everyone before the run; None in a new index."""
        return spark.read.parquet(literal(self.run.url(self.older[-1].folder, "clusters"))) if self.older else None

    def sketches(self, nodes: DataFrame, num_partitions: int) -> DataFrame:
        """Sketches of some documents of any generation. Row groups without one of them are not read."""
        folders = {g.number: self.run.url(g.folder, "sketches") for g in self.older}
        folders[self.number] = self.run.url(self.folder, "sketches")

        def look_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for place, rows in by_part(batches):
                folder, part = folders[place >> PART_BITS], place & (1 << PART_BITS) - 1
                yield from _rows(f"{folder}/part-{part:05d}.parquet", rows | place << ROW_BITS)

        routed = nodes.select("node").repartition(num_partitions, F.shiftright("node", ROW_BITS))
        schema = f"node long, `order` {order_ddl(self.keep)}, {SKETCH}"
        return routed.sortWithinPartitions("node").mapInArrow(look_up, schema)

    def aged(self, frame: DataFrame) -> DataFrame:
        """The order with the generation before it: what came earlier stays."""
        age = F.shiftright("node", GENERATION_SHIFT).alias("generation")
        fields = frame.schema["order"].dataType.fieldNames()  # type: ignore[attr-defined]  # it is a struct
        return frame.withColumn("order", F.struct(age, *(F.col(f"order.{name}") for name in fields)))

    def local(self, frame: DataFrame, *columns: str) -> DataFrame:
        """The run's own nodes as the run knows them, in generation 0; others stay."""
        own = self.number << GENERATION_SHIFT
        for name in columns:
            node = F.col(name)
            frame = frame.withColumn(name, F.when(node >= own, node.bitwiseAND(LOCAL_MASK)).otherwise(node))
        return frame

    def numbered(self, frame: DataFrame, *columns: str) -> DataFrame:
        """The same back: the run's own nodes in the generation that they are of the index."""
        own = self.number << GENERATION_SHIFT
        for name in columns:
            node = F.col(name)
            frame = frame.withColumn(name, F.when(node <= LOCAL_MASK, node + own).otherwise(node))
        return frame

    def commit(self, pairs: DataFrame, clusters: DataFrame, num_documents: int) -> None:
        """Add the run's own generation, with the pairs that it verified and what became of everyone."""
        if not self.is_new:
            return
        pairs.write.mode("overwrite").parquet(self.run.url(self.folder, "pairs"))
        clusters.write.mode("overwrite").parquet(self.run.url(self.folder, "clusters"))
        self.run.write_json({**self.manifest, "documents": num_documents}, self.folder, MANIFEST)
        self.run.commit(self.folder, f"generation-{self.number:05d}")

    def discard(self) -> None:
        """Leave the index as it was."""
        if self.is_new:
            self.run.remove(self.folder)


def _rows(path: str, nodes: Sequence[int] | np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows of some sorted nodes in a file that is sorted by node."""
    with fsspec.open(path, "rb") as file:
        parquet = pq.ParquetFile(file)
        for number in range(parquet.num_row_groups):
            held = parquet.metadata.row_group(number).column(0).statistics
            if np.searchsorted(nodes, held.min) < np.searchsorted(nodes, held.max, side="right"):
                for batch in parquet.read_row_group(number).combine_chunks().to_batches():
                    found = batch.filter(pa.array(np.isin(batch["node"].to_numpy(), nodes)))
                    if found.num_rows:
                        yield found
