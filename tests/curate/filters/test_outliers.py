from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from curate import recipe as recipes
from curate.errors import InputError, RecipeError
from curate.filters.fitted_limits import FittedLimits, Range, load_limits
from curate.filters.outliers import Outliers
from curate.plan import plan

HEAD = {"format": "curate-limits", "version": 1, "by": "language"}
COUNT, SHARE = "quality.count", "quality.share"
SIGNALS = pa.struct([("count", pa.int32()), ("share", pa.float32())])


@pytest.fixture
def outliers(tmp_path: Path) -> Any:
    """`outliers(**content)`: the stage with a limits file of that content."""

    def make(**content: Any) -> Outliers:
        path = tmp_path / "limits.yaml"
        path.write_text(yaml.safe_dump({**HEAD, **content}))
        return Outliers(limits_path=str(path))

    return make


def rows(*values: dict[str, Any], language: Any = "en") -> pa.RecordBatch:
    languages = language if isinstance(language, list) else [language] * len(values)
    columns = [pa.array(languages, pa.string()), pa.array(["web"] * len(values)), pa.array(list(values), SIGNALS)]
    return pa.record_batch(columns, ["language", "source", "quality"])


def reasons(stage: Outliers, batch: pa.RecordBatch) -> list[list[str]]:
    signals = stage.annotate(batch)
    assert signals.type == stage.signals
    broken = [(limit.reason, limit.broken_by(signals).to_pylist()) for limit in stage.limits]
    return [[reason for reason, rows in broken if rows[row]] for row in range(batch.num_rows)]


@pytest.mark.parametrize(
    ("count", "reason"),
    [(9, ["quality_count_too_low"]), (10, []), (15, []), (20, []), (21, ["quality_count_too_high"]), (None, [])],
)
def test_a_value_on_a_bound_is_kept(outliers, count, reason):
    stage = outliers(groups={"en": {COUNT: {"low": 10, "high": 20}}})
    assert reasons(stage, rows({"count": count})) == [reason]


def test_each_language_has_its_own_limits(outliers):
    stage = outliers(groups={"en": {COUNT: {"low": 10}}, "zh": {COUNT: {"low": 100}}})
    batch = rows({"count": 50}, {"count": 50}, language=["en", "zh"])
    assert reasons(stage, batch) == [[], ["quality_count_too_low"]]
    assert stage.annotate(batch).field("judged_by").to_pylist() == ["en", "zh"]


@pytest.mark.parametrize(
    ("otherwise", "reason", "judge"), [("pooled", ["quality_count_too_low"], "pooled"), ("unmeasured", [], None)]
)
@pytest.mark.parametrize("language", ["de", None])
def test_a_language_without_limits_is_judged_as_the_file_says(outliers, otherwise, reason, judge, language):
    stage = outliers(groups={"en": {COUNT: {"low": 1}}}, pooled={COUNT: {"low": 10}}, otherwise=otherwise)
    batch = rows({"count": 5}, language=[language])
    assert reasons(stage, batch) == [reason]
    assert stage.annotate(batch).field("judged_by").to_pylist() == [judge]


def test_a_signal_that_a_group_lacks_is_judged_by_the_pooled_range(outliers):
    content = {"groups": {"en": {COUNT: {"low": 1}}}, "pooled": {SHARE: {"high": 0.5}}}
    batch = rows({"count": 5, "share": 0.75})
    assert reasons(outliers(**content), batch) == [["quality_share_too_high"]]
    assert reasons(outliers(**content, otherwise="unmeasured"), batch) == [[]]


def test_a_range_of_a_group_replaces_the_pooled_one_whole(outliers):
    stage = outliers(groups={"en": {COUNT: {"low": 1}}}, pooled={COUNT: {"low": 10, "high": 20}})
    assert reasons(stage, rows({"count": 5}, {"count": 50})) == [[], []]


def test_bounds_compare_in_the_signals_own_precision(outliers):
    """0.3 as float32 is more than 0.3."""
    stage = outliers(pooled={SHARE: {"high": 0.3}}, by="none")
    above = math.nextafter(0.3, 1) + 1e-7
    assert reasons(stage, rows({"share": 0.3}, {"share": above})) == [[], ["quality_share_too_high"]]


def test_no_number_is_within_any_bound(outliers):
    stage = outliers(pooled={SHARE: {"low": 0.1, "high": 0.9}})
    assert reasons(stage, rows({"share": math.nan})) == [["quality_share_too_low", "quality_share_too_high"]]


def test_by_source(outliers):
    stage = outliers(by="source", groups={"web": {COUNT: {"low": 10}}, "books": {COUNT: {"low": 0}}})
    assert reasons(stage, rows({"count": 5})) == [["quality_count_too_low"]]


def test_an_unmeasured_document_is_not_judged_and_no_document_gives_none(outliers):
    stage = outliers(pooled={COUNT: {"low": 10}})
    batch = rows({"count": 1}, {"count": 1})
    none = batch.set_column(2, "quality", pa.nulls(2, SIGNALS))
    assert reasons(stage, none) == [[], []]
    assert len(stage.annotate(batch.slice(0, 0))) == 0


def test_the_plan_finds_the_signals_of_the_file(outliers):
    def recipe(stage: Outliers) -> recipes.Recipe:
        return recipes.parse({"stages": ["fineweb", {"outliers": {"limits_path": stage.limits_path}}]})

    good = outliers(pooled={"fineweb.short_line_frac": {"high": 0.5}})
    assert good.requires == ("fineweb.short_line_frac",)
    plan(recipe(good))
    with pytest.raises(RecipeError, match=r"unknown signal 'fineweb\.short_lines'.*Did you mean: fineweb\.short_l"):
        plan(recipe(outliers(pooled={"fineweb.short_lines": {"high": 0.5}})))
    with pytest.raises(RecipeError, match=r"unknown column 'fine_web'.*Did you mean: fineweb"):
        plan(recipe(outliers(pooled={"fine_web.short_line_frac": {"high": 0.5}})))


def test_the_content_of_the_file_is_in_the_fingerprint(outliers):
    def fingerprint(bound: float) -> str:
        stage = outliers(pooled={"fineweb.short_line_frac": {"high": bound}})
        made = plan(recipes.parse({"stages": ["fineweb", {"outliers": {"limits_path": stage.limits_path}}]}))
        return made.passes[0].fingerprint

    assert fingerprint(0.5) != fingerprint(0.25)
    assert fingerprint(0.5) == fingerprint(0.5)


def test_signals_that_the_batch_lacks_are_named(outliers):
    with pytest.raises(RecipeError, match=r"unknown signal 'counts'.*Did you mean: count"):
        outliers(pooled={"quality.counts": {"low": 1}}).annotate(rows({"count": 1}))
    with pytest.raises(RecipeError, match=r"unknown stage 'qualty'.*Did you mean: quality"):
        outliers(pooled={"qualty.count": {"low": 1}}).annotate(rows({"count": 1}))


def test_it_cannot_stand_alone(outliers):
    with pytest.raises(RecipeError, match="put quality before it"):
        outliers(pooled={COUNT: {"low": 1}}).annotate(rows({"count": 1}).select(["language"]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "limits no signal"),
        ({"pooled": {COUNT: {"low": "ten"}}}, "pooled.quality.count.low"),
        ({"pooled": {COUNT: {"low": math.inf}}}, "finite"),
        ({"pooled": {COUNT: {"low": 2, "high": 1}}}, "nothing would be kept"),
        ({"pooled": {COUNT: {"lo": 2}}}, "lo"),
        ({"pooled": {"count": {"low": 2}}}, "pooled.count"),
        ({"pooled": {COUNT: {"low": 2}}, "by": "url"}, "by"),
        ({"pooled": {COUNT: {"low": 2}}, "version": 2}, "version"),
        ({"groups": {False: {COUNT: {"low": 2}}}}, "groups"),  # `no:` without quotes is a truth value in YAML
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(outliers, content, message):
    stage = outliers(**content)
    with pytest.raises(InputError, match=message):
        _ = stage.limits


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"- 1", b""])
def test_a_file_that_is_none_is_an_error(tmp_path, content):
    (tmp_path / "limits.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"limits\.yaml"):
        load_limits(str(tmp_path / "limits.yaml"))


def test_a_missing_file_says_what_writes_one(tmp_path):
    with pytest.raises(InputError, match="curate thresholds"):
        _ = Outliers(limits_path=str(tmp_path / "none.yaml")).requires


def test_what_is_written_loads_back_equal(tmp_path):
    limits = FittedLimits(**HEAD, groups={"no": {COUNT: Range(low=0.1)}}, pooled={SHARE: Range(high=1e-9)})
    (tmp_path / "limits.yaml").write_text(limits.to_yaml(), "utf-8")
    assert load_limits(str(tmp_path / "limits.yaml")) == limits
