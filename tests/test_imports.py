"""Imports point one way: kernels ← stages ← spark, pipeline ← cli, pipelines. docs/architecture.md says why."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = ("curate", "classifiers", "tokenizer_training", "training_bridge", "pipelines")
DOCUMENT_STAGES = ("curate.extraction", "curate.language", "curate.filters", "curate.pii", "curate.readers")
#: What may know Spark. Modules are named with their package, packages stand for all in them.
SPARK_SIDE = (
    "curate.spark",
    "curate.decontamination",
    "curate.dedup",
    "curate.mixing",
    "curate.tokens",
    "curate.pipeline",
    "curate.training",
    "curate.apply",
    "curate.cli",
    "curate.scoring.select",
    "curate.scoring.order_statistics",
    "curate.scoring.drawn_examples",
    "curate.scoring.fitted",
    "classifiers.linear.spark_ml",
    "classifiers.language_model.spark_counts",
    "pipelines",
)
SPARK = ("pyspark", "curate.spark", "py4j")


class Import(NamedTuple):
    """One module that another one names in an import, wherever in it."""

    importer: str
    imported: str
    for_types: bool  # under `if TYPE_CHECKING:`, so never carried out
    line: int


def inside(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def module_name(path: Path, root: Path) -> str:
    name = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
    return name.removesuffix(".__init__")


def imports(source: str, importer: str, is_package: bool = False) -> Iterator[Import]:
    """Imports at any depth, and `import_module("…")` of a constant. `from a import b` names `a.b` beside `a`."""
    tree = ast.parse(source)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = importer.split(".")[: None if is_package else -1]
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            names += [base] if base not in PROJECT else []  # `from curate import document` wants the module only
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for name in names:
            yield Import(importer, name, id(node) in guarded, node.lineno)


def all_imports() -> list[Import]:
    found: list[Import] = []
    for package in PROJECT:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.extend(imports(path.read_text("utf-8"), module_name(path, ROOT), path.name == "__init__.py"))
    return found


ALL = all_imports()


def wrong(*, of: tuple[str, ...], forbidden: tuple[str, ...], but: tuple[str, ...] = ()) -> list[str]:
    """Imports within `of` of something `forbidden`, those of `but` excepted, each with its place."""
    return [
        f"{one.importer}, line {one.line}: imports {one.imported}"
        for one in ALL
        if inside(one.importer, of) and inside(one.imported, forbidden) and not inside(one.imported, but)
        if not one.for_types
    ]


def test_imports_of_every_form_are_seen():
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hints\nelse:\n    import real\n"
        "from curate import document\n"
        "def f():\n    from a.b import c\n    import_module('late')\nfrom . import near\nfrom ..up import x\n"
    )
    found = {one.imported: one.for_types for one in imports(source, "p.q.m")}
    assert found["hints"] is True
    assert found["real"] is False
    assert {"a.b", "a.b.c", "late", "p.q.near", "p.up", "p.up.x"} <= set(found)
    assert "curate.document" in found
    assert "curate" not in found
    assert "p.q.near" in {one.imported for one in imports("from . import near", "p.q", is_package=True)}


def test_the_project_is_seen_whole():
    """A moved package must not make the rules below empty."""
    importers = {one.importer for one in ALL}
    for package in (*DOCUMENT_STAGES, "curate.kernels", "curate.spark", "training_bridge", "tokenizer_training"):
        assert any(inside(importer, (package,)) for importer in importers), package
    assert any(inside(one.imported, SPARK) for one in ALL)
    assert any(inside(one.imported, ("torch",)) for one in ALL)


def test_kernels_know_nothing_of_curate_but_kernels():
    assert wrong(of=("curate.kernels",), forbidden=(*PROJECT, *SPARK), but=("curate.kernels",)) == []


def test_document_stages_know_kernels_and_the_contracts():
    """And nothing of each other but their own folder, so that one can be read, tested and used alone."""
    contracts = tuple(
        f"curate.{name}" for name in ("kernels", "document", "stage", "errors", "models", "card_file", "array_file")
    )
    tables = ("curate.words", "curate.language.codes")  # what a word is, and what a language is called
    for package in DOCUMENT_STAGES:
        assert wrong(of=(package,), forbidden=PROJECT, but=(*contracts, *tables, package)) == []
        assert wrong(of=(package,), forbidden=("pyspark", "py4j")) == []


def test_only_relational_parts_and_what_starts_them_know_spark():
    others = tuple(sorted({one.importer for one in ALL if not inside(one.importer, SPARK_SIDE)}))
    assert wrong(of=others, forbidden=SPARK) == []


def test_the_training_side_never_needs_spark():
    assert wrong(of=("training_bridge",), forbidden=SPARK) == []


def test_curate_never_needs_torch():
    assert wrong(of=("curate", "pipelines"), forbidden=("torch", "safetensors")) == []


def test_curate_knows_the_parts_around_it_from_the_registry_only():
    around = ("tokenizer_training", "training_bridge", "classifiers", "pipelines")
    assert wrong(of=("curate",), forbidden=around) == []


def test_the_parts_around_curate_use_its_foundations():
    around = ("tokenizer_training", "training_bridge", "classifiers")
    foundations = ("curate.kernels", "curate.document", "curate.errors", "curate.recipe")
    trains = {
        "classifiers": (
            "curate.extraction",
            "curate.scoring",
            "curate.models",
            "curate.progress",
            "curate.web_page",
            "curate.registry",
            "curate.card_file",
            "curate.array_file",
            "curate.stage",
            "curate.readers",
            "curate.embedding",
            "curate.words",
            "curate.filters",
            "curate.spark.session",  # of trainers that compute with Spark
        )
    }
    for package in around:
        assert wrong(of=(package,), forbidden=PROJECT, but=(*foundations, *trains.get(package, ()), package)) == []


def test_nothing_below_the_command_line_imports_it():
    below = tuple(sorted({o.importer for o in ALL if inside(o.importer, ("curate",))} - {"curate.cli", "curate.demo"}))
    assert wrong(of=below, forbidden=("curate.cli", "curate.demo")) == []


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("curate.readers.read, curate.extraction.extract", ("pyspark", "torch")),
        ("curate.language.identify, curate.filters.gopher_quality, curate.pii.pii", ("pyspark", "torch")),
        ("curate.kernels.minhash, curate.kernels.repetition", ("pyspark", "torch", "pyarrow.parquet", "fsspec")),
        ("curate.cli, curate.registry, curate.recipe", ("pyspark", "torch")),
        ("training_bridge.dataset, training_bridge.trainer", ("pyspark",)),
    ],
)
def test_what_an_import_really_loads(modules, absent):
    """Beyond the text of the modules: what their dependencies load counts too."""
    check = f"import sys, {modules}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
