"""Text becomes word numbers as `bytes.split` would cut it, line by line."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.language_model.vocabulary import WordNumbers
from curate.kernels.word_ids import MAX_WORD_BYTES, RESERVED, hash_word

TEXT = st.text(alphabet="ab é中\0\n\r\t\x0b\x0c \x85 <s>/unk", max_size=40)


def numbered(texts):
    numbers = WordNumbers()
    ids = np.concatenate([np.zeros(0, np.uint32), *numbers.ids(pa.array(texts, pa.string()))])
    words, rank = numbers.finish()
    return ids, words, rank


def sentences_of(ids, words, rank):
    found = [[]]
    for number in rank[ids]:
        found[-1].append(words.word(number))
        if number == 2:
            found.append([])
    return found[:-1]


def expected(texts):
    lines = [line for text in texts for line in (text or "").split("\n")]
    split = [[w for w in line.encode().replace(b"\0", b" ").split() if w not in RESERVED] for line in lines]
    return [[*line, b"</s>"] for line in split if line]


@given(st.lists(st.none() | TEXT, max_size=6))
def test_words_and_sentences_are_those_of_split(texts):
    assert sentences_of(*numbered(texts)) == expected(texts)


def test_a_slice_of_a_column_is_read_from_its_own_place():
    column = pa.array(["a b", "c d", "e"]).slice(1, 1)
    numbers = WordNumbers()
    ids = np.concatenate(list(numbers.ids(column)))
    assert sentences_of(ids, *numbers.finish()) == [[b"c", b"d", b"</s>"]]


def test_words_are_numbered_by_frequency_and_of_equals_by_hash():
    _, words, _ = numbered(["c a b a", "a b d"])
    assert [words.word(number) for number in range(3, 5)] == [b"a", b"b"]
    assert words.counts.tolist() == [0, 0, 2, 3, 2, 1, 1]
    assert words.hash[5] < words.hash[6]
    assert {words.word(5), words.word(6)} == {b"c", b"d"}


def test_many_words_and_long_ones_find_room():
    texts = [" ".join(f"{n:x}" for n in range(150_000)), "x" * MAX_WORD_BYTES + " " + "y" * MAX_WORD_BYTES] * 2
    ids, words, rank = numbered(texts)
    assert len(words.hash) == 150_002 + 3
    assert sentences_of(ids, words, rank) == expected(texts)


def test_longer_words_are_skipped():
    assert sentences_of(*numbered(["a " + "x" * (MAX_WORD_BYTES + 1) + " b"])) == [[b"a", b"b", b"</s>"]]


@pytest.mark.parametrize(
    ("word", "hash"),
    [  # by KenLM 0.3.0's own
        ("a", 510903276987443985),
        ("cat", 8577633547555682751),
        ("sentence", 17226953498163071588),
        ("internationalisation", 11090852139486455800),
        ("一只猫", 16686125114380525267),
    ],
)
def test_hashes_are_murmurs(word, hash):
    assert hash_word(np.frombuffer(word.encode(), np.uint8)) == hash


def test_equal_words_have_equal_hashes_wherever_they_lie():
    data = np.frombuffer(b"..abcdefghijk", np.uint8)
    assert hash_word(data[2:]) == hash_word(np.frombuffer(b"abcdefghijk", np.uint8))
