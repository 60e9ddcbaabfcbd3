"""Train an extractor on examples: lexicon, trees for page types, trees for text blocks.

The trees for blocks see features that the lexicon and the page types take part in. Had these seen the page, they would
know its answer, and the trees would believe them more than they deserve on a page that is new. So the features of a
training page come from lexicons and types of the inner folds that do not hold its host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.extractor.boosting import fit_binary, fit_classes
from classifiers.extractor.examples import Example, blank_model, hosts_of
from classifiers.extractor.lexicon import learned_lexicon
from classifiers.extractor.settings import TrainingSettings
from curate.document import uniform
from curate.errors import InputError
from curate.extraction.learned import LearnedExtractor
from curate.extraction.model import ExtractorModel
from curate.kernels.page_features import NUM_FEATURES, PAGE_TYPES
from curate.kernels.page_profile import URL_AT
from curate.kernels.trees import Rows, Trees

#: Called with how much of a training is done, [0, 1], and what it does.
Progress = Callable[[float, str], None]

#: How much of a training's time goes into features; the rest grows trees. Only progress is told by it.
_FEATURE_FRAC = 0.3


class TrainingRows(NamedTuple):
    """What trees for blocks are grown from: one row for each block."""

    features: Rows  # float32[rows, NUM_FEATURES]
    labels: NDArray[np.float64]  # float64[rows], [0, 1]
    weights: NDArray[np.float64]  # float64[rows], of mean 1


def fit(
    examples: Sequence[Example], settings: TrainingSettings, progress: Progress = lambda done, what: None
) -> ExtractorModel:
    """A model that has seen these pages. InputError where none of them has text; the order of pages counts."""
    rows = training_rows(examples, settings, lambda done: progress(done * _FEATURE_FRAC, "features"))

    def grown(num_trees: int) -> None:
        done = num_trees / settings.blocks.num_trees
        progress(_FEATURE_FRAC + (1 - _FEATURE_FRAC) * done, f"{num_trees} of {settings.blocks.num_trees} trees")

    block_trees = fit_binary(*rows, settings.blocks, progress=grown)
    seen = _before_blocks(examples, settings)
    return seen._replace(block_trees=block_trees, settings=settings.model_dump(mode="json"))


def training_rows(
    examples: Sequence[Example], settings: TrainingSettings, progress: Callable[[float], None] = lambda done: None
) -> TrainingRows:
    """Features, labels and weights of all blocks of pages that have words, page after page."""
    folds = inner_folds(examples, settings)
    extractors = [
        LearnedExtractor(_before_blocks([e for e, own in zip(examples, folds, strict=True) if own != fold], settings))
        for fold in range(settings.num_inner_folds)
    ]
    chosen = [(e, fold) for e, fold in zip(examples, folds, strict=True) if e.words.hashes.size]
    if not chosen:
        raise InputError(f"none of {len(examples)} pages to train on has text. Are these pages HTML?")
    total = sum(example.num_blocks for example, _ in chosen)
    rows = TrainingRows(np.empty((total, NUM_FEATURES), np.float32), np.empty(total), np.empty(total))
    at = 0
    for number, (example, fold) in enumerate(chosen, 1):
        url = None if _without_url(example, settings) else example.page.url
        judgement, num_blocks, _ = extractors[fold].judge(example.data, url)
        end = at + num_blocks
        rows.features[at:end] = judgement.features[:num_blocks]
        rows.labels[at:end] = example.share
        rows.weights[at:end] = _weights(example, settings)
        at = end
        progress(number / len(chosen))
    rows.weights[:] /= rows.weights.mean() or 1.0
    return rows


def inner_folds(examples: Sequence[Example], settings: TrainingSettings) -> list[int]:
    """The fold of each page within a training: a hash of its host, other than that of the cross-validation."""
    return [int(settings.num_inner_folds * uniform(host, settings.seed, "inner fold")) for host in hosts_of(examples)]


def fit_types(examples: Sequence[Example], settings: TrainingSettings) -> Trees:
    """Trees for the types of pages. None are grown, and all types are alike, where no two types are known."""
    known = [example for example in examples if example.page.page_type in PAGE_TYPES]
    classes = np.array([PAGE_TYPES.index(example.page.page_type or "") for example in known], np.int64)
    if np.unique(classes).size < 2:
        return blank_model().type_trees
    profiles = np.stack([example.profile for example in known])
    profiles[[_without_url(example, settings) for example in known], URL_AT:] = -1
    return fit_classes(profiles, classes, len(PAGE_TYPES), None, settings.types)


def _without_url(example: Example, settings: TrainingSettings) -> bool:
    return uniform(example.page.url, settings.seed, "no url") < settings.no_url_frac


def _before_blocks(examples: Sequence[Example], settings: TrainingSettings) -> ExtractorModel:
    """Lexicon and page types of these pages, without trees for blocks."""
    evidence = (example.evidence for example in examples)
    lexicon = learned_lexicon(evidence, settings.lexicon_smoothing, settings.lexicon_max_log_odds)
    return blank_model(lexicon, fit_types(examples, settings))


def _weights(example: Example, settings: TrainingSettings) -> NDArray[np.float64]:
    words = np.maximum(example.words.counts, 1).astype(np.float64)
    weights: NDArray[np.float64] = words**settings.word_weight_exponent
    return weights * settings.source_weights.get(example.page.source, 1.0)
