"""Sentences as spaCy's sentencizer ends them in English.

What is expected was read off spaCy 3.8.14 (`spacy.blank("en")` with its sentencizer), except where a test says so.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.sentencizer import sentencizer_ends
from curate.kernels.unicode_tables import char_table


def ends_of(data: bytes):
    text, ends = np.frombuffer(data, np.uint8), np.full(len(data) + 1, -1, np.int64)
    return ends[: sentencizer_ends(text, 0, len(data), char_table(), ends)].tolist()


def cut(text):
    data, start, found = text.encode(), 0, []
    for end in ends_of(data):
        found.append(data[start:end].decode().strip())
        start = end
    return found


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('He said: "Go." Then he went.', ['He said: "Go."', "Then he went."]),
        ("It costs 3.14 euros.", ["It costs 3.14 euros."]),
        ("Wait... what?!", ["Wait... what?!"]),
        ("Dr. Who came. U.S. is big. e.g. this", ["Dr. Who came.", "U.S. is big.", "e.g. this"]),
        ("end.Next word here. yes.no", ["end.", "Next word here.", "yes.no"]),
        ("foo.) Bar. [1] Next", ["foo.)", "Bar. [", "1] Next"]),
        ("it's.\" he", ["it's.\"", "he"]),
        ("www.a.com is. Fine!", ["www.a.com is.", "Fine!"]),
        ("Go!Now. Go?now", ["Go!Now.", "Go?now"]),
        ("Hello world . Next one .", ["Hello world .", "Next one ."]),
        ("3. item. 5.", ["3.", "item.", "5."]),
        ("A. B. C.", ["A. B. C."]),
        ("i.e. that. vs. us. etc. Then", ["i.e. that.", "vs. us.", "etc.", "Then"]),
        ("你好。世界！再见", ["你好。世界！再见"]),
        ("...", ["..."]),
        ("What?!) Really.\n\nnext $5. a", ["What?!)", "Really.", "next $5.", "a"]),
        ("p.m. now 5p.m. at 10am. Next", ["p.m. now 5p.m. at 10am.", "Next"]),
        ("Mr.Smith said", ["Mr.Smith said"]),
        ("end.” Next", ["end.”", "Next"]),
        ("end. — dash then", ["end. —", "dash then"]),
        ("hello.World", ["hello.", "World"]),
        ("hello!world", ["hello!world"]),
        ("ABC.Next then", ["ABC.Next then"]),
        ("", []),
    ],
)
def test_sentences_end_where_spacy_ends_them(text, sentences):
    assert cut(text) == sentences


def test_white_space_left_at_the_end_is_a_sentence_of_its_own():
    assert len(ends_of(b"It ends.  ")) == 2
    assert len(ends_of(b"It ends. ")) == 1


@given(st.text(st.sampled_from("aB .!?'\"()-\n/@é")) | st.text())
def test_sentences_cover_the_text_in_order(text):
    data = text.encode("utf-8", "replace")
    ends = ends_of(data)
    assert ends == sorted(set(ends))
    assert not data.decode()[len(data[: ends[-1]].decode()) if ends else 0 :].strip()


@given(st.binary())
def test_any_bytes_are_met_without_harm(data):
    assert all(0 < end <= len(data) for end in ends_of(data))


@pytest.mark.parametrize("unit", ["a.B", ".", "!", "(", "é.", "'", "a/B.C", "www.", "e.g."])
def test_a_word_of_megabytes_takes_no_longer_than_it_is(unit):
    assert ends_of(unit.encode() * 500_000)
