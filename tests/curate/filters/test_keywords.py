"""Keywords: bounds on matches, how a language decides where words are sought, and the lists behind them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import InputError
from curate.filters.keywords import SIGNALS, Keywords
from curate.recipe import Step


@pytest.fixture
def bad(tmp_path):
    (tmp_path / "bad.txt").write_text("# ours\nDarn\nholy cow\n下贱\n")
    return (str(tmp_path / "bad.txt"),)


def signals(stage, *rows):
    texts, languages = zip(*rows, strict=True)
    return stage.annotate(
        pa.record_batch({"text": pa.array(texts, pa.string()), "language": pa.array(languages, pa.string())})
    )


def reasons(stage, text, language="en"):
    found = signals(stage, (text, language))
    assert found.type == stage.signals == SIGNALS
    return [limit.reason for limit in stage.limits if limit.broken_by(found)[0].as_py()]


def test_one_match_drops_by_default(bad):
    assert reasons(Keywords(paths=bad), "nothing here, darned cow") == []
    assert reasons(Keywords(paths=bad), "Oh DARN.") == ["match_count_above_max"]
    assert reasons(Keywords(paths=bad), "A holy cow") == ["match_count_above_max"]
    assert reasons(Keywords(paths=bad), None) == []
    assert reasons(Keywords(paths=bad), "") == []


@pytest.mark.parametrize(("matches", "kept"), [(1, True), (2, True), (3, False)])
def test_two_matches_are_two(bad, matches, kept):
    assert (reasons(Keywords(paths=bad, max_match_count=2), "darn " * matches) == []) is kept
    allow = Keywords(paths=bad, max_match_count=None, min_match_count=2)
    assert (reasons(allow, "darn " * matches) == []) is (matches >= 2)
    different = Keywords(paths=bad, max_match_count=None, min_entry_count=2)
    assert reasons(different, "darn " * matches) == ["entry_count_below_min"]
    assert reasons(different, "darn the holy cow") == []
    assert reasons(Keywords(paths=bad, max_match_count=None, max_entry_count=1), "darn holy cow") == [
        "entry_count_above_max"
    ]


@pytest.mark.parametrize(("words", "most", "least"), [(99, False, True), (100, True, True), (101, True, False)])
def test_a_share_on_the_bound_is_kept(bad, words, most, least):
    """One flagged word of 100 is 0.01."""
    text = "darn" + " x" * (words - 1)
    stage = Keywords(paths=bad, max_match_count=None, max_match_word_frac=0.01)
    assert reasons(stage, text) == ([] if most else ["match_word_frac_above_max"])
    stage = Keywords(paths=bad, max_match_count=None, min_match_word_frac=0.01)
    assert reasons(stage, text) == ([] if least else ["match_word_frac_below_min"])


@pytest.mark.parametrize(("chars", "kept"), [(7, False), (8, True), (9, True)])
def test_scripts_without_spaces_have_a_share_of_characters(bad, chars, kept):
    stage = Keywords(paths=bad, max_match_count=None, max_match_char_frac=0.25)
    assert reasons(stage, "下贱".ljust(chars, "世"), "zh") == ([] if kept else ["match_char_frac_above_max"])


@pytest.mark.parametrize(
    ("inside_words", "language", "found"),
    [
        (("zh",), "zh", True),
        (("zh",), "en", False),
        (("zh",), None, False),
        (True, "en", True),
        (False, "zh", False),
        (None, "th", True),
        (None, "de", False),
    ],
)
def test_the_language_says_whether_to_look_inside_words(bad, inside_words, language, found):
    chosen = {} if inside_words is None else {"inside_words": inside_words}
    assert (reasons(Keywords(paths=bad, **chosen), "你好下贱世界", language) != []) is found


def test_rows_stay_in_order_where_languages_are_mixed(bad):
    rows = [("darn", "en"), ("说下贱话", "zh"), (None, "zh"), ("说下贱话", "en"), ("ok", "zh"), ("holy cow darn", None)]
    together = signals(Keywords(paths=bad), *rows).to_pylist()
    assert together == [signals(Keywords(paths=bad), row).to_pylist()[0] for row in rows]
    assert [one["match_count"] for one in together] == [1, 1, None, 0, 0, 2]


def test_the_first_match_is_told_with_its_list(bad, tmp_path):
    (tmp_path / "more.txt").write_text("fudge\n")
    stage = Keywords(paths=(*bad, str(tmp_path / "more.txt")))
    (found,) = signals(stage, ("Fudge, holy cow, fudge", "en")).to_pylist()
    assert found == {
        "match_count": 3, "entry_count": 2, "match_word_frac": 1.0, "match_char_frac": 18 / 22,
        "first_match": "fudge (more.txt)",
    }  # fmt: skip


def test_marks_are_parts_of_words(tmp_path):
    (tmp_path / "hi.txt").write_text("कम\n")
    assert reasons(Keywords(paths=(str(tmp_path / "hi.txt"),)), "कमी", "hi") == []
    assert reasons(Keywords(paths=(str(tmp_path / "hi.txt"),)), "कम", "hi") == ["match_count_above_max"]


def test_a_list_is_required_and_a_bad_one_is_named():
    with pytest.raises(ValidationError, match="paths"):
        Keywords(paths=())
    with pytest.raises(InputError, match="no-such-list"):
        reasons(Keywords(paths=("no-such-list",)), "x")


def test_a_recipe_knows_it(bad):
    step = Step.model_validate({"keywords": {"paths": list(bad), "inside_words": ["ja"]}})
    assert step.stage == Keywords(paths=bad, inside_words=("ja",))
    assert step.stage.files == bad
