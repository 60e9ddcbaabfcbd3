from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import EnvironmentProblem, InputError, RecipeError
from curate.models import file_digest
from curate.scoring.calibrated import Curve, Platt, logistic
from curate.scoring.combination import Combination, combined, load_combination

RAW = {"kind": "none"}
LINE = {"kind": "isotonic", "x": [0.0, 1.0], "y": [0.0, 1.0]}
FALLING = {"kind": "isotonic", "x": [0.0, 1000.0], "y": [1.0, 0.0]}
MODELS = pa.struct([("a", pa.float32()), ("b", pa.float64()), ("count", pa.int64()), ("name", pa.string())])


def combination(*inputs: dict[str, Any], **others: Any) -> Combination:
    return Combination.model_validate({"inputs": list(inputs), **others})


def scored(name: str, calibration: dict[str, Any] = RAW, **others: Any) -> dict[str, Any]:
    return {"signal": f"models.{name}", "calibration": calibration, **others}


def rows(*values: dict[str, Any] | None, language: Any = "en") -> pa.RecordBatch:
    languages = language if isinstance(language, list) else [language] * len(values)
    columns = [pa.array(languages, pa.string()), pa.array(["web"] * len(values)), pa.array(list(values), MODELS)]
    return pa.record_batch(columns, ["language", "source", "models"])


def signals(batch: pa.RecordBatch, what: Combination) -> list[dict[str, Any]]:
    found = combined(batch, what)
    assert found.type == what.signals
    return found.to_pylist()


def test_the_mean_is_of_the_calibrated_values():
    found = signals(rows({"a": 0.5, "b": 250.0}), combination(scored("a", LINE), less("b", FALLING)))
    assert found == [{"score": 0.625, "judged_by": None, "models_a": 0.5, "models_b": 0.75}]


def less(name: str, calibration: dict[str, Any]) -> dict[str, Any]:
    return scored(name, calibration, more_is_better=False)


@pytest.mark.parametrize(("how", "score"), [("max", 0.75), ("min", 0.25), ("mean", 0.5)])
def test_ways_to_combine(how, score):
    what = combination(scored("a"), scored("b"), combine={"kind": how})
    assert signals(rows({"a": 0.25, "b": 0.75}), what)[0]["score"] == score


def test_a_learned_logistic_weighs_the_calibrated_values():
    what = combination(scored("a"), scored("b"), combine={"kind": "logistic", "weights": [2.0, -1.0], "bias": 0.5})
    [row] = signals(rows({"a": 0.25, "b": 3.0}), what)
    assert row["score"] == pytest.approx(1 / (1 + math.exp(-(2 * 0.25 - 3.0 + 0.5))), rel=1e-15)


def test_of_a_raw_score_where_less_is_better_the_sign_is_turned():
    assert signals(rows({"a": 2.0}), combination(less("a", RAW)))[0]["score"] == -2.0


def test_ranks_go_by_the_curve_of_the_group_and_the_pooled_one_elsewhere():
    def curve(last: float) -> dict[str, list[float]]:
        return {"x": [0.0, last], "y": [0.0, 1.0]}

    ranks = {"kind": "ranks", "groups": {"en": curve(10), "zh": curve(100)}, "pooled": curve(50)}
    batch = rows({"a": 5}, {"a": 5}, {"a": 5}, {"a": 5}, language=["en", "zh", "de", None])
    found = [row["score"] for row in signals(batch, combination(scored("a", ranks), by="language"))]
    assert found == [0.5, 0.05, 0.1, 0.1]


def test_outside_of_a_curve_its_ends_go_on():
    curve = Curve(x=(1.0, 2.0), y=(0.25, 0.75))
    assert curve.at(np.array([-1e300, 1.0, 1.5, 2.0, np.inf])).tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]
    assert math.isnan(curve.at(np.array([np.nan]))[0])


def test_a_row_that_lacks_an_input_has_no_score_and_vetoes_judge_it_nevertheless():
    what = combination(scored("a"), scored("b"), veto=[{"signal": "models.count", "at_most": 3}])
    found = signals(rows({"a": 0.5, "count": 4}, {"a": 0.5, "b": 0.5}, None), what)
    assert [row["score"] for row in found] == [None, 0.5, None]
    assert [row["models_count_too_high"] for row in found] == [True, None, None]
    assert [row["models_a"] for row in found] == [0.5, 0.5, None]


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.29, True, False), (0.3, False, False), (0.7, False, False), (0.71, False, True)]
)
@pytest.mark.parametrize("column", ["a", "b"])
def test_a_value_on_the_bound_of_a_veto_is_kept_in_either_precision(column, value, low, high):
    what = combination(scored("a"), veto=[{"signal": f"models.{column}", "at_least": 0.3, "at_most": 0.7}])
    [row] = signals(rows({"a": value, "b": value}), what)
    assert (row[f"models_{column}_too_low"], row[f"models_{column}_too_high"]) == (low, high)


def test_no_number_gives_no_number_and_breaks_a_veto():
    what = combination(scored("b"), veto=[{"signal": "models.b", "at_least": 0.0}])
    [row] = signals(rows({"b": math.nan}), what)
    assert math.isnan(row["score"])
    assert row["models_b_too_low"]


@pytest.mark.parametrize(("pooled", "judges"), [(0.5, ["en", "pooled", "pooled"]), (None, ["en", None, None])])
def test_judged_by_says_whose_threshold_applies(pooled, judges):
    thresholds = {"groups": {"en": 0.4}, "pooled": pooled}
    what = combination(scored("a"), by="language", thresholds=thresholds)
    batch = rows({"a": 0.5}, {"a": 0.5}, {"a": 0.5}, language=["en", "de", None])
    assert [row["judged_by"] for row in signals(batch, what)] == judges


scores = st.one_of(st.none(), st.floats(width=32))


@given(
    st.lists(st.tuples(scores, scores, st.sampled_from(["en", "zh", "de", None])), max_size=70),
    st.integers(0, 70),
    st.sampled_from([{"kind": "mean"}, {"kind": "max"}, {"kind": "logistic", "weights": [1.7, -0.3], "bias": 0.1}]),
)
def test_a_row_does_not_depend_on_the_batch(values, cut, how):
    groups = {"zh": {"x": [-1.0, 3.0], "y": [0.0, 1.0]}}
    ranks = {"kind": "ranks", "groups": groups, "pooled": {"x": [0.0], "y": [0.5]}}
    platt = {"kind": "platt", "slope": 1.3, "intercept": -0.2}
    veto = [{"signal": "models.b", "at_most": 0.1}]
    what = combination(scored("a", platt), scored("b", ranks), by="language", combine=how, veto=veto)
    batch = rows(*({"a": a, "b": b} for a, b, _ in values), language=[language for *_, language in values])
    whole = combined(batch, what)
    parts = [combined(batch.slice(0, cut), what), combined(batch.slice(min(cut, len(values))), what)]
    assert repr(whole.to_pylist()) == repr(parts[0].to_pylist() + parts[1].to_pylist())  # repr: NaN is NaN


@given(st.floats(-1e4, 1e4))
def test_the_logistic_function_is_exact_at_both_tails(logit):
    found = float(logistic(np.array([logit]))[0])
    exact = 1 / (1 + math.exp(-logit)) if logit > -700 else math.exp(logit)
    assert found == pytest.approx(exact, rel=1e-12, abs=1e-300)
    assert Platt(slope=1, intercept=0).apply(np.array([logit]), pa.nulls(1), True)[0] == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"inputs": []}, "at least 1 item"),
        ({"inputs": [scored("a", FALLING)]}, "models.a falls where more_is_better: true wants it to rise"),
        ({"inputs": [less("a", LINE)]}, "models.a rises where more_is_better: false wants it to fall"),
        ({"inputs": [less("a", {"kind": "platt", "slope": 1, "intercept": 0})]}, "models.a rises"),
        ({"inputs": [scored("a", {**LINE, "x": [1, 1]})]}, "strictly ascending"),
        ({"inputs": [scored("a", {**LINE, "x": [1]})]}, "1 x for 2 y"),
        ({"inputs": [scored("a", {"kind": "isotonic", "x": [1, 2, 3], "y": [0, 1, 0.5]})]}, "neither only rises"),
        ({"inputs": [scored("a", {**LINE, "y": [0, 1.5]})]}, "less than or equal to 1"),
        ({"inputs": [scored("a", {"kind": "spline"})]}, "spline"),
        ({"inputs": [{"signal": "models", "calibration": RAW}]}, "pattern"),
        ({"inputs": [scored("a"), scored("a")]}, "would be called models_a"),
        (
            {"inputs": [scored("a")], "combine": {"kind": "logistic", "weights": [], "bias": 0}},
            "0 weights for 1",
        ),
        ({"inputs": [scored("a")], "veto": [{"signal": "models.b"}]}, "neither at_least nor at_most"),
        ({"inputs": [scored("a")], "veto": [{"signal": "models.b", "at_least": 2, "at_most": 1}]}, "nothing would be"),
        ({"inputs": [scored("a")], "thresholds": {"groups": {"en": 0.5}}}, "tells no groups apart"),
        ({"inputs": [scored("a")], "by": "source", "thresholds": {"groups": {"pooled": 1}}}, "called pooled"),
        ({"inputs": [scored("a")], "threshold": 0.5}, "threshold"),
    ],
)
def test_what_is_no_combination_is_refused(tmp_path, content, message):
    path = tmp_path / "combination.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        load_combination(str(path))


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b'{"inputs": [NaN]}', b"null"])
def test_what_is_not_json_is_refused(tmp_path, content):
    path = tmp_path / "combination.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no combination"):
        load_combination(str(path))


def test_no_infinite_bound_gets_into_a_file():
    with pytest.raises(ValidationError, match="finite"):
        combination(scored("a"), thresholds={"pooled": math.inf})


def test_the_file_loads_back_equal_and_its_digest_can_be_pinned(tmp_path):
    what = combination(
        scored("a", {"kind": "platt", "slope": 0.1 + 0.2, "intercept": -1e-300}),
        less("b", {"kind": "ranks", "groups": {"zh": {"x": [1.0], "y": [0.5]}}, "pooled": {"x": [2.0], "y": [0.5]}}),
        by="language",
        thresholds={"groups": {"zh": 1 / 3}},
    )
    path = tmp_path / "combination.json"
    path.write_text(what.to_json())
    assert load_combination(str(path), file_digest(path)) == what
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256 00"):
        load_combination(str(path), "00")
    with pytest.raises(InputError, match=r"no combination file at .*curate classifiers calibrate"):
        load_combination(str(tmp_path / "none.json"))


def test_a_signal_that_is_not_there_is_named_with_its_nearest():
    with pytest.raises(RecipeError, match=r"unknown signal 'counts'.*Did you mean: count"):
        combined(rows({}), combination(scored("counts")))
    with pytest.raises(RecipeError, match=r"unknown stage 'model'.*Did you mean: models"):
        combined(rows({}), combination({"signal": "model.a", "calibration": RAW}))
    with pytest.raises(RecipeError, match=r"models\.name is of type string"):
        combined(rows({}), combination(scored("name")))
    with pytest.raises(RecipeError, match="put models before it"):
        combined(rows({}).select(["language"]), combination(scored("a")))
