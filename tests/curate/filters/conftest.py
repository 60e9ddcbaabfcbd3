"""One text through one stage, and why it is dropped."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from curate.stage import DocumentStage, Modifier


def _reasons(stage: DocumentStage, value: str | None) -> list[str]:
    column = stage.requires[0]
    batch = pa.record_batch({column: pa.array([value], pa.string())})
    signals = stage.modify(batch).signals if isinstance(stage, Modifier) else stage.annotate(batch)
    assert signals.type == stage.signals
    return [limit.reason for limit in stage.limits if limit.broken_by(signals)[0].as_py()]


@pytest.fixture(scope="session")
def reasons() -> Callable[[DocumentStage, str | None], list[str]]:
    """`reasons(stage, value)`: the reasons of all broken limits, in order."""
    return _reasons
