"""MinHash signatures per second: this toolkit's kernel beside datasketch's `update_batch`, same texts, same run.

    python -m benchmarks.minhash [texts.parquet]

Both make 112 hashes of 5-word shingles on one core. Ours reads raw text: tokens, shingle sets, signatures and bands.
datasketch is given tokens by `re` and shingles as joined bytes, which its figure includes, as its users pay for it too;
`update_batch` alone is shown as well. Without a file the texts are synthetic.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash

from curate.kernels import minhash, shingles

NUM_HASHES, NUM_BANDS, NGRAM_SIZE = 112, 14, 5


def synthetic(num_texts: int = 5_000, num_words: int = 400) -> pa.Array:
    """English-like word lengths, drawn from 50,000 words."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlucm", k=draw.randint(2, 9))) for _ in range(50_000)]
    return pa.array([" ".join(draw.choices(words, k=num_words)) for _ in range(num_texts)])


def ours(texts: pa.Array) -> None:
    """Everything that a sketch needs."""
    sets = shingles.shingle_sets(texts, NGRAM_SIZE)
    minhash.band_hashes(minhash.signatures(sets.values, sets.offsets, NUM_HASHES, 0), NUM_BANDS)


def shingled(text: str) -> list[bytes]:
    """Distinct 5-word shingles as bytes."""
    words = re.findall(r"\w+", text.lower())
    return list({" ".join(words[i : i + NGRAM_SIZE]).encode() for i in range(max(1, len(words) - NGRAM_SIZE + 1))})


def signed(sets: list[list[bytes]]) -> None:
    """datasketch's signatures of shingles."""
    for shingle_set in sets:
        MinHash(NUM_HASHES).update_batch(shingle_set)


def megabytes_per_second(work: Callable[[], None], texts: pa.Array) -> float:
    """UTF-8 megabytes (10**6) of text in a second of processor time."""
    start = time.process_time()
    work()
    return sum(len(text.as_buffer()) for text in texts) / 1e6 / (time.process_time() - start)


def main() -> None:
    texts = synthetic()
    if len(sys.argv) > 1:
        texts = pq.read_table(sys.argv[1], columns=["text"])["text"].combine_chunks()[:20_000]
    ours(texts[:1])  # compile
    few = texts[:2_000]
    sets = [shingled(text) for text in few.to_pylist()]
    fast = megabytes_per_second(lambda: ours(texts), texts)
    whole = megabytes_per_second(lambda: signed([shingled(text) for text in few.to_pylist()]), few)
    alone = megabytes_per_second(lambda: signed(sets), few)
    print(f"curate: text to signatures and bands  {fast:8.1f} MB/s")
    print(f"datasketch: text to signatures        {whole:8.1f} MB/s  ratio {fast / whole:.1f}")
    print(f"datasketch: update_batch alone        {alone:8.1f} MB/s  ratio {fast / alone:.1f}")


if __name__ == "__main__":
    main()
