"""One page: bytes to UTF-8, UTF-8 to main text, and what the page says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.extraction.decoding import decode_bytes
from curate.extraction.engines import EXTRACTORS
from curate.extraction.head import head_metadata

#: Starts of files that servers send as text/html. A page that begins so is none.
_MAGIC = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"Rar!\x1a", b"\x7fELF")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_FRAC = 0.05  # our choice: random bytes have 0.11, text has none


def extract_page(payload: bytes, request: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Text and metadata of a page, as the JSON object that `curate.extraction.extract` reads.

    `request` has url, charset (as the HTTP response declares it) and plain (true for text/plain, taken as it is). The
    reply has charset, charset_from, meta and what the extractor says (`curate.extraction.engines`), the text at least;
    or `refused`: not_html.
    """
    if payload.startswith(_MAGIC):
        return {"refused": "not_html"}
    page, charset, charset_from = decode_bytes(payload, request["charset"])
    start = page[:4096]
    if len(_CONTROL.findall(start)) > _MAX_CONTROL_FRAC * len(start):
        return {"refused": "not_html"}
    found = {"charset": charset, "charset_from": charset_from}
    if request["plain"]:
        return {"text": page.decode(), "meta": {}, **found}
    main = EXTRACTORS[settings["extractor"]](page, request["url"], settings)
    return {**main, "extractor": settings["extractor"], "meta": head_metadata(page), **found}
