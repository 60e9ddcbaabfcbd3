from __future__ import annotations

import json
import random
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from curate.audit import Audit, audit_run
from curate.errors import InputError
from curate.stored_signals import open_stored

RECIPE = {"stages": ["lengths", "letters"], "audit": True}


def audited(folder: str, **options: Any) -> Audit:
    return audit_run(open_stored(folder), **options)


def broken_by_hand(text: str) -> set[tuple[str, str]]:
    """Every rule that a text breaks, by the stages' definitions."""
    found = set()
    if "boom" in text:
        found.add(("lengths", "error_value"))
    else:
        digits = sum(c.isdigit() for c in text)
        found |= {("lengths", "chars_below_min")} if len(text) < 5 else set()
        found |= {("lengths", "chars_above_max")} if len(text) > 50 else set()
        found |= {("lengths", "digit_frac_above_max")} if text and digits / len(text) > 0.5 else set()
    if "odd" in text:
        return found | {("letters", "error_odd")}
    found |= {("letters", "letters_below_min")} if len(set(text)) < 3 else set()
    return found | ({("letters", "shouting")} if text.isupper() else set())


def random_texts(seed: int) -> list[str]:
    draw = random.Random(seed)
    words = ["boom", "odd", "AB", "12345", "a", "bcd", " ", "x" * 30]
    return ["".join(draw.choices(words, k=draw.randrange(0, 5))) for _ in range(80)]


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_counting_by_hand(run_of, seed):
    texts = random_texts(seed)
    found = audited(run_of(RECIPE, texts, parts=3))
    broken = [rules for rules in map(broken_by_hand, texts) if rules]
    assert found.num_dropped == len(broken)
    assert found.num_read == len(texts)
    for rule in found.rules:
        key = (rule.stage, rule.reason)
        assert rule.total == sum(key in rules for rules in broken)
        assert rule.unique == sum(rules == {key} for rules in broken)
        assert rule.shared == rule.total - rule.unique
    for stage in found.stages:
        assert stage.total == sum(any(s == stage.stage for s, _ in rules) for rules in broken)
        assert stage.unique == sum(all(s == stage.stage for s, _ in rules) for rules in broken)
    names = [(rule.stage, rule.reason) for rule in found.rules]
    for (i, a), (j, b) in combinations(enumerate(names), 2):
        assert found.both[i, j] == found.both[j, i] == sum({a, b} <= rules for rules in broken)


@pytest.mark.parametrize("seed", range(3))
def test_what_the_run_attributes_to_rules_adds_up_to_all_that_it_dropped(run_of, seed):
    found = audited(run_of(RECIPE, random_texts(seed)))
    assert sum(rule.first for rule in found.rules) == sum(stage.first for stage in found.stages) == found.num_dropped


@pytest.mark.parametrize("seed", range(3))
def test_unique_documents_come_back_when_the_rule_is_switched_off(run_of, judge, seed):
    texts = random_texts(seed)
    found = audited(run_of(RECIPE, texts))
    (rule,) = [rule for rule in found.rules if rule.reason == "chars_below_min"]
    off = judge({**RECIPE, "stages": [{"lengths": {"min_chars": None}}, "letters"]}, texts)
    assert rule.unique == off["drop_reason"].null_count - judge(RECIPE, texts)["drop_reason"].null_count


def test_similarity_is_what_is_shared_over_what_either_has(run_of):
    found = audited(run_of(RECIPE, ["AAA", "AAAAAA", "abc", "fine text"]))
    names = [rule.reason for rule in found.rules]
    short, few, shouts = (names.index(name) for name in ("chars_below_min", "letters_below_min", "shouting"))
    assert found.jaccard()[short, few] == 1 / 3  # AAA; AAA, abc, AAAAAA
    assert found.jaccard()[few, shouts] == 1
    assert found.jaccard()[short, names.index("chars_above_max")] == 0
    assert np.diagonal(found.jaccard())[few] == 1


def test_rules_stand_in_the_order_of_the_run_and_idle_ones_are_there(run_of):
    found = audited(run_of(RECIPE, ["boom", "fine text"]))
    assert [(rule.stage, rule.reason, rule.total) for rule in found.rules] == [
        ("lengths", "chars_below_min", 0),
        ("lengths", "chars_above_max", 0),
        ("lengths", "digit_frac_above_max", 0),
        ("lengths", "error_value", 1),
        ("letters", "letters_below_min", 0),
        ("letters", "shouting", 0),
    ]


def test_a_run_that_dropped_nothing(run_of):
    found = audited(run_of(RECIPE, ["fine text"]))
    assert found.num_dropped == 0
    assert found.as_json()["overlap"] == []


def test_the_overlap_is_json_with_the_largest_first(run_of):
    told = json.loads(json.dumps(audited(run_of(RECIPE, ["AA", "A", "12", "AAAAAA"])).as_json()))
    counts = [pair["both"] for pair in told["overlap"]]
    assert counts == sorted(counts, reverse=True)
    assert told["overlap"][0]["a"].startswith("lengths.")
    assert {"stage", "total", "first", "unique", "shared"} == set(told["stages"][0])


def test_partitions_change_nothing(run_of):
    texts = random_texts(9)
    one, many = (audited(run_of(RECIPE, texts, parts=parts)) for parts in (1, 5))
    assert one.as_json() == many.as_json()


def test_a_sample_of_the_files_says_how_many_documents_it_saw(run_of):
    folder = run_of(RECIPE, ["no"] * 12, parts=4)
    assert audited(folder, max_files=1).num_dropped == 3
    assert audited(folder).num_dropped == 12


def test_a_run_without_audit_is_refused(run_of):
    with pytest.raises(InputError, match="without `audit: true`"):
        audited(run_of({**RECIPE, "audit": False}, ["no"]))
