"""Fixtures that the whole suite shares: one lazy Spark session, and the real data where it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("curate", deadline=None)  # machines are shared: a slow example is no failure
settings.load_profile("curate")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pages and texts. It is not part of the project: tests that want it skip where it is absent."""
    folder = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set CURATE_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """One local session with two cores and two shuffle partitions, so that partitioning is exercised."""
    from curate.spark.session import local_session

    session = local_session(
        cores=2, memory_gib=2, scratch=str(tmp_path_factory.mktemp("scratch")), shuffle_partitions=2
    )
    yield session
    session.stop()
