"""A signal that an earlier stage of the recipe has stored: what stages judge by that measure nothing themselves."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import RecipeError


def earlier_signal(batch: pa.RecordBatch, name: str, where: str) -> pa.Array:
    """The values of the signal `stage.signal`: numbers or booleans, null where it was not measured.

    where: who wants it, for messages. RecipeError where the batch lacks the stage or the signal, or it is no number; in
    a run the plan has made sure that it is there.
    """
    stage, _, signal = name.partition(".")
    structs = {field.name: field.type for field in batch.schema if pa.types.is_struct(field.type)}
    if not structs:
        raise RecipeError(f"{where} wants {name}, and no earlier stage has measured anything: put {stage} before it")
    if stage not in structs:
        raise RecipeError.unknown("stage", stage, structs, where=f"{where}, which reads earlier stages")
    if structs[stage].get_field_index(signal) < 0:
        raise RecipeError.unknown("signal", signal, [field.name for field in structs[stage]], where=f"{where}, {stage}")
    values = pc.struct_field(batch.column(stage), signal)
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)):
        raise RecipeError(f"{where} wants a number, and {name} is of type {values.type}")
    return values
