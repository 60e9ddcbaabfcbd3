"""What a page carries as data comes out as markup, whatever else the data is; and nothing else does."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.extraction import embedded as module
from curate.extraction.embedded import Embedded, embedded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "@graph", "text", "articleBody", "author", "name", "comment", "mainEntity", "posts"]
            ),
            inner | st.sampled_from(["Article", "Comment", "FAQPage", "a < b", "<p>c</p>"]),
            max_size=5,
        )
    ),
)


def linked(*blocks: Any) -> bytes:
    scripts = (f'<script type="application/ld+json">{json.dumps(block)}</script>' for block in blocks)
    return f"<html><head>{''.join(scripts)}</head><body></body></html>".encode()


def preloaded(stores: Any) -> bytes:
    data = html.escape(json.dumps(stores))
    return f'<body><div class="hidden" id="data-preloaded" data-preloaded="{data}"></div></body>'.encode()


def topic(*posts: dict[str, Any]) -> str:
    return json.dumps({"post_stream": {"posts": posts}})


def test_posts_of_a_preloaded_topic_have_their_authors() -> None:
    posts = {"username": "ana", "cooked": "<p>Why &amp; how?</p>"}, {"username": "<b>", "cooked": "<p>So.</p>"}
    page = preloaded({"site": json.dumps({"posts": 1}), "topic_7": topic(*posts)})
    found = embedded(page)
    assert found == Embedded(
        "<article><p>ana</p><p>Why &amp; how?</p></article>\n<article><p>&lt;b&gt;</p><p>So.</p></article>", "discourse"
    )


@pytest.mark.parametrize(
    "stores",
    [
        {},
        {"topic_1": "{"},
        {"topic_1": {"post_stream": {}}},
        {"topic_1": topic()},
        {"topic_1": topic({"cooked": None}, {"cooked": " "}, {})},
        {"topic_1": json.dumps({"post_stream": {"posts": ["text", 1, None]}})},
        {"topics_list": topic({"cooked": "<p>A list has excerpts.</p>"})},
        [1],
        "topic_1",
    ],
)
def test_other_preloaded_data_is_no_topic(stores: Any) -> None:
    assert embedded(preloaded(stores)) is None


@pytest.mark.parametrize(
    ("node", "markup"),
    [
        ({"@type": "NewsArticle", "articleBody": "One.\n\n Two & 3."}, "<p>One.</p><p>Two &amp; 3.</p>"),
        ({"@type": ["Thing", "BlogPosting"], "articleBody": "<p>One.</p>"}, "<p>One.</p>"),
        ({"@type": "Article", "articleBody": "&lt;p&gt;One.&lt;/p&gt;"}, "<p>One.</p>"),
        ({"@type": "Article", "author": {"name": "Ana"}, "articleBody": "One."}, "<p>One.</p>"),
        ({"@type": "DiscussionForumPosting", "author": {"name": "Ana"}, "text": "One."}, "<p>Ana</p><p>One.</p>"),
        ({"@type": "Comment", "author": [{"name": "Ana"}, 1], "text": "a &amp; b"}, "<p>Ana</p><p>a &amp; b</p>"),
    ],
)
def test_linked_data_has_bodies_and_texts(node: Any, markup: str) -> None:
    for page in (linked(node), linked([node]), linked({"@graph": [{"@type": "WebSite"}, node]})):
        assert embedded(page) == Embedded(f"<article>{markup}</article>", "json_ld")


def test_answers_and_comments_follow_what_they_are_to() -> None:
    question = {
        "@type": "Question",
        "comment": {"@type": "Comment", "text": "fourth"},
        "suggestedAnswer": [{"@type": "Answer", "text": "third"}],
        "acceptedAnswer": {"@type": "Answer", "text": "second"},
        "text": "first",
    }
    found = embedded(linked({"@type": "QAPage", "mainEntity": question}, {"@type": "Article", "articleBody": "fifth"}))
    assert found is not None
    words = [part.removesuffix("</p></article>") for part in found.markup.replace("\n", "").split("<article><p>")]
    assert words == ["", "first", "second", "third", "fourth", "fifth"]


@pytest.mark.parametrize(
    "node",
    [
        {"@type": "FAQPage", "mainEntity": [{"@type": "Question", "text": "What does it cost?"}]},
        {"@type": "Product", "text": "It is for sale.", "articleBody": "It is."},
        {"@type": "Article", "description": "What it is about.", "articleBody": ""},
        {"@type": "Article", "articleBody": ["no", "text"], "text": {"no": "text"}},
        {"@type": {}, "text": "x"},
        {"text": "x"},
        "Article",
        None,
    ],
)
def test_what_else_linked_data_says_is_no_text(node: Any) -> None:
    assert embedded(linked(node)) is None


def test_a_topic_goes_before_linked_data() -> None:
    page = linked({"@type": "Article", "articleBody": "x"}) + preloaded({"topic_1": topic({"cooked": "<p>y</p>"})})
    assert embedded(page) == Embedded("<article><p>y</p></article>", "discourse")


@pytest.mark.parametrize("more", [0, 1])
def test_longer_data_is_left_out(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    for page, size in (
        (
            preloaded({"topic_1": topic({"cooked": "<p>y</p>"})}),
            len(html.escape(json.dumps({"topic_1": topic({"cooked": "<p>y</p>"})}))),
        ),
        (linked({"@type": "Article", "articleBody": "x"}), len(json.dumps({"@type": "Article", "articleBody": "x"}))),
    ):
        end = 1 if page.startswith(b"<body") else len("</script")
        monkeypatch.setattr(module, "MAX_BYTES", size + end - more)
        assert (embedded(page) is None) == bool(more)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b" data-preloaded=",
        b' data-preloaded="',
        b' data-preloaded="' + b"[" * 500_000 + b'"',
        b'<i data-preloaded="{&quot;topic_1&quot;:&quot;' + b"[" * 500_000 + b'&quot;}">',
        b'<script ld+json>{"text":' + b'{"a":' * 300_000 + b"</script>",
        b'<script ld+json>{"text":"' + b"9" * 10_000,
        b'<script ld+json>["text", ' + b"9" * 10_000 + b"]</script>",
        b"ld+json>" * 300_000,
        b'ld+json>"text"</script' * 100_000,
        b'<script ld+json>["text",' + b"{}," * 500_000 + b"{}]</script>",
        b'<script ld+json>["text", "\xff\xfe\x00"]</script>',
    ],
)
def test_hostile_data_is_no_text(page: bytes) -> None:
    assert embedded(page) is None


@given(JSON)
def test_any_data_gives_markup_or_nothing(data: Any) -> None:
    for page in (linked(data), preloaded({"topic_1": json.dumps(data)}), preloaded(data)):
        found = embedded(page)
        assert found is None or found.markup.startswith("<article>")


@given(st.binary(max_size=300).map(lambda noise: b'ld+json>"text"' + noise + b'<i data-preloaded="' + noise))
def test_any_bytes_give_markup_or_nothing(page: bytes) -> None:
    assert embedded(page) is None or page


def test_real_topics_are_their_posts(shared_data: Path) -> None:
    fastwarc = pytest.importorskip("fastwarc.warc")
    num_topics = 0
    with (shared_data / "web" / "wcxb_dev.warc.gz").open("rb") as stream:
        for record in fastwarc.ArchiveIterator(stream, record_types=fastwarc.WarcRecordType.response):
            found = embedded(record.reader.read())
            num_topics += found is not None and found.source == "discourse"
    assert num_topics == 18
