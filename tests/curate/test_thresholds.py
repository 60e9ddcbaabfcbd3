from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import recipe as recipes
from curate.errors import InputError, RecipeError
from curate.filters.outliers import Outliers
from curate.fused import run_steps
from curate.measure import file_distributions, stored_distributions
from curate.readers.source import Source
from curate.stored_signals import open_stored
from curate.thresholds import POOLED, Method, Signal, Thresholds, propose, signals_to_fit

STAGES = ["lengths"]
CHARS = "lengths.chars"
PERCENTILES = Method()


def texts(count: int, language: str = "en", start: int = 0) -> list[Any]:
    return [("x" * (start + n), {"language": language}) for n in range(count)]


@pytest.fixture
def fit(run_of):
    """`fit(texts, …)`: limits proposed from a run over texts."""

    def make(documents: list[Any], method: Method = PERCENTILES, by: Any = "language", least: int = 10) -> Thresholds:
        stored = open_stored(run_of({"stages": STAGES}, documents))
        signals = signals_to_fit(stored.steps)
        return propose(
            stored_distributions(stored, stored.steps, signals, by), signals, stored.steps, by, method, least
        )

    return make


def of(found: Thresholds, group: str, signal: str = CHARS) -> Any:
    (one,) = [one for one in found.proposals if (one.group, one.signal) == (group, signal)]
    return one


def test_percentiles_of_each_language(fit):
    found = fit(texts(100) + texts(100, "zh", 30))
    for group, start in (("en", 0), ("zh", 30)):
        low, high = np.percentile(np.arange(start, start + 100), [1, 99])
        one = of(found, group)
        assert (one.range.low, one.range.high) == (pytest.approx(low), pytest.approx(high))
        assert one.dropped_frac == 0.02  # the smallest and the largest
        assert not one.from_pooled
    assert of(found, POOLED).summary.n == 200


def test_deviations_around_the_mean(fit):
    found = fit(texts(101), Method("sigma", sigma=1))
    values = np.arange(101)
    one = of(found, "en").range
    assert one.low == pytest.approx(50 - values.std(ddof=1), rel=1e-5)
    assert one.high == pytest.approx(50 + values.std(ddof=1), rel=1e-5)


def test_bounds_are_rounded_outward(fit):
    found = fit([("1" * n + "x" * 7, {}) for n in range(30)], Method(low=10, high=90))
    share = of(found, "en", "lengths.digit_frac")
    assert share.range.low is None  # the stage limits it above only
    exact = np.percentile([np.float32(n / (n + 7)) for n in range(30)], 90)
    assert exact <= share.range.high <= exact + 1e-6


@pytest.mark.parametrize(("count", "from_pooled"), [(9, True), (10, False)])
def test_a_group_with_too_few_documents_is_judged_by_all_of_them(fit, count, from_pooled):
    found = fit(texts(50) + texts(count, "de", 30))
    one = of(found, "de")
    assert one.from_pooled is from_pooled
    assert one.summary.n == count
    assert (one.range == of(found, POOLED).range) is from_pooled
    assert ("de" in found.limits().groups) is not from_pooled


def test_too_few_documents_in_all_are_refused(fit):
    with pytest.raises(InputError, match=r"lengths\.chars was measured on 9 documents.*--min-documents"):
        fit(texts(9))
    fit(texts(10))


def test_without_groups_there_is_one(fit):
    found = fit(texts(40), by="none")
    assert list(found.dropped_frac) == [POOLED]
    assert found.limits().groups == {}
    assert CHARS in found.limits().pooled


@pytest.mark.parametrize("method", [Method(low=5, high=95), Method("sigma", sigma=1.5)])
def test_outliers_drops_the_share_that_was_foreseen(fit, tmp_path, judge, method):
    documents = texts(60) + texts(40, "zh", 20) + texts(5, "de", 90) + [("1" * n, {}) for n in range(20)]
    found = fit(documents, method)
    (tmp_path / "limits.yaml").write_text(found.limits().to_yaml())
    stage = Outliers(limits_path=str(tmp_path / "limits.yaml"))
    free = {"lengths": {"min_chars": None, "max_chars": None, "max_digit_frac": None}}
    batch = judge({"stages": [free]}, documents)
    done = run_steps(batch, [recipes.Step(name="outliers", use="outliers", stage=stage)])
    for group, share in found.dropped_frac.items():
        mine = [
            bool(reason)
            for language, reason in zip(done["language"].to_pylist(), done["drop_reason"].to_pylist(), strict=True)
            if language == group
        ]
        assert group == POOLED or share == pytest.approx(sum(mine) / len(mine))


def test_texts_are_measured_where_they_are_no_run(tmp_path, small_stages):
    pq.write_table(pa.table({"text": ["x" * n for n in range(30)]}), tmp_path / "texts.parquet")
    steps = recipes.parse({"stages": STAGES}).stages
    signals = signals_to_fit(steps)
    seen: list[tuple[float, int]] = []
    source = Source(name="web", paths=(str(tmp_path / "texts.parquet"),))
    measured = file_distributions(steps, [source], signals, "source", show=lambda *now: seen.append(now))
    assert measured.pooled.summary(0).n == measured.groups["web"].summary(0).n == 30
    assert measured.pooled.summary(0).maximum == 29
    assert seen[-1] == (1.0, 30)


def test_a_signal_is_limited_where_the_stage_limits_it(small_stages):
    steps = recipes.parse({"stages": ["lengths", "letters"]}).stages
    sides = {one.full_name: (one.low, one.high) for one in signals_to_fit(steps)}
    expected = {CHARS: (True, True), "lengths.digit_frac": (False, True), "letters.letters": (True, False)}
    assert sides == expected
    off = recipes.parse({"stages": [{"lengths": {"min_chars": None, "max_chars": None}}]}).stages
    assert signals_to_fit(off)[0][3:] == (True, True)


@pytest.mark.parametrize("name", ["digit_frac", "lengths.digit_frac"])
def test_a_named_signal_is_fitted_on_both_sides(small_stages, name):
    steps = recipes.parse({"stages": STAGES}).stages
    assert signals_to_fit(steps, [name]) == [Signal("lengths", "digit_frac", pa.float32(), True, True)]


def test_what_cannot_be_fitted_is_said(small_stages):
    steps = recipes.parse({"stages": ["lengths", "letters", "exact_dedup"]}).stages
    with pytest.raises(RecipeError, match=r"unknown signal 'char'.*Did you mean: chars"):
        signals_to_fit(steps, ["char"])
    with pytest.raises(RecipeError, match="unknown signal 'shouting'"):
        signals_to_fit(steps, ["shouting"])
    with pytest.raises(RecipeError, match=r"exact_dedup limits no number.*exact_dedup\.cluster_size"):
        signals_to_fit(steps[2:])


@pytest.mark.parametrize("given", [{"low": 99, "high": 1}, {"low": -1}, {"high": 101}, {"name": "sigma", "sigma": 0}])
def test_a_method_that_makes_no_sense_is_refused(given):
    with pytest.raises(RecipeError):
        Method(**given)


def test_the_file_says_how_it_was_made(fit):
    limits = fit(texts(30)).limits("unmeasured")
    assert limits.method == "percentiles 1 to 99, at least 10 documents in a group"
    assert limits.documents == {"en": 30}
    assert limits.otherwise == "unmeasured"
    assert limits.settings == {"lengths": {"digits": "0123456789"}}


def test_everything_is_json(fit):
    told = json.loads(json.dumps(fit(texts(30) + texts(1, "de")).as_json(), allow_nan=False))
    assert {row["group"] for row in told["proposals"]} == {"en", "de", POOLED}
