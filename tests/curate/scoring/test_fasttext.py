"""The fastText filter as a stage: labels, thresholds on both sides, and texts of any kind."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fasttext_models import HAM, SPAM, library_probabilities, trained

from curate.errors import EnvironmentProblem, RecipeError
from curate.models import file_digest
from curate.scoring.fasttext import SIGNALS, FastTextScore
from curate.scoring.fasttext_file import Note

TEXTS = [*SPAM, *HAM, "", "call me </s> later\nfree \u00a0 prize", "x" * 300]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.bin"
    return trained(path, wordNgrams=2), str(path)


def batch(texts):
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def signals(stage, texts):
    found = stage.annotate(batch(texts))
    assert found.type == SIGNALS
    return found.to_pylist()


def reasons(stage, text):
    found = stage.annotate(batch([text]))
    return [limit.reason for limit in stage.limits if limit.broken_by(found)[0].as_py()]


def test_the_score_is_the_library_s_probability_of_the_label(model):
    library, path = model
    expected = library_probabilities(library, TEXTS, ("spam", "ham"))
    found = signals(FastTextScore(model_path=path, labels=("spam",)), TEXTS)
    np.testing.assert_allclose([one["score"] for one in found], expected[:, 0], atol=1e-6)
    np.testing.assert_allclose([one["label_score"] for one in found], expected.max(axis=1), atol=1e-6)
    assert [one["label"] for one in found] == [("spam", "ham")[best] for best in expected.argmax(axis=1)]


def test_labels_are_named_with_or_without_their_prefix_and_add_up(model):
    short, long = (FastTextScore(model_path=model[1], labels=(label,)) for label in ("spam", "__label__spam"))
    assert signals(short, TEXTS) == signals(long, TEXTS)
    both = FastTextScore(model_path=model[1], labels=("spam", "ham", "spam"))
    np.testing.assert_allclose([one["score"] for one in signals(both, TEXTS)], 1.00002)


def test_the_label_must_be_named_and_known(model):
    with pytest.raises(RecipeError, match="does not say which label") as told:
        signals(FastTextScore(model_path=model[1]), TEXTS)
    assert "spam" in str(told.value)
    assert "ham" in str(told.value)
    for settings in ({"labels": ("spma",)}, {"labels": ("ham",), "remove_labels": {"spma": 0.5}}):
        with pytest.raises(RecipeError, match=r"unknown label 'spma'.*Did you mean: spam"):
            signals(FastTextScore(model_path=model[1], **settings), TEXTS)


def test_a_model_of_ours_says_its_label_and_how_text_becomes_tokens(model, tmp_path):
    path = tmp_path / "noted.bin"
    note = Note(positive="spam", tokens="characters", lower_case=True)
    path.write_bytes(Path(model[1]).read_bytes() + note.model_dump_json().encode())
    ours, plain = FastTextScore(model_path=str(path)), FastTextScore(model_path=model[1], labels=("spam",))
    assert signals(ours, ["FREE!prize"]) == signals(plain, ["free ! prize"])
    as_given = ours.model_copy(update={"lower_case": False, "tokens": "spaces"})
    assert signals(as_given, ["FREE!prize"]) == signals(plain, ["FREE!prize"]) != signals(ours, ["FREE!prize"])


@pytest.mark.parametrize(
    ("shift", "low", "high"), [(-1e-9, [], ["score_above_max"]), (0, [], []), (1e-9, ["score_below_min"], [])]
)
def test_bounds_on_the_score(model, shift, low, high):
    stage = FastTextScore(model_path=model[1], labels=("spam",))
    score = signals(stage, ["free bus"])[0]["score"]
    assert 0.001 < score < 0.999
    assert reasons(stage, "free bus") == []
    assert reasons(stage.model_copy(update={"min_score": score + shift}), "free bus") == low
    assert reasons(stage.model_copy(update={"max_score": score + shift}), "free bus") == high


@pytest.mark.parametrize(("shift", "kept", "removed"), [(-1e-9, True, True), (0, True, True), (1e-9, False, False)])
def test_a_label_that_reaches_its_threshold_is_enough(model, shift, kept, removed):
    stage = FastTextScore(model_path=model[1], labels=("spam",))
    threshold = signals(stage, ["free bus"])[0]["score"] + shift
    keep = stage.model_copy(update={"keep_labels": {"spam": threshold, "ham": 1.0}})
    remove = stage.model_copy(update={"remove_labels": {"__label__spam": threshold, "ham": 1.0}})
    assert reasons(keep, "free bus") == ([] if kept else ["no_keep_label"])
    assert reasons(remove, "free bus") == (["remove_label"] if removed else [])


def test_one_label_has_one_threshold(model):
    for setting in ("keep_labels", "remove_labels"):
        stage = FastTextScore(model_path=model[1], labels=("spam",), **{setting: {"spam": 0.5, "__label__spam": 0.7}})
        with pytest.raises(RecipeError, match=r"two thresholds.*: spam, __label__spam"):
            signals(stage, TEXTS)


def test_null_stays_unmeasured_and_is_not_judged(model):
    stage = FastTextScore(
        model_path=model[1],
        labels=("spam",),
        min_score=1,
        max_score=0,
        keep_labels={"ham": 1},
        remove_labels={"spam": 0},
    )
    assert signals(stage, [None, "free"])[0] == dict.fromkeys(SIGNALS.names)
    assert reasons(stage, None) == []
    assert stage.annotate(batch([])).type == SIGNALS


def test_scores_do_not_depend_on_the_batch(model):
    stage = FastTextScore(model_path=model[1], labels=("spam",))
    texts = [*TEXTS, None]
    assert signals(stage, texts) == [signals(stage, [text])[0] for text in texts]
    assert signals(stage, texts[::-1])[::-1] == signals(stage, texts)
    sliced = stage.annotate(batch(texts).slice(3, 5))
    assert sliced.to_pylist() == signals(stage, texts)[3:8]


@pytest.mark.parametrize("num", [7, 8, 9, 12])
def test_nor_does_the_sum_of_many_labels(tmp_path, num):
    """From eight on numpy adds up a row in another order than columns."""
    names = tuple(f"l{i}" for i in range(13))
    training = [f"__label__{names[i % 13]} w{i % 50} w{i * 7 % 41} w{i * 11 % 37}" for i in range(400)]
    trained(tmp_path / "model.bin", training, dim=16, epoch=2)
    stage = FastTextScore(model_path=str(tmp_path / "model.bin"), labels=names[:num])
    texts = [f"w{i % 50} w{i % 7} w{i % 31}" for i in range(300)]
    together = signals(stage, texts)
    assert [one["score"] for one in together] == [signals(stage, [text])[0]["score"] for text in texts]


def test_only_the_beginning_counts_where_bytes_are_bounded(model):
    stage = FastTextScore(model_path=model[1], labels=("spam",), max_bytes=10)
    assert signals(stage, ["free prize and much more"]) == signals(stage, ["free prize"])


@pytest.mark.parametrize(
    "text", ["\0" * 10_000, "<" * 100_000, "</s" * 50_000, "__label__" * 20_000, "é" * 400_000, "! " * 300_000]
)
def test_hostile_texts_have_a_score(model, text):
    for tokens in ("spaces", "characters"):
        stage = FastTextScore(model_path=model[1], labels=("spam",), tokens=tokens, lower_case=True)
        assert 0 < signals(stage, [text])[0]["score"] < 1.0001


def test_words_are_those_of_the_language_s_segmenter(tmp_path):
    pytest.importorskip("rjieba")
    trained(tmp_path / "zh.bin", [f"__label__{a} {b}" for a, b in (("x", "我 喜欢 北京"), ("y", "你 讨厌 上海"))] * 50)
    stage = FastTextScore(model_path=str(tmp_path / "zh.bin"), labels=("x",), tokens="words")
    rows = pa.record_batch({"text": ["我喜欢北京", "我 喜欢 北京"], "language": ["zh", None]})
    one, other = stage.annotate(rows).to_pylist()
    assert one == other
    assert one["score"] > 0.9


def test_the_model_s_file_is_pinned_and_travels_as_a_path(model):
    stage = FastTextScore(model_path=model[1], labels=("spam",), model_sha256=file_digest(model[1]))
    assert stage.files == (model[1],)
    assert signals(pickle.loads(pickle.dumps(stage)), TEXTS) == signals(stage, TEXTS)
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256"):
        signals(stage.model_copy(update={"model_sha256": "0" * 64}), TEXTS)
    with pytest.raises(EnvironmentProblem, match="cannot read the model file"):
        signals(FastTextScore(model_path="no/such/model.bin", labels=("spam",)), TEXTS)
