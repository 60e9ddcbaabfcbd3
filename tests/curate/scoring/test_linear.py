"""The stage: scores, null text, thresholds on both sides and on the bound, and GPT-3's draw."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from curate.document import uniform
from curate.errors import EnvironmentProblem
from curate.limit_settings import limit_settings
from curate.scoring.linear import LinearScore, pareto_draws
from curate.scoring.linear_model import Features, LinearModel, probabilities, save
from curate.stage import Limit

TEXTS = ["good text", "bad text", None, "", "好 文", "good good good", "  "]


@pytest.fixture
def path(tmp_path):
    weights = np.random.default_rng(1).normal(size=1000)
    save(LinearModel(Features(num_features=1000), weights, 0.1), tmp_path / "m.npz")
    return str(tmp_path / "m.npz")


def batch(texts=TEXTS):
    return pa.record_batch({"doc_id": [f"{i:032x}" for i in range(len(texts))], "text": pa.array(texts, pa.string())})


def kept(stage, signals):
    return [not any(row) for row in zip(*(limit.broken_by(signals).to_pylist() for limit in stage.limits), strict=True)]


def test_the_signals_are_the_declared_ones_and_null_where_the_text_is(path):
    for alpha, names in ((None, ["score"]), (9.0, ["score", "draw", "margin"])):
        stage = LinearScore(model_path=path, pareto_alpha=alpha)
        signals = stage.annotate(batch())
        assert signals.type == stage.signals == pa.struct([(name, pa.float64()) for name in names])
        for name in names:
            assert [value is None for value in signals.field(name).to_pylist()] == [text is None for text in TEXTS]
        assert stage.annotate(batch([])).type == stage.signals


def test_the_draw_is_numpys_pareto_of_a_uniform_number():
    """Lomax: its distribution function is 1 - (1 + x)^-alpha."""
    ids = [f"{i:032x}" for i in range(4000)]
    draws = pareto_draws(pa.array(ids), 9.0, 5)
    assert np.allclose(1 - (1 + draws) ** -9.0, [uniform(i, 5, "pareto") for i in ids], atol=1e-12)
    theirs = np.sort(np.random.default_rng(0).pareto(9.0, 4000))
    gap = np.abs(np.searchsorted(theirs, np.sort(draws)) - np.arange(4000)).max() / 4000
    assert gap < 0.045  # Kolmogorov and Smirnov, two samples of 4,000: p = 0.001 at 0.044
    assert not np.array_equal(draws, pareto_draws(pa.array(ids), 9.0, 6))


def test_the_largest_share_is_a_finite_draw(monkeypatch):
    monkeypatch.setattr("curate.scoring.linear.uniform", lambda *_: 1.0)
    assert 100 < pareto_draws(pa.array(["a"]), 9.0, 0)[0] < math.inf


def test_pareto_keeps_where_the_draw_is_more_than_one_less_the_score(path):
    stage = LinearScore(model_path=path, pareto_alpha=9, seed=3)
    texts = [f"text number {n} of {n % 7} words" for n in range(500)]
    signals = stage.annotate(batch(texts))
    rows = signals.to_pylist()
    assert kept(stage, signals) == [row["draw"] > 1 - row["score"] for row in rows]
    assert 0 < sum(kept(stage, signals)) < 500


@pytest.mark.parametrize(
    ("draw", "score", "keeps"), [(0.5, 0.5, False), (np.nextafter(0.5, 1), 0.5, True), (0.0, 1.0, False)]
)
def test_a_draw_on_the_bound_does_not_keep(path, draw, score, keeps):
    stage = LinearScore(model_path=path, pareto_alpha=9)
    arrays = [pa.array([value], pa.float64()) for value in (score, draw, draw - (1.0 - score))]
    assert kept(stage, pa.StructArray.from_arrays(arrays, fields=list(stage.signals))) == [keeps]


@pytest.mark.parametrize(("score", "keeps"), [(0.0, True), (0.4, True), (np.nextafter(0.4, 1), False), (None, True)])
def test_a_bound_from_above_keeps_what_is_on_it(path, score, keeps):
    """As for toxicity, of which less is better."""
    stage = LinearScore(model_path=path, max_score=0.4)
    assert kept(stage, pa.array([{"score": score}], stage.signals)) == [keeps]


def test_between_two_bounds_a_document_stays(path):
    stage = LinearScore(model_path=path, min_score=0.4, max_score=0.6)
    signals = pa.array([{"score": score} for score in (0.3, 0.4, 0.5, 0.6, 0.7)], stage.signals)
    assert kept(stage, signals) == [False, True, True, True, False]
    assert [limit.reason for limit in stage.limits] == ["score_below_min", "score_above_max"]


def test_a_bound_and_a_draw_may_go_together(path):
    stage = LinearScore(model_path=path, min_score=0.1, pareto_alpha=9)
    assert [limit.reason for limit in stage.limits] == ["score_below_min", "margin_below_min"]
    assert LinearScore(**stage.model_dump()) == stage


def test_bounds_may_move_without_measuring_again(path):
    assert {"min_score", "max_score"} <= limit_settings(LinearScore(model_path=path, max_score=0.4))


@pytest.mark.parametrize(("score", "keeps"), [(np.nextafter(0.7, 0), False), (0.7, True), (0.71, True), (None, True)])
def test_a_threshold_keeps_what_is_on_it(path, score, keeps):
    stage = LinearScore(model_path=path, min_score=0.7)
    signals = pa.StructArray.from_arrays([pa.array([score], pa.float64())], fields=list(stage.signals))
    assert kept(stage, signals) == [keeps]
    assert stage.limits == (Limit("score", "at_least", 0.7),)


def test_without_bounds_all_stay(path):
    assert LinearScore(model_path=path).limits == ()


def test_scores_and_draws_do_not_depend_on_the_batch(path):
    stage = LinearScore(model_path=path, pareto_alpha=9)
    whole = stage.annotate(batch())
    for cut in range(len(TEXTS) + 1):
        parts = [stage.annotate(batch().slice(0, cut)), stage.annotate(batch().slice(cut))]
        assert pa.concat_arrays(parts).equals(whole)


def test_only_the_first_bytes_are_read(path):
    stage = LinearScore(model_path=path, max_bytes=4)
    assert stage.annotate(batch(["good text"])) == stage.annotate(batch(["good"]))


def test_a_missing_or_another_file_is_said(path):
    with pytest.raises(EnvironmentProblem, match="SHA-256"):
        LinearScore(model_path=path, model_sha256="0" * 64).annotate(batch())
    with pytest.raises(EnvironmentProblem, match="absent"):
        LinearScore(model_path="absent.npz").annotate(batch())


@pytest.mark.spark
def test_scores_are_spark_mls(spark, shared_data, tmp_path):
    """The whole of GPT-3's pipeline over real English and Chinese, with coefficients as large as trained ones."""
    import pyarrow.parquet as pq
    from pyspark.ml import PipelineModel
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import HashingTF, Tokenizer

    texts, labels = [], []
    for label, name in enumerate(("news_en", "manuals_en", "zh")):
        column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"].slice(0, 80)
        texts += [text[:30_000] for text in column.to_pylist()] + [""]
        labels += [float(label % 2)] * (len(column) + 1)
    rows = pa.table({"text": texts, "label": labels, "row": range(len(texts))})
    frame = spark.createDataFrame(rows).coalesce(1)
    stages = [Tokenizer(inputCol="text", outputCol="words"), HashingTF(inputCol="words", outputCol="features")]
    hashed = PipelineModel(stages).transform(frame)
    fitted = LogisticRegression(maxIter=20).fit(hashed)
    scored = fitted.transform(hashed).select("row", "probability").collect()
    expected = np.array([row["probability"][1] for row in sorted(scored)])
    model = LinearModel(Features(), fitted.coefficients.toArray(), fitted.intercept)
    assert np.abs(probabilities(model, pa.array(texts)) - expected).max() < 1e-12
    assert expected.min() < 0.1 < 0.9 < expected.max()
