"""Two verdicts on one document: what counts as agreement, and which cause a difference is given."""

from __future__ import annotations

import doctest
import json
import math
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))  # as when one of them is run

from peers.compare import (  # noqa: E402
    Ours,
    Outcome,
    Rule,
    Theirs,
    compare,
    figure_cause,
    first_difference,
    largest_differences,
    share,
    signal_of,
)
from peers.documents import collect, split_language  # noqa: E402
from peers.environments import read_answer  # noqa: E402
from peers.ours import judge, same_words, steps_of  # noqa: E402
from peers.pairs import PAIRS, Pair  # noqa: E402
from peers.report import cell, consistent, markdown, percent, summarize, table  # noqa: E402

from curate.recipe import parse  # noqa: E402

RULES = [Rule("short", "below", 50), Rule("symbols", "above", 0.1), Rule("strange", "above", 0)]
REASONS = {"short": "word_count_below_min", "symbols": "symbol_word_ratio_above_max"}


def theirs(keep: bool | None = True, reason: str | None = None, text: str | None = None, **figures: Any) -> Theirs:
    figures = {"short": 60, "symbols": 0.0, "strange": None} | figures
    return Theirs(keep, reason, None if keep is not None else "ZeroDivisionError: by zero", figures, text)


def ours(reason: str | None = None, text: str | None = "t", words: int | None = 60, symbols: float = 0.0) -> Ours:
    broken = {"word_count_below_min"} if words is not None and words < 50 else set()
    broken |= {"symbol_word_ratio_above_max"} if symbols > 0.1 else set()
    return Ours(reason, {"word_count": words, "symbol_word_ratio": symbols}, frozenset(broken), text)


def outcome(left: Theirs, right: Ours, same_words: bool | None = None) -> Outcome:
    return compare("1", "t", left, right, RULES, REASONS, same_words)


@pytest.mark.parametrize(
    ("side", "figure", "broken"),
    [
        ("below", 49.9, True),
        ("below", 50.0, False),
        ("below", 50.1, False),
        ("above", 49.9, False),
        ("above", 50.0, False),
        ("above", 50.1, True),
        ("below", None, False),
        ("above", math.nan, True),
    ],
)
def test_a_figure_on_the_bound_is_kept(side: str, figure: float | None, broken: bool) -> None:
    assert Rule("r", side, 50).broken_by(figure) is broken


def test_two_that_keep_the_same_text_agree_on_everything() -> None:
    found = outcome(theirs(), ours())
    assert (found.same_keep, found.same_reason, found.same_text, found.differences, found.cause) == (
        True,
        None,
        True,
        (),
        "",
    )


def test_another_text_is_a_disagreement_with_the_same_verdict() -> None:
    found = outcome(theirs(text="theirs"), ours(text="ours"))
    assert (found.same_keep, found.same_text, found.cause) == (True, False, "text differs")


def test_both_drop_for_the_reason_that_corresponds() -> None:
    found = outcome(theirs(False, "short", short=40), ours("word_count_below_min", words=40))
    assert (found.same_keep, found.same_reason, found.same_text, found.cause) == (True, True, None, "")


def test_another_order_of_the_same_rules_is_another_reason_but_no_difference_of_rules() -> None:
    found = outcome(
        theirs(False, "short", short=40, symbols=0.5), ours("symbol_word_ratio_above_max", words=40, symbols=0.5)
    )
    assert (found.same_keep, found.same_reason, found.differences) == (True, False, ())


def test_the_difference_names_both_figures_and_the_bound() -> None:
    found = outcome(theirs(False, "symbols", symbols=0.5), ours(symbols=0.01))
    (difference,) = found.differences
    assert difference == ("symbols", 0.5, 0.01, 0.1, "figures differ")
    assert (found.same_keep, found.cause) == (False, "figures differ")


def test_a_peer_that_raises_agrees_with_nobody() -> None:
    for verdict in (ours(), ours("word_count_below_min", words=3)):
        found = outcome(theirs(None), verdict)
        assert (found.same_keep, found.differences, found.cause) == (False, (), "they raise ZeroDivisionError")


def test_our_own_error_is_told() -> None:
    assert outcome(theirs(), ours("error_memory")).cause == "we raise memory"


def test_rules_without_a_counterpart_are_named() -> None:
    assert outcome(theirs(False, "strange", strange=1), ours()).cause == "a rule of theirs alone: strange"
    assert outcome(theirs(), ours("odd_above_max")).cause == "a rule of ours alone: odd_above_max"


@pytest.mark.parametrize(
    ("their_figure", "our_figure", "same_words", "cause"),
    [
        (0.2003, 0.1998, None, "within 1% of the bound"),
        (0.2003, 0.1998, False, "word tokens differ"),
        (0.2003, 0.1998, True, "within 1% of the bound"),
        (0.25, 0.1999, None, "figures differ"),
        (0.2, 0.2 + 1e-9, False, "same figure, other comparison"),
        (None, 0.3, None, "not measured by them"),
        (0.3, None, None, "not measured by us"),
    ],
)
def test_causes(their_figure: float | None, our_figure: float | None, same_words: bool | None, cause: str) -> None:
    assert figure_cause(their_figure, our_figure, 0.2, same_words) == cause


def test_words_explain_only_what_counts_words() -> None:
    lines = [Rule("lines", "above", 0.1)]
    found = compare(
        "1",
        "t",
        Theirs(False, "lines", None, {"lines": 0.5}),
        Ours(None, {"dup_line_frac": 0.0}, frozenset()),
        lines,
        {"lines": "dup_line_frac_above_max"},
        False,
    )
    assert found.cause == "figures differ"
    assert outcome(theirs(False, "short", short=40), ours(), same_words=False).cause == "word tokens differ"


def test_the_largest_difference_names_its_document_and_the_part_that_differs() -> None:
    outcomes = [outcome(theirs(short=60 + gap), ours())._replace(doc_id=str(gap)) for gap in (0, 7, 3, 0)]
    found = largest_differences(outcomes, RULES, REASONS)
    assert found == {"short": (7, "7", 0.5), "symbols": (0, "7", 0.0)}


@given(st.lists(st.sampled_from([True, False, None])))
def test_a_share_counts_only_what_is_known(values: list[bool | None]) -> None:
    known = [value for value in values if value is not None]
    assert share(values) == (known.count(True) / len(known) if known else None)


@given(st.text(alphabet="ab\n"), st.text(alphabet="ab\n"))
def test_the_first_difference_is_found_wherever_it_is(left: str, right: str) -> None:
    told = first_difference(left, right)
    if left == right:
        assert told == f"theirs has {left.count(chr(10)) + 1} lines, ours {left.count(chr(10)) + 1}"
    elif told.startswith("line "):
        place = int(told.split()[1].rstrip(":")) - 1
        assert left.split("\n")[:place] == right.split("\n")[:place]


def test_a_difference_late_in_a_line_is_shown() -> None:
    assert first_difference("a" * 500 + "b", "a" * 500 + "c") == f"line 1: theirs '{'a' * 20}b', ours '{'a' * 20}c'"


def test_the_bar_is_99_5_percent() -> None:
    same, other = outcome(theirs(), ours()), outcome(theirs(), ours("word_count_below_min", words=3))
    documents = {"1": (None, "t")}
    on_it = summarize([same] * 199 + [other], RULES, REASONS, documents)
    below = summarize([same] * 198 + [other], RULES, REASONS, documents)
    assert (on_it["agreement"], on_it["passed"], on_it["theirs_kept"], on_it["ours_kept"]) == (0.995, True, 200, 199)
    assert below["passed"] is False
    assert below["causes"] == {"figures differ": 1}


def test_documents_on_which_the_peer_raises_count_on_no_side() -> None:
    summary = summarize(
        [outcome(theirs(None), ours()), outcome(theirs(), ours())], RULES, REASONS, {"1": ("http://a/", "t")}
    )
    assert (summary["documents"], summary["they_raised"], summary["agreement"]) == (1, 1, 1.0)
    assert [row["theirs"] for row in summary["disagreements"]] == ["ZeroDivisionError: by zero"]


def test_nothing_judged_does_not_pass() -> None:
    assert summarize([], RULES, REASONS, {})["passed"] is False


def test_figures_that_do_not_lead_to_the_peers_verdict_are_noticed() -> None:
    assert consistent(outcome(theirs(False, "short", short=40), ours()), RULES)
    assert not consistent(outcome(theirs(False, "short", short=60), ours()), RULES)


def test_a_report_shows_pages_as_text_and_never_as_markup() -> None:
    right = ours(text="<script>|ours")
    summary = summarize([outcome(theirs(text="*theirs*"), right)], RULES, REASONS, {"1": ("http://a/|<b>", "t")})
    result = {"pair": "p", "language": "en"} | summary
    absent = {"pair": "q", "language": "zh", "absent": "no such recipe"}
    text = markdown({"at": "now", "machine": "m", "results": [result, absent]})
    assert "<script>" not in text
    assert "<b>" not in text
    assert "no such recipe" in text
    assert json.loads(json.dumps(result)) is not None
    assert table([result, absent]).endswith("1 of 2 pass (same verdict on 99.50 % of the documents)")


def test_cell_keeps_a_table_a_table() -> None:
    assert cell("a|b\n`c` <d>") == r"a\|b \`c\` &lt;d&gt;"


def test_all_means_all() -> None:
    assert (percent(1.0), percent(1999 / 2000), percent(0.999999)) == ("100", "99.95", "99.99")


def test_reasons_name_signals() -> None:
    assert signal_of("word_count_below_min") == "word_count"
    for pair in PAIRS:
        assert all(signal_of(reason) for reason in pair.reasons.values())


def test_words_are_the_same_where_their_number_and_letters_are() -> None:
    texts = pa.table({"doc_id": ["1"], "url": [""], "language": ["en"], "text": ["one two 3"]})
    steps = parse({"stages": [{"gopher_repetition": {"words": "spaces"}}]}).stages
    for words, letters, same in ((3, 2 / 3, True), (4, 2 / 3, False), (3, 1.0, False)):
        figures = {"gopher_short_doc": words, "gopher_below_alpha_threshold": letters}
        assert same_words(texts, steps, {"1": Theirs(True, None, None, figures)}) == {"1": same}
    assert same_words(texts, steps, None) == {}
    assert same_words(texts, parse({"stages": ["pii"]}).stages, {}) == {}


def test_a_peers_file_is_read_by_filter_and_document(tmp_path: Path) -> None:
    verdict = {"keep": True, "reason": None, "error": None, "figures": {"short": 3}, "text": "less"}
    rows = [
        {"rules": {"f": [["short", "below", 50]]}, "bad_words": ["a b", "c"]},
        {"doc_id": "1", "word_count": 3, "filters": {"f": verdict}},
    ]
    path = tmp_path / "verdicts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    answer = read_answer(path)
    assert answer.rules == {"f": [Rule("short", "below", 50)]}
    assert answer.verdicts == {"f": {"1": Theirs(True, None, None, {"short": 3}, "less")}}
    assert answer.bad_words.read_text(encoding="utf-8") == "a b\nc"


def test_documents_come_once_by_language_and_without_the_empty_ones(tmp_path: Path) -> None:
    rows = {"url": ["http://a/", "http://b/", "http://c/"], "text": ["Ein Text.", " \n", "Noch ein Text."]}
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table(rows), path)
    found = collect([f"{path}:de", f"{path}:de"], ["en", "de"], tmp_path / "cache", None)
    assert {language: part["text"].to_pylist() for language, part in found.items()} == {
        "de": ["Ein Text.", "Noch ein Text."]
    }
    assert [len(part) for part in collect([f"{path}:de"], ["de"], tmp_path / "cache", 1).values()] == [1]


def test_their_doctests() -> None:
    for module in (sys.modules[f"peers.{name}"] for name in ("compare", "documents", "report")):
        failed, tried = doctest.testmod(module)
        assert (failed, tried > 0) == (0, True)


def test_a_path_may_hold_a_colon() -> None:
    assert split_language("s3://bucket/texts.parquet") == ("s3://bucket/texts.parquet", None)
    assert split_language("a:b/texts.parquet:zh") == ("a:b/texts.parquet", "zh")


def test_our_side_gives_every_broken_rule_of_every_step() -> None:
    recipe = parse({"stages": [{"gopher_quality": {"min_word_count": 3}, "languages": ["en"]}, "gopher_repetition"]})
    pair = Pair("r", ("gopher_quality",), "p", "f", {}, {"min_stop_word_count": 1})
    steps = steps_of(pair, recipe, Path(), "pl")
    texts = pa.table({"doc_id": ["1", "2"], "url": ["", ""], "language": ["pl", "pl"], "text": ["a b", "a b c the"]})
    (_, first), (_, second) = judge(texts, steps)
    assert (first.reason, first.broken) == (
        "word_count_below_min",
        frozenset({"word_count_below_min", "mean_word_length_below_min", "stop_word_count_below_min"}),
    )
    assert second.signals["word_count"] == 4
    assert second.text == "a b c the"
