from __future__ import annotations

import pages
import pytest

from curate.kernels.html_names import NAMES
from curate.kernels.page_blocks import blocks_room, find_blocks


def blocks(html: str) -> list[tuple[str, str]]:
    """Name of the element around each block, and its text."""
    page = pages.read(html.encode())
    found = blocks_room(page)
    result = []
    for block in range(find_blocks(page, found)):
        runs = [
            run
            for run in range(found.first_run[block], found.last_run[block])
            if not found.unseen[page.runs.element[run]]
        ]
        text = b"".join(page.text[page.runs.start[run] : page.runs.end[run]].tobytes() for run in runs)
        result.append((NAMES[page.elements.name[found.element[block]]], " ".join(text.decode().split())))
    return result


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", []),
        (" \n\t\xa0<p>\xa0</p>", []),
        ("text", [("#document", "text")]),
        ("<p>a <b>b</b> <a>c</a> d<p>e", [("p", "a b c d"), ("p", "e")]),
        ("<div>a<div>b</div>c</div>", [("div", "a"), ("div", "b"), ("div", "c")]),
        ("<p>a<br>b<br><br>c", [("p", "ab"), ("p", "c")]),  # one line break stays inside of a block
        ("<ul><li>a<li>b</ul>", [("li", "a"), ("li", "b")]),
        ("<table><tr><td>a<td>b</table>", [("td", "a"), ("td", "b")]),
        ("a<script>x</script><style>y</style>b", [("#document", "ab")]),
        ("<p>a<svg><text>x</text></svg>b", [("p", "ab")]),
        ("<title>x</title><template>y</template><p>a", [("p", "a")]),
        ("a<p></p>b", [("#document", "a"), ("#document", "b")]),
        ("<span>a<div>b</div></span>", [("#document", "a"), ("div", "b")]),
        ("<xmp><b>a</b></xmp>", [("xmp", "<b>a</b>")]),
    ],
)
def test_blocks(html: str, expected: list[tuple[str, str]]) -> None:
    assert [(name or "#document", text) for name, text in blocks(html)] == expected


def test_containers_and_unseen_text_are_known_of_every_element() -> None:
    page = pages.read(b"<div><b><i>a</i></b><svg><g></g></svg></div>")
    found = blocks_room(page)
    find_blocks(page, found)
    assert found.container[:6].tolist() == [0, 1, 1, 1, 1, 1]
    assert found.unseen[:6].tolist() == [0, 0, 0, 0, 1, 1]
