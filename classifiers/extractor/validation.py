"""How well an extractor does on pages of sites that it has not seen.

Cross-validation by host: each page is judged by a model that was trained without any page of its host. Two questions
are asked in the same way: how it does on a language (type, set) of which it has seen nothing, and whether more labelled
pages would help.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from classifiers.extractor.block_words import block_texts, score, word_counts
from classifiers.extractor.examples import Example, hosts_of
from classifiers.extractor.gold import folds
from classifiers.extractor.outcome import BlockOutcome, Outcome
from classifiers.extractor.scores import Score
from classifiers.extractor.settings import TrainingSettings
from classifiers.extractor.training import Progress, fit
from curate.document import uniform
from curate.errors import InputError
from curate.extraction.learned import LearnedExtractor
from curate.extraction.model import ExtractorModel
from curate.kernels.page_features import PAGE_TYPES
from curate.kernels.page_judge import Judgement

#: Columns of the gold texts that pages can be left out by.
COLUMNS = ("language", "page_type", "source")


class Judged(NamedTuple):
    """One page, by a model that has not seen its host."""

    score: Score  # of the finished text
    expected: Score  # what the model itself expects; F1 in `f1`
    page_type: str  # the likeliest by the model
    fold: int


class Validation(NamedTuple):
    """A cross-validation: pages in the order of the examples, and the model of each fold."""

    judged: list[Judged]
    models: dict[int, ExtractorModel]  # by fold, of those that hold pages
    num_training_pages: float  # mean over folds


class LeftOut(NamedTuple):
    """A group of pages, judged by a model that has seen no page of the group and of its hosts."""

    group: str
    num_pages: int
    num_training_pages: int
    f1: float
    seen_f1: float  # of the same pages in the cross-validation, where others of the group were trained on


class CurvePoint(NamedTuple):
    """What a share of the training pages comes to."""

    frac: float
    num_training_pages: float  # mean over folds
    f1: float  # mean over the pages of all folds


def cross_validate(
    examples: Sequence[Example],
    settings: TrainingSettings,
    progress: Progress = lambda done, what: None,
    training_frac: float = 1.0,
) -> Validation:
    """Judge each page by the model of the folds that do not hold its host.

    training_frac: train on this share of the pages, drawn by URL and seed; a smaller share is part of a larger one.
    InputError where all pages are of one fold.
    """
    own = folds([example.page for example in examples], settings.num_folds)
    if np.unique(own).size < 2:
        raise InputError(
            f"cross-validation wants pages of several hosts; all {len(examples)} pages fall into one fold. "
            "Give pages of more sites"
        )
    judged: dict[int, Judged] = {}
    models: dict[int, ExtractorModel] = {}
    sizes = []
    for fold in np.unique(own).tolist():
        rest = [example for example, other in zip(examples, own, strict=True) if other != fold]
        training = sampled(rest, training_frac, settings)
        models[fold] = fit(training, settings, _part(progress, len(models), np.unique(own).size))
        sizes.append(len(training))
        held = np.flatnonzero(own == fold).tolist()
        judged |= zip(held, judge_all([examples[place] for place in held], models[fold], fold), strict=True)
    return Validation([judged[place] for place in range(len(examples))], models, float(np.mean(sizes)))


def learning_curve(
    examples: Sequence[Example],
    settings: TrainingSettings,
    fracs: Sequence[float],
    progress: Progress = lambda done, what: None,
) -> list[CurvePoint]:
    """Cross-validations on shares of the training pages, each above 0 and at most 1."""
    points = []
    for number, frac in enumerate(fracs):
        found = cross_validate(examples, settings, _part(progress, number, len(fracs)), frac)
        points.append(CurvePoint(frac, found.num_training_pages, mean_f1(found.judged)))
    return points


def leave_out(
    examples: Sequence[Example],
    column: str,
    settings: TrainingSettings,
    seen: Sequence[Judged],
    progress: Progress = lambda done, what: None,
) -> list[LeftOut]:
    """Train without each group of a column in turn, and judge its pages. `seen` is the cross-validation.

    Hosts of the group are left out with all of their pages; pages of no group stay in.
    """
    of_page = [getattr(example.page, column) for example in examples]
    groups = sorted({group for group in of_page if group is not None})
    found = []
    for number, group in enumerate(groups):
        held = [place for place, other in enumerate(of_page) if other == group]
        hosts = set(hosts_of([examples[place] for place in held]))
        training = [e for e, host in zip(examples, hosts_of(examples), strict=True) if host not in hosts]
        if training:
            model = fit(training, settings, _part(progress, number, len(groups)))
            f1 = mean_f1(judge_all([examples[place] for place in held], model, -1))
            found.append(LeftOut(group, len(held), len(training), f1, mean_f1([seen[place] for place in held])))
    return found


def judge_all(examples: Sequence[Example], model: ExtractorModel, fold: int) -> list[Judged]:
    """Judge pages by a model. `fold` is noted with each."""
    extractor = LearnedExtractor(model)
    found = []
    for example in examples:
        judgement, num_blocks, (f1, precision, recall) = extractor.judge(example.data, example.page.url)
        chosen = judgement.chosen[:num_blocks]
        text = word_counts(example.words.hashes[chosen[example.words.blocks]])
        page_type = PAGE_TYPES[int(judgement.types[0].argmax())]
        found.append(Judged(score(text, example.gold), Score(precision, recall, f1), page_type, fold))
    return found


def outcomes(examples: Sequence[Example], validation: Validation) -> list[Outcome]:
    """The pages of a cross-validation, in the order of its examples, with text and blocks."""
    extractors = {fold: LearnedExtractor(model) for fold, model in validation.models.items()}
    found = []
    for example, judged in zip(examples, validation.judged, strict=True):
        extractor = extractors[judged.fold]
        text = extractor.extract(example.utf8, example.page.url).text
        judgement, num_blocks, _ = extractor.judge(example.data, example.page.url)
        found.append(_outcome(example, judged, text, _blocks(example, judgement, num_blocks)))
    return found


def mean_f1(judged: Sequence[Judged]) -> float:
    """Mean F1 over pages, 0 of none."""
    return float(np.mean([one.score.f1 for one in judged])) if judged else 0.0


def sampled(examples: Sequence[Example], frac: float, settings: TrainingSettings) -> list[Example]:
    """About this share of the pages."""
    return [e for e in examples if uniform(e.page.url, settings.seed, "learning curve") < frac]


def _outcome(example: Example, judged: Judged, text: str, blocks: list[BlockOutcome]) -> Outcome:
    page, (precision, recall, f1) = example.page, judged.score
    return Outcome(
        url=page.url,
        host=page.host,
        page_type=page.page_type or "",
        language=page.language or "",
        gold=page.gold,
        text=text,
        f1=f1,
        precision=precision,
        recall=recall,
        expected_f1=judged.expected.f1,
        blocks=blocks,
    )


def _blocks(example: Example, judgement: Judgement, num_blocks: int) -> list[BlockOutcome]:
    page, blocks = judgement.page, judgement.blocks
    texts, words = block_texts(page, blocks, num_blocks), example.words.counts
    return [
        BlockOutcome(
            text=texts[block],
            path=_path(example, judgement, int(blocks.element[block])),
            probability=float(judgement.probability[block, 0]),
            share=float(example.share[block]),
            chosen=bool(judgement.chosen[block]),
            words=int(words[block]),
        )
        for block in range(num_blocks)
    ]


def _path(example: Example, judgement: Judgement, element: int) -> str:
    elements, names = judgement.page.elements, []
    while element > 0:
        name = example.utf8[int(elements.start[element]) + 1 : int(elements.attributes[element])]
        names.append(name.decode("utf-8", "replace").lower())
        element = int(elements.parent[element])
    return " > ".join(reversed(names))


def _part(progress: Progress, number: int, of: int) -> Callable[[float, str], None]:
    """Progress within one of several trainings."""
    return lambda done, what: progress((number + done) / of, f"{number + 1} of {of}: {what}")
