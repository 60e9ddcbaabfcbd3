"""The C4 stage: settings switch rules, bounds hold at their edges, lists come from files."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate import recipe
from curate.errors import InputError
from curate.filters.c4 import C4

STAGE = C4()
GOOD = "Here is one good line."


def cleaned(stage, text):
    batch = pa.record_batch({"text": pa.array([text], pa.string())})
    return stage.modify(batch).columns["text"][0].as_py()


@pytest.mark.parametrize(("lines", "expected"), [(2, ["sentence_count_below_min"]), (3, []), (4, [])])
def test_three_sentences_are_enough(reasons, lines, expected):
    assert reasons(STAGE, "\n".join([GOOD] * lines)) == expected


def test_sentences_are_counted_in_what_is_left(reasons):
    assert reasons(STAGE, f"{GOOD}\n{GOOD}\nToo short.\nNo. End. Mark. At. All") == ["sentence_count_below_min"]


@pytest.mark.parametrize(("chars", "expected"), [(189_999, []), (190_000, []), (190_001, ["char_count_above_max"])])
def test_190_000_characters_as_they_came_are_kept(reasons, chars, expected):
    assert reasons(STAGE, "\n".join([GOOD] * 3).ljust(chars)) == expected


@pytest.mark.parametrize(("chars", "stays"), [(999, True), (1000, True), (1001, False)])
def test_a_word_of_1000_characters_is_kept(chars, stays):
    text = f"One {'é' * chars} in this line."
    assert cleaned(STAGE, text) == (text if stays else "")
    assert cleaned(C4(max_word_chars=None), text) == text


@pytest.mark.parametrize(("words", "stays"), [(4, False), (5, True), (6, True)])
def test_five_words_make_a_line(words, stays):
    text = " ".join(["word"] * words) + "."
    assert cleaned(STAGE, text) == (text if stays else "")
    assert cleaned(C4(min_words_per_line=None), text) == text


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("require_terminal_punctuation", "This line has no mark at its end"),
        ("require_terminal_punctuation", "This line goes on and on..."),
        ("remove_javascript_lines", "Please enable JavaScript in your browser."),
        ("remove_policy_lines", "Please read our Privacy Policy now."),
    ],
)
def test_each_line_rule_has_a_switch(setting, line):
    assert cleaned(STAGE, f"{GOOD}\n{line}") == GOOD
    assert cleaned(C4(**{setting: False}), f"{GOOD}\n{line}") == f"{GOOD}\n{line}"


def test_citation_marks_go_unless_told_otherwise():
    text = "As all of them say [12][edit] [citation needed]."
    assert cleaned(STAGE, text) == "As all of them say  ."
    assert cleaned(C4(remove_citations=False), text) == text


@pytest.mark.parametrize(
    ("setting", "line"),
    [("drop_lorem_ipsum", "This is Lorem Ipsum and no text."), ("drop_curly_brace", "Here is a brace { or two.")],
)
def test_each_page_rule_has_a_switch(reasons, setting, line):
    text = "\n".join([GOOD, GOOD, GOOD, line])
    assert reasons(STAGE, text) == [setting.removeprefix("drop_")]
    assert reasons(C4(**{setting: False}), text) == []


def test_bad_words_come_from_a_file(reasons, tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("# ours\nDarn\nholy cow\n")
    stage = C4(bad_words_path=str(path))
    text = "\n".join([GOOD] * 3)
    assert reasons(stage, text) == []
    assert reasons(stage, f"{text}\nOh what a darn shame.") == ["bad_word"]
    assert reasons(stage, f"{text}\nThere is a holy cow here!") == ["bad_word"]
    assert reasons(STAGE, f"{text}\nOh what a darn shame.") == []


@pytest.mark.parametrize(("language", "inside", "text"), [("en", False, "what a wank"), ("zh", True, "他是下贱的人")])
def test_a_published_list_works_as_it_is(shared_data, reasons, language, inside, text):
    path = shared_data / "wordlists" / "ldnoobw" / language
    stage = C4(
        bad_words_path=str(path),
        bad_words_inside_words=inside,
        min_words_per_line=None,
        require_terminal_punctuation=False,
        min_sentence_count=None,
    )
    assert reasons(stage, text) == ["bad_word"]
    assert reasons(stage, "nothing 好 here") == []


def test_a_missing_list_is_an_error_for_the_user(reasons):
    with pytest.raises(InputError, match="no-such-list"):
        reasons(C4(bad_words_path="no-such-list"), GOOD)


def test_null_stays_null_and_is_kept(reasons):
    assert cleaned(STAGE, None) is None
    assert reasons(STAGE, None) == []


def test_empty_has_no_sentences(reasons):
    assert reasons(STAGE, "") == ["sentence_count_below_min"]


def test_an_empty_batch_keeps_its_types():
    modified = STAGE.modify(pa.record_batch({"text": pa.array([], pa.string())}))
    assert modified.columns["text"].type == pa.string()
    assert modified.signals.type == STAGE.signals


def variant(name):
    (step,) = recipe.load(name).stages
    return step.stage


def test_the_recipe_of_google_is_the_default():
    assert variant("c4@tfds") == STAGE


@pytest.mark.parametrize(
    ("name", "min_words", "min_sentences"),
    [("c4@tfds", 5, 3), ("c4@datatrove", 3, 5), ("c4@dolma", 3, 0), ("c4@dclm", 5, 3)],
)
def test_bounds_of_each_variant_hold_at_their_edges(reasons, name, min_words, min_sentences):
    stage = variant(name)
    for words in (min_words - 1, min_words):
        line = " ".join(["word"] * words) + "."
        assert cleaned(stage, line) == (line if words == min_words else "")
    for count in range(max(min_sentences - 1, 0), min_sentences + 2):
        few = ["sentence_count_below_min"] if count < min_sentences else []
        assert reasons(stage, "\n".join([GOOD] * count)) == few


@pytest.mark.parametrize(
    ("name", "bounded"), [("c4@tfds", True), ("c4@datatrove", False), ("c4@dolma", False), ("c4@dclm", True)]
)
def test_only_some_bound_the_length_of_a_page(reasons, name, bounded):
    text = "\n".join([GOOD] * 6).ljust(190_001)
    assert reasons(variant(name), text) == (["char_count_above_max"] if bounded else [])


@pytest.mark.parametrize(
    ("name", "expected"), [("c4@tfds", []), ("c4@datatrove", []), ("c4@dolma", ["javascript"]), ("c4@dclm", [])]
)
def test_javascript_drops_the_line_or_the_document(reasons, name, expected):
    text = "\n".join([GOOD] * 6 + ["Javascript"])
    assert reasons(variant(name), text) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("c4@tfds", []), ("c4@datatrove", []), ("c4@dolma", ["curly_brace"]), ("c4@dclm", [])]
)
def test_a_brace_in_a_line_that_goes_drops_nothing_except_in_dolma(reasons, name, expected):
    assert reasons(variant(name), "\n".join([GOOD] * 6 + ["a { brace"])) == expected


def test_sentences_are_kept_in_place_of_lines():
    stage = C4(unit="sentences", min_words_per_line=3)
    assert (
        cleaned(stage, "One good\nsentence it is. No. Another good one.")
        == "One good\nsentence it is. Another good one."
    )
