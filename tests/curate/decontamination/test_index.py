"""Which n-grams of an item are looked for: sizes, short items, what says nothing, and what an item is decided by."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from evaluation_items import ANSWER, CHINESE, LONG, PASSAGE, SHORT, TINY

from curate.decontamination.index import CHARS_PER_WORD, PARTS, SetRules, Sizes, build, decided
from curate.errors import InputError

SIZES = Sizes(13, 8, 10)


def totals(*sets, sizes=SIZES):
    """Different n-grams of each part of each item."""
    return build(sets, sizes, 1, 0.0).totals.reshape(-1, len(PARTS)).tolist()


def test_the_ngrams_of_an_item_are_those_of_its_parts_and_of_the_seam(write_set):
    # 38 words of question, 17 of answer, 36 of passage; twelve 13-grams hold words of both question and answer.
    assert totals(write_set("one", (LONG, ANSWER, PASSAGE))) == [[26, 5, 12, 24]]
    assert totals(write_set("one", (LONG, "twenty one"))) == [[26, 0, 2, 0]]
    assert totals(write_set("one", ("", ANSWER))) == [[0, 5, 0, 0]]


@pytest.mark.parametrize(
    ("words", "least", "ngrams"), [(7, 8, 0), (8, 8, 1), (12, 8, 1), (13, 8, 1), (14, 8, 2), (7, 7, 1), (20, 13, 8)]
)
def test_a_short_part_is_looked_for_whole_if_it_is_not_too_short(write_set, words, least, ngrams):
    question = " ".join(LONG.split()[:words])
    found = totals(write_set("one", (question,), (LONG,)), sizes=Sizes(13, least, 10))
    assert found[0] == [ngrams, 0, 0, 0]


def test_a_short_question_is_looked_for_with_its_answer(write_set):
    assert totals(write_set("one", (TINY, "Some painter of Delft"), (LONG,)))[0] == [0, 0, 0, 0]
    assert totals(write_set("one", (TINY, "Some painter of old Delft"), (LONG,)))[0] == [0, 0, 1, 0]
    assert totals(write_set("one", (SHORT, "Vermeer van Delft"), (LONG,)))[0] == [1, 0, 1, 0]


def test_a_character_of_a_script_without_spaces_is_less_than_a_word(write_set):
    width = int(np.ceil(13 * CHARS_PER_WORD))
    index = build([write_set("zh", (CHINESE,))], SIZES, 1, 0.0)
    assert set(index.ngrams.width.tolist()) == {width}
    assert len(index.ngrams.key) == 43 - width + 1


def test_what_is_in_more_items_than_allowed_says_nothing(write_set):
    frame = "Which of the two following statements about the old harbour town is certainly wrong by all accounts"
    many = [
        (f"{frame}? The {n} bell rang twice on day {n * n} of the voyage while nobody was there",) for n in range(4)
    ]
    kept = build([write_set("one", *many)], Sizes(13, 8, 4), 1, 0.0)
    left = build([write_set("one", *many)], Sizes(13, 8, 3), 1, 0.0)
    assert len(kept.ngrams.key) - len(left.ngrams.key) == len(frame.split()) - 12 + 1  # "The" follows in all four
    assert (left.totals[:: len(PARTS)] > 0).all()
    halves = write_set("a", *many[:2]), write_set("b", *many[2:])
    assert len(build(halves, Sizes(13, 8, 3), 1, 0.0).ngrams.key) == len(left.ngrams.key)


def test_an_item_that_repeats_an_ngram_counts_once(write_set):
    twice = write_set("one", (f"{LONG} {LONG}",))
    assert len(build([twice], Sizes(13, 8, 1), 1, 0.0).ngrams.key) == 38


@pytest.mark.parametrize(
    ("question", "ngrams"),
    [
        (" ".join(map(str, range(13))), 0),  # numbers alone
        ("a b c d e " + " ".join(map(str, range(8))), 0),  # 5 of 13 are below 0.4
        ("a b c d e f " + " ".join(map(str, range(7))), 1),
        ("a b c d e a b c d e a b c", 0),
        ("a b c d e f a b c d e f a", 1),
    ],
)
def test_ngrams_of_few_different_words_say_nothing(write_set, question, ngrams):
    assert totals(write_set("one", (question,), (LONG,)))[0][0] == ngrams


def test_a_set_may_have_a_size_of_its_own_and_that_may_be_its_fifth_percentile(write_set):
    own = build([write_set("a", (LONG,), ngram_size=8), write_set("b", (PASSAGE,))], SIZES, 1, 0.0)
    assert sorted(set(own.ngrams.width.tolist())) == [8, 13]
    for words, size in ((5, 8), (8, 8), (10, 10), (13, 13), (30, 13)):
        items = [(" ".join(f"{word}{n}" for word in LONG.split()[:words]),) for n in range(40)] + [(LONG,)]
        found = build([write_set("a", *items)], Sizes("fifth_percentile", 8, 10), 1, 0.0)
        assert set(found.ngrams.width.tolist()) == {size}, words


def test_a_set_in_which_nothing_can_be_looked_for_is_an_error(write_set):
    with pytest.raises(InputError, match="no item of tiny has 8 words"):
        build([write_set("tiny", (TINY,), (TINY, "Nobody"))], SIZES, 1, 0.0)


def test_searchable_items_are_those_with_an_ngram_in_a_part_that_decides(write_set):
    items = (LONG,), (TINY, ANSWER), (TINY, "", PASSAGE), (TINY,)
    expected = {
        "question": [True, True, False, False],  # TINY and the beginning of ANSWER
        "question_and_answer": [True, True, False, False],
        "question_or_answer": [True, True, False, False],
        "any_part": [True, True, True, False],
    }
    for rule, searchable in expected.items():
        index = build([write_set("one", *items, decided_by=rule)], SIZES, 1, 0.0)
        wanted = searchable if rule != "question_and_answer" else [False, True, False, False]
        assert index.searchable().tolist() == wanted, rule


def test_what_an_item_is_decided_by():
    matched = np.array(list(itertools.product([False, True], repeat=4)))
    for rule in ("question", "question_and_answer", "question_or_answer", "any_part"):
        found = decided(matched, np.zeros(len(matched), np.int32), (SetRules("one", rule, 1, 0.0),))
        for (question, answer, running, passage), one in zip(matched.tolist(), found.tolist(), strict=True):
            assert (
                one
                == {
                    "question": question or running,
                    "question_and_answer": (question and answer) or running,
                    "question_or_answer": question or answer or running,
                    "any_part": question or answer or running or passage,
                }[rule]
            )


def test_ngrams_that_are_common_belong_to_nothing(write_set):
    index = build([write_set("one", (LONG,), (PASSAGE,))], SIZES, 1, 0.0)
    common = np.zeros(len(index.ngrams.key), np.bool_)
    common[index.postings[: len(common)] // len(PARTS) == 0] = True  # each n-gram is in one item here
    left = index.without(common)
    assert left.totals.reshape(-1, len(PARTS))[:, 0].tolist() == [0, 24]
    assert len(left.postings) == left.posting_offsets[-1] == 24


def test_the_index_of_a_published_set_says_what_it_weighs(shared_data):
    from curate.decontamination.evaluation_sets import EvaluationSet

    path = shared_data / "decontamination" / "gsm8k_test.jsonl.gz"
    index = build([EvaluationSet(name="gsm8k", path=str(path))], SIZES, 1, 0.0)
    assert index.searchable().all()
    assert (index.nbytes - index.ngrams.data.nbytes) / len(index.ngrams.key) < 60
