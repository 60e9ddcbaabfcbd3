"""Two recipes judge the same documents, and each disagreement is counted by its reasons."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate import recipe
from curate.compare import compare
from curate.document import RAW_SCHEMA
from curate.errors import RecipeError


def documents(*texts):
    rows = [{"doc_id": f"{i:032x}", "text": text, "url": f"https://example.org/{i}"} for i, text in enumerate(texts)]
    return pa.RecordBatch.from_pylist(rows, schema=RAW_SCHEMA)


def words(name, least):
    bounds = {"min_word_count": least, "min_stop_word_count": None, "min_mean_word_length": None}
    return recipe.parse({"name": name, "stages": [{"gopher_quality": bounds}]})


SHORT, MIDDLE, LONG = "one two three", "word " * 10, "word " * 30


def test_what_one_keeps_and_the_other_drops_is_counted_with_samples():
    found = compare([words("loose", 5), words("strict", 20)], [documents(SHORT, MIDDLE), documents(LONG, MIDDLE)])
    assert (found.num_documents, found.kept("loose"), found.kept("strict")) == (4, 3, 1)
    (pair,) = found.pairs()
    assert (pair["agree"], pair["agree_frac"]) == (2, 0.5)
    (row,) = pair["apart"]
    assert (row["loose"], row["strict"]) == ("kept", "gopher_quality: word_count_below_min")
    assert [sample["url"] for sample in row["samples"]] == ["https://example.org/1", "https://example.org/1"]


def test_every_two_of_three_recipes_are_a_pair():
    found = compare([words("a", 1), words("b", 20), words("c", 20)], [documents(MIDDLE)])
    assert [(pair["recipes"], pair["agree"]) for pair in found.pairs()] == [
        (["a", "b"], 0),
        (["a", "c"], 0),
        (["b", "c"], 1),
    ]


def test_no_documents_agree_wholly():
    assert compare([words("a", 1), words("b", 2)], []).pairs()[0]["agree_frac"] == 1


def test_recipes_of_one_name_and_stages_over_the_corpus_are_errors():
    with pytest.raises(RecipeError, match="different"):
        compare([words("a", 1), words("a", 2)], [])
    with pytest.raises(RecipeError, match="exact_dedup"):
        compare([words("a", 1), recipe.parse({"name": "b", "stages": ["exact_dedup"]})], [])
