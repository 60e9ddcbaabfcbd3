"""Signatures by datasketch or rensa on one core: run by `minhash.py` in an environment of theirs.

    python minhash_peer.py datasketch|rensa texts.json num_hashes repeats

The file holds `sets` (texts by name) and `pairs` (of texts). Words are those of `\\w+`, lower case; a shingle is five
of them, joined, and a text's shingles are given once each. Each way of making signatures is timed twice, from the text
and from shingles that are there, in processor time, the best of the repeats. rensa is called for each text, as its
documentation has it, and for all texts at once, which is faster. Prints one JSON object: version, seconds by set and
way, and estimates of the pairs by way.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NGRAM_SIZE = 5
Shingles = list[list[str]]
#: Signatures of shingle sets, in a form of the library's.
Sign = Callable[[Shingles, int], Any]


def main() -> None:
    """Measure and print."""
    library, path, num_hashes, repeats = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    given = json.loads(path.read_text(encoding="utf-8"))
    ways = {"datasketch": datasketch_ways, "rensa": rensa_ways}[library]()
    seconds = {
        name: {way: timed(sign, texts, num_hashes, repeats) for way, sign in ways.items()}
        for name, texts in given["sets"].items()
    }
    estimates = {way: estimated(sign, given["pairs"], num_hashes) for way, sign in ways.items()}
    version = importlib.metadata.version(library)
    print(json.dumps({"version": version, "seconds": seconds, "estimates": estimates}))


def shingled(text: str) -> list[str]:
    """Distinct shingles."""
    words = re.findall(r"\w+", text.lower())
    return list({" ".join(words[i : i + NGRAM_SIZE]) for i in range(max(1, len(words) - NGRAM_SIZE + 1))})


def timed(sign: Sign, texts: list[str], num_hashes: int, repeats: int) -> dict[str, float]:
    """Seconds for shingles and signatures (`text`) and for signatures (`shingles`)."""
    best = {"text": float("inf"), "shingles": float("inf")}
    for _ in range(repeats):
        start = time.process_time()
        sets = [shingled(text) for text in texts]
        middle = time.process_time()
        sign(sets, num_hashes)
        end = time.process_time()
        best = {"text": min(best["text"], end - start), "shingles": min(best["shingles"], end - middle)}
    return best


def estimated(sign: Sign, pairs: list[tuple[str, str]], num_hashes: int) -> list[float]:
    """The share of equal places in the signatures of each pair."""
    left, right = (rows(sign([shingled(pair[side]) for pair in pairs], num_hashes)) for side in (0, 1))
    return [sum(x == y for x, y in zip(a, b, strict=True)) / num_hashes for a, b in zip(left, right, strict=True)]


def rows(signatures: Any) -> Sequence[Sequence[int]]:
    """One list of numbers for each set."""
    if hasattr(signatures, "to_rows"):  # rensa's matrix
        signatures = signatures.to_rows()
    return [getattr(signature, "hashvalues", signature) for signature in signatures]


def datasketch_ways() -> dict[str, Sign]:
    """A MinHash for each set, by `update_batch`."""
    from datasketch import MinHash

    def update_batch(sets: Shingles, num_hashes: int) -> Any:
        signatures = []
        for shingles in sets:
            signature = MinHash(num_hashes)
            signature.update_batch([shingle.encode() for shingle in shingles])
            signatures.append(signature)
        return signatures

    return {"datasketch update_batch": update_batch}


def rensa_ways() -> dict[str, Sign]:
    """RMinHash for each text and for all, and CMinHash for all, with the seed of rensa's documentation."""
    from rensa import CMinHash, RMinHash

    def update(sets: Shingles, num_hashes: int) -> Any:
        signatures = []
        for shingles in sets:
            signature = RMinHash(num_hashes, 42)
            signature.update(shingles)
            signatures.append(signature.digest())
        return signatures

    def rminhash(sets: Shingles, num_hashes: int) -> Any:
        return RMinHash.digest_matrix_from_token_sets(sets, num_hashes, 42)

    def cminhash(sets: Shingles, num_hashes: int) -> Any:
        return CMinHash.digests_from_token_sets(sets, num_hashes, 42)

    return {"rensa RMinHash update": update, "rensa RMinHash, all at once": rminhash, "rensa CMinHash": cminhash}


if __name__ == "__main__":
    main()
