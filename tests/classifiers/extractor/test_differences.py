from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.differences import MAX_COMPARED_CHARS, cut, differences
from classifiers.extractor.scores import word_score, words

TEXT = st.text(alphabet="ab AB.\n一二\u0130\u2028\x00\u202e\U0001f600", max_size=60)


def marked(pieces: list[str]) -> Counter[str]:
    return Counter(word for piece in pieces[1::2] for word in words(piece))


@given(TEXT, TEXT)
def test_joined_pieces_are_the_texts(text, gold):
    ours, theirs = differences(text, gold)
    assert ("".join(ours), "".join(theirs)) == (text, gold)
    assert all(words(piece) for piece in ours[1::2] + theirs[1::2])


@given(TEXT)
def test_a_text_does_not_differ_from_itself(text):
    assert marked(differences(text, text)[0]) == Counter()


@given(TEXT, TEXT)
def test_as_many_words_are_common_on_one_side_as_on_the_other(text, gold):
    """And no more than the score counts."""
    ours, theirs = differences(text, gold)
    common = [
        sum((Counter(words(whole)) - marked(pieces)).values()) for whole, pieces in ((text, ours), (gold, theirs))
    ]
    assert common[0] == common[1]
    assert common[0] <= word_score(text, gold).precision * len(words(text)) + 1e-6


def test_missed_and_extra_words_are_marked_with_what_stands_between_them():
    ours, theirs = differences("Sign up now! Rain fell on Tuesday night.", "Rain fell on Tuesday night. By Ann Lee")
    assert ours == ["", "Sign up now", "! Rain fell on Tuesday night."]
    assert theirs == ["Rain fell on Tuesday night. ", "By Ann Lee", ""]


def test_a_moved_passage_is_no_difference():
    first, second = "one two three four five six", "seven eight nine ten eleven twelve"
    ours, theirs = differences(f"{first}\n{second}", f"{second}\n{first}")
    assert ours[1::2] == theirs[1::2] == []


def test_words_of_any_script_are_compared_one_by_one():
    ours, theirs = differences("今天北京下雨", "今天北京下雪")
    assert ours == ["今天北京下", "雨", ""]
    assert theirs == ["今天北京下", "雪", ""]


def test_empty_texts_have_one_empty_piece():
    assert differences("", "") == ([""], [""])
    assert differences("", "a b") == ([""], ["", "a b", ""])


def test_what_lies_beyond_the_bound_is_not_compared_and_not_lost():
    inside = " ".join(f"w{number:06}" for number in range(MAX_COMPARED_CHARS // 8)) + " "
    assert len(inside) == MAX_COMPARED_CHARS
    assert differences(inside + "left", "") == (["", inside.strip(), " left"], [""])
    assert differences(inside + "left", inside + "right") == ([inside + "left"], [inside + "right"])


def test_cut_keeps_the_first_characters_in_the_order_of_pieces():
    pieces = ["abc", "def", "ghi"]
    assert cut(pieces, 9) == cut(pieces, 100) == pieces
    assert cut(pieces, 6) == ["abc", "def"]
    assert cut(pieces, 5) == ["abc", "de"]
    assert cut(["", "abc"], 2) == ["", "ab"]
