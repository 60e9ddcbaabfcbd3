"""Hashes of words, beside the words that `scores` finds."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.scores import WORD
from classifiers.extractor.word_hashes import block_words, words, words_of
from curate.kernels.html_entities import entities
from curate.kernels.page_blocks import Blocks, blocks_room, find_blocks
from curate.kernels.page_reader import Page, num_tags, read_page, room


def check(text: str) -> None:
    """Equal words, and no others, have equal hashes; starts are where the words stand. `text` has no surrogates."""
    hashes, starts = words(np.frombuffer(text.encode(), np.uint8))
    expected = WORD.findall(text.lower().replace("ς", "σ"))
    numbers: dict[str, int] = {}
    same = np.array([numbers.setdefault(word, len(numbers)) for word in expected])
    _, found = np.unique(hashes, return_inverse=True)
    assert len(hashes) == len(expected)
    assert len(set(zip(same.tolist(), found.tolist(), strict=True))) == len(numbers) == len(np.unique(hashes))
    if "İ" not in text:  # its lower case is longer
        places = np.cumsum([0, *(len(char.encode()) for char in text)])
        assert starts.tolist() == [places[match.start()] for match in WORD.finditer(text.lower())]


@given(st.text(alphabet="aAbB_1 .'-é\u0301ΣσςİıßÆ一二龿㐀㏿䷀ａＡ𝒜𠀀नी\u200b\ufffd", max_size=40))
def test_words_are_those_of_the_regular_expression(text: str) -> None:
    check(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_characters(text: str) -> None:
    check(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_a_decoder_would(data: bytes) -> None:
    """Which bytes one replacement character stands for is of no matter: it stands between words."""
    assert words(np.frombuffer(data, np.uint8))[0].tolist() == words_of(data.decode("utf-8", "replace")).tolist()


def test_sigmas_are_one_letter() -> None:
    assert len(set(words_of("ΟΔΟΣ οδος οδοσ Οδός").tolist())) == 2


def test_a_lone_surrogate_stands_between_words() -> None:
    assert words_of("a\ud800b").tolist() == words_of("a b").tolist()
    assert words_of("").size == 0


@pytest.mark.parametrize("name", ["wcxb_dev", "daniel_dev"])
def test_real_texts(shared_data: Path, name: str) -> None:
    golds = pq.read_table(shared_data / "web" / f"{name}_gold.parquet", columns=["main_content"])["main_content"]
    check("\n".join(gold or "" for gold in golds[:120].to_pylist()))
    with (shared_data / "web" / f"{name}.warc.gz").open("rb") as stream:
        for number, record in enumerate(ArchiveIterator(stream, record_types=WarcRecordType.response)):
            if number == 25:
                break
            check(record.reader.read().decode("utf-8", "replace"))


def read(html: bytes) -> tuple[Page, Blocks, int]:
    data = np.frombuffer(html, np.uint8)
    page = room(data.size, num_tags(data))
    blocks = blocks_room(page)
    read_page(data, 0, data.size, entities(), page)
    return page, blocks, find_blocks(page, blocks)


def texts_of(page: Page, blocks: Blocks, num_blocks: int) -> list[str]:
    """The text of each block, run by run; a new line where `<br>` begins one."""
    found = []
    for block in range(num_blocks):
        runs = range(blocks.first_run[block], blocks.last_run[block])
        seen = [run for run in runs if not blocks.unseen[page.runs.element[run]]]
        lines = [
            b"".join(page.text[page.runs.start[run] : page.runs.end[run]].tobytes() for run in line)
            for _, line in groupby(seen, key=lambda run: page.runs.lines[run])
        ]
        found.append(b"\n".join(lines).decode("utf-8", "replace"))
    return found


def check_blocks(html: bytes) -> None:
    page, blocks, num_blocks = read(html)
    hashes, block_of_word = block_words(page, blocks, num_blocks)
    expected = [words_of(text) for text in texts_of(page, blocks, num_blocks)]
    assert hashes.tolist() == [word for part in expected for word in part.tolist()]
    assert block_of_word.tolist() == [number for number, part in enumerate(expected) for _ in part]


def test_words_of_blocks_end_with_them_and_not_with_tags() -> None:
    hashes, block_of_word = block_words(*read(b"<p>One t<b>wo</b><script>x</script> th&eacute;<p>re</p>tail<br>of it"))
    assert hashes.tolist() == words_of("One two th\u00e9 re tail of it").tolist()
    assert block_of_word.tolist() == [0, 0, 0, 1, 2, 2, 2]


@pytest.mark.parametrize("html", [b"", b"<p>", b"<p>...<p>a", b"\xff\xfe<p>\xc3", b"<p>a<p>\xe4\xb8<p>\x80"])
def test_pages_with_few_words_have_few(html: bytes) -> None:
    check_blocks(html)


@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<b>", "<br>", "<li>", "a", "B ", "\u4e00", "&amp;", "\u0301"]), max_size=30
    )
)
def test_words_of_any_blocks(parts: list[str]) -> None:
    check_blocks("".join(parts).encode())


@pytest.mark.parametrize("name", ["wcxb_dev", "daniel_dev"])
def test_words_of_the_blocks_of_real_pages(shared_data: Path, name: str) -> None:
    with (shared_data / "web" / f"{name}.warc.gz").open("rb") as stream:
        for number, record in enumerate(ArchiveIterator(stream, record_types=WarcRecordType.response)):
            if number == 25:
                break
            check_blocks(record.reader.read())
