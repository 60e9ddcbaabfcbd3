"""Plans: which stages share a pass, and which recipes cannot run."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate import recipe as recipes
from curate.errors import RecipeError
from curate.plan import plan


def passes(*stages):
    return [p.name for p in plan(recipes.parse({"stages": list(stages)})).passes]


def test_neighbouring_document_stages_share_a_pass_and_corpus_stages_stand_alone():
    names = passes("extract", "language_id", "exact_dedup", "near_dedup", "pii")
    assert names == ["01-extract", "02-exact_dedup", "03-near_dedup", "04-pii", "05-documents"]


def test_a_recipe_that_begins_with_a_corpus_stage_reads_first():
    assert passes("exact_dedup") == ["01-read", "02-exact_dedup", "03-documents"]


def test_a_recipe_without_stages_copies():
    assert passes() == ["01-documents"]


def test_a_stage_that_needs_raw_pages_must_come_before_any_corpus_stage():
    with pytest.raises(RecipeError, match="unknown column 'payload' in stage extract, which comes after exact_dedup"):
        passes("exact_dedup", "extract")


def test_fingerprints_change_from_the_changed_pass_on_only():
    def fingerprints(bound):
        stages = ["extract", "exact_dedup", {"gopher_quality": {"min_word_count": bound}}]
        return [p.fingerprint for p in plan(recipes.parse({"stages": stages})).passes]

    one, two = fingerprints(1), fingerprints(2)
    assert [a == b for a, b in zip(one, two, strict=True)] == [True, True, False, True]


def test_the_schema_after_a_pass_has_the_signals_of_all_stages_so_far():
    made = plan(recipes.parse({"stages": ["extract", "exact_dedup", "pii"]}))
    first, _, third, last = made.passes
    assert "extract" in made.schema_after(first).names
    assert "exact_dedup" not in made.schema_after(first).names
    assert {"extract", "exact_dedup", "pii"} <= set(made.schema_after(third).names)
    assert "payload" not in made.schema_after(first).names
    assert made.schema_after(last).field("source").type == pa.dictionary(pa.int32(), pa.string())
