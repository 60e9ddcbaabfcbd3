"""`curate classifiers prompts` and `distil` as a person meets them, up to a model of the examples that they make."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from curate import distillation_commands
from curate.document import doc_id, uniform
from curate.errors import CurateError

WORDS = {
    5: ["theorem", "cell", "equation", "photosynthesis", "history", "grammar", "energy"],
    0: ["buy", "casino", "discount", "click", "winner", "cheap", "offer"],
}


def page(number):
    """A text whose words come from the good list as often as its worth says, out of 5."""
    worth = number % 6
    words = [WORDS[5 if k % 5 < worth else 0][int(7 * uniform(f"{number}-{k}", 0, "test"))] for k in range(25)]
    return f"{' '.join(words)} {number}", worth


@pytest.fixture(autouse=True)
def at_work(monkeypatch, tmp_path):
    """A folder with 300 pages, two of a host, and a prompt."""
    monkeypatch.chdir(tmp_path)
    texts = [page(number)[0] for number in range(300)]
    urls = [f"https://host{number // 2}.com/{number}" for number in range(300)]
    pq.write_table(pa.table({"text": texts, "url": urls, "size": [1] * 300}), tmp_path / "pages.parquet")
    (tmp_path / "prompt.txt").write_text("How many points? {text}")


def curate(*words, fails=None):
    found = CliRunner().invoke(distillation_commands.app, list(words), env={"COLUMNS": "160"})
    if fails:
        assert isinstance(found.exception, CurateError)
        assert fails in str(found.exception)
    else:
        assert found.exception is None, found.output
    return found.output


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def judge(prompts, output, score):
    """Two votes on each, as whoever was asked gives them."""
    rows = [{"doc_id": row["doc_id"], "score": score(row["text"]), "model": name} for row in prompts for name in "ab"]
    output.write_text("".join(json.dumps(row) + "\n" for row in rows))


def worth(text):
    return int(text.split()[-1]) % 6


def test_from_pages_to_a_model_that_scores_them(tmp_path):
    told = curate("prompts", "pages.parquet", "-o", "one.jsonl", "--count", "100", "--template", "prompt.txt")
    assert "100 documents to judge → one.jsonl" in told
    one = lines(tmp_path / "one.jsonl")
    assert one[0]["prompt"] == f"How many points? {one[0]['text']}"
    judge(one, tmp_path / "done.jsonl", worth)

    told = curate("prompts", "pages.parquet", "-o", "two.jsonl", "--count", "500", "--judged", "done.jsonl")
    assert "200 documents to judge, 100 judged already → two.jsonl" in told
    assert "note: 500 were wanted, and there are no more" in told
    two = lines(tmp_path / "two.jsonl")
    assert not {row["doc_id"] for row in one} & {row["doc_id"] for row in two}
    judge(two, tmp_path / "done2.jsonl", worth)
    with (tmp_path / "done2.jsonl").open("a") as file:
        file.write("I cannot say.\n" + json.dumps({"doc_id": doc_id("no page"), "score": 3}) + "\n")

    told = curate("distil", "done.jsonl", "done2.jsonl", "-i", "pages.parquet", "-o", "judged")
    assert "602" in told
    for line in ("of no use: no JSON", "of no use: no document has its doc_id", "300, 2.50 on average"):
        assert line in told
    assert "examples: judged/examples.parquet   agreement: judged/agreement.json" in told
    examples = pq.read_table("judged/examples.parquet")
    assert len(set(examples["group"].to_pylist())) == 150

    told = curate(
        "train", "educational", "-i", "judged=judged/examples.parquet", "-o", "model",
        "--set", "embedding={dimensions: 256}", "--set", "folds=0", "--set", "split.test_frac=0.3",
    )  # fmt: skip
    assert "model: model" in told
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text("utf-8"))
    assert metrics["regression"]["figures"]["spearman"]["value"] > 0.8
    told = curate("score", "model", "-i", "pages.parquet", "-o", "scores.parquet", "--set", "min_score=2.5")
    assert "score_below_min" in told


def test_a_cut_makes_labels(tmp_path):
    curate("prompts", "pages.parquet", "-o", "p.jsonl", "--seed", "7")
    assert len(lines(tmp_path / "p.jsonl")) == 300
    judge(lines(tmp_path / "p.jsonl"), tmp_path / "done.jsonl", worth)
    told = curate("distil", "done.jsonl", "-i", "web=pages.parquet", "-o", "judged", "--cut", "3")
    assert "positive" in told
    assert json.loads((tmp_path / "judged" / "agreement.json").read_text())["examples"] == {
        "other": 150,
        "positive": 150,
    }


def test_what_a_person_can_put_right(tmp_path):
    judge([{"doc_id": doc_id("no page"), "text": "3"}], tmp_path / "done.jsonl", worth)
    curate("distil", "done.jsonl", "-i", "pages.parquet", "-o", "judged", fails="no document has its doc_id")
    curate("distil", "done.jsonl", "-i", "pages.parquet", "-o", "j", "--kind", "number", fails="kind")
    curate("distil", "none.jsonl", "-i", "pages.parquet", "-o", "j", fails="cannot read the judgements")
    curate("prompts", "pages.parquet", "-o", "p.jsonl", "--text-column", "body", fails="no column 'body'")
    curate("prompts", "pages.parquet", "-o", "done.jsonl", fails="there already")
    assert not (tmp_path / "p.jsonl").exists()
    assert not (tmp_path / "judged").exists()


def test_a_group_that_documents_have_of_their_own_is_kept(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b"], "group": ["x", "x"]}), tmp_path / "g.parquet")
    curate("prompts", "g.parquet", "-o", "p.jsonl")
    judge(lines(tmp_path / "p.jsonl"), tmp_path / "done.jsonl", lambda text: 1 + (text == "b"))
    curate("distil", "done.jsonl", "-i", "g.parquet", "-o", "judged")
    assert pq.read_table("judged/examples.parquet")["group"].to_pylist() == ["x", "x"]


def test_of_a_run_what_it_kept_is_judged(run_of, tmp_path):
    run = run_of({"stages": [{"lengths": {"min_chars": 3}}]}, ["ab", "abc", "abcd"])
    told = curate("prompts", run, "-o", "p.jsonl")
    assert "2 documents to judge → p.jsonl" in told
    prompts = lines(tmp_path / "p.jsonl")
    assert {row["text"] for row in prompts} == {"abc", "abcd"}
    judge(prompts, tmp_path / "done.jsonl", len)
    curate("distil", "done.jsonl", "-i", f"ours={run}", "-o", "judged")
    examples = pq.read_table("judged/examples.parquet")
    assert examples["source"].to_pylist() == ["ours", "ours"]
    assert dict(zip(examples["text"].to_pylist(), examples["label"].to_pylist(), strict=True)) == {
        "abc": "3.0",
        "abcd": "4.0",
    }


def test_files_that_cannot_be_read_are_no_empty_corpus(tmp_path):
    (tmp_path / "x.csv").write_text("text\none\n")
    curate("prompts", "x.csv", "-o", "p.jsonl", fails="no document could be read: 1 error_unsupported_format")
    assert not (tmp_path / "p.jsonl").exists()
    curate("prompts", "pages.parquet", "x.csv", "-o", "p.jsonl")
