"""Texts that kernels are tried on: made ones of every kind, and bytes that are no UTF-8."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

PIECES = [
    *("the", "The,", '"to"', "of", "be.", "THE", "12", "3.14", "don't", "U.S.", "#", "##", "...", "…", "....", ". . ."),
    *(
        "•",
        "- x",
        "* y",
        "—",
        "%",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\t",
        "\x0b",
        "\x85",
        "\u2028",
        "\xa0",
        "\u3000",
        "\x00",
    ),
    *("wörd", "Straße", "a\u0301", "字字。", "漢字 かな", "１", "ไทย", "שלום", "مرحبا", "नमस्ते", "🙂", "👩\u200d👩"),
]
#: Texts of few pieces, so that words, lines and n-grams recur.
PIECED = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join) | st.lists(
    st.sampled_from(PIECES), max_size=60
).map("".join)
# Python and the tables know different versions of Unicode; they agree on what was assigned long ago.
CHARACTERS = st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"])
TEXTS = PIECED | st.text(CHARACTERS)
#: Any bytes, among them beginnings of characters, surrogates and overlong forms.
BYTES = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"\xe2\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"a b", b"\n", "é".encode(), b" "])
).map(b"".join)


def raw_array(values: list[bytes]) -> pa.StringArray:
    """A string column of any bytes."""
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    )


def as_text(value: bytes) -> str:
    """One character for each byte that is no UTF-8, as kernels have it."""
    return value.decode("utf-8", "surrogateescape")
