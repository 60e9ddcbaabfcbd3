"""The chosen blocks of a page as Markdown, stated by short pages and read back by a CommonMark parser."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.html_entities import entities
from curate.kernels.markdown_nesting import nesting_room
from curate.kernels.page_blocks import blocks_room, find_blocks
from curate.kernels.page_layout import lay_out, layout_room
from curate.kernels.page_markdown import markdown_room, write_markdown
from curate.kernels.page_reader import num_tags, read_page, room
from curate.kernels.page_text import text_room, write_text

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])


def written(page: str) -> str:
    data = np.frombuffer(page.encode(), np.uint8)
    read = room(data.size, num_tags(data))
    read_page(data, 0, data.size, entities(), read)
    blocks, layout = blocks_room(read), layout_room(read)
    num = find_blocks(read, blocks)
    chosen = np.ones(num, np.bool_)
    lay_out(data, read, blocks, num, chosen, layout)
    out = np.zeros(markdown_room(data.size), np.uint8)
    end = write_markdown(data, read, blocks, num, chosen, layout, nesting_room(), out, 0)
    assert end <= out.size
    return out[:end].tobytes().decode()


def rendered(page: str) -> str:
    """The HTML that the Markdown of a page stands for, without line feeds between tags."""
    return re.sub(r"\n+(?=<(?!/code))", "", PARSER.render(written(page))).strip()


STRUCTURES = [
    "<h2>Head #</h2><p>one</p><p>two</p>",
    "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>",
    '<ol start="9"><li>a</li><li>b<ul><li>c<ul><li>d</li></ul></li></ul></li></ol>',
    "<ul><li>a</li></ul><ul><li>b</li></ul>",
    "<blockquote><p>a</p><blockquote><p>b</p></blockquote><ul><li>c</li></ul></blockquote><p>d</p>",
    "<ul><li><p>a</p><p>b</p><pre><code>x\n\n  y\n</code></pre></li></ul>",
    '<pre><code class="language-py">```\n x</code></pre>'.replace("x</", "x\n</"),
    "<p>a <code>b c</code> <code>`</code></p>",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><code>x|y</code></td></tr></tbody></table>",
]


@pytest.mark.parametrize("page", STRUCTURES)
def test_structure_comes_back(page):
    assert rendered(page) == page


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("<p>a<br>b", "a\nb"),
        ("<dl><dt>t<dd>d<dt>u<dd>e</dl>", "t\n: d\n\nu\n: e"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<p><b>a</b> <a href=x>b</a><hr>", "a b"),
        ("<table><tr><td>a<td>b</table>", "a\n\nb"),
        ('<div class="highlight-python3 notranslate"><div><pre>x</pre></div></div>', "```python3\nx\n```"),
        ("<pre><div>a</div><div> b</div></pre>", "```\na\n b\n```"),
        ('<p>a<img class=latex alt="x_1">b', "a$x_1$b"),
        ('<script type="math/tex; mode=display">x</script>', "$$x$$"),
        ("<p>snake_case 2 * 3 a_ (b) &amp; 5 < 6 #1 -1 a|b", "snake_case 2 * 3 a_ (b) & 5 < 6 #1 -1 a|b"),
    ],
)
def test_written(page, text):
    assert written(page) == text


MARKS = [
    "# a",
    "####### a",
    "#",
    "> a",
    "- a",
    "+",
    "1. a",
    "12) a",
    "---",
    "===",
    "***",
    "* * *",
    "_ _ _",
    "~~~",
    "```",
]
MARKS += ["[a]: b", "[a](b)", "![a](b)", "*a*", "**a**", "__a__", "a*b*", "~~a~~", "`a`", "<b>a</b>", "<!-- a", "&lt;"]
MARKS += ["\\*", "a\\", "|a|b|", "--|--", "\u201c_a_\u201d", "\u4e2d*\u6587*", "&#35;", "<http://a.b>", "a_b_", "_a b_"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    "frame", ["<p>{}</p>", "<p>x<br>{}</p>", "<ul><li>{}</li></ul>", "<h3>{}</h3>", "<p>{}<br>x</p>"]
)
def test_text_that_looks_like_markup_is_text(frame, mark):
    assert text_of(frame.format(html.escape(mark))) == text_in(frame, mark)


def text_of(page: str) -> list[str]:
    return html.unescape(re.sub(r"<[^>]*>", "", PARSER.render(written(page)))).split()


def text_in(frame: str, mark: str) -> list[str]:
    return re.sub(r"<[^>]*>", " ", frame).replace("{}", mark).split()


def test_words_of_real_pages_come_back(real_pages):
    for page in real_pages[:40]:
        data = np.frombuffer(page.encode(), np.uint8)
        read = room(data.size, num_tags(data))
        read_page(data, 0, data.size, entities(), read)
        blocks, layout = blocks_room(read), layout_room(read)
        num = find_blocks(read, blocks)
        chosen = np.ones(num, np.bool_)
        lay_out(data, read, blocks, num, chosen, layout)
        out = np.zeros(text_room(data.size), np.uint8)
        text = out[: write_text(read, blocks, num, chosen, layout, out, 0)].tobytes().decode()
        assert read_back(written(page)) == [word for word in text.split() if word != ":"]


def read_back(markdown: str) -> list[str]:
    """The words of Markdown, without the colons before explanations."""
    text = []
    for token in PARSER.parse(markdown):
        text += [" " if "break" in child.type else child.content for child in token.children or ()]
        text += ["\n", "" if token.type == "inline" else token.content, "\n"]
    return [word for word in "".join(text).split() if word != ":"]


TAGS = [
    "<p>",
    "<ul>",
    "</ul>",
    "<ol>",
    "</ol>",
    "<li>",
    "<blockquote>",
    "</blockquote>",
    "<h2>",
    "</h2>",
    "<br>",
    "<pre>",
]
TAGS += ["</pre>", "<code>", "</code>", "<table>", "<tr>", "<td>", "</table>", "<dd>", "<dt>", "<td colspan=9>"]
TEXTS = [
    "a",
    " ",
    "b c",
    "1. ",
    "`",
    "```",
    "*",
    "_",
    "**",
    "|",
    "\\",
    "&lt;",
    "&amp;",
    "#",
    "- ",
    "\u3000",
    "[x]",
    "(y)",
]


@given(st.lists(st.sampled_from(TAGS + TEXTS), max_size=30).map("".join))
def test_any_page_is_written_within_its_room(page):
    text = written(page)
    assert text == text.strip("\n")


HOSTILE = [
    "<ul><li>" * 300 + "x",
    "<blockquote>" * 300 + "<pre>" + "a\n" * 3000 + "x",
    "<pre>x" * 1000,
    "<table><tr><td>a" + "<td colspan=9>b" * 300 + "<tr><td>c" * 300,
    "<ol start=999999999>" + "<li>x" * 1000,
    "<p>" + "`*_<a" * 1000,
    "<p>" + "<tt>`</tt> " * 1000,
]


@pytest.mark.parametrize("page", HOSTILE)
def test_hostile_pages_stay_in_proportion(page):
    assert len(written(page)) <= markdown_room(len(page))


@pytest.mark.slow
def test_no_place_beyond_an_array_is_touched(tmp_path):
    """Numba checks bounds only when it compiles with this variable set."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_page_markdown as t, test_page_text as u\n"
        "for page in (*u.HOSTILE, u.MEDIAWIKI, u.KATEX, u.MATHJAX, '<pre> x', ''):\n"
        "    u.written(page)\n"
        "for page in [*t.HOSTILE, *t.STRUCTURES, '<dl><dt>a<dd>b</dl><p># `c`<br>*d*', '']:\n"
        "    t.written(page)\n"
    )
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, os.path.dirname(__file__)], env=environment, check=True)
