"""The benchmark of extractors: which sets and contestants there are, and how a peer in another process is asked."""

from __future__ import annotations

import io
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))  # as when one of them is run

from extraction import bars, contestants, sets, stage  # noqa: E402
from extraction_peers import PEERS, peer, serve  # noqa: E402

from classifiers.extractor.evaluate import Report, evaluate, scored  # noqa: E402
from classifiers.extractor.gold import GoldPage  # noqa: E402
from curate.errors import EnvironmentProblem  # noqa: E402

STORY = "The heron stands still in the shallow water until a fish comes near, and then it is very fast. " * 6


def page(number: int, html: str, gold: str, language: str | None = None) -> GoldPage:
    payload = f"<html><body>{html}</body></html>".encode()
    return GoldPage(f"http://host.org/{number}", "host.org", "utf-8", payload, gold, None, language, "gold")


PAGES = [
    page(0, f"<nav><a href='/'>Home</a></nav><article><p>{STORY}</p><p>One {STORY}</p></article>", STORY * 2),
    page(1, f"<article><p>{STORY}</p><p>最后 {STORY}</p></article>", STORY * 2 + "最后", "Chinese"),
    page(2, "", ""),
]


def test_sets_are_those_of_the_folder_that_have_pages_and_gold(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    for name in ("b.warc.gz", "b_gold.parquet", "a.warc.gz", "a_gold.parquet", "only.warc.gz", "lone_gold.parquet"):
        (tmp_path / "web" / name).touch()
    web = str(tmp_path / "web")
    assert list(sets(str(tmp_path), [], [])) == [
        ("a", [f"{web}/a.warc.gz"], [f"{web}/a_gold.parquet"]),
        ("b", [f"{web}/b.warc.gz"], [f"{web}/b_gold.parquet"]),
    ]
    assert list(sets(str(tmp_path), ["x/p.warc"], ["g.parquet"])) == [("p.warc", ["x/p.warc"], ["g.parquet"])]


@pytest.mark.parametrize(("pages", "gold"), [(["p.warc"], []), ([], ["g.parquet"]), ([], [])])
def test_missing_sets_are_said(tmp_path: Path, pages: list[str], gold: list[str]) -> None:
    with pytest.raises(SystemExit, match="--pages"):
        list(sets(str(tmp_path), pages, gold))
    with pytest.raises(SystemExit, match="--pages"):
        list(sets(None, pages, gold))


def test_the_stage_does_what_a_run_does() -> None:
    (result,) = evaluate(PAGES, {"stage": stage()}).results
    assert [score.f1 > 0.9 for score in result.scores[:2]] == [True, True]
    assert result.texts[2] == ""
    assert result.num_failed == 0


def test_a_peer_answers_from_a_process_of_its_own() -> None:
    """jusText is here too, as a dependency of trafilatura's; readability-lxml is not, and its process ends."""
    with peer("justext", Path("unused"), sys.prefix) as answers:
        (result,) = evaluate(PAGES * 10, {"justext": answers}).results
    assert result.scores[0].f1 > 0.9
    assert (result.texts[2], result.scores[2].f1, result.num_failed) == ("", 1, 0)
    assert result.seconds is not None
    with pytest.raises(EnvironmentProblem, match="readability ended"), peer("readability", Path("unused"), sys.prefix):
        pass


def test_contestants_that_cannot_be_had_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["trafilatura", "no.such.module:f", "readability", "trafilatur"]
    with ExitStack() as running:
        found = contestants(names, tmp_path, {"readability": sys.prefix}, running)
    assert list(found) == ["trafilatura"]
    said = capsys.readouterr().out
    assert "without no.such.module:f: cannot import" in said
    assert "without readability: the process" in said
    assert "without trafilatur: unknown extractor" in said


def test_a_peer_is_asked_in_lines_and_bytes() -> None:
    def extract(payload: bytes, url: str, language: str | None) -> str | None:
        if payload == b"raise":
            raise ValueError(url)
        return f"{payload!r} {url} {language}" if payload else None

    head = [{"url": f"u{n}", "language": "x", "size": len(body)} for n, body in enumerate((b"a\nb", b"raise", b""))]
    questions = io.BytesIO(json.dumps(head).encode() + b"\na\nbraise" + b"[]\n")
    replies = io.BytesIO()
    serve(extract, questions, replies)
    first, second = map(json.loads, replies.getvalue().splitlines())
    assert first["texts"] == ["b'a\\nb' u0 x", "", ""]
    assert first["failed"] == 1
    assert second["texts"] == []


def test_each_peer_is_pinned() -> None:
    for wanted in PEERS.values():
        assert any("==" in requirement for requirement in wanted.requirements)


@pytest.mark.parametrize(("seconds", "passes"), [(1.0, True), (0.9, True), (1.1, False)])
def test_bars_are_those_of_the_learned_extractor_beside_trafilatura(seconds: float, passes: bool) -> None:
    pages = PAGES[:2]
    texts = [one.gold for one in pages]
    results = [scored("learned", texts, pages, seconds), scored("trafilatura", texts, pages, 10.0)]
    quality, speed = bars(Report(pages, results))
    assert quality.line().startswith(" pass")
    assert speed.line().startswith(" pass" if passes else " FAIL")
    assert bars(Report(pages, results[:1])) == []
    worse = [scored("learned", ["", ""], pages, 1.0), results[1]]
    assert bars(Report(pages, worse))[0].line().startswith(" FAIL")
