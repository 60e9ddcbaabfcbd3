from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curate import recipe as recipes
from curate.errors import InputError, RecipeError
from curate.pipeline import run, with_sources
from curate.readers.source import Source
from curate.scoring.fitted import FittedScore

pytest.importorskip("sklearn", reason="models are judged with scikit-learn")

GOOD = "The harbour lay quiet in the evening while the captain told of the winter of {n} and the long voyage."
RAW = "buy cheap pills online now best price {n} click here free shipping login register cart checkout"
CHINESE_GOOD = "傍晚的港口很安静，老船长讲述了第{n}年冬天的漫长航行和他遇到的朋友们。"
CHINESE_RAW = "点击这里登录注册免费优惠第{n}号商品购物车立即购买包邮。"
TRAINER = {"fasttext": {"dim": 8, "bucket": 2000, "epoch": 20, "lr": 0.5, "tokens": "characters"}}


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> str:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return str(path)


def pages(template: str, host: str, count: int) -> list[dict[str, Any]]:
    return [{"text": template.format(n=n), "url": f"https://{host}{n % 20}.example/{n}"} for n in range(count)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, ...]:
    folder = tmp_path_factory.mktemp("inputs")
    reference = write(folder, "reference", pages(GOOD, "books", 60) + pages(CHINESE_GOOD, "shu", 60))
    crawl = pages(RAW, "shop", 60) + pages(CHINESE_RAW, "dian", 60) + pages(GOOD, "diary", 5)
    return Source(name="reference", paths=(reference,)), Source(name="crawl", paths=(write(folder, "crawl", crawl),))


def recipe(**settings: Any) -> recipes.Recipe:
    stage = {"model": TRAINER, "positive": ["reference"], **settings}
    return recipes.parse({"name": "fitted", "stages": ["language_id", {"fitted_score": stage, "as": "quality"}]})


def rows_of(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    tables = [pq.ParquetFile(path).read() for path in sorted((folder / kind).rglob("*.parquet"))]
    return {row["doc_id"]: row for table in tables for row in table.to_pylist()}


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_a_model_of_the_reference_judges_the_crawl_and_nothing_else(spark, inputs, tmp_path):
    made = recipe(scoring={"min_score": 0.5}, test_frac=0.3)
    record = run(with_sources(made, inputs), str(tmp_path / "run"), spark)

    kept, dropped = rows_of(tmp_path / "run", "documents"), rows_of(tmp_path / "run", "dropped")
    assert {row["drop_reason"] for row in dropped.values()} == {"score_below_min"}
    assert all("cheap pills" in row["text"] or "购物车" in row["text"] for row in dropped.values())
    assert len(dropped) == 120
    assert len(kept) == record["funnel"]["kept"] == 125
    for row in kept.values():
        assert (row["quality"] is None or row["quality"]["score"] is None) == (row["source"] == "reference")
    assert all(row["quality"]["example"] for row in dropped.values()), "each was drawn, in whichever language"
    (model,) = (tmp_path / "run" / "dedup").glob("*-quality/fitted/all")
    assert {"model.bin", "card.json", "card.md", "metrics.json", "report.html", "held_out.parquet"} <= {
        path.name for path in model.iterdir()
    }
    assert json.loads((model / "metrics.json").read_text("utf-8"))["figures"]["roc_auc"]["value"] > 0.95


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_model_and_scores_do_not_depend_on_partitioning(spark, inputs, tmp_path):
    from curate.pipeline import Options

    found = []
    for name, options in (("one", Options(partitions=1)), ("many", Options(partitions=5, split_bytes=4000))):
        run(with_sources(recipe(test_frac=0), inputs), str(tmp_path / name), spark, options=options)
        (model,) = (tmp_path / name / "dedup").glob("*-quality/fitted/all/model.bin")
        scores = {key: row["quality"] for key, row in rows_of(tmp_path / name, "documents").items()}
        found.append((model.read_bytes(), scores))
    assert found[0] == found[1]


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_each_language_has_a_model_of_its_own_and_one_without_reference_is_not_judged(spark, inputs, tmp_path):
    english = Source(name="reference", paths=(write(tmp_path, "english", pages(GOOD, "books", 60)),))
    made = recipe(scoring={"min_score": 0.5}, by_language=True, test_frac=0)
    run(with_sources(made, (english, inputs[1])), str(tmp_path / "run"), spark)
    (model,) = (tmp_path / "run" / "dedup").glob("*-quality/fitted")
    assert [path.name for path in model.iterdir()] == ["en"]
    assert {row["language"] for row in rows_of(tmp_path / "run", "dropped").values()} == {"en"}
    kept = rows_of(tmp_path / "run", "documents").values()
    assert sum(row["language"] == "zh" for row in kept) == 60


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_a_language_is_data_and_no_path_and_few_examples_make_no_model(spark, inputs, tmp_path):
    rows = pages(GOOD, "books", 60) + [{**row, "language": "../../pwned"} for row in pages(GOOD, "evil", 60)]
    rows += [{**row, "language": "fr"} for row in pages(GOOD, "livre", 10)]
    rows = [{"language": "en", **row} for row in rows]
    crawl = [{**row, "language": "en"} for row in pages(RAW, "shop", 60)]
    sources = (
        Source(name="reference", paths=(write(tmp_path, "reference", rows),)),
        Source(name="crawl", paths=(write(tmp_path, "crawl", crawl),)),
    )
    stage = {"model": TRAINER, "positive": ["reference"], "by_language": True, "test_frac": 0}
    made = recipes.parse({"stages": [{"fitted_score": stage, "as": "quality"}]})
    run(with_sources(made, sources), str(tmp_path / "run"), spark)
    (fitted,) = (tmp_path / "run" / "dedup").glob("*-quality/fitted")
    assert [path.name for path in fitted.iterdir()] == ["en"]
    assert not list(tmp_path.rglob("*pwned*"))


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_without_any_language_that_has_enough_the_run_says_so(spark, inputs, tmp_path):
    made = recipe(by_language=True, test_frac=0, min_examples=1000)
    with pytest.raises(InputError, match="no language with 1000 positive examples"):
        run(with_sources(made, inputs), str(tmp_path / "run"), spark)


def test_a_file_of_the_scoring_stage_is_part_of_what_decides(tmp_path):
    cutoffs = tmp_path / "cutoffs.yaml"
    stage = {"model": "language_model", "positive": ["reference"], "scoring": {"cutoffs": str(cutoffs)}}
    (step,) = recipes.parse({"stages": [{"fitted_score": stage}]}).stages
    assert step.stage.files == (str(cutoffs),)


def test_a_source_that_is_not_there_is_said_before_anything_runs(inputs):
    with pytest.raises(RecipeError, match="reference"):
        with_sources(recipe(), inputs[1:])


def test_wrong_settings_of_model_and_scoring_are_said_with_the_names_there_are():
    with pytest.raises(RecipeError, match="fasttext"):
        recipe(model="fastext")
    with pytest.raises(RecipeError, match="min_score"):
        recipe(scoring={"min_scor": 0.5})


def test_a_recipe_with_a_model_loads_back_equal():
    made = recipe(scoring={"min_score": 0.5})
    assert recipes.parse(made.model_dump(mode="json")) == made


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_without_any_example_the_run_says_which_source_has_none(spark, inputs, tmp_path):
    made = recipes.parse(
        {
            "stages": [
                {"gopher_quality": {"min_word_count": 10_000}},
                {"fitted_score": {"model": TRAINER, "positive": ["reference"]}},
            ]
        }
    )
    with pytest.raises(InputError, match="no positive examples"):
        run(with_sources(made, inputs), str(tmp_path / "run"), spark)


def test_the_score_is_among_the_signals_and_its_limits_are_the_stages_own():
    stage = FittedScore(model=TRAINER, positive=("reference",), scoring={"min_score": 0.25})
    assert stage.score_signal == "score"
    assert [(limit.signal, limit.value) for limit in stage.limits] == [("score", 0.25)]
    assert [field.name for field in stage.signals][-1] == "example"
