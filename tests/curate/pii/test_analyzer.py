"""Looking at windows gives what Presidio gives on whole texts; nothing asks the network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from curate.pii.analyzer import Bounds, engine, find, find_whole
from curate.pii.spans import ENTITIES, resolve

REGIONS = ("US", "GB", "DE", "FR", "CN")
BOUNDS = Bounds(2048, 200_000)
ANALYZER = engine(ENTITIES, REGIONS, True)

planted = st.sampled_from(
    [
        "joe.doe@example.com",
        "用户john@mail.example.co.uk，",
        "(212) 555-0123 ext. 44",
        "+44 20 7946 0018",
        "030 901820",
        "01 42 68 53 00",
        "13800138000",
        "+86 138-0013-8000",
        "11010519491231002X",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8/24",
        "4111 1111 1111 1111",
        "378282246310005",
        "GB82 WEST 1234 5698 7654 32",
        "de89370400440532013000",
        "2012-01-02 12:30:45",
        "978-0-306-40615-7",
    ]
)
filler = st.one_of(
    st.sampled_from(
        [" ", "\n", ", ", "电话", "：", "(", ")", "-", "/", " " * 70, "word " * 20, "的" * 90, "12", "x", "@"]
    ),
    st.text(alphabet="ab1 .@:-+电\n", max_size=6),
)


def test_the_engine_is_built_once() -> None:
    assert engine(ENTITIES, REGIONS, True) is ANALYZER


def test_windows_equal_the_whole_on_labelled_texts(shared_data: Path) -> None:
    rows = json.loads((shared_data / "pii" / "generated_large.json").read_text(encoding="utf-8"))
    for text in [row["full_text"] for row in rows[::4]]:
        assert sorted(find(ANALYZER, text, 0.4, BOUNDS).spans) == sorted(find_whole(ANALYZER, text, 0.4))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(planted, filler), max_size=14).map("".join))
def test_windows_equal_the_whole_on_made_texts(text: str) -> None:
    assert resolve(find(ANALYZER, text, 0.4, BOUNDS).spans) == resolve(find_whole(ANALYZER, text, 0.4))


def test_beyond_its_share_of_numbers_a_text_is_not_searched_for_phones_but_for_the_rest() -> None:
    text = "call 212-555-0123 or joe@example.com\n" * 1200
    found = find(ANALYZER, text, 0.4, Bounds(2048, 20_000))
    assert 0 < sum(s.entity == "PHONE_NUMBER" for s in found.spans) < 1200
    assert sum(s.entity == "EMAIL_ADDRESS" for s in found.spans) == 1200
    assert 20_000 < found.unchecked_chars < len(text)
    assert find(ANALYZER, "7" * 9000, 0.4, BOUNDS).unchecked_chars == 9000
    assert find(ANALYZER, text, 0.4, BOUNDS).unchecked_chars == 0


def test_nothing_is_connected_to() -> None:
    # urllib3 binds a socket to ::1 when it is imported, to learn whether there is IPv6: that is no network.
    script = """
import socket
def refuse(*args, **kwargs):
    raise SystemExit("the network was asked")
class Unconnected(socket.socket):
    connect = connect_ex = sendto = refuse
socket.socket = Unconnected
socket.create_connection = socket.getaddrinfo = refuse
from curate.pii.pii import Pii
assert Pii().redact("joe@example.com, joe@mail.example.co.uk").text == "<EMAIL_ADDRESS>, <EMAIL_ADDRESS>"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
