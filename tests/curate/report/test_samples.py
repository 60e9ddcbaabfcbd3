from __future__ import annotations

import pytest

from curate.report.samples import dropped_samples, find_document, kept_samples

GONE = {"drop_stage": "gopher_quality", "drop_reason": "word_count_below_min"}


def ids(rows: list[dict]) -> list[int]:
    return [int(row["doc_id"][:4], 16) for row in rows]


def test_samples_are_the_smallest_ids_of_each_group_whatever_the_files(folder, other_folder, make_row) -> None:
    rows = [make_row(n, source="web" if n % 2 else "books") for n in range(1, 41)]
    folder.add_kept(rows)
    for part in range(5):
        other_folder.add_kept(rows[::-1][part::5], part=part)
    for one in (folder, other_folder):
        found = kept_samples(one.finish(), 3)
        assert {source: ids(some) for source, some in found.items()} == {"books": [2, 4, 6], "web": [1, 3, 5]}


def test_each_reason_has_its_samples(folder, make_row) -> None:
    folder.add_dropped([make_row(n, **GONE) for n in range(5)])
    folder.add_dropped([make_row(9, drop_stage="near_dedup", drop_reason="near_duplicate")], passed="03-documents")
    found = dropped_samples(folder.finish(), 2)
    assert {key: ids(rows) for key, rows in found.items()} == {
        ("gopher_quality", "word_count_below_min"): [0, 1],
        ("near_dedup", "near_duplicate"): [9],
    }


def test_rare_reason_is_found_in_any_file_when_it_is_asked_for(folder, make_row) -> None:
    for part in range(100):
        folder.add_dropped([make_row(part, **GONE)], part=part)
    folder.add_dropped([make_row(1000, **GONE | {"drop_reason": "rare"})], part=57)
    run = folder.finish()
    assert ("gopher_quality", "rare") not in dropped_samples(run)
    assert ids(dropped_samples(run, reason="rare")["gopher_quality", "rare"]) == [1000]
    assert list(dropped_samples(run, reason="rare")) == [("gopher_quality", "rare")]
    assert dropped_samples(run, stage="near_dedup") == {}


def test_dropped_documents_of_passes_that_are_no_longer_in_the_recipe_are_not_shown(folder, make_row) -> None:
    folder.add_dropped([make_row(1, **GONE)], passed="07-old_stage")
    assert dropped_samples(folder.finish()) == {}


def test_long_text_is_cut_and_says_so(folder, make_row) -> None:
    folder.add_kept([make_row(1, "é" * 5_000_000), make_row(2, "short")])
    long, short = kept_samples(folder.finish())["web"]
    assert long["text"] == "é" * 1200
    assert (long["num_chars"], long["is_cut"]) == (5_000_000, True)
    assert (short["text"], short["is_cut"]) == ("short", False)


@pytest.mark.parametrize("text", [b"\xff\xfe caf\xc3", "", None, "\x00", "👩‍🚀"])
def test_any_text_can_be_shown(folder, make_row, text) -> None:
    folder.add_kept([make_row(1, text, url=None, language=None, meta=[("title", None)])])
    run = folder.finish()
    (row,) = kept_samples(run)["web"]
    assert row["text"] == ("\ufffd\ufffd caf\ufffd" if isinstance(text, bytes) else text or "")
    assert row["url"] == row["title"] == ""
    assert len(find_document(run, row["doc_id"])) == 1


def test_gaps_are_left_out_of_a_sample(folder, make_row) -> None:
    folder.add_kept([make_row(1, "\n\n  \n a\n\nb\n \n\t\n\nc\n")])
    assert kept_samples(folder.finish())["web"][0]["text"] == "a\n\nb\n\nc\n"


def test_duplicate_names_what_stands_for_it(folder, make_row) -> None:
    folder.add_kept([make_row(1, url="https://a.example/")])
    twin = {"duplicate_of": make_row(1)["doc_id"], "jaccard": 0.9}
    folder.add_dropped([make_row(2, near_dedup=twin, drop_stage="near_dedup", drop_reason="near_duplicate")])
    (row,) = dropped_samples(folder.finish())["near_dedup", "near_duplicate"]
    assert row["duplicate_of"] == {"doc_id": twin["duplicate_of"], "jaccard": 0.9, "url": "https://a.example/"}


def test_document_is_found_by_the_beginning_of_its_id_kept_or_dropped(folder, make_row) -> None:
    folder.add_kept([make_row(0x0A01), make_row(0x0A02)])
    folder.add_dropped([make_row(0x0A03, "whole text " * 500, **GONE)])
    run = folder.finish()
    assert ids(find_document(run, "0a0")) == [0x0A01, 0x0A02, 0x0A03]
    (row,) = find_document(run, "0a03")
    assert row["text"] == "whole text " * 500
    assert find_document(run, "0b") == []


def test_at_most_ten_documents_are_found(folder, make_row) -> None:
    folder.add_kept([make_row(n) for n in range(100)])
    assert len(find_document(folder.finish(), "0")) == 10
