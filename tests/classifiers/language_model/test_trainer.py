"""A trained model's file: KenLM reads it, and finds what was estimated."""

from __future__ import annotations

import math
import shutil

import kenlm
import pyarrow as pa
import pytest
from kneser_ney import KneserNey
from pydantic import ValidationError

from classifiers.language_model.trainer import LanguageModelTrainer
from classifiers.trainer import EXAMPLES
from curate.scoring.language_model_file import description_path, read_description
from curate.scoring.perplexity import Perplexity
from curate.scoring.pretokenize import Pretokenizer

LINES = ["the cat sat", "the dog sat", "a cat ran home", "the cat ran", "一 只 猫", "a dog"] * 2 + ["home"]


def examples(lines, label="good"):
    rows = [
        {"doc_id": str(i), "text": line, "label": label, "group": "g", "language": None, "source": "s", "url": None}
        for i, line in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, EXAMPLES)


def trained(tmp_path, lines=LINES, **settings):
    trainer = LanguageModelTrainer(**settings)
    path = tmp_path / f"model{trainer.suffix}"
    trainer.train(examples(lines), "good", path, 0)
    return path


@pytest.mark.filterwarnings("ignore:the discounts of orders")
@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("format", ["kenlm", "arpa"])
def test_kenlm_scores_sentences_as_the_definition_does(tmp_path, format, order):
    model = kenlm.Model(str(trained(tmp_path, order=order, format=format)))
    oracle = KneserNey([line.split() for line in LINES], order)
    for line in LINES:
        padded = ["<s>", *line.split(), "</s>"]
        scores = [score for score, _, _ in model.full_scores(line)]
        for at in range(1, len(padded)):
            expected = oracle.probability(padded[at], tuple(padded[max(at - order + 1, 0) : at]))
            assert scores[at - 1] == pytest.approx(math.log10(expected), abs=2e-5)
    assert "elephant" not in model


@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_only_positive_examples_count_and_their_order_does_not(tmp_path):
    both = pa.concat_tables([examples(["noise noise"], "bad"), examples(LINES[::-1])])
    path = tmp_path / "both.bin"
    LanguageModelTrainer(order=3).train(both, "good", path, 7)
    assert path.read_bytes() == trained(tmp_path, order=3).read_bytes()


def test_discounts_that_cannot_be_estimated_are_warned_of(tmp_path):
    with pytest.warns(UserWarning, match="Deduplicate"):
        trained(tmp_path, ["a b"] * 4, order=2)


@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_hostile_text_makes_a_model_that_loads(tmp_path):
    hostile = [
        "<s> </s> <unk> <UNK>",
        "a\0b\x0b\x0c\r\nc",
        "\\end\\ \\data\\ \\1-grams:",
        "x" * 100_000,
        "é\u2028ü \ufffd",
        "",
    ]
    model = kenlm.Model(str(trained(tmp_path, hostile, order=4)))
    assert all(math.isfinite(model.score(text)) for text in [*hostile, "a", "<s>"])


@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_nothing_but_the_model_and_its_description_is_left_behind(tmp_path):
    path = trained(tmp_path, ["A b"], order=2, pretokenizer={"kind": "characters"})
    assert {*tmp_path.iterdir()} == {path, description_path(path)}
    described = read_description(path)
    assert (described.order, described.language) == (2, None)
    assert described.pretokenizer == Pretokenizer(kind="characters")


@pytest.mark.parametrize("settings", [{"prune": (0, 2, 1)}, {"prune": (0,) * 6}, {"order": 1}, {"order": 7}])
def test_settings_that_make_no_model_are_refused(settings):
    with pytest.raises(ValidationError):
        LanguageModelTrainer(**settings)


@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_the_last_count_to_prune_goes_for_the_orders_after_it(tmp_path):
    short = trained(tmp_path, order=4, prune=(0, 1)).read_bytes()
    assert trained(tmp_path, order=4, prune=(0, 1, 1, 1)).read_bytes() == short


@pytest.mark.filterwarnings("ignore:the discounts of orders")
def test_its_sentencepiece_model_goes_with_it(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")
    texts = [f"the old harbour {n} lay quiet in the evening of day {n * 7}" for n in range(200)]
    (tmp_path / "pieces").mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_prefix=str(tmp_path / "pieces" / "sp"), vocab_size=60, minloglevel=2
    )
    pieces = Pretokenizer(kind="sentencepiece", model_path=str(tmp_path / "pieces" / "sp.model"))
    (tmp_path / "made").mkdir()
    batches = [pa.record_batch([texts, pa.nulls(len(texts), pa.string())], ["text", "language"])]
    trainer = LanguageModelTrainer(order=3, pretokenizer=pieces)
    assert trainer.files == (pieces.model_path,)
    trainer.train_from(batches, tmp_path / "made" / "m.bin")
    shutil.rmtree(tmp_path / "pieces")
    shutil.move(tmp_path / "made", tmp_path / "else" / "where")
    stage = Perplexity(model_path=str(tmp_path / "else" / "where" / "m.bin"))
    near, far = stage.annotate(pa.record_batch({"text": [texts[3], "zebras quickly vex jumping"]})).to_pylist()
    assert near["perplexity"] < far["perplexity"]


def test_positive_may_be_a_bound_of_numbers(tmp_path):
    both = pa.concat_tables([examples(["noise noise"], "2"), examples(LINES, "10")])
    path = tmp_path / "both.bin"
    LanguageModelTrainer(order=3).train(both, ">=3", path, 0)
    assert path.read_bytes() == trained(tmp_path, order=3).read_bytes()
