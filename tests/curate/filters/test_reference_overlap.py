"""Documents that resemble the reference stay; a reference that is none is an error."""

from __future__ import annotations

import pytest

from curate.errors import CurateError
from curate.filters.reference_overlap import ReferenceOverlap


@pytest.fixture
def reference(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("the cat sat on the mat\n\n", encoding="utf-8")
    return str(path)


def test_the_bound_is_inside(reasons, reference):
    same = "The cat sat on the mat."
    assert reasons(ReferenceOverlap(reference_path=reference, min_similarity=1.0), same) == []
    assert reasons(ReferenceOverlap(reference_path=reference, min_similarity=1.0), same + " Twice.") == [
        "similarity_below_min"
    ]


def test_without_a_bound_all_is_kept(reasons, reference):
    assert reasons(ReferenceOverlap(reference_path=reference), "dogs") == []


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\xff"])
def test_a_reference_without_text_is_an_error(reasons, tmp_path, content):
    path = tmp_path / "empty.txt"
    path.write_bytes(content)
    with pytest.raises(CurateError, match=r"empty\.txt"):
        reasons(ReferenceOverlap(reference_path=str(path)), "text")


def test_a_missing_reference_is_an_error(reasons, tmp_path):
    with pytest.raises(CurateError, match=r"nowhere\.txt"):
        reasons(ReferenceOverlap(reference_path=str(tmp_path / "nowhere.txt")), "text")
