"""What the head offers is found, bounded and harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.extraction.head import MAX_VALUE_CHARS, head_metadata


def test_everything_that_a_head_may_offer() -> None:
    page = """<!doctype html><html class="x" lang="pt-BR"><head><title>Plain</title>
        <meta property="og:title" content="A &quot;title&quot;
        on two lines"><meta content='Ana Souza' name=author><meta property=og:site_name content=Diário>
        <meta property="article:published_time" content="2024-05-06T07:08:09+00:00"></head>"""
    assert head_metadata(page) == {
        "title": 'A "title" on two lines',
        "author": "Ana Souza",
        "site_name": "Diário",
        "page_date": "2024-05-06T07:08:09+00:00",
        "declared_language": "pt-BR",
    }


def test_a_head_that_offers_nothing() -> None:
    assert head_metadata("") == {}
    assert head_metadata("<p>text</p><meta name=author content=''><title> </title>") == {}


def test_the_first_of_a_name_wins() -> None:
    assert head_metadata("<meta name=author content=First><meta name=author content=Second>") == {"author": "First"}


@pytest.mark.parametrize("date", ["yesterday", "06/05/2024", "2024-13-01", "2024-12-32", "99999-01-01"])
def test_a_date_that_is_no_iso_date_is_left_out(date: str) -> None:
    assert head_metadata(f'<meta name="date" content="{date}">') == {}


@pytest.mark.parametrize("language", ["<script>", "english language", "x" * 40, ""])
def test_a_language_that_is_no_tag_is_left_out(language: str) -> None:
    assert head_metadata(f'<html lang="{language}">') == {}


def test_long_values_are_cut() -> None:
    assert head_metadata(f"<title>{'t' * MAX_VALUE_CHARS}</title>")["title"] == "t" * MAX_VALUE_CHARS
    assert head_metadata(f"<title>{'t' * (MAX_VALUE_CHARS + 1)}</title>")["title"] == "t" * MAX_VALUE_CHARS


@pytest.mark.parametrize("piece", ["<meta ", '<meta a="', "<title", "<html ", "a='", "<meta name=a content='"])
def test_repeated_openings_end(piece: str) -> None:
    assert head_metadata(piece * 100_000) is not None


@given(st.text(st.sampled_from("<>meta titlhr='\"/=&#;0\0\n"), max_size=300))
def test_any_text_gives_bounded_valid_values(page: str) -> None:
    for value in head_metadata(page).values():
        assert 0 < len(value.encode("utf-8")) <= 4 * MAX_VALUE_CHARS
        assert "\0" not in value
