from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.distillation.distil import DistillationSettings, Distilled, at_cut, distil
from classifiers.trainer import EXAMPLES
from curate.errors import InputError

TEXTS = {"a": "photosynthesis", "b": "buy now", "c": "植物的光合作用", "d": "</s>\0\n"}


def documents(texts: dict[str, str | None] = TEXTS, **columns: list[Any]) -> list[pa.RecordBatch]:
    """A batch for each document."""
    schema = pa.schema([("doc_id", pa.string()), ("text", pa.string()), *((name, pa.string()) for name in columns)])
    whole = pa.table({"doc_id": list(texts), "text": list(texts.values()), **columns}, schema=schema)
    return whole.to_batches(max_chunksize=1)


def judged(path: Path, *lines: Any, given: Any = None, **settings: Any) -> Distilled:
    """What is distilled of these lines: objects, or bytes as they are."""
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return distil([str(path)], given or documents(), DistillationSettings(**{"max_unused_frac": 1.0, **settings}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "judged.jsonl"


def labels(found: Distilled) -> dict[str, str]:
    return dict(zip(found.examples["doc_id"].to_pylist(), found.examples["label"].to_pylist(), strict=True))


def reasons(found: Distilled) -> list[tuple[int, str]]:
    return list(zip(found.unused["line"].to_pylist(), found.unused["reason"].to_pylist(), strict=True))


def test_scores_are_joined_by_id_and_by_text(path):
    found = judged(
        path, {"doc_id": "a", "score": 4}, {"text": "植物的光合作用", "score": 3.5}, {"text": "</s>\0\n", "score": 0}
    )
    assert labels(found) == {"a": "4.0", "c": "3.5", "d": "0.0"}
    assert found.examples.schema == EXAMPLES
    assert dict(zip(*found.examples.select(["doc_id", "text"]).to_pydict().values(), strict=True))["c"] == TEXTS["c"]
    assert found.unused.num_rows == 0


def test_several_votes_are_averaged_whichever_way_the_document_is_named(path):
    votes = [{"doc_id": "a", "score": 1}, {"text": TEXTS["a"], "score": 2}, {"doc_id": "a", "score": "5"}]
    found = judged(path, *votes, {"doc_id": "b", "label": 2})
    assert labels(found) == {"a": "2.666667", "b": "2.0"}
    rows = {row["doc_id"]: row for row in found.votes.to_pylist()}
    assert rows["a"]["num_votes"] == 3
    assert rows["a"]["variance"] == pytest.approx((25 + 1 + 4 - 64 / 3) / 2)
    assert rows["b"] == {"doc_id": "b", "num_votes": 1, "variance": None}


def test_labels_are_counted_and_a_tie_is_no_label(path):
    lines = [{"doc_id": "a", "label": name} for name in ("good", "bad", "good")]
    lines += [{"doc_id": "b", "label": name} for name in ("good", "bad")] + [{"doc_id": "c", "label": True}]
    found = judged(path, *lines, kind="label")
    assert labels(found) == {"a": "good", "c": "true"}
    assert reasons(found) == [(4, "the votes are tied"), (5, "the votes are tied")]


BAD_LINES: list[tuple[Any, str]] = [
    (b"{", "no JSON"),
    (b"[1]", "no JSON object"),
    (b"\xff\xfe{}", "no JSON"),
    (b"[" * 100_000, "no JSON"),
    (b'{"doc_id": "a", "score": ' + b"9" * 5000 + b"}", "no JSON"),
    (b'{"doc_id": "a", "score": NaN}', "neither a finite number"),
    (b'{"doc_id": "a", "score": 1e999}', "neither a finite number"),
    (b'{"doc_id": "a", "score": 1' + b"0" * 400 + b"}", "neither a finite number"),
    ({"doc_id": "a", "score": True}, "neither a finite number"),
    ({"doc_id": "a", "score": "nan"}, "neither a finite number"),
    ({"doc_id": "a", "score": "1_0"}, "neither a finite number"),
    ({"doc_id": "a", "score": [3]}, "neither a finite number"),
    ({"doc_id": "a"}, "neither a finite number"),
    ({"score": 3}, "neither doc_id nor text"),
    ({"doc_id": "", "text": None, "score": 3}, "neither doc_id nor text"),
    ({"doc_id": 7, "score": 3}, "neither doc_id nor text"),
    ({"doc_id": "a", "score": 5.01}, "not within 0 to 5"),
    ({"doc_id": "a", "score": -0.01}, "not within 0 to 5"),
    ({"doc_id": "a", "label": "good"}, "it has no score"),
    ({"doc_id": "zz", "score": 3}, "no document has its doc_id"),
    ({"text": "photosynthesis.", "score": 3}, "no document has its text"),
    (b'{"text": "\\ud800", "score": 3}', "no document has its text"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_line_that_is_of_no_use_is_listed_with_its_number_and_why(path, line, reason):
    found = judged(path, {"doc_id": "b", "score": 5}, b"", line, b"  \r", {"doc_id": "c", "score": 0})
    assert labels(found) == {"b": "5.0", "c": "0.0"}
    [(number, why)] = reasons(found)
    assert number == 3
    assert reason in why
    assert found.num_lines == 3


def test_a_score_on_the_bound_counts(path):
    assert labels(judged(path, {"doc_id": "a", "score": 0}, {"doc_id": "b", "score": 5})) == {"a": "0.0", "b": "5.0"}


def test_documents_without_text_cannot_be_learned_from(path):
    found = judged(
        path,
        {"doc_id": "a", "score": 3},
        {"doc_id": "b", "score": 3},
        {"doc_id": "c", "score": 3},
        given=documents({"a": None, "b": " \n", "c": "text"}),
    )
    assert labels(found) == {"c": "3.0"}
    assert reasons(found) == [(1, "the document has no text"), (2, "the document has no text")]


lines = st.one_of(
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")),
    st.fixed_dictionaries(
        {},
        optional={
            "doc_id": st.sampled_from(["a", "b", "x", "", None]),
            "text": st.sampled_from([TEXTS["a"], TEXTS["c"], "unknown", 3]),
            "score": st.one_of(st.integers(-1, 6), st.floats(), st.text(max_size=3), st.none()),
            "label": st.one_of(st.sampled_from(["good", "bad"]), st.none(), st.integers(0, 1)),
            "model": st.one_of(st.text(max_size=3), st.integers()),
        },
    ).map(lambda row: json.dumps(row).encode()),
)


@given(st.lists(lines, max_size=12), st.sampled_from(["score", "label"]))
def test_no_line_is_lost(tmp_path_factory, given, kind):
    path = tmp_path_factory.mktemp("lines") / "judged.jsonl"
    first = {"doc_id": "d", "score": 1, "label": "good"}
    found = judged(path, first, *given, kind=kind)
    blank = sum(not line.strip(b" \t\r\n\x00\xef\xbb\xbf") for line in given)
    assert found.num_lines == 1 + len(given) - blank
    assert sum(found.votes["num_votes"].to_pylist()) + found.unused.num_rows == found.num_lines


def test_a_score_beside_a_label_is_of_no_interest(path):
    """Its square would be too large for a number."""
    given = [{"doc_id": "a", "label": "good", "score": score} for score in (1.9e154, -1.9e154)]
    found = judged(path, *given, kind="label", given=documents({"a": "1"}))
    assert found.examples["label"].to_pylist() == ["good"]
    assert found.agreement.mean_variance is None


@given(st.permutations([{"doc_id": k, "score": s} for k, s in [("a", 1), ("a", 0.1), ("a", 0.7), ("b", 3), ("c", 2)]]))
def test_neither_the_order_of_lines_nor_of_documents_matters(tmp_path_factory, order):
    path = tmp_path_factory.mktemp("lines") / "judged.jsonl"
    expected = judged(
        path, *[{"doc_id": k, "score": s} for k, s in [("a", 0.1), ("a", 1), ("a", 0.7), ("b", 3), ("c", 2)]]
    )
    found = judged(path, *order, given=documents()[::-1])
    assert found.examples.equals(expected.examples)
    assert found.votes.equals(expected.votes)


def test_groups_hold_a_host_together(path):
    given = documents({"a": "1", "b": "2", "c": "3"}, url=["https://x.example.com/1", "https://example.com/2", None])
    found = judged(path, *({"doc_id": name, "score": 1} for name in "abc"), given=given)
    groups = dict(zip(found.examples["doc_id"].to_pylist(), found.examples["group"].to_pylist(), strict=True))
    assert groups["a"] == groups["b"] != "a"
    assert groups["c"] == "c"
    own = judged(path, {"doc_id": "a", "score": 1}, given=documents({"a": "1"}, group=["thread"], language=["en"]))
    assert own.examples.select(["group", "language"]).to_pylist() == [{"group": "thread", "language": "en"}]


def test_how_far_judges_agree(path):
    votes = [("a", 1, "x"), ("a", 1, "y"), ("b", 2, "x"), ("b", 4, "y"), ("c", 5, "x")]
    found = judged(path, *({"doc_id": d, "score": s, "model": m} for d, s, m in votes)).agreement
    assert (found.num_votes, found.num_documents, found.num_voted_twice) == (5, 3, 2)
    assert found.mean_variance == 1.0  # of 0 and 2
    assert found.equal_frac == 0.5
    # Pairs within: (1 - 1)² and (2 - 4)², each twice over 2 - 1; expected: all pairs of 1, 1, 2, 4 over 4 - 1.
    values = [1, 1, 2, 4]
    expected = sum((p - q) ** 2 for p in values for q in values) / 3
    assert found.alpha == pytest.approx(1 - 8 / expected)
    assert found.by_model == {"x": (3, 8 / 3), "y": (2, 2.5)}


def test_agreement_of_labels(path):
    votes = [("a", "p"), ("a", "p"), ("a", "q"), ("b", "q"), ("b", "q"), ("b", "q")]
    found = judged(path, *({"doc_id": d, "label": name} for d, name in votes), kind="label").agreement
    assert found.equal_frac == pytest.approx((2 + 6) / 12)
    # Coincidences (Krippendorff 2011): of 6 values 2 are p and 4 are q; observed 4 ordered pairs over 3 - 1.
    assert found.alpha == pytest.approx(1 - (4 / 2) / (2 * 2 * 4 / 5))
    assert found.mean_variance is None


def test_agreement_of_single_votes_is_unknown(path):
    found = judged(path, {"doc_id": "a", "score": 1}).agreement
    assert (found.mean_variance, found.equal_frac, found.alpha) == (None, None, None)
    same = judged(path, {"doc_id": "a", "score": 1}, {"doc_id": "a", "score": 1}).agreement
    assert (same.equal_frac, same.alpha) == (1.0, None)


@pytest.mark.parametrize(("allowed", "refused"), [(0.5, False), (0.49, True)])
def test_too_many_lines_of_no_use_are_an_error_that_names_the_first(path, allowed, refused):
    content = [{"doc_id": "a", "score": 3}, {"doc_id": "zz", "score": 3}]
    if not refused:
        assert labels(judged(path, *content, max_unused_frac=allowed)) == {"a": "3.0"}
        return
    with pytest.raises(InputError, match=r"1 of 2 judgements in .* line 2: no document has its doc_id"):
        judged(path, *content, max_unused_frac=allowed)


def test_no_judgement_no_file_and_a_damaged_file_are_errors(path):
    with pytest.raises(InputError, match="holds no judgement"):
        judged(path, b"", b" ")
    with pytest.raises(InputError, match="1 of 1 judgements"):
        judged(path, {"doc_id": "zz", "score": 1})
    with pytest.raises(InputError, match="cannot read the judgements"):
        distil([str(path.with_name("none.jsonl"))], documents(), DistillationSettings())
    packed = gzip.compress(json.dumps({"doc_id": "a", "score": 1}).encode() * 1000)
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="cannot read the judgements"):
        distil([str(path)], documents(), DistillationSettings())


def test_compressed_files_are_read(path):
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"doc_id": "a", "score": 1}\r\n'))
    assert labels(distil([str(path)], documents(), DistillationSettings())) == {"a": "1.0"}


def test_a_number_is_a_label_at_a_cut(path):
    scores = {"a": 2.9, "b": 3, "c": 3.1}
    found = at_cut(judged(path, *({"doc_id": k, "score": s} for k, s in scores.items())).examples, 3.0, ("edu", "no"))
    names = dict(zip(found["doc_id"].to_pylist(), found["label"].to_pylist(), strict=True))
    assert names == {"a": "no", "b": "edu", "c": "edu"}
    assert found.schema == EXAMPLES


@pytest.mark.parametrize(("lowest", "highest"), [(5, 5), (1, 0)])
def test_a_range_that_holds_no_score_is_refused(lowest, highest):
    with pytest.raises(ValueError, match="no score would count"):
        DistillationSettings(lowest=lowest, highest=highest)


def test_ties_are_disagreements(path):
    """Two judges of labels disagree in nothing but ties, which make no examples."""
    votes = [("a", "x", "m"), ("a", "x", "n"), ("b", "x", "m"), ("b", "y", "n")]
    found = judged(path, *({"doc_id": d, "label": s, "model": m} for d, s, m in votes), kind="label")
    assert labels(found) == {"a": "x"}
    assert found.agreement.equal_frac == 0.5
    assert (found.agreement.num_votes, found.agreement.num_documents) == (4, 2)
