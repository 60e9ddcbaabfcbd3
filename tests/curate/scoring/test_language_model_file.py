from __future__ import annotations

import json

import pytest

from curate.errors import EnvironmentProblem, InputError
from curate.scoring.language_model_file import description_path, read_description, write_description
from curate.scoring.pretokenize import Pretokenizer


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.arpa"
    path.write_text("a model")
    return path


def test_what_is_written_is_read_back(model):
    pretokenizer = Pretokenizer(kind="characters", zero_digits=False)
    path = write_description(model, pretokenizer, order=5, language="zh")
    assert path == description_path(model) == model.with_name("m.arpa.lm.json")
    described = read_description(model)
    assert (described.pretokenizer, described.order, described.language) == (pretokenizer, 5, "zh")


def test_it_is_json_with_its_format_and_every_setting(model):
    content = json.loads(write_description(model, Pretokenizer(), 3).read_text("utf-8"))
    assert (content["format"], content["version"]) == ("curate-language-model", 1)
    assert content["pretokenizer"]["max_bytes"] == Pretokenizer().max_bytes


def test_the_same_model_gives_the_same_bytes(model):
    first = write_description(model, Pretokenizer(), 3, "en").read_bytes()
    assert write_description(model, Pretokenizer(), 3, "en").read_bytes() == first


def test_a_model_without_description_has_none(model):
    assert read_description(model) is None


def test_the_description_of_another_model_is_refused(model):
    write_description(model, Pretokenizer(), 3)
    model.write_text("another model")
    with pytest.raises(InputError, match="another file"):
        read_description(model)


@pytest.mark.parametrize(
    "change", [{"format": "x"}, {"version": 2}, {"order": 0}, {"further": 1}, {"model_sha256": "0"}]
)
def test_what_is_no_description_is_refused(model, change):
    path = write_description(model, Pretokenizer(), 3)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=next(iter(change))):
        read_description(model)


def test_what_is_no_json_is_refused(model):
    description_path(model).write_bytes(b"\xff{")
    with pytest.raises(InputError, match="does not describe"):
        read_description(model)


def test_a_sentencepiece_model_moves_with_the_folder(model, tmp_path):
    pieces = tmp_path / "m.sp.model"
    pieces.write_text("pieces")
    path = write_description(model, Pretokenizer(kind="sentencepiece", model_path=str(pieces)), 5)
    assert json.loads(path.read_text())["pretokenizer"]["model_path"] == "m.sp.model"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in (model, pieces, path):
        file.rename(moved / file.name)
    described = read_description(moved / model.name)
    assert described.pretokenizer.model_path == str(moved / "m.sp.model")


def test_another_sentencepiece_model_is_refused(model, tmp_path):
    pieces = tmp_path / "m.sp.model"
    pieces.write_text("pieces")
    write_description(model, Pretokenizer(kind="sentencepiece", model_path=str(pieces)), 5)
    pieces.write_text("other pieces")
    with pytest.raises(InputError, match=r"m\.sp\.model"):
        read_description(model)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nowhere"):
        write_description(tmp_path / "nowhere.arpa", Pretokenizer(), 3)
