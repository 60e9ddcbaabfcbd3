"""Tags and depth are counted right on pages, and quickly on anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from curate.extraction.bounds import Size, markup_size

BLOCKS = ["div", "section", "ul", "table", "b", "blockquote", "custom-element", "h1"]


@pytest.mark.parametrize(
    ("page", "size"),
    [
        (b"", Size(0, 0)),
        (b"<", Size(0, 0)),
        (b"1 < 2 and 3 > 2, a <- b", Size(0, 0)),
        (b"<a", Size(1, 1)),
        (b"<div><div></div><div></div></div>", Size(3, 2)),
        (b"<p>one<p>two<li>three<br><img src=x>", Size(5, 0)),
        (b"<br/><svg><g/></svg>", Size(3, 1)),
        (b"<!-- <div><div> --><i>", Size(1, 1)),
        (b"<!-- never closed <div>", Size(0, 0)),
        (b"<script>if (a<b) '<div><div>'</script><i>", Size(2, 1)),
        (b"<a title='<div>' href=\"<b>\">", Size(1, 1)),
        (b"<DIV></div><Div></DIV>", Size(2, 1)),
        (b"<div></x></x><div></x>", Size(2, 2)),
        (b"<b><i></b></i><u>", Size(3, 2)),
    ],
)
def test_markup_is_counted(page: bytes, size: Size) -> None:
    assert markup_size(page) == size


@pytest.mark.parametrize("depth", [1, 999, 1000, 1001, 65_535])
def test_nesting_is_exact(depth: int) -> None:
    assert markup_size(b"<div>" * depth + b"text" + b"</div>" * depth).max_depth == depth


def test_a_hundred_thousand_nested_tags_are_deep_whatever_closes_them() -> None:
    assert markup_size(b"<div>" * 100_000).max_depth >= 65_536
    assert markup_size(b"<div></x>" * 100_000).max_depth >= 65_536


def tree(children: list[object], names: list[str]) -> str:
    return "".join(f"<{name}>{tree(child, names)}</{name}>" for name, child in zip(names, children, strict=False))


@given(st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=40))
def test_well_formed_trees_agree_with_a_parser(children: list[object]) -> None:
    page = f"<div>{tree(children, ['div', 'section', 'b'])}</div>"
    root = lxml_html.fragment_fromstring(page)
    above = len(list(root.iterancestors()))  # the parser's own html and body
    depth = max(len(list(element.iterancestors())) + 1 - above for element in root.iter())
    assert markup_size(page.encode()) == Size(sum(1 for _ in root.iter()), depth)


@given(st.binary(max_size=500) | st.text(st.sampled_from("<>/!-'\"= adivscript"), max_size=200).map(str.encode))
def test_any_bytes_are_measured(page: bytes) -> None:
    size = markup_size(page)
    assert 0 <= size.max_depth <= size.num_tags <= page.count(b"<")
