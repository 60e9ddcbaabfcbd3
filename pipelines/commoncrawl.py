"""Common Crawl to curated documents, as a Spark application.

    spark-submit pipelines/commoncrawl.py --input PATHS --output DIR [--recipe fineweb] [--limit N]
    python pipelines/commoncrawl.py --input crawl-data/.../warc.paths.gz --prefix https://data.commoncrawl.org/ …

PATHS are WARC or WET files: names, folders, globs, URLs, or lists of paths such as `warc.paths.gz`. NAME=PATH is
another source, such as the `reference` of recipes that train a model: `--recipe gpt3 --input a.warc.gz
reference=books.parquet`. Under spark-submit
master, memory and cores are those of the submission; under plain python they are this machine's. docs/running.md says
how the packages get to a cluster.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

if __package__ in (None, ""):  # run as a script from a checkout: the packages lie beside this folder
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from curate import recipe as recipes
from curate.arguments import change, parse_inputs
from curate.cli import run_recipe
from curate.errors import CurateError
from curate.pipeline import with_sources
from curate.readers.source import Source

CRAWL = "commoncrawl"  # the source without a name
COMMON_CRAWL = "https://data.commoncrawl.org/"  # what lines of Common Crawl's own path lists are relative to


def parser() -> argparse.ArgumentParser:
    """The command line."""
    text = argparse.ArgumentParser(description="Common Crawl to curated documents.")
    text.add_argument(
        "--input", required=True, nargs="+", metavar="PATH", help="WARC or WET files, globs, path lists; NAME=PATH"
    )
    text.add_argument("--output", required=True, help="run folder: new, empty, or that of the run to finish")
    text.add_argument("--recipe", default="fineweb", help="a shipped recipe or a YAML file (default: fineweb)")
    text.add_argument("--limit", type=int, help="documents to read at most")
    text.add_argument("--prefix", default=COMMON_CRAWL, help="what relative lines of path lists begin with")
    text.add_argument("--dump", help="crawl that the pages belong to, such as CC-MAIN-2024-10")
    text.add_argument("--set", action="append", default=[], metavar="STAGE.SETTING=VALUE", help="change a setting")
    text.add_argument("--partitions", type=int, help="Spark partitions of a pass; one a task by default")
    text.add_argument("--wave-gib", type=float, default=1.0, help="input of one wave: what a killed run repeats")
    return text


def sources(inputs: Sequence[str], recipe: recipes.Recipe, prefix: str, dump: str | None) -> list[Source]:
    """The crawl, and what is NAME=PATH with a name that the recipe uses: a folder may be called `dump=2024`."""
    used = {name for step in recipe.stages for name in (*(step.sources or ()), *step.stage.named_sources)}
    named = [item for item in inputs if item.partition("=")[0] in used]
    paths = tuple(item for item in inputs if item not in named)
    crawl = [Source(name=CRAWL, paths=paths, path_prefix=prefix, dump=dump)] if paths else []
    return [*crawl, *parse_inputs(named)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit status: 2 where something is to be put right first."""
    options = parser().parse_args(arguments)
    try:
        recipe = recipes.load(options.recipe)
        given = sources(options.input, recipe, options.prefix, options.dump)
        recipe = change(with_sources(recipe, given), options.set)
        run_recipe(
            recipe, options.output, limit=options.limit, partitions=options.partitions, wave_gib=options.wave_gib
        )
    except CurateError as error:
        print(f"commoncrawl: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
