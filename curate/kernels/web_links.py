"""Characters of web addresses in a text, as NeMo Curator's pattern finds them."""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import compiled
from curate.kernels.utf8 import Bool, Bytes, Int

# `regex_url` of NeMo Curator 1.4.0, `stages/text/utils/constants.py`; "%" stands before two hex digits only. Earlier
# releases had a range from "$" to "_" in it, which takes "<" and ";" too.
_LINK = np.zeros(256, np.bool_)
_LINK[[*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$-_@.&+/:=?#~!*(),"]] = True
_HEX = np.zeros(256, np.bool_)
_HEX[[*b"0123456789abcdefABCDEF"]] = True
_HTTP = np.frombuffer(b"http", np.uint8)


@compiled
def link_chars(text: Bytes) -> int:
    """How many characters belong to addresses that begin with "http://" or "https://", in lower case.

    All of them are ASCII. "http://" alone is no address.
    """
    found = at = 0
    while at + 7 < text.size:
        if text[at] != 0x68 or not _begins_link(text, at):
            at += 1
            continue
        body = at + 8 if text[at + 4] == 0x73 else at + 7
        end = body
        while end < text.size:
            if _LINK[text[end]]:
                end += 1
            elif text[end] == 0x25 and end + 2 < text.size and _HEX[text[end + 1]] and _HEX[text[end + 2]]:
                end += 3
            else:
                break
        found += end - at if end > body else 0
        at = end
    return found


@compiled
def _begins_link(text: Bytes, at: Int) -> Bool:
    for i in range(4):
        if text[at + i] != _HTTP[i]:
            return False
    at += 5 if text[at + 4] == 0x73 else 4
    return at + 2 < text.size and text[at] == 0x3A and text[at + 1] == text[at + 2] == 0x2F
