from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from document_nodes import number_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.dedup.ngrams import NgramDedup, _all_but_first, find_ngrams, judged
from curate.dedup.streams import whole_groups
from curate.kernels import bloom
from curate.kernels.key_slices import rounded
from curate.kernels.paragraph_ngrams import paragraph_ngrams

SMALL = NgramDedup(ngram_size=2, max_seen_frac=0.5, keep="smallest_id")


def paragraphs(text: str, size: int) -> list[tuple[str, list[tuple[str, ...]]]]:
    lines = [line for line in text.split("\n") if line.split()]
    words = [line.split() for line in lines]
    ngrams = [[tuple(line[i : i + size]) for i in range(len(line) - size + 1)] for line in words]
    return list(zip(lines, ngrams, strict=True))


def oracle(texts: list[str], stage: NgramDedup) -> dict[int, tuple[Any, ...]]:
    """reason, n-grams, seen ones, lines left: of documents in order of priority, with everything in one set."""
    seen: set[tuple[str, ...]] = set()
    found = {}
    for number, text in enumerate(texts):
        total, again, left = 0, 0, []
        for line, ngrams in paragraphs(text, stage.ngram_size):
            known = sum(ngram in seen for ngram in ngrams)
            total, again = total + len(ngrams), again + known
            if not ngrams or known / len(ngrams) <= stage.max_seen_frac:
                left.append(line.split())
            seen.update(ngrams)
        if again:
            reason = "seen_frac_above_max" if again / total > stage.max_seen_frac else None
            found[number] = (reason, total, again, left)
    return found


def without(text: str, cuts: Any) -> list[list[str]]:
    body = text.encode()
    for span in reversed(cuts or []):
        body = body[: span["start"]] + body[span["end"] :]
    return [line.split() for line in body.decode().split("\n") if line.split()]


def outcome(texts: list[str], rows: dict[int, Any]) -> dict[int, tuple[Any, ...]]:
    return {
        n: (row["drop_reason"], row["num_ngrams"], row["num_seen_ngrams"], without(texts[n], row["cuts"]))
        for n, row in rows.items()
    }


class Held:
    """A filter as Spark hands it out."""

    def __init__(self, value: bloom.Bloom) -> None:
        self.value = value


def verdicts(texts: list[str], stage: NgramDedup, order: list[int], rows_at_a_time: int) -> dict[int, dict[str, Any]]:
    """What the stage does, without Spark: documents come in another order, and everything in small batches."""
    ids = [f"{number:016x}" + "0" * 16 for number in order]
    columns = {"node": pa.array(range(len(order))), "doc_id": ids, "text": [texts[n] for n in order]}
    batch = pa.RecordBatch.from_pydict(columns)
    keys = paragraph_ngrams(batch["text"], stage.ngram_size).keys
    recurring = [key for key, times in Counter(rounded(keys).tolist()).items() if times > 1]
    known = bloom.empty(bloom.Size(8, 7))
    bloom.add(known, rounded(pa.array(recurring, pa.uint64()).to_numpy()))
    table = pa.Table.from_batches(
        [find_ngrams(batch.slice(at, 2), stage.ngram_size, stage.keep, Held(known)) for at in range(0, len(order), 2)]
    )
    table = table.append_column("id", pa.array([row["id"] for row in table["order"].to_pylist()], pa.int64()))
    by_key = table.sort_by([(name, "ascending") for name in ("key", "id", "node", "paragraph")])
    again = pa.Table.from_batches(list(_all_but_first(by_key.to_batches(max_chunksize=rows_at_a_time))) or [])
    by_node = again.sort_by([("node", "ascending"), ("paragraph", "ascending")])
    groups = whole_groups(by_node.to_batches(max_chunksize=rows_at_a_time), "node")
    return {order[row["node"]]: row for rows in groups for row in judged(rows, stage).to_pylist()}


lines = st.lists(st.sampled_from(["a b", "a b c d", "c d e f g", "g h", "b c b c b c", "x", "", "h i j k"]), max_size=5)


@given(st.lists(lines.map("\n".join), min_size=1, max_size=6), st.randoms(use_true_random=False), st.integers(1, 9))
def test_what_goes_is_what_the_oracle_says(texts: list[str], shuffled: Any, rows_at_a_time: int) -> None:
    texts = [*texts, "a b", "a b"]  # something recurs
    order = list(range(len(texts)))
    shuffled.shuffle(order)
    rows = verdicts(texts, SMALL, order, rows_at_a_time)
    assert outcome(texts, rows) == oracle(texts, SMALL)
    for row in rows.values():
        assert row["seen_frac"] == row["num_seen_ngrams"] / row["num_ngrams"]


def numbers(first: int, last: int) -> str:
    return " ".join(map(str, range(first, last)))


def apply(stage: NgramDedup, documents: Any, context: Any, parts: int = 3) -> dict[int, Any]:
    return {number_of(row.node, parts): row for row in stage.apply(documents, context).collect()}


@pytest.mark.spark
def test_paragraphs_and_documents_go_on_either_side_of_the_bound(documents: Any, context: Any) -> None:
    rows = [
        ("0", numbers(0, 100) + "\n" + numbers(1000, 1100)),
        ("1", numbers(0, 92) + " " + numbers(5000, 5020) + "\n" + numbers(6000, 6500)),  # 80 of 100 n-grams
        ("2", numbers(0, 93) + " " + numbers(5100, 5119) + "\n" + numbers(7000, 7500)),  # 81 of 100
        ("3", numbers(1000, 1093) + " " + numbers(5200, 5219)),
        ("4", numbers(0, 12) + "\n" + numbers(8000, 8100)),  # too short to be judged
        ("5", None),
    ]
    rows = [(f"{n:032x}", text) for n, (_, text) in enumerate(rows)]
    found = apply(NgramDedup(keep="smallest_id"), documents(rows), context)
    assert {n: (row.drop_reason, row.num_seen_ngrams, row.num_removed_paragraphs) for n, row in found.items()} == {
        1: (None, 80, 0),
        2: (None, 81, 1),
        3: ("seen_frac_above_max", 81, 1),
    }
    assert without(rows[2][1], found[2].cuts) == [numbers(7000, 7500).split()]
    only = apply(NgramDedup(keep="smallest_id", remove="paragraph"), documents(rows), context)
    assert {n: row.drop_reason for n, row in only.items()} == {1: None, 2: None, 3: "all_repeated"}
    only = apply(NgramDedup(keep="smallest_id", remove="document"), documents(rows), context)
    assert {n: (row.drop_reason, row.cuts) for n, row in only.items()} == {
        1: (None, None),
        2: (None, None),
        3: ("seen_frac_above_max", None),
    }


@pytest.mark.spark
def test_partitions_and_the_order_of_the_input_change_nothing(documents: Any, context: Any) -> None:
    source = random.Random(5)
    pool = [numbers(n, n + source.randrange(10, 40)) for n in range(0, 2000, 25)]
    rows = [(f"{source.getrandbits(128):032x}", "\n".join(source.sample(pool, 8))) for _ in range(60)]
    rows.append(rows[0])  # twice the same, with the same id
    outcomes = []
    for parts in (1, 4, 32):
        source.shuffle(rows)
        found = apply(NgramDedup(), documents(rows, parts, parts), context, parts)
        outcomes.append(sorted((rows[n][0], str(tuple(found[n])[1:]) if n in found else "") for n in range(len(rows))))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert any("seen_frac_above_max" in verdict for _, verdict in outcomes[0])


@pytest.mark.spark
def test_real_text_goes_as_the_oracle_says(shared_data: Path, documents: Any, context: Any) -> None:
    texts = pq.read_table(shared_data / "neardup" / "documents.parquet")["text"].to_pylist()[:250]
    texts = [text for text in texts if text.isascii()]  # there words are what white space separates
    stage = NgramDedup(keep="smallest_id")
    found = apply(stage, documents([(f"{n:016x}" + "0" * 16, text) for n, text in enumerate(texts)]), context)
    assert outcome(texts, {n: row.asDict() for n, row in found.items()}) == oracle(texts, stage)
    assert len(found) > 30


@pytest.mark.parametrize(
    "wrong", [{"ngram_size": 0}, {"max_seen_frac": 1.1}, {"remove": "line"}, {"keep": "best"}, {"max_filter_mib": 0}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NgramDedup(**wrong)


def test_the_stage_asks_for_what_its_policy_needs() -> None:
    assert NgramDedup().requires == ("text", "doc_id")
    assert set(NgramDedup(keep=["latest", "longest"]).requires) == {"text", "doc_id", "date"}
    assert NgramDedup.writes == ("text",)
