"""Conformance with the peers' own code: do our variants of their filters give their verdicts, document by document?

    python benchmarks/conformance.py --data DIR [--limit 100] [--peer datatrove] [--texts FILE:ru] [--output REPORT.md]

A recipe such as `gopher@datatrove` claims to do what another toolkit's code does. Here that code runs on the same real
texts, in an environment of its own, and each verdict, reason and changed text is laid beside ours. A document on which
both differ is listed with the figures of both sides and a cause. The bar is 99.5 % of the documents of every variant
and language with the same verdict; the exit status is 1 where one is missed.

`--data` is a folder with `web/wcxb_dev.warc.gz` (English pages), `web/daniel_dev.warc.gz` (Chinese, Russian, Polish,
Greek) and `wordlists/ldnoobw/`. Pages are extracted once and kept in the cache folder, with the peers' verdicts and
their environments, which are installed from PyPI: the one step that needs the network. `--venv NAME=DIR` takes an
environment that is there.

Peers: datatrove 0.10.1 (Gopher, C4, FineWeb filters with its tokenizer of each language) and Dolma 1.2.1 (its taggers,
and its mixer with the bounds of Dolma v1.5 and of its C4 replication). Left out, and no recipe of ours says that it
does what they do: NeMo Curator 1.4.0, whose filters are plain Python but import its engine (133 packages, Ray and
PyTorch among them); Data-Juicer 1.6.1 (76 packages, operators with rules of their own); DCLM (no package).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from frame import RESULTS, machine
from peers.compare import compare
from peers.documents import WARCS, collect
from peers.environments import PEERS, Answer, ask, interpreter
from peers.ours import judge, same_words, steps_of
from peers.pairs import PAIRS, Pair
from peers.report import Result, markdown, summarize, table

from curate import recipe as recipes
from curate.errors import CurateError

LANGUAGES = ("en", "zh", "ru", "pl", "el")


def main() -> None:
    """Print a line for each variant and language, and write the report."""
    options = _options()
    cache = Path(options.cache)
    named = dict(name.split("=", 1) for name in options.recipe)
    ready = dict(name.split("=", 1) for name in options.venv)
    paths = [str(Path(options.data) / "web" / name) for name in WARCS] if options.data else []
    documents = collect([*paths, *options.texts], options.languages, cache, options.limit)
    word_lists = Path(options.data) / "wordlists" / "ldnoobw" if options.data else None
    results: list[Result] = []
    for peer in options.peer or PEERS:
        python = interpreter(peer, cache, ready)
        for language, texts in documents.items():
            print(f"{peer}, {language}: {len(texts)} documents …", flush=True)
            answer = ask(peer, python, texts, language, word_lists, cache / "verdicts")
            results += [one_pair(pair, language, texts, answer, named) for pair in PAIRS if pair.peer == peer]
    results.sort(key=lambda result: result["pair"])
    print(table(results))
    print(f"report: {save(results, options.output)}")
    if not all(result.get("passed") for result in results):
        raise SystemExit(1)


def one_pair(pair: Pair, language: str, documents: pa.Table, answer: Answer, named: dict[str, str]) -> Result:
    """What the documents of one language say of one pair; `absent` says why there is nothing to compare."""
    head = {"pair": pair.name, "recipe": pair.recipe, "peer": pair.peer, "language": language}
    if pair.filter not in answer.rules:
        return head | {"absent": "the peer has no list for this language", "passed": True}
    try:
        recipe = recipes.load(named.get(pair.recipe, pair.recipe))
        steps = steps_of(pair, recipe, answer.bad_words, language)
    except (CurateError, ValueError) as error:
        return head | {"absent": re.split(r"\n|(?<=[.'])[ .]", str(error))[0]}
    if {step.use for step in steps} != set(pair.stages):
        return head | {"absent": f"the recipe has no {' or no '.join({*pair.stages} - {step.use for step in steps})}"}
    texts = {row["doc_id"]: (row["url"], row["text"]) for row in documents.to_pylist()}
    ours = dict(judge(documents, steps))
    if not pair.compares_texts:
        ours = {doc_id: verdict._replace(text=None) for doc_id, verdict in ours.items()}
    words = same_words(documents, steps, answer.verdicts.get("gopher_quality"))
    rules, theirs = answer.rules[pair.filter], answer.verdicts[pair.filter]
    outcomes = [
        compare(doc_id, text, theirs[doc_id], ours[doc_id], rules, pair.reasons, words.get(doc_id))
        for doc_id, (_, text) in texts.items()
    ]
    return head | summarize(outcomes, rules, pair.reasons, texts)


def save(results: Sequence[Result], output: str | None) -> Path:
    """Write the Markdown report, and beside it the same as JSON. Returns the former."""
    now = datetime.now(UTC)
    path = Path(output) if output else RESULTS / f"conformance-{now:%Y%m%dT%H%M%SZ}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {
        "benchmark": "conformance",
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "peers": {name: peer.version for name, peer in PEERS.items()},
        "results": results,
    }
    path.write_text(markdown(record), encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with web/ and wordlists/, see above")
    parser.add_argument("--texts", action="append", default=[], help="a parquet, JSONL or WARC file: FILE[:language]")
    parser.add_argument("--limit", type=int, help="only the first documents of each language, so many")
    parser.add_argument("--languages", type=lambda text: text.split(","), default=LANGUAGES, help="en,zh,…")
    parser.add_argument("--peer", action="append", choices=sorted(PEERS), help="one of them, again for more; else all")
    parser.add_argument("--recipe", action="append", default=[], help="NAME=FILE.yaml: a file in place of a recipe")
    parser.add_argument("--venv", action="append", default=[], help="PEER=DIR: an environment that is there already")
    parser.add_argument("--cache", default=str(RESULTS / "conformance"), help="texts, environments, verdicts")
    parser.add_argument("--output", help="the Markdown report; JSON goes beside it")
    options: argparse.Namespace = parser.parse_args()
    if not options.data and not options.texts:
        parser.error("nothing to compare on: give --data or --texts")
    return options


if __name__ == "__main__":
    main()
