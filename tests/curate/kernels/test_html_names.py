from __future__ import annotations

import numpy as np
import pytest

from curate.kernels.html_names import FLAGS, FORMATTING, NAMES, NUMBER, OTHER, RAW, RCDATA, VOID, key_of, name_key
from curate.kernels.html_names import number_of as _number_of


def number_of(name: bytes) -> int:
    data = np.frombuffer(b"<" + name + b">", np.uint8)
    return int(_number_of(np.uint64(key_of(data, 1, 1 + len(name)))))


@pytest.mark.parametrize("name", NAMES[2:])
def test_a_name_has_its_number_in_any_case(name: str) -> None:
    assert number_of(name.encode()) == number_of(name.upper().encode()) == NUMBER[name]


@pytest.mark.parametrize("name", [b"x-tweet", b"d", b"divx", b"di", b"\xff\x00", b"fecolormatrix"])
def test_any_other_name_is_other(name: bytes) -> None:
    assert number_of(name) == OTHER


def test_the_key_is_that_of_python() -> None:
    data = np.frombuffer(b"FooBar-1", np.uint8)
    assert np.uint64(key_of(data, 0, 8)) == np.uint64(name_key("foobar-1"))


def test_every_name_has_one_place() -> None:
    assert len(set(NAMES)) == len(NAMES) == FLAGS.size


def test_flags_are_those_of_the_standard() -> None:
    void = {name for name in NAMES if FLAGS[NUMBER[name]] & VOID}
    assert {"br", "img", "input", "meta", "link", "hr", "wbr", "col"} <= void
    assert not void & {"p", "div", "li", "script", "a", "option"}
    assert {name for name in NAMES if FLAGS[NUMBER[name]] & RCDATA} == {"title", "textarea"}
    raw = {"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"}
    assert {name for name in NAMES if FLAGS[NUMBER[name]] & RAW} == raw
    formatting = set("a b big code em font i nobr s small strike strong tt u".split())
    assert {name for name in NAMES if FLAGS[NUMBER[name]] & FORMATTING} == formatting
