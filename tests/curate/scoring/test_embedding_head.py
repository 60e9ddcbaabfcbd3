from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_encoder import save_encoder

from curate.array_file import read_arrays, write_arrays
from curate.embedding.settings import Embedding
from curate.errors import EnvironmentProblem, OutputError
from curate.kernels.hashed_terms import document_frequencies, embedded, idf
from curate.scoring.embedding_head import EmbeddingScore
from curate.scoring.head_file import Head, encoder_digest, head_faults, load_head, save_head

BITS, SIZE = 10, 128
TEXTS = ["river and stone and water", "大型语言模型的能力", "", "water\0water </s>\n", "ﬁne naïve text " * 50]


def a_head(**others: Any) -> Head:
    frequencies, count = document_frequencies(pa.array(TEXTS), BITS, 1 << 20)
    weights = np.random.default_rng(1).normal(size=SIZE)
    embedding = Embedding(dimensions=SIZE, hash_bits=BITS)
    return Head("ridge", weights, 2.0, (0.0, 5.0), embedding, 7, idf(frequencies, count))._replace(**others)


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    def make(head: Head | None = None, **settings: Any) -> EmbeddingScore:
        path = tmp_path / "head.npz"
        save_head(head or a_head(), path)
        return EmbeddingScore(model_path=str(path), **settings)

    return make


def scores(stage: EmbeddingScore, texts: list[str | None]) -> list[float | None]:
    signals = stage.annotate(pa.record_batch([pa.array(texts, pa.string())], ["text"]))
    assert signals.type == stage.signals
    return signals.field("score").to_pylist()


def test_a_score_is_the_weighted_sum_of_the_texts_vector(stage):
    head = a_head()
    vectors = embedded(pa.array(TEXTS), head.idf, SIZE, 7, 1 << 20).astype(np.float64)
    expected = [min(max(sum(vector * head.weights) + 2.0, 0.0), 5.0) for vector in vectors]
    assert scores(stage(), TEXTS) == pytest.approx(expected, rel=1e-12)


def test_a_logistic_head_gives_a_probability(stage):
    head = a_head(kind="logistic", clip=(0.0, 1.0))
    vectors = embedded(pa.array(TEXTS), head.idf, SIZE, 7, 1 << 20).astype(np.float64)
    expected = [1 / (1 + np.exp(-(sum(vector * head.weights) + 2.0))) for vector in vectors]
    assert scores(stage(head), TEXTS) == pytest.approx(expected, rel=1e-12)


def test_no_score_lies_outside_of_the_range(stage):
    assert scores(stage(a_head(bias=100.0)), ["text"]) == [5.0]
    assert scores(stage(a_head(bias=-100.0)), ["text"]) == [0.0]


def test_null_text_has_no_score_and_empty_text_that_of_nothing_known(stage):
    assert scores(stage(), [None, "", "…"]) == [None, 2.0, 2.0]
    assert scores(stage(), [None]) == [None]
    assert scores(stage(), []) == []


@pytest.mark.parametrize(("bias", "kept"), [(1.9, False), (2.0, True), (2.1, True)])
def test_a_score_on_the_bound_is_kept(stage, bias, kept):
    own = stage(a_head(bias=bias), min_score=2.0)
    [limit] = own.limits
    signals = own.annotate(pa.record_batch([pa.array([""])], ["text"]))
    assert limit.reason == "score_below_min"
    assert limit.broken_by(signals).to_pylist() == [not kept]
    assert stage(min_score=None).limits == ()


@given(st.lists(st.one_of(st.none(), st.text(max_size=40), st.sampled_from(TEXTS)), max_size=30), st.integers(0, 30))
def test_a_score_does_not_depend_on_the_batch(texts, cut):
    head = a_head()
    array = pa.array([text or "" for text in texts], pa.string())

    def of(part: pa.Array) -> list[float]:
        return head.scores(head.embedder().embed(part)).tolist()

    assert of(array) == of(array.slice(0, cut)) + of(array.slice(min(cut, len(array))))


def test_the_same_head_gives_the_same_bytes_and_loads_back_equal(tmp_path):
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in paths:
        save_head(a_head(training={"alpha": 0.5}), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = load_head(paths[0])
    assert repr(found) == repr(a_head(training={"alpha": 0.5}))
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256 00"):
        load_head(paths[0], digest="00")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"weights": np.zeros(64)}, "64 weights for vectors of 128"),
        ({"weights": np.zeros(SIZE, np.float32)}, "weights of float32"),
        ({"weights": np.full(SIZE, np.nan)}, "numbers that are none"),
        ({"bias": np.inf}, "numbers that are none"),
        ({"clip": (5.0, 0.0)}, "a range from 5.0 to 0.0"),
        ({"idf": np.zeros(512, np.float32)}, "for 1024 weights of terms"),
        ({"kind": "spline"}, "kind 'spline'"),
    ],
)
def test_what_is_not_sound_is_not_saved(tmp_path, change, fault):
    assert fault in head_faults(a_head(**change))
    with pytest.raises(ValueError, match="not sound"):
        save_head(a_head(**change), tmp_path / "head.npz")


def test_damaged_files_are_refused_and_never_crash(tmp_path):
    path = tmp_path / "head.npz"
    save_head(a_head(), path)
    whole = path.read_bytes()
    for place in (*range(0, 400, 7), *range(400, len(whole), len(whole) // 40)):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]):
            path.write_bytes(damaged)
            try:
                found = load_head(path)
            except EnvironmentProblem as error:
                assert "head.npz" in str(error)  # noqa: PT017  # damage to a date or a name of the archive does no harm
            else:
                assert head_faults(found) == ""


def test_a_pickle_is_not_read(tmp_path):
    content, path = io.BytesIO(), tmp_path / "head.npz"
    np.save(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("facts.npy", content.getvalue())
    with pytest.raises(EnvironmentProblem, match="cannot read"):
        load_head(path)


def test_facts_of_another_form_are_refused(tmp_path):
    path = tmp_path / "head.npz"
    save_head(a_head(), path)
    facts, arrays = read_arrays(path, ("weights", "idf"))
    for name, value in [("clip", [1]), ("embedding", {"model": "word2vec"}), ("seed", None), ("format", "x")]:
        write_arrays(path, {**facts, name: value}, arrays)
        with pytest.raises(EnvironmentProblem, match="cannot read"):
            load_head(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write the model .*nowhere"):
        save_head(a_head(), tmp_path / "nowhere" / "head.npz")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("encoder")
    save_encoder(folder)
    return folder


def encoder_head(folder: Path) -> Head:
    embedding = Embedding(model=f"onnx:{folder}")
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    none = np.zeros(0, np.float32)
    return Head("ridge", weights, 0.5, (-9.0, 9.0), embedding, 0, none, encoder_digest(embedding))


def test_a_head_over_an_encoder_scores_its_vectors(stage, encoder):
    head = encoder_head(encoder)
    texts = pa.array(["river stone", "water"])
    expected = head.embedder().embed(texts).astype(np.float64) @ head.weights + 0.5
    own = stage(head)
    assert scores(own, ["river stone", None, "water", ""]) == pytest.approx([expected[0], None, expected[1], 0.5])
    assert scores(own, ["", " "]) == [0.5, 0.5]
    assert set(own.files) == {own.model_path, str(encoder / "model.onnx"), str(encoder / "tokenizer.json")}


def test_an_encoder_may_lie_elsewhere_but_must_be_the_same(stage, encoder, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (moved / name).write_bytes((encoder / name).read_bytes())
    head = encoder_head(encoder)
    assert scores(stage(head, encoder=str(moved)), ["river"]) == scores(stage(head), ["river"])
    (moved / "tokenizer.json").write_text((moved / "tokenizer.json").read_text() + " ")
    with pytest.raises(EnvironmentProblem, match="not the one that the head was trained on"):
        scores(stage(head, encoder=str(moved)), ["river"])


def test_tfidf_has_no_encoder_to_be_found_elsewhere(stage, tmp_path):
    with pytest.raises(EnvironmentProblem, match="leave `encoder` out"):
        scores(stage(encoder=str(tmp_path)), ["river"])
