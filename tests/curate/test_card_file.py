"""What all cards have in common: they belong to a model, come whole, and hold no markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.card_file import CardFile, bullets, one_line, read_card_file, table, write_card_file, write_text
from curate.errors import EnvironmentProblem, OutputError
from curate.models import file_digest


class Named(CardFile):
    name: str


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    path.write_bytes(b"a model")
    return path


def test_a_card_comes_back_for_its_own_model_only(model: Path, tmp_path: Path) -> None:
    card = Named(sha256=file_digest(model), name="名")
    write_card_file(card, tmp_path / "card.json", model)
    assert read_card_file(Named, tmp_path / "card.json", model) == card
    model.write_bytes(b"another")
    assert read_card_file(Named, tmp_path / "card.json", None) == card
    with pytest.raises(EnvironmentProblem, match="card of another model"):
        read_card_file(Named, tmp_path / "card.json", model)
    with pytest.raises(OutputError, match="not of"):
        write_card_file(card, tmp_path / "card.json", model)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"sha256": "x"}', b'{"sha256": "x", "name": "y", "more": 1}', b"\xff"]
)
def test_what_is_no_card_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="is no model card"):
        read_card_file(Named, tmp_path / "card.json", None)


def test_a_text_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_text(tmp_path / "a.md", "x\ud800")
    assert (tmp_path / "a.md").read_bytes() == b"x?"
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "no" / "a.md", "x")


@pytest.mark.parametrize(
    "hostile", ["a\nb", "a\r\n\n# b", "| x |", "<script>alert(1)</script>", "&lt;b&gt;", "\u2028#"]
)
def test_a_cell_is_one_line_without_markup_or_borders(hostile: str) -> None:
    cell = one_line(hostile)
    assert len(cell.splitlines()) == 1
    assert "<" not in cell
    assert "|" not in cell.replace("\\|", "")
    assert len(table(("a",), [(hostile,)]).splitlines()) == 3
    assert len(bullets([hostile, "b"]).splitlines()) == 2
