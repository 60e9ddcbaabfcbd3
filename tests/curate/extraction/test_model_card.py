"""A card belongs to its model, comes back as it was, and reads as Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import EnvironmentProblem, OutputError
from curate.extraction.model_card import DataSet, ModelCard, Scores, card_path, load_card, render_card, save_card
from curate.models import file_digest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "extractor.npz"
    path.write_bytes(b"a model")
    return path


@pytest.fixture
def card(model: Path) -> ModelCard:
    return ModelCard(
        name="extractor",
        sha256=file_digest(model),
        licence="CC-BY-4.0",
        data=(DataSet(name="pages | of <b>many</b> kinds", licence="CC-BY-4.0", pages=1497, sha256="ab" * 32),),
        method="4 folds by host",
        overall={"pages": Scores(pages=1497, f1=0.875, precision=0.9, recall=0.88)},
        by_type={"forum": Scores(pages=120, f1=0.8, precision=0.81, recall=0.82)},
        by_language={"el": Scores(pages=7, f1=0.969, precision=1, recall=0.94)},
        settings={"num_trees": 180, "beta": 1.0},
        num_features=345,
        limits=("Not for pages\nwithout text.",),
    )


def test_a_card_comes_back_as_it_was_and_in_the_same_bytes(card: ModelCard, model: Path) -> None:
    save_card(card, model)
    first = card_path(model).read_bytes()
    assert load_card(model) == card
    save_card(load_card(model), model)
    assert card_path(model).read_bytes() == first
    assert sorted(file.name for file in model.parent.iterdir()) == ["extractor.card.json", "extractor.npz"]


def test_a_card_of_another_model_is_refused(card: ModelCard, model: Path) -> None:
    save_card(card, model)
    model.write_bytes(b"another one")
    with pytest.raises(EnvironmentProblem, match="card of another model"):
        load_card(model)
    with pytest.raises(OutputError, match="not of"):
        save_card(card, model)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"name": "x"}', b"\xff\x00", b'{"name":' * 5000])
def test_what_is_no_card_is_refused(content: bytes, model: Path) -> None:
    card_path(model).write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="is no model card"):
        load_card(model)


def test_a_missing_card_is_said(model: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot read the model's card"):
        load_card(model)


def test_the_card_as_markdown(card: ModelCard) -> None:
    text = render_card(card)
    assert "| pages \\| of &lt;b>many&lt;/b> kinds | CC-BY-4.0 | 1,497 | `abababababababab` |" in text
    assert (
        "| page type | pages | F1 | precision | recall |\n| --- | --- | --- | --- | --- |\n| forum | 120 | 0.800 |"
        in text
    )
    assert "| language | pages | F1 | precision | recall |\n| --- | --- | --- | --- | --- |\n| el | 7 | 0.969 |" in text
    assert "| beta | 1.0 |\n| num_trees | 180 |" in text
    assert "- Not for pages without text." in text
    assert "## Limits" not in render_card(card.model_copy(update={"limits": ()}))
