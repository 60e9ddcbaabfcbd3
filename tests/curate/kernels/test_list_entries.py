"""The form for whole columns gives what the function for one line gives."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.list_entries import line_entries, phrase_entry
from curate.kernels.url_match import domain_entry, substring_entry, url_entry, word_entry

FORMS = [domain_entry, url_entry, word_entry, phrase_entry, substring_entry]
LINE = st.text(alphabet="aB.w0-_#/:?\t ~", max_size=16) | st.sampled_from(
    ["0.0.0.0 Ads.example.  # x", "http://www.A.org/b/?q=http://c/#d", "a.org/x?u=http://c", "www.www.a.org", "# a b",
     "https://", "://", "a/", "//", "bücher.example", "a\x0bb", " \x1c x", "é\u0085", "Ⱥ b", "www.", "-a.b-", "..",
     "\r"]
)  # fmt: skip


@pytest.mark.parametrize("entry", FORMS, ids=lambda form: form.__name__)
@given(lines=st.lists(LINE, max_size=8))
def test_lines_together_are_what_they_are_alone(entry, lines):
    lines = [line for line in lines if entry is not substring_entry or line.isascii()]
    expected = [found for line in lines if (found := entry(line)) is not None]
    assert sorted(line_entries(pa.array(lines, pa.large_string()), entry).to_pylist()) == sorted(expected)


def test_a_function_that_has_no_form_for_columns_sees_each_line():
    assert line_entries(pa.array(["b", "a"], pa.large_string()), str.upper).to_pylist() == ["B", "A"]


def test_what_a_function_raises_goes_through():
    with pytest.raises(ValueError, match="ж"):
        line_entries(pa.array(["a", "ж"], pa.large_string()), substring_entry)


def test_a_phrase_keeps_its_case():
    assert phrase_entry(" Holy Cow \n") == "Holy Cow"
    assert phrase_entry("#") is phrase_entry(" ") is None
