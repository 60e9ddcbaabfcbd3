from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.language.sample import samples, windows

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def test_a_text_of_the_bound_comes_whole_and_a_longer_one_does_not():
    assert samples(pa.array(["a" * 64, "a" * 65]), 64, 4) == ["a" * 64, " ".join(["a" * 16] * 4)]


def test_windows_reach_the_start_the_middle_and_the_end():
    text = "head" + "." * 1000 + "midd" + "." * 1000 + "tail"
    assert windows(memoryview(text.encode()), 12, 3) == "head midd tail"


def test_null_and_empty_give_nothing():
    assert samples(pa.array([None, "", "x"], pa.string()), 64, 4) == ["", "", "x"]
    assert samples(pa.array([None, None]), 64, 4) == ["", ""]
    assert samples(pa.array([], pa.string()), 64, 4) == []


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_slice_of_any_string_type_is_read_at_its_offset(kind):
    texts = pa.array(["zero", None, "two", "three"], pa.string()).cast(kind)
    assert samples(texts.slice(1, 2), 64, 4) == ["", "two"]


@given(TEXT, st.integers(16, 128), st.integers(1, 8))
def test_a_sample_is_bounded_and_made_of_the_text(text, num_bytes, num_windows):
    sample = windows(memoryview(text.encode()), num_bytes, num_windows)
    assert len(sample.encode()) <= num_bytes + num_windows - 1
    assert set(sample) <= set(text) | {" "}
    if len(text.encode()) <= num_bytes:
        assert sample == text
