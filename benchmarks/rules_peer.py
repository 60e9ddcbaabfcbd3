"""datatrove's four filters, one core: run by `rules.py` in an environment of datatrove's own.

    python rules_peer.py texts.jsonl seconds

The file's lines have `set` and `text`. Of each set as many texts are measured as fit into its share of the seconds, in
an order that is shuffled and always the same. Each text meets the four filters one after the other, each as it comes
(C4's changes are not handed on), so that the filters may share what datatrove caches between them. A filter stops at
the first rule that drops the text, where ours measures everything: that is in datatrove's favour.
Prints one JSON object: set → documents, bytes, and seconds by filter.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import redirect_stdout
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)


def main() -> None:
    """Measure and print."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    path, seconds = sys.argv[1], float(sys.argv[2])
    with redirect_stdout(sys.stderr):  # what libraries say must not get between
        filters = {
            "gopher_repetition": GopherRepetitionFilter(),
            "gopher_quality": GopherQualityFilter(),
            "c4": C4QualityFilter(),
            "fineweb": FineWebQualityFilter(),
        }
        sets: dict[str, list[str]] = {}
        with open(path, encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                sets.setdefault(row["set"], []).append(row["text"])
        judge(filters, "The first text loads the tokenizers. " * 20)
        found = {name: measured(filters, texts, seconds / len(sets)) for name, texts in sets.items()}
    print(json.dumps(found))


def measured(filters: dict[str, Any], texts: list[str], seconds: float) -> dict[str, Any]:
    """Seconds by filter over texts until the time is used up; one text at least."""
    texts = list(texts)
    random.Random(0).shuffle(texts)
    spent = dict.fromkeys(filters, 0.0)
    documents = size = 0
    for text in texts:
        for name, took in judge(filters, text).items():
            spent[name] += took
        documents += 1
        size += len(text.encode())
        if sum(spent.values()) >= seconds:
            break
    return {"documents": documents, "bytes": size, "seconds": spent}


def judge(filters: dict[str, Any], text: str) -> dict[str, float]:
    """Seconds that each filter takes for one text."""
    took = {}
    for name, rule in filters.items():
        document = Document(text=text, id="0")
        start = time.perf_counter()
        rule.filter(document)
        took[name] = time.perf_counter() - start
    return took


if __name__ == "__main__":
    main()
