"""Training fastText models: the same bytes twice, safe labels, texts read as they are scored, real data."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from classifiers.fasttext.search import best_settings, drawn, roc_area
from classifiers.fasttext.trainer import FastTextTrainer, safe_label
from classifiers.trainer import EXAMPLES
from curate.document import doc_id
from curate.errors import InputError
from curate.models import fasttext_module
from curate.scoring.fasttext import FastTextScore
from curate.scoring.fasttext_file import read_fasttext

SMALL = {"dim": 8, "bucket": 2000, "lr": 0.5}


def examples(pairs, language="en"):
    ids = [doc_id(text, str(n)) for n, (text, _) in enumerate(pairs)]
    texts, labels = zip(*pairs, strict=True) if pairs else ((), ())
    rest = {"language": [language] * len(ids), "source": ["test"] * len(ids), "url": [None] * len(ids)}
    return pa.table({"doc_id": ids, "text": texts, "label": labels, "group": ids, **rest}, schema=EXAMPLES)


def toy(num=60, labels=("good", "bad")):
    words = {label: [f"{label[0]}{n}" for n in range(5)] for label in labels}
    return examples([(f"{words[label][n % 5]} and {n % 3}", label) for n in range(num) for label in labels])


def scores(path, texts, **settings):
    batch = pa.record_batch({"text": pa.array(texts, pa.string())})
    return FastTextScore(model_path=str(path), **settings).annotate(batch).to_pylist()


@pytest.mark.parametrize(
    "settings", [{}, {"quantize": True}, {"quantize": True, "cutoff": 400, "retrain": True}, {"trials": 2}]
)
def test_the_same_examples_give_the_same_bytes(tmp_path, settings):
    trainer = FastTextTrainer(**(SMALL | settings))
    for name in ("one", "two"):
        trainer.train(toy(), "good", tmp_path / name, seed=3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_seed_gives_another_model(tmp_path):
    for seed in (1, 2):
        FastTextTrainer(**SMALL).train(toy(), "good", tmp_path / str(seed), seed)
    assert (tmp_path / "1").read_bytes() != (tmp_path / "2").read_bytes()


def test_the_score_is_high_where_the_label_is_positive(tmp_path):
    for positive, other in (("good", "bad"), ("bad", "good")):
        FastTextTrainer(**SMALL).train(toy(), positive, tmp_path / "m.bin", 0)
        one, two = scores(tmp_path / "m.bin", [f"{positive[0]}1 and 2", f"{other[0]}1 and 2"])
        assert one["score"] > 0.9 > 0.1 > two["score"]
        assert (one["label"], two["label"]) == (positive, other)


def test_the_suffix_follows_the_settings():
    assert FastTextTrainer().suffix == ".bin"
    assert FastTextTrainer(quantize=True).suffix == ".ftz"


def test_a_quantised_model_is_smaller_and_scores(tmp_path):
    FastTextTrainer(**SMALL).train(toy(), "good", tmp_path / "m.bin", 0)
    FastTextTrainer(quantize=True, **SMALL).train(toy(), "good", tmp_path / "m.ftz", 0)
    assert (tmp_path / "m.ftz").stat().st_size < (tmp_path / "m.bin").stat().st_size / 2
    assert scores(tmp_path / "m.ftz", ["g1 and 2"])[0]["score"] > 0.9


@pytest.mark.parametrize("label", ["very good", "a\tb\n", "100%", "</s>", "", "__label__x", "中文 好", "%20"])
def test_any_label_comes_back(tmp_path, label):
    table = examples([(f"{word} and {n}", name) for n in range(50) for word, name in (("o", "other"), ("x", label))])
    FastTextTrainer(**SMALL).train(table, label, tmp_path / "m.bin", 0)
    assert set(read_fasttext(str(tmp_path / "m.bin")).labels) == {"other", label}
    assert scores(tmp_path / "m.bin", [table["text"][1].as_py()])[0]["label"] == label


def test_safe_labels_are_tokens_and_differ():
    labels = ["a b", "a%20b", "a\tb", "a b ", "a\0b"]
    assert len({safe_label(label) for label in labels}) == len(labels)
    assert all(len(safe_label(label).split()) == 1 for label in labels)


def test_texts_cannot_name_labels_or_end_their_line(tmp_path):
    hostile = examples([("__label__bad g1\n__label__bad </s> x\0y \u2028__label__bad", "good"), ("b1", "bad")] * 40)
    FastTextTrainer(**SMALL).train(hostile, "good", tmp_path / "m.bin", 0)
    library = fasttext_module().load_model(str(tmp_path / "m.bin"))
    assert set(library.words) == {"g1", "x", "y", "b1", "</s>"}
    assert library.get_labels(include_freq=True)[1].tolist() == [40, 40]


@pytest.mark.parametrize("tokens", ["spaces", "characters"])
def test_a_text_is_scored_as_it_was_trained_on(tmp_path, tokens):
    table = examples([("好极了！很棒", "good"), ("糟透了，很差", "bad")] * 40, "zh")
    FastTextTrainer(tokens=tokens, lower_case=True, **SMALL).train(table, "good", tmp_path / "m.bin", 0)
    note = read_fasttext(str(tmp_path / "m.bin")).note
    assert (note.tokens, note.lower_case, note.positive) == (tokens, True, "good")
    words = fasttext_module().load_model(str(tmp_path / "m.bin")).words
    assert ("好" in words) == (tokens == "characters")
    assert scores(tmp_path / "m.bin", ["好极了！很棒"])[0]["score"] > 0.9


def test_more_than_two_labels(tmp_path):
    table = toy(labels=("news", "ads", "porn"))
    FastTextTrainer(**SMALL).train(table, "porn", tmp_path / "m.bin", 0)
    (one,) = scores(tmp_path / "m.bin", ["p1 and 2"], remove_labels={"porn": 0.4, "ads": 0.4})
    assert one["remove_label"]
    assert scores(tmp_path / "m.bin", ["n1 and 2"], labels=("porn", "ads"))[0]["score"] < 0.1


@pytest.mark.parametrize("pairs", [[], [("a", "good")], [("a", "bad"), ("b", "worse")]])
def test_both_sides_are_wanted(tmp_path, pairs):
    with pytest.raises(InputError, match="wants examples of 'good' and of another label"):
        FastTextTrainer(**SMALL).train(examples(pairs), "good", tmp_path / "m.bin", 0)


def test_what_the_library_refuses_is_told_with_what_to_do(tmp_path):
    few = FastTextTrainer(dim=8, word_ngrams=1, quantize=True)
    with pytest.raises(InputError, match=r"cannot train on these examples.*at least 256"):
        few.train(toy(), "good", tmp_path / "m.ftz", 0)


def test_a_search_chooses_among_its_trials_and_keeps_the_rest():
    trainer = FastTextTrainer(trials=3, epoch=1, lr=0.001, **{k: v for k, v in SMALL.items() if k != "lr"})
    best = best_settings(trainer, toy(), "good", 0)
    changed = {name for name in FastTextTrainer.model_fields if getattr(best, name) != getattr(trainer, name)}
    assert changed <= {"lr", "epoch", "word_ngrams", "minn", "maxn"}
    assert changed
    assert drawn(1, 0) == drawn(1, 0) != drawn(2, 0)


def test_a_search_wants_groups_on_both_sides():
    one_group = toy().set_column(3, "group", pa.array(["g"] * 120))
    with pytest.raises(InputError, match="more groups"):
        best_settings(FastTextTrainer(trials=1, **SMALL), one_group, "good", 0)


def test_the_area_counts_pairs():
    rng = np.random.default_rng(0)
    values, positive = rng.integers(0, 6, 40) / 5, rng.random(40) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in values[positive] for b in values[~positive]]
    assert roc_area(values, positive) == pytest.approx(np.mean(pairs))


def test_chinese_offence_is_found(tmp_path, shared_data):
    def rows(part):
        with (shared_data / "labelled" / f"cold_zh_{part}.csv").open(encoding="utf-8-sig") as file:
            return examples(
                [(row["TEXT"], "offensive" if row["label"] == "1" else "fine") for row in csv.DictReader(file)], "zh"
            )

    trainer = FastTextTrainer(tokens="characters", dim=16, lr=0.3, bucket=200_000)
    trainer.train(rows("train"), "offensive", tmp_path / "m.bin", 0)
    judged = rows("dev").combine_chunks()
    found = scores(tmp_path / "m.bin", judged["text"].to_pylist())
    right = pc.equal(judged["label"], pa.array(["offensive" if one["score"] >= 0.5 else "fine" for one in found]))
    assert pc.mean(right.cast(pa.int8())).as_py() > 0.88


def test_spam_is_found(tmp_path, shared_data):
    with (shared_data / "labelled" / "sms_spam_en.tsv").open(encoding="utf-8") as file:
        table = examples([tuple(line.rstrip("\n").split("\t", 1)[::-1]) for line in file])
    held_out = pa.array([int(one, 16) % 5 == 0 for one in table["doc_id"].to_pylist()])
    trainer = FastTextTrainer(tokens="characters", lower_case=True, dim=16, lr=0.5, epoch=10, bucket=50_000)
    trainer.train(table.filter(pc.invert(held_out)), "spam", tmp_path / "m.bin", 0)
    judged = table.filter(held_out).combine_chunks()
    said = np.array([one["score"] >= 0.5 for one in scores(tmp_path / "m.bin", judged["text"].to_pylist())])
    spam = pc.equal(judged["label"], "spam").to_numpy(zero_copy_only=False)
    assert 2 * (said & spam).sum() / (said.sum() + spam.sum()) > 0.9


@pytest.mark.parametrize("trials", [0, 1])
def test_positive_may_be_a_bound_of_numbers(tmp_path, trials):
    FastTextTrainer(**SMALL, trials=trials).train(toy(labels=("4.5", "2", "1")), ">=3", tmp_path / "m.bin", 0)
    high, low = scores(tmp_path / "m.bin", ["43 and 2", "23 and 2"])
    assert high["score"] > 0.5 > low["score"]
