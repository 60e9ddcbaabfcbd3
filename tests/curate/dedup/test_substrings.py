from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from document_nodes import number_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.dedup.recurring_keys import _recurring_row
from curate.dedup.repeated_windows import Finding, _all_but_first, anchor_keys, find_windows
from curate.dedup.streams import whole_groups
from curate.dedup.substrings import SubstringDedup, judged
from curate.kernels import bloom
from curate.kernels.key_slices import NUM_SLICES, restored, slices

SIZE = 8
#: Cuts are what repeats, to the token.
EXACT = SubstringDedup(min_tokens=SIZE, boundary="token", min_cut_tokens=1, keep="smallest_id")


def repeated_tokens(texts: list[str], size: int) -> list[set[int]]:
    """The oracle: all windows in a dictionary, in order of the documents and then of reading."""
    seen: set[tuple[str, ...]] = set()
    found = []
    for text in texts:
        words, gone = text.split(), set()
        for i in range(len(words) - size + 1):
            window = tuple(words[i : i + size])
            if window in seen:
                gone |= set(range(i, i + size))
            seen.add(window)
        found.append(gone)
    return found


def without(text: str, cuts: Any) -> str:
    body = text.encode()
    for span in reversed(cuts or []):
        body = body[: span["start"]] + body[span["end"] :]
    return body.decode()


def expected_rest(texts: list[str], size: int) -> list[list[str]]:
    return [
        [word for i, word in enumerate(text.split()) if i not in gone]
        for text, gone in zip(texts, repeated_tokens(texts, size), strict=True)
    ]


class Held:
    """A filter as Spark hands it out."""

    def __init__(self, value: bloom.Bloom) -> None:
        self.value = value


def sorted_by(batches: list[pa.RecordBatch], *keys: str) -> pa.Table:
    table = pa.Table.from_batches(batches)
    ids = [order["id"] if order else 0 for order in table["order"].to_pylist()]
    return table.append_column("id", pa.array(ids)).sort_by([(key, "ascending") for key in keys]).drop_columns("id")


def verdicts(
    texts: list[str], stage: SubstringDedup, order: list[int], rows_at_a_time: int
) -> dict[int, dict[str, Any]]:
    """What the stage does, without Spark: documents come in another order, and everything in small batches."""
    finding = Finding(stage.min_tokens, stage.boundary, stage.keep)
    batches = []
    for start in range(0, len(order), 2):
        numbers = order[start : start + 2]
        ids = [f"{number:016x}" + "0" * 16 for number in numbers]
        nodes = pa.array([1000 - order.index(number) for number in numbers])
        columns = {"node": nodes, "doc_id": pa.array(ids), "text": pa.array([texts[n] for n in numbers])}
        batches.append(pa.RecordBatch.from_pydict(columns))
    number_of_node = {1000 - place: number for place, number in enumerate(order)}
    sliced: dict[int, list[Any]] = {}
    for batch in batches:
        for number, part in zip(*(column.to_pylist() for column in slices(anchor_keys(batch, finding))), strict=True):
            sliced.setdefault(number, []).append(np.frombuffer(part, np.uint32))
    known = bloom.empty(bloom.Size(NUM_SLICES, 7))
    for number, parts in sliced.items():
        for row in _recurring_row(number, parts).to_pylist():
            bloom.add(known, restored(number, np.frombuffer(row["keys"], np.uint32)))
    windows = [find_windows(batch, finding, Held(known)) for batch in batches]
    stream = sorted_by(windows, "first", "second", "id", "node", "position")
    again = list(_all_but_first(stream.to_batches(max_chunksize=rows_at_a_time)))
    if not again:
        return {}
    stream = sorted_by(again, "node", "position")
    found = [judged(rows, stage) for rows in whole_groups(stream.to_batches(max_chunksize=rows_at_a_time), "node")]
    return {number_of_node[row["node"]]: row for batch in found for row in batch.to_pylist()}


words = st.lists(st.sampled_from("ab"), max_size=30).map(" ".join)
planted = st.sampled_from(["c d e f a b g h i j", "a b " * 9, "x " * 11, "k l m n o p q", ""])
documents_of_parts = st.lists(st.lists(words | planted, max_size=4).map(" ".join), min_size=1, max_size=6)


@given(documents_of_parts, st.randoms(use_true_random=False), st.integers(1, 9))
def test_what_goes_is_every_window_that_occurred_before(texts: list[str], shuffled: Any, rows_at_a_time: int) -> None:
    order = list(range(len(texts)))
    shuffled.shuffle(order)
    found = verdicts(texts, EXACT, order, rows_at_a_time)
    gone = repeated_tokens(texts, SIZE)
    assert {number: row["num_repeated_tokens"] for number, row in found.items()} == {
        number: len(tokens) for number, tokens in enumerate(gone) if tokens
    }
    rests = [without(text, found[n]["cuts"] if n in found else None).split() for n, text in enumerate(texts)]
    assert rests == expected_rest(texts, SIZE)
    for number, row in found.items():
        assert row["num_tokens"] == len(texts[number].split())
        assert row["repeated_frac"] == pytest.approx(len(gone[number]) / row["num_tokens"])
        assert row["drop_reason"] == ("all_repeated" if not rests[number] else None)


@given(documents_of_parts, st.integers(1, 9))
def test_passages_cover_what_repeats_and_say_the_same_on_both_sides(texts: list[str], rows_at_a_time: int) -> None:
    order = list(range(len(texts)))
    found = verdicts(texts, EXACT, order, rows_at_a_time)
    for number, row in found.items():
        covered: set[int] = set()
        for span in row["passages"]:
            here = texts[number].encode()[span["start"] : span["end"]].decode().split()
            there = texts[order[1000 - span["kept_node"]]].encode()[span["kept_start"] : span["kept_end"]]
            assert here == there.decode().split()
            assert len(here) == span["num_tokens"]
            before = len(texts[number].encode()[: span["start"]].decode().split())
            covered |= set(range(before, before + len(here)))
        assert len(covered) == row["num_repeated_tokens"]


def test_keys_of_anchors_fill_all_slices_alike() -> None:
    batch = pa.RecordBatch.from_pydict({"text": [" ".join(map(str, range(200_000)))]})
    keys = anchor_keys(batch, Finding(50, "sentence", ("smallest_id",)))
    counts = np.bincount((keys >> np.uint64(60)).astype(np.int64), minlength=16)
    assert keys.size > 10_000
    assert abs(counts - keys.size / 16).max() < 5 * (keys.size / 16) ** 0.5


def numbers(*spans: range) -> str:
    return " ".join(str(n) for span in spans for n in span)


def apply(stage: SubstringDedup, documents: Any, context: Any, parts: int = 3) -> dict[int, Any]:
    return {number_of(row.node, parts): row for row in stage.apply(documents, context).collect()}


@pytest.mark.spark
def test_the_length_is_on_the_bound_white_space_does_not_count_and_case_does(documents: Any, context: Any) -> None:
    texts = [
        numbers(range(100, 200)),
        numbers(range(1000, 1020), range(120, 170)),  # 50 tokens of the first
        numbers(range(2000, 2020), range(120, 169)),  # 49
        numbers(range(3000, 3020)) + "\n\n" + numbers(range(130, 180)).replace(" ", "\n  "),
        "Word " * 2 + numbers(range(4000, 4049)),
        "word " * 2 + numbers(range(4000, 4048)),
        None,
        "",
    ]
    stage = SubstringDedup(boundary="token")
    found = apply(stage, documents([(f"{n:032x}", text) for n, text in enumerate(texts)]), context)
    assert {n: row.num_repeated_tokens for n, row in found.items()} == {1: 50, 3: 50}
    assert without(texts[1], found[1].cuts) == numbers(range(1000, 1020))
    assert without(texts[3], found[3].cuts) == numbers(range(3000, 3020))
    assert all(row.drop_reason is None for row in found.values())
    assert found[1].num_tokens == 70
    assert found[1].repeated_frac == pytest.approx(50 / 70)


@pytest.mark.spark
def test_one_copy_stays_whole_and_a_document_without_anything_of_its_own_goes(
    documents: Any, context: Any, tmp_path: Path
) -> None:
    passage = numbers(range(60))
    rows = [
        ("a" * 32, f"{passage}. Short one"),
        ("b" * 32, f"The longest of them keeps it. {passage}. And goes on and on and on and on and on and on."),
        ("c" * 32, passage + "."),
        ("d" * 32, f"{passage}. Twice in one: {numbers(range(100, 160))}. {numbers(range(100, 160))}."),
    ]
    found = apply(
        SubstringDedup(min_tokens_left=3), documents([*rows[:3], ("e" * 32, passage + ". Three are left")]), context
    )
    assert {n: row.drop_reason for n, row in found.items()} == {0: "tokens_left_below_min", 2: "all_repeated", 3: None}
    assert without(rows[0][1], found[0].cuts) == "Short one"
    found = apply(SubstringDedup(keep="smallest_id"), documents(rows), context)
    assert set(found) == {1, 2, 3}
    assert without(rows[3][1], found[3].cuts) == f"Twice in one: {numbers(range(100, 160))}."
    evidence = context.spark.read.parquet(str(tmp_path / "spans")).collect()
    assert {(row.doc_id[0], row.kept_doc_id[0]) for row in evidence} == {("b", "a"), ("d", "d")}
    assert max(row.num_copies for row in evidence) == 3  # 60 numbers of the first document, in three others
    assert all(row.equal and row.text and len(row.text) <= 300 for row in evidence)


@pytest.mark.spark
def test_nothing_that_repeats_gives_no_verdicts_and_empty_evidence(
    documents: Any, context: Any, tmp_path: Path
) -> None:
    assert apply(SubstringDedup(), documents([("a", numbers(range(500))), ("b", "")]), context) == {}
    assert context.spark.read.parquet(str(tmp_path / "spans")).count() == 0


@pytest.mark.spark
def test_partitions_and_the_order_of_the_input_change_nothing(documents: Any, context: Any) -> None:
    source = random.Random(5)
    passages = [[f"{n}-{i}" for i in range(source.randrange(20, 90))] for n in range(12)]
    rows = []
    for _ in range(60):
        parts = [word for passage in source.sample(passages, 3) for word in [*passage, f"own{source.random()}."]]
        rows.append((f"{source.getrandbits(128):032x}", " ".join(parts)))
    rows.append(rows[0])  # twice the same, with the same id
    outcomes = []
    for parts in (1, 4, 32):
        source.shuffle(rows)
        found = apply(SubstringDedup(keep=("longest",)), documents(rows, parts, parts), context, parts)
        kept = [(*rows[n][:2], None) for n in range(len(rows)) if n not in found]
        judged_ = [(*rows[n][:2], str(tuple(row)[1:])) for n, row in found.items()]
        outcomes.append(sorted(map(str, kept + judged_)))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.spark
def test_real_text_is_cut_as_the_oracle_says(shared_data: Path, documents: Any, context: Any, tmp_path: Path) -> None:
    pages = pq.read_table(shared_data / "neardup" / "documents.parquet")["text"].to_pylist()[:250]
    news = pq.read_table(shared_data / "text" / "news_en.parquet")["text"].to_pylist()[:300]
    texts = [text for text in pages + news if text.isascii()]  # there words are what white space separates
    assert sum(map(len, texts)) > 1_000_000
    found = apply(
        EXACT.model_copy(update={"min_tokens": 50}),
        documents([(f"{n:016x}" + "0" * 16, text) for n, text in enumerate(texts)]),
        context,
    )
    assert len(found) > 30
    rests = [without(text, found[n].cuts if n in found else None).split() for n, text in enumerate(texts)]
    assert rests == expected_rest(texts, 50)
    evidence = context.spark.read.parquet(str(tmp_path / "spans"))
    assert evidence.where("equal").count() == evidence.count() > 30


@pytest.mark.parametrize(
    "wrong", [{"min_tokens": 7}, {"boundary": "word"}, {"min_cut_tokens": 0}, {"min_tokens_left": -1}, {"keep": "best"}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SubstringDedup(**wrong)


def test_the_stage_asks_for_what_its_policy_needs() -> None:
    assert SubstringDedup().requires == ("text", "doc_id")
    assert set(SubstringDedup(keep=[{"source": ["wiki"]}, "earliest"]).requires) == {"text", "doc_id", "source", "date"}
    assert SubstringDedup.writes == ("text",)
