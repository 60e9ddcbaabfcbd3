"""PII: ours (Presidio on windows) beside Presidio's AnalyzerEngine on whole texts, in one run, on one core.

    python benchmarks/pii.py generated_large.json [--texts TEXTS.parquet] [--max-mb 2]

The first file is labelled text in presidio-research's format: recall, precision and speed per entity. `--texts` is a
parquet file with a column `text`: speed on text as it is met. A gold span counts as found where a span of the same kind
overlaps it. `whole` is our own recognisers on whole texts: the result that windows must equal. `presidio` has its own
recognisers as they come, English, with no language model and without network.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ["TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS"] = ""  # read at import: plain Presidio would ask the network

import pyarrow.parquet as pq
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
)

from curate.pii.analyzer import engine, find_whole
from curate.pii.pii import Pii
from curate.pii.spans import Span, resolve

Finder = Callable[[str], list[Span]]
KINDS = ("EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "CREDIT_CARD", "IBAN_CODE")
SAME_KIND = {"CN_MOBILE": "PHONE_NUMBER"}


def plain_presidio(regions: tuple[str, ...], min_score: float) -> Finder:
    """Presidio as it comes, for the five kinds that it has a pattern for."""
    recognizers = [
        EmailRecognizer(),
        PhoneRecognizer(supported_regions=regions),
        IpRecognizer(),
        CreditCardRecognizer(),
    ]
    analyzer = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=[*recognizers, IbanRecognizer()], supported_languages=["en"]),
        nlp_engine=NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}]),
        supported_languages=["en"],
    )

    def find(text: str) -> list[Span]:
        results = analyzer.analyze(text, "en", score_threshold=min_score)
        return resolve(Span(r.start, r.end, r.entity_type, r.score) for r in results)

    return find


def finders(stage: Pii) -> dict[str, Finder]:
    """The competitors, each a function from a text to spans that do not overlap."""
    analyzer = engine(stage.entities, stage.phone_regions, stage.keep_private_ips)
    return {
        "ours": lambda text: stage.redact(text).spans,
        "whole": lambda text: resolve(find_whole(analyzer, text, stage.min_score)),
        "presidio": plain_presidio(stage.phone_regions, stage.min_score),
    }


def timed(name: str, find: Finder, texts: list[str]) -> tuple[list[list[Span]], float]:
    """Spans of each text, and MB/s of UTF-8."""
    find("warm up: a@example.com")
    started = time.perf_counter()
    found = [find(text) for text in texts]
    speed = sum(len(text.encode()) for text in texts) / 1e6 / (time.perf_counter() - started)
    print(f"{name:10} {speed:8.2f} MB/s   {sum(map(len, found))} spans")
    return found, speed


def labelled(path: Path) -> tuple[list[str], list[list[Span]]]:
    """Texts and gold spans of the kinds that have a pattern."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    gold = [[Span(s["start_position"], s["end_position"], s["entity_type"], 1.0) for s in row["spans"]] for row in rows]
    return [row["full_text"] for row in rows], [[s for s in spans if s.entity in KINDS] for spans in gold]


def _hits(spans: list[list[Span]], others: list[list[Span]]) -> Counter[str]:
    hits: Counter[str] = Counter()
    for mine, theirs in zip(spans, others, strict=True):
        for a in mine:
            kind = SAME_KIND.get(a.entity, a.entity)
            same = (b for b in theirs if SAME_KIND.get(b.entity, b.entity) == kind)
            hits[kind] += any(a.start < b.end and b.start < a.end for b in same)
    return hits


def _total(spans: list[list[Span]]) -> Counter[str]:
    return Counter(SAME_KIND.get(span.entity, span.entity) for row in spans for span in row)


def print_quality(found: dict[str, list[list[Span]]], gold: list[list[Span]]) -> None:
    """Recall and precision of each kind, one line per kind and finder."""
    for kind in KINDS:
        for name, spans in found.items():
            hit, of = _hits(gold, spans)[kind], _total(gold)[kind]
            right, said = _hits(spans, gold)[kind], _total(spans)[kind]
            print(f"{kind:14} {name:10} recall {hit}/{of} = {hit / max(of, 1):.3f}  precision {right}/{said}")


def compare(texts: list[str], stage: Pii) -> dict[str, list[list[Span]]]:
    """Time every finder, print the ratio and the number of texts where windows differ from whole texts."""
    runs = {name: timed(name, find, texts) for name, find in finders(stage).items()}
    differ = sum(a != b for a, b in zip(runs["ours"][0], runs["whole"][0], strict=True))
    print(f"ours / presidio = {runs['ours'][1] / runs['presidio'][1]:.1f}x; ours differs from whole in {differ} texts")
    return {name: found for name, (found, _) in runs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--max-mb", type=float, default=1.0, help="how much of --texts (default: 1)")
    arguments = parser.parse_args()
    texts, gold = labelled(arguments.labelled)
    for stage in (Pii(), Pii(keep_private_ips=False)):
        print(f"\n{arguments.labelled.name}, keep_private_ips={stage.keep_private_ips}")
        print_quality(compare(texts, stage), gold)
    if arguments.texts:
        column = pq.read_table(arguments.texts, columns=["text"])["text"].to_pylist()
        sizes, chosen = 0.0, []
        for text in column:
            if sizes > arguments.max_mb * 1e6:
                break
            chosen.append(text)
            sizes += len(text.encode())
        print(f"\n{arguments.texts.name}, the first {sizes / 1e6:.1f} MB")
        compare(chosen, Pii())


if __name__ == "__main__":
    main()
