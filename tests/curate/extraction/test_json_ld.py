"""JSON-LD says what the page is; what is nested in it, broken, deep or large says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.extraction.json_ld import MAX_BLOCK_BYTES, json_ld_metadata


def found(*blocks: Any) -> dict[str, str]:
    """What blocks, objects or raw text, offer."""
    page = b""
    places = []
    for block in blocks:
        text = block if isinstance(block, str) else json.dumps(block)
        page += b'<script type="application/ld+json"'
        places.append(len(page) - len(b' type="application/ld+json"'))
        page += b">" + text.encode() + b"</script>\n"
    return json_ld_metadata(page, places)


ARTICLE = {"@type": "Article", "headline": "Bread", "author": {"@type": "Person", "name": "Ana"}}


@pytest.mark.parametrize(
    "block",
    [ARTICLE, [ARTICLE], {"@graph": [{"@type": "Thing"}, ARTICLE]}, {"@type": "WebPage", "mainEntity": ARTICLE}],
)
def test_an_article_is_found_where_schema_org_puts_it(block: Any) -> None:
    assert found(block) == {"title": "Bread", "author": "Ana"}


@pytest.mark.parametrize(
    "kind", ["NewsArticle", "BlogPosting", ["Thing", "TechArticle"], "DiscussionForumPosting", "WebPage"]
)
def test_kinds_of_pages(kind: Any) -> None:
    assert found({"@type": kind, "datePublished": "2024-05-06"}) == {"page_date": "2024-05-06"}


@pytest.mark.parametrize("kind", ["Product", "Review", "Comment", "Person", None, 7, [7], {"a": 1}])
def test_other_things_are_not_the_page(kind: Any) -> None:
    assert found({"@type": kind, "headline": "x", "datePublished": "2024-05-06"}) == {}


def test_an_article_says_more_than_its_page() -> None:
    page = {"@type": "WebPage", "datePublished": "2020-01-01", "headline": "Page"}
    assert found(page, ARTICLE) == {"title": "Bread", "author": "Ana", "page_date": "2020-01-01"}


def test_what_is_nested_is_not_entered() -> None:
    assert found({"@type": "Product", "review": [ARTICLE], "itemListElement": [ARTICLE], "author": "x"}) == {}


def test_an_author_may_be_named_elsewhere() -> None:
    ana = {"@type": "Person", "@id": "#ana", "name": "Ana"}
    assert found({"@graph": [{"@type": "Article", "author": {"@id": "#ana"}}, ana]}) == {"author": "Ana"}
    assert found({"@type": "Article", "@id": "#a", "author": {"@id": "#a"}}) == {}
    assert found({"@type": "Article", "author": {"@id": 7}}) == {}


def test_several_authors_are_named_once_each() -> None:
    assert found({"@type": "Article", "author": [{"name": "Ana"}, "Bo", {"name": " Ana "}]}) == {"author": "Ana; Bo"}


def test_the_site_outranks_the_publisher() -> None:
    article = {"@type": "Article", "publisher": {"name": "Holding plc"}}
    assert found(article) == {"site_name": "Holding plc"}
    assert found(article, {"@type": "WebSite", "name": "The Daily"}) == {"site_name": "The Daily"}


def test_values_of_other_types_are_left_out() -> None:
    assert found({"@type": "Article", "headline": 7, "author": [None, 3.5, [["a"]]], "datePublished": ["2024"]}) == {}


@pytest.mark.parametrize(
    "broken", ['{"headline":', '"headline"', "[" * 60_000 + '"headline"', '{"headline":' * 5_000, '{"headline": 9e999}']
)
def test_a_broken_or_deep_block_costs_only_itself(broken: str) -> None:
    assert found(broken, ARTICLE) == {"title": "Bread", "author": "Ana"}


def test_a_block_larger_than_the_bound_is_left_out() -> None:
    size = len(json.dumps(ARTICLE | {"x": ""}))
    assert found(ARTICLE | {"x": "x" * (MAX_BLOCK_BYTES - size - 9)}) != {}
    assert found(ARTICLE | {"x": "x" * MAX_BLOCK_BYTES}) == {}


def test_scripts_of_other_types_and_without_an_end_are_passed_over() -> None:
    text = json.dumps(ARTICLE).encode()
    assert json_ld_metadata(b"<script>" + text + b"</script>", [7]) == {}
    assert json_ld_metadata(b'<script type="application/ld+json">' + text, [7]) == {}
    assert json_ld_metadata(b'<script type="application/ld+json"', [7]) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["@type", "@id", "@graph", "author", "name", "headline", "publisher"]), inner)
    ),
)


@given(JSON)
def test_any_json_gives_strings(block: Any) -> None:
    assert all(isinstance(value, str) and value for value in found(block, ARTICLE).values())
