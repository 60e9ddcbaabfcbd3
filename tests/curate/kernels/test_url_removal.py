"""URLs, IP addresses and newlines out of texts, against the regular expressions that define them."""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.kernels.key_set import KeySet
from curate.kernels.url_removal import SIGNALS, strip_urls

LINES = (resources.files("curate.filters") / "tlds.txt").read_text("utf-8").splitlines()
TLDS = [word for line in LINES if not line.startswith("#") for word in line.split()]
KEYS = KeySet.of(TLDS)
ANY_TLD = "|".join(sorted(map(re.escape, TLDS), key=len, reverse=True))
URL = re.compile(
    rf"\s{{0,10}}(?:((https?|ftp)://))?[-a-zA-Z0-9@:%._\+~#=]{{1,256}}\.({ANY_TLD})\b([-a-zA-Z0-9()@:%_\+.~#?&//=]*)"
)
ADDRESS = re.compile(
    r"\s{0,10}\b((https?|ftp)://)?(?:[0-2]?[0-9]{1,2}\.){3}[0-2]?[0-9]{1,2}[-a-zA-Z0-9()@:%_\+.~#?&//=]*"
)
BEGINS = re.compile(f"(?:{ANY_TLD})", re.IGNORECASE)


def strip(*texts, urls=True, ip_addresses=True, max_newlines=2, by_start=False):
    column = pa.array(texts, pa.string())
    left, signals = strip_urls(
        column, KEYS, urls=urls, ip_addresses=ip_addresses, max_newlines=max_newlines, by_start=by_start
    )
    assert signals.type == SIGNALS
    return left.to_pylist(), signals.to_pylist()


def oracle(text, by_start=False):
    num_urls = 0
    if not by_start or BEGINS.match(text):
        text, num_urls = URL.subn("", text)
    text, num_addresses = ADDRESS.subn("", text)
    return re.sub(r"\n{3,}", "\n\n", text), num_urls, num_addresses


def agree(text, by_start=False):
    (left,), (signals,) = strip(text, by_start=by_start)
    assert (left, signals["url_count"], signals["ip_address_count"]) == oracle(text, by_start)


PIECES = st.sampled_from(
    [
        "http://",
        "https://",
        "ftp://",
        "HTTP://",
        "x",
        "www.",
        "a.com",
        ".org",
        ".co.uk",
        "/path?q=1",
        ").",
        "é",
        "_",
        "-",
        " ",
        "\n",
        "\u00a0",
        "          ",
        "中国",
        ".中国",
        "भारत.भारत",
        "@",
        "1.2.3.4",
        "256",
        "12.",
        "300.1.2.3",
        "v",
        "#",
        "://",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join), st.booleans())
@example("see           https://a.com, then", False)
@example("x" * 300 + ".com", False)
@example("a.com." + "y" * 300 + ".org z", False)
@example("xhttps://a.com xhttp://1.2.3.4 v1.2.3.4.5", False)
@example("foo.com.中国/x y.vermögensberater", False)
@example("foo.com.vermögensberater.", False)
@example("The site a.com", True)
@example("Zq a.com", True)
def test_what_is_left_is_what_the_patterns_leave(text, by_start):
    agree(text, by_start)


@given(st.text(alphabet="ab.c:/@ 129\nétom-", max_size=40))
def test_any_text_agrees(text):
    agree(text)


@pytest.mark.parametrize("name", ["news_en", "zh", "manuals_en", "code_python"])
def test_real_texts_agree(shared_data, name):
    column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
    for text in column.slice(0, 25).to_pylist():
        agree(text[:20_000])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Go to https://example.com/a?b=c today", "Go to today"),
        ("Write to jane.doe@example.org now", "Write to now"),
        ("It ended.In this way", "It ended.In this way"),
        ("It ended.in this way", "It this way"),
        ("at 192.168.0.1:8080/x or", "at or"),
        ("version 1.2.3 is", "version 1.2.3 is"),
        ("at 300.1.2.3 or", "at 300.1.2.3 or"),
        ("a\n\n\n\nb\n\nc", "a\n\nb\n\nc"),
        ("见 https://example.com。好", "见。好"),
    ],
)
def test_examples(text, expected):
    assert strip(text)[0] == [expected]


def test_each_rule_can_be_off():
    text = "x a.com 1.2.3.4\n\n\n\ny"
    assert strip(text, urls=False, ip_addresses=False, max_newlines=None)[0] == [text]
    assert strip(text, ip_addresses=False, max_newlines=None)[0] == ["x 1.2.3.4\n\n\n\ny"]
    assert strip(text, urls=False, max_newlines=None)[0] == ["x a.com\n\n\n\ny"]
    assert strip(text, urls=False, ip_addresses=False, max_newlines=1)[0] == ["x a.com 1.2.3.4\ny"]


def test_null_empty_and_slices():
    column = pa.array(["a.com", None, "see a.com", ""], pa.string()).slice(1)
    left, signals = strip_urls(column, KEYS, urls=True, ip_addresses=True, max_newlines=2, by_start=False)
    assert left.to_pylist() == [None, "see", ""]
    assert signals[0].as_py() == dict.fromkeys(SIGNALS.names)


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_only_become_fewer(values):
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    column = pa.Array.from_buffers(
        pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    )
    left, _ = strip_urls(column, KEYS, urls=True, ip_addresses=True, max_newlines=1, by_start=False)
    ends = np.frombuffer(left.buffers()[1], np.int32)
    assert (np.diff(ends) <= np.diff(offsets)).all()


def test_long_runs_cost_linear_time():
    texts = ["a." * 500_000, "." * 1_000_000, "1." * 500_000, " " * 1_000_000 + "a.com", "\n" * 1_000_000]
    assert strip(*texts)[0][3] == " " * 999_990
