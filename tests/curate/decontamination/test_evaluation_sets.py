"""Which column is the question, the answer and the passage, in made sets and in published ones."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from curate.decontamination.evaluation_sets import EvaluationSet, Fields, Item, Part, items, ready_made
from curate.errors import InputError, RecipeError


def items_of(tmp_path, rows, fields, name="a.jsonl"):
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return list(items(EvaluationSet(name="made", path=str(tmp_path / name), fields=fields)))


def answers(tmp_path, rows, **part):
    return [item.answer for item in items_of(tmp_path, rows, Fields(answer=Part(**part)))]


def test_a_part_is_a_column_or_several(tmp_path):
    rows = [{"a": "x", "b": {"c": ["y", None, "z"]}, "n": 3, "t": True}, {"a": None, "b": None, "n": 0.5, "t": False}]
    fields = Fields(question="a", answer={"columns": ["a", "b.c"]}, passage="n", id="n")
    assert items_of(tmp_path, rows, fields) == [Item("x", "x\ny\nz", "3", "3"), Item("", "", "0.5", "0.5")]
    assert answers(tmp_path, rows, columns=("t",)) == ["", ""]


def test_the_right_answer_is_chosen_by_number_letter_or_label(tmp_path):
    choices = {"c": ["p", "q", "r"], "l": ["A", "B", "1"]}

    def chosen(key, **part):
        return answers(tmp_path, [{**choices, "k": key}], columns=("c",), choose="k", **part)

    assert chosen(0) == chosen("0") == chosen("A") == ["p"]
    assert chosen(1, first=1) == ["p"]
    assert chosen("1", labels="l") == ["r"]
    assert chosen(None) == chosen("") == chosen(-1) == [""]
    for wrong in (3, "D", "xy", "ß"):
        with pytest.raises(InputError, match=r"item 0 .*k is .* but there are 3 values of c"):
            chosen(wrong)


def test_a_blank_is_filled_in_and_marks_are_left_out(tmp_path):
    row = {"s": r"He saw __ \1 and _", "o": "her\\", "a": "2*3=<<2*3=6>>6 eggs #### 6"}
    assert answers(tmp_path, [row], columns=("o",), fills="s") == [r"He saw her\ \1 and her" + "\\"]
    assert answers(tmp_path, [row], columns=("a",), remove="<<.*?>>|####.*") == ["2*3=6 eggs "]
    with pytest.raises(ValidationError, match="regular expression"):
        Part(columns=("a",), remove="(")


def test_a_lone_surrogate_is_replaced(tmp_path):
    assert answers(tmp_path, [{"a": "x\ud800y"}], columns=("a",)) == ["x?y"]


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path):
    rows = [{"prompt": "x", "gold": "y"}]
    with pytest.raises(InputError, match=r"set made has no column 'question'; it has: gold, prompt\."):
        items_of(tmp_path, rows, Fields(question="question"))
    with pytest.raises(InputError, match="no column 'label'"):
        items_of(tmp_path, rows, Fields(answer=Part(columns=("gold",), choose="label")))
    with pytest.raises(InputError, match="no column 'uid'"):
        items_of(tmp_path, rows, Fields(question="prompt", id="uid"))
    assert items_of(tmp_path, [*rows, {"prompt": "z"}], Fields(answer="gold"))[1].answer == ""


def test_a_set_without_items_or_parts_is_an_error(tmp_path):
    with pytest.raises(InputError, match="has no items"):
        items_of(tmp_path, [], Fields(question="a"))
    with pytest.raises(RecipeError, match="name no question"):
        items_of(tmp_path, [{"a": 1}], Fields())


def test_a_ready_made_definition_is_taken_by_the_name_of_the_set_or_its_own():
    assert EvaluationSet(name="gsm8k", path="x").definition == ready_made()["gsm8k"]
    assert EvaluationSet(name="mine", path="x", fields="gsm8k").definition == ready_made()["gsm8k"]
    with pytest.raises(RecipeError, match="Did you mean: gsm8k"):
        _ = EvaluationSet(name="gsm8", path="x").definition


@pytest.mark.parametrize(
    ("name", "file", "number", "first"),
    [
        (
            "mmlu",
            "mmlu_no_train.test.jsonl.gz",
            14_042,
            ("Find the degree for the given field extension Q(sqrt(2), sqrt(3), sqrt(18)) over Q.", "4", "", None),
        ),
        ("gsm8k", "gsm8k_test.jsonl.gz", 1319, None),
        ("humaneval", "HumanEval.jsonl.gz", 164, None),
        (
            "hellaswag_lines",
            "hellaswag_val_full.txt.bz2",
            10_042,
            ("Roof shingle removal: A man is sitting on a roof. he", "starts pulling up roofing on a roof.", "", None),
        ),
        ("openbookqa", "openbookqa_main.validation.jsonl.gz", 500, None),
        ("piqa", "piqa_plain_text.validation.jsonl.gz", 1838, None),
        (
            "sciq",
            "sciq_none.validation.jsonl.gz",
            1000,
            ("Who proposed the theory of evolution by natural selection?", "darwin", "", None),
        ),
        ("boolq", "boolq_none.validation.jsonl.gz", 3270, None),
        (
            "winogrande",
            "winogrande_winogrande_xl.validation.jsonl.gz",
            1267,
            (
                "Sarah was a much better surgeon than Maria so _ always got the easier cases.",
                "Sarah was a much better surgeon than Maria so Maria always got the easier cases.",
                "",
                None,
            ),
        ),
    ],
)
def test_published_sets_are_read_by_their_definitions(shared_data, name, file, number, first):
    found = list(items(EvaluationSet(name=name, path=str(shared_data / "decontamination" / file))))
    assert len(found) == number
    assert first is None or found[0] == Item(*first)
    assert sum(bool(item.question.strip()) for item in found) >= 0.999 * number
    parts = ready_made()[name]
    assert parts.answer is None or sum(bool(item.answer.strip()) for item in found) >= 0.99 * number
    assert parts.id is None or all(item.id for item in found)
    assert not any("<<" in item.answer or "####" in item.answer for item in found if name == "gsm8k")


def test_the_shape_of_arc_and_of_the_first_files_of_mmlu(tmp_path):
    arc = {"id": "x1", "question": "Why?", "choices": {"text": ["p", "q"], "label": ["1", "2"]}, "answerKey": "2"}
    assert items_of(tmp_path, [arc], "arc") == [Item("Why?", "q", "", "x1")]
    (tmp_path / "law_test.csv").write_text("Why?,p,q,r,s,C\n")
    found = items(EvaluationSet(name="law", path=str(tmp_path / "*_test.csv"), fields="mmlu_csv"))
    assert list(found) == [Item("Why?", "r", "", None)]
    hellaswag = {"ctx": "He ran", "endings": ["off", "in", "up", "by"], "label": "2"}
    assert items_of(tmp_path, [hellaswag], "hellaswag") == [Item("He ran", "up", "", None)]
