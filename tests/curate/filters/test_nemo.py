"""NeMo Curator's rules for English: each published bound keeps what lies on it and drops what lies beyond."""

from __future__ import annotations

import pytest

from curate.filters.nemo import BOILERPLATE, NemoEnglish

STAGE = NemoEnglish()
BOUNDS = [name for name in NemoEnglish.model_fields if name.startswith(("min_", "max_"))]
PROSE = "The rain that fell to the north of the old town was seen by few of those who have a window there."


def only(bound):
    """The stage with one of its bounds, at its default."""
    return NemoEnglish(**{name: None for name in BOUNDS if name != bound})


def joined(by, one, times, other, others):
    return by.join([one] * times + [other] * others)


def numbered(by, different, all_):
    """`all_` units of equal length, `different` of them different."""
    return by.join(f"unit {i % different:02}" for i in range(all_))


def padded(text, chars):
    return text + " " + "z" * (chars - len(text) - 1)


def top(n, bound, chars_less):
    """A text of which the most frequent n-gram is the share `bound`; fewer characters make that more."""
    return padded(" ".join([" ".join("abcd"[:n])] * round(bound * 100)), 100 * (2 * n - 1) - chars_less)


def dup(n, bound, chars_less):
    """The same for an n-gram that recurs; a different word stands between its occurrences."""
    gram = " ".join("abcdefghij"[:n])
    return padded(" ".join(f"{gram} {i:02}" for i in range(round(bound * 100) + 1)), 100 * (2 * n - 1) - chars_less)


# On the bound, within it, beyond it.
CASES = {
    "max_non_alphanumeric_frac": ("a?!-", "a?!,-", "a.-"),
    "max_symbol_word_frac": tuple(joined(" ", "#", 1, "word", others) for others in (9, 10, 8)),
    "max_digit_frac": ("123" + "a" * 17, "12" + "a" * 18, "1٣3" + "a" * 16),
    "max_url_char_frac": tuple("http://a " + "a" * others for others in (31, 32, 30)),
    "max_white_space_frac": ("aaa\t", "aaaa\n", "aa\b"),
    "max_parenthesis_frac": ("{" + "a" * 9, "⟩" + "a" * 10, "(" + "a" * 8),
    "max_boilerplate_paragraph_frac": tuple(
        joined("\n\n", "Our Privacy Policy.", times, "Rain.", 5 - times) for times in (2, 1, 3)
    ),
    "min_unique_line_frac": tuple(numbered("\n", different, 10) for different in (7, 8, 6)),
    "min_unique_paragraph_frac": tuple(numbered("\n\n", different, 10) for different in (7, 8, 6)),
    "min_unique_line_char_frac": tuple(numbered("\n", different, 10) for different in (8, 9, 7)),
    "min_unique_paragraph_char_frac": tuple(numbered("\n\n", different, 10) for different in (8, 9, 7)),
    "min_word_count": tuple("word " * number for number in (50, 51, 49)),
    "max_word_count": tuple("word " * number for number in (100_000, 99_999, 100_001)),
    "max_unended_line_frac": tuple(joined("\n", "Rain", times, "Rain.", 20 - times) for times in (17, 16, 18)),
    "min_alphabetic_word_frac": ("a b c d 1", "a b c d", "a b c 1"),
    "min_stop_word_count": ("the the", "the of and", "the The Of"),
    "min_mean_word_length": ("aaa", "aaa aaaa", "aaa aa"),
    "max_mean_word_length": ("a" * 10, "a" * 9, "a" * 10 + " " + "a" * 11),
    "max_longest_word_chars": tuple("a " + "é" * chars for chars in (1000, 999, 1001)),
    "max_ellipsis_line_frac": tuple(joined("\n", "Read more", times, "Rain.", 10 - times) for times in (3, 2, 4)),
    "max_bullet_line_frac": tuple(joined("\n", "  • Rain", times, "- Rain", 10 - times) for times in (9, 8, 10)),
    **{
        f"max_top_{n}gram_char_frac": tuple(top(n, bound, less) for less in (0, -1, 1))
        for n, bound in ((2, 0.20), (3, 0.18), (4, 0.16))
    },
    **{
        f"max_dup_{n}gram_char_frac": tuple(dup(n, bound, less) for less in (0, -1, 1))
        for n, bound in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
    },
}


def test_every_bound_is_tried():
    assert list(CASES.keys() - set(BOUNDS)) == list(set(BOUNDS) - CASES.keys()) == []


@pytest.mark.parametrize("bound", BOUNDS)
def test_what_lies_on_a_bound_is_kept_and_what_lies_beyond_is_not(reasons, bound):
    on_it, within, beyond = CASES[bound]
    assert reasons(only(bound), on_it) == []
    assert reasons(only(bound), within) == []
    side, signal = bound.split("_", 1)
    assert reasons(only(bound), beyond) == [f"{signal}_{'below' if side == 'min' else 'above'}_{side}"]


@pytest.mark.parametrize("phrase", BOILERPLATE)
def test_every_phrase_of_boilerplate_is_known_in_any_case(reasons, phrase):
    assert reasons(only("max_boilerplate_paragraph_frac"), f"We think: {phrase.upper()}!") != []


def test_lorem_ipsum_in_one_paragraph_of_many_drops(reasons):
    text = "\n\n".join(["Rain."] * 50 + ["Lorem ipsum dolor"])
    assert reasons(only("max_boilerplate_paragraph_frac"), text) != []


def test_prose_is_kept_null_is_kept_and_empty_is_not(reasons):
    text = "\n".join(PROSE.replace("rain", word) for word in ("rain", "snow", "hail"))
    assert reasons(NemoEnglish(**dict.fromkeys((b for b in BOUNDS if "gram" in b), None)), text) == []
    assert reasons(STAGE, None) == []
    assert reasons(STAGE, "")[0] == "non_alphanumeric_frac_above_max"


def test_none_turns_a_bound_off():
    assert NemoEnglish(**dict.fromkeys(BOUNDS, None)).limits == ()
