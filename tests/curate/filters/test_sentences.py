"""The sentence filter as a stage: cautious defaults, bounds at their edges."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from curate.filters.sentences import SentenceFilter

GOOD = "The keeper of the light went up the stairs at night."
ROW = "12.4 | 13.9 | 15.2 | 17.75 | 20.1 | 3"
ENGLISH_AND_CHINESE = (
    f"{GOOD} It was dark!\n\n1. First\n\n你好，世界。“今天天气很好。”她说。\n\n8. Эта глава начинается."
)


def text_of(stage, text):
    return stage.modify(pa.record_batch({"text": pa.array([text], pa.string())})).columns["text"][0].as_py()


def test_good_text_of_any_script_stays_as_it_is(reasons):
    assert text_of(SentenceFilter(), ENGLISH_AND_CHINESE) == ENGLISH_AND_CHINESE
    assert reasons(SentenceFilter(), ENGLISH_AND_CHINESE) == []


@pytest.mark.parametrize(
    ("setting", "bad"),
    [
        ("min_letter_frac", ROW),
        ("max_digit_frac", "Tel 0049 89 1234567 0049 89 7654321"),
        ("max_symbol_frac", "now ★★★★★ ★★★★★ ★★★★★ ★★★★★"),
        ("min_duplicate_chars", GOOD),
    ],
)
def test_each_default_rule_has_a_switch(setting, bad):
    text = f"{GOOD} {GOOD.upper()}\n{bad}\n{GOOD.lower()}"
    assert text_of(SentenceFilter(), text) == f"{GOOD} {GOOD.upper()}\n{GOOD.lower()}"
    assert text_of(SentenceFilter(**{setting: None}), text) == text


@pytest.mark.parametrize(
    ("settings", "bad"),
    [
        ({"min_chars": 5}, "Yes."),
        ({"min_words": 2}, "Indeed."),
        ({"max_chars": 60}, "word " * 20),
        ({"max_words": 15}, "word " * 20),
        ({"end_marks": "."}, "No mark at its end"),
        ({"keywords": ("cookies",)}, "We use Cookies."),
    ],
)
def test_other_rules_are_there_when_asked_for(settings, bad):
    text = f"{GOOD}\n{bad.strip()}"
    assert text_of(SentenceFilter(), text) == text
    assert text_of(SentenceFilter(**settings), text) == GOOD


@pytest.mark.parametrize(("chars", "stays"), [(19, True), (20, False), (21, False)])
def test_short_sentences_are_not_judged_by_shares(chars, stays):
    row = "1" * chars
    assert text_of(SentenceFilter(), f"{GOOD}\n{row}") == (f"{GOOD}\n{row}" if stays else GOOD)


@pytest.mark.parametrize(("chars", "expected"), [(29, []), (30, []), (31, ["removed_char_frac_above_max"])])
def test_three_tenths_may_go(reasons, chars, expected):
    text = "w" * (100 - chars) + "\n" + "1" * chars
    assert reasons(SentenceFilter(), text) == expected
    assert reasons(SentenceFilter(max_removed_char_frac=None), text) == []


@pytest.mark.parametrize(("least", "expected"), [(69, []), (70, []), (71, ["kept_char_count_below_min"])])
def test_what_must_be_left(reasons, least, expected):
    assert reasons(SentenceFilter(min_kept_chars=least), "w" * 70 + "\n" + "1" * 20) == expected


def test_empty_text_goes_and_null_is_not_judged(reasons):
    assert reasons(SentenceFilter(), "") == ["kept_char_count_below_min"]
    assert reasons(SentenceFilter(min_kept_chars=None), "") == []
    assert reasons(SentenceFilter(), None) == []


@pytest.mark.parametrize(
    ("name", "most"), [("news_en", 0.005), ("books_en", 0.0005), ("zh", 0.02), ("zh_poetry", 0.001)]
)
def test_little_of_good_text_goes(shared_data, name, most):
    """Sentences removed: what `docs/decisions.md` says, with room for other samples of the same kind."""
    column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
    texts = pa.array(column.slice(0, 1500).to_pylist(), pa.string())
    signals = SentenceFilter().modify(pa.record_batch({"text": texts})).signals
    total = pc.sum(pc.struct_field(signals, "sentence_count")).as_py()
    gone = sum(pc.sum(pc.struct_field(signals, n)).as_py() for n in signals.type.names if n.endswith("_sentences"))
    assert 0 <= gone / total <= most
