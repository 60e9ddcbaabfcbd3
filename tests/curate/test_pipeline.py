"""Runs from end to end on a local session: nothing is lost, nothing depends on partitions, nothing is done twice."""

from __future__ import annotations

import hashlib
import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import recipe as recipes
from curate.errors import InputError, OutputError, RecipeError, RunError
from curate.pipeline import Options, run, split_waves, with_sources
from curate.readers.source import Source
from curate.spark.document_pass import Task

pytestmark = pytest.mark.spark

STAGES = [
    "url_filter",
    {"extract": {"extractor": "resiliparse"}},
    "language_id",
    {"gopher_quality": {"min_word_count": 20}, "languages": ["en"]},
    "exact_dedup",
    {"near_dedup": {}},
    "pii",
]


def recipe_for(path, stages=STAGES, **settings):
    recipe = recipes.parse({"name": "test", "stages": stages, **settings})
    return with_sources(recipe, [Source(name="web", paths=(str(path),))])


def digests(folder, pattern="documents/**/*.parquet"):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob(pattern))
    }


@pytest.fixture(scope="module")
def finished(spark, small_warc, tmp_path_factory):
    """One undisturbed run."""
    folder = tmp_path_factory.mktemp("run") / "out"
    return folder, run(recipe_for(small_warc), str(folder), spark, options=Options(split_bytes=8_000))


def test_rows_read_are_rows_kept_and_dropped(finished):
    folder, record = finished
    funnel = record["funnel"]
    documents = pq.read_table(folder / "documents")
    dropped = [pq.read_table(path) for path in folder.glob("dropped/**/*.parquet")]
    assert documents.num_rows == funnel["kept"] > 40
    assert sum(table.num_rows for table in dropped) == funnel["dropped"] > 10
    assert funnel["read"] == funnel["kept"] + funnel["dropped"]
    stages = funnel["stages"]
    assert [s["documents_in"] for s in stages[1:]] == [s["kept"] for s in stages[:-1]]
    reasons = {reason for table in dropped for reason in table["drop_reason"].to_pylist()}
    assert {"exact_duplicate", "near_duplicate", "word_count_below_min", "content_type_not_text"} <= reasons
    assert any(reason.startswith("error_") for reason in reasons)  # the record that is cut short


def test_documents_open_in_other_tools_as_they_are(finished):
    datasets = pytest.importorskip("datasets")
    folder, record = finished
    kept = record["funnel"]["kept"]
    files = f"{folder}/documents/**/*.parquet"
    assert duckdb.sql(f"select source, count(*) from '{files}' group by source").fetchall() == [("web", kept)]
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(folder.parent / "cache"))["train"]
    assert loaded.num_rows == kept
    assert loaded[0]["source"] == "web"
    table = pq.read_table(folder / "documents")
    assert pa.types.is_struct(table.schema.field("gopher_quality").type)
    assert "jane.doe@example.com" not in " ".join(table["text"].to_pylist())


def test_signals_of_every_stage_are_stored_with_kept_documents(finished):
    folder, _ = finished
    table = pq.read_table(folder / "documents")
    for stage in ("extract", "language_id", "exact_dedup", "near_dedup", "pii"):
        assert stage in table.schema.names
    chinese = [row for row in table.to_pylist() if row["language"] == "zh"]
    assert chinese
    assert all(row["gopher_quality"] is None for row in chinese)


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_the_bytes_do_not_depend_on_partitions(spark, small_warc, tmp_path, finished, partitions):
    options = Options(split_bytes=8_000, partitions=partitions, wave_bytes=20_000)
    run(recipe_for(small_warc), str(tmp_path / "out"), spark, options=options)
    assert digests(tmp_path / "out") == digests(finished[0])


def test_a_finished_run_is_not_run_again(spark, small_warc, finished):
    folder, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    run(recipe_for(small_warc), str(folder), spark, options=Options(split_bytes=8_000))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before


def test_a_folder_that_was_moved_goes_on(spark, small_warc, tmp_path):
    stages = [{"extract": {"extractor": "resiliparse"}}, "exact_dedup", "pii"]
    run(recipe_for(small_warc, stages), str(tmp_path / "{old} place"), spark)
    expected = digests(tmp_path / "{old} place")
    (tmp_path / "{old} place").rename(tmp_path / "new")
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "new/passes").rglob("*.parquet")}
    stages[2] = {"pii": {"min_score": 0.5}}
    run(recipe_for(small_warc, stages), str(tmp_path / "new"), spark)
    assert {p: p.stat().st_mtime_ns for p in first if "01-" in str(p)} == {
        p: t for p, t in first.items() if "01-" in str(p)
    }
    assert set(digests(tmp_path / "new")) == set(expected)


def test_a_changed_stage_reruns_from_there_on(spark, small_warc, tmp_path):
    stages = [{"extract": {"extractor": "resiliparse"}}, "exact_dedup", {"gopher_quality": {"min_word_count": 5}}]
    run(recipe_for(small_warc, stages), str(tmp_path / "out"), spark)
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}
    stages[2] = {"gopher_quality": {"min_word_count": 60}}
    record = run(recipe_for(small_warc, stages), str(tmp_path / "out"), spark)
    second = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}
    kept = {path for path in first if second.get(path) == first[path]}
    assert {path.relative_to(tmp_path / "out").parts[1] for path in kept} == {"01-extract", "02-exact_dedup"}
    assert record["funnel"]["read"] == record["funnel"]["kept"] + record["funnel"]["dropped"]
    run(recipe_for(small_warc, stages), str(tmp_path / "fresh"), spark)
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


def test_a_source_that_is_read_otherwise_is_read_again(spark, tmp_path):
    lines = [json.dumps({"text": "one", "body": "two"})]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for column, text in (("text", "one"), ("body", "two")):
        source = Source(name="web", paths=(str(tmp_path / "in.jsonl"),), text_column=column)
        run(with_sources(recipes.parse({"stages": ["pii"]}), [source]), str(tmp_path / "out"), spark)
        assert pq.read_table(tmp_path / "out/documents")["text"].to_pylist() == [text]


def test_passes_that_a_recipe_no_longer_has_are_removed(spark, small_warc, tmp_path):
    stages = [{"extract": {"extractor": "resiliparse"}}, "exact_dedup", "pii"]
    run(recipe_for(small_warc, stages), str(tmp_path / "out"), spark)
    record = run(recipe_for(small_warc, stages[:1]), str(tmp_path / "out"), spark)
    assert sorted(p.name for p in (tmp_path / "out/passes").iterdir()) == ["01-extract"]
    assert sorted(p.name for p in (tmp_path / "out/dropped").iterdir()) == ["01-extract", "02-documents"]
    assert not list((tmp_path / "out/dedup").iterdir())
    assert record["funnel"]["dropped"] == sum(
        pq.read_table(path).num_rows for path in (tmp_path / "out").glob("dropped/**/*.parquet")
    )


def test_an_empty_file_gives_an_empty_valid_corpus(spark, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    record = run(recipe_for(tmp_path / "empty.jsonl"), str(tmp_path / "out"), spark)
    assert (record["status"], record["funnel"]["kept"]) == ("finished", 0)
    assert (tmp_path / "out/report.html").exists()
    assert pq.read_table(tmp_path / "out/documents").num_rows == 0


def test_limit_reads_the_first_documents(spark, small_warc, tmp_path):
    options = Options(limit=5, split_bytes=4_000)
    record = run(
        recipe_for(small_warc, [{"extract": {"extractor": "resiliparse"}}]), str(tmp_path / "o"), spark, options=options
    )
    assert record["funnel"]["read"] == 5


def test_what_is_wrong_is_said_before_anything_is_written(spark, small_warc, tmp_path):
    with pytest.raises(InputError, match="no-such"):
        run(recipe_for(tmp_path / "no-such.warc.gz"), str(tmp_path / "out"), spark)
    with pytest.raises(InputError, match="no input"):
        run(recipes.parse({"stages": []}), str(tmp_path / "out"), spark)
    with pytest.raises(RecipeError, match="cannot limit it"):
        run(recipe_for(small_warc, [{"exact_dedup": {}, "languages": ["en"]}]), str(tmp_path / "out"), spark)
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"thesis\.tex"):
        run(recipe_for(small_warc), str(tmp_path / "mine"), spark)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_missing_model_file_stops_the_run_with_its_name(spark, small_warc, tmp_path):
    from curate.errors import EnvironmentProblem

    stages = [{"extract": {"extractor": "resiliparse"}}, {"language_id": {"model_path": str(tmp_path / "no.bin")}}]
    with pytest.raises(EnvironmentProblem, match=r"no\.bin"):
        run(recipe_for(small_warc, stages), str(tmp_path / "out"), spark)


def test_a_stage_that_fails_on_most_documents_fails_the_run(spark, tmp_path):
    lines = [json.dumps({"text": f"document {n}", "url": f"https://e.example/{n}"}) for n in range(200)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    html = [json.dumps({"html": "<div>" * 3000, "text": None, "url": f"https://e.example/{n}"}) for n in range(200)]
    (tmp_path / "deep.jsonl").write_text("\n".join(html))
    recipe = recipes.parse({"stages": [{"extract": {"extractor": "resiliparse"}}]})
    source = Source(name="web", paths=(str(tmp_path / "deep.jsonl"),), html_column="html")
    with pytest.raises(RunError, match="max_error_frac"):
        run(with_sources(recipe, [source]), str(tmp_path / "out"), spark)
    assert json.loads((tmp_path / "out/run.json").read_text())["status"] == "failed"


def test_waves_are_cut_by_size():
    tasks = [Task(part=n, source="web", size=10) for n in range(5)]
    assert [[t.part for t in wave] for wave in split_waves(tasks, 25)] == [[0, 1], [2, 3], [4]]
    assert [[t.part for t in wave] for wave in split_waves(tasks, 1)] == [[0], [1], [2], [3], [4]]
    assert split_waves([], 10) == [[]]


def test_what_a_killed_run_left_half_written_is_swept_away(spark, small_warc, tmp_path):
    recipe, out = recipe_for(small_warc, [{"extract": {"extractor": "resiliparse"}}, "exact_dedup"]), tmp_path / "out"
    run(recipe, str(out), spark)
    before = digests(out)
    for place in ("passes", "dropped"):
        half = sorted((out / place).iterdir())[0] / "_wave-00000.0badcafe"
        half.mkdir()
        (half / "part-00000.parquet").write_bytes(b"PAR1")
    run(recipe, str(out), spark)
    assert list(out.rglob("_wave*")) == []
    assert digests(out) == before
