from __future__ import annotations

from pipelines.commoncrawl import parser, sources


def test_files_without_a_name_are_the_crawl_and_others_are_sources_of_their_own():
    words = ["--input", "a.warc.gz", "reference=books.parquet", "b.paths.gz", "--output", "out", "--dump", "CC-1"]
    crawl, reference = sources(parser().parse_args(words))
    assert (crawl.name, crawl.paths, crawl.dump) == ("commoncrawl", ("a.warc.gz", "b.paths.gz"), "CC-1")
    assert crawl.path_prefix == "https://data.commoncrawl.org/"
    assert (reference.name, reference.paths, reference.dump) == ("reference", ("books.parquet",), None)
    assert reference.path_prefix != crawl.path_prefix
