"""What a page says about itself is found, bounded and harmless."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.extraction.head import HEAD_BYTES, MAX_HEAD_BYTES, MAX_VALUE_CHARS, best_title, head_metadata


def metadata(page: str) -> dict[str, str]:
    return head_metadata(page.encode())


def test_everything_that_a_head_may_offer() -> None:
    page = """<!doctype html><html class="x" lang="pt-BR"><head><title>Plain</title>
        <meta property="og:title" content="A &quot;title&quot;
        on two lines"><meta content='Ana Souza' name=author><meta property=og:site_name content=Diário>
        <meta property="article:published_time" content="2024-05-06T07:08:09+00:00">
        <link rel="canonical" href="https://example.org/a?b=1&amp;c=2"></head>"""
    assert metadata(page) == {
        "title": 'A "title" on two lines',
        "author": "Ana Souza",
        "site_name": "Diário",
        "page_date": "2024-05-06T07:08:09+00:00",
        "declared_language": "pt-BR",
        "canonical_url": "https://example.org/a?b=1&c=2",
    }


def test_a_page_that_offers_nothing() -> None:
    assert metadata("") == {}
    assert metadata("<p>text</p><meta name=author content=''><title> </title>") == {}


def test_the_first_of_a_name_that_says_something_wins() -> None:
    assert metadata(
        "<meta name=author content=''><meta name=author content=First><meta name=author content=Second>"
    ) == {"author": "First"}


def test_the_best_of_several_names_wins() -> None:
    title, og = "<title>Title</title>", "<meta property=og:title content=Open>"
    assert metadata(title + "<meta name=twitter:title content=Tweet>")["title"] == "Tweet"
    assert metadata(title + "<meta name=twitter:title content=Tweet>" + og)["title"] == "Open"


@pytest.mark.parametrize("date", ["yesterday", "06/05/2024", "2024-13-01", "2024-12-32", "99999-01-01"])
def test_a_date_that_is_no_iso_date_is_left_out(date: str) -> None:
    assert metadata(f'<meta name="date" content="{date}"><time datetime="{date}">') == {}


@pytest.mark.parametrize("language", ["<script>", "english language", "x" * 40, ""])
def test_a_language_that_is_no_tag_is_left_out(language: str) -> None:
    assert metadata(f'<html lang="{language}">') == {}


def test_the_language_of_the_root_comes_first() -> None:
    metas = '<meta property=og:locale content=en_GB><meta http-equiv="Content-Language" content="de">'
    assert metadata(f"<html lang=el>{metas}")["declared_language"] == "el"
    assert metadata(f"<html>{metas}")["declared_language"] == "de"
    assert metadata("<meta property=og:locale content=en_GB>")["declared_language"] == "en-GB"


def test_an_address_is_no_author_and_the_canonical_url_is_one() -> None:
    assert metadata("<meta property=article:author content=https://example.org/ana>") == {}
    assert metadata("<link rel=canonical href=/relative>") == {}
    assert metadata("<link rel='alternate' data-x='canonical' href=https://example.org/>") == {}


def test_long_values_are_cut() -> None:
    assert metadata(f"<title>{'t' * MAX_VALUE_CHARS}</title>")["title"] == "t" * MAX_VALUE_CHARS
    assert metadata(f"<title>{'t' * (MAX_VALUE_CHARS + 1)}</title>")["title"] == "t" * MAX_VALUE_CHARS


def test_a_head_is_read_to_its_end_however_long_its_scripts() -> None:
    meta = "<meta name=author content=Ana>"
    script = f"<script>{'x' * HEAD_BYTES}</script>"
    assert metadata(f"<head>{script}{meta}</head>") == {"author": "Ana"}
    assert metadata(f"<head></head>{meta}") == {}
    assert metadata(f"<head><BODY>{meta}</head>") == {}
    assert metadata(script + meta) == {}  # no end: HEAD_BYTES
    assert metadata(f"<head><!--{'x' * MAX_HEAD_BYTES}-->{meta}</head>") == {}


@pytest.mark.parametrize(
    ("offered", "site", "headings", "best"),
    [
        ("How to bake | My Site", "", ["How to bake"], "How to bake"),
        ("My Site: How to bake", "", ["Menu", "how to bake"], "how to bake"),
        ("It’s here – My Site", "", ["It's here"], "It's here"),
        ("How to bake | My Site", "My Site", [], "How to bake"),
        ("MY SITE » How to bake", "My Site", [], "How to bake"),
        ("A - B - My - Site", "My - Site", [], "A - B"),
        ("Learning by doing", "", ["Learning", "More"], "Learning by doing"),  # no mark between: not a part
        ("Buy now!", "", ["Bread"], "Bread"),  # the only heading
        ("Buy now!", "", ["Bread", "Bread"], "Bread"),
        ("Buy now!", "", ["Bread", "Butter"], "Buy now!"),
        ("How to bake | My Site", "My Site", ["My Site"], "How to bake"),  # the heading is the site's logo
        ("AB | My Site", "", ["AB", "CD"], "AB | My Site"),  # below three characters
        ("ABC | My Site", "", ["ABC", "CD"], "ABC"),
        ("", "", ["Bread"], "Bread"),
        ("", "", [], ""),
        ("| Foo", "", [], "| Foo"),
    ],
)
def test_the_title_is_the_pages_own(offered: str, site: str, headings: list[str], best: str) -> None:
    assert best_title(offered, site, headings) == best


def test_headings_are_read_without_their_markup() -> None:
    page = (
        "<title>The &amp; end | Site</title></head><h1 class='a'></h1><H1><a href=x>The&nbsp;<b>&amp;</b></a> end</H1>"
    )
    assert metadata(page) == {"title": "The & end"}


def ld(*blocks: object) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(block)}</script>' for block in blocks)


def test_json_ld_fills_in_what_the_head_leaves_out() -> None:
    article = {
        "@type": "NewsArticle",
        "headline": "Bread",
        "datePublished": "2024-05-06",
        "author": [{"name": "Ana"}, "Bo"],
        "publisher": {"name": "The Baker"},
    }
    page = "<head></head>" + ld(article)
    assert metadata(page) == {
        "title": "Bread",
        "author": "Ana; Bo",
        "site_name": "The Baker",
        "page_date": "2024-05-06",
    }
    assert metadata("<meta name=author content=Cy>" + page)["author"] == "Cy"


def test_a_time_element_is_the_last_resort() -> None:
    times = "<time datetime=2024-01-01>a</time><time class='entry-date published' datetime='2024-02-02T10:00'>b</time>"
    assert metadata(times) == {"page_date": "2024-02-02T10:00"}
    assert metadata("<time datetime=2024-01-01></time><time datetime=2024-01-01T09:00></time>") == {
        "page_date": "2024-01-01"
    }
    assert metadata("<time datetime=2024-01-01></time><time datetime=2024-01-02></time>") == {}
    assert metadata("<meta name=date content=2023-01-01>" + times) == {"page_date": "2023-01-01"}


LD = '<script type="application/ld+json">'
HOSTILE = [
    *("<meta ", '<meta a="', "<title", "<title ", "<html ", "a='", "<meta name=a content='", "<link canonical ", "<h1"),
    *("<h1>", "<time ", "<time datetime=", "<script ld+json>", LD + '{"author":', LD + '"author"[[', "&amp", "<"),
    *("<meta date " + "a" * 3900 + ">", "<meta date a" + " " * 3900 + ">", "<meta date " + 'a="' * 1300 + ">"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_repeated_openings_end(piece: str) -> None:
    assert metadata(piece * (400_000 // len(piece))) is not None


def test_a_very_long_attribute_is_no_value() -> None:
    assert metadata(f'<meta name=author content="{"x" * 400_000}"><title>T</title></head>') == {"title": "T"}


@given(st.text(st.sampled_from("<>meta titlhrc1ns='\"/=&#;0\0\n-:{}[]@|"), max_size=300))
def test_any_text_gives_bounded_valid_values(page: str) -> None:
    for value in metadata(page).values():
        assert 0 < len(value) <= MAX_VALUE_CHARS
        assert "\0" not in value


@given(st.binary(max_size=100))
def test_bytes_that_are_no_utf8_do_no_harm(data: bytes) -> None:
    head_metadata(b"<title>" + data + b"</title><h1>" + data + b"</h1><time datetime=" + data + b">")


def test_titles_agree_with_those_that_people_gave(shared_data: Path) -> None:
    fastwarc = pytest.importorskip("fastwarc.warc")
    gold = pq.read_table(shared_data / "web" / "wcxb_dev_gold.parquet", columns=["url", "title"]).to_pylist()
    title_of = {row["url"]: row["title"] for row in gold}
    num_pages = num_agreeing = 0
    with (shared_data / "web" / "wcxb_dev.warc.gz").open("rb") as stream:
        for record in fastwarc.ArchiveIterator(stream, record_types=fastwarc.WarcRecordType.response):
            title = head_metadata(record.reader.read()).get("title", "")
            num_pages += 1
            num_agreeing += title.lower() == (title_of[record.headers["WARC-Target-URI"]] or "").lower()
            if num_pages == 300:
                break
    assert num_agreeing > 0.7 * num_pages  # 0.44 by what heads offer
