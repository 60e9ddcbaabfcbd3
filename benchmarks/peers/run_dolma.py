"""Run in Dolma's own interpreter: what its taggers say of each document, and what its mixer then does with it.

    <its python> run_dolma.py --input texts.jsonl --output verdicts.jsonl

In: one JSON object a line, with `doc_id` and `text`. Out: the rules of each filter in their order and its list of
words, then for each
document and filter `keep`, `reason`, `error`, `figures` and, where the mixer keeps a document that it changes, `text`.

A tagger only measures; Dolma's filter is a mixer configuration. Those here have the bounds of
`configs/dolma-v1_5/mixing/cc-head.yaml` (Gopher) and `configs/c4-replication/mixer.yaml` (C4, without its language
test). Kept documents and their texts are the mixer's own output. It gives no reasons; the reason is the first rule of
the configuration that the document breaks. The three rules on the most common n-gram ask for `..._2gram`, while the
tagger writes `..._2grams`: they never apply, and are given to the mixer as they are.

Imports dolma and the standard library alone.
"""

# mypy: disable-error-code="import-not-found"
# Dolma is where this runs, and nowhere else.

from __future__ import annotations

import argparse
import gzip
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Rule = tuple[str, str, float]  # attribute, "below" or "above", bound

GOPHER: list[Rule] = [
    ("word_count", "below", 50),
    ("word_count", "above", 100_000),
    ("median_word_length", "below", 3),
    ("median_word_length", "above", 10),
    ("symbol_to_word_ratio", "above", 0.1),
    ("fraction_of_words_with_alpha_character", "below", 0.8),
    ("required_word_count", "below", 2),
    ("fraction_of_lines_starting_with_bullet_point", "above", 0.9),
    ("fraction_of_lines_ending_with_ellipsis", "above", 0.3),
    ("fraction_of_duplicate_lines", "above", 0.3),
    ("fraction_of_characters_in_duplicate_lines", "above", 0.3),
    ("fraction_of_characters_in_most_common_2gram", "above", 0.2),
    ("fraction_of_characters_in_most_common_3gram", "above", 0.18),
    ("fraction_of_characters_in_most_common_4gram", "above", 0.16),
    ("fraction_of_characters_in_duplicate_5grams", "above", 0.15),
    ("fraction_of_characters_in_duplicate_6grams", "above", 0.14),
    ("fraction_of_characters_in_duplicate_7grams", "above", 0.13),
    ("fraction_of_characters_in_duplicate_8grams", "above", 0.12),
    ("fraction_of_characters_in_duplicate_9grams", "above", 0.11),
    ("fraction_of_characters_in_duplicate_10grams", "above", 0.10),
]
C4: list[Rule] = [
    ("has_curly_brace", "above", 0.5),
    ("has_lorem_ipsum", "above", 0.5),
    ("has_javascript", "above", 0.5),
    ("has_naughty_word", "above", 0.5),
]
C4_LINES = ("lines_with_no_ending_punctuation", "lines_with_too_few_words")
FILTERS = {
    "gopher_v1": (GOPHER, ()),
    "gopher_v2": (GOPHER, ()),
    "c4_v1": (C4, C4_LINES),
    "c4_v2": (C4, C4_LINES),
}


def main() -> None:
    """Tag, mix, write."""
    options = _options()
    with open(options.input, encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory(prefix="dolma-") as folder:
        # Dolma downloads NLTK's sentence model when it is imported, unless a folder of that name is there. Neither
        # tagger needs it.
        os.environ["NLTK_DATA"] = folder
        Path(folder, "tokenizers", "punkt").mkdir(parents=True)
        results = {name: _judge(name, documents, Path(folder, name)) for name in FILTERS}
    with open(options.output, "w", encoding="utf-8") as out:
        rules = {name: [(reason(rule), *rule[1:]) for rule in rules] for name, (rules, _) in FILTERS.items()}
        out.write(json.dumps({"rules": rules, "bad_words": _bad_words()}) + "\n")
        for row, document in enumerate(documents):
            filters = {name: results[name][row] for name in FILTERS}
            words = filters["gopher_v1"]["figures"].get("word_count", 0)
            out.write(json.dumps({"doc_id": document["doc_id"], "word_count": int(words), "filters": filters}) + "\n")


def reason(rule: Rule) -> str:
    """What a document is dropped for."""
    attribute, side, bound = rule
    return f"{attribute} {'<' if side == 'below' else '>'} {bound:g}"


def _bad_words() -> list[str]:
    from dolma.taggers import c4

    return sorted(c4.NAUGHTY_LINES)


def _judge(name: str, documents: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Verdict and figures of one tagger with its mixer configuration, for each document."""
    tagged = _tagged(name, documents)
    texts = _mixed(name, documents, tagged, folder)
    rules, _ = FILTERS[name]
    out = []
    for row, (document, attributes) in enumerate(zip(documents, tagged, strict=True)):
        figures = _figures(name, attributes)
        broken = next((reason(rule) for rule in rules if _breaks(rule, figures)), None)
        verdict = {"keep": row in texts, "reason": broken, "error": None, "figures": figures}
        if texts.get(row, document["text"]) != document["text"]:
            verdict["text"] = texts[row]
        out.append(verdict)
    return out


def _breaks(rule: Rule, figures: dict[str, Any]) -> bool:
    value = figures[reason(rule)]
    return value is not None and (value < rule[2] if rule[1] == "below" else value > rule[2])


def _figures(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """Each attribute's score by its own name, and by the reasons that it decides; counts where it is spans."""
    figures: dict[str, Any] = {}
    for attribute, spans in attributes.items():
        figures[attribute] = len(spans) if attribute in C4_LINES else spans[0][2]
    for rule in FILTERS[name][0]:
        absent = 0.0 if rule in C4 else None
        figures[reason(rule)] = figures.get(rule[0], absent)
    return figures


def _tagged(name: str, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from dolma import TaggerRegistry
    from dolma.core.data_types import InputSpec

    tagger = TaggerRegistry.get(name)()
    return [tagger.tag(InputSpec(id=str(row), text=document["text"])) for row, document in enumerate(documents)]


def _mixed(name: str, documents: list[dict[str, Any]], tagged: list[dict[str, Any]], folder: Path) -> dict[int, str]:
    """The texts that the mixer kept, by row."""
    import dolma

    rows = ({"id": str(row), "text": document["text"], "source": "x"} for row, document in enumerate(documents))
    _write(folder / "documents" / "part.json.gz", rows)
    named = [{f"x__{name}__{attribute}": spans for attribute, spans in attributes.items()} for attributes in tagged]
    _write(
        folder / "attributes" / "x" / "part.json.gz",
        ({"id": str(row), "attributes": attributes} for row, attributes in enumerate(named)),
    )
    dolma.mixer(_configuration(name, folder))
    return {int(row["id"]): row["text"] for path in folder.glob("mixed/**/*.gz") for row in _read(path)}


def _configuration(name: str, folder: Path) -> dict[str, Any]:
    rules, lines = FILTERS[name]
    stream = {
        "name": "mixed",
        "documents": [f"{folder}/documents/*.gz"],
        "attributes": ["x"],
        "output": {"path": f"{folder}/mixed", "max_size_in_bytes": 1 << 40},
        "filter": {"include": [], "exclude": [_exclude(name, rule) for rule in rules], "syntax": "jsonpath"},
        "span_replacement": [
            {"span": f"$.attributes.x__{name}__{line}", "min_score": 0.5, "replacement": "", "syntax": "jsonpath"}
            for line in lines
        ],
        "compression": {"input": None, "output": None},
    }
    work = {side: f"{folder}/work/{side}" for side in ("input", "output")}
    for path in work.values():
        Path(path).mkdir(parents=True)
    return {"work_dir": work, "processes": 1, "streams": [stream], "shuffle": False}


def _exclude(name: str, rule: Rule) -> str:
    scores, sign = f"@.x__{name}__{rule[0]}", "<" if rule[1] == "below" else ">"
    return f"$.attributes[?({scores} && {scores}[0] && {scores}[0][2] {sign} {rule[2]})]"


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
