"""Data-Juicer's filters: the defaults of its operators, and every bound on both sides."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from curate import recipe as recipes
from curate.filters.data_juicer import DataJuicer

DEFAULTS = {
    "char_count": (10, None),
    "mean_line_chars": (10, None),
    "max_line_chars": (10, None),
    "alphanumeric_frac": (0.25, None),
    "special_char_frac": (None, 0.25),
    "word_count": (10, None),
    "stop_word_frac": (0.3, None),
    "flagged_word_frac": (None, 0.045),
    "word_repetition_frac": (None, 0.5),
    "char_repetition_frac": (None, 0.5),
}
BOUNDS = [name for name in DataJuicer.model_fields if name.startswith(("min_", "max_"))]
TEXT = "\n".join(["The rain, the snow (and the hail) fell on the 12 towns of the north of the country!"] * 2)


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "words.txt").write_text("the\nand\non\n")
    return {name: (str(tmp_path / "words.txt"),) for name in ("stop_word_paths", "flagged_word_paths")}


def bounds_of(stage):
    found = {name: [None, None] for name in DEFAULTS}
    for limit in stage.limits:
        found[limit.signal][limit.op == "at_most"] = limit.value
    return {name: tuple(bounds) for name, bounds in found.items()}


def only(bound, value, **lists):
    return DataJuicer(**{name: None for name in BOUNDS if name != bound}, **{bound: value}, **lists)


def test_the_defaults_are_those_of_the_operators():
    assert bounds_of(DataJuicer()) == DEFAULTS


@pytest.mark.parametrize("bound", BOUNDS)
def test_what_lies_on_a_bound_is_kept_and_what_lies_beyond_is_not(reasons, lists, bound):
    side, signal = bound.split("_", 1)
    value = DataJuicer(**lists).annotate(pa.record_batch({"text": [TEXT]})).to_pylist()[0][signal]
    assert value > 0
    outwards, inwards = (math.inf, 0) if side == "max" else (0, math.inf)

    def near(to):
        return value + (1 if to > value else -1) if isinstance(value, int) else math.nextafter(value, to)

    assert reasons(only(bound, value, **lists), TEXT) == []
    assert reasons(only(bound, near(outwards), **lists), TEXT) == []
    reason = f"{signal}_{'below' if side == 'min' else 'above'}_{side}"
    assert reasons(only(bound, near(inwards), **lists), TEXT) == [reason]


@pytest.mark.parametrize(("text", "expected"), [("a" * 10, []), ("a" * 9, ["char_count_below_min"])])
def test_ten_characters_are_enough(reasons, text, expected):
    assert reasons(only("min_char_count", 10), text) == expected


def test_a_quarter_of_special_characters_is_kept(reasons):
    stage = only("max_special_char_frac", 0.25)
    assert reasons(stage, "abc. def. ghijkl") == []
    assert reasons(stage, "abc. def. ghij!l") == ["special_char_frac_above_max"]


def test_without_lists_words_are_not_judged(reasons):
    assert reasons(DataJuicer(), " ".join(f"qwertyuiop{chr(97 + i)}" for i in range(12))) == []


def test_null_is_kept_and_empty_is_too_short(reasons):
    assert reasons(DataJuicer(), None) == []
    assert reasons(DataJuicer(), "")[0] == "char_count_below_min"


def test_none_turns_a_bound_off():
    assert DataJuicer(**dict.fromkeys(BOUNDS, None)).limits == ()


def test_the_recipe_for_redpajama_has_its_bounds_and_no_others():
    steps = {step.use: step.stage for step in recipes.load("data_juicer@redpajama_cc").stages}
    assert {name: bounds for name, bounds in bounds_of(steps["data_juicer"]).items() if bounds != (None, None)} == {
        "char_count": (None, 58_187),
        "alphanumeric_frac": (0.7508, 0.8591),
        "special_char_frac": (0.15, 0.35),
        "word_count": (20, 11_529),
        "flagged_word_frac": (None, 0.0015),
        "word_repetition_frac": (None, 0.2962),
    }
