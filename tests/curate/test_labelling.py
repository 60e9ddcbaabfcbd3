"""A sample of each stratum for people to judge, which nothing but ids and seed decides."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.document import doc_id, uniform
from curate.errors import InputError, OutputError, RecipeError
from curate.labelling import Sampling, read_labels, sample

SCORES = pa.struct([("score", pa.float64())])


def rows(num):
    """Documents of two sources, with a score that is null for each tenth."""
    return [
        {
            "doc_id": doc_id(str(n)),
            "text": f"text {n}",
            "url": f"https://h.example/{n}",
            "source": "web" if n % 3 else "books",
            "language": "zh" if n % 2 else None,
            "quality": None if n % 10 == 9 else {"score": n / num},
        }
        for n in range(num)
    ]


SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("doc_id", "text", "url", "source", "language")] + [("quality", SCORES)]
)


def write(path, values, row_group_size=37):
    pq.write_table(pa.Table.from_pylist(values, SCHEMA), path, row_group_size=row_group_size)
    return str(path)


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_stratum_gives_its_documents_with_the_smallest_draws(tmp_path):
    values = rows(300)
    found = sample([write(tmp_path / "a.parquet", values)], tmp_path / "l.jsonl", Sampling(per_stratum=5, seed=3))
    drawn = lines(tmp_path / "l.jsonl")
    assert found.documents == Counter(f"{row['source']} · {row['language'] or 'unknown'}" for row in values)
    for name, count in found.documents.items():
        inside = [row for row in values if f"{row['source']} · {row['language'] or 'unknown'}" == name]
        expected = sorted(inside, key=lambda row: uniform(row["doc_id"], 3, "label"))[:5]
        own = [row for row in drawn if row["stratum"] == name]
        assert {row["doc_id"] for row in own} == {row["doc_id"] for row in expected}
        assert {row["stratum_documents"] for row in own} == {count}
    by_id = {row["doc_id"]: row for row in values}
    for row in drawn:
        assert (row["text"], row["url"]) == (by_id[row["doc_id"]]["text"], by_id[row["doc_id"]]["url"])
        assert (row["label"], row["note"], row["is_cut"]) == (None, "", False)


def test_files_row_groups_and_order_do_not_matter(tmp_path):
    values = rows(200)
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts" / "1.parquet", values[120:][::-1], 11)
    write(tmp_path / "parts" / "0.parquet", values[:120], 50)
    how = Sampling(("source", "score"), 4, "quality.score", seed=1)
    sample([write(tmp_path / "whole.parquet", values)], tmp_path / "1.jsonl", how)
    sample([str(tmp_path / "parts")], tmp_path / "2.jsonl", how)
    assert (tmp_path / "1.jsonl").read_text() == (tmp_path / "2.jsonl").read_text()


def test_more_of_a_stratum_keep_those_drawn_before(tmp_path):
    path = write(tmp_path / "a.parquet", rows(200))
    for num in (3, 6):
        sample([path], tmp_path / f"{num}.jsonl", Sampling(per_stratum=num))
    ids = [{row["doc_id"] for row in lines(tmp_path / f"{num}.jsonl")} for num in (3, 6)]
    assert ids[0] < ids[1]


def test_bands_hold_equally_many_documents_or_lie_between_given_bounds(tmp_path):
    path = write(tmp_path / "a.parquet", rows(1000))
    found = sample([path], tmp_path / "a.jsonl", Sampling(("score",), 2, "quality.score", num_bands=4))
    assert found.documents.pop("not scored") == 100
    assert len(found.documents) == 4
    assert all(abs(count - 225) <= 1 for count in found.documents.values())
    found = sample([path], tmp_path / "b.jsonl", Sampling(("score",), 2, "quality.score", edges=(0.25, 0.75)))
    assert found.documents == {
        "not scored": 100,
        "score below 0.25": 225,
        "score 0.25 to 0.75": 450,
        "score from 0.75": 225,
    }
    assert {row["stratum"] for row in lines(tmp_path / "b.jsonl") if row["score"] == 0.25} <= {"score 0.25 to 0.75"}


def test_what_stands_in_a_label_file_is_not_drawn_again(tmp_path):
    path = write(tmp_path / "a.parquet", rows(60))
    how = Sampling((), per_stratum=20)
    seen = set()
    for turn in range(3):
        earlier = [tmp_path / f"{before}.jsonl" for before in range(turn)]
        found = sample([path], tmp_path / f"{turn}.jsonl", how, earlier)
        assert found.num_labelled == 20 * turn
        ids = {row["doc_id"] for row in lines(tmp_path / f"{turn}.jsonl")}
        assert len(ids) == 20
        assert not ids & seen
        seen |= ids
    with pytest.raises(InputError, match="nothing to judge: 60 documents, 60 of them"):
        sample([path], tmp_path / "3.jsonl", how, [tmp_path / f"{n}.jsonl" for n in range(3)])


def test_a_judgement_is_never_written_over(tmp_path):
    path = write(tmp_path / "a.parquet", rows(10))
    (tmp_path / "l.jsonl").write_text("somebody's work")
    with pytest.raises(OutputError, match=r"is there already.*--labelled"):
        sample([path], tmp_path / "l.jsonl", Sampling())
    assert (tmp_path / "l.jsonl").read_text() == "somebody's work"


def test_long_and_hostile_texts_are_cut_and_stay_one_line(tmp_path):
    values = rows(3)
    values[0]["text"] = "x" * 11
    values[1]["text"] = 'a\nb\u2028c</script>"'
    values[2]["text"] = None
    sample([write(tmp_path / "a.parquet", values)], tmp_path / "l.jsonl", Sampling((), max_chars=10))
    found = {row["doc_id"]: row for row in map(json.loads, (tmp_path / "l.jsonl").read_text("utf-8").split("\n")[:-1])}
    assert (found[doc_id("0")]["text"], found[doc_id("0")]["is_cut"]) == ("x" * 10, True)
    assert found[doc_id("1")]["text"] == values[1]["text"][:10]
    assert found[doc_id("2")]["text"] == ""


def test_a_document_that_stands_there_twice_is_drawn_once_and_one_without_an_id_has_that_of_its_text(tmp_path):
    values = rows(5)
    pq.write_table(pa.Table.from_pylist([{"text": row["text"]} for row in values * 2]), tmp_path / "a.parquet")
    found = sample([str(tmp_path / "a.parquet")], tmp_path / "l.jsonl", Sampling())
    assert found.documents == {"unknown · unknown": 10}
    assert sorted(row["doc_id"] for row in lines(tmp_path / "l.jsonl")) == sorted(doc_id(row["text"]) for row in values)


def test_a_run_gives_what_it_kept_and_if_asked_what_it_dropped(tmp_path):
    values = [{**row, "drop_stage": None, "drop_reason": None} for row in rows(40)]
    for row in values[20:]:
        row |= {"drop_stage": "quality", "drop_reason": "score_above_max"}
    schema = SCHEMA.append(pa.field("drop_stage", pa.string())).append(pa.field("drop_reason", pa.string()))
    run = tmp_path / "run"
    for folder, part in (("documents/source=web", values[:20]), ("dropped/00-quality/wave-0", values[20:])):
        (run / folder).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(part, schema), run / folder / "part-00000.parquet")
    passes = [{"name": "00-quality"}, {"name": "01-documents"}]
    (run / "run.json").write_text(json.dumps({"status": "done", "passes": passes, "funnel": {}}))
    kept = sample([str(run)], tmp_path / "kept.jsonl", Sampling(("verdict",)))
    assert kept.documents == {"kept": 20}
    both = sample([str(run)], tmp_path / "both.jsonl", Sampling(("verdict",), with_dropped=True))
    assert both.documents == {"kept": 20, "quality: score_above_max": 20}


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        (Sampling(("sorce",)), "unknown stratum 'sorce'.*source"),
        (Sampling(("score",)), "--score STAGE.SIGNAL"),
        (Sampling(edges=(2.0, 1.0)), "ascend"),
    ],
)
def test_wrong_strata_are_told(tmp_path, sampling, message):
    with pytest.raises(RecipeError, match=message):
        sample([write(tmp_path / "a.parquet", rows(5))], tmp_path / "l.jsonl", sampling)


def test_inputs_that_do_not_do_are_told(tmp_path):
    path = write(tmp_path / "a.parquet", rows(5))
    with pytest.raises(InputError, match=r"has no quality\.scores"):
        sample([path], tmp_path / "l.jsonl", Sampling(("score",), score="quality.scores"))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="no column 'text'"):
        sample([str(tmp_path / "b.parquet")], tmp_path / "l.jsonl", Sampling())
    (tmp_path / "c.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="as parquet"):
        sample([str(tmp_path / "c.parquet")], tmp_path / "l.jsonl", Sampling())
    assert not (tmp_path / "l.jsonl").exists()


def test_a_label_file_that_an_editor_has_broken_is_told(tmp_path):
    path = tmp_path / "l.jsonl"
    path.write_text('{"doc_id": "a", "label": null}\n\n{"doc_id": "b", "label: "x"}\n')
    with pytest.raises(InputError, match="line 3: no JSON"):
        read_labels(path)
    path.write_text('["a"]\n')
    with pytest.raises(InputError, match="line 1: an object with `doc_id`"):
        read_labels(path)
    with pytest.raises(InputError, match="cannot read"):
        read_labels(tmp_path / "none.jsonl")


def test_ids_and_sources_may_be_numbers(tmp_path):
    table = pa.table(
        {"doc_id": [3, 1], "text": ["c", "a"], "source": [7, None], "language": pa.array([1, 1], pa.int8())}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = sample([str(tmp_path / "a.parquet")], tmp_path / "l.jsonl", Sampling())
    assert found.drawn == {"7 · 1": 1, "unknown · 1": 1}
    assert {row["doc_id"]: row["text"] for row in lines(tmp_path / "l.jsonl")} == {"1": "a", "3": "c"}


def test_labels_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "l.jsonl").write_text('{"doc_id": "a", "label": "x"}\n', encoding="utf-8-sig")
    assert read_labels(tmp_path / "l.jsonl") == [{"doc_id": "a", "label": "x"}]


@pytest.mark.parametrize("score", ["text", "quality", "text.score"])
def test_a_score_is_a_number(tmp_path, score):
    path = write(tmp_path / "a.parquet", rows(10))
    with pytest.raises(InputError, match=r"is no number|has no text.score"):
        sample([path], tmp_path / "l.jsonl", Sampling(("score",), 2, score))


def test_bounds_are_numbers_too(tmp_path):
    path = write(tmp_path / "a.parquet", rows(10))
    with pytest.raises(RecipeError, match="bounds of bands ascend"):
        sample([path], tmp_path / "l.jsonl", Sampling(("score",), 2, "quality.score", edges=(float("nan"),)))


def test_bands_close_together_are_told_apart(tmp_path):
    values = [{**row, "quality": {"score": 0.999895 + 0.00001 * n}} for n, row in enumerate(rows(10))]
    how = Sampling(("score",), 20, "quality.score", edges=(0.99991, 0.99992, 0.99993))
    found = sample([write(tmp_path / "a.parquet", values)], tmp_path / "l.jsonl", how)
    assert found.documents == {
        "score below 0.99991": 2,
        "score 0.99991 to 0.99992": 1,
        "score 0.99992 to 0.99993": 1,
        "score from 0.99993": 6,
    }


def test_documents_without_an_id_have_that_of_their_text(tmp_path):
    values = [{**row, "doc_id": None} for row in rows(3)]
    sample([write(tmp_path / "a.parquet", values)], tmp_path / "l.jsonl", Sampling(()))
    assert {row["doc_id"] for row in lines(tmp_path / "l.jsonl")} == {doc_id(row["text"]) for row in values}


def test_a_document_of_two_strata_is_written_once(tmp_path):
    (row,) = rows(1)
    path = write(tmp_path / "a.parquet", [{**row, "source": "web"}, {**row, "source": "books"}])
    found = sample([path], tmp_path / "l.jsonl", Sampling(("source",)))
    assert [row["stratum"] for row in lines(tmp_path / "l.jsonl")] == ["books"]
    assert found.drawn == {"books": 1}
