"""The document boundary: order, verdicts, and one document's fault that stays its own."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curate.document import RAW_SCHEMA
from curate.errors import EnvironmentProblem
from curate.fused import run_steps
from curate.recipe import Step
from curate.stage import Annotator, Filter, Modified, Modifier, at_least, at_most

LENGTH = pa.struct([("chars", pa.int64())])


class MinLength(Filter):
    min_chars: int = 3

    @property
    def signals(self):
        return LENGTH

    def annotate(self, batch):
        return pa.StructArray.from_arrays([pc.utf8_length(batch.column("text")).cast(pa.int64())], fields=list(LENGTH))

    @property
    def limits(self):
        return (at_least("chars", self.min_chars),)


class MaxLength(MinLength):
    max_chars: int = 5

    @property
    def limits(self):
        return (at_most("chars", self.max_chars),)


class Upper(Modifier):
    writes = ("text",)

    @property
    def signals(self):
        return pa.struct([("error", pa.string()), ("changed", pa.bool_())])

    def modify(self, batch):
        text = batch.column("text")
        if pc.any(pc.match_substring(text, "boom"), min_count=0).as_py():
            raise UnicodeError("boom")
        told = pc.if_else(pc.match_substring(text, "odd"), "too_odd", pa.scalar(None, pa.string()))
        upper = pc.utf8_upper(text)
        return Modified(
            {"text": upper}, pa.StructArray.from_arrays([told, pc.not_equal(text, upper)], fields=list(self.signals))
        )


class NoModel(Annotator):
    @property
    def signals(self):
        return LENGTH

    def annotate(self, batch):
        raise EnvironmentProblem("the model is gone")


class TooFew(MinLength):
    def annotate(self, batch):
        return super().annotate(batch.slice(1)) if batch.num_rows > 1 else super().annotate(batch)


def step(stage, name=None, **limits):
    return Step.model_construct(
        name=name or type(stage).__name__,
        use="test",
        stage=stage,
        sources=limits.get("sources"),
        languages=limits.get("languages"),
    )


def batch(texts, **columns):
    rows = [
        {"doc_id": str(n), "text": text, **{name: values[n] for name, values in columns.items()}}
        for n, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=RAW_SCHEMA)


def verdicts(result):
    return list(zip(result["drop_stage"].to_pylist(), result["drop_reason"].to_pylist(), strict=True))


def test_rows_come_back_in_order_with_the_first_reason_that_dropped_them():
    result = run_steps(batch(["a", "long enough", "four"]), [step(MinLength()), step(MaxLength())])
    assert result["doc_id"].to_pylist() == ["0", "1", "2"]
    assert verdicts(result) == [("MinLength", "chars_below_min"), ("MaxLength", "chars_above_max"), (None, None)]


def test_a_dropped_row_is_not_measured_further():
    result = run_steps(batch(["a", "four"]), [step(MinLength()), step(MaxLength())])
    assert result["MaxLength"].to_pylist() == [None, {"chars": 4}]


def test_audit_measures_everything_and_keeps_the_first_reason():
    stages = [step(MinLength(min_chars=9)), step(MaxLength(), "second")]
    result = run_steps(batch(["longer"]), stages, audit=True)
    assert verdicts(result) == [("MinLength", "chars_below_min")]
    assert result["second"].to_pylist() == [{"chars": 6}]


def test_an_exception_costs_only_the_document_that_raised_it():
    result = run_steps(batch(["one", "boom", "two"]), [step(Upper()), step(MinLength())])
    assert verdicts(result) == [(None, None), ("Upper", "error_unicode"), (None, None)]
    assert result["text"].to_pylist() == ["ONE", "boom", "TWO"]
    assert result["Upper"].to_pylist()[1] is None


def test_a_stage_may_name_an_error_itself():
    result = run_steps(batch(["odd", "even"]), [step(Upper())])
    assert verdicts(result) == [("Upper", "error_too_odd"), (None, None)]


def test_a_missing_model_stops_the_run_and_drops_no_document():
    with pytest.raises(EnvironmentProblem, match="the model is gone"):
        run_steps(batch(["a", "b"]), [step(NoModel())])


def test_a_stage_that_loses_rows_of_a_batch_is_run_row_by_row():
    result = run_steps(batch(["four", "five"]), [step(TooFew())])
    assert verdicts(result) == [(None, None), (None, None)]


def test_a_step_for_some_languages_leaves_the_others_alone():
    documents = batch(["a", "b", "c"], language=["en", "zh", None])
    result = run_steps(documents, [step(Upper(), languages=("en",)), step(MinLength(), sources=("web",))])
    assert result["text"].to_pylist() == ["A", "b", "c"]
    assert result["Upper"].to_pylist() == [{"error": None, "changed": True}, None, None]
    assert result["MinLength"].null_count == 3
    assert verdicts(result) == [(None, None)] * 3


def test_a_row_that_the_reader_dropped_keeps_its_reason():
    documents = batch(["x", "four"], drop_stage=["read", None], drop_reason=["error_http", None])
    assert verdicts(run_steps(documents, [step(MinLength())])) == [("read", "error_http"), (None, None)]


def test_an_empty_batch_has_every_column():
    result = run_steps(batch([]), [step(Upper()), step(MinLength())])
    assert result.num_rows == 0
    assert {"Upper", "MinLength", "drop_reason"} <= set(result.schema.names)


def test_columns_of_maps_survive_a_partial_change():
    documents = batch(["a", "b"], meta=[{"k": "v"}, None], language=["en", "de"])
    result = run_steps(documents, [step(Upper(), languages=("de",))])
    assert result["meta"].to_pylist() == [[("k", "v")], None]
