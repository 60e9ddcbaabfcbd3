from __future__ import annotations

import random

import numpy as np
import pytest
from labelled_sites import labelled_pages

from classifiers.extractor.boosting import fit_binary
from classifiers.extractor.examples import examples_of
from classifiers.extractor.settings import TrainingSettings
from classifiers.extractor.training import fit, fit_types, inner_folds, training_rows
from curate.errors import InputError, RecipeError
from curate.extraction.model import load, save
from curate.kernels.page_features import FEATURES, NUM_FEATURES

pytest.importorskip("lightgbm")

SMALL = TrainingSettings.of({"blocks.num_trees": 8, "blocks.min_leaf_rows": 5, "types.num_trees": 3})


@pytest.fixture(scope="module")
def examples():
    return examples_of(labelled_pages())


def test_labels_say_which_blocks_are_main_text(examples):
    example = examples[0]
    num_paragraphs = len(example.page.gold.splitlines())
    assert example.share.tolist() == [0.0] * 9 + [1.0] * num_paragraphs + [0.0]


def test_rows_are_blocks_with_weights_of_mean_one(examples):
    rows = training_rows(examples, SMALL)
    assert rows.features.shape == (sum(e.num_blocks for e in examples), NUM_FEATURES)
    assert rows.weights.mean() == pytest.approx(1)
    words = np.concatenate([e.words.counts for e in examples])
    assert (rows.weights / words**SMALL.word_weight_exponent).std() == pytest.approx(0, abs=1e-9)


def test_weights_of_a_set_are_those_asked_for(examples):
    plain = training_rows(examples, SMALL).weights
    halved = training_rows(examples, SMALL.model_copy(update={"source_weights": {"set1": 0.5}})).weights
    of_set = np.repeat([e.page.source == "set1" for e in examples], [e.num_blocks for e in examples])
    ratio = (halved / plain) / (halved / plain)[~of_set].mean()
    assert np.unique(ratio[of_set].round(6)).tolist() == [0.5]
    assert np.unique(ratio[~of_set].round(6)).tolist() == [1.0]


def test_what_a_page_says_is_not_in_its_own_features(examples):
    """Turn the labels of one host's pages round: the features of its own pages stay as they are."""
    host = examples[0].page.host
    turned = [
        e._replace(evidence=type(e.evidence)(*(kind._replace(main_frac=1 - kind.main_frac) for kind in e.evidence)))
        if e.page.host == host
        else e
        for e in examples
    ]
    own = np.repeat([e.page.host == host for e in examples], [e.num_blocks for e in examples])
    before, after = training_rows(examples, SMALL).features, training_rows(turned, SMALL).features
    assert (before[own] == after[own]).all()
    assert (before[~own] != after[~own]).any()


def test_pages_of_a_host_are_in_one_inner_fold(examples):
    folds = inner_folds(examples, SMALL)
    assert len({(e.page.host, fold) for e, fold in zip(examples, folds, strict=True)}) == 12
    assert set(folds) == {0, 1, 2}


def test_types_are_left_out_where_no_two_are_known(examples):
    alike = [e._replace(page=e.page._replace(page_type="forum")) for e in examples]
    assert fit_types(alike, SMALL).feature.size == 0
    assert len(fit_types(examples, SMALL).value) == 3 * 7
    rows = training_rows(alike, SMALL).features
    assert np.ptp(rows[:, FEATURES.index("type_forum")]) == 0


def test_any_order_of_pages_gives_the_same_file(tmp_path):
    pages, files = labelled_pages(), []
    for seed in range(2):
        random.Random(seed).shuffle(pages)
        path = tmp_path / f"{seed}.npz"
        save(fit(examples_of(pages), SMALL), path)
        files.append(path.read_bytes())
    assert files[0] == files[1]
    assert load(tmp_path / "0.npz").settings == SMALL.model_dump(mode="json")


def test_progress_rises_to_the_end(examples):
    seen = []
    fit(examples, SMALL, lambda done, what: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_pages_without_text_are_an_error_that_says_so():
    blank = [page._replace(payload=b"<script>x</script>") for page in labelled_pages(2, 1)]
    with pytest.raises(InputError, match="none of 2 pages"):
        fit(examples_of(blank), SMALL)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blocks.num_tree": 3}, "num_trees"),
        ({"tree.num_trees": 3}, "unknown setting 'tree.num_trees'"),
        ({"seed": -1}, "setting seed"),
        ({"blocks.num_leaves": 99}, "blocks.num_leaves"),
    ],
)
def test_wrong_settings_are_errors_that_name_them(settings, message):
    with pytest.raises(RecipeError, match=message):
        TrainingSettings.of(settings)


def test_growing_trees_tells_how_far_it_is():
    seen = []
    rows = np.random.default_rng(0).random((100, 3), np.float32)
    fit_binary(rows, (rows[:, 0] > 0.5).astype(float), None, SMALL.blocks, seen.append)
    assert seen == list(range(1, 9))
