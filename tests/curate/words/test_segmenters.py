"""Segmenters: which language gets which, what is said where a library is missing, and that libraries do no harm."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from curate.errors import EnvironmentProblem, RecipeError
from curate.language.codes import known_languages
from curate.words.segmenters import (
    SEGMENTERS,
    check_installed,
    cut,
    language_words,
    segmenter_for,
    segmenter_named,
)


@pytest.mark.parametrize(
    ("language", "segmenter"),
    [("zh", "jieba"), ("ja", "sudachi"), ("th", "newmm"), ("lo", "icu"), ("km", "icu"), ("my", "icu")],
)
def test_languages_written_without_spaces_have_a_segmenter(language, segmenter):
    assert segmenter_for(language) is segmenter_named(segmenter)


@pytest.mark.parametrize("language", ["en", "ko", "vi", "bo", "und", "", "no such language", None])
def test_other_languages_have_none(language):
    assert segmenter_for(language) is None


def test_other_codes_of_a_language_mean_the_same():
    assert [segmenter_for(code).name for code in ("yue", "cmn_Hani", "zh-TW", "jpn", "tha_Thai")] == [
        *["jieba"] * 3,
        "sudachi",
        "newmm",
    ]


def test_an_unknown_segmenter_is_answered_with_the_known_ones():
    with pytest.raises(RecipeError, match=r"'jeiba'.*Did you mean: jieba"):
        segmenter_named("jeiba")


def test_each_language_is_told_once_what_it_gets():
    lines = language_words()
    languages = [language for line in lines for language in line.languages]
    assert len(languages) == len(set(languages))
    assert set(languages) - {"others"} <= known_languages()
    for line in lines:
        for language in line.languages:
            found = segmenter_for(language)
            assert line.segmenter == (found.name if found else None)


def test_installed_libraries_are_told_with_their_versions():
    line = next(line for line in language_words() if line.segmenter == "sudachi")
    assert line.library == "sudachipy + sudachidict_core"
    assert line.installed
    assert all(version[0].isdigit() for version in line.versions)


def test_a_missing_library_is_told(monkeypatch):
    lacking = replace(SEGMENTERS["jieba"], packages=("rjieba", "no-such-package-a"))
    monkeypatch.setitem(SEGMENTERS, "jieba", lacking)
    line = language_words()[0]
    assert not line.installed
    assert line.versions[1] is None


@pytest.mark.parametrize("ask", [check_installed, cut])
def test_a_missing_library_is_an_error_that_says_what_to_install(ask):
    lacking = replace(SEGMENTERS["jieba"], packages=("rjieba", "no-such-package-a", "no-such-package-b"))
    with pytest.raises(EnvironmentProblem, match="pip install no-such-package-a no-such-package-b") as caught:
        ask(lacking)
    assert "words of zh" in str(caught.value)
    assert "needs no-such-package-a and no-such-package-b" in str(caught.value)


def test_a_library_that_cannot_be_imported_is_an_error_with_the_repair():
    def opener():
        raise ImportError("libicu.so: cannot open shared object file")

    with pytest.raises(EnvironmentProblem, match=r"libicu\.so.*force-reinstall --no-deps icu4py"):
        cut(replace(SEGMENTERS["icu"], opener=opener))


def test_a_library_is_loaded_once():
    assert cut(SEGMENTERS["icu"]) is cut(SEGMENTERS["icu"])


def test_a_segmenter_can_be_sent_to_a_worker():
    for segmenter in SEGMENTERS.values():
        assert pickle.loads(pickle.dumps(segmenter)) == segmenter


@pytest.mark.parametrize("name", SEGMENTERS)
@pytest.mark.parametrize("text", ["", " ", "\0", "a", "😀", "\ufdfa" * 1985, "1" * 40_000, "中国 ก 東京 ລາວ"])
def test_tokens_add_up_to_the_text(name, text):
    segmenter = SEGMENTERS[name]
    assert sum(cut(segmenter)(text[: segmenter.max_piece_chars])) == len(text[: segmenter.max_piece_chars])


_WATCHED = """
import os, sys
seen = []
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event.startswith("socket.") or event in {"os.mkdir", "os.rename", "tempfile.mkstemp"}:
        seen.append((event, *map(str, args)))
sys.addaudithook(watch)
from curate.words.segmenters import SEGMENTERS, cut
before = dict(os.environ)
for segmenter in SEGMENTERS.values():
    assert cut(segmenter)("สวัสดี 東京都 C++")
assert dict(os.environ) == before, "the environment has changed"
assert not seen, seen
"""


def test_libraries_write_nothing_and_ask_no_network(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", _WATCHED],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert (run.stdout, run.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []
