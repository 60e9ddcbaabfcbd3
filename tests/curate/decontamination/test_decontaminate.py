"""The whole stage in a run: texts are cut, evidence is kept, and neither depends on how documents lie."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from evaluation_items import ANSWER, LONG, PADDING, SHORT
from pydantic import ValidationError

from curate import recipe as recipes
from curate import registry
from curate.decontamination.decontaminate import Decontaminate
from curate.decontamination.evaluation_sets import EvaluationSet
from curate.errors import InputError
from curate.pipeline import run, with_sources
from curate.readers.source import Source

PAGE = PADDING * 20
CLEAN = [f"{PAGE} Page {n} is clean." for n in range(5)]


@pytest.fixture
def run_stage(spark, tmp_path, monkeypatch):
    """`run_stage(texts, settings, files)`: the run's folder after one stage over texts in so many files."""
    entry = registry.Entry("curate.decontamination.decontaminate:Decontaminate", "…")
    monkeypatch.setitem(registry.STAGES, "decontaminate", entry)

    def run_it(texts, settings, files=1):
        folder = tmp_path / f"run-{files}"
        paths = []
        for number in range(files):
            path = tmp_path / f"texts-{files}-{number}.parquet"
            pq.write_table(pa.table({"text": texts[number::files]}), path)
            paths.append(str(path))
        recipe = recipes.parse({"name": "one", "stages": [{"decontaminate": settings}]})
        run(with_sources(recipe, [Source(name="texts", paths=tuple(paths))]), str(folder), spark)
        return folder

    return run_it


def settings_of(*sets: EvaluationSet, **settings):
    return {"sets": [one.model_dump(exclude_none=True) for one in sets], **settings}


@pytest.mark.spark
def test_what_matches_is_cut_out_and_told_and_nothing_else_changes(write_set, run_stage):
    tests = write_set("farm", (LONG, ANSWER), (SHORT,))
    other = write_set("other", ("Nothing of this question with more than eight words is anywhere in the corpus",))
    texts = [*CLEAN, PAGE + LONG + " " + PAGE, LONG]
    folder = run_stage(texts, settings_of(tests, other))
    kept = pq.read_table(folder / "documents").to_pylist()
    assert len(kept) == 6
    left = Counter(row["text"] for row in kept)
    assert all(left[text] == 1 for text in CLEAN)
    (cut,) = [row for row in kept if row["text"] not in CLEAN]
    assert "Lisbon" not in cut["text"]
    assert 2 * len(PAGE) - 2 * (200 + len(PADDING)) <= len(cut["text"]) <= 2 * len(PAGE) - 400
    assert cut["decontaminate"]["sets"] == ["farm"]
    assert cut["decontaminate"]["num_matches"] == 1
    assert cut["decontaminate"]["worst_share"] == 1.0
    (dropped,) = [row for file in folder.glob("dropped/**/*.parquet") for row in pq.read_table(file).to_pylist()]
    assert (dropped["drop_stage"], dropped["drop_reason"]) == ("decontaminate", "nothing_left")
    (evidence,) = folder.glob("dedup/*decontaminate")
    matches = pq.read_table(evidence / "matches").to_pylist()
    assert {(m["set"], m["item"], m["item_id"], m["part"], m["verdict"]) for m in matches} == {
        ("farm", 0, "farm/0", "question", "contaminated")
    }
    assert all(m["document_text"] == LONG.rstrip("?") and m["item_text"] == LONG for m in matches)
    assert {m["doc_id"] for m in matches} == {cut["doc_id"], dropped["doc_id"]}
    found = pq.read_table(evidence / "decontamination").to_pylist()
    columns = ("set", "items", "items_searchable", "items_found", "items_flagged", "documents", "found_share")
    assert [tuple(row[name] for name in columns) for row in found] == [
        ("farm", 2, 2, 1, 0, 2, 0.5),
        ("other", 1, 1, 0, 0, 0, 0.0),
    ]
    assert not list(evidence.glob("_*"))


@pytest.mark.spark
def test_the_outcome_does_not_depend_on_how_documents_lie(write_set, run_stage):
    tests = write_set("farm", (LONG, ANSWER), (SHORT,))
    texts = [*CLEAN, PAGE + LONG + PAGE, PAGE + SHORT, ANSWER * 2 + PAGE, PAGE + LONG + ANSWER + PAGE + SHORT + PAGE]

    def outcome(files):
        folder = run_stage(texts, settings_of(tests), files)
        (evidence,) = folder.glob("dedup/*decontaminate")
        matches = pq.read_table(evidence / "matches").drop_columns(["node"]).to_pylist()
        summary = pq.read_table(evidence / "decontamination").to_pylist()
        texts_left = sorted(row["text"] for row in pq.read_table(folder / "documents").to_pylist())
        return sorted(map(str, matches)), summary, texts_left

    assert outcome(1) == outcome(4)


@pytest.mark.spark
def test_ngrams_of_too_many_documents_are_common_and_ignored(write_set, run_stage):
    tests = write_set("farm", (LONG,), (SHORT,))
    texts = [f"{PAGE}{n} {LONG} {PAGE}" for n in range(3)] + [f"{PAGE}{n} {SHORT} {PAGE}" for n in range(2)]
    folder = run_stage(texts, settings_of(tests, max_documents_per_ngram=2), 2)
    (evidence,) = folder.glob("dedup/*decontaminate")
    found = {(m["item"]) for m in pq.read_table(evidence / "matches").to_pylist()}
    assert found == {1}
    left = [row["text"] for row in pq.read_table(folder / "documents").to_pylist()]
    assert sum("Lisbon" in text for text in left) == 3
    assert not any("Delft" in text for text in left)


def test_sets_have_names_of_their_own_and_known_fields(write_set, tmp_path):
    one = write_set("farm", (LONG,))
    with pytest.raises(ValidationError, match="given twice: farm"):
        Decontaminate(sets=(one, one))
    with pytest.raises(ValidationError, match=r"unknown definition of fields 'mmlo'.*mmlu"):
        Decontaminate(sets=({"name": "mmlo", "path": "x.jsonl"},))
    with pytest.raises(ValidationError):
        Decontaminate(sets=())


def test_a_missing_file_is_told_before_anything_runs(tmp_path):
    stage = Decontaminate(sets=({"name": "mmlu", "path": str(tmp_path / "none.jsonl")},))
    with pytest.raises(InputError, match=r"none\.jsonl"):
        _ = stage.files


def test_the_index_is_built_once_and_again_when_a_file_changes(write_set):
    stage = Decontaminate(sets=(write_set("farm", (LONG,)),))
    first = stage.index()
    assert stage.index() is first
    write_set("farm", (LONG,), (SHORT,))
    assert len(stage.index().set_of) == 2


def test_defaults_are_those_of_gpt_3():
    stage = Decontaminate(sets=({"name": "mmlu", "path": "x"},))
    published = {"ngram_size": 13, "min_ngram_size": 8, "margin_chars": 200, "min_piece_chars": 200, "max_pieces": 10}
    assert {name: getattr(stage, name) for name in published} == published
    assert (stage.min_ngrams, stage.min_share, stage.action) == (1, 0.0, "cut")
