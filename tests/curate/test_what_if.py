from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curate import recipe as recipes
from curate.arguments import change
from curate.audit import audit_run
from curate.errors import InputError, RecipeError
from curate.stored_signals import open_stored
from curate.verdicts import Rule
from curate.what_if import WhatIf, what_if

STAGES = ["lengths", "letters"]


def ask(folder: str, *assignments: str, **options: Any) -> WhatIf:
    stored = open_stored(folder)
    return what_if(stored, change(stored.plan.recipe, list(assignments)), **options)


def random_texts(seed: int, count: int = 60) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdeAB12 ", k=draw.randrange(0, 70))) for _ in range(count)]


def reasons(batch: Any) -> Counter[Any]:
    rows = zip(batch["drop_stage"].to_pylist(), batch["drop_reason"].to_pylist(), strict=True)
    return Counter(Rule(stage, reason) for stage, reason in rows if reason)


CHANGES = [
    ["lengths.min_chars=10"],
    ["lengths.min_chars=null", "lengths.max_chars=30"],
    ["letters.min_letters=9", "letters.drop_shouting=false"],
    ["lengths.max_digit_frac=0.1", "letters.min_letters=1"],
]


@pytest.mark.parametrize("assignments", CHANGES)
@pytest.mark.parametrize("seed", range(4))
def test_of_an_audited_run_it_says_what_running_again_would_do(run_of, judge, seed, assignments):
    texts = random_texts(seed)
    recipe = recipes.parse({"stages": STAGES, "audit": True})
    found = ask(run_of(recipe, texts, parts=3), *assignments)
    assert found.num_read == len(texts)
    assert found.dropped == reasons(judge(recipe, texts))
    assert found.would_drop == reasons(judge(change(recipe, assignments), texts))
    assert found.not_measured == {}


@pytest.mark.parametrize("assignments", CHANGES)
@pytest.mark.parametrize("seed", range(4))
def test_without_audit_the_rest_is_counted_as_not_measured(run_of, judge, seed, assignments):
    """What would really be kept is at least what was measured throughout, at most what is kept or not measured."""
    texts = random_texts(seed)
    recipe = recipes.parse({"stages": STAGES})
    found = ask(run_of(recipe, texts), *assignments)
    really = judge(change(recipe, assignments), texts)["drop_reason"].null_count
    would_keep = found.num_read - found.would_drop.total()
    assert would_keep - found.not_measured.total() <= really <= would_keep
    assert set(found.not_measured) <= {("letters",)}


def test_what_enters_and_leaves_is_told_by_source_and_rule(run_of):
    texts = ["abcd", ("abcdefg", {"source": "books", "language": "de"}), "abcdefghijklm", "ab"]
    folder = run_of({"stages": STAGES, "audit": True}, texts)
    found = ask(folder, "lengths.min_chars=4", "lengths.max_chars=10")
    below, above = Rule("lengths", "chars_below_min"), Rule("lengths", "chars_above_max")
    assert found.of_kind("enter") == {("web", "en", below, None): 1}
    assert found.of_kind("leave") == {("web", "en", None, above): 1}
    assert found.of_kind("reason") == {}
    stricter = ask(folder, "lengths.min_chars=8")
    assert stricter.of_kind("leave") == {("books", "de", None, below): 1}


def test_a_document_that_goes_for_another_reason_neither_enters_nor_leaves(run_of):
    folder = run_of({"stages": STAGES, "audit": True}, ["1234"])
    found = ask(folder, "lengths.min_chars=2")
    (move,) = found.of_kind("reason")
    assert move[2:] == (Rule("lengths", "chars_below_min"), Rule("lengths", "digit_frac_above_max"))
    assert not found.of_kind("enter")


@pytest.mark.parametrize(("bound", "enters"), [(4, 0), (3, 1)])
def test_a_value_on_the_new_bound_is_kept(run_of, bound, enters):
    found = ask(run_of({"stages": STAGES, "audit": True}, ["abc"]), f"lengths.min_chars={bound}")
    assert found.of_kind("enter").total() == enters


def test_a_stage_that_is_not_meant_for_a_document_is_not_missing(run_of):
    stages = ["lengths", {"letters": {}, "languages": ["de"]}]
    folder = run_of({"stages": stages}, ["abc", ("abd", {"language": "de"})])
    found = ask(folder, "lengths.min_chars=1")
    assert found.of_kind("enter").total() == 2
    assert found.not_measured == {("letters",): 1}


def test_samples_are_the_nearest_to_the_bound_with_their_text(run_of):
    texts = [letters * 5 for letters in ("abcd", "abcde", "abcdef")] + ["abcdefghi"[:n] for n in (1, 2, 3, 4)]
    found = ask(run_of({"stages": STAGES, "audit": True}, texts, parts=3), "lengths.min_chars=2", samples=2)
    assert [(s.value, s.enters, s.text) for s in found.samples] == [(3, True, "abc"), (4, True, "abcd")]
    assert found.samples[0].url == "https://example.org/5"
    assert found.samples[0].was == Rule("lengths", "chars_below_min")
    stricter = ask(run_of({"stages": STAGES}, texts), "lengths.max_chars=21", samples=1)
    assert [(s.value, s.enters) for s in stricter.samples] == [(25, False)]


def test_samples_and_counts_do_not_depend_on_partitions(run_of):
    texts = random_texts(7, 90)
    one, many = (ask(run_of({"stages": STAGES}, texts, parts=parts), "lengths.min_chars=20") for parts in (1, 5))
    assert one.as_json() == many.as_json()
    assert len(one.samples) == 3


def test_no_samples_are_read_where_none_are_wanted(run_of):
    found = ask(run_of({"stages": STAGES}, ["abc"]), "lengths.min_chars=1", samples=0)
    assert found.samples == []


def test_everything_is_json(run_of):
    found = ask(run_of({"stages": STAGES}, random_texts(1)), "lengths.min_chars=20")
    told = json.loads(json.dumps(found.as_json()))
    assert told["changes"] == [{"stage": "lengths", "setting": "min_chars", "old": 5, "new": 20}]
    assert told["kept"]["old"] - told["kept"]["new"] == told["leaves"]["documents"] - told["enters"]["documents"]
    assert [entry["stage"] for entry in told["stages"]["new"]] == ["lengths", "letters"]
    assert told["stages"]["new"][-1]["kept"] == told["kept"]["new"]


def test_a_setting_that_measures_is_refused_and_others_are_named(run_of):
    with pytest.raises(RecipeError, match=r"lengths\.digits changes what is measured.*max_chars, max_digit_frac"):
        ask(run_of({"stages": STAGES}, ["abc"]), "lengths.digits=abc")


def test_no_text_is_read_but_of_samples(run_of):
    """The texts of all other documents may be gone."""
    folder = run_of({"stages": STAGES, "audit": True}, ["abc", "a text that stays", "abcd"], parts=1)
    for path in Path(folder).glob("d*/**/*.parquet"):
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.drop_columns(["text"]), path)
    found = ask(folder, "lengths.min_chars=2")
    assert found.of_kind("enter").total() == 2
    assert [sample.text for sample in found.samples] == ["", ""]


def test_a_run_without_documents_is_refused(run_of):
    folder = run_of({"stages": STAGES}, ["abc"])
    record = json.loads((Path(folder) / "run.json").read_text())
    (Path(folder) / "run.json").write_text(json.dumps({**record, "passes": record["passes"][:1], "status": "failed"}))
    with pytest.raises(InputError, match="no documents yet: the run is failed"):
        ask(folder, "lengths.min_chars=2")


def test_a_run_with_a_file_gone_is_refused(run_of):
    folder = run_of({"stages": STAGES, "audit": True}, ["abc", "abcdef", "a text", "ab"])
    min(Path(folder).glob("dropped/**/*.parquet")).unlink()
    for question in (lambda: ask(folder, "lengths.min_chars=2"), lambda: audit_run(open_stored(folder))):
        with pytest.raises(InputError, match="files are missing"):
            question()


@pytest.mark.parametrize("content", ["stages: [nothing_like_it]", ""])
def test_a_recipe_that_cannot_be_read_is_said(run_of, content):
    folder = run_of({"stages": STAGES}, ["abc"])
    (Path(folder) / "recipe.yaml").write_text(content) if content else (Path(folder) / "recipe.yaml").unlink()
    with pytest.raises(InputError, match=r"recipe\.yaml"):
        open_stored(folder)


def test_no_run_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "none", tmp_path / "file"):
        with pytest.raises(InputError, match="holds no run"):
            open_stored(str(place))


@pytest.mark.spark
def test_a_run_with_a_corpus_stage(spark, tmp_path):
    """Limits that only tighten, and copies that share their signals: the answer is what a run really gives."""
    from curate.pipeline import run
    from curate.readers.source import Source

    sentence = "The cat sat on the mat with the dog, and that is what they have to say to us."
    texts = [f"{number} " + "\n".join([sentence] * (number % 6)) for number in range(30)]
    lines = [json.dumps({"text": text, "language": "en"}) + "\n" for text in texts + texts[:9]]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    stages = ["gopher_quality", "exact_dedup", "fineweb"]
    source = Source(name="web", paths=(str(tmp_path / "in.jsonl"),))
    recipe = recipes.parse({"stages": stages, "audit": True}).model_copy(update={"sources": (source,)})
    record = run(recipe, str(tmp_path / "run"), spark)

    found = ask(str(tmp_path / "run"), "gopher_quality.min_word_count=60")
    assert found.stages(found.dropped) == [
        {name: value for name, value in stage.items() if name != "seconds"}
        for stage in record["funnel"]["stages"]
        if stage["stage"] != "read"
    ]
    assert found.stood_for_duplicates["exact_dedup"] > 0
    again = run(change(recipe, ["gopher_quality.min_word_count=60"]), str(tmp_path / "again"), spark)
    assert again["funnel"]["kept"] == found.num_read - found.would_drop.total()

    looser = ask(str(tmp_path / "run"), "gopher_quality.min_word_count=20")
    assert looser.of_kind("enter").total() == looser.not_measured["exact_dedup", "fineweb"] > 0

    told = audit_run(open_stored(str(tmp_path / "run")))
    assert {stage.stage for stage in told.stages if stage.total} >= {"gopher_quality", "exact_dedup"}
    assert sum(rule.first for rule in told.rules) == record["funnel"]["dropped"]
