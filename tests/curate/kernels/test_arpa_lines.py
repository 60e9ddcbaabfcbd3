"""Lines of an ARPA file: numbers come back as they were, words are joined by spaces."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from curate.kernels.arpa_lines import arpa_lines

LETTERS, START = np.frombuffer("<unk>é中ab".encode(), np.uint8), np.array([0, 5, 7, 10, 12])
NUMBER = st.floats(-99, 9, width=32)


def lines(words, prob, backoff):
    bits, order = 2, len(words)
    key = np.array([sum(word << (64 - bits * (order - i)) for i, word in enumerate(words))], np.uint64)
    second = None if backoff is None else np.array([backoff], np.float32)
    args = (key, np.zeros(1, np.uint64), order, bits, LETTERS, START, np.array([prob], np.float32), second)
    return bytes(arpa_lines(*args)).decode()


@given(NUMBER, NUMBER)
@example(0.0, -0.0)
@example(-99.0, -1e-12)
@example(-0.1, 1.0)
@example(-9.9999999, -10)
def test_numbers_come_back_as_they_were(prob, backoff):
    first, words, second = lines([1, 2, 3], prob, backoff).split("\t")
    assert words == "é 中 ab"
    for text, number in [(first, prob), (second, backoff)]:
        assert np.float32(text) == np.float32(number) or abs(number) < 1e-9
        assert len(text.replace(".", "").strip("-0")) <= 10


def test_a_column_that_is_not_there_is_left_out():
    assert lines([0, 3], -1.5, None) == "-1.5\t<unk> ab\n"
    assert lines([3], -2, 0) == "-2\tab\t0\n"
