"""What kernels hand back: one struct of named signals for each text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def signal_struct(type_: pa.StructType, values: Mapping[str, Any], texts: pa.Array) -> pa.StructArray:
    """One struct per text with the fields of `type_`; every field is null where the text is, and where it is NaN."""
    null = np.asarray(pc.is_null(texts).to_numpy(zero_copy_only=False), dtype=np.bool_)

    def column(field: pa.Field) -> pa.Array:
        numbers = np.asarray(values[field.name])
        unmeasured = np.isnan(numbers) if numbers.dtype.kind == "f" else np.False_
        return pa.array(numbers, type=field.type, mask=null | unmeasured)

    return pa.StructArray.from_arrays([column(field) for field in type_], fields=list(type_))
