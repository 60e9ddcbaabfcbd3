from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.scoring.drawn_examples import Labels, candidates, draws, groups, heads, largest_draws, smallest_draws


@given(st.lists(st.one_of(st.none(), st.text(max_size=12))), st.integers(1, 20))
def test_a_head_is_the_longest_beginning_of_whole_characters_within_the_bound(texts, max_bytes):
    found = heads(pa.array(texts, pa.string()), max_bytes).to_pylist()
    wanted = [text and text.encode()[:max_bytes].decode("utf-8", "ignore") for text in texts]
    assert found == wanted


def test_a_slice_of_an_array_has_its_own_heads():
    texts = pa.array(["first", "äöü", "third"])[1:]
    assert heads(texts, 3).to_pylist() == ["ä", "thi"]


def test_the_other_sources_are_negative_unless_some_are_named():
    sources = pa.array(["books", "crawl", "code"])
    assert Labels(("books",), None).of(sources).to_pylist() == ["positive", "negative", "negative"]
    assert Labels(("books",), ("crawl",)).of(sources).to_pylist() == ["positive", "negative", None]


def test_a_group_is_the_host_or_the_document_where_there_is_none():
    urls = pa.array(["https://Example.org/a", "http://example.org:80/b", None, "no url"])
    assert groups(urls, pa.array(["1", "2", "3", "4"])).to_pylist() == ["example.org", "example.org", "3", "4"]


PAGES = [
    {"doc_id": f"{n:03d}", "text": f"text {n}", "source": "books" if n % 3 else "crawl", "language": "en"}
    for n in range(90)
] + [{"doc_id": "900", "text": None, "source": "books"}, {"doc_id": "901", "text": "", "source": "crawl"}]


@pytest.mark.spark
@pytest.mark.parametrize("parts", [1, 4])
def test_examples_are_the_smallest_draws_of_each_label_for_any_partitioning(documents, parts):
    found = candidates(documents(PAGES, parts), Labels(("books",), None), 7, 100)
    examples = smallest_draws(found, ("label",), 5, 1 << 20)

    ids = pa.array([page["doc_id"] for page in PAGES if page["text"]])
    drawn = sorted(zip(draws(ids, 7).to_pylist(), ids.to_pylist(), strict=True))
    by_id = {page["doc_id"]: page for page in PAGES}
    for label, source in (("positive", "books"), ("negative", "crawl")):
        wanted = [(draw, name) for draw, name in drawn if by_id[name]["source"] == source][:5]
        rows = [row for row in examples.to_pylist() if row["label"] == label]
        assert [(row["draw"], row["doc_id"]) for row in rows] == wanted
        assert largest_draws(examples, ("label",))[(label,)] == wanted[-1][0]


@pytest.mark.spark
def test_each_language_has_its_own_examples(documents):
    pages = [{**page, "language": "zh" if number % 2 else None} for number, page in enumerate(PAGES)]
    found = candidates(documents(pages), Labels(("books",), None), 0, 100)
    counts: dict[tuple[str, str | None], int] = {}
    for row in smallest_draws(found, ("label", "language"), 4, 1 << 20).to_pylist():
        counts[row["label"], row["language"]] = counts.get((row["label"], row["language"]), 0) + 1
    examples = smallest_draws(found, ("label", "language"), 4, 1 << 20)
    assert len(largest_draws(examples, ("label", "language"))) == 4
    assert len(largest_draws(examples, ("label",))) == 2
    assert counts == {(label, language): 4 for label in ("positive", "negative") for language in ("zh", None)}


@pytest.mark.spark
def test_of_long_texts_there_are_fewer(documents):
    """60 positive texts of 7 bytes and 30 negative ones: each label has half of 140 bytes."""
    pages = [{**page, "text": f"text {n % 90:02d}"} for n, page in enumerate(PAGES[:90])]
    found = candidates(documents(pages), Labels(("books",), None), 0, 100)
    labels = smallest_draws(found, ("label",), 50, 140)["label"].to_pylist()
    assert (labels.count("positive"), labels.count("negative")) == (10, 10)
