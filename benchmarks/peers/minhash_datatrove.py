"""datatrove's MinHash deduplication from parquet to parquet: run by `dedup.py` in an environment of datatrove's own.

    python minhash_datatrove.py --input DIR --output DIR --scratch DIR --workers 2

The four steps of its documentation (`examples/minhash_deduplication.py`): signatures, buckets, clusters, filter; each a
local executor. 14 buckets of 8 hashes over 5-grams, which are its defaults and ours, 64-bit xxhash, English words.
Of a cluster, which is closed over shared buckets and not verified, one document stays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages


def main() -> None:
    """All four steps, one after the other."""
    options = _options()
    config = MinhashConfig(
        hash_config=HashConfig(precision=64, hash_fc="xxhash"), n_grams=5, num_buckets=14, hashes_per_bucket=8
    )
    files = len(list(Path(options.input).glob("*.parquet")))
    scratch = options.scratch
    steps = [
        (
            files,
            [_reader(options.input), MinhashDedupSignature(f"{scratch}/signatures", config, Languages.english)],
        ),
        (config.num_buckets, [MinhashDedupBuckets(f"{scratch}/signatures", f"{scratch}/buckets", config=config)]),
        (1, [MinhashDedupCluster(f"{scratch}/buckets", f"{scratch}/remove", config=config)]),
        (files, [_reader(options.input), MinhashDedupFilter(f"{scratch}/remove"), ParquetWriter(options.output)]),
    ]
    for number, (tasks, pipeline) in enumerate(steps):
        workers = min(options.workers, tasks)
        LocalPipelineExecutor(pipeline, tasks, workers, logging_dir=f"{scratch}/logs-{number}").run()


def _reader(folder: str) -> ParquetReader:
    return ParquetReader(folder, text_key="text", id_key="id", glob_pattern="*.parquet")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--scratch", required=True)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":  # its workers import this file again
    main()
