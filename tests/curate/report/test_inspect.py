from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from curate.errors import InputError
from curate.report.inspect import funnel_table, harmless, one_line, show_document, show_run, training_lines

GONE = {"drop_stage": "gopher_quality", "drop_reason": "word_count_below_min"}
NASTY = "\x1b]0;title\x07\x1b[2J\x9b31m\r\u202e[red]bold[/red] \u2028"


def printed(width: int = 80) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, color_system=None), out


def shown(run: Any, **options: Any) -> str:
    console, out = printed()
    show_run(run.root, console, **{"stage": None, "reason": None, "samples": 2, **options})
    return out.getvalue()


@pytest.fixture
def run(folder, make_row) -> Any:
    folder.add_kept([make_row(1, "a kept text", url="https://kept.example/")])
    signals = {"word_count": 7, "alphabetic_word_frac": 0.9}
    folder.add_dropped([make_row(n, "a short text", gopher_quality=signals, **GONE) for n in (2, 3, 4)])
    twin = {"duplicate_of": make_row(1)["doc_id"], "jaccard": 0.9}
    gone = make_row(5, "a twin", near_dedup=twin, drop_stage="near_dedup", drop_reason="near_duplicate")
    folder.add_dropped([gone], passed="03-documents")
    return folder.finish()


@given(st.text())
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    left = harmless(text)
    assert len(left) == len(text)
    assert all(c in "\n\t\u200c\u200d" or unicodedata.category(c)[0] != "C" or c == "·" or (not c.isprintable()
               and unicodedata.category(c) == "Cn") for c in left)  # fmt: skip
    assert not {"\n", "\t"} & set(one_line(text))


def test_funnel_fits_eighty_columns_with_whole_names(run) -> None:
    record = run.read_json("run.json")
    record["funnel"]["stages"][1]["reasons"] = {f"dup_paragraph_char_frac_above_max_{n}": 10**9 + n for n in range(9)}
    console, out = printed(80)
    console.print(funnel_table(record))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("dup_paragraph_char_frac_above_max_" in line for line in lines) == 6
    assert any("3 more reasons" in line for line in lines)


def test_run_shows_funnel_kept_and_dropped_samples(run) -> None:
    out = shown(run)
    for text in ("KEPT web", "a kept text", "DROPPED gopher_quality: word_count_below_min", "https://kept.example/"):
        assert text in out
    assert out.count("a short text") == 2
    assert "Jaccard similarity 0.900" in out
    assert "a kept text" not in shown(run, samples=0)


def test_stage_and_reason_choose_what_is_shown(run) -> None:
    for options in ({"stage": "near_dedup"}, {"reason": "near_duplicate"}):
        out = shown(run, **options)
        assert "a twin" in out
        assert "a short text" not in out
        assert "a kept text" not in out
    assert "nothing was dropped by read" in shown(run, stage="read")


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"stage": "near_dedupe"}, "near_dedup"),
        ({"reason": "word_count"}, "word_count_below_min"),
        ({"stage": "near_dedup", "reason": "near_duplicates"}, "near_duplicate"),
    ],
)
def test_unknown_name_is_an_error_with_the_nearest(run, options: dict[str, str], near: str) -> None:
    with pytest.raises(InputError, match=f"Did you mean: {near}"):
        shown(run, **options)


def test_reason_of_another_stage_is_unknown(run) -> None:
    with pytest.raises(InputError, match="what near_dedup dropped"):
        shown(run, stage="near_dedup", reason="word_count_below_min")


def test_document_says_why_it_went_and_what_its_signals_were(run, make_row) -> None:
    console, out = printed()
    show_document(run.root, "0002", console)
    text = out.getvalue()
    assert "DROPPED gopher_quality: word_count_below_min" in text
    assert "word_count: 7  (kept from 50 to 100,000: OUTSIDE)" in text
    assert "alphabetic_word_frac: 0.9  (kept from 0.8)" in text
    assert "a short text" in text


def test_duplicate_says_what_stands_for_it(run, make_row) -> None:
    console, out = printed()
    show_document(run.root, "0005", console)
    assert f"stands for it: {make_row(1)['doc_id']}, Jaccard similarity 0.900 (kept)" in out.getvalue()
    assert "https://kept.example/" in out.getvalue()


def test_kept_document_is_shown_by_an_id_in_capitals(folder, make_row) -> None:
    folder.add_kept([make_row(0xABCD)])
    console, out = printed()
    show_document(folder.finish().root, " ABCD", console)
    assert "KEPT" in out.getvalue()


def test_unknown_document_is_an_error(run) -> None:
    with pytest.raises(InputError, match="begins with 'ffff'"):
        show_document(run.root, "ffff", printed()[0])


def test_hostile_text_reaches_the_terminal_as_text(folder, make_row) -> None:
    where = {"url": NASTY, "source": NASTY, "language": NASTY, "meta": [("title", NASTY), (NASTY, NASTY)]}
    signals = {"word_count": 1, "alphabetic_word_frac": 0.5, "note": NASTY}
    folder.add_kept([make_row(1, NASTY, gopher_quality=signals, **where)])
    gone = {"drop_stage": NASTY, "drop_reason": NASTY}
    folder.add_dropped([make_row(2, NASTY, gopher_quality=signals, **where, **gone)])
    folder.more = {"model": {"samples": [NASTY]}}
    run = folder.finish()
    console, out = printed()
    show_document(run.root, "0", console)
    text = out.getvalue() + shown(run)
    assert not set("\x1b\x07\x9b\r\u202e\u2028") & set(text)
    assert "[red]bold[/red]" in text


def test_tokens_and_model_are_told(tokens, model) -> None:
    lines = "\n".join(training_lines({"tokens": tokens, "model": model}))
    assert "web: 900, asked 75.0%, delivered 50.0%, 2.00 epochs" in lines
    assert "validation loss: 3.250 nats a token, 1.500 bits a byte" in lines
    assert "unigram entropy of the validation tokens: 5.250 nats a token, 2.250 bits a byte" in lines
    assert training_lines({}) == training_lines({"model": {"begun": "0"}}) == []


def test_run_without_a_funnel_says_what_stopped_it(folder) -> None:
    folder.more, folder.status = {"error": "no Java"}, "failed"
    run = folder.finish(passes=())
    record = run.read_json("run.json")
    del record["funnel"]
    run.write_json(record, "run.json")
    with pytest.raises(InputError, match="no Java"):
        shown(run)


def test_folder_without_a_run_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError, match=r"run\.json"):
        show_run(str(tmp_path), printed()[0], stage=None, reason=None, samples=1)
