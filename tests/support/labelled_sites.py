"""Labelled pages of made-up sites: each site has a template of its own, and main text among what is none."""

from __future__ import annotations

import random

from classifiers.extractor.gold import GoldPage

_WORDS = (
    "river stone quiet morning the a of and to in it was under bridge light yellow boat harbour market bread window "
    "letter garden winter train station clock voice paper silver mountain valley wheat horse mirror lantern".split()
)
_MAIN = ("post-body", "entry content", "article-text", "story")
_SIDE = ("sidebar", "related links", "widget", "nav-menu")
_MENU = ("Home", "About us", "Contact", "Privacy policy", "Subscribe now", "Share this")


def _sentence(draw: random.Random) -> str:
    words = draw.choices(_WORDS, k=draw.randint(8, 20))
    return " ".join(words).capitalize() + "."


def labelled_page(site: int, number: int, page_type: str | None = None, language: str | None = None) -> GoldPage:
    """A page of a site. The same numbers give the same page."""
    draw = random.Random(f"{site} {number}")
    title, main, side = _sentence(draw), _MAIN[site % len(_MAIN)], _SIDE[site % len(_SIDE)]
    paragraphs = [" ".join(_sentence(draw) for _ in range(draw.randint(2, 4))) for _ in range(draw.randint(2, 6))]
    links = "".join(f'<li><a href="/{i}">{" ".join(draw.choices(_WORDS, k=3))}</a></li>' for i in range(8))
    menu = "".join(f"<a href='#'>{item}</a> " for item in _MENU)
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    html = (
        f"<html><head><title>{title}</title></head><body><header>{menu}</header>"
        f"<div class='{side}'><ul>{links}</ul></div>"
        f"<div class='{main}'><h1>{title}</h1>{body}</div><footer>Copyright, all rights reserved</footer></body></html>"
    )
    host = f"site{site}.com"
    gold = "\n".join([title, *paragraphs])
    url = f"https://{host}/{number}"
    return GoldPage(url, host, "utf-8", html.encode(), gold, page_type, language, f"set{site % 2}")


def labelled_pages(num_sites: int = 12, pages_of_each: int = 4) -> list[GoldPage]:
    """Pages of sites with types and languages; some have neither."""
    types, languages = ("article", "forum", None), ("en", "fr", None)
    return [
        labelled_page(site, number, types[site % 3], languages[number % 3])
        for site in range(num_sites)
        for number in range(pages_of_each)
    ]
