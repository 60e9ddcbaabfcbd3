"""The simplest score: what of a text the words of a list cover."""

from __future__ import annotations

import pyarrow as pa
import pytest

from classifiers.evaluation.baselines import NUM_KEYWORDS, covered, covered_by_words, keywords, words
from classifiers.trainer import EXAMPLES
from curate.errors import InputError


def table(*rows, language=None):
    return pa.Table.from_pylist(
        [
            {"doc_id": str(n), "text": text, "label": label, "group": str(n), "source": "s", "language": language}
            for n, (text, label) in enumerate(rows)
        ],
        EXAMPLES,
    )


def test_keywords_are_what_positives_hold_more_often():
    examples = table(("buy now cheap", "spam"), ("buy cheap", "spam"), ("see you now", "ham"), ("buy milk", "ham"))
    # cheap: 2/2 - 0/2; buy: 2/2 - 1/2; now: 1/2 - 1/2, no gain; of equal ones the first by name
    assert keywords(examples, "spam") == ["cheap", "buy"]
    assert keywords(examples, "spam", num=1) == ["cheap"]
    assert keywords(table(("a b", "ham")), "spam") == []
    many = table((" ".join(f"w{n:03}" for n in range(200)), "spam"), ("x", "ham"))
    assert keywords(many, "spam") == [f"w{n:03}" for n in range(NUM_KEYWORDS)]


def test_chinese_words_are_pairs_of_characters():
    assert list(words("垃圾 Ham信息x")) == ["垃圾", "ham", "信息", "x"]
    examples = table(("这是垃圾信息", "spam"), ("垃圾广告", "spam"), ("今天吃饭", "ham"), language="zh")
    assert keywords(examples, "spam")[0] == "垃圾"
    assert covered_by_words(examples, ["垃圾"]).to_pylist() == [2 / 6, 2 / 4, 0.0]


def test_words_are_covered_at_word_boundaries_only(tmp_path):
    examples = table(("win a prize", "x"), ("winter", "x"), ("", "x"))
    assert covered_by_words(examples, ["win", "prize"]).to_pylist() == [8 / 11, 0.0, 0.0]
    path = tmp_path / "list.txt"
    path.write_text("win\nprize\n")
    assert covered(examples, str(path)).to_pylist() == [8 / 11, 0.0, 0.0]
    assert covered_by_words(examples, []).to_pylist() == [0.0, 0.0, 0.0]


def test_a_list_that_cannot_be_read_is_told_even_without_examples():
    with pytest.raises(InputError, match=r"nolist\.txt"):
        covered(EXAMPLES.empty_table(), "nolist.txt")
