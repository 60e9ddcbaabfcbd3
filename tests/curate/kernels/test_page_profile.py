"""What a page is like as a whole."""

from __future__ import annotations

import math

import pytest
from seen_pages import see

from curate.kernels.page_profile import NUM_PROFILE, PROFILE

URL_FEATURES = [name for name in PROFILE if name.startswith("url_")]


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(set(PROFILE)) == NUM_PROFILE


def test_an_unknown_url_is_not_like_any() -> None:
    profile = see("<p>text</p>").profile
    assert {profile[name] for name in URL_FEATURES} == {-1}


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://a.example/", {"url_depth": 0, "url_ends_slash": 1, "url_length": 0}),
        (
            "https://a.example/forum/viewtopic?t=12",
            {"url_depth": 1, "url_forum": 3, "url_has_query": 1, "url_digits": 2},
        ),
        ("https://a.example/2024/05/my-story", {"url_has_date": 1, "url_dashes": 1, "url_depth": 2}),
        ("https://a.example/products/Blue-Shirt", {"url_product": 1, "url_forum": 0}),
        ("no scheme", {"url_depth": 0}),
    ],
)
def test_a_url_is_read_behind_its_host(url: str, wanted: dict[str, float]) -> None:
    profile = see("<p>text</p>", url).profile
    assert {name: profile[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        ('<meta property="og:type" content="article">', "article"),
        ('<meta content="Product" property="og:type">', "product"),
        ('<script type="application/ld+json">{"@type": "NewsArticle"}</script>', "newsarticle"),
        ('<script type="application/ld+json">{"@graph":[{"@type" :["FAQPage","X"]}]}</script>', "faqpage"),
    ],
)
def test_what_a_page_declares_to_be_is_noted(head: str, declared: str) -> None:
    profile = see(head + "<p>text</p>").profile
    assert {name for name in PROFILE if name.startswith("page_declares_") and profile[name]} == {
        f"page_declares_{declared}"
    }


@pytest.mark.parametrize("script", ['<script>{"@type":"Product"}</script>', "<script type=application/ld+json>@type"])
def test_what_is_no_declaration_is_not_noted(script: str) -> None:
    profile = see(script + "</script><p>text</p>").profile
    assert not any(profile[name] for name in PROFILE if name.startswith("page_declares_"))


def test_shares_are_of_the_text_that_is_seen() -> None:
    long = "word " * 30
    profile = see(f"<nav><a href=x>0123456789</a></nav><main><p>{long}</p></main><script>hidden text</script>").profile
    chars = 10 + 149
    assert profile["page_chars"] == pytest.approx(math.log1p(chars))
    assert profile["page_link_frac"] == pytest.approx(10 / chars)
    assert profile["page_frac_nav"] == pytest.approx(10 / chars)
    assert profile["page_frac_main"] == profile["page_long_block_frac"] == pytest.approx(149 / chars)
    assert profile["page_short_block_frac"] == 0.5
    assert profile["page_num_p"] == pytest.approx(math.log1p(1))


def test_a_page_without_text_has_a_profile() -> None:
    assert all(map(math.isfinite, see("<script>x</script>", "https://a.example/x").profile.values()))
    assert all(map(math.isfinite, see(" ").profile.values()))
