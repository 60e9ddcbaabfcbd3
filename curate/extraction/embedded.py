"""The text that a page carries as data for its scripts, for pages that show none without running them.

Two kinds are known, because on real pages they are the main text and nothing else: the posts of a topic that Discourse
preloads (https://github.com/discourse/discourse), and what schema.org's JSON-LD calls an article's body, or the text of
a posting, question, answer or comment. It comes back as HTML, which the first is anyway, to be read like a page.

It runs no script and knows no other state of applications: that of Next.js and the like holds the main text too, among
much else that has no names in common. Descriptions of pages are no text of theirs.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

#: Longer data is left out, as are blocks of JSON-LD beyond so much in all: json reads some 100 MB/s and makes objects
#: of 20 times the size. Of 1,497 pages the longest topic has 0.4 MB.
MAX_BYTES = 2 << 20
_MAX_BLOCKS = 100
_MAX_NODES = 5_000  # objects that are looked at, in all blocks

_PRELOADED = b' data-preloaded="'
_SCRIPT_END = re.compile(rb"</script", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-zA-Z/][^<>]{0,200}>")
#: Ends of the types whose text is the page's or a part of it.
_KINDS = ("Article", "Posting", "Question", "Comment", "Answer")
#: Where one of these has more of them, in the order of reading. Not those of an `FAQPage`: its questions are a corner
#: of a page that sells something.
_PARTS = ("@graph", "mainEntity", "acceptedAnswer", "suggestedAnswer", "comment")
_WANTED = (b'"articleBody"', b'"text"')


class Embedded(NamedTuple):
    """Text out of a page's data."""

    markup: str  # HTML: one `<article>` for each article, post or comment, the name of a post's author before it
    source: Literal["discourse", "json_ld"]


def embedded(page: bytes) -> Embedded | None:
    """The text that a page in UTF-8 carries as data; None where it has none.

    Never raises; linear in the page's length, and in memory bounded by `MAX_BYTES`.

    >>> embedded(b'<script type="application/ld+json">{"@type": "Article", "articleBody": "1 < 2"}</script>')
    Embedded(markup='<article><p>1 &lt; 2</p></article>', source='json_ld')
    """
    if posts := "\n".join(_posts(page)):
        return Embedded(posts, "discourse")
    if articles := "\n".join(_articles(page)):
        return Embedded(articles, "json_ld")
    return None


def _posts(page: bytes) -> Iterator[str]:
    """The posts of the topics that Discourse preloads: an attribute with JSON, whose values are JSON again."""
    start = page.find(_PRELOADED) + len(_PRELOADED)
    end = page.find(b'"', start, start + MAX_BYTES) if start >= len(_PRELOADED) else -1
    stores = _parsed(html.unescape(page[start:end].decode("utf-8", "replace"))) if end >= 0 else None
    for name, store in stores.items() if isinstance(stores, dict) else ():
        topic = _parsed(store) if name.startswith("topic_") and isinstance(store, str) else None
        for post in _list(_get(_get(topic, "post_stream"), "posts")):
            cooked, author = _get(post, "cooked"), _get(post, "username")
            if isinstance(cooked, str) and cooked.strip():
                yield _article(author, cooked)


def _articles(page: bytes) -> Iterator[str]:
    """The texts of JSON-LD in document order."""
    waiting, room = list(reversed(list(_blocks(page)))), _MAX_NODES
    while waiting and room:
        node, room = waiting.pop(), room - 1
        if isinstance(node, list):
            waiting += reversed(node[:room])
        elif isinstance(node, dict) and node.get("@type") != "FAQPage":
            if _is_text(node) and (markup := _markup(node.get("articleBody") or node.get("text"))):
                yield _article(_author(node), markup)
            waiting += [node[part] for part in reversed(_PARTS) if part in node]


def _blocks(page: bytes) -> Iterator[Any]:
    """The blocks of JSON-LD that may hold a text, parsed."""
    room, at = MAX_BYTES, 0
    for _ in range(_MAX_BLOCKS):
        at = page.find(b"ld+json", at)
        start = page.find(b">", at, at + 500) + 1 if at >= 0 else 0
        end = _SCRIPT_END.search(page, start, start + room) if start else None
        if end is None:
            return
        at, room = end.end(), room - (end.start() - start)
        block = page[start : end.start()]
        if any(word in block for word in _WANTED):
            yield _parsed(block.decode("utf-8", "replace"))


def _parsed(text: str) -> Any:
    """What JSON says, None where it is none."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _is_text(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    return any(str(kind).endswith(_KINDS) for kind in (kinds if isinstance(kinds, list) else [kinds])[:5])


def _author(node: dict[str, Any]) -> Any:
    """Who wrote a post or comment; an article's author is no part of its text."""
    people = node.get("author")
    return None if "articleBody" in node else _get(people[0] if isinstance(people, list) and people else people, "name")


def _markup(text: Any) -> str:
    """A text, which may be HTML or HTML with its references escaped once more, as HTML; "" for none."""
    if not isinstance(text, str):
        return ""
    if "&lt;" in text and not _MARKUP.search(text):
        text = html.unescape(text)
    if _MARKUP.search(text):
        return str(text)
    lines = (line.strip() for line in html.unescape(text).splitlines())
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines if line)


def _article(author: Any, markup: str) -> str:
    name = f"<p>{html.escape(author, quote=False)}</p>" if isinstance(author, str) and author.strip() else ""
    return f"<article>{name}{markup}</article>"


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
