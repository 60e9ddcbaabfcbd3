"""Extractors on the same pages: by turns, with their faults counted, and shown in tables."""

from __future__ import annotations

import json
import logging

import pytest

from classifiers.extractor import evaluate as module
from classifiers.extractor.evaluate import (
    BLOCK,
    Answers,
    Report,
    evaluate,
    extractor,
    sample,
    scored,
)
from classifiers.extractor.gold import GoldPage
from classifiers.extractor.tables import as_json, lines, tables
from curate.errors import RecipeError

STORY = "The heron stands still in the shallow water until a fish comes near, and then it is very fast. " * 6


def page(number: int, gold: str, page_type: str | None = None, language: str | None = None) -> GoldPage:
    html = f"<html><body><nav>Home About</nav><article><p>{gold}</p></article></body></html>".encode()
    return GoldPage(
        f"http://host{number}.org/{number}", f"host{number}.org", None, html, gold, page_type, language, "s"
    )


PAGES = [page(n, f"{STORY} Page {n}.", ("article", "forum")[n % 2]) for n in range(2 * BLOCK + 3)]


def whole(payload: bytes, url: str | None, charset: str | None) -> str:
    return payload.decode().replace("<", " <")


def nothing(payload: bytes, url: str | None, charset: str | None) -> None:
    """None stands for no text."""


def breaks_on_forums(payload: bytes, url: str | None, charset: str | None) -> str:
    if PAGES[int((url or "").rpartition("/")[2])].page_type == "forum":
        raise KeyError("no idea")
    logging.getLogger("somebody").error("a page")
    return whole(payload, url, charset)


def test_extractors_of_ours_and_of_a_user_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "whole", whole, raising=False)
    names = ["trafilatura", "trafilatura_fast", "resiliparse", "classifiers.extractor.evaluate:whole"]
    report = evaluate(PAGES[:2], names)
    assert [result.name for result in report.results] == names
    assert report.baseline().name == "trafilatura"
    for result in report.results[:3]:
        assert result.scores[0].f1 > 0.9
        assert result.seconds is not None
    assert 0 < report.results[3].scores[0].precision < 1
    assert report.results[3].scores[0].recall == 1


def test_an_exception_is_an_empty_text_and_is_counted(capfd: pytest.CaptureFixture[str]) -> None:
    (result,) = evaluate(PAGES, {"mine": lambda pages: module._answers(breaks_on_forums, pages)}).results
    forums = [page.page_type == "forum" for page in PAGES]
    assert result.num_failed == sum(forums)
    assert [text == "" for text in result.texts] == forums
    assert capfd.readouterr() == ("", "")  # what libraries log about a page is not shown
    assert logging.root.manager.disable == logging.NOTSET


def test_extractors_take_turns_and_are_warmed_up() -> None:
    turns: list[tuple[str, int]] = []

    def noting(name: str):
        def answers(pages):
            turns.append((name, len(pages)))
            return Answers(["x"] * len(pages), 0.5, 0)

        return answers

    report = evaluate(PAGES, {"a": noting("a"), "b": noting("b")})
    assert turns == [("a", 1), ("b", 1), *[("a", BLOCK), ("b", BLOCK)] * 2, ("a", 3), ("b", 3)]
    assert report.results[0].seconds == 1.5  # the warm-up does not count
    assert report.results[0].pages_per_second == len(PAGES) / 1.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trafilatur", "Did you mean: trafilatura"),
        ("no.such.module:f", "cannot import"),
        ("json:no_such_function", "no function 'no_such_function'"),
        ("json:__doc__", "takes \\(payload, url, charset\\)"),
    ],
)
def test_an_unknown_extractor_is_named(name: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        extractor(name)


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one page"):
        evaluate([], ["trafilatura"])
    with pytest.raises(ValueError, match="one extractor"):
        evaluate(PAGES, [])


def test_a_sample_does_not_depend_on_order() -> None:
    assert sample(PAGES, 7) == sample(PAGES[::-1], 7)
    assert len(sample(PAGES, 7)) == 7
    assert sample(PAGES, 7) != sample(PAGES, 7, seed=1)
    assert sorted(sample(PAGES, 0)) == sorted(PAGES)
    assert len(sample(PAGES, 1_000)) == len(PAGES)


@pytest.fixture
def report() -> Report:
    pages = [page(1, "a b", "article", "en"), page(2, "c", "forum [x]", "en"), page(3, "d", None, "el")]
    return Report(
        pages,
        [
            scored("mine", ["a b", "c", "d"], pages, 0.5),
            scored("trafilatura", ["a", "c x", ""], pages, 5.0, 1),
            scored("kept", ["a b", "c x", ""], pages),
        ],
    )


def test_tables_show_every_extractor_and_group(report: Report) -> None:
    text = lines(tables(report))
    assert "3 pages" in text
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:-1]]
        for line in text.splitlines()
        if "│" in line
    }
    assert rows["forum [x]"] == ["1", "1.0000", "0.6667", "0.6667"]
    assert rows["en"] == ["2", "1.0000", "0.6667", "0.8333"]
    assert "F1 by page type" in text
    assert "F1 by source" not in text  # all pages have one
    assert rows["kept"] == ["+0.1111", "+0.0000 to +0.3333", "1", "0"]


def test_speed_is_shown_beside_the_baseline(report: Report) -> None:
    text = lines(tables(report)[:1])
    mine = next(line for line in text.splitlines() if "mine" in line)
    assert [cell.strip() for cell in mine.split("│")[6:9]] == ["6.0", "10.00", "0"]
    kept = next(line for line in text.splitlines() if "kept" in line)
    assert [cell.strip() for cell in kept.split("│")[6:9]] == ["-", "-", "0"]


def test_json_holds_what_the_tables_show(report: Report) -> None:
    found = json.loads(json.dumps(as_json(report)))
    assert found["baseline"] == "trafilatura"
    assert found["extractors"]["trafilatura"]["failed"] == 1
    assert found["extractors"]["mine"]["speed_ratio"] == 10
    assert found["extractors"]["mine"]["f1_by_page"] == [1, 1, 1]
    assert found["extractors"]["kept"]["groups"]["language"]["en"]["mean"] == pytest.approx(5 / 6)
    assert set(found["extractors"]["kept"]["groups"]) == {"page_type", "language"}
    assert found["pages"][0] == {"url": "http://host1.org/1", "page_type": "article", "language": "en", "source": "s"}


def test_one_extractor_has_nothing_to_be_compared_with(report: Report) -> None:
    alone = report._replace(results=report.results[2:])
    assert alone.baseline().name == "kept"
    assert len(tables(alone)) == 3
