from __future__ import annotations

import random

import numpy as np
import pages
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree, NodeType

from curate.kernels.html_entities import entities
from curate.kernels.page_reader import NUM_ELEMENTS, NUM_TEXT_BYTES, num_tags, read_page, room

#: (page, runs): what authors leave out or get wrong, and what is read.
RULES = [
    ("<p>a<p>b<div>c</div>d", [("p", "a"), ("p", "b"), ("div", "c"), ("", "d")]),
    ("<ul><li>a<li>b<ul><li>c</ul>d</ul>", [("ul/li", "a"), ("ul/li", "b"), ("ul/li/ul/li", "c"), ("ul/li", "d")]),
    ("<ul><li>a</li></li><li>b</ul>", [("ul/li", "a"), ("ul/li", "b")]),
    ("<ul><li><ul></li><li>a</ul></ul>", [("ul/li/ul/li", "a")]),  # an end tag looks no further than its list
    ("<dl><dt>a<dd>b<dt>c</dl>", [("dl/dt", "a"), ("dl/dd", "b"), ("dl/dt", "c")]),
    ("<h1>a<h2>b</h1>c", [("h1", "a"), ("h2", "b"), ("", "c")]),
    (
        "<table><tr><td>a<td>b<tr><th>c</table>d",
        [("table/tr/td", "a"), ("table/tr/td", "b"), ("table/tr/th", "c"), ("", "d")],
    ),
    ("<table><tr><td><table><tr><td>a</table>b</table>", [("table/tr/td/table/tr/td", "a"), ("table/tr/td", "b")]),
    ("<table><tr><table><tr><td>a", [("table/tr/td", "a")]),  # a table in no cell ends the one around it
    ("<div><td>a</td><tr>b</div>", [("div", "a"), ("div", "b")]),  # cells outside of a table are none
    ("<table><form><tr><td>a</form></table>", [("table/tr/td", "a")]),
    ("<form>a<form>b</form>c", [("form", "a"), ("form", "b"), ("", "c")]),
    ("<form><div>a</form>b</div>c", [("form/div", "a"), ("form/div", "b"), ("", "c")]),
    ("<select><option>a<option>b<input>c", [("select/option", "a"), ("select/option", "b"), ("", "c")]),
    ("<button>a<button>b", [("button", "a"), ("button", "b")]),
    ("<ruby>a<rt>b<rp>c</ruby>", [("ruby", "a"), ("ruby/rt", "b"), ("ruby/rp", "c")]),
    ("<a>a<a>b</a>c", [("a", "a"), ("a", "b"), ("", "c")]),
    ("<b><i>a</b>b", [("b/i", "a"), ("", "b")]),
    ("<b>a<div>b</b>c</div>d", [("b", "a"), ("div", "b"), ("div", "c"), ("", "d")]),
    ("a</p>b</br>c</x>d", [("", "a"), ("", "b"), ("", "c"), ("", "d")]),
    ("<div><span>a</div>b", [("div/span", "a"), ("", "b")]),
    ("<div>a</span>b</div>", [("div", "a"), ("div", "b")]),
    ("<x-y>a</X-Y>b", [("x-y", "a"), ("", "b")]),
    ("<br/>a<div/>b", [("", "a"), ("div", "b")]),  # "/" ends no element of HTML
    ("<svg><path/>a</svg>b", [("svg", "a"), ("", "b")]),
    ("<svg><g><p>a", [("p", "a")]),
    ("<svg><foreignObject><p>a</p>b", [("svg/foreignobject/p", "a"), ("svg/foreignobject", "b")]),
    ("<math><mi><b>a</b></mi>b</math>", [("math/mi/b", "a"), ("math", "b")]),
    ("<svg><![CDATA[<b>&amp;]]></svg>", [("svg", "<b>&amp;")]),
    ("a<![CDATA[b]]>c", [("", "a"), ("", "c")]),
    ("<title>a<b>&amp;</title>c", [("title", "a<b>&"), ("", "c")]),
    ("<textarea></p>a</textarea>b", [("textarea", "</p>a"), ("", "b")]),
    ("<xmp><b>&amp;</xmp>a", [("xmp", "<b>&amp;"), ("", "a")]),
    ("<plaintext>a</plaintext>b", [("plaintext", "a</plaintext>b")]),
    ("<script>a</b></scripts></script>b", [("", "b")]),
    ("<script><!--<script></script>a--></script>b", [("", "b")]),
    ("<script><!-- </script>b", [("", "b")]),
    ("<style>a</STYLE >b", [("", "b")]),
    ("<iframe><p>a</iframe>b", [("", "b")]),
    ("a<!-- b --!>c<!-->d<!--->e<!---->f<!--!>g-->h", [*zip([""] * 6, "acdefh", strict=True)]),
    ("a<?php b?>c<!x>d</ x>e</>f", [*zip([""] * 5, "acdef", strict=True)]),
    ("a < b<c>d", [("", "a < b"), ("c", "d")]),
    ("a &lt;b&gt; &eacute; &copy", [("", "a <b> é ©")]),
    ("<head><title>a</title>b", [("head/title", "a"), ("", "b")]),
    ("<head><p>a", [("p", "a")]),
    ("<body>a<body>b<html>c<head>d", [*zip(["body"] * 4, "abcd", strict=True)]),
    ("<noscript><p>a</p></noscript>b", [("noscript/p", "a"), ("", "b")]),
    ("<image>a", [("", "a")]),
]


@pytest.mark.parametrize(("html", "expected"), RULES)
def test_recovery(html: str, expected: list[tuple[str, str]]) -> None:
    assert pages.texts(html) == expected


def _lexbor(html: str) -> str:
    """Text of a page without white space, as lexbor has it: a full HTML5 parser."""

    def walk(node: object) -> str:
        if node.type in (NodeType.TEXT, NodeType.CDATA_SECTION):
            return str(node.value)
        if node.type == NodeType.ELEMENT and node.tag in ("script", "style", "template", "iframe"):
            return ""
        return "".join(walk(child) for child in node.child_nodes)

    return "".join(walk(HTMLTree.parse(html).document).split())


#: No tables, whose text a parser moves, and no SVG, out of which `</p>` leads.
_PARTS = st.sampled_from(
    "<p> </p> <div> </div> <b> </b> <a> </a> <ul> <li> </li> </ul> <h2> </h2> <span> </span> <!--x--> <br> <form> "
    "</form> <button> </button> <script>x</script> <xmp> </xmp> &amp; one two three > <i> </i> <pre> </pre>".split()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_PARTS, max_size=30).map("".join))
def test_text_outside_of_tables_is_that_of_lexbor(html: str) -> None:
    html = f"<!doctype html><body>{html}."
    assert "".join("".join(text for _, text in pages.texts(html)).split()) == _lexbor(html)


@pytest.mark.parametrize(
    ("tag", "hidden"),
    [
        ("<p hidden>", 1),
        ("<p style='color:red; DISPLAY : none'>", 1),
        ("<p style='display:block'>", 0),
        ("<p style=display>", 0),
        ("<p aria-hidden=TRUE>", 1),
        ("<p aria-hidden=false>", 0),
        ("<p>", 0),
    ],
)
def test_hidden_elements(tag: str, hidden: int) -> None:
    assert pages.read(tag.encode()).elements.hidden[1] == hidden


def test_the_first_class_and_id_count_and_quotes_are_none_of_their_bytes() -> None:
    data = b"""<p class = "a b" CLASS=c id='x>y' role=main/ id=z itemprop=articleBody>"""
    elements = pages.read(data).elements
    for start, end, value in (
        (elements.class_start, elements.class_end, b"a b"),
        (elements.id_start, elements.id_end, b"x>y"),
        (elements.role_start, elements.role_end, b"articleBody"),
    ):
        assert data[start[1] : end[1]] == value


def test_a_run_knows_its_link_and_the_breaks_before_it() -> None:
    page = pages.read(b"<a>a<b>b</b></a>c<br>d<p>e")
    assert page.runs.link[:5].tolist() == [1, 1, 0, 0, 0]
    assert np.diff(page.runs.breaks[:5]).tolist() == [0, 0, 0, 1]
    assert np.diff(page.runs.lines[:5]).tolist() == [0, 0, 1, 0]


def test_room_is_reused_and_no_page_leaves_a_trace() -> None:
    page = room(1000, 100)
    bodies = [b"<form><svg><table><p>" * 9, b"<p>a</p>b", b"", b"<script><!--"]
    for body in [*bodies, *reversed(bodies)]:
        read_page(np.frombuffer(body, np.uint8), 0, len(body), entities(), page)
        assert pages.contents(page) == pages.contents(pages.read(body))


def test_references_that_grow_fit_the_room() -> None:
    assert pages.read(b"&nGt;" * 1000).place[NUM_TEXT_BYTES] == 6000


@pytest.mark.parametrize(
    "body",
    [
        b"<div>",
        b"<b>",
        b"<a>",
        b"<p>",
        b"<table>",
        b"<table><td>",
        b"<svg><g>",
        b"<a><div>",
        b"<b><p></b>",
        b"<ul><li>",
    ],
)
def test_nesting_without_end_becomes_siblings(body: bytes) -> None:
    body = body * 20_000
    page = pages.read(body)
    pages.check(page, 0, len(body))
    assert page.place[NUM_ELEMENTS] > 1


@pytest.mark.parametrize(
    "body",
    [
        *(b"</p>" * 20_000, b"<" * 50_000, b"</" * 50_000, b"<!--" * 50_000, b"\0" * 50_000, b"\xff\xc2" * 50_000),
        *(b"<p" + b" a=b" * 50_000, b"<p a='" + b"x" * 400_000, b"<p " + b"/" * 50_000, b"&" * 50_000, b"&#" * 50_000),
        *(b"<script>" + b"</scrip" * 20_000, b"<title>" + b"<" * 50_000, b"<svg>" + b"<![CDATA[" * 20_000),
    ],
)
def test_long_and_broken_pages_are_read(body: bytes) -> None:
    page = pages.read(body)
    pages.check(page, 0, len(body))


WHOLE = (
    b"<!doctype html><html><head><title>T&eacute;</title><!-- c --><style>p{}</style><script>if(a<b)'</p>'"
    b"</script></head>"
    b"<body class='x y' id=z><form action='?a&copy=1'><p style='display:none'>a&nbsp;&#8217;b<br/>"
    b"<svg><![CDATA[x]]></svg>"
    b"<math alttext='x^2'><mi>x</mi></math><textarea>&lt;</textarea></form><table><tr><td>c</table></body></html>"
)


@pytest.mark.parametrize("size", range(len(WHOLE) + 1))
def test_a_page_that_stops_anywhere_is_read_up_to_there(size: int) -> None:
    page = pages.read(WHOLE[:size])
    pages.check(page, 0, size)
    whole = pages.contents(pages.read(WHOLE[:size], b"<!--", WHOLE[size:] + b">"), 4)
    assert whole == pages.contents(page)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300))
def test_what_holds_of_every_page(seed: int, num_pieces: int) -> None:
    body = pages.hostile(random.Random(seed), num_pieces)
    pages.check(pages.read(body), 0, len(body))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_holds_of_a_page_with_bytes_exchanged(data: st.DataObject) -> None:
    body = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    pages.check(pages.read(bytes(body)), 0, len(body))


@pytest.mark.slow
def test_no_kernel_looks_outside_of_its_arrays(bounds_checked) -> None:
    printed = bounds_checked(
        "import pages, numpy as np\n"
        "from curate.kernels.page_reader import room, read_page\n"
        "from curate.kernels.html_entities import entities\n"
        "pages.stress(500, 1)\n"
        "try:\n"
        "    read_page(np.frombuffer(b'<p>' * 9, np.uint8), 0, 27, entities(), room(27, 2))\n"
        "except IndexError:\n"
        "    print('bounds are checked')\n"
    )
    assert printed == "bounds are checked\n"


def test_there_are_no_fewer_lesser_signs_than_tags() -> None:
    assert num_tags(np.frombuffer(b"<p>a</p> < b", np.uint8)) == 3
