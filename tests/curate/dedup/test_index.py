"""An index that grows from dump to dump gives what all dumps at once would."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from document_nodes import no_files

from curate.dedup.near import NearDedup
from curate.errors import InputError
from curate.spark.context import CorpusContext

pytestmark = pytest.mark.spark

BANDS = {"num_bands": 60, "rows_per_band": 4}
Page = tuple[str, str]


def dumps(seed: int = 1) -> list[list[Page]]:
    """Three dumps with pages around common texts, within a dump and across; one page is in two dumps as it is."""
    draw = random.Random(seed)
    found: list[list[Page]] = [[], [], []]
    for family in range(10):
        base = [f"w{draw.randrange(5000)}" for _ in range(120)]
        for _ in range(draw.randrange(2, 9)):
            page = list(base)
            for _ in range(draw.randrange(7)):
                page[draw.randrange(120)] = f"x{draw.randrange(10**6)}"
            name = f"{draw.randrange(16**8):08x}-{family}"
            found[draw.randrange(3)].append((name, " ".join(page[: 120 - draw.randrange(3)])))
    found[0] += [("empty", "?!")]
    return found


class Runs:
    """Runs of a stage over one dump after the other, each with evidence of its own."""

    def __init__(self, spark: Any, documents: Any, folder: Path) -> None:
        self.spark, self.documents, self.folder, self.count = spark, documents, folder, 0

    def __call__(self, stage: NearDedup, pages: list[Page], digest: str = "") -> dict[str, Any]:
        """doc_id → (survivor's id, cluster size) of the documents of this dump that have a verdict."""
        self.count += 1
        self.evidence = self.folder / f"run-{self.count}"

        def save(name: str, relation: Any) -> Any:
            relation.write.parquet(str(self.evidence / name))
            return self.spark.read.schema(relation.schema).parquet(str(self.evidence / name))

        context = CorpusContext(self.spark, 0, save, no_files, digest or f"run {self.count}")
        rows = stage.apply(self.documents(pages), context).collect()
        own = self.spark.read.parquet(str(self.evidence / "clusters")).where("node < (1L << 52)").collect()
        assert {row.node for row in rows} == {row.node for row in own}
        ids = {row.node: row.doc_id for row in own}
        return {ids[row.node]: (row.duplicate_of, row.cluster_size) for row in rows}

    def all_clusters(self) -> dict[str, Any]:
        """The same of everything that the last run knew, documents of the index included."""
        rows = self.spark.read.parquet(str(self.evidence / "clusters")).collect()
        return {row.doc_id: (row.duplicate_of, row.cluster_size) for row in rows}


@pytest.fixture
def runs(spark: Any, documents: Any, tmp_path: Path) -> Runs:
    return Runs(spark, documents, tmp_path)


def test_electing_anew_gives_what_all_dumps_at_once_give(runs: Runs, tmp_path: Path) -> None:
    stage = NearDedup(**BANDS, index=str(tmp_path / "{an} [index]*"), elect="all")
    for dump in dumps():
        runs(stage, dump)
    grown = runs.all_clusters()
    changes = runs.spark.read.parquet(str(runs.evidence / "changes")).collect()
    at_once = runs(NearDedup(**BANDS), [page for dump in dumps() for page in dump])
    assert grown == at_once
    assert any(fate[0] for fate in grown.values())
    assert any(row.was_duplicate_of != row.duplicate_of for row in changes)


def test_what_is_in_the_index_stays_when_only_the_new_is_judged(runs: Runs, tmp_path: Path) -> None:
    stage = NearDedup(**BANDS, index=str(tmp_path / "index"))
    fates: dict[str, Any] = {}
    for dump in dumps():
        found = runs(stage, dump)
        after = {name: fate[0] for name, fate in runs.all_clusters().items()}
        assert {name: after[name] for name in fates} == fates  # nobody's fate changed; sizes grow
        fates = after
        old_to_new = {fate[0] for fate in found.values()} & {name for name, _ in dump}
        assert old_to_new <= {name for name, fate in found.items() if fate[0] is None}
    dropped = {name for name, survivor in fates.items() if survivor}
    ids = {name for dump in dumps() for name, _ in dump}
    assert dropped < ids
    assert all(survivor not in dropped for survivor in fates.values() if survivor)


def test_with_the_earliest_first_nothing_needs_to_be_elected_anew(runs: Runs, tmp_path: Path) -> None:
    dated = [[(name, text, f"2024-0{n + 1}-01") for name, text in dump] for n, dump in enumerate(dumps())]
    stage = NearDedup.model_validate({**BANDS, "index": str(tmp_path / "index"), "keep": "earliest"})
    for dump in dated:
        runs(stage, dump)  # type: ignore[arg-type]
    at_once = stage.model_copy(update={"index": None})
    assert runs.all_clusters() == runs(at_once, [page for dump in dated for page in dump])  # type: ignore[misc]


def test_a_reference_judges_and_stays_as_it_is(runs: Runs, tmp_path: Path) -> None:
    first, second, _ = dumps()
    runs(NearDedup(**BANDS, index=str(tmp_path / "index")), first)
    before = sorted(str(path) for path in (tmp_path / "index").rglob("*"))
    reference = NearDedup(**BANDS, index=str(tmp_path / "index"), extend_index=False)
    found = runs(reference, second)
    known = {name for name, _ in first}
    assert any(fate[0] in known for fate in found.values())
    assert sorted(str(path) for path in (tmp_path / "index").rglob("*")) == before


def test_a_corpus_that_is_met_again_is_not_added_again(runs: Runs, tmp_path: Path) -> None:
    first, second, _ = dumps()
    stage = NearDedup(**BANDS, index=str(tmp_path / "index"))
    one = runs(stage, first, "first")
    two = runs(stage, second, "second")
    assert runs(stage, first, "first") == one
    assert runs(stage, second, "second") == two
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["generation-00001", "generation-00002"]


def test_other_settings_are_refused(runs: Runs, tmp_path: Path) -> None:
    first, second, _ = dumps()
    runs(NearDedup(**BANDS, index=str(tmp_path / "index")), first)
    with pytest.raises(InputError, match="ngram_size = 5, and this run has 3"):
        runs(NearDedup(**BANDS, ngram_size=3, index=str(tmp_path / "index")), second)
