"""Seconds that the package data-selection takes to count the hashed n-grams of texts: JSON in, a number out."""

from __future__ import annotations

import json
import sys
import time

from data_selection.hashed_ngram_dsir import get_ngram_counts

texts = json.load(sys.stdin)
get_ngram_counts("warm up")
start = time.perf_counter()
for text in texts:
    get_ngram_counts(text)
print(time.perf_counter() - start)
