from __future__ import annotations

import html
from html.entities import html5

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.html_entities import entities, put_reference


def resolved(text: str, in_attribute: bool = False) -> str:
    """A text with each reference in it resolved."""
    data = np.frombuffer(text.encode(), np.uint8)
    out = np.zeros(data.size + data.size // 5 + 16, np.uint8)
    i = to = 0
    while i < data.size:
        if data[i] == 0x26:
            i, to = put_reference(data, i, data.size, entities(), out, to, in_attribute)
        else:
            out[to] = data[i]
            i, to = i + 1, to + 1
    return out[:to].tobytes().decode()


def test_every_name_is_what_python_says() -> None:
    for name, value in html5.items():
        assert resolved(f"&{name}") == value, name
        assert resolved(f"x&{name} y") == f"x{value} y", name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&notit;", "¬it;"),  # the longest name that needs no semicolon
        ("&notin;", "∉"),
        ("&copy 2010", "© 2010"),
        ("&hellip", "&hellip"),  # needs its semicolon
        ("&Amp;", "&Amp;"),  # capitals count
        ("&nosuchname;", "&nosuchname;"),
        ("& &", "& &"),
        ("&", "&"),
        ("&;", "&;"),
        ("&#", "&#"),
        ("&#;", "&#;"),
        ("&#x;", "&#x;"),
        ("&#65;&#x41;&#X41", "AAA"),
        ("&#65x", "Ax"),
        ("&#128;&#150;", "€–"),  # windows-1252
        ("&#129;", "\x81"),
        ("&#0;&#xD800;&#x110000;&#99999999999999999999999;", "\ufffd" * 4),
        ("&#x1F600;", "😀"),
        ("&#x10FFFF;", "\U0010ffff"),
    ],
)
def test_references(text: str, expected: str) -> None:
    assert resolved(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("?a=b&copy=c", "?a=b&copy=c"), ("&copyx", "&copyx"), ("&copy;=c", "©=c"), ("&copy", "©"), ("&amp;lt", "&lt")],
)
def test_an_address_in_an_attribute_keeps_its_parameters(text: str, expected: str) -> None:
    assert resolved(text, in_attribute=True) == expected


_PIECES = st.sampled_from(["&", "#", "x", ";", "not", "amp", "lt", "nGt", "1", "F", " ", "=", "ü"])


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_text_is_what_python_says(text: str) -> None:
    expected = html.unescape(text)
    got = resolved(text)
    if "&#" not in text:  # for numbers Python drops control characters where the standard keeps them
        assert got == expected
    assert len(got.encode()) <= len(text.encode()) * 6 / 5


def test_a_reference_takes_at_most_six_bytes_for_five() -> None:
    growth = {name: len(value.encode()) / (len(name) + 1) for name, value in html5.items()}
    assert max(growth.values()) == 6 / 5
