"""Deduplication of passages as one would write it down: strings, dictionaries, the whole corpus in memory."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter


def normal(text: str, form: str) -> str:
    """The normal form of a passage."""
    if form == "none":
        return text
    if form == "ccnet":
        kept = []
        for char in text:
            lower = char.lower() if len(char.lower()) == 1 else "i" if char == "İ" else char
            bases = [c for c in unicodedata.normalize("NFD", lower) if not "\u0300" <= c <= "\u036f"]
            lower = bases[0] if len(bases) == 1 else lower if bases else ""
            category = unicodedata.category(lower) if lower else ""
            if lower.isspace():
                kept.append(" ")
            elif category == "Nd":
                kept.append("0")
            elif lower and category[0] != "P" and category not in ("Cc", "Cf"):
                kept.append(lower)
        text = "".join(kept)
    return " ".join(text.split())


def letters(text: str) -> int:
    """Letters, marks and digits."""
    return sum(unicodedata.category(char)[0] in "LMN" for char in text)


def pieces(text: str, unit: str) -> list[str]:
    """gap, passage, gap, passage, …, gap. Sentences end in a full stop before white space, or in "。"."""
    if unit == "line":
        return _between(text, r"[^\n]*\S[^\n]*")
    if unit == "paragraph":
        return _between(text, r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
    return _between(text, r"(?=\S)[^\n]*?(?:\.+(?=\s|\Z)|。+|(?=[^\S\n]*(?:\n|\Z)))")


def _between(text: str, passage: str) -> list[str]:
    out, at = [], 0
    for match in re.finditer(passage, text):
        out += [text[at : match.start()], match.group()]
        at = match.end()
    return [*out, text[at:]]


def without(parts: list[str], gone: set[int]) -> str | None:
    """What is left of `pieces` without some passages; None where no passage is."""
    gaps, passages = parts[::2], parts[1::2]
    stay = [i for i in range(len(passages)) if i not in gone]
    if not stay:
        return None
    out = gaps[0]
    for place, i in enumerate(stay):
        if place:
            between = gaps[stay[place - 1] + 1 : i + 1]
            out += max(between, key=lambda gap: gap.count("\n"))
        out += passages[i]
    return out + gaps[-1]


def deduplicated(
    texts: list[str],
    priority: list[object],
    unit: str = "line",
    window: int = 1,
    form: str = "ccnet",
    min_chars: int = 0,
    max_copies: int = 1,
    drop_all: bool = False,
) -> list[tuple[int, int, str | None]]:
    """(passages, how many go, what is left) of each text; `priority` sorts them, the smallest keeps its copies."""
    cut = [pieces(text, unit) for text in texts]
    order = sorted(range(len(texts)), key=lambda n: priority[n])
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for n in order:
        forms = [normal(passage, form) for passage in cut[n][1::2]]
        for i in range(len(forms) - window + 1):
            key = tuple(forms[i : i + window])
            if sum(map(letters, key)) >= max(min_chars, 1):
                places.setdefault(key, []).append((n, i))
    gone: list[set[int]] = [set() for _ in texts]
    stays: list[set[int]] = [set() for _ in texts]
    for copies in places.values():
        if len(copies) > max_copies:
            for place, (n, i) in enumerate(copies):
                side = stays if place == 0 and not drop_all else gone
                side[n] |= set(range(i, i + window))
    return [(len(cut[n]) // 2, len(gone[n] - stays[n]), without(cut[n], gone[n] - stays[n])) for n in range(len(texts))]


def most_frequent(texts: list[str], unit: str = "line", form: str = "ccnet") -> Counter[str]:
    """How many copies there are of each passage in normal form."""
    return Counter(normal(passage, form) for text in texts for passage in pieces(text, unit)[1::2])
