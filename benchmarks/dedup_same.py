"""One corpus deduplicated in different ways, which should all leave the same documents: run by `dedup.py`.

Partitions, files, their order, the order within them, and a cluster of two workers in place of threads; each way is one
run of our recipe inside this process. `split_by_date` cuts a corpus into dumps for the index.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dedup_contestants import our_survivors

CLUSTER = "local-cluster[2,1,1024]"  # workers, cores and MiB of each
PARTITIONS = (1, 4, 32)
SHUFFLED_FILES = 7
ROW_GROUP = 100  # rows: small, so that there is something to divide


def different_ways(corpus: Path, scratch: Path) -> dict[str, list[str]]:
    """What stays for each number of partitions, and for the same documents in another order in other files."""
    from curate.spark.session import local_session

    spark = local_session(cores=2)
    stays = {f"{number} partitions": _stays(corpus, scratch, spark, number) for number in PARTITIONS}
    for name, order in {"shuffled": None, "turned round": -1}.items():
        shuffled(corpus, scratch / name, order)
        stays[f"{name}, {SHUFFLED_FILES} files"] = _stays(scratch / name, scratch, spark, None)
    spark.stop()
    return stays


def on_a_cluster(corpus: Path, scratch: Path) -> dict[str, list[str]]:
    """What stays where executors are processes of their own."""
    from curate.spark.session import local_session

    spark = local_session(CLUSTER)
    stays = {CLUSTER: _stays(corpus, scratch, spark, None)}
    spark.stop()
    return stays


def _stays(corpus: Path, scratch: Path, spark: Any, partitions: int | None) -> list[str]:
    from curate import recipe as recipes
    from curate.pipeline import Options, run, with_sources
    from curate.readers.source import Source

    shutil.rmtree(scratch / "out", ignore_errors=True)
    recipe = with_sources(recipes.load("dedup"), [Source(name="web", paths=(str(corpus),))])
    # Small splits: a few megabytes would be one task otherwise, whatever the number of partitions.
    run(recipe, str(scratch / "out"), spark, options=Options(partitions=partitions, split_bytes=2**18))
    ids: list[str] = our_survivors(scratch).to_pylist()
    return ids


def shuffled(corpus: Path, folder: Path, order: int | None) -> None:
    """The same rows in other files: in any order, or (-1) the last first."""
    table = pa.concat_tables([pq.read_table(path) for path in sorted(corpus.glob("*.parquet"))])
    rows = np.arange(table.num_rows)
    rows = rows[::-1] if order == -1 else np.random.default_rng(0).permutation(rows)
    folder.mkdir()
    for number, part in enumerate(np.array_split(rows, SHUFFLED_FILES)):
        pq.write_table(table.take(part), folder / f"{number}.parquet", compression="zstd", row_group_size=ROW_GROUP)


def split_by_date(corpus: Path, folder: Path, number: int) -> list[Path]:
    """`number` folders with about as many documents each, the earliest first."""
    files = sorted(corpus.glob("*.parquet"))
    dates = np.sort(np.concatenate([pq.read_table(path, columns=["date"])["date"].to_numpy() for path in files]))
    bounds = [*(str(dates[len(dates) * part // number]) for part in range(number)), "~"]
    dumps = [folder / f"dump-{part + 1}" for part in range(number)]
    for dump, first, end in zip(dumps, bounds, bounds[1:], strict=False):
        dump.mkdir(parents=True)
        for path in files:
            table = pq.read_table(path)
            inside = pc.and_(pc.greater_equal(table["date"], first), pc.less(table["date"], end))
            pq.write_table(table.filter(inside), dump / path.name, compression="zstd", row_group_size=1_000)
    return dumps
