"""BigScience's rules for OSCAR in English: published bounds, and lists only where the user has them."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from curate.errors import InputError
from curate.filters.roots import Roots

PUBLISHED = {
    "word_count": (20, 100_000),
    "char_repetition_frac": (None, 0.106),
    "word_repetition_frac": (None, 0.19),
    "special_char_frac": (None, 0.4),
    "stop_word_frac": (0.3, None),
    "flagged_word_frac": (None, 0.01),
}
BOUNDS = [name for name in Roots.model_fields if name.startswith(("min_", "max_"))]
TEXT = "The rain, the snow (and the hail) fell on the 12 towns! The rain, the snow (and the hail) fell on nobody else."


@pytest.fixture
def lists(tmp_path):
    """Settings that name a list of stop words and one of flagged words."""
    (tmp_path / "stop.txt").write_text("# function words\nThe\nand\non\n")
    (tmp_path / "flagged.txt").write_text("hail\n")
    return {
        "stop_word_paths": (str(tmp_path / "stop.txt"),),
        "flagged_word_paths": (str(tmp_path / "flagged.txt"),),
    }


def signals_of(stage, text):
    return stage.annotate(pa.record_batch({"text": pa.array([text])})).to_pylist()[0]


def only(bound, value, **lists):
    return Roots(**{name: None for name in BOUNDS if name != bound}, **{bound: value}, **lists)


def test_the_bounds_are_those_published_for_english():
    found = {name: [None, None] for name in PUBLISHED}
    for limit in Roots().limits:
        found[limit.signal][limit.op == "at_most"] = limit.value
    assert {name: tuple(bounds) for name, bounds in found.items()} == PUBLISHED
    assert list(dict.fromkeys(limit.signal for limit in Roots().limits)) == list(PUBLISHED)


@pytest.mark.parametrize("bound", BOUNDS)
def test_what_lies_on_a_bound_is_kept_and_what_lies_beyond_is_not(reasons, lists, bound):
    side, signal = bound.split("_", 1)
    value = signals_of(Roots(**lists), TEXT)[signal]
    assert value > 0
    outwards = math.inf if side == "max" else 0
    near = (
        (lambda to: value + (1 if to > value else -1))
        if isinstance(value, int)
        else lambda to: math.nextafter(value, to)
    )
    assert reasons(only(bound, value, **lists), TEXT) == []
    assert reasons(only(bound, near(outwards), **lists), TEXT) == []
    inwards = 0 if side == "max" else math.inf
    assert reasons(only(bound, near(inwards), **lists), TEXT) == [
        f"{signal}_{'below' if side == 'min' else 'above'}_{side}"
    ]


@pytest.mark.parametrize(("number", "expected"), [(20, []), (21, []), (19, ["word_count_below_min"])])
def test_twenty_words_are_enough(reasons, number, expected):
    assert reasons(only("min_word_count", 20), " ".join(f"w{i}x" for i in range(number)) + " - 12 !") == expected


def test_forty_special_characters_of_a_hundred_are_kept(reasons):
    stage = only("max_special_char_frac", 0.4)
    assert reasons(stage, "é" * 60 + "🙂" * 40) == []
    assert reasons(stage, "é" * 59 + "🙂" * 41) == ["special_char_frac_above_max"]


def test_without_lists_words_are_not_judged(reasons, lists):
    text = " ".join(f"qwertyuiop{chr(97 + i)}" * (1 + i % 2) for i in range(20))
    assert reasons(Roots(max_char_repetition_frac=None), text) == []
    assert reasons(Roots(max_char_repetition_frac=None, **lists), text) == ["stop_word_frac_below_min"]
    assert "flagged_word_frac_above_max" in reasons(Roots(**lists), TEXT)


def test_lists_are_files_of_the_stage_and_must_be_there(lists):
    assert Roots(**lists).files == (*lists["stop_word_paths"], *lists["flagged_word_paths"])
    with pytest.raises(InputError, match="no list at"):
        signals_of(Roots(stop_word_paths=("nowhere.txt",)), TEXT)


def test_null_is_kept_and_empty_is_too_short(reasons):
    assert reasons(Roots(), None) == []
    assert reasons(Roots(), "") == ["word_count_below_min"]


def test_none_turns_a_bound_off():
    assert Roots(**dict.fromkeys(BOUNDS, None)).limits == ()
