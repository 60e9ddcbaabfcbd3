from __future__ import annotations

import math

import numpy as np
import pytest

from classifiers.extractor.lexicon import Evidence, PageEvidence, learned_lexicon

NOTHING = Evidence(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32))


def evidence(**of_place: tuple[float, float]) -> Evidence:
    places = [int(name.removeprefix("p")) for name in of_place]
    fracs, weights = zip(*of_place.values(), strict=True)
    return Evidence(np.array(places, np.int32), np.array(fracs, np.float32), np.array(weights, np.float32))


def test_entries_are_log_odds_against_all_places():
    pages = [PageEvidence(evidence(p5=(1.0, 1.0), p9=(0.0, 1.0)), NOTHING)] * 3
    found = learned_lexicon(pages, smoothing=1.0, max_log_odds=9.0)
    assert found[5] == pytest.approx(math.log(3.5 / 0.5))  # half of all is main text
    assert found[9] == pytest.approx(math.log(0.5 / 3.5))
    assert np.count_nonzero(found) == 2
    assert (found.dtype, found.shape) == (np.float32, (1 << 16,))


def test_bounds_hold_on_both_sides():
    pages = [PageEvidence(evidence(p5=(1.0, 1.0), p9=(0.0, 1.0)), NOTHING)] * 3
    found = learned_lexicon(pages, smoothing=1.0, max_log_odds=1.0)
    assert (found[5], found[9]) == (1.0, -1.0)


def test_the_kind_with_more_evidence_has_a_place_of_both():
    classes = evidence(p5=(1.0, 1.0), p6=(0.0, 1.0))
    phrases = evidence(p5=(0.0, 0.5), p7=(1.0, 0.5))
    assert learned_lexicon([PageEvidence(classes, phrases)], 1.0, 3.0)[5] > 0
    heavier = phrases._replace(weight=phrases.weight * 4)
    assert learned_lexicon([PageEvidence(classes, heavier)], 1.0, 3.0)[5] < 0


@pytest.mark.parametrize("frac", [0.0, 1.0])
def test_where_all_or_nothing_is_main_text_no_word_tells(frac):
    assert not learned_lexicon([PageEvidence(evidence(p5=(frac, 1.0)), NOTHING)], 1.0, 3.0).any()


def test_no_pages_know_nothing():
    assert not learned_lexicon([], 1.0, 3.0).any()
