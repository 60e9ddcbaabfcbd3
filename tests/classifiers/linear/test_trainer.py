"""Training: what it learns, that it is deterministic, what it refuses, and GPT-3's way by Spark ML."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from classifiers.linear.trainer import LinearTrainer
from classifiers.trainer import EXAMPLES
from curate.errors import InputError
from curate.kernels.linear_terms import term_counts
from curate.scoring.linear_model import Features, load, probabilities

CHARS = {"terms": "ngrams", "chars": (1, 3), "num_features": 4096}
GOOD, BAD = "green calm gentle warm kind".split(), "grim cruel vile cold harsh".split()


def examples(count=240, seed=0):
    """Texts of which the good have more good words; a few have none of either."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        good = number % 2 == 0
        words = random.choice(["the", "a", "of", "and", "中文"], 8).tolist()
        words += random.choice(GOOD if good else BAD, 3).tolist() + random.choice(BAD if good else GOOD, 1).tolist()
        text = " ".join(random.permutation(words)) if number % 40 else ""
        rows.append({"doc_id": str(number), "text": text, "label": "good" if good else "bad"})
    for row in rows:
        row |= {"group": f"g{int(row['doc_id']) // 3}", "language": "en", "source": "made", "url": None}
    return pa.Table.from_pylist(rows, EXAMPLES)


def trained(tmp_path, table=None, positive="good", seed=0, **settings):
    path = tmp_path / "m.npz"
    LinearTrainer(**settings).train(examples() if table is None else table, positive, path, seed)
    return load(path)


def accuracy(model, table):
    scores = probabilities(model, table["text"].combine_chunks())
    return np.mean((scores >= 0.5) == (np.array(table["label"]) == "good"))


@pytest.mark.parametrize("weighting", ["none", "idf", "nb"])
@pytest.mark.parametrize("norm", ["none", "l2"])
@pytest.mark.parametrize("tf", ["count", "binary", "log"])
def test_it_learns_what_tells_the_labels_apart(tmp_path, weighting, norm, tf):
    settings = {"features": {**CHARS, "norm": norm, "tf": tf}, "solver": "lbfgs", "weighting": weighting}
    assert accuracy(trained(tmp_path, **settings), examples(seed=1)) > 0.9


@pytest.mark.parametrize("weighting", ["none", "idf", "nb"])
@pytest.mark.parametrize("norm", ["none", "l2"])
def test_the_shipped_weights_score_as_the_fitted_regression_does(tmp_path, weighting, norm):
    """With a slow and obvious fit beside it: what is multiplied in training is folded into the weights."""
    features = Features(**{**CHARS, "norm": norm, "tf": "log"})
    table = examples()
    starts, places, counts = term_counts(table["text"].combine_chunks(), features.kernel_terms)
    dense = np.zeros((len(table), features.num_features))
    for row in range(len(table)):
        part = slice(starts[row], starts[row + 1])
        dense[row, places[part]] = 1 + np.log(counts[part])
    labels = np.array(table["label"]) == "good"
    there = dense > 0
    if weighting == "idf":
        dense *= np.log((1 + len(table)) / (1 + there.sum(axis=0))) + 1
    elif weighting == "nb":
        p, q = 1 + there[labels].sum(axis=0), 1 + there[~labels].sum(axis=0)
        dense *= np.log((p / p.sum()) / (q / q.sum()))
    if norm == "l2":
        dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    expected = LogisticRegression(C=0.5, max_iter=500).fit(dense, labels).predict_proba(dense)[:, 1]
    settings = {"features": features, "solver": "lbfgs", "weighting": weighting, "c": 0.5, "max_iterations": 500}
    found = probabilities(trained(tmp_path, table, **settings), table["text"].combine_chunks())
    assert np.abs(found - expected).max() < 2e-3


def test_the_same_examples_give_the_same_bytes(tmp_path):
    digests = set()
    for _ in range(2):
        trained(tmp_path, features=CHARS, solver="lbfgs", weighting="nb", c=(0.1, 1.0))
        digests.add(hashlib.sha256((tmp_path / "m.npz").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_of_several_strengths_the_one_with_the_least_loss_is_taken(tmp_path):
    model = trained(tmp_path, features=CHARS, solver="lbfgs", c=(1e-6, 1.0))
    assert model.trained["c"] == 1.0
    assert model.trained["log_loss"]["1"] < model.trained["log_loss"]["1e-06"]
    alone = trained(tmp_path, features=CHARS, solver="lbfgs", c=1.0)
    assert np.array_equal(alone.weights, model.weights)


def test_balanced_labels_count_alike(tmp_path):
    """The bias is not penalised, so the mean score is the share of the positive label: as it is, or as it counts."""
    table = examples()
    few = table.filter(pa.array([label == "bad" or n % 10 == 0 for n, label in enumerate(table["label"].to_pylist())]))
    settings = {"features": CHARS, "solver": "lbfgs", "c": 0.01}
    plain = probabilities(trained(tmp_path, few, **settings), few["text"].combine_chunks())
    balanced = probabilities(trained(tmp_path, few, class_weight="balanced", **settings), few["text"].combine_chunks())
    good = np.array(few["label"]) == "good"
    assert np.isclose(plain.mean(), good.mean(), atol=0.01)
    assert np.isclose((balanced[good].mean() + balanced[~good].mean()) / 2, 0.5, atol=0.03)


def test_the_other_label_can_be_the_positive_one(tmp_path):
    model = trained(tmp_path, positive="bad", features=CHARS, solver="lbfgs")
    assert accuracy(model, examples(seed=1)) < 0.1


@pytest.mark.parametrize("positive", ["absent", "good"])
def test_one_label_alone_is_refused(tmp_path, positive):
    table = examples() if positive == "absent" else examples().filter(pa.compute.field("label") == "good")
    with pytest.raises(InputError, match="of another label"):
        trained(tmp_path, table, positive, features=CHARS, solver="lbfgs")


@pytest.mark.parametrize(
    "settings",
    [
        *({"weighting": "nb"}, {"features": CHARS}, {"features": {"tf": "log"}}, {"class_weight": "balanced"}),
        *(
            {"c": 0.0, "solver": "lbfgs"},
            {"c": (), "solver": "lbfgs"},
            {"max_bytes": 100},
            {"features": {"norm": "l2"}},
        ),
    ],
)
def test_settings_that_no_solver_has_are_refused(settings):
    with pytest.raises(ValidationError):
        LinearTrainer(**settings)


@pytest.mark.spark
def test_gpt3s_way_is_deterministic_and_scores_as_spark_does(spark, tmp_path):
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression as Regression
    from pyspark.ml.feature import HashingTF, Tokenizer

    table = examples()
    models = [trained(tmp_path, table) for _ in range(2)]
    assert models[0].weights.tobytes() == models[1].weights.tobytes()
    assert models[0].features == Features()
    rows = table.select(["text"]).append_column(
        "label", pa.array(np.array(table["label"]) == "good").cast(pa.float64())
    )
    frame = spark.createDataFrame(rows).coalesce(1)
    stages = [Tokenizer(inputCol="text", outputCol="words"), HashingTF(inputCol="words", outputCol="features")]
    scored = Pipeline(stages=[*stages, Regression()]).fit(frame).transform(frame).collect()
    expected = [row["probability"][1] for row in scored]
    assert np.abs(probabilities(models[0], table["text"].combine_chunks()) - expected).max() < 1e-12


def test_positive_may_be_a_bound_of_numbers(tmp_path):
    table = examples()
    numbers = ["10.0" if label == "good" else "2" for label in table["label"].to_pylist()]
    table = table.set_column(2, EXAMPLES.field("label"), pa.array(numbers))
    settings = {"features": CHARS, "solver": "lbfgs"}
    model = trained(tmp_path, table, positive=">=3", **settings)
    assert np.array_equal(model.weights, trained(tmp_path, **settings).weights)
    with pytest.raises(InputError, match="number"):
        trained(tmp_path, positive=">=3", **settings)
