"""One page, in the sandbox's child: bytes to UTF-8, UTF-8 to main text, and what the page says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.extraction.decoding import decode_bytes
from curate.extraction.engines import ENGINES
from curate.extraction.head import head_metadata

#: Starts of files that servers send as text/html. A page that begins so is none.
_MAGIC = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"Rar!\x1a", b"\x7fELF")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_FRAC = 0.05  # our choice: random bytes have 0.11, text has none


def extract_page(payload: bytes, request: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Text and metadata of a page, as the JSON object that `curate.extraction.extract` reads.

    `request` has url, charset (as the HTTP response declares it) and plain (true for text/plain, taken as it is). The
    reply has text, charset, charset_from and meta, or `refused`: not_html.
    """
    if payload.startswith(_MAGIC):
        return {"refused": "not_html"}
    decoded = decode_bytes(payload, request["charset"])
    page = decoded.utf8.decode()
    start = page[:4096]
    if len(_CONTROL.findall(start)) > _MAX_CONTROL_FRAC * len(start):
        return {"refused": "not_html"}
    found = {"charset": decoded.charset, "charset_from": decoded.how}
    if request["plain"]:
        return {"text": page, "meta": {}, **found}
    text = ENGINES[settings["engine"]](page, request["url"], settings) if page.strip() else ""
    return {"text": text.replace("\0", ""), "meta": head_metadata(decoded.utf8), **found}
