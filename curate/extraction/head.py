"""What the head of a page says about it: title, declared language, author, site and date.

Found by patterns in the first 64 KiB of characters, the same for every engine. trafilatura's own metadata costs a third
of its extraction time (15 of 47 ms a page) and searches for dates against today's, which would make a run depend on
its day. Values are as the page gives them, bounded in length; nobody vouches for them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

HEAD_CHARS = 65_536
MAX_VALUE_CHARS = 500

_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{1,2000})", re.IGNORECASE)
_HTML_TAG = re.compile(r"<html\b([^>]{1,2000})", re.IGNORECASE)
_META_TAG = re.compile(r"<meta\b([^>]{1,4000})", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""([a-z][a-z:_-]{0,40})\s{0,20}=\s{0,20}(?:"([^"]{0,3000})"|'([^']{0,3000})'|([^\s"'>]{1,500}))""", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8}){0,3}", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ][\d:.]{4,15}(?:Z|[+-]\d\d:?\d\d)?)?")
_BLANK = re.compile(r"\s+")

#: Key of ours to the names of `<meta>` that hold it, the best first.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("og:title", "twitter:title"),
    "author": ("author", "article:author", "dc.creator"),
    "site_name": ("og:site_name", "application-name"),
    "page_date": ("article:published_time", "datepublished", "dc.date", "dc.date.issued", "date", "pubdate"),
}


def head_metadata(page: str) -> dict[str, str]:
    """Those of title, declared_language, author, site_name and page_date (ISO 8601) that the page's head offers.

    >>> head_metadata('<html lang="pl"><title>Dzień &amp; noc</title>')
    {'title': 'Dzień & noc', 'declared_language': 'pl'}
    """
    head = page[:HEAD_CHARS]
    offered = dict(_offered(head))
    found: dict[str, str] = {}
    title = _TITLE.search(head)
    if title:
        offered.setdefault("<title>", title[1])
    for key, names in _NAMES.items():
        for name in (*names, "<title>") if key == "title" else names:
            value = _value(offered.get(name, ""))
            if key == "page_date":
                date = _DATE.match(value)
                value = date[0] if date else ""
            if value:
                found[key] = value
                break
    language = _declared_language(head)
    if language:
        found["declared_language"] = language
    return found


def _offered(head: str) -> Iterator[tuple[str, str]]:
    """Name and content of every `<meta>`, in reverse, so that the first of a name wins in a dict."""
    for tag in reversed(list(_META_TAG.finditer(head))):
        attributes = _attributes(tag[1])
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
        if name and attributes.get("content"):
            yield name.lower(), attributes["content"]


def _attributes(tag: str) -> dict[str, str]:
    return {match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(tag)}


def _declared_language(head: str) -> str | None:
    tag = _HTML_TAG.search(head)
    if not tag:
        return None
    attributes = _attributes(tag[1])
    language = _LANGUAGE.fullmatch((attributes.get("lang") or attributes.get("xml:lang") or "").strip())
    return language[0].replace("_", "-") if language else None


def _value(raw: str) -> str:
    """A value with entities and white space resolved, at most MAX_VALUE_CHARS long."""
    text = html.unescape(raw).replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return _BLANK.sub(" ", text).strip()[:MAX_VALUE_CHARS]
