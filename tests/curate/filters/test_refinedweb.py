"""RefinedWeb's line rules and the stripping of URLs as stages: bounds at their edges, settings that switch."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate import recipe
from curate.filters.refinedweb import RefinedWebLines, StripUrls, top_level_domains
from curate.fused import run_steps

GOOD = "Here are five good words."


def text_of(stage, text):
    return stage.modify(pa.record_batch({"text": pa.array([text], pa.string())})).columns["text"][0].as_py()


@pytest.mark.parametrize(("bad", "expected"), [(0, []), (1, []), (2, ["removed_word_frac_above_max"])])
def test_one_word_of_twenty_may_go(reasons, bad, expected):
    good = "\n".join([GOOD] * 4).split()
    lines = [" ".join(good[: 20 - bad]), *["word"] * bad]
    assert reasons(RefinedWebLines(), "\n".join(lines)) == expected
    assert reasons(RefinedWebLines(max_removed_word_frac=None), "\n".join(lines)) == []


def test_a_text_without_words_goes(reasons):
    assert reasons(RefinedWebLines(), "") == reasons(RefinedWebLines(), "* * *") == ["word_count_below_min"]
    assert reasons(RefinedWebLines(min_word_count=None), "* * *") == []
    assert reasons(RefinedWebLines(), None) == []


@pytest.mark.parametrize(
    ("setting", "off", "line", "left"),
    [
        ("max_uppercase_frac", None, "OUR BIG SALE", ""),
        ("max_digit_frac", None, "2024", ""),
        ("counter_words", (), "12 likes", ""),
        ("min_words_per_line", None, "Home", ""),
        ("phrases_anywhere", (), "0 items in cart now", "0 now"),
        ("phrases_at_end", (), "All about it. Read more...", "All about it."),
        ("phrases_at_start", (), "Sign-in or register", "or register"),
    ],
)
def test_each_rule_has_a_switch(setting, off, line, left):
    loose = {"min_words_per_line": None} if setting == "max_digit_frac" else {}
    assert text_of(RefinedWebLines(**loose), f"{GOOD}\n{line}\n{GOOD}") == "\n".join(filter(None, [GOOD, left, GOOD]))
    assert text_of(RefinedWebLines(**loose, **{setting: off}), f"{GOOD}\n{line}\n{GOOD}") == f"{GOOD}\n{line}\n{GOOD}"


@pytest.mark.parametrize(("words", "edited"), [(9, True), (10, True), (11, False)])
def test_phrases_go_from_lines_of_ten_words(words, edited):
    line = " ".join(["word"] * (words - 3) + ["items in cart"])
    assert text_of(RefinedWebLines(), line) == (line.removesuffix(" items in cart") if edited else line)
    assert text_of(RefinedWebLines(max_words_of_edited_line=None), line) == line.removesuffix(" items in cart")


def test_dclms_own_ways_are_settings():
    assert text_of(RefinedWebLines(), "If you want to read more now") == "If you want to read more now"
    assert text_of(RefinedWebLines(dot_is_any_character=True), "Where you can read more on") == "Where you can"
    assert text_of(RefinedWebLines(), "你好，世界。") == "你好，世界。"
    assert text_of(RefinedWebLines(spaceless_words=False), "你好，世界。") == ""


def test_urls_go_and_two_newlines_stay():
    text = "As seen on https://example.com/page?x=1 and at 10.0.0.1\n\n\n\nToday."
    assert text_of(StripUrls(), text) == "As seen on and at\n\nToday."
    assert text_of(StripUrls(remove_urls=False, remove_ip_addresses=False, max_newlines=None), text) == text


def test_dclm_takes_urls_only_out_of_texts_that_begin_with_a_domain():
    stage = StripUrls(only_texts_that_begin_with_tld=True)
    assert text_of(stage, "The page a.com is") == "The page is"
    assert text_of(stage, "Zzz page a.com is") == "Zzz page a.com is"


def test_the_domains_are_there():
    assert len(top_level_domains()) > 1500
    assert {"com", "org", "cn", "中国", "рф"} <= set(top_level_domains())


def test_the_recipe_goes_through_all_its_stages():
    prose = (
        "The keeper of the lighthouse climbed the stairs with a lamp, and the wind that came from the sea put it out. "
    )
    text = (
        prose + "He went down again to look for matches, which his daughter had hidden behind the clock on the shelf. "
    )
    text += "By the time that both of them were up there, three ships had gone by and nobody on them had seen a thing."
    names = ("text", "language", "drop_stage", "drop_reason")
    rows = [(text, None), (text + "\n12 likes\nOUR SALE IS ON NOW\nHome\nMore", None), ("Too short to be kept.", None)]
    batch = pa.RecordBatch.from_pylist(
        [{"text": value, "language": language, "language_score": None} for value, language in rows],
        pa.schema([("text", pa.string()), ("language", pa.string()), ("language_score", pa.float32())]),
    )
    steps = recipe.load("refinedweb@dclm").stages
    done = run_steps(batch, steps)
    assert set(names) <= set(done.schema.names)
    assert done.column("drop_stage").to_pylist() == [None, "refinedweb_lines", "gopher_quality"]
    assert done.column("drop_reason")[1].as_py() == "removed_word_frac_above_max"
    assert done.column("text")[0].as_py() == text
