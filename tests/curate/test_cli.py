"""The command as a person meets it: what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from curate import recipe as recipes
from curate.arguments import change, parse_inputs
from curate.cli import app
from curate.errors import RecipeError


def curate(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "curate.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        **options,
    )


def invoke(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


COMMANDS = {
    "run", "plan", "apply", "recipes", "inspect", "what-if", "audit", "thresholds", "report", "demo", "tokenize",
    "train", "compare", "words",
}  # fmt: skip


def test_help_lists_every_command():
    text = invoke("--help").output
    assert all(command in text for command in COMMANDS)
    for command in COMMANDS:
        assert invoke(command, "--help").exit_code == 0


def test_the_options_of_run_are_these():
    """A change here is a change for everybody's scripts."""
    run = next(command for command in app.registered_commands if command.callback.__name__ == "run")
    import inspect as python

    assert set(python.signature(run.callback).parameters) == {
        "recipe", "input", "output", "set", "limit", "master", "memory", "scratch", "partitions", "wave_gib",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "finweb", "-i", "x", "-o", "{tmp}/out"], "unknown recipe 'finweb'. Did you mean: fineweb"),
        (["run", "fineweb", "-i", "{tmp}/none.warc.gz", "-o", "{tmp}/out"], "none.warc.gz"),
        (["run", "fineweb", "-o", "{tmp}/out"], "no input"),
        (["run", "fineweb", "-i", "x", "-o", "{tmp}/out", "--set", "pi.entities=[]"], "unknown stage or section 'pi'"),
        (["run", "fineweb", "-i", "x", "-o", "{tmp}/out", "--set", "pii"], "--set takes NAME=VALUE"),
        (["apply", "gopher", "-i", "x", "-o", "{tmp}/y.parquet"], "unknown stage or recipe 'gopher'"),
        (["inspect", "{tmp}"], "holds no run of curate"),
        (["report", "{tmp}"], "holds no run of curate"),
        (["train", "{tmp}", "-o", "{tmp}/model"], "manifest"),
        (["tokenize", "{tmp}/none", "-o", "{tmp}/tokens"], "none"),
        (["plan", "{tmp}/none.yaml"], "no recipe file"),
    ],
)
def test_a_mistake_is_one_message_and_status_two(tmp_path, arguments, message):
    result = curate(*[a.replace("{tmp}", str(tmp_path)) for a in arguments])
    assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_plan_shows_passes_stages_and_columns_and_runs_nothing():
    text = invoke("plan", "fineweb").output
    for word in ("01-url_filter", "02-exact_dedup", "gopher_quality", "payload", "word_count"):
        assert word in text


def test_recipes_are_listed_and_shown_resolved():
    text = invoke("recipes").output
    assert "fineweb" in text
    assert "near_dedup" in text
    shown = recipes.parse(__import__("yaml").safe_load(invoke("recipes", "fineweb").output))
    assert shown == recipes.load("fineweb")
    assert json.loads(invoke("recipes", "--schema").output)["title"] == "curate recipe"


def test_apply_runs_one_stage_and_keeps_every_row_with_its_signals(tmp_path):
    texts = ["The cat and the dog have to be with a friend of the family. " * 10, "too short"]
    pq.write_table(pa.table({"text": texts, "url": ["a", "b"]}), tmp_path / "in.parquet")
    result = invoke("apply", "gopher_quality", "-i", tmp_path / "in.parquet", "-o", tmp_path / "out.parquet")
    assert result.exit_code == 0
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["drop_reason"] for row in rows] == [None, "word_count_below_min"]
    assert rows[1]["gopher_quality"]["word_count"] == 2
    again = invoke("apply", "gopher_quality", "-i", tmp_path / "in.parquet", "-o", tmp_path / "o2.parquet",
                   "--set", "min_word_count=1", "--set", "min_stop_word_count=0")  # fmt: skip
    assert "kept" in again.output
    assert pq.read_table(tmp_path / "o2.parquet")["drop_reason"].null_count == 2


@pytest.fixture
def two_texts(tmp_path):
    texts = ["The cat and the dog have to be with a friend of the family. " * 10, "too short"]
    pq.write_table(pa.table({"text": texts, "url": ["a", "b"]}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_apply_runs_a_recipe_with_the_signals_of_every_stage(tmp_path, two_texts):
    assert invoke("apply", "fineweb@2024", "-i", two_texts, "-o", tmp_path / "out.parquet").exit_code == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert {"gopher_repetition", "gopher_quality", "c4", "fineweb"} <= set(table.column_names)
    rows = table.to_pylist()
    assert (rows[0]["drop_stage"], rows[0]["drop_reason"]) == ("gopher_repetition", "top_3gram_char_frac_above_max")
    assert (rows[0]["fineweb"], rows[1]["gopher_repetition"]["dup_line_frac"]) == (None, 0)
    assert invoke("apply", "fineweb@2024", "-i", two_texts, "-o", tmp_path / "all.parquet", "--audit").exit_code == 0
    assert pq.read_table(tmp_path / "all.parquet").to_pylist()[0]["fineweb"]["line_punct_frac"] == 1


def test_apply_takes_settings_of_a_recipes_stages(tmp_path, two_texts):
    settings = [f"--set=gopher_quality.{name}=null" for name in ("min_word_count", "min_stop_word_count")]
    result = invoke("apply", "gopher@paper", "-i", two_texts, "-o", tmp_path / "out.parquet", *settings)
    assert result.exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet")["drop_reason"].to_pylist() == ["top_3gram_char_frac_above_max", None]


def test_a_stage_that_lacks_a_setting_is_a_message(tmp_path, two_texts):
    result = curate("apply", "outliers", "-i", two_texts, "-o", tmp_path / "out.parquet")
    assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
    assert "limits_path" in result.stderr


def test_compare_says_where_recipes_disagree(two_texts):
    printed = invoke("compare", "gopher@paper", "fineweb@2024", "-i", two_texts).output
    assert "gopher@paper and fineweb@2024 agree on 2 documents (100.00%), not on 0" in printed
    found = json.loads(invoke("compare", "gopher@paper", "c4@tfds", "-i", two_texts, "--json").stdout)
    (pair,) = found["pairs"]
    assert (found["documents"], pair["agree"]) == (2, 1)
    assert pair["apart"][0]["gopher@paper"].startswith("gopher_")


def test_words_are_listed_with_what_is_installed():
    text = invoke("words").output
    assert all(name in text for name in ("jieba", "sudachi", "newmm", "icu"))


def test_apply_reads_a_warc_and_does_not_overwrite(tmp_path, small_warc):
    arguments = ("apply", "extract", "-i", small_warc, "-o", tmp_path / "out.parquet", "--set", "extractor=resiliparse")
    assert invoke(*arguments).exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows > 50
    result = curate(*arguments)
    assert result.returncode == 2
    assert "is there already" in result.stderr


def test_inputs_may_be_named():
    first, second = parse_inputs(["a.warc.gz", "code=b.parquet", "c.warc.gz"])
    assert (first.name, first.paths) == ("web", ("a.warc.gz", "c.warc.gz"))
    assert (second.name, second.paths) == ("code", ("b.parquet",))
    (url,) = parse_inputs(["https://host/path?x=y"])
    assert (url.name, url.paths) == ("web", ("https://host/path?x=y",))


def test_settings_may_be_changed_from_the_command_line():
    recipe = change(
        recipes.load("demo"), ["gopher_quality.min_word_count=7", "train.steps=50", "mix.max_epochs=2", "seed=9"]
    )
    step = next(step for step in recipe.stages if step.name == "gopher_quality")
    assert (step.stage.min_word_count, recipe.train.settings.steps, recipe.mix.max_epochs, recipe.seed) == (7, 50, 2, 9)
    with pytest.raises(RecipeError, match="min_word_cout"):
        change(recipes.load("demo"), ["gopher_quality.min_word_cout=7"])
