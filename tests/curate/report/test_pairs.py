from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curate import recipe as recipes
from curate.node import ROW_BITS
from curate.report.pairs import Side, near_duplicate_pairs

RECIPE = recipes.parse({"stages": ["gopher_quality", {"near_dedup": {"min_jaccard": 0.8}}]})


def build(folder, make_row, similarities: list[float]):
    rows = [make_row(n, f"text {n}") for n in range(len(similarities) + 1)]
    folder.add_kept(rows, folder="passes/01-gopher_quality/wave-00000", part=3)
    nodes = [3 << ROW_BITS | n for n in range(len(rows))]
    a = {"a": nodes[0], "a_doc_id": rows[0]["doc_id"], "a_url": "https://a.example/"}
    folder.add_pairs(
        [
            {**a, "b": nodes[n], "b_doc_id": rows[n]["doc_id"], "b_url": None, "jaccard": value}
            for n, value in enumerate(similarities, start=1)
        ]
    )
    return folder.finish()


def test_pair_has_both_texts_and_its_verdict(folder, make_row) -> None:
    high, bound, low = near_duplicate_pairs(build(folder, make_row, [0.79, 0.8, 0.95]), RECIPE)
    assert [(pair.jaccard, pair.is_duplicate) for pair in (high, bound, low)] == [
        (0.95, True),
        (0.8, True),
        (0.79, False),
    ]
    assert (high.a.text, high.b.text, bound.b.text, low.b.text) == ("text 0", "text 3", "text 2", "text 1")
    assert (high.stage, high.a.url, high.b.url) == ("near_dedup", "https://a.example/", "")


def test_pairs_around_the_bound_are_among_those_that_are_chosen(folder, make_row) -> None:
    similarities = [n / 1000 for n in range(500, 1000)]
    found = near_duplicate_pairs(build(folder, make_row, similarities), RECIPE, max_pairs=6)
    assert [pair.jaccard for pair in found if not pair.is_duplicate] == [0.799, 0.798, 0.797]
    above = [pair.jaccard for pair in found if pair.is_duplicate]
    assert len(above) == 6
    assert above[-3:] == [0.802, 0.801, 0.8]


def test_text_whose_part_is_gone_or_is_another_is_left_out(folder, make_row) -> None:
    run = build(folder, make_row, [0.9])
    folder.add_kept([make_row(7), make_row(8)], folder="passes/01-gopher_quality/wave-00000", part=3)
    assert {side.text for pair in near_duplicate_pairs(run, RECIPE) for side in (pair.a, pair.b)} == {None}
    run.remove("passes")
    assert [pair.a.text for pair in near_duplicate_pairs(run, RECIPE)] == [None]


def test_run_without_evidence_has_no_pairs(folder, make_row) -> None:
    folder.add_kept([make_row(1)])
    assert near_duplicate_pairs(folder.finish(), RECIPE) == []


def test_words_that_the_other_side_lacks_are_marked() -> None:
    a, b = Side("a", "", "one two  three\nfour"), Side("b", "", "one two three 4 four")
    assert a.against(b) == [("one two  three\n", False), ("four", False)]
    assert b.against(a) == [("one two three ", False), ("4 ", True), ("four", False)]


def test_text_beyond_what_is_compared_is_unmarked() -> None:
    a, b = Side("a", "", "x " * 500), Side("b", "", "y " * 500)
    assert a.against(b) == [("x " * 400, True), ("x " * 100, False)]


@given(a=st.text(max_size=100), b=st.none() | st.text(max_size=100))
def test_pieces_are_the_whole_text(a: str, b: str | None) -> None:
    assert "".join(piece for piece, _ in Side("a", "", a).against(Side("b", "", b))) == a
