"""The learned extractor with the weights that ship."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.gold import read_gold
from classifiers.extractor.scores import word_score
from curate.extraction.decoding import decode_bytes
from curate.extraction.learned import default_extractor, extract_text, learned_extractor, shipped_model
from curate.extraction.model_card import load_card
from curate.models import file_digest

SENTENCES = "The ferry leaves the harbour at seven, when the market opens. Nobody who lives here would miss it. " * 3
PAGE = f"""<html><head><title>The ferry</title></head><body><header><nav><ul><li><a href="/">Home</a></li>
<li><a href="/a">About</a></li></ul></nav></header><main><article><h1>The ferry</h1><p>{SENTENCES}</p><p>{SENTENCES}</p>
</article></main><aside class="related"><h4>More stories</h4><ul><li><a href="/b">Bridges</a></li></ul></aside>
<footer class="footer"><p>© 2026 Harbour News. All rights reserved.</p></footer></body></html>"""


def extractor(favor):
    path = str(shipped_model())
    return learned_extractor(path, file_digest(path), favor)


def test_the_card_is_that_of_the_weights():
    card = load_card(shipped_model())
    assert card.sha256 == file_digest(shipped_model())
    assert {one.licence for one in card.data} == {"CC-BY-4.0", "GPL-3.0"}
    assert all(scores.f1 > 0.6 for scores in (*card.by_type.values(), *card.by_language.values()))


def test_the_article_is_taken_and_what_is_around_it_is_not():
    text = extract_text(PAGE.encode(), "https://harbour.example/ferry", None)
    assert text.count(SENTENCES.strip()) == 2
    assert not any(word in text for word in ("About", "Bridges", "rights reserved"))


def test_a_url_is_not_needed():
    assert extract_text(PAGE.encode(), None, None) == extract_text(PAGE.encode(), "https://harbour.example/ferry", None)


def test_what_it_says_of_a_page():
    main = default_extractor().extract(PAGE.encode(), None)
    assert (main.page_type, main.fallback) == ("article", None)
    assert 0.8 < main.quality <= 1
    assert 0 < main.num_chosen < main.num_blocks


def test_a_page_is_the_same_in_any_company():
    alone = default_extractor().extract(PAGE.encode(), None)
    for other in ("", "<p>x</p>" * 5_000, "<div>" * 9_000 + "deep", PAGE * 20):
        default_extractor().extract(other.encode(), "https://a.example/2024/x")
        assert default_extractor().extract(PAGE.encode(), None) == alone


@given(st.binary(max_size=300))
def test_any_bytes_are_a_page(payload):
    main = default_extractor().extract(payload, None)
    assert main.num_chosen <= main.num_blocks
    assert 0 <= main.quality <= 1


@pytest.mark.parametrize("name", ["wcxb_dev", "daniel_dev"])
def test_favor_moves_between_precision_and_recall_on_real_pages(shared_data, name):
    """Pages that it was trained on: this says that the parts work together, not how good it is."""
    web = shared_data / "web"
    pages = read_gold([str(web / f"{name}.warc.gz")], [str(web / f"{name}_gold.parquet")])[::25]
    texts = [decode_bytes(page.payload, page.charset).utf8 for page in pages]
    words, f1 = {}, {}
    for favor in ("precision", "balance", "recall"):
        found = [extractor(favor).extract(text, page.url).text for text, page in zip(texts, pages, strict=True)]
        words[favor] = sum(len(text.split()) for text in found)
        scores = [word_score(text, page.gold).f1 for text, page in zip(found, pages, strict=True)]
        f1[favor] = sum(scores) / len(scores)
    assert words["precision"] < words["balance"] < words["recall"]
    assert min(f1.values()) > 0.85
