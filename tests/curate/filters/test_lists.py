"""Lists that a user names load from plain and gzipped files, and a bad one is said to be bad."""

from __future__ import annotations

import gzip
import os

import pytest

from curate.errors import InputError
from curate.filters.lists import load_lists
from curate.kernels.url_match import domain_entry, word_entry


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_a_list_has_one_entry_a_line(tmp_path, encode):
    path = tmp_path / ("list.gz" if encode is gzip.compress else "list.txt")
    path.write_bytes(encode("\ufeffOne\r\n\n# comment\nzwei Wörter\n".encode()))
    assert load_lists([str(path)], word_entry) == (frozenset({"one", "zwei wörter"}),)


def test_lists_keep_their_order_and_no_path_gives_none(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"{name}.example\n")
    paths = [str(tmp_path / name) for name in ("b", "a")]
    assert load_lists(paths, domain_entry) == (frozenset({"b.example"}), frozenset({"a.example"}))
    assert load_lists([], domain_entry) == ()


def test_a_list_is_read_once_until_it_changes(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("one\n")
    first = load_lists([str(path)], word_entry)[0]
    assert load_lists([str(path)], word_entry)[0] is first
    path.write_text("two\n")
    os.utime(path, (1, 1))
    assert load_lists([str(path)], word_entry)[0] == {"two"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.txt", None),
        ("latin.txt", "caf\xe9".encode("latin-1")),
        ("not.gz", b"one\ntwo\n"),
        ("cut.gz", gzip.compress(b"one\ntwo\n" * 1000)[:-9]),
        ("broken.gz", gzip.compress(b"one\n")[:10] + b"\xff" * 40),
        ("empty.txt", b"\n# only a comment\n"),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error_that_names_it(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=name):
        load_lists([str(path)], word_entry)


def test_a_folder_is_no_list(tmp_path):
    with pytest.raises(InputError, match=tmp_path.name):
        load_lists([str(tmp_path)], word_entry)


def test_a_list_must_be_a_file_of_the_machine():
    with pytest.raises(InputError, match="nothing://"):
        load_lists(["nothing://list"], word_entry)
