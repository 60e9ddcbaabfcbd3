from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from document_nodes import number_of
from pydantic import ValidationError

from curate.errors import InputError, RecipeError
from curate.scoring.rank_keys import gumbel, ties
from curate.scoring.select import CCNET_BUCKETS, Select
from curate.spark.documents import Documents

Make = Callable[..., Documents]
Verdict = tuple[str | None, float | None, str | None]

LANGUAGES = ("en", "zh", "de", "sw", None)
SCORES = pa.struct([("score", pa.float64()), ("num_tokens", pa.int32()), ("label", pa.string())])


def corpus(size: int = 600) -> tuple[list[dict[str, Any]], pa.StructArray]:
    """Documents of five languages, with scores that tie, nulls, NaN, infinities, zeros of both signs."""
    random.seed(5)
    odd = (None, math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324)
    rows, scores = [], []
    for number in range(size):
        language = random.choice(LANGUAGES[: 1 + number % 5])
        score = random.choice((random.gauss(0, 1), float(random.randrange(4)), odd[number % len(odd)]))
        rows.append({"doc_id": f"{number:032x}", "language": language, "token_count": random.randrange(200)})
        scores.append({"score": score, "num_tokens": number % 7, "label": "x"})
    return rows, pa.array(scores, SCORES)


ROWS, SIGNALS = corpus()
VALUES = [None if v is None or math.isnan(v) else v for v in SIGNALS.field("score").to_pylist()]


def verdicts(stage: Select, documents: Documents, context: Any) -> dict[int, Verdict]:
    """By position in the list of documents: reason, value, bucket. None where there is no verdict."""
    rows = stage.apply(documents, context).collect()
    assert len(rows) == len({row.node for row in rows})
    return {number_of(row.node, len(documents.parts)): tuple(row)[1:] for row in rows}


def kept_in(found: dict[int, Verdict]) -> set[int]:
    return {number for number, verdict in found.items() if verdict[0] is None}


def best_first(members: list[int], most: bool, seed: int = 0) -> list[int]:
    """Slow: sorted by score, then by the hash of doc_id."""
    hashes = ties(pa.array([row["doc_id"] for row in ROWS]), seed)
    return sorted(members, key=lambda n: (-VALUES[n] if most else VALUES[n], hashes[n]))


def by_language() -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(ROWS):
        if VALUES[number] is not None:
            groups.setdefault(row["language"] or "", []).append(number)
    return groups


@pytest.fixture(scope="module", params=[1, 7])
def corpus_documents(request: Any, documents: Make) -> Documents:
    """The corpus in one part, and in seven."""
    return documents(ROWS, request.param, signals={"model": SIGNALS})


@pytest.mark.spark
def test_exactly_as_many_stay_as_a_sort_would_leave(corpus_documents: Documents, context: Any) -> None:
    members = [number for number, value in enumerate(VALUES) if value is not None]
    found = verdicts(Select(score="model.score", keep_documents=100), corpus_documents, context)
    assert kept_in(found) == set(best_first(members, most=True)[:100])
    assert {found[n][0] for n in members if n not in kept_in(found)} == {"below_top"}
    assert {n: verdict[1] for n, verdict in found.items()} == {n: VALUES[n] for n in members}


@pytest.mark.spark
def test_buckets_are_percentiles_of_each_language_and_the_evidence_says_where_they_end(
    corpus_documents: Documents, context: Any, tmp_path: Path
) -> None:
    stage = Select(score="model.score", most=False, by="language", buckets=CCNET_BUCKETS, keep_buckets=("head",))
    found = verdicts(stage, corpus_documents, context)
    cuts = {(cut.group, cut.inside): cut for cut in context.spark.read.parquet(str(tmp_path / "cuts")).collect()}
    assert len(cuts) == 3 * len(LANGUAGES)
    for language, members in by_language().items():
        order, size = best_first(members, most=False), len(members)
        head, middle = size * 3 // 10, size * 6 // 10
        expected = ["head"] * head + ["middle"] * (middle - head) + ["tail"] * (size - middle)
        assert [found[n][2] for n in order] == expected
        assert [found[n][0] for n in order] == [None] * head + ["bucket_not_kept"] * (size - head)
        for name, inside in (("head", order[:head]), ("middle", order[:middle]), ("tail", order)):
            cut = cuts[language, name]
            assert (cut.documents, cut.target, cut.kept, cut.kept_weight) == (size, *[len(inside)] * 3)
            assert cut.last_value == VALUES[inside[-1]]


@pytest.mark.spark
def test_tokens_are_taken_up_to_the_first_document_that_does_not_fit(corpus_documents: Documents, context: Any) -> None:
    found = verdicts(Select(score="model.score", by="language", keep_tokens=3000), corpus_documents, context)
    for members in by_language().values():
        total, expected = 0, set()
        for number in best_first(members, most=True):
            total += ROWS[number]["token_count"]
            if total > 3000:
                break
            expected.add(number)
        assert kept_in(found) & set(members) == expected


@pytest.mark.spark
def test_noise_ranks_as_gumbel_top_k(corpus_documents: Documents, context: Any) -> None:
    found = verdicts(
        Select(score="model.score", keep_documents=150, sampling="gumbel", temperature=2.0), corpus_documents, context
    )
    noise = gumbel(pa.array([row["doc_id"] for row in ROWS]), context.seed)
    noisy = {n: value / 2.0 + noise[n] for n, value in enumerate(VALUES) if value is not None}
    assert {n: verdict[1] for n, verdict in found.items()} == noisy
    infinite = {n for n in noisy if noisy[n] == math.inf}
    assert infinite <= kept_in(found)
    assert kept_in(found) == set(sorted(noisy, key=lambda n: -noisy[n])[:150])


@pytest.mark.spark
def test_a_database_ranks_the_same(documents: Make, context: Any) -> None:
    generator = np.random.default_rng(1)
    size = 5000
    rows = [{"doc_id": f"{n:032x}", "source": "abc"[n % 3]} for n in range(size)]
    values = generator.standard_t(1, size).astype(np.float32)  # heavy tails, and no two equal within a source
    signals = pa.StructArray.from_arrays([pa.array(values)], ["score"])
    stage = Select(score="model.score", by="source", keep_frac=0.29)
    kept = kept_in(verdicts(stage, documents(rows, signals={"model": signals}), context))
    corpus = pa.table({"n": range(size), "source": [row["source"] for row in rows], "value": values})  # noqa: F841
    expected = duckdb.sql(
        "select n from (select n, row_number() over (partition by source order by value desc) as place, "
        "count(*) over (partition by source) as size from corpus) where place <= floor(size * 0.29::decimal(4, 2))"
    )
    assert kept == {n for (n,) in expected.fetchall()}


@pytest.mark.spark
def test_what_has_no_score_is_kept_and_does_not_count_or_is_dropped(documents: Make, context: Any) -> None:
    made = documents(ROWS, signals={"model": SIGNALS})
    missing = {number for number, value in enumerate(VALUES) if value is None}
    kept = verdicts(Select(score="model.score", keep_frac=0.5), made, context)
    assert not missing & set(kept)
    dropped = verdicts(Select(score="model.score", keep_frac=0.5, score_missing="drop"), made, context)
    assert {n: dropped.pop(n) for n in missing} == dict.fromkeys(missing, ("score_missing", None, None))
    assert dropped == kept
    assert len(kept_in(kept)) == (len(VALUES) - len(missing)) // 2


@pytest.mark.spark
def test_copies_of_a_document_stay_or_go_together_and_never_are_too_many(documents: Make, context: Any) -> None:
    rows = [{"doc_id": doc_id} for doc_id in ("a", "copy", "copy", "copy", "z")]
    signals = pa.array([{"score": 2.0}, *[{"score": 1.0}] * 3, {"score": 0.0}], pa.struct([("score", pa.float32())]))
    copies = documents(rows, signals={"model": signals})
    shares = {"5": 1.0, "2": 0.4, "3": 0.6, "4": 0.8, "1": 0.2}  # in whatever order they are written
    found = verdicts(Select(score="model.score", buckets=shares), copies, context)
    assert [found[number][2] for number in range(5)] == ["1", "4", "4", "4", "5"]


@pytest.mark.spark
def test_nothing_and_a_corpus_without_scores(documents: Make, context: Any) -> None:
    nothing = pa.array([None, None], SCORES)
    stage = Select(score="model.score", by="language", keep_documents=1, score_missing="drop")
    found = verdicts(stage, documents(ROWS[:2], signals={"model": nothing}), context)
    assert found == {0: ("score_missing", None, None), 1: ("score_missing", None, None)}
    empty = documents([], signals={"model": SIGNALS[:0]})
    assert verdicts(Select(score="model.score", keep_frac=1), empty, context) == {}


@pytest.mark.spark
def test_tokens_may_be_a_signal_and_must_be_there(documents: Make, context: Any) -> None:
    uncounted = [{**row, "token_count": None} for row in ROWS]
    made = documents(uncounted, signals={"model": SIGNALS})
    with pytest.raises(InputError, match="no token_count"):
        Select(score="model.score", keep_tokens=10).apply(made, context)
    counted = Select(score="model.score", keep_tokens=10, tokens="model.num_tokens")
    assert sum(SIGNALS[n].as_py()["num_tokens"] for n in kept_in(verdicts(counted, made, context))) <= 10


@pytest.mark.spark
def test_a_score_is_a_number(documents: Make, context: Any) -> None:
    with pytest.raises(RecipeError, match=r"and model\.label is string"):
        Select(score="model.label", keep_frac=0.5).apply(documents(ROWS[:3], signals={"model": SIGNALS[:3]}), context)


@pytest.mark.spark
def test_verdicts_have_the_declared_signals(documents: Make, context: Any) -> None:
    stage = Select(score="model.score", keep_frac=0.5)
    found = stage.apply(documents(ROWS[:3], signals={"model": SIGNALS[:3]}), context)
    assert found.columns == ["node", "drop_reason", *stage.signals.names]
    assert [kind for _, kind in found.dtypes] == ["bigint", "string", "double", "string"]


def test_the_settings_say_what_is_required() -> None:
    assert Select(score="a.b", keep_frac=0.5).requires == ("doc_id", "a.b")
    assert Select(score="a.b", keep_tokens=5, by="source").requires == ("doc_id", "a.b", "source", "token_count")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give one of keep_frac"),
        ({"keep_frac": 0.5, "keep_documents": 3}, "here: keep_frac, keep_documents"),
        ({"keep_frac": 0.0}, "greater than 0"),
        ({"keep_frac": 1.1}, "less than or equal to 1"),
        ({"keep_frac": 0.5, "temperature": 2.0}, "sampling: gumbel"),
        ({"keep_frac": 0.5, "tokens": "a.b"}, "which is not given"),
        ({"buckets": {}}, "different shares"),
        ({"buckets": {"head": 0.3}}, "different shares"),
        ({"buckets": {"head": 0.3, "middle": 0.3, "tail": 1}}, "different shares"),
        ({"buckets": {"head": 0.0, "tail": 1}}, "greater than 0"),
        ({"buckets": {"head": 0.3, "tail": 1}, "keep_buckets": ("heads",)}, "names some of head, tail"),
        ({"buckets": {"head": 0.3, "tail": 1}, "keep_buckets": ()}, "names some of head, tail"),
        ({"keep_frac": 0.5, "keep_buckets": ("head",)}, "names some of the buckets"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Select(score="model.score", **settings)
