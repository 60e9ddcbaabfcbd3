"""The page of errors of an extractor: one self-contained HTML file to see which pages it gets wrong, and how.

Figures of all pages, a list of the worst ones, and for each of these its blocks with what became of them, and its gold
text beside what was extracted. Documents are hostile, and so are their addresses. The template engine escapes what the
list shows; the pages' data travels as JSON in which no tag can begin, and the script puts it into the page as text
only; the content security policy names both scripts by digest. No address becomes a link.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from classifiers.extractor import error_plots
from classifiers.extractor.alignment import MIN_SHARE
from classifiers.extractor.differences import Pieces, cut, differences
from classifiers.extractor.outcome import BlockOutcome, Outcome
from classifiers.extractor.scores import group_means, words
from curate.errors import OutputError
from curate.web_page import plotly_library, script_digest, script_json

# All of these are our choice: what a browser opens at once, and a person reads.
MAX_TEXT_CHARS = 12_000  # of a text
MAX_BLOCKS = 1_500  # of a page
MAX_BLOCK_CHARS = 600  # of a block that is shown at once
MAX_FOLDED_CHARS = 120  # of a block that was rightly left out
MAX_GROUPS = 24  # page types, languages
MAX_NAME_CHARS = 300  # of an address, a page type
MAX_PATH_CHARS = 120  # its end, of the elements around a block
MAX_BYTES = 20 * 2**20  # of the pages' data; pages beyond are left out

#: Precision and recall from which a text is called right. Our choice: words of a byline, a caption, a button.
NEARLY = 0.95

OTHERS = "others"

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Listed(NamedTuple):
    """A page of the list. `place` is its number in the outcomes."""

    place: int
    outcome: Outcome
    wrong_words: int  # missed and extra ones: (1 - F1) times the words of both texts
    kind: str


def write_errors(
    outcomes: Sequence[Outcome],
    path: str | Path,
    *,
    title: str,
    compared: Mapping[str, Sequence[Outcome]] | None = None,
    max_pages: int = 200,
) -> None:
    """Write the page of errors of an extractor to `path`, a local file.

    `compared` has outcomes of other extractors by their names; they are shown beside those that have the same URL and
    gold text. At most `max_pages` pages are shown one by one: half of them for the lowest F1, half for the most wrong
    words. ValueError where there are no outcomes. OutputError where the file cannot be written.
    """
    page = render(outcomes, title=title, compared=compared or {}, max_pages=max_pages)
    try:
        Path(path).write_bytes(page.encode())
    except OSError as error:
        raise OutputError(
            f"cannot write the page of errors to {path} ({error}). Name a file that can be written."
        ) from error


def render(
    outcomes: Sequence[Outcome], *, title: str, compared: Mapping[str, Sequence[Outcome]], max_pages: int = 200
) -> str:
    """The page as a string."""
    if not outcomes:
        raise ValueError("a page of errors needs at least one page")
    others = {
        _plain(name)[:MAX_NAME_CHARS]: {(one.url, one.gold): one for one in theirs} for name, theirs in compared.items()
    }
    listed, data = _within_bounds(worst(outcomes, max_pages), others)
    drawn = {"histogram": error_plots.f1_histogram(outcomes), "calibration": error_plots.calibration(outcomes)}
    drawn = {name: figure for name, figure in drawn.items() if figure is not None}
    page: str = (
        _environment()
        .get_template("errors_page.html.jinja")
        .render(
            title=_plain(title)[:MAX_NAME_CHARS],
            num_pages=len(outcomes),
            means=_means(outcomes),
            others={name: _mean_f1(outcomes, theirs) for name, theirs in others.items()},
            groups={name: _groups(outcomes, name, others) for name in ("page_type", "language")},
            listed=listed,
            choices={name: sorted({_value(one, name) for one in listed}) for name in ("page_type", "language", "kind")},
            data=data,
            drawn=list(drawn),
            figures=script_json("{" + ",".join(f'"{name}":{figure.to_json()}' for name, figure in drawn.items()) + "}"),
            library=plotly_library(),
            script=_script(),
            digests=[script_digest(plotly_library()), script_digest(_script())],
        )
    )
    return page


def worst(outcomes: Sequence[Outcome], max_pages: int) -> list[Listed]:
    """Pages to show, the lowest F1 first: half of them for that, the others for the most wrong words."""
    pages = [_listed(place, outcome) for place, outcome in enumerate(outcomes)]
    by_f1 = sorted(pages, key=lambda page: (page.outcome.f1, -page.wrong_words, page.place))
    chosen = {page.place: page for page in by_f1[: -(-max_pages // 2)]}
    for page in sorted(pages, key=lambda page: (-page.wrong_words, page.outcome.f1, page.place)):
        if len(chosen) >= max_pages:
            break
        chosen.setdefault(page.place, page)
    return [page for page in by_f1 if page.place in chosen]


def kind_of(outcome: Outcome, has_gold: bool = True, has_text: bool = True) -> str:
    """What is wrong with a text: "missed", "extra", "both", or "nearly right"; see `NEARLY`.

    An empty text misses, an empty gold text is missed by none.
    """
    missed, extra = has_gold and outcome.recall < NEARLY, has_text and outcome.precision < NEARLY
    return "both" if missed and extra else "missed" if missed else "extra" if extra else "nearly right"


def verdict(block: BlockOutcome) -> str:
    """What became of a block: "right", "missed", "extra" or "out" (rightly left out). Without words it is not wrong."""
    if not block.words:
        return "right" if block.chosen else "out"
    is_gold = block.share >= MIN_SHARE
    return ("right" if is_gold else "extra") if block.chosen else ("missed" if is_gold else "out")


def _listed(place: int, outcome: Outcome) -> Listed:
    num_text, num_gold = len(words(outcome.text)), len(words(outcome.gold))
    wrong = round((1 - outcome.f1) * (num_text + num_gold))
    return Listed(place, outcome, wrong, kind_of(outcome, num_gold > 0, num_text > 0))


def _within_bounds(
    pages: Sequence[Listed], others: Mapping[str, Mapping[tuple[str, str], Outcome]]
) -> tuple[list[Listed], list[Markup]]:
    """The first pages whose data is within `MAX_BYTES`, and their data."""
    listed, data, left = [], [], MAX_BYTES
    for page in pages:
        same = {name: theirs.get((page.outcome.url, page.outcome.gold)) for name, theirs in others.items()}
        text = script_json(
            json.dumps(page_data(page, same), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        )
        left -= len(text.encode())
        if left < 0:
            break
        listed.append(page)
        data.append(text)
    return listed, data


def page_data(page: Listed, others: Mapping[str, Outcome | None]) -> dict[str, Any]:
    """What the script shows of a page. Plain JSON of bounded size; see the script for what it reads."""
    outcome = page.outcome
    shown = {"extracted": outcome, **{name: one for name, one in others.items() if one is not None}}
    paths: dict[str, int] = {}  # most blocks share theirs with others
    return {
        "blocks": [_block_data(block, paths) for block in outcome.blocks[:MAX_BLOCKS]],
        "paths": [_plain(path) for path in paths],
        "more_blocks": len(outcome.blocks[MAX_BLOCKS:]),
        "texts": [_text_data(name, one) for name, one in shown.items()],
        "expected_f1": round(outcome.expected_f1, 3) if math.isfinite(outcome.expected_f1) else None,
        "host": _name(outcome, "host"),
    }


def _block_data(block: BlockOutcome, paths: dict[str, int]) -> list[Any]:
    what = verdict(block)
    text = _plain(_shortened(block.text, MAX_FOLDED_CHARS if what == "out" else MAX_BLOCK_CHARS))
    numbers = [round(value, 3) if math.isfinite(value) else None for value in (block.probability, block.share)]
    return [what, *numbers, block.words, paths.setdefault(_path(block.path), len(paths)), text]


def _text_data(name: str, outcome: Outcome) -> dict[str, Any]:
    text, gold = differences(_plain(outcome.text), _plain(outcome.gold))
    figures = {key: round(getattr(outcome, key), 3) for key in ("f1", "precision", "recall")}
    sides = {"text": _side(text), "gold": _side(gold)}
    return {"name": name, **{key: value if math.isfinite(value) else None for key, value in figures.items()}, **sides}


def _side(pieces: Pieces) -> dict[str, Any]:
    return {"pieces": cut(pieces, MAX_TEXT_CHARS), "chars": sum(map(len, pieces)), "max_chars": MAX_TEXT_CHARS}


def _shortened(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else f"{text[:max_chars]} … {len(text) - max_chars:,} more characters"


def _path(path: str) -> str:
    return path if len(path) <= MAX_PATH_CHARS else f"… {path[-MAX_PATH_CHARS:].partition(' > ')[2]}"


def _plain(text: str) -> str:
    """Without control characters, which say nothing to a reader and cost six bytes each, and without surrogates."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def _means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    names = ("f1", "precision", "recall", "expected_f1")
    return {name: float(np.mean([getattr(one, name) for one in outcomes])) for name in names}


def _mean_f1(outcomes: Sequence[Outcome], theirs: Mapping[tuple[str, str], Outcome]) -> float | None:
    """Of another extractor on these pages; None where it has none of them."""
    found = [theirs[key].f1 for key in ((one.url, one.gold) for one in outcomes) if key in theirs]
    return float(np.mean(found)) if found else None


def _groups(
    outcomes: Sequence[Outcome], column: str, others: Mapping[str, Mapping[tuple[str, str], Outcome]]
) -> list[dict[str, Any]]:
    """Rows of a table: all pages, then those of each group; small groups beyond `MAX_GROUPS` are one.

    Empty where the outcomes name no group, or only one.
    """
    found = [_name(one, column) for one in outcomes]
    counted = Counter(name for name in found if name)
    large = {name for name, _ in counted.most_common(MAX_GROUPS)}
    names = [(name if name in large else OTHERS) if name else None for name in found]
    rows: list[dict[str, Any]] = []
    for row in group_means([one.f1 for one in outcomes], names):
        members = [one for one, name in zip(outcomes, names, strict=True) if name == row.group or not rows]
        beside = {name: _mean_f1(members, theirs) for name, theirs in others.items()}
        rows.append({**row._asdict(), **_means(members), "others": beside})
    return rows if len(rows) > 1 else []


def _value(page: Listed, column: str) -> str:
    return page.kind if column == "kind" else _name(page.outcome, column)


def _name(outcome: Outcome, column: str) -> str:
    return _plain(getattr(outcome, column)[:MAX_NAME_CHARS])


@cache
def _script() -> Markup:
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), "errors_page.js")[0])


@cache
def _environment() -> Environment:
    """`value` reads a column of a listed page, `short` cuts a name, `share` is a bar's width."""
    loader = PackageLoader("classifiers.extractor", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["value"] = _value
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["score"] = lambda number: "–" if number is None or number != number else f"{number:.3f}"
    environment.filters["percent"] = lambda number: f"{100 * min(max(number, 0.0), 1.0):.2f}%"
    return environment
