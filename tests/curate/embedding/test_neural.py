"""Models that a user names: a small ONNX encoder made here, and what is said where something is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tiny_encoder import STATES, VOCABULARY, save_encoder, save_tokenizer

from curate.embedding import neural
from curate.embedding.neural import OnnxModel, SentenceModel, onnx_files, sentence_files
from curate.embedding.settings import Embedding
from curate.errors import EnvironmentProblem


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ONNX model whose last hidden states are rows of `STATES` by token."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("encoder")
    save_encoder(folder)
    return folder


def expected(tokens: list[str], pooling: str = "mean") -> np.ndarray:
    rows = STATES[[VOCABULARY.index(token) for token in ("[CLS]", *tokens, "[SEP]")]].astype(np.float64)
    pooled = rows.mean(axis=0) if pooling == "mean" else rows[0]
    return pooled / np.linalg.norm(pooled)


def model(folder: Path, **settings: Any) -> OnnxModel:
    return OnnxModel(str(folder), **{"pooling": "mean", "max_tokens": 512, "max_bytes": 1 << 20, **settings})


def test_vectors_are_pooled_over_the_tokens_of_the_text(encoder: Path) -> None:
    found = model(encoder).embed(pa.array(["river stone", "中 文 lava", "water"]))
    assert found.dtype == np.float32
    for row, tokens in zip(found, (["river", "stone"], ["中", "文", "[UNK]"], ["water"]), strict=True):
        assert row == pytest.approx(expected(tokens), abs=1e-6)


def test_or_taken_from_the_first_token(encoder: Path) -> None:
    found = model(encoder, pooling="cls").embed(pa.array(["river", "stone"]))
    assert found[0] == pytest.approx(expected(["river"], "cls"), abs=1e-6)
    assert (found[0] == found[1]).all()


def test_long_texts_are_cut_to_so_many_tokens(encoder: Path) -> None:
    (cut,) = model(encoder, max_tokens=4).embed(pa.array(["river stone water water water"]))
    assert cut == pytest.approx(expected(["river", "stone"]), abs=1e-6)  # and the two special ones
    (few,) = model(encoder, max_bytes=8).embed(pa.array(["river stone"]))
    assert few == pytest.approx(expected(["river", "[UNK]"]), abs=1e-6)  # "st"


def test_texts_with_nothing_in_them_are_zero(encoder: Path) -> None:
    found = model(encoder).embed(pa.array(["", None, " \n", "river"]))
    assert not found[:3].any()
    assert np.linalg.norm(found[3]) == pytest.approx(1)
    assert model(encoder).embed(pa.array([], pa.string())).shape[0] == 0
    assert model(encoder).embed(pa.array([""])).shape == (1, 0)


def test_bytes_that_are_not_utf8_are_met_without_harm(encoder: Path) -> None:
    data = b"river \xff\xfe stone"
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    found = model(encoder).embed(pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)))
    assert np.isfinite(found).all()


def test_a_model_may_pool_by_itself(encoder: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pooled = onnx.load(str(encoder / "model.onnx"))
    pooled.graph.node.append(
        onnx.helper.make_node("ReduceMax", ["last_hidden_state"], ["sentence_embedding"], axes=[1], keepdims=0)
    )
    del pooled.graph.output[:]
    pooled.graph.output.append(
        onnx.helper.make_tensor_value_info("sentence_embedding", onnx.TensorProto.FLOAT, ["batch", 4])
    )
    onnx.save(pooled, str(tmp_path / "model.onnx"))
    save_tokenizer(tmp_path)
    (found,) = model(tmp_path).embed(pa.array(["river"]))
    highest = STATES[[1, 3, 2]].max(axis=0)
    assert found == pytest.approx(highest / np.linalg.norm(highest), abs=1e-6)


def test_a_model_of_another_kind_is_refused(encoder: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    other = onnx.load(str(encoder / "model.onnx"))
    other.graph.input[1].name = "pixel_values"
    onnx.save(other, str(tmp_path / "model.onnx"))
    save_tokenizer(tmp_path)
    with pytest.raises(EnvironmentProblem, match="wants pixel_values"):
        model(tmp_path).embed(pa.array(["river"]))


def test_a_file_that_is_no_model_says_which(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    save_tokenizer(tmp_path)
    with pytest.raises(EnvironmentProblem, match=r"cannot read .*model\.onnx as an ONNX model"):
        model(tmp_path).embed(pa.array(["river"]))


def test_a_folder_without_the_files_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"no model\.onnx or onnx/model\.onnx in .*optimum"):
        onnx_files(str(tmp_path))
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"")
    with pytest.raises(EnvironmentProblem, match=r"no tokenizer\.json"):
        onnx_files(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text(json.dumps({}))
    assert [Path(path).name for path in onnx_files(str(tmp_path))] == ["model.onnx", "tokenizer.json"]
    with pytest.raises(EnvironmentProblem, match=r"no modules\.json"):
        sentence_files(str(tmp_path))


@pytest.mark.parametrize("package", ["onnxruntime", "sentence_transformers"])
def test_a_missing_package_says_what_to_install(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(neural, "import_module", absent)
    monkeypatch.setattr(neural, "find_spec", lambda name: None)
    for name in ("model.onnx", "tokenizer.json", "modules.json"):
        (tmp_path / name).write_text("{}")
    settings = {"folder": str(tmp_path), "max_tokens": 8, "max_bytes": 100}
    wanted = OnnxModel(pooling="mean", **settings) if package == "onnxruntime" else SentenceModel(**settings)
    with pytest.raises(EnvironmentProblem, match=rf"No module named '{package}'.*pip install "):
        wanted.embed(pa.array(["river"]))
    kind = "onnx" if package == "onnxruntime" else "sentence-transformers"
    with pytest.raises(EnvironmentProblem, match=rf"no module {package}.*pip install "):
        Embedding(model=f"{kind}:{tmp_path}").embedder(None, seed=0)


@pytest.mark.slow
def test_a_folder_of_sentence_transformers(tmp_path: Path) -> None:
    package = pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    parts = pytest.importorskip("sentence_transformers.models")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "stone"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    bert = tmp_path / "bert"
    transformers.BertTokenizerFast(vocab_file=str(tmp_path / "vocab.txt")).save_pretrained(bert)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(bert)
    encoder = parts.Transformer(str(bert))
    whole = package.SentenceTransformer(modules=[encoder, parts.Pooling(8)], device="cpu")
    whole.save_pretrained(str(tmp_path / "model"))
    found = SentenceModel(str(tmp_path / "model"), 512, 1 << 20).embed(pa.array(["river stone", "", "stone"]))
    assert found.shape == (3, 8)
    assert not found[1].any()
    direct = whole.encode(["river stone"])[0]
    assert found[0] == pytest.approx(direct / np.linalg.norm(direct), abs=1e-5)
