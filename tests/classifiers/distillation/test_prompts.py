"""Which documents are written for a judge, and in which order."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.distillation.distil import DistillationSettings, distil
from classifiers.distillation.prompts import write_prompts
from curate.document import doc_id, uniform
from curate.errors import OutputError, RecipeError

TEXTS = {"a": "photosynthesis", "b": "buy now", "c": "植物的光合作用", "d": "</s>\0\n"}


def documents(texts=TEXTS, rows=1):
    schema = pa.schema([("doc_id", pa.string()), ("text", pa.string())])
    whole = pa.table([list(texts), list(texts.values())], schema=schema)
    return whole.to_batches(max_chunksize=rows)


def written(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def drawn(tmp_path_factory, texts, **settings):
    path = tmp_path_factory.mktemp("prompts") / "p.jsonl"
    counts = write_prompts(documents(texts), path, **settings)
    return [row["doc_id"] for row in written(path)], counts


def test_what_is_written_to_be_judged_can_be_joined_when_it_is(tmp_path):
    path, judged = tmp_path / "prompts.jsonl", tmp_path / "judged.jsonl"
    texts = {**TEXTS, "e": None, "f": " "}
    counts = write_prompts(documents(texts), path, "Score {text} as {json}.", max_chars=5, judged=["b"])
    assert counts == (3, 2, 1, 0)
    rows = written(path)
    assert rows[0] == {"doc_id": "a", "text": "photo", "prompt": "Score photo as {json}."}
    assert [row["doc_id"] for row in rows] == ["a", "c", "d"]
    judged.write_text("".join(json.dumps({"doc_id": row["doc_id"], "score": 2}) + "\n" for row in rows))
    found = distil([str(judged)], documents(texts), DistillationSettings())
    assert set(found.examples["doc_id"].to_pylist()) == {"a", "c", "d"}


def test_what_was_judged_by_its_text_is_left_out_too(tmp_path):
    counts = write_prompts(documents(), tmp_path / "p.jsonl", judged=[doc_id(TEXTS["c"])])
    assert counts == (3, 0, 1, 0)
    assert [row["doc_id"] for row in written(tmp_path / "p.jsonl")] == ["a", "b", "d"]


numbered = st.lists(st.integers(0, 40), max_size=60).map(lambda ids: [f"{n:032x}" for n in ids])


@given(numbered, st.integers(1, 50), st.integers(0, 3))
def test_the_smallest_draws_are_written_in_their_order(tmp_path_factory, ids, count, seed):
    path = tmp_path_factory.mktemp("prompts") / "p.jsonl"
    schema = pa.schema([("doc_id", pa.string()), ("text", pa.string())])
    batch = pa.record_batch([ids, [f"text {one}" for one in ids]], schema=schema)
    counts = write_prompts([batch], path, count=count, seed=seed)
    expected = sorted(set(ids), key=lambda one: uniform(one, seed, "prompts"))
    assert [row["doc_id"] for row in written(path)] == expected[:count]
    assert counts.num_written == min(count, len(expected))


@given(st.permutations(sorted(TEXTS)), st.integers(1, 4))
def test_a_larger_draw_holds_the_smaller_however_the_documents_lie(tmp_path_factory, order, count):
    in_order = drawn(tmp_path_factory, TEXTS, count=4)[0]
    found, counts = drawn(tmp_path_factory, {name: TEXTS[name] for name in order}, count=count)
    assert found == in_order[:count]
    assert counts.num_not_drawn == 4 - count


def test_what_is_judged_and_what_has_no_text_take_no_place_of_the_draw(tmp_path_factory):
    texts = {**TEXTS, "e": None}
    first, _ = drawn(tmp_path_factory, texts, count=2)
    second, counts = drawn(tmp_path_factory, texts, count=2, judged=first)
    assert sorted(first + second) == ["a", "b", "c", "d"]
    assert counts == (2, 1, 2, 0)


def test_another_seed_draws_others(tmp_path_factory):
    many = {f"{n:032x}": "text" for n in range(200)}
    first, _ = drawn(tmp_path_factory, many, count=20)
    assert first != drawn(tmp_path_factory, many, count=20, seed=1)[0]
    assert first == drawn(tmp_path_factory, many, count=20)[0]


def test_one_document_is_judged_once(tmp_path):
    assert write_prompts([*documents(), *documents()], tmp_path / "p.jsonl").num_written == 4


def test_a_text_that_looks_like_a_prompt_is_not_filled_in(tmp_path):
    path = tmp_path / "prompts.jsonl"
    write_prompts(documents({"a": "{text} {0}"}), path, "<{text}>")
    assert written(path)[0]["prompt"] == "<{text} {0}>"
    write_prompts(documents({"a": "x\u2028y\n</s>"}), path)
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_bytes()) == {"doc_id": "a", "text": "x\u2028y\n</s>"}


def test_a_prompt_without_text_and_a_place_that_cannot_be_written_are_errors(tmp_path):
    with pytest.raises(RecipeError, match=r"no \{text\}"):
        write_prompts(documents(), tmp_path / "p.jsonl", "Score this.")
    with pytest.raises(OutputError, match="cannot write the prompts"):
        write_prompts(documents(), tmp_path / "none" / "p.jsonl")
