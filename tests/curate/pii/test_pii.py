"""The stage: placeholders in, signals beside, nothing left for a second look."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.pii.pii import Pii
from curate.registry import stage_class
from curate.stage import Modified

VALUES = ["a@b.com", "8.8.8.8", "4111111111111111", "13800138000", "212-555-0123", "GB82WEST12345698765432"]
GLUE = ["::ffff:8.8.8.8", "11010519491231002X", *"- ./+@(1x的\n:,_", "86", " ext "]
fragments = st.sampled_from([*VALUES, *GLUE])


def modify(stage: Pii, *texts: str | None) -> Modified:
    return stage.modify(pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())}))


def test_it_is_on_the_menu() -> None:
    assert stage_class("pii") is Pii


def test_texts_are_replaced_and_signals_say_where_in_the_text_before() -> None:
    text = "你好 joe@example.com and joe@example.com, 8.8.8.8"
    done = modify(Pii(), text)
    assert done.columns["text"].to_pylist() == ["你好 <EMAIL_ADDRESS> and <EMAIL_ADDRESS>, <IP_ADDRESS>"]
    (row,) = done.signals.to_pylist()
    assert (row["email_address_count"], row["ip_address_count"], row["phone_number_count"]) == (2, 1, 0)
    assert (row["pii_count"], row["chars_replaced"], row["unchecked_chars"]) == (3, 15 + 15 + 7, 0)
    assert [(text[s["start"] : s["end"]], s["entity"]) for s in row["spans"]] == [
        ("joe@example.com", "EMAIL_ADDRESS"),
        ("joe@example.com", "EMAIL_ADDRESS"),
        ("8.8.8.8", "IP_ADDRESS"),
    ]


def test_null_empty_and_no_rows() -> None:
    done = modify(Pii(), None, "", "plain \0 text")
    assert done.columns["text"].to_pylist() == [None, "", "plain \0 text"]
    assert done.signals.is_null().to_pylist() == [True, False, False]
    assert done.signals.to_pylist()[1]["spans"] == []
    assert modify(Pii()).signals.type == Pii().signals


def test_kinds_that_are_not_looked_for_stay_and_have_no_count() -> None:
    done = modify(Pii(entities=("EMAIL_ADDRESS",)), "joe@example.com 8.8.8.8 (212) 555-0123")
    assert done.columns["text"].to_pylist() == ["<EMAIL_ADDRESS> 8.8.8.8 (212) 555-0123"]
    assert done.signals.to_pylist()[0]["ip_address_count"] is None


def test_a_limit_is_there_when_asked_for_and_the_bound_is_inside() -> None:
    assert Pii().limits == ()
    (limit,) = Pii(max_pii_count=5).limits
    signals = modify(Pii(max_pii_count=5), *("joe@example.com " * n for n in (4, 5, 6)), None).signals
    assert limit.broken_by(signals).to_pylist() == [False, False, True, False]
    assert limit.reason == "pii_count_above_max"


def test_the_score_of_a_phone_number_is_inside_the_default_bound() -> None:
    assert Pii(min_score=0.4).redact("(212) 555-0123").text == "<PHONE_NUMBER>"
    assert Pii(min_score=0.41).redact("(212) 555-0123").text == "(212) 555-0123"


def test_regions_decide_what_a_national_number_is() -> None:
    assert Pii(phone_regions=("US",)).redact("030 901820").spans == []
    assert Pii(phone_regions=("DE",)).redact("030 901820").text == "<PHONE_NUMBER>"


@pytest.mark.parametrize("placeholder", ["", "«{entity}»", "<PII>"])
def test_placeholders_can_be_chosen(placeholder: str) -> None:
    text = Pii(placeholder=placeholder).redact("to joe@example.com.").text
    assert text == f"to {placeholder.format(entity='EMAIL_ADDRESS')}."


@pytest.mark.parametrize("placeholder", ["a@b.com", "{entity}", "<{entity}1>", "<{kind}>", "<::>", "<{entity}", "<{}>"])
def test_placeholders_that_could_become_part_of_a_hit_are_refused(placeholder: str) -> None:
    with pytest.raises(ValidationError, match="placeholder"):
        Pii(placeholder=placeholder)


@pytest.mark.parametrize(
    "wrong", [{"entities": ("EMAIL",)}, {"entities": ()}, {"phone_regions": ("XX",)}, {"extra": 1}]
)
def test_unknown_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pii(**wrong)


@settings(max_examples=150, deadline=None)
@given(st.lists(fragments, max_size=14).map("".join))
def test_a_second_time_changes_nothing_and_spans_explain_the_first(text: str) -> None:
    done = Pii().redact(text)
    again = Pii().redact(done.text)
    assert (again.text, again.spans) == (done.text, [])
    rebuilt, position = "", 0
    for span in done.spans:
        assert position <= span.start < span.end
        rebuilt += text[position : span.start] + f"<{span.entity}>"
        position = span.end
    assert rebuilt + text[position:] == done.text


@pytest.mark.parametrize("unit", ["@", "a@", "7", "1 ", ":", "a-", "((1", "AB12", "a@a.", "2012-01-02 12:30:45, "])
def test_hostile_texts_come_to_an_end(unit: str) -> None:
    text = unit * (40_000 // len(unit))
    done = Pii(max_phone_chars=10_000).redact(text)
    assert Pii(max_phone_chars=10_000).redact(done.text).text == done.text


def test_what_lies_deep_in_a_line_without_spaces_is_found() -> None:
    text = "a" * 3000 + "," + "x" * 300 + ",joe@example.com," + "b@" * 3000 + ",8.8.8.8"
    assert {span.entity for span in Pii().redact(text).spans} == {"EMAIL_ADDRESS", "IP_ADDRESS"}
