"""What all pages that we draw have in common: one file, no network, and no text of a document that could run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from markupsafe import Markup
from plotly.offline import get_plotlyjs


def script_json(text: str) -> Markup:
    """JSON for a script element of data: without `<`, nothing in it can end the element or begin another.

    >>> script_json('{"a": "</script>"}')
    Markup('{"a": "\\\\u003c/script\\\\u003e"}')
    """
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def script_digest(script: str) -> str:
    """A script's source expression of a content security policy, by which it and no other may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@cache
def plotly_library() -> Markup:
    """plotly.js itself, so that a page needs no network. The package ships one bundle, of 4.8 MB."""
    return Markup(get_plotlyjs())
