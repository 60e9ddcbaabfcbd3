"""What becomes of documents that hold items: which parts decide, what is cut, and what is told."""

from __future__ import annotations

import random
import re

import pyarrow as pa
import pytest
from evaluation_items import ANSWER, CHINESE, LONG, PADDING, PASSAGE, SHORT, TINY

from curate.kernels.cuts import CUTS, cut

PAGE = PADDING * 12


def rest(text, row):
    """The text without its cuts."""
    return cut(pa.array([text]), pa.array([row["cuts"]], CUTS))[0].as_py()


@pytest.mark.parametrize(
    "changed",
    [
        LONG,
        LONG.upper(),
        LONG.replace(" ", "\n\t "),
        re.sub(r"[.,?]", "", LONG),
        LONG.replace(",", " –").replace(" ", " \u00a0"),
        "«" + LONG.replace(" ", "... ") + "»",
        LONG.replace("ferry", "fer\u00adry"),
        LONG.replace("i", "í"),
    ],
)
def test_case_punctuation_white_space_and_accents_do_not_hide_an_item(write_set, judged, changed):
    (row,) = judged(write_set("farm", (LONG,)), [f"{PAGE} {changed} {PAGE}"])
    assert (row["num_matches"], row["worst_share"], row["sets"]) == (1, 1.0, ["farm"])


def test_what_is_not_in_a_set_has_no_row(write_set, judged):
    tests = write_set("farm", (LONG, ANSWER, PASSAGE), (SHORT,), (TINY,))
    words = LONG.split()
    random.Random(1).shuffle(words)
    assert judged(tests, [PAGE, "", None, TINY, " ".join(words), " ".join(LONG.split()[:12])]) == [None] * 6


@pytest.mark.parametrize(
    ("rule", "contaminated"),
    [
        ("question", {"question", "both"}),
        ("question_and_answer", {"both"}),
        ("question_or_answer", {"question", "answer", "both"}),
        ("any_part", {"question", "answer", "both", "passage"}),
    ],
)
def test_the_parts_that_decide_decide_and_others_are_flagged(write_set, judged, rule, contaminated):
    tests = write_set("farm", (LONG, ANSWER, PASSAGE), decided_by=rule)
    texts = {"question": LONG, "answer": ANSWER, "both": f"{LONG} x {ANSWER}", "passage": PASSAGE}
    for name, text in texts.items():
        (row,) = judged(tests, [PAGE + text + ". " + PAGE])
        is_bad = name in contaminated
        assert (row["num_matches"], row["num_flagged"]) == ((1, 0) if is_bad else (0, 1)), name
        assert row["sets"] == (["farm"] if is_bad else [])
        assert (row["cuts"] is not None) == is_bad
        assert {match["verdict"] for match in row["matches"]} == {"contaminated" if is_bad else "flagged"}


def test_a_question_that_runs_into_its_answer_is_contaminated(write_set, judged):
    tests = write_set("farm", (TINY, "Some painter of old Delft"), decided_by="question_and_answer")
    (row,) = judged(tests, [f"{PAGE} {TINY} Some painter of old Delft. {PAGE}"])
    assert [match["part"] for match in row["matches"]] == ["question_answer"]
    assert row["num_matches"] == 1
    assert judged(tests, [f"{PAGE} {TINY} (A) Some painter of old Delft. {PAGE}"]) == [None]


def test_a_short_question_must_be_there_whole(write_set, judged):
    tests = write_set("art", (SHORT,))
    assert judged(tests, [PAGE + SHORT])[0]["num_matches"] == 1
    assert judged(tests, [PAGE + SHORT.replace("Which painter", "What painter")]) == [None]


def test_chinese_is_compared_by_characters(write_set, judged):
    tests = write_set("zh", (CHINESE,))
    other = "今天天气很好，我们去公园散步。" * 30
    (row,) = judged(tests, [other + CHINESE.replace("，", "、") + other])
    assert row["num_matches"] == 1
    assert CHINESE[5:15] not in rest(other + CHINESE.replace("，", "、") + other, row)
    assert judged(tests, [other + CHINESE[:20] + other]) == [None]


@pytest.mark.parametrize(("kept_words", "found"), [(13, True), (12, False)])
def test_one_ngram_is_enough(write_set, judged, kept_words, found):
    part = " ".join(LONG.split()[3 : 3 + kept_words])
    (row,) = judged(write_set("farm", (LONG,)), [f"{PAGE} x {part} y {PAGE}"])
    assert (row is not None) == found
    if found:
        assert [(m["ngrams"], m["share"]) for m in row["matches"]] == [(1, pytest.approx(1 / 26))]


@pytest.mark.parametrize(("setting", "below"), [("min_ngrams", 5), ("min_share", 4 / 26)])
def test_thresholds_are_inside_and_a_set_may_have_its_own(write_set, judged, setting, below):
    text = PAGE + " x " + " ".join(LONG.split()[:16]) + " y " + PAGE  # 4 of 26 n-grams
    on_bound = 4 if setting == "min_ngrams" else 4 / 26
    tests = write_set("farm", (LONG,))
    assert judged(tests, [text], **{setting: on_bound})[0]["num_matches"] == 1
    above = below if setting == "min_ngrams" else below + 1e-9
    assert judged(tests, [text], **{setting: above}) == [None]
    assert judged(tests.model_copy(update={setting: above}), [text]) == [None]
    assert judged(tests.model_copy(update={setting: on_bound}), [text], **{setting: above})[0]["num_matches"] == 1


def test_an_item_with_fewer_ngrams_than_wanted_must_have_all(write_set, judged):
    assert judged(write_set("art", (SHORT,)), [PAGE + SHORT], min_ngrams=5)[0]["num_matches"] == 1


def test_actions(write_set, judged):
    tests = write_set("farm", (LONG,))
    text = PAGE + LONG + " " + PAGE
    (dropped,) = judged(tests, [text], action="drop")
    (flagged,) = judged(tests, [text], action="flag")
    (cut_out,) = judged(tests, [text])
    assert [row["drop_reason"] for row in (dropped, flagged, cut_out)] == ["contaminated", None, None]
    assert [row["cuts"] is None for row in (dropped, flagged, cut_out)] == [True, True, False]
    assert {row["num_matches"] for row in (dropped, flagged, cut_out)} == {1}


def test_the_margin_goes_and_short_pieces_with_it(write_set, judged):
    tests = write_set("farm", (LONG,))
    text = PAGE + LONG + " " + PAGE
    (row,) = judged(tests, [text])
    left = rest(text, row)
    assert 2 * len(PAGE) - 2 * (200 + len(PADDING)) <= len(left) <= 2 * len(PAGE) - 400
    assert left == PADDING * (len(left) // len(PADDING))  # whole sentences
    (short,) = judged(tests, [LONG + " " + PADDING * 3])
    assert (short["drop_reason"], short["cuts"]) == ("nothing_left", None)
    (kept,) = judged(tests, [LONG + " " + PADDING * 3], margin_chars=0, min_piece_chars=0)
    assert rest(LONG + " " + PADDING * 3, kept) == PADDING * 3


@pytest.mark.parametrize(("copies", "reason"), [(9, None), (10, "too_many_pieces")])
def test_a_document_in_too_many_pieces_goes(write_set, judged, copies, reason):
    text = (PAGE + LONG + " ") * copies + PAGE  # one piece more than copies
    (row,) = judged(write_set("farm", (LONG,)), [text])
    assert row["drop_reason"] == reason
    assert len(row["cuts"] or ()) == (9 if reason is None else 0)


def test_flagged_matches_are_not_cut_beside_contaminated_ones(write_set, judged):
    tests = write_set("farm", (LONG,), (SHORT, "", PASSAGE))
    text = f"{PAGE} {LONG} {PAGE} {PASSAGE} {PAGE}"
    (row,) = judged(tests, [text])
    assert (row["num_matches"], row["num_flagged"], len(row["cuts"])) == (1, 1, 1)
    assert PASSAGE in rest(text, row)


@pytest.mark.parametrize("flagged_first", [True, False])
def test_what_is_contaminated_by_one_item_and_flagged_by_another_is_cut(write_set, judged, flagged_first):
    sets = [write_set("flagging", (SHORT, "", LONG)), write_set("farm", (LONG,))]
    (row,) = judged(sets if flagged_first else sets[::-1], [PAGE + LONG + " " + PAGE])
    assert (row["num_matches"], row["num_flagged"], row["sets"], len(row["cuts"])) == (1, 1, ["farm"], 1)


def test_all_that_matches_of_a_contaminated_item_is_cut(write_set, judged):
    tests = write_set("farm", (LONG, ANSWER, PASSAGE))
    text = f"{PAGE} {LONG} {PAGE} {PASSAGE} {PAGE} {ANSWER} {PAGE}"
    (row,) = judged(tests, [text])
    assert len(row["cuts"]) == 3
    assert not any(part[20:60] in rest(text, row) for part in (LONG, PASSAGE, ANSWER))


def test_the_evidence_shows_both_sides(write_set, judged):
    tests = write_set("farm", (SHORT,), ("Q. " + LONG + " " + PASSAGE, ANSWER))
    text = PAGE + "And so: " + LONG.upper() + " That is it. " + PAGE
    (row,) = judged(tests, [text])
    (match,) = row["matches"]
    assert match["document_text"] == LONG.upper().rstrip("?")
    assert match["item_text"] == ("Q. " + LONG + " " + PASSAGE)[:300]
    assert (match["set"], match["item"], match["item_id"], match["part"]) == ("farm", 1, "farm/1", "question")
    (row,) = judged(tests, [PAGE + ANSWER + PAGE])
    assert [(m["part"], m["document_text"], m["item_text"]) for m in row["matches"]] == [
        ("answer", ANSWER.rstrip("."), ANSWER)
    ]


def test_one_text_in_two_sets_is_found_in_both(write_set, judged):
    (row,) = judged([write_set("b", (LONG,)), write_set("a", (SHORT,), (LONG,))], [PAGE + LONG])
    assert row["sets"] == ["a", "b"]
    assert [(m["set"], m["item"]) for m in row["matches"]] == [("b", 0), ("a", 1)]


def test_a_document_that_is_the_whole_set_many_times(write_set, judged):
    items = [(f"{LONG} Number {n} of all.", ANSWER, PASSAGE) for n in range(10)]
    (row,) = judged(write_set("farm", *items), ["\n".join(" ".join(item) for item in items) * 30])
    assert row["num_matches"] == 10
    assert row["drop_reason"] == "nothing_left"
    assert all(len(match["document_text"]) <= 300 for match in row["matches"])


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_document_is_judged_alone(write_set, judged, size):
    tests = write_set("farm", (LONG, ANSWER, PASSAGE), (SHORT,))
    pieces = [LONG, SHORT, ANSWER, PADDING * 3, TINY, PASSAGE, "日本 ", "\x00 "]
    chosen = random.Random(3)
    texts = ["".join(chosen.choices(pieces, k=chosen.randrange(8))) for _ in range(40)] + [None, ""]
    together = [row and {**row, "node": 0} for row in judged(tests, texts)]
    alone = [row for i in range(0, len(texts), size) for row in judged(tests, texts[i : i + size])]

    def without_ids(row):
        bare = [{**match, "doc_id": None, "url": None} for match in row["matches"]]
        return {**row, "node": 0, "matches": bare}

    assert [row and without_ids(row) for row in together] == [row and without_ids(row) for row in alone]
    assert sum(row is not None for row in together) > 20
