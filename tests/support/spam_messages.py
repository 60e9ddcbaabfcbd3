"""Labelled texts that words tell apart well, but not perfectly."""

from __future__ import annotations

import random
from typing import Any


def spam_rows(num: int, seed: int = 0) -> list[dict[str, Any]]:
    """Messages: of two kinds by their words, one in ten with the other's label; 40 hosts."""
    draw = random.Random(seed)
    rows = []
    for number in range(num):
        is_spam = draw.random() < 0.4
        words = draw.choices(
            "win cash prize claim free".split() if is_spam else "home lunch later see you".split(), k=4
        )
        words += draw.choices("the a to and of".split(), k=4)
        label = "spam" if is_spam != (draw.random() < 0.1) else "ham"
        url = f"https://h{number % 40}.example/{number}"
        rows.append({"text": " ".join([*words, f"n{number}"]), "label": label, "url": url, "language": "en"})
    return rows
