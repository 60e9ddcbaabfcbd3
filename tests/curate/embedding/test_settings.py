from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from curate.embedding.settings import Embedding
from curate.errors import EnvironmentProblem


@pytest.mark.parametrize("model", ["word2vec", "onnx", "onnx:", "tfidf:x", "openai:ada"])
def test_an_unknown_model_is_refused_with_the_known_ones(model: str) -> None:
    with pytest.raises(ValidationError, match=r"Known: onnx:FOLDER, sentence-transformers:FOLDER, tfidf"):
        Embedding(model=model)


def test_signs_come_by_the_64() -> None:
    assert Embedding(dimensions=320).dimensions == 320
    for dimensions in (0, 63, 100, 8192):
        with pytest.raises(ValidationError):
            Embedding(dimensions=dimensions)


def test_the_files_of_a_model_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    assert Embedding().files == ()
    for name in ("model.onnx", "tokenizer.json", "modules.json", "1_Pooling/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert Embedding(model=f"onnx:{tmp_path}").files == (str(tmp_path / "model.onnx"), str(tmp_path / "tokenizer.json"))
    found = Embedding(model=f"sentence-transformers:{tmp_path}").files
    assert found[0] == str(tmp_path / "modules.json")
    assert len(found) == 4
    with pytest.raises(EnvironmentProblem):
        _ = Embedding(model=f"onnx:{tmp_path}/absent").files
