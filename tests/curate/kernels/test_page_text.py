"""The chosen blocks of a page as plain text, stated by short pages; real pages against an obvious writer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.html_entities import entities
from curate.kernels.page_blocks import blocks_room, find_blocks
from curate.kernels.page_layout import lay_out, layout_room
from curate.kernels.page_reader import num_tags, read_page, room
from curate.kernels.page_text import text_room, write_text


def read_blocks(page: str):
    data = np.frombuffer(page.encode("utf-8", "surrogatepass"), np.uint8)
    read = room(data.size, num_tags(data))
    read_page(data, 0, data.size, entities(), read)
    blocks = blocks_room(read)
    return data, read, blocks, find_blocks(read, blocks)


def words(page: str) -> list[str]:
    """Those of all blocks, run by run. Formulas stand between dollars."""
    _, read, blocks, num = read_blocks(page)
    runs, text = read.runs, []
    for block in range(num):
        line, after_display = -1, False
        for run in range(blocks.first_run[block], blocks.last_run[block]):
            if blocks.unseen[runs.element[run]]:
                continue
            written = read.text[runs.start[run] : runs.end[run]].tobytes().decode()
            dollars = "$" * runs.formula[run]
            if runs.lines[run] != line or after_display or len(dollars) == 2:
                text.append("\n")
            line, after_display = runs.lines[run], len(dollars) == 2
            text.append(dollars + (" ".join(written.split()) if dollars else written) + dollars)
    return "".join(text).replace("\u00ad", "").replace("\0", "").split()


def written(page: str, keep=lambda block: True) -> str:
    data, read, blocks, num = read_blocks(page)
    layout = layout_room(read)
    chosen = np.array([keep(block) for block in range(num)], np.bool_)
    lay_out(data, read, blocks, num, chosen, layout)
    out = np.zeros(text_room(data.size), np.uint8)
    end = write_text(read, blocks, num, chosen, layout, out, 0)
    assert end <= out.size
    return out[:end].tobytes().decode()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("<p>one<p>two", "one\n\ntwo"),
        ("<p> a \n b\t<b> c</b> ", "a b c"),
        ("<p><b>a</b>b", "ab"),
        ("<p>a&nbsp;&nbsp;b\u3000c\u2009d", "a b c d"),
        ("<p>so\u00adft zero\u200bwidth", "soft zero\u200bwidth"),
        ("<p>a<br>b<br><br>c", "a\nb\n\nc"),
        ("<h1>a<div>b</div></h1><p>c", "a b\n\nc"),
        ("<p>a<script>x</script>b", "ab"),
    ],
)
def test_text_of_lines_and_paragraphs(page, text):
    assert written(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<ul><li>a<li>b<ul><li>c</ul></ul>d", "a\nb\nc\n\nd"),
        ("<ul><li><p>a</p><li><p>b</p></ul>", "a\nb"),
        ("<ul><li><p>a<p>b<li>c</ul>", "a\n\nb\n\nc"),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd"),
    ],
)
def test_items_of_one_block_are_lines(page, text):
    assert written(page) == text


def test_a_table_of_data_has_a_line_for_a_row_and_a_tab_for_a_column():
    page = "<table><tr><th>A<th>B<th>C<tr><td>1<td colspan=2>2<br>x<tr><td><td><p>3<p>4<td>5</table>end"
    assert written(page) == "A\tB\tC\n1\t2 x\n\t3 4\t5\n\nend"


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td>a<td>b</table>",  # one row
        "<table><tr><td>a<tr><td>b</table>",  # one column
        "<table><tr><td><h2>a</h2><td>b<tr><td></table>",
        "<table><tr><td><table><tr><td>a</table><td>b</table>",
    ],
)
def test_a_table_that_lays_out_a_page_is_none(table):
    assert written(table) == "a\n\nb"


def test_a_cell_of_several_blocks_is_one_of_data_up_to_its_bound():
    def page(num):
        return f"<table><tr><td>a<td>b<tr><td>c<td><p>{'x' * (num - 1)}</p><p>y</table>"

    assert "\t" in written(page(300))
    assert "\t" not in written(page(301))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a<pre>\n  x\n    y\n</pre>b", "a\n\n  x\n    y\n\nb"),
        ("<pre>a<br><br>b<span>  c</span>\n</pre>", "a\n\nb  c"),
        ("<pre>  <b>a</b>\r\n\r\n\tb&nbsp;c</pre>", "  a\n\n\tb c"),
        ("<pre><div>a</div><div>  b</div></pre>", "a\n  b"),
    ],
)
def test_preformatted_text_keeps_its_space(page, text):
    assert written(page) == text


MEDIAWIKI = (
    '<p>a <span><span style="display: none;"><math alttext="{\\displaystyle x^2}"><semantics><mi>x</mi>'
    '<annotation encoding="application/x-tex">{\\displaystyle x}</annotation></semantics></math></span>'
    '<img class="mwe-math-fallback-image-inline" alt="x^{2}" src="https://wikimedia.org/api/rest_v1/math/9"></span> b'
)
KATEX = (
    '<p>a <span class="katex"><span class="katex-mathml"><math display="block"><semantics><mi>E</mi>'
    '<annotation encoding="application/x-tex">E &lt; 1</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true"><span>E</span><b>x</b></span></span> b'
)
MATHJAX = (
    '<p>a <span class="MathJax_Preview">[math]</span><span class="MathJax" id="MathJax-Element-1-Frame"><nobr>E</nobr>'
    '</span><script type="math/tex" id="MathJax-Element-1">E<1 & 2</script> b'
)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (MEDIAWIKI, "a ${\\displaystyle x^2}$ b"),
        (KATEX, "a\n$$E < 1$$\nb"),
        (MATHJAX, "a $E<1 & 2$ b"),
        ('<script type="math/tex; mode=display">x</script>', "$$x$$"),
        ('<p>a<img class=tex alt="$x$">b', "a$x$b"),
        ('<p>a<img src="https://s0.wp.com/latex.php?latex=x" alt="\\[x\n y\\]">', "a\n$$x y$$"),
        ('<p>a<img src="latex-gloves.jpg" alt="gloves">', "a"),
        ("<p><math><mi>x</mi><mo>+</mo></math> <math><mi>y</mi><annotation>z</annotation></math>", "x+ y"),
        ("<mjx-container><mjx-assistive-mml><math data-latex=y><mi>y</mi></math></mjx-assistive-mml>", "$y$"),
    ],
)
def test_each_formula_stands_there_once(page, text):
    assert written(page) == text


def test_what_is_not_chosen_is_not_written():
    assert written("<p>a<p>b<p>c", keep=lambda block: block != 1) == "a\n\nc"
    assert written("<p>a<p>b", keep=lambda block: False) == ""


PIECES = (
    "<p> <b> </b> <br> <li> <ul> </ul> <ol> <pre> </pre> <table> <tr> <td> </table> <h2> </h2> <code> </code> <dd> <dt>"
)
FRAGMENTS = st.sampled_from(
    [*PIECES.split(), "<blockquote>", "<td colspan=9>", "</code>", "<ol start=999999999>", '<img class=tex alt="x|">']
)
WORDS = st.sampled_from(
    ["a", " ", "b\n", "1. ", "`", "```", "*", "_", "|", "\\", "&lt;", "&amp;", "#", "- ", "\u00ad", "\u3000", "\x00"]
)
PAGES = st.lists(FRAGMENTS | WORDS, max_size=40).map("".join)


@given(PAGES)
def test_words_come_out_as_they_go_in(page):
    text = written(page)
    assert text == text.strip("\n ")
    assert text.split() == words(page)


def test_words_of_real_pages_come_out_as_they_go_in(real_pages):
    for page in real_pages:
        assert written(page).split() == words(page)


HOSTILE = ("<div>" * 5000 + "x", "<td>" * 5000 + "x<td>y", "<p>x" * 5000, "<pre>x" * 2000, "x<br>" * 5000)


def test_hostile_pages_stay_within_room():
    for page in HOSTILE:
        written(page)
