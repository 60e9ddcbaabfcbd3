from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.block_words import block_texts, block_words, score, word_counts
from classifiers.extractor.examples import blank_model, examples_of
from classifiers.extractor.gold import read_gold
from classifiers.extractor.scores import word_score
from classifiers.extractor.word_hashes import words_of
from curate.extraction.learned import LearnedExtractor

texts = st.lists(st.sampled_from("a b c d 一 二 e".split()), max_size=12).map(" ".join)


def read(html: str):
    judgement, num_blocks, _ = LearnedExtractor(blank_model()).judge(np.frombuffer(html.encode(), np.uint8), None)
    return judgement.page, judgement.blocks, num_blocks


@given(texts, texts)
def test_a_score_of_counted_words_is_that_of_the_texts(text, gold):
    assert score(word_counts(words_of(text)), word_counts(words_of(gold))) == pytest.approx(word_score(text, gold))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one <b>two</b>three</p><p>four", ["one twothree", "four"]),
        ("<p>one<br>two</p>", ["one\ntwo"]),
        ("<p>one<script>no</script>two</p>", ["onetwo"]),
        ("<p>co&shy;operate</p>", ["cooperate"]),
        ("<table><tr><td>a<td>b</table>", ["a", "b"]),
        ("", []),
    ],
)
def test_texts_of_blocks(html, expected):
    assert block_texts(*read(html)) == expected


def test_words_are_those_of_the_texts_block_by_block():
    place = read("<h1>A title</h1><p>of <i>one</i> 一二<br>page</p><p>--</p><p>end</p>")
    found = block_words(*place)
    assert found.counts.tolist() == [2, 5, 0, 1]
    assert found.blocks.tolist() == [0, 0, 1, 1, 1, 1, 1, 3]
    assert found.hashes.tolist() == words_of("\n".join(block_texts(*place))).tolist()


def test_a_page_without_blocks_has_no_words():
    found = block_words(*read("<script>none</script>"))
    assert found.hashes.size == 0
    assert found.counts.tolist() == []


@pytest.mark.parametrize("name", ["wcxb_dev", "daniel_dev"])
def test_scores_of_chosen_blocks_are_those_of_the_finished_text(name, shared_data):
    folder = shared_data / "web"
    pages = read_gold([str(folder / f"{name}.warc.gz")], [str(folder / f"{name}_gold.parquet")])[::40]
    extractor = LearnedExtractor(blank_model())  # every block is as likely, so it takes them all
    for example in examples_of(pages):
        text = extractor.extract(example.utf8, example.page.url).text
        judgement, num_blocks, _ = extractor.judge(example.data, example.page.url)
        chosen = judgement.chosen[:num_blocks][example.words.blocks]
        assert score(word_counts(example.words.hashes[chosen]), example.gold) == pytest.approx(
            word_score(text, example.page.gold)
        ), example.page.url
