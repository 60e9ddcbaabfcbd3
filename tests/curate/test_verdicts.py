from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate import recipe as recipes
from curate.errors import InputError
from curate.plan import plan
from curate.verdicts import KEPT, Rule, Rules

BOTH = {"stages": ["lengths", "letters"]}
TEXTS = ["good text", "no", "NOISE", "1234567", "boom!", "an odd one", "x" * 60, "aaaaaaa", "AAAAAAA 1234567890"]

texts = st.lists(st.text(alphabet="ab AB12 odbm", max_size=70), min_size=1, max_size=30)
bounds = st.none() | st.integers(0, 60)


@pytest.fixture
def rules_of(small_stages):
    """`rules_of(recipe)`: a recipe and the rules of its run."""

    def make(value: Any) -> tuple[recipes.Recipe, Rules]:
        recipe = recipes.parse(value)
        return recipe, Rules(plan(recipe))

    return make


def named(rules: Rules, codes: Any) -> list[Rule | None]:
    return [rules.of(code) for code in codes.tolist()]


def test_stages_stand_in_the_order_of_the_run(rules_of):
    _, rules = rules_of({"stages": ["lengths", "exact_dedup", "letters"]})
    assert rules.order == [
        "read", "lengths", "01-lengths", "exact_dedup", "02-exact_dedup", "letters", "03-letters", "04-documents",
    ]  # fmt: skip


def test_the_first_broken_limit_of_the_first_stage_names_the_reason(rules_of, judge):
    recipe, rules = rules_of({**BOTH, "audit": True})
    batch = judge(recipe, TEXTS)
    given = rules.verdicts(batch, recipe.stages, rules.stored(batch))
    assert named(rules, given) == [
        None,
        ("lengths", "chars_below_min"),
        ("letters", "shouting"),
        ("lengths", "digit_frac_above_max"),
        ("lengths", "error_value"),
        ("letters", "error_odd"),
        ("lengths", "chars_above_max"),
        ("letters", "letters_below_min"),
        ("lengths", "digit_frac_above_max"),
    ]


def test_what_no_limit_decides_stays(rules_of, judge):
    """An error, a reader's verdict, a text that was missing when the pass ended."""
    recipe, rules = rules_of(BOTH)
    free = recipes.parse(
        {
            "stages": [
                {"lengths": {"min_chars": None, "max_chars": None, "max_digit_frac": None}},
                {"letters": {"min_letters": None, "drop_shouting": False}},
            ]
        }
    )
    batch = judge(recipe, ["boom!", "an odd one", "fine text", "fine too", "x"])
    verdicts = [("lengths", "error_value"), ("letters", "error_odd"), ("read", "too_large"), ("01-lengths", "no_text")]
    for name, place in (("drop_stage", 0), ("drop_reason", 1)):
        values = [*(one[place] for one in verdicts), batch[name][4].as_py()]
        batch = batch.set_column(batch.schema.get_field_index(name), name, pa.array(values, pa.string()))
    given = rules.verdicts(batch, free.stages, rules.stored(batch))
    assert named(rules, given) == [*verdicts, None]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, bounds, bounds, st.booleans(), st.booleans())
def test_the_runs_own_limits_give_back_its_verdicts(rules_of, judge, words, low, letters, shouting, audit):
    stages = [{"lengths": {"min_chars": low}}, {"letters": {"min_letters": letters, "drop_shouting": shouting}}]
    recipe, rules = rules_of({"stages": stages, "audit": audit})
    batch = judge(recipe, words)
    stored = rules.stored(batch)
    assert np.array_equal(rules.verdicts(batch, recipe.stages, stored), stored)
    assert [rule and rule.reason for rule in named(rules, stored)] == batch["drop_reason"].to_pylist()


def test_signals_that_do_not_fit_the_verdicts_are_an_error(rules_of, judge):
    recipe, rules = rules_of(BOTH)
    other, _ = rules_of({"stages": [{"lengths": {"min_chars": 8}}, "letters"]})
    batch = judge(recipe, ["a text", "a longer text"])
    stored = rules.stored(batch)
    with pytest.raises(InputError, match="been kept, by its signals gone by lengths: chars_below_min"):
        rules.check(rules.verdicts(batch, other.stages, stored), stored)


def test_a_verdict_of_an_unknown_stage_is_an_error(rules_of, judge):
    recipe, _ = rules_of(BOTH)
    _, rules = rules_of({"stages": ["letters"]})
    with pytest.raises(InputError, match=r"dropped by 'lengths', which recipe\.yaml does not have"):
        rules.stored(judge(recipe, ["no"]))


def test_a_kept_document_falls_after_everything(rules_of):
    _, rules = rules_of(BOTH)
    code = rules.code("letters", "shouting")
    assert rules.places(np.array([code, KEPT], np.int32)).tolist() == [rules.place["letters"], len(rules.order)]
