from __future__ import annotations

import numpy as np
import pytest
from labelled_sites import labelled_pages

from classifiers.extractor.examples import examples_of, hosts_of
from classifiers.extractor.scores import word_score
from classifiers.extractor.settings import TrainingSettings
from classifiers.extractor.validation import (
    cross_validate,
    judge_all,
    learning_curve,
    leave_out,
    mean_f1,
    outcomes,
    sampled,
)
from curate.errors import InputError

pytest.importorskip("lightgbm")

SMALL = TrainingSettings.of(
    {
        "blocks.num_trees": 8,
        "blocks.min_leaf_rows": 5,
        "blocks.learning_rate": 0.3,
        "types.num_trees": 3,
        "num_folds": 2,
    }
)


@pytest.fixture(scope="module")
def examples():
    return examples_of(labelled_pages())


@pytest.fixture(scope="module")
def validation(examples):
    return cross_validate(examples, SMALL)


def test_hosts_are_judged_by_models_that_did_not_see_them(examples, validation):
    folds_of_hosts = {(host, j.fold) for host, j in zip(hosts_of(examples), validation.judged, strict=True)}
    assert len(folds_of_hosts) == 12
    assert {fold for _, fold in folds_of_hosts} == {0, 1}
    assert validation.num_training_pages == len(examples) / 2


def test_easy_sites_are_learned(validation):
    assert mean_f1(validation.judged) > 0.9


def test_pages_without_text_and_gold_text_count_as_right(validation):
    pages = [page._replace(payload=b"", gold=gold) for page, gold in zip(labelled_pages(1, 2), ("", "x"), strict=True)]
    empty, missing = judge_all(examples_of(pages), validation.models[0], 0)
    assert (empty.score.f1, missing.score.f1) == (1, 0)


def test_a_group_that_is_left_out_is_left_out_with_its_hosts(examples, validation):
    found = leave_out(examples, "page_type", SMALL, validation.judged)
    assert [(one.group, one.num_pages, one.num_training_pages) for one in found] == [
        ("article", 16, 32),
        ("forum", 16, 32),
    ]
    assert all(one.f1 > 0.8 for one in found)
    assert leave_out(examples, "language", SMALL, validation.judged) == []  # every host has pages of each


def test_smaller_samples_are_parts_of_larger_ones(examples):
    few, many = sampled(examples, 0.3, SMALL), sampled(examples, 0.6, SMALL)
    assert 0 < len(few) < len(many) < len(examples)
    assert {e.page.url for e in few} < {e.page.url for e in many}
    assert sampled(examples, 1.0, SMALL) == examples


def test_the_learning_curve_ends_in_the_cross_validation(examples, validation):
    half, whole = learning_curve(examples, SMALL, [0.5, 1.0])
    assert half.num_training_pages < whole.num_training_pages
    assert whole.f1 == mean_f1(validation.judged)
    assert np.isfinite(half.f1)


def test_pages_of_one_host_cannot_be_cross_validated():
    with pytest.raises(InputError, match="several hosts"):
        cross_validate(examples_of(labelled_pages(1, 5)), SMALL)


def test_outcomes_tell_block_by_block_what_was_done(examples, validation):
    first = validation._replace(judged=validation.judged[:8])
    for outcome, judged in zip(outcomes(examples[:8], first), first.judged, strict=True):
        assert (outcome.precision, outcome.recall, outcome.f1) == judged.score
        assert word_score(outcome.text, outcome.gold) == pytest.approx(judged.score)
        assert outcome.text.split() == " ".join(block.text for block in outcome.blocks if block.chosen).split()
        assert outcome.blocks[-1].path == "html > body > footer"
        assert all(0 <= block.probability <= 1 for block in outcome.blocks)
