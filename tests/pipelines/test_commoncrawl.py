from __future__ import annotations

from curate import recipe as recipes
from pipelines.commoncrawl import sources


def test_names_that_the_recipe_uses_are_sources_and_all_else_is_crawl():
    inputs = ["a.warc.gz", "reference=books.parquet", "dump=2024-10/b.warc.gz"]
    crawl, reference = sources(inputs, recipes.load("gpt3"), "https://data.example/", "CC-1")
    assert (crawl.name, crawl.paths) == ("commoncrawl", ("a.warc.gz", "dump=2024-10/b.warc.gz"))
    assert (crawl.path_prefix, crawl.dump) == ("https://data.example/", "CC-1")
    assert (reference.name, reference.paths, reference.dump) == ("reference", ("books.parquet",), None)


def test_a_recipe_without_names_has_one_source():
    (crawl,) = sources(["reference=books.parquet"], recipes.load("fineweb"), "", None)
    assert crawl.paths == ("reference=books.parquet",)
