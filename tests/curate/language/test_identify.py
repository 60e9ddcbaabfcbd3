"""Languages of real short strings, what is undecided, and which documents the limits drop."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import EnvironmentProblem
from curate.language.identify import SIGNALS, LanguageId
from curate.registry import stage_class

ENGLISH = "The committee will meet again on Thursday to discuss the budget for next year."


def signals(*texts, **settings_):
    batch = pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())})
    return LanguageId(**settings_).modify(batch).signals.to_pylist()


def dropped(limit, score):
    row = pa.array([{"language": "en", "language_score": score}], SIGNALS)
    return limit.broken_by(row).to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        (ENGLISH, "en", "Latn"),
        (ENGLISH.upper(), "en", "Latn"),
        ("Der Ausschuss tritt am Donnerstag wieder zusammen.", "de", "Latn"),
        ("Комитет соберётся снова в четверг.", "ru", "Cyrl"),
        ("Η επιτροπή θα συνεδριάσει ξανά την Πέμπτη.", "el", "Grek"),
        ("今天天气很好", "zh", "Hani"),
        ("你好", "zh", "Hani"),
        ("學而時習之，不亦說乎？", "zh", "Hani"),
        ("佢哋而家喺邊度呀？", "zh", "Hani"),  # Cantonese: one Chinese
        ("侬今朝夜到有空伐？", "zh", "Hani"),  # Wu
        ("東京都の人口は約1400万人です。", "ja", "Jpan"),
        ("カタカナ", "ja", "Jpan"),
        ("ありがとう", "ja", "Jpan"),
        ("안녕하세요", "ko", "Hang"),
        ("大韓民國은 民主共和國이다.", "ko", "Hang"),  # mixed script, three of twelve letters Hangul
        ("我们用 Python 和 Apache Spark 处理网页数据，然后训练模型。", "zh", "Hani"),
        ("新しいiPhoneをAmazonで買いました。", "ja", "Jpan"),
        ("삼성전자 Galaxy S24 Ultra 출시", "ko", "Hang"),
        ("The Chinese word for love, 愛, is written with thirteen strokes in the traditional script.", "en", "Latn"),
    ],
)
def test_real_short_texts(text, language, script):
    (row,) = signals(text)
    assert (row["language"], row["script"]) == (language, script)
    assert 0 < row["language_score"] <= 1


def test_words_held_together_by_no_break_spaces_are_words():
    plain, held = signals(ENGLISH, ENGLISH.replace(" ", "\N{NO-BREAK SPACE}"))
    assert held == {**plain, "sampled_bytes": held["sampled_bytes"]}


@pytest.mark.parametrize("text", [None, "", " \n\t", "2024-11-22 12:30", "!!! --- ???", "😀😀", "\0\0", "١٢٣"])
def test_without_a_letter_the_language_is_undecided_with_score_zero(text):
    (row,) = signals(text)
    assert (row["language"], row["language_score"], row["second_language"], row["script"]) == ("und", 0.0, None, None)


def test_newlines_nul_and_fasttexts_own_end_of_line_do_not_cut_the_text():
    for prefix in ("\n", "\0", "</s> ", "</S>\n"):
        assert signals(prefix + ENGLISH)[0]["language"] == "en"


def test_a_han_only_text_that_may_be_japanese_says_so_by_its_score():
    short, long = signals("東京都庁", "中华人民共和国国务院办公厅")
    assert short["language"] == long["language"] == "zh"
    assert short["language_score"] < long["language_score"] == 1.0


@pytest.mark.parametrize(("num_kana", "language"), [(9, "zh"), (10, "ja"), (11, "ja")])
def test_a_tenth_of_kana_makes_it_japanese(num_kana, language):
    assert signals("国" * (100 - num_kana) + "の" * num_kana)[0]["language"] == language


@pytest.mark.parametrize(("num_hangul", "language"), [(9, "zh"), (10, "ko"), (11, "ko")])
def test_a_tenth_of_hangul_makes_it_korean(num_hangul, language):
    assert signals("國" * (100 - num_hangul) + "은" * num_hangul)[0]["language"] == language


def test_a_long_document_is_judged_by_windows_over_all_of_it():
    text = "12345 " * 2000 + ENGLISH * 400 + "67890 " * 2000
    (row,) = signals(text)
    assert row["language"] == "en"
    assert row["sampled_bytes"] <= 1024 + 15


def test_the_document_columns_are_set_and_equal_the_signals():
    batch = pa.RecordBatch.from_pydict({"text": [ENGLISH, None, "你好"]})
    modified = LanguageId().modify(batch)
    assert set(modified.columns) == set(LanguageId.writes)
    assert modified.signals.type == LanguageId().signals
    for name, column in modified.columns.items():
        assert column.equals(modified.signals.field(name))
    assert modified.columns["language_score"].type == pa.float32()


def test_an_empty_batch_has_the_declared_types():
    modified = LanguageId().modify(pa.RecordBatch.from_pydict({"text": pa.array([], pa.string())}))
    assert len(modified.signals) == 0
    assert modified.signals.type == SIGNALS


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=80), min_size=1, max_size=6))
def test_a_text_is_judged_alone_whatever_stands_beside_it(texts):
    together = signals(*texts)
    assert together == [signals(text)[0] for text in texts]
    assert all(0 <= row["language_score"] <= 1 for row in together)


@pytest.mark.parametrize(("score", "drop"), [(0.25, True), (0.5, False), (0.75, False)])
def test_min_language_score_drops_below_the_bound(score, drop):
    (limit,) = LanguageId(min_language_score=0.5).limits
    assert dropped(limit, score) is drop
    assert limit.reason == "language_score_below_min"


def test_listed_languages_are_kept_and_others_dropped():
    (limit,) = LanguageId(languages=("de", "zh")).limits
    found = pa.array(signals(ENGLISH, "你好", None), SIGNALS)
    assert limit.broken_by(found).to_pylist() == [True, False, True]
    assert limit.reason == "language_not_listed"
    assert LanguageId().limits == ()


def test_a_language_that_the_model_never_answers_is_refused_with_the_nearest():
    with pytest.raises(ValidationError, match="unknown language 'yue'"):
        LanguageId(languages=("yue",))
    assert LanguageId(languages=("yue",), model_path="own.bin").languages == ("yue",)


def test_a_missing_model_of_ones_own_is_an_environment_problem(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"own\.bin"):
        signals("hello", model_path=str(tmp_path / "own.bin"))


def test_the_recipe_name_leads_here():
    assert stage_class("language_id") is LanguageId


def test_chinese_japanese_korean_and_english_sentences(shared_data):
    rows = pq.read_table(shared_data / "lid" / "sentences.parquet").to_pylist()
    for language in ("zh", "ja", "ko", "en"):
        texts = [row["text"] for row in rows if row["language"] == language]
        right = sum(row["language"] == language for row in signals(*texts))
        assert right >= 0.995 * len(texts), language  # lid.176 alone: zh 0.967, ja 0.990, ko 0.996, en 0.998
