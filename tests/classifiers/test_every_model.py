"""Every model of the registry goes the same way: trained, judged, applied."""

from __future__ import annotations

import pytest

from classifiers import training_file
from classifiers.commands import train as command
from classifiers.evaluation.card import load_card
from classifiers.trained_model import stage_of
from curate import registry
from curate.progress import Reporter

#: Settings that make each model small; what it must reach on messages that a few words tell apart, one in ten wrongly.
SMALL = {
    "linear": ({"solver": "lbfgs", "features": {"terms": "ngrams", "words": [1, 1], "num_features": 4096}}, 0.8),
    "fasttext": ({"dim": 8, "bucket": 1000, "epoch": 30, "lr": 0.5}, 0.8),
    "language_model": ({"order": 2}, 0.7),
    "importance": ({"num_buckets": 512}, 0.8),
    "embedding_head": ({"embedding": {"dimensions": 64}, "alphas": [0.1], "num_folds": 2}, 0.8),
}


def test_each_model_is_tried():
    assert set(SMALL) == set(registry.MODELS)


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_a_model_is_trained_judged_and_applied(name, messages, tmp_path):
    settings, least = SMALL[name]
    training = training_file.parse(
        {
            "name": name,
            "model": {name: settings},
            "positive": "spam",
            "examples": [{"name": "messages", "paths": [str(messages)]}],
            "split": {"test_frac": 0.3},
            "folds": 0,
        }
    )
    outcome = command.train(training, tmp_path / "out", False, Reporter())
    assert outcome.judged.evaluation.figures["roc_auc"].value > least
    assert outcome.judged.evaluation.num_without_score == 0
    card = load_card(tmp_path / "out")
    assert card.kind == name
    stage, found = stage_of(str(tmp_path / "out"), {})
    assert stage == training.model.settings.stage
    assert found["model_path"] == str(tmp_path / "out" / card.file)
    judged = command.evaluate(
        str(tmp_path / "out"), {"messages": [str(messages)]}, {}, None, None, None, None, Reporter()
    )
    assert judged.judged.evaluation.figures["roc_auc"] == outcome.judged.evaluation.figures["roc_auc"]
