"""What README, CONTRIBUTING and docs show is so: examples run, commands parse, links lead somewhere."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from curate import cli, registry
from curate import recipe as recipes
from curate.apply import named_stages
from curate.arguments import assignment, change
from curate.mixing.mix import Mix
from curate.plan import plan
from curate.readers.source import Source
from curate.tokens.settings import Tokens

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")],
    key=lambda path: path.name,
)
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
#: The first line of an example that is a file: `# curate/filters/digits.py`.
FILE_LINE = re.compile(r"# (?P<path>[\w/]+\.py)(?P<entries>, in STAGES)?$")
#: Folders whose files a page may name in backticks.
TRACKED = re.compile(
    r"`((?:curate|tokenizer_training|training_bridge|pipelines|benchmarks|scripts|tests|docs)/[\w/.-]+\.\w+)`"
)


class Block(NamedTuple):
    """A fenced example."""

    language: str
    text: str
    line: int


def blocks(page: Path, *languages: str) -> list[Block]:
    text = page.read_text("utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    made = [Block(match[1], match[2], text[: match.start()].count("\n") + 2) for match in found]
    return [block for block in made if not languages or block.language in languages]


def command_lines(page: Path) -> list[str]:
    """Shell lines, continued ones joined, without comments."""
    lines = [line for block in blocks(page, "sh", "bash") for line in block.text.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def words_of(program: str) -> list[tuple[str, list[str]]]:
    """(page, arguments) of every line that calls a program; what follows a redirection is left out."""
    found = []
    for page, name in zip(PAGES, IDS, strict=True):
        for line in command_lines(page):
            words = shlex.split(line, comments=True)
            if ">" in words:
                words = words[: words.index(">")]
            if words and words[0].rpartition("/")[2] == program:
                found.append((name, words[1:]))
    return found


def shown(commands: list[tuple[str, list[str]]]) -> list[object]:
    return [pytest.param(words, id=f"{page}: {' '.join(words)}") for page, words in commands]


def parsed(words: list[str]) -> tuple[str, dict]:
    """A command's name and its parameters, by the parser of the command itself."""
    group = typer.main.get_command(cli.app)
    with group.make_context("curate", list(words)) as context:
        name, command, rest = group.resolve_command(context, words)
        inner = command.make_context(name, list(rest), parent=context)
        if isinstance(command, TyperGroup):  # `curate extractor train`
            name, command, rest = command.resolve_command(inner, rest)
            inner = command.make_context(name, list(rest), parent=inner)
            name = f"{inner.parent.info_name} {name}"
        return name, inner.params


def test_pages_are_found_and_have_examples():
    assert {"README.md", "CONTRIBUTING.md", "docs/recipes.md", "docs/architecture.md"} <= set(IDS)
    assert sum(len(blocks(page, "python")) for page in PAGES) >= 4
    assert len(words_of("curate")) >= 10


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_fence_is_closed_and_has_a_language(page):
    fences = re.findall(r"^```.*$", page.read_text("utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert all(len(fence) > 3 for fence in fences[::2])


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_examples_run(page, monkeypatch, tmp_path):
    """In page order, in one namespace. An example that is a file becomes that module; tests in it are called."""
    monkeypatch.chdir(tmp_path)
    num_tests = sum(call_tests(module) for module in run_examples(page, monkeypatch))
    assert num_tests >= 4 or page.name != "CONTRIBUTING.md"


def run_examples(page: Path, monkeypatch) -> list[ModuleType]:
    """Run a page's Python, and return those of its examples that are files, as modules."""
    namespace: dict[str, object] = {"__name__": "example"}
    modules = []
    for block in blocks(page, "python"):
        file = FILE_LINE.match(block.text.splitlines()[0])
        if file and file["entries"]:
            for name, entry in eval("{" + block.text + "\n}", {"Entry": registry.Entry}).items():
                monkeypatch.setitem(registry.STAGES, name, entry)
        elif file:
            assert not (ROOT / file["path"]).exists(), "the example is in the tree by now: show something else"
            modules.append(as_module(file["path"], block, page, monkeypatch))
        else:
            exec(compiled(block, page), namespace)
    return modules


def compiled(block: Block, page: Path):
    return compile("\n" * (block.line - 1) + block.text, str(page), "exec", dont_inherit=True)


def as_module(path: str, block: Block, page: Path, monkeypatch) -> ModuleType:
    module = ModuleType(path.removesuffix(".py").replace("/", "."))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compiled(block, page), module.__dict__)
    return module


def call_tests(module: ModuleType) -> int:
    """Call the test functions of a module, those with a `parametrize` once for each row; returns how many calls."""
    calls = 0
    for name, function in vars(module).items():
        if not name.startswith("test_"):
            continue
        marks = getattr(function, "pytestmark", [])
        for row in marks[0].args[1] if marks else [()]:
            function(*row)
            calls += 1
        assert len(inspect.signature(function).parameters) == (len(marks[0].args[0]) if marks else 0)
    return calls


@pytest.mark.parametrize("words", shown(words_of("curate")))
def test_curate_commands_parse_and_their_settings_exist(words):
    name, given = parsed(words)
    assignments = list(given.get("set") or ())
    if name in ("run", "plan") and not given["recipe"].endswith((".yaml", ".yml")):
        recipe = change(recipes.load(given["recipe"]), assignments)
        assert name == "plan" or given["input"] or recipe.sources, "nothing to read"
        plan(recipe)
    elif name == "apply":
        named_stages(given["stages"], assignments)
    elif name == "compare":
        assert len([named_stages(recipe) for recipe in given["names"]]) > 1
    elif name == "train":
        recipes.build(registry.load(registry.TRAINERS, "compact"), dict(map(assignment, assignments)), "train")
    elif name == "recipes" and given["show"]:
        recipes.load(given["show"])


@pytest.mark.parametrize("words", shown(words_of("spark-submit")))
def test_submitted_applications_take_the_arguments_shown(words):
    place, script = next((i, word) for i, word in enumerate(words) if word.endswith(".py") and word.startswith("pipel"))
    application = importlib.import_module(script.removesuffix(".py").replace("/", "."))
    parser = application.parser()
    options = parser.parse_args(words[place + 1 :])
    assert all(word in parser.format_help().split() for word in words[place + 1 :] if word.startswith("--"))
    assert options.recipe in recipes.shipped() or options.recipe.endswith(".yaml")


@pytest.mark.parametrize("words", shown(words_of("make")))
def test_make_targets_exist(words):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(words) <= set(targets)


@pytest.mark.parametrize("words", shown(words_of("python")))
def test_scripts_that_are_called_exist_and_know_their_options(words):
    path = ROOT / (words[1].replace(".", "/") + ".py" if words[0] == "-m" else words[0])
    source = path.read_text("utf-8")
    assert all(f'"{word}"' in source for word in words if word.startswith("--") and word != "--")


#: The one file that must say something, as it says which signals a stage needs.
COMBINATION = '{"inputs": [{"signal": "toxicity.score", "calibration": {"kind": "none"}}]}'


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=lambda page: page.name)
def test_recipe_examples_are_recipes(page, monkeypatch, tmp_path):
    """A stage that the same page adds to the menu is known to its recipes."""
    monkeypatch.chdir(tmp_path)
    run_examples(page, monkeypatch)
    for block in blocks(page, "yaml"):
        for name in re.findall(r"path: \"?([\w./*-]+)", block.text):  # files of the reader's own
            file = tmp_path / name.replace("*", "one")
            file.parent.mkdir(exist_ok=True)
            file.write_text(COMBINATION if file.suffix == ".json" else "")
        plan(recipes.parse(yaml.safe_load(block.text)))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_and_named_files_exist(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    missing += [name for name in TRACKED.findall(text) if not (ROOT / name).exists() and "x/" not in name]
    assert not missing


@pytest.mark.parametrize("name", registry.STAGES)
def test_every_stage_is_in_the_list_of_stages(name):
    assert f"| `{name}` |" in (ROOT / "docs" / "recipes.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("model", "prefix"), [(recipes.Recipe, ""), (Source, ""), (Mix, "mix."), (Tokens, "tokens.")], ids=str
)
def test_every_key_of_a_recipe_is_described(model, prefix):
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    assert [name for name in model.model_fields if f"`{prefix}{name}`" not in text] == []


def test_every_shipped_recipe_and_every_benchmark_is_described():
    text = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    assert [name for name in recipes.shipped() if f"- `{name}`:" not in text] == []
    listed = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    scripts = [path.name for path in (ROOT / "benchmarks").glob("*.py")]
    assert [name for name in scripts if f"`{name}`" not in listed] == []
