"""Pages for tests of the page reader: reading one, what must hold of any, and pages made to break it."""

from __future__ import annotations

import random
import sys

import numpy as np

from curate.kernels.html_entities import entities
from curate.kernels.html_names import NAMES
from curate.kernels.page_arrays import DEPTH, MAX_DEPTH
from curate.kernels.page_blocks import blocks_room, find_blocks
from curate.kernels.page_reader import NUM_ELEMENTS, NUM_RUNS, NUM_TEXT_BYTES, Page, num_tags, read_page, room

TAGS = (
    "a b i font p div span table tr td th tbody caption col colgroup form ul ol li dl dd dt h1 h2 select option "
    "optgroup button svg math annotation desc foreignObject title textarea script style xmp plaintext template html "
    "head body p br hr img image nobr object ruby rt rp rb mi x-y iframe noscript frameset applet input"
).split()
PIECES = (
    *(
        b"<!--",
        b"-->",
        b"--!>",
        b"<!---->",
        b"<!-->",
        b"<!--->",
        b"<![CDATA[",
        b"]]>",
        b"<?x",
        b"</",
        b"<",
        b"<!",
        b">",
    ),
    *(
        b"&amp;",
        b"&nGt;",
        b"&",
        b"&#",
        b"&#x",
        b"&#x41;",
        b"&#99999999999;",
        b"&notit;",
        b"\0",
        b"\xff",
        b"\xc2",
        b"\xa0",
    ),
    *(
        b" ",
        b"\n",
        b"text",
        b"=",
        b"'",
        b'"',
        b"/",
        b"<a href=x>",
        b"<script><!--",
        b"<script>",
        b"</script",
        b"<p a='",
    ),
    b"<p class='a' class=b id=x style='display:none' hidden>",
    *(
        b'<math alttext="$$x&nGt;$$">',
        b"<annotation encoding=tex>",
        b"<img class=tex alt='\\(a\\)'>",
        b"<script type=math/tex>",
    ),
    *(b"<span class=katex-html>", b"<span class=MathJax_Preview>"),
)


def read(body: bytes, before: bytes = b"", behind: bytes = b"") -> Page:
    """The page `body`, which may stand inside of a larger buffer, in no more room than it needs."""
    data = np.frombuffer(before + body + behind, np.uint8)
    page = room(len(body), num_tags(np.frombuffer(body, np.uint8)))
    read_page(data, len(before), len(before) + len(body), entities(), page)
    return page


def texts(html: str) -> list[tuple[str, str]]:
    """The runs of a page that are not blank: path of element names, and text."""
    data = html.encode()
    page = read(data)
    elements, runs = page.elements, page.runs
    found = []
    for run in range(page.place[NUM_RUNS]):
        text = page.text[runs.start[run] : runs.end[run]].tobytes().decode()
        path, element = [], runs.element[run]
        while element:
            name = NAMES[elements.name[element]]
            path.append(name or data[elements.start[element] + 1 : elements.attributes[element]].decode())
            element = elements.parent[element]
        if text.strip():
            found.append(("/".join(reversed(path)), text))
    return found


def contents(page: Page, shift: int = 0) -> tuple[list[list[int]], list[list[int]], bytes]:
    """All that was read, with places counted from `shift`."""
    elements = []
    for field, column in page.elements._asdict().items():
        values = column[: page.place[NUM_ELEMENTS]].astype(int)
        if field in ("start", "attributes", "content", "end"):
            values -= shift
        elif field.endswith(("_start", "_end")):
            values = np.where(values > 0, values - shift, 0)
        elements.append(values.tolist())
    runs = [column[: page.place[NUM_RUNS]].tolist() for column in page.runs]
    return elements, runs, page.text[: page.place[NUM_TEXT_BYTES]].tobytes()


def check(page: Page, begin: int, size: int) -> None:
    """What holds of every page that was read from `data[begin:size]`."""
    num_elements, num_runs, num_bytes = (int(page.place[i]) for i in (NUM_ELEMENTS, NUM_RUNS, NUM_TEXT_BYTES))
    elements = type(page.elements)(*(column[:num_elements] for column in page.elements))
    runs = type(page.runs)(*(column[:num_runs] for column in page.runs))
    assert page.place[DEPTH] == 0
    assert not page.num_open.any()
    open_elements: list[int] = []
    for element in range(1, num_elements):
        while open_elements and elements.behind[open_elements[-1]] <= element:
            open_elements.pop()
        assert elements.parent[element] == (open_elements[-1] if open_elements else 0)
        open_elements.append(element)
        assert len(open_elements) <= 2 * MAX_DEPTH + 2  # a form taken off the stack between two open ones
    places = np.arange(num_elements)
    assert (elements.behind > places).all()
    assert (elements.behind <= elements.behind[elements.parent]).all()
    assert elements.behind[0] == num_elements
    assert (begin <= elements.start).all()
    assert (elements.start <= elements.attributes).all()
    assert (elements.attributes <= elements.content).all()
    assert (elements.content <= elements.end).all()
    assert (elements.end <= elements.end[elements.parent]).all()
    assert elements.end[0] == size
    assert (np.diff(elements.start[1:]) > 0).all()
    for kind in ("class", "id", "role"):
        start, end = (getattr(elements, f"{kind}_{edge}") for edge in ("start", "end"))
        there = end > 0
        assert (start[~there] == 0).all()
        assert (elements.attributes[there] <= start[there]).all()
        assert (start[there] <= end[there]).all()
        assert (end[there] <= elements.content[there]).all()
    assert np.isin(elements.hidden, (0, 1)).all()
    assert (runs.start < runs.end).all()
    assert (runs.end[:-1] <= runs.start[1:]).all()
    assert num_runs == 0 or runs.end[-1] <= num_bytes
    for column in (runs.element, runs.link):
        assert ((column >= 0) & (column < num_elements)).all()
    for column in (runs.breaks, runs.lines):
        assert (np.diff(column) >= 0).all()


def hostile(rng: random.Random, num_pieces: int) -> bytes:
    """Start tags, end tags and pieces of syntax in random order."""
    pieces = []
    for _ in range(num_pieces):
        tag, kind = rng.choice(TAGS).encode(), rng.random()
        if kind < 0.4:
            pieces.append(b"<%s>" % tag)
        elif kind < 0.7:
            pieces.append(b"</%s>" % tag)
        elif kind < 0.8:
            pieces.append(b"<%s %s='a'%s>" % (tag, rng.choice([b"class", b"id", b"role"]), rng.choice([b"", b"/"])))
        else:
            pieces.append(rng.choice(PIECES))
    return b"".join(pieces)


def stress(num_pages: int, seed: int) -> None:
    """Read hostile pages, find their blocks, and check what must hold, whatever lies around them in the buffer."""
    rng = random.Random(seed)
    for number in range(num_pages):
        body = hostile(rng, rng.choice([3, 10, 40, 200, 1500]))
        body = body[: rng.randrange(len(body) + 1)] if rng.random() < 0.3 else body
        page = read(body)
        check(page, 0, len(body))
        find_blocks(page, blocks_room(page))
        if number % 4 == 0:
            before = rng.choice([b"--", b"<!--", b"]]", b"/", b"<script><!--"])
            other = read(body, before, rng.choice([b"-->", b">", b"</script>", b"'>", b";amp;", b"\xa0"]))
            assert contents(other, len(before)) == contents(page)


if __name__ == "__main__":
    stress(int(sys.argv[1]), int(sys.argv[2]))
