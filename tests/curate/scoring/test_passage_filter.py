"""Filters on passages: what goes, what stays around it, and what is said of it."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from fasttext_models import trained
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import RecipeError
from curate.kernels.passages import END, START, passages
from curate.recipe import build
from curate.registry import stage_class
from curate.scoring.passage_filter import PassageFilter

#: A passage of fewer than three words goes, and nothing else does.
SHORT = {
    "gopher_quality": {
        "min_word_count": 3, "max_word_count": None, "min_mean_word_length": None, "max_mean_word_length": None,
        "max_hash_symbol_frac": None, "max_ellipsis_symbol_frac": None, "max_bullet_line_frac": None,
        "max_ellipsis_line_frac": None, "min_alphabetic_word_frac": None, "min_stop_word_count": None,
    }
}  # fmt: skip


def apply(stage, texts, **columns):
    ids = [f"id{n}" for n in range(len(texts))]
    batch = pa.record_batch({"doc_id": ids, "text": pa.array(texts, pa.string()), **columns})
    modified = stage.modify(batch)
    assert modified.signals.type == stage.signals
    return modified.columns["text"].to_pylist(), modified.signals.to_pylist()


def left(text, **settings):
    return apply(PassageFilter(stage=SHORT, **settings), [text])[0][0]


def reasons(stage, text):
    batch = pa.record_batch({"doc_id": ["a"], "text": pa.array([text], pa.string())})
    found = stage.modify(batch).signals
    return [limit.reason for limit in stage.limits if limit.broken_by(found)[0].as_py()]


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        ("sentence", "Here are three words. No. And here they are.", "Here are three words. And here they are."),
        ("sentence", "No. Here are three words.\nNot here. ", "Here are three words. "),
        ("line", "one two three\nshort one\nfour five six", "one two three\nfour five six"),
        ("line", "one two three\n\nshort\n\nfour five six", "one two three\n\nfour five six"),
        ("paragraph", "one\ntwo\nthree\n\nshort one\n\nfour five\nsix", "one\ntwo\nthree\n\nfour five\nsix"),
    ],
)
def test_units_that_break_a_limit_go(unit, text, expected):
    assert left(text, unit=unit) == expected


def test_the_default_unit_is_a_sentence():
    assert left("one two three\nNo. four five six") == "one two three\nfour five six"


@pytest.mark.parametrize("text", ["", "  \n ", "Here are three words.\n\n  And here  they are. "])
def test_what_breaks_nothing_stays_as_it_is(text):
    assert left(text) == text


def test_null_stays_null_and_is_not_judged():
    stage = PassageFilter(stage=SHORT, min_kept_chars=10, max_removed_char_frac=0)
    texts, signals = apply(stage, [None, "No."])
    assert texts == [None, ""]
    assert set(signals[0].values()) == {None}
    assert reasons(stage, None) == []


def test_what_is_said_of_it():
    texts, (signals,) = apply(PassageFilter(stage=SHORT), ["Here are three words. No. One more. And here they are."])
    assert texts == ["Here are three words. And here they are."]
    assert signals == {
        "unit_count": 4,
        "removed_count": 2,
        "word_count_below_min_count": 2,
        "min_word_count": 1.0,  # the worst that was met
        "kept_chars": len("Here are three words.And here they are."),
        "removed_char_frac": len("No.One more.") / len("Here are three words.No.One more.And here they are."),
    }


@pytest.mark.parametrize(("most", "broken"), [(0.19, True), (0.2, False), (0.21, False)])
def test_a_document_that_loses_too_much_goes(most, broken):
    text = "one two three four\nshorty"  # 18 and 6 characters
    text = "a two three four fiv\nshort"  # 20 and 5 characters
    stage = PassageFilter(stage=SHORT, unit="line", max_removed_char_frac=most)
    assert reasons(stage, text) == (["removed_char_frac_above_max"] if broken else [])


@pytest.mark.parametrize(("least", "broken"), [(19, False), (20, False), (21, True)])
def test_something_must_be_left(least, broken):
    stage = PassageFilter(stage=SHORT, unit="line", min_kept_chars=least)
    assert reasons(stage, "a two three four fiv\nshort") == (["kept_chars_below_min"] if broken else [])


def test_a_text_of_which_nothing_stays_is_empty_and_goes():
    stage = PassageFilter(stage=SHORT)
    assert apply(stage, ["No. Never.", "x"])[0] == ["", ""]
    assert reasons(stage, "No. Never.") == ["kept_chars_below_min"]
    assert reasons(PassageFilter(stage=SHORT, min_kept_chars=None), "No.") == []


@given(
    st.lists(st.none() | st.text(st.sampled_from("ab .\n。!é"), max_size=60), max_size=5),
    st.sampled_from(["sentence", "line", "paragraph"]),
)
def test_passages_that_stay_are_as_they_were_and_in_order(texts, unit):
    """By the filter itself on each passage alone."""
    alone = build(stage_class("gopher_quality"), SHORT["gopher_quality"], "test")
    for text, result in zip(texts, apply(PassageFilter(stage=SHORT, unit=unit), texts)[0], strict=True):
        if text is None:
            assert result is None
            continue
        units = units_of(text, unit)
        signals = alone.annotate(pa.record_batch({"text": pa.array(units, pa.string())}))
        stays = [
            unit for unit, gone in zip(units, alone.limits[0].broken_by(signals).to_pylist(), strict=True) if not gone
        ]
        squeezed = "".join("".join(stays).split())
        assert "".join(result.split()) == squeezed
        if len(stays) == len(units):
            assert result == text


def units_of(text, unit):
    spans = passages(pa.array([text]), unit, "none").spans
    return [text.encode()[span[START] : span[END]].decode() for span in spans]


def test_a_model_takes_chinese_sentences_out(tmp_path):
    lines = [f"__label__{label} {text}" for label, text in (("ad", "立 即 购 买 ！"), ("fine", "今 天 天 气 很 好 。"))]
    trained(tmp_path / "zh.bin", lines * 100, wordNgrams=2)
    inner = {"model_path": str(tmp_path / "zh.bin"), "labels": ["ad"], "tokens": "characters", "max_score": 0.4}
    stage = PassageFilter(stage={"fasttext_score": inner})
    texts, signals = apply(
        stage, ["今天天气很好。立即购买！今天很好。", None, "立即购买！"], language=["zh", "zh", "zh"]
    )
    assert texts == ["今天天气很好。今天很好。", None, ""]
    assert signals[0]["removed_count"] == signals[0]["score_above_max_count"] == 1
    assert signals[0]["max_score"] > 0.9
    assert stage.files == (str(tmp_path / "zh.bin"),)


def test_each_passage_has_an_id_of_its_own(monkeypatch):
    seen = []
    inner = stage_class("gopher_quality")
    measure = inner.annotate
    monkeypatch.setattr(inner, "annotate", lambda self, batch: seen.append(batch) or measure(self, batch))
    apply(PassageFilter(stage=SHORT), ["A. B.", "C."], language=["en", None], url=["u", "v"])
    assert seen[0].to_pydict() == {
        "text": ["A.", "B.", "C."],
        "doc_id": ["id0-0", "id0-1", "id1-0"],
        "language": ["en", "en", None],
    }


def test_many_passages_are_measured_in_parts(monkeypatch):
    texts = ["Here are three words. No. " * 7, None, "No. And here they are. " * 5]
    whole = apply(PassageFilter(stage=SHORT), texts)
    monkeypatch.setattr("curate.scoring.passage_filter.MAX_UNITS", 3)
    assert apply(PassageFilter(stage=SHORT), texts) == whole


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"gopher_qualty": {}}, "unknown stage 'gopher_qualty'. Did you mean: gopher_quality"),
        ({"gopher_quality": {"min_words": 3}}, "unknown setting 'min_words' in passage_filter, stage gopher_quality"),
        ({"gopher_quality": {"min_word_count": "many"}}, "passage_filter, stage gopher_quality: min_word_count"),
        ({"exact_dedup": {}}, "exact_dedup changes text or needs all documents"),
        ("sentence_filter", "sentence_filter changes text or needs all documents"),
        ({"fasttext_score": {"model_path": "x.bin"}}, "fasttext_score has no limit"),
        ({"c4": {}, "mc4": {}}, "a stage has one name"),
    ],
)
def test_a_wrong_stage_is_refused_as_in_a_recipe(stage, message):
    with pytest.raises(RecipeError) as told:
        build(PassageFilter, {"stage": stage}, "stage passage_filter")
    assert message in str(told.value)


def test_settings_are_written_out_and_travel():
    stage = PassageFilter(stage={"gopher_quality": {"min_word_count": 3}})
    assert stage.stage["gopher_quality"]["max_word_count"] == 100_000
    assert PassageFilter.model_validate(stage.model_dump(mode="json")) == stage
    assert apply(pickle.loads(pickle.dumps(stage)), ["No."]) == apply(stage, ["No."])


def test_what_the_filter_requires_is_required():
    assert PassageFilter(stage="url_filter").requires == ("text", "url")
    assert PassageFilter(stage=SHORT).requires == ("text",)
