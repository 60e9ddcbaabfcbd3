"""The plan of a mix: hand-worked numbers, limits, rounding, names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import RecipeError
from curate.mixing.mix import Mix, SourceShare, plan_mix

B = 10**9
#: GPT-3 (Brown et al. 2020, table 2.2): tokens of each source and percentage in the mix; they sum to 101.
GPT3_SIZES = {"crawl": 410 * B, "webtext2": 19 * B, "books1": 12 * B, "books2": 55 * B, "wikipedia": 3 * B}
GPT3_WEIGHTS = {"crawl": 60, "webtext2": 22, "books1": 8, "books2": 8, "wikipedia": 3}


def by_name(shares: tuple[SourceShare, ...]) -> dict[str, SourceShare]:
    return {share.source: share for share in shares}


def test_gpt3_percentages_are_normalised_and_sum_to_the_target() -> None:
    plan = by_name(plan_mix(GPT3_SIZES, Mix(weights=GPT3_WEIGHTS, tokens=300 * B)))
    # 300e9 * 60 / 101 = 178,217,821,782.18; * 22 = 65,346,534,653.47; * 8 = 23,762,376,237.62; * 3 = 8,910,891,089.11
    assert {name: share.planned_tokens for name, share in plan.items()} == {
        "crawl": 178_217_821_782,
        "webtext2": 65_346_534_653,
        "books1": 23_762_376_238,  # the two largest remainders, .62, are rounded up
        "books2": 23_762_376_238,
        "wikipedia": 8_910_891_089,
    }
    assert sum(share.planned_tokens for share in plan.values()) == 300 * B
    assert plan["crawl"].asked_share == pytest.approx(60 / 101)
    assert plan["crawl"].epochs == pytest.approx(0.43467, abs=1e-5)  # printed: 0.44
    assert plan["books2"].epochs == pytest.approx(0.43204, abs=1e-5)  # printed: 0.43
    assert plan["books1"].epochs == pytest.approx(1.98020, abs=1e-5)  # printed: 1.9
    assert plan["wikipedia"].epochs == pytest.approx(2.97030, abs=1e-5)  # printed: 3.4
    assert not any(share.capped for share in plan.values())


def test_what_a_full_source_cannot_give_goes_to_the_others_by_weight() -> None:
    plan = by_name(plan_mix(GPT3_SIZES, Mix(weights=GPT3_WEIGHTS, tokens=300 * B, max_epochs=3.0)))
    # webtext2 is full at 57e9; 243e9 stay for weights 60 + 8 + 8 + 3 = 79: wikipedia 9.23e9 > 9e9, full;
    # 234e9 stay for 76: crawl 184,736,842,105.26, books 24,631,578,947.37 each, above 2 epochs of books1 and below 3.
    assert plan["webtext2"] == SourceShare("webtext2", 19 * B, 22 / 101, 57 * B, 3.0, True)
    assert plan["wikipedia"] == SourceShare("wikipedia", 3 * B, 3 / 101, 9 * B, 3.0, True)
    assert plan["crawl"].planned_tokens == 184_736_842_105
    assert plan["books1"].planned_tokens == 24_631_578_948  # equal remainders: the first name gets the token
    assert plan["books2"].planned_tokens == 24_631_578_947
    assert sum(share.planned_tokens for share in plan.values()) == 300 * B


def test_without_weights_every_source_gives_one_epoch() -> None:
    plan = plan_mix({"b": 7, "a": 0, "c": 93}, Mix())
    assert [(share.source, share.planned_tokens, share.epochs) for share in plan] == [
        ("a", 0, 0.0),
        ("b", 7, 1.0),
        ("c", 93, 1.0),
    ]


def test_the_limit_itself_is_allowed_and_one_token_more_is_capped() -> None:
    weights = {"a": 1.0, "b": 1.0}
    on = by_name(plan_mix({"a": 50, "b": 500}, Mix(weights=weights, tokens=400, max_epochs=4)))
    assert (on["a"].planned_tokens, on["a"].capped) == (200, False)
    over = by_name(plan_mix({"a": 50, "b": 500}, Mix(weights=weights, tokens=402, max_epochs=4)))
    assert (over["a"].planned_tokens, over["a"].capped, over["b"].planned_tokens) == (200, True, 202)


def test_the_plan_is_smaller_than_asked_when_every_source_is_full() -> None:
    plan = plan_mix({"a": 10, "b": 20}, Mix(weights={"a": 1, "b": 1}, tokens=1_000, max_epochs=1.5))
    assert [(share.planned_tokens, share.capped) for share in plan] == [(15, True), (30, True)]


def test_a_source_of_weight_zero_is_left_out_of_the_default_total() -> None:
    plan = by_name(plan_mix({"a": 10, "b": 90}, Mix(weights={"a": 1, "b": 0})))
    assert (plan["a"].planned_tokens, plan["b"].planned_tokens, plan["b"].capped) == (10, 0, False)


def test_an_empty_source_with_a_weight_is_capped_at_nothing() -> None:
    plan = by_name(plan_mix({"a": 0, "b": 90}, Mix(weights={"a": 1, "b": 1})))
    assert (plan["a"].planned_tokens, plan["a"].capped, plan["b"].planned_tokens) == (0, True, 90)


def test_no_sources_give_an_empty_plan_whatever_the_weights() -> None:
    assert plan_mix({}, Mix(weights={"web": 1})) == ()


def test_a_weight_without_a_source_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"unknown source 'wikpedia'.*Did you mean: wikipedia"):
        plan_mix({"wikipedia": 1}, Mix(weights={"wikpedia": 1}))


def test_a_source_without_a_weight_is_an_error_and_not_a_silent_zero() -> None:
    with pytest.raises(RecipeError, match="no weight for source 'web'"):
        plan_mix({"books": 1, "web": 1}, Mix(weights={"books": 1}))


@pytest.mark.parametrize("weights", [{"a": -1.0}, {"a": float("nan")}, {"a": float("inf")}, {"a": 0.0}, {}])
def test_weights_that_mean_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Mix(weights=weights)


@given(
    st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 10**12), st.floats(0, 1e6)), min_size=1, max_size=6),
    st.integers(0, 10**13),
    st.floats(0.01, 20),
)
def test_a_plan_sums_keeps_its_limits_and_ignores_order(
    sources: dict[str, tuple[int, float]], tokens: int, max_epochs: float
) -> None:
    if not any(weight for _, weight in sources.values()):
        return
    sizes = {name: size for name, (size, _) in sources.items()}
    mix = Mix(weights={name: weight for name, (_, weight) in sources.items()}, tokens=tokens, max_epochs=max_epochs)
    plan = plan_mix(sizes, mix)
    assert plan == plan_mix(dict(reversed(sizes.items())), mix)
    planned = sum(share.planned_tokens for share in plan)
    assert planned <= tokens
    if planned < tokens:
        assert all(share.capped for share in plan if sources[share.source][1])
    for share in plan:
        assert share.planned_tokens <= max_epochs * share.size_tokens
