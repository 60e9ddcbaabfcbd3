"""Overlaps are resolved one way, and replaced places are known in the text before."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from curate.pii.spans import ENTITIES, Span, in_original, replace, resolve

spans = st.lists(
    st.builds(
        lambda start, length, entity, score: Span(start, start + length, entity, score),
        st.integers(0, 60),
        st.integers(1, 15),
        st.sampled_from(ENTITIES),
        st.sampled_from([0.4, 0.5, 1.0]),
    ),
    max_size=12,
)


def test_the_higher_score_wins_then_the_longer_the_earlier_the_name() -> None:
    assert resolve([Span(0, 9, "PHONE_NUMBER", 0.4), Span(4, 6, "IP_ADDRESS", 0.6)]) == [Span(4, 6, "IP_ADDRESS", 0.6)]
    assert resolve([Span(0, 4, "PHONE_NUMBER", 0.4), Span(2, 9, "PHONE_NUMBER", 0.4)])[0].start == 2
    assert resolve([Span(2, 6, "PHONE_NUMBER", 0.4), Span(0, 4, "PHONE_NUMBER", 0.4)])[0].start == 0
    assert resolve([Span(0, 4, "PHONE_NUMBER", 0.4), Span(0, 4, "IBAN_CODE", 0.4)])[0].entity == "IBAN_CODE"


@given(spans, st.randoms(use_true_random=False))
def test_what_is_kept_does_not_overlap_and_does_not_depend_on_order(given: list[Span], shuffle: random.Random) -> None:
    kept = resolve(given)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert all(any(s.start < k.end and k.start < s.end for k in kept) for s in given)  # a loser lost to somebody
    shuffled = list(given)
    shuffle.shuffle(shuffled)
    assert resolve(shuffled) == kept


@given(spans, spans)
def test_later_spans_come_back_to_the_text_before(first: list[Span], second: list[Span]) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(80))  # every character is unique
    earlier = resolve(first)
    replaced = replace(text, earlier, "<{entity}>")
    later = [s for s in resolve(second) if all(c in text for c in replaced[s.start : s.end]) and s.end <= len(replaced)]
    later = [s for s in later if replaced[s.start : s.end] in text]  # one that lies between placeholders
    together = in_original(later, earlier, "<{entity}>")
    moved = [s for s in together if s not in earlier]
    assert [text[s.start : s.end] for s in moved] == [replaced[s.start : s.end] for s in later]
    assert replace(text, together, "<{entity}>") == replace(replaced, later, "<{entity}>")
