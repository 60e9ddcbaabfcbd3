"""What a corpus stage is given beside the documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class CorpusContext:
    """The session, the seed, and the place where evidence is kept."""

    spark: SparkSession
    seed: int
    #: Saves a relation as evidence of the run under a name (`pairs`, `clusters`) and returns it as read back: the
    #: one way to materialise something, so that nothing is computed twice and everything that decided can be read.
    #: A name that begins with `_` is the stage's own and removed when it is done.
    save: Callable[[str, DataFrame], DataFrame]
    #: Saves a file of this machine as evidence, under a path such as `fitted/en/model.npz`.
    save_file: Callable[[str, Path], None]
    #: Names the documents that are judged and how: the same run met again has the same.
    digest: str = ""
