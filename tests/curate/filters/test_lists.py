"""Lists that a user names load from plain and gzipped files, and a bad one is said to be bad."""

from __future__ import annotations

import gzip
import os

import pyarrow as pa
import pytest

from curate.errors import InputError
from curate.filters import lists
from curate.filters.lists import MAX_LINE_BYTES, load_list, load_words
from curate.kernels.url_match import domain_entry, word_entry


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_a_list_has_one_entry_a_line(tmp_path, encode):
    path = tmp_path / ("list.gz" if encode is gzip.compress else "list.txt")
    path.write_bytes(encode("\ufeffOne\r\n\n# comment\nzwei Wörter\n".encode()))
    assert load_list([str(path)], word_entry) == {"one", "zwei wörter"}


def test_a_list_is_read_once_until_it_changes(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("one\n")
    first = load_list([str(path)], word_entry)
    assert load_list([str(path)], word_entry) is first
    path.write_text("two\n")
    os.utime(path, (1, 1))
    assert load_list([str(path)], word_entry) == {"two"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.txt", None),
        ("latin.txt", "caf\xe9".encode("latin-1")),
        ("not.gz", b"one\ntwo\n"),
        ("cut.gz", gzip.compress(b"one\ntwo\n" * 1000, mtime=0)[:-9]),
        ("broken.gz", gzip.compress(b"one\n", mtime=0)[:10] + b"\xff" * 40),
        ("empty.txt", b"\n# only a comment\n"),
        ("long.txt", b"one\n" + b"x" * (MAX_LINE_BYTES + 1) + b"\ntwo\n"),
        ("one_line.txt", b"x" * (20 << 20)),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error_that_names_it(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=name):
        load_list([str(path)], word_entry)


def test_a_folder_is_no_list(tmp_path):
    with pytest.raises(InputError, match=tmp_path.name):
        load_list([str(tmp_path)], word_entry)


def test_a_list_must_be_a_file_of_the_machine():
    with pytest.raises(InputError, match="nothing://"):
        load_list(["nothing://list"], word_entry)


def test_several_lists_are_one_and_an_entry_is_told_with_its_file(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("two\nthree\n")
    keys = load_list([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")], word_entry, frozenset({"none", "one"}))
    assert keys == {"none", "one", "two", "three"}
    told = keys.described(keys.find(pa.array(["one", "two", "three"]))).to_pylist()
    assert told == ["one (built in)", "two (a.txt)", "three (b.txt)"]


def test_no_list_and_nothing_built_in_is_none():
    assert load_list([], word_entry) is None
    assert load_words([]) is None
    assert load_words([], word_entry, frozenset({"A"})).entries == {"a"}


@pytest.mark.parametrize("block_bytes", [4, 5, 7, 8 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_the_same_wherever_a_block_ends(tmp_path, monkeypatch, block_bytes, end):
    monkeypatch.setattr(lists, "_BLOCK_BYTES", block_bytes)
    path = tmp_path / f"{block_bytes}.txt"
    path.write_bytes("\ufeff日本,# no,,één,zwei drei,x".replace(",", end).encode())
    lists._entries.cache_clear()
    assert load_list([str(path)], word_entry) == {"日本", "één", "zwei drei", "x"}


def test_a_line_of_the_longest_length_is_an_entry(tmp_path):
    (tmp_path / "long.txt").write_bytes(b"x" * MAX_LINE_BYTES + b"\n")
    assert len(load_list([str(tmp_path / "long.txt")], word_entry)) == 1


def test_a_list_of_two_hundred_thousand_domains_is_compact(tmp_path):
    path = tmp_path / "many.gz"
    path.write_bytes(gzip.compress("".join(f"host{i}.example\n" for i in range(200_000)).encode(), 1))
    keys = load_list([str(path)], domain_entry)
    assert len(keys) == 200_000
    assert keys.nbytes / len(keys) < 45
    assert keys.find_domains(pa.array(["www.host199999.example", "host200000.example"])).tolist()[1] == -1
