from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curate import recipe as recipes
from curate.errors import RecipeError
from curate.limit_settings import limit_settings
from curate.plan import plan
from curate.scoring.combine import CombineScores

SIGNALS = pa.struct([("quality", pa.float32()), ("toxicity", pa.float32())])
RAW = {"kind": "none"}


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    """`stage(settings, **content)`: the stage with a file of that content, over one raw score."""

    def make(settings: dict[str, Any] | None = None, **content: Any) -> CombineScores:
        path = tmp_path / "combination.json"
        path.write_text(json.dumps({"inputs": [{"signal": "models.quality", "calibration": RAW}], **content}))
        return CombineScores(combination_path=str(path), **(settings or {}))

    return make


def reasons(stage: CombineScores, *rows: tuple[float | None, float | None, str | None]) -> list[list[str]]:
    languages = pa.array([language for *_, language in rows], pa.string())
    values = pa.array([{"quality": quality, "toxicity": toxicity} for quality, toxicity, _ in rows], SIGNALS)
    signals = stage.annotate(pa.record_batch([languages, values], ["language", "models"]))
    assert signals.type == stage.signals
    broken = [(limit.reason, limit.broken_by(signals).to_pylist()) for limit in stage.limits]
    return [[reason for reason, found in broken if found[row]] for row in range(len(rows))]


@pytest.mark.parametrize(("score", "reason"), [(0.4, ["score_below_min"]), (0.5, []), (0.6, []), (None, [])])
def test_a_score_on_the_threshold_is_kept(stage, score, reason):
    assert reasons(stage(thresholds={"pooled": 0.5}), (score, None, "en")) == [reason]


def test_each_language_has_its_own_threshold(stage):
    own = stage(by="language", thresholds={"groups": {"zh": 0.75}, "pooled": 0.25})
    assert reasons(own, (0.5, 0, "zh"), (0.5, 0, "en"), (0.5, 0, None), (0.125, 0, None)) == [
        ["score_below_min"],
        [],
        [],
        ["score_below_min"],
    ]


def test_min_score_replaces_all_thresholds(stage):
    own = stage({"min_score": 0.5}, by="language", thresholds={"groups": {"zh": 0.75}})
    assert reasons(own, (0.5, 0, "zh"), (0.49, 0, "zh"), (0.49, 0, "en")) == [
        [],
        ["score_below_min"],
        ["score_below_min"],
    ]


def test_a_broken_veto_drops_whatever_the_score(stage):
    own = stage(veto=[{"signal": "models.toxicity", "at_most": 0.5}])
    assert reasons(own, (1.0, 0.5, "en"), (1.0, 0.51, "en"), (None, 0.51, "en"), (1.0, None, "en")) == [
        [],
        ["models_toxicity_too_high"],
        ["models_toxicity_too_high"],
        [],
    ]


def test_a_veto_names_the_reason_before_the_score_does(stage):
    own = stage(veto=[{"signal": "models.toxicity", "at_most": 0.5}], thresholds={"pooled": 0.5})
    assert reasons(own, (0.0, 1.0, "en")) == [["models_toxicity_too_high", "score_below_min"]]


def test_without_thresholds_it_only_measures(stage):
    own = stage()
    assert own.limits == ()
    assert reasons(own, (-100.0, 1.0, "en")) == [[]]


def test_it_requires_what_the_file_names_and_is_known_by_its_content(stage):
    own = stage(by="language", veto=[{"signal": "models.toxicity", "at_most": 0.5}])
    assert own.requires == ("models.quality", "models.toxicity", "language")
    assert own.files == (own.combination_path,)


def test_no_document_gives_no_row_of_the_same_type(stage):
    assert reasons(stage()) == []


def test_the_plan_finds_the_signals_of_the_file(tmp_path):
    path = tmp_path / "combination.json"

    def recipe(signal: str) -> recipes.Recipe:
        path.write_text(json.dumps({"inputs": [{"signal": signal, "calibration": RAW}]}))
        return recipes.parse({"stages": ["fineweb", {"combine_scores": {"combination_path": str(path)}}]})

    plan(recipe("fineweb.short_line_frac"))
    with pytest.raises(RecipeError, match=r"unknown signal 'fineweb\.short_lines'.*Did you mean: fineweb\.short_l"):
        plan(recipe("fineweb.short_lines"))
    with pytest.raises(RecipeError, match=r"unknown column 'fine_web'.*Did you mean: fineweb"):
        plan(recipe("fine_web.short_line_frac"))


def test_the_threshold_moves_without_scoring_again(stage):
    assert limit_settings(stage({"min_score": 0.5})) == {"min_score"}
