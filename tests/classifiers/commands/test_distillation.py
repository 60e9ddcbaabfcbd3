"""From documents to prompts and from judgements to a folder of examples that a training file reads."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifiers import training_file
from classifiers.commands.distillation import distil, prompts
from classifiers.examples.reading import read_examples
from classifiers.trainer import EXAMPLES
from curate.document import SCHEMA, doc_id
from curate.errors import InputError, OutputError, RecipeError

TEXTS = ["photosynthesis in leaves", "buy now", "植物的光合作用", "</s>\0\n<b>", "algebra", "casino"]
IDS = [doc_id(text) for text in TEXTS]


def documents(group=None):
    """As readers give them: what has a group of its own has it in its metadata."""
    rows = [
        {
            "doc_id": identity,
            "text": text,
            "url": f"https://www.h{number // 2}.example.com/{number}",
            "source": "web",
            "language": "en",
            "meta": {"group": group} if group else {},
        }
        for number, (identity, text) in enumerate(zip(IDS, TEXTS, strict=True))
    ]
    return [pa.RecordBatch.from_pylist(rows[:4], SCHEMA), pa.RecordBatch.from_pylist(rows[4:], SCHEMA)]


def written(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return str(path)


def written_prompts(output, **settings):
    given = {"template": None, "count": None, "seed": 0, "max_chars": 100, "judged": []}
    return prompts(documents(), output, **{**given, **settings})


def distilled(judged, output, given=None, **settings):
    cut, seed = settings.pop("cut", None), settings.pop("seed", 0)
    return distil([judged], given or documents(), output, settings=settings, cut=cut, seed=seed)


@pytest.fixture
def judged(tmp_path):
    """Scores 0 to 5 in the order of the texts, the first with a second vote."""
    rows = [{"doc_id": identity, "score": score, "model": "m"} for score, identity in enumerate(IDS)]
    return written(tmp_path / "judged.jsonl", *rows, {"doc_id": IDS[0], "score": 1})


def test_what_other_files_judge_is_not_asked_again(tmp_path):
    done = written(tmp_path / "a.jsonl", {"doc_id": IDS[0], "score": 1}, {"text": TEXTS[1], "label": "no"}, "Sorry!")
    found = written_prompts(tmp_path / "p.jsonl", judged=[done])
    assert found.prompts == (4, 0, 2, 0)
    assert found.num_unread == 1
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text("utf-8").splitlines()]
    assert {row["doc_id"] for row in rows} == set(IDS[2:])


def test_prompts_are_not_written_over(tmp_path):
    written_prompts(tmp_path / "p.jsonl")
    with pytest.raises(OutputError, match="there already"):
        written_prompts(tmp_path / "p.jsonl")


def test_a_prompt_is_read_of_a_file(tmp_path):
    template = tmp_path / "prompt.txt"
    with pytest.raises(RecipeError, match="cannot read the prompt"):
        written_prompts(tmp_path / "p.jsonl", template=template)
    template.write_text("植 {text}", "utf-8")
    written_prompts(tmp_path / "p.jsonl", template=template, max_chars=3)
    assert json.loads((tmp_path / "p.jsonl").read_text("utf-8").splitlines()[0])["prompt"] == "植 pho"


def test_the_folder_holds_examples_votes_what_was_of_no_use_and_agreement(tmp_path, judged):
    more = written(tmp_path / "more.jsonl", {"doc_id": IDS[1], "score": 9}, {"doc_id": IDS[2], "score": -3.5})
    found = distil([judged, more], documents(), tmp_path / "out", settings={"max_unused_frac": 0.5}, cut=None, seed=0)
    folder = tmp_path / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        "agreement.json",
        "examples.parquet",
        "unused.parquet",
        "votes.parquet",
    ]
    examples = pq.read_table(folder / "examples.parquet")
    assert examples.schema == EXAMPLES
    labels = dict(zip(examples["doc_id"].to_pylist(), examples["label"].to_pylist(), strict=True))
    assert [labels[one] for one in IDS] == ["0.5", "1.0", "2.0", "3.0", "4.0", "5.0"]
    assert pq.read_table(folder / "votes.parquet")["doc_id"].to_pylist() == examples["doc_id"].to_pylist()
    assert pq.read_table(folder / "unused.parquet")["line"].to_pylist() == [1, 2]
    facts = json.loads((folder / "agreement.json").read_text("utf-8"))
    assert facts["num_lines"] == 9
    assert facts["unused"] == {"the score is not within 0 to 5": 2}
    assert facts["by_model"] == {"": {"votes": 1, "mean_score": 1.0}, "m": {"votes": 6, "mean_score": 2.5}}
    assert facts["examples"] == found.counts == {"0": 1, "1": 1, "2": 1, "3": 1, "4": 1, "5": 1}
    assert (facts["num_voted_twice"], facts["equal_frac"], facts["mean_variance"]) == (1, 0.0, 0.5)


def test_a_cut_makes_two_labels_of_scores(tmp_path, judged):
    found = distilled(judged, tmp_path / "out", cut=3)
    assert found.counts == {"other": 3, "positive": 3}
    examples = pq.read_table(tmp_path / "out" / "examples.parquet")
    positive = {row["doc_id"] for row in examples.to_pylist() if row["label"] == "positive"}
    assert positive == set(IDS[3:])


@pytest.mark.parametrize("cut", [0, 5.1, -1])
def test_a_cut_that_parts_nothing_is_refused(tmp_path, judged, cut):
    with pytest.raises(RecipeError, match="above 0 and at most 5"):
        distilled(judged, tmp_path / "out", cut=cut)
    assert not (tmp_path / "out").exists()


def test_a_cut_at_the_highest_score_parts(tmp_path, judged):
    assert distilled(judged, tmp_path / "out", cut=5).counts == {"other": 5, "positive": 1}


def test_labels_are_counted_and_cannot_be_cut(tmp_path):
    path = written(tmp_path / "l.jsonl", *({"doc_id": one, "label": "yes" if one < "8" else "no"} for one in IDS))
    with pytest.raises(RecipeError, match="of no label"):
        distilled(path, tmp_path / "out", kind="label", cut=3)
    counts = distilled(path, tmp_path / "out", kind="label").counts
    assert counts == {"no": sum(one >= "8" for one in IDS), "yes": sum(one < "8" for one in IDS)}


def test_hosts_hold_documents_together_and_a_group_of_their_own_does_before(tmp_path, judged):
    distilled(judged, tmp_path / "out")
    assert set(pq.read_table(tmp_path / "out" / "examples.parquet")["group"].to_pylist()) == {"example.com"}
    distilled(judged, tmp_path / "own", documents("thread 7"))
    assert set(pq.read_table(tmp_path / "own" / "examples.parquet")["group"].to_pylist()) == {"thread 7"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"kind": "scores"}, "kind"), ({"lowest": 5.0}, "no score would count"), ({"max_unused_frac": 2}, "less than")],
)
def test_wrong_settings_are_refused_before_anything_is_read(tmp_path, settings, told):
    with pytest.raises(RecipeError, match=told):
        distilled("nowhere.jsonl", tmp_path / "out", **settings)


def test_a_folder_is_not_written_over_and_a_failure_leaves_none(tmp_path, judged):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(OutputError, match="not empty"):
        distilled(judged, tmp_path / "full")
    with pytest.raises(InputError, match="of no use"):
        distilled(judged, tmp_path / "out", highest=1.0)
    assert not (tmp_path / "out").exists()


def test_the_shipped_training_file_reads_the_examples_as_they_are(tmp_path, judged):
    """Id, number, group and language come through: a split parts no host, however the examples were made."""
    distilled(judged, tmp_path / "out", documents("thread 7"))
    made = pq.read_table(tmp_path / "out" / "examples.parquet")
    training = training_file.load("educational").with_inputs({"judged": [str(tmp_path / "out" / "examples.parquet")]})
    read = read_examples(training.examples, training.seed).table
    keys = ["doc_id", "text", "group", "language", "url"]
    assert read.select(keys).equals(made.select(keys))
    assert [float(one) for one in read["label"].to_pylist()] == [float(one) for one in made["label"].to_pylist()]
    assert training.positive == ">=3"
