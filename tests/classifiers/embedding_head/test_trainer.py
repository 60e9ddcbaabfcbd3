from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from classifiers.distillation.distil import DistillationSettings, distil
from classifiers.embedding_head import trainer
from classifiers.embedding_head.trainer import EmbeddingHeadTrainer
from classifiers.trainer import EXAMPLES
from curate.embedding.settings import Embedding
from curate.errors import InputError
from curate.scoring.embedding_head import EmbeddingScore
from curate.scoring.head_file import load_head

pytest.importorskip("sklearn")

SMALL = Embedding(dimensions=128, hash_bits=12)
CALM = "river stone water meadow cloud morning forest valley".split()
LOUD = "buy cheap click offer winner bonus casino discount".split()


def examples(texts: list[str], labels: list[str], groups: list[str] | None = None) -> pa.Table:
    ids = [f"{number:04}" for number in range(len(texts))]
    columns = [ids, texts, labels, groups or ids, ["en"] * len(ids), ["test"] * len(ids), [None] * len(ids)]
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, EXAMPLES, strict=True)], schema=EXAMPLES)


def mixtures(count: int, seed: int = 0) -> tuple[list[str], list[float]]:
    """Texts of twenty words, and what share of them is calm."""
    rng = np.random.default_rng(seed)
    shares = rng.integers(0, 21, count)
    texts = [" ".join(rng.permutation([*rng.choice(CALM, k), *rng.choice(LOUD, 20 - k)])) for k in shares]
    return texts, (shares / 20).tolist()


def scores(path: Path, texts: list[str]) -> np.ndarray:
    batch = pa.record_batch([pa.array(texts)], ["text"])
    return EmbeddingScore(model_path=str(path)).annotate(batch).field("score").to_numpy(zero_copy_only=False)


def trained(path: Path, table: pa.Table, positive: str = "", seed: int = 0, **settings: Any) -> Path:
    EmbeddingHeadTrainer(embedding=SMALL, **settings).train(table, positive, path, seed)
    return path


def test_ridge_learns_a_number(tmp_path):
    texts, shares = mixtures(600)
    path = trained(tmp_path / "m.npz", examples(texts, [str(5 * share) for share in shares]), kind="ridge")
    others, expected = mixtures(200, seed=1)
    found = scores(path, others)
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert found.min() >= 0
    assert found.max() <= 5


def test_logistic_learns_a_probability_also_from_numbers_at_a_cut(tmp_path):
    texts, shares = mixtures(600)
    labels = ["calm" if share > 0.5 else "loud" for share in shares]
    named = scores(trained(tmp_path / "a.npz", examples(texts, labels), "calm"), ["river meadow", "casino bonus"])
    assert named[0] > 0.9
    assert named[1] < 0.1
    numbers = examples(texts, [str(share) for share in shares])
    assert (scores(trained(tmp_path / "b.npz", numbers, ">=0.51"), ["river meadow", "casino bonus"]) == named).all()


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_the_same_examples_give_the_same_bytes(tmp_path, kind):
    texts, shares = mixtures(100)
    table = examples(texts, [str(round(share)) for share in shares])
    paths = [trained(tmp_path / name, table, "1", kind=kind) for name in ("a.npz", "b.npz")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    other = trained(tmp_path / "c.npz", table, "1", seed=1, kind=kind)
    assert other.read_bytes() != paths[0].read_bytes()


def test_ridge_solves_what_scikit_learn_solves():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(3)
    vectors, labels = rng.normal(size=(3000, 64)).astype(np.float32), rng.normal(size=3000)
    weights, bias = trainer.ridge(vectors, labels)(2.5)
    expected = Ridge(alpha=2.5).fit(vectors.astype(np.float64), labels)
    assert weights == pytest.approx(expected.coef_, rel=1e-8, abs=1e-12)
    assert bias == pytest.approx(expected.intercept_, rel=1e-8)


def test_the_strength_is_chosen_by_folds_that_part_no_group(tmp_path):
    """Every text of a group has a word of its own that gives its label away: a document split would hold to it."""
    rng = np.random.default_rng(5)
    groups = [f"host{number}" for number in range(12) for _ in range(20)]
    numbers = {group: float(rng.integers(0, 2)) for group in groups}
    texts = [" ".join([group] * 10 + list(rng.choice(CALM + LOUD, 10))) for group in groups]
    labels = [str(numbers[group]) for group in groups]
    by_group = load_head(trained(tmp_path / "a.npz", examples(texts, labels, groups), kind="ridge"))
    by_document = load_head(trained(tmp_path / "b.npz", examples(texts, labels), kind="ridge"))
    assert by_group.training["alpha"] > by_document.training["alpha"]


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (["a", "b"], {"kind": "ridge"}, "labels of a regression are numbers"),
        (["1", "nan"], {"kind": "ridge"}, "finite numbers"),
        (["1", "1"], {"kind": "ridge"}, "two different numbers"),
        (["a", "b"], {}, "labels 'x' and others, and there are 1 a, 1 b"),
        ([], {}, "there are none"),
    ],
)
def test_examples_that_do_not_do_are_refused(tmp_path, labels, settings, message):
    with pytest.raises(InputError, match=message):
        trained(tmp_path / "m.npz", examples(["text"] * len(labels), labels), "x", **settings)


def test_examples_of_one_group_leave_no_strength_to_choose(tmp_path):
    table = examples(["river", "casino"], ["0", "1"], ["a", "a"])
    with pytest.raises(InputError, match="too few groups"):
        trained(tmp_path / "m.npz", table, kind="ridge")
    trained(tmp_path / "m.npz", table, kind="ridge", alphas=(1.0,))


def test_texts_without_a_word_do_no_harm(tmp_path):
    texts, shares = mixtures(60)
    table = examples([*texts, "", "…", "\0"], [*map(str, shares), "1", "0", "1"])
    assert np.isfinite(scores(trained(tmp_path / "m.npz", table, kind="ridge"), ["", "river"])).all()


def test_votes_of_people_are_learned_from_real_texts(shared_data, tmp_path):
    """Davidson et al. 2017: three people and more said of each tweet whether it is offensive."""
    with (shared_data / "labelled" / "davidson_en.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:6000]
    votes = [
        {"doc_id": str(number), "score": score}
        for number, row in enumerate(rows)
        for column, score in (("hate_speech", 1), ("offensive_language", 1), ("neither", 0))
        for _ in range(int(row[column]))
    ]
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(map(json.dumps, votes)))
    texts = pa.record_batch([[str(n) for n in range(len(rows))], [row["tweet"] for row in rows]], ["doc_id", "text"])
    found = distil([str(path)], [texts], DistillationSettings(highest=1))
    assert found.agreement.num_votes == len(votes)
    assert 0.6 < found.agreement.alpha < 0.9
    training, held_out = found.examples.slice(0, 4500), found.examples.slice(4500)
    model = tmp_path / "m.npz"
    EmbeddingHeadTrainer(kind="ridge", embedding=Embedding(dimensions=512)).train(training, "", model, 0)
    expected = np.array([float(label) for label in held_out["label"].to_pylist()])
    scored = scores(model, held_out["text"].to_pylist())
    assert np.sqrt(((scored - expected) ** 2).mean()) < 0.9 * expected.std()
    assert np.corrcoef(scored, expected)[0, 1] > 0.5
