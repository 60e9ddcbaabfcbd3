"""The commands as a person meets them, over a run's stored signals."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from curate import recipe as recipes
from curate.cli import app
from curate.errors import InputError, OutputError, RecipeError
from curate.filters.fitted_limits import load_limits
from curate.report.decisions import aligned, number

AUDITED = {"stages": ["lengths", "letters"], "audit": True}
TEXTS = [*("abcdefgh" * 3 for _ in range(20)), "abc", "abcd", "AAAAAA", "x" * 60, "boom"]


def invoke(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_if_shows_both_funnels_what_moves_and_samples(run_of):
    text = invoke("what-if", run_of(AUDITED, TEXTS), "--set", "lengths.min_chars=4", "--samples", 1)
    assert "lengths.min_chars: 5 → 4" in text
    assert "1 documents would be kept and were dropped" in text
    assert "WOULD BE KEPT lengths.chars = 4" in text
    assert "abcd" in text


def test_what_if_says_what_it_cannot_tell(run_of):
    text = invoke("what-if", run_of({**AUDITED, "audit": False}, TEXTS), "--set", "lengths.min_chars=4")
    assert "1 of them were not measured by letters" in text


def test_what_if_writes_the_changed_recipe_once(run_of, tmp_path):
    folder, output = run_of(AUDITED, TEXTS), tmp_path / "new.yaml"
    invoke("what-if", folder, "--set", "lengths.min_chars=4", "--output", output)
    assert recipes.parse(yaml.safe_load(output.read_text())).stages[0].stage.min_chars == 4
    with pytest.raises(OutputError, match="--overwrite"):
        invoke("what-if", folder, "--set", "lengths.min_chars=3", "--output", output)
    invoke("what-if", folder, "--set", "lengths.min_chars=3", "--output", output, "--overwrite")
    assert "min_chars: 3" in output.read_text()


def test_audit_shows_rules_and_pairs(run_of):
    text = invoke("audit", run_of(AUDITED, TEXTS))
    assert "5 dropped documents of 25 read" in text
    assert "letters: letters_below_min" in text
    assert "lengths.chars_above_max + letters.letters_below_min" in text


def test_thresholds_shows_figures_and_writes_a_file_for_outliers(run_of, tmp_path):
    folder, output = run_of(AUDITED, TEXTS), tmp_path / "limits.yaml"
    text = invoke("thresholds", folder, "--stage", "lengths", "--min-documents", 5, "--output", output)
    assert "language en: percentiles 1 to 99" in text
    assert "lengths.chars" in text
    assert load_limits(str(output)).groups["en"]["lengths.chars"].low is not None


def test_thresholds_says_which_language_has_too_few_documents(run_of):
    texts = [*TEXTS, ("un deux trois", {"language": "fr"})]
    text = invoke("thresholds", run_of(AUDITED, texts), "--stage", "lengths", "--min-documents", 5)
    assert "lengths.chars *" in text
    assert "* fewer than 5 documents: judged by the limits of all documents" in text


def test_thresholds_of_texts_without_language_says_so(tmp_path, small_stages):
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": "x" * n}) + "\n" for n in range(30)))
    arguments = ["thresholds", tmp_path / "texts.jsonl", "--stage", "lengths", "--min-documents", 5]
    assert "no document has a language" in invoke(*arguments)
    assert "source web" in invoke(*arguments, "--by", "source")
    changed = invoke(*arguments, "--set", "lengths.digits=x", "--by", "none", "--json")
    assert json.loads(changed)["settings"] == {"lengths": {"digits": "x"}}


@pytest.mark.parametrize(
    "arguments",
    [
        ["what-if", "--set", "lengths.min_chars=4"],
        ["audit"],
        ["thresholds", "--stage", "lengths", "--min-documents", "5"],
    ],
    ids=lambda words: words[0],
)
def test_json_is_all_that_goes_to_stdout(run_of, arguments):
    command, *rest = arguments
    json.loads(invoke(command, run_of(AUDITED, TEXTS), *rest, "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stage", "length"], "Did you mean: lengths"),
        (["--stage", "lengths", "--by", "url"], "--by"),
        (["--stage", "lengths", "--method", "mad"], "--method"),
        (["--stage", "lengths", "--set", "lengths.digits=x"], "measured already"),
    ],
)
def test_thresholds_refuses_what_it_cannot_do(run_of, arguments, message):
    with pytest.raises((RecipeError, InputError), match=message):
        invoke("thresholds", run_of(AUDITED, TEXTS), *arguments)


def test_names_cannot_move_the_cursor(run_of):
    texts = [("\x1b[2Jabcd", {"url": "https://x/\x1b[31m", "language": "\x1b[1m"})]
    text = invoke("what-if", run_of(AUDITED, texts), "--set", "lengths.min_chars=20")
    assert "WOULD BE DROPPED" in text
    assert "\x1b" not in text


def test_columns_are_as_wide_as_they_need_to_be():
    assert aligned(("a", "n"), [("long name", "1"), ("b", "1,000")]) == [
        "a              n",
        "long name      1",
        "b          1,000",
    ]


@pytest.mark.parametrize(("value", "told"), [(0, "0"), (0.12345, "0.1235"), (1234567.0, "1,234,567"), (None, "-")])
def test_figures_are_short(value, told):
    assert number(value) == told
