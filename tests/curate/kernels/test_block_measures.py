"""What the text of a block is like."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen_pages import NO_LEXICON, see

from curate.kernels.block_measures import MAX_PHRASE_WORDS, MEASURES

WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


def measures(page: str, text: str | None = None, lexicon: np.ndarray = NO_LEXICON) -> dict[str, float]:
    seen = see(page, lexicon=lexicon)
    block = 0 if text is None else seen.block(text)
    return dict(zip(MEASURES, seen.judgement.scratch.measures[block].tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two three", 3),
        ("Привет, мир!", 2),
        ("中文字 and 5", 5),
        ("don't", 2),
        ("a<b>b</b>c", 1),
        ("tail<br>of", 2),
    ],
)
def test_words_are_runs_of_letters_and_digits_or_han_characters(text: str, words: int) -> None:
    assert measures(f"<p>{text}</p>")["words"] == words


@given(st.text(st.characters(categories=("L", "Nd", "P", "Zs"), exclude_characters="_<&"), max_size=60))
def test_words_are_those_of_the_evaluation(text: str) -> None:
    seen = see(f"<p>{text}</p>")
    if seen.num_blocks:
        assert seen.judgement.scratch.measures[0, MEASURES.index("words")] == len(WORD.findall(text))


def test_white_space_counts_once_and_not_at_the_ends() -> None:
    assert measures("<p>  a \n\t b\u3000 </p>")["chars"] == 3


def test_text_within_links_is_counted_and_each_link_once() -> None:
    found = measures("<p>see <a href=x>the <b>whole</b></a> <a href=y>story</a></p>")
    assert (found["link_chars"], found["links"]) == (13, 2)


@pytest.mark.parametrize(
    ("text", "ends", "closes"),
    [("One. Two? Three!", 3, 1), ("Version 3.11 of a.b", 0, 0), ("结束。开始", 1, 0), ("Ends here.", 1, 1)],
)
def test_sentences_end_at_marks_that_are_followed_by_space(text: str, ends: int, closes: int) -> None:
    found = measures(f"<p>{text}</p>")
    assert (found["sentence_ends"], found["ends_sentence"]) == (ends, closes)


@pytest.mark.parametrize("text", ["the cat and the dog", "и в не на", "的是了", "und die Katze"])
def test_function_words_are_known_in_many_languages(text: str) -> None:
    assert measures(f"<p>{text}</p>")["function_words"] >= 2


def test_words_of_the_title_and_of_descriptions_are_found_again() -> None:
    head = '<title>Deep Sea Fish</title><meta name="description" content="A fish of the sea"><meta property="og:title">'
    found = measures(f"{head}<p>The sea fish swims deep</p>", "swims")
    assert (found["title_words"], found["description_words"]) == (3, 3)


def test_more_words_than_a_set_holds_do_no_harm() -> None:
    words = " ".join(f"w{i}" for i in range(300))
    metas = "".join(f'<meta name=description content="{words} {i} x{i}">' for i in range(200))
    assert measures(f"{metas}<p>w7 unknown</p>", "w7")["description_words"] >= 1


def test_phrases_are_looked_up_by_word_and_by_pair() -> None:
    page = "<p>Read more here</p>"
    places = see(page).judgement.places[0]
    assert (places[: 2 * 3] >= 0).sum() == 5  # three words, two pairs
    lexicon = NO_LEXICON.copy()
    lexicon[places[0]], lexicon[places[2]], lexicon[places[3]] = 1, 0.5, -2
    found = measures(page, lexicon=lexicon)
    assert (found["first_phrase"], found["phrase_sum"]) == (1, -0.5)
    assert (found["phrase_min"], found["phrase_max"]) == (-1.5, 1)


def test_a_word_has_the_same_place_whatever_its_case() -> None:
    assert see("<p>MORE</p>").judgement.places[0, 0] == see("<p>more</p>").judgement.places[0, 0]


def test_only_the_first_words_are_phrases() -> None:
    seen = see("<p>" + "word " * 100 + "</p>")
    assert (seen.judgement.places[0] >= 0).sum() == 2 * MAX_PHRASE_WORDS - 1


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        ("In 2019 and 20190", "years", 1),
        ("Home | About › Us", "separators", 2),
        ("$5 or €7", "currency", 2),
        ("Why? 何？", "questions", 2),
        ("me@x.org", "at_signs", 1),
        ("f(x) = {y}", "code_marks", 5),
        ("7 things", "starts_digit", 1),
        ("Åse", "starts_upper", 1),
        ("a<br>b<br>c", "lines", 2),
        ("中文 abc", "han", 2),
        ("x <b>bold</b>", "emphasis_chars", 4),
    ],
)
def test_counts(text: str, measure: str, value: float) -> None:
    assert measures(f"<p>{text}</p>")[measure] == value
