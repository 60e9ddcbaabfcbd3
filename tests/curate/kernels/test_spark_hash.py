"""Spark's terms: against Spark ML itself on real and made-up text, and against Java's rules in Python."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from curate.kernels.linear_terms import Terms, term_counts

PLACES = 2**18
SPARK = Terms(True, (1, 0), (1, 0), PLACES)

MADE_UP = [
    *("", " ", "   ", "\n", "a", " a", "a ", " a ", "  a  b  ", "a\t\nb", "a\u00a0b", "a\u3000b", "a\u2028b", "a\x0bb"),
    *(
        "a\x0cb\rc",
        "a\x1cb\x1fc",
        "a\x85b",
        "\0",
        "a\0b",
        "\0 \0",
        "</s>",
        "İstanbul DİYARBAKIR ı I",
        "STRASSE Straße ẞ",
    ),
    *(
        "ΟΔΟΣ ΟΔΥΣΣΕΥΣ Σ ΣΑΣ. ΑΣ.Α ΑΣ1 Α.Σ",
        "ǅ ǈ ﬁ Ⅷ Ⓐ 𐐀",
        "Ꭰ Ა ᏸ",
        "𐐀Σ",
        "x 𐐀Σ",
        "Ɀ Ᵹ Ⱟ Ꟁ",
        "a" * 10_000,
        " " * 9_000 + "x",
    ),
    *("中文 和 English", "é\u0301 É\u0301", "🙂 👩‍👩‍👧", "ab abc abcd abcde", "\ufeffBOM", "\ufffd", "\uffff"),
]


def counts(texts, terms=SPARK):
    starts, places, found = term_counts(pa.array(texts, pa.string()), terms)
    return [dict(zip(places[a:b].tolist(), found[a:b].tolist(), strict=True)) for a, b in pairwise(starts)]


def murmur3(data):
    """MurmurHash3 x86 32 of Appleby's, with seed 42."""
    h, words = 42, [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
    for i, k in enumerate(words):
        k = k * 0xCC9E2D51 % 2**32
        k = (k << 15 | k >> 17) % 2**32 * 0x1B873593 % 2**32
        h ^= k
        if 4 * i + 4 <= len(data):
            h = ((h << 13 | h >> 19) % 2**32 * 5 + 0xE6546B64) % 2**32
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    h ^= h >> 16
    return h - 2**32 if h >= 2**31 else h


def split(text):
    """Java's split by a character of white space."""
    parts = re.split("[ \t\n\x0b\f\r]", text)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [] if parts == [""] and text else parts


@pytest.mark.parametrize("text", ["", " ", " a", "a b  c ", "abcd efgh i", "\0", "中文 abc", "é è", "ünï cödé " * 900])
def test_terms_are_hashed_as_the_algorithm_says(text):
    expected = {}
    for term in split(text):
        place = murmur3(term.encode()) % PLACES
        expected[place] = expected.get(place, 0) + 1
    assert counts([text]) == [expected]


@pytest.mark.parametrize(
    ("capitals", "lower"),
    [
        *(
            ("ΟΔΟΣ", "οδος"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("Σ", "σ"),
            ("ΑΣ.", "ας."),
            ("ΑΣ.Α", "ασ.α"),
            ("Α.Σ", "α.ς"),
            ("ΑΣ-Α", "ασ-α"),
        ),
        *(("1Σ", "1σ"), ("Α1Σ", "α1ς"), ("ΑΣ,Α", "ας,α"), ("Α中Σ", "α中σ"), ("Α\u0301Σ", "α\u0301ς"), ("אΣ", "אσ")),
        *(("İ", "i\u0307"), ("ẞ", "ß"), ("ǅ", "ǆ"), ("Ⱥ", "ⱥ"), ("K", "k"), ("\U00010400", "\U00010428"), ("Ꟁ", "Ꟁ")),
    ],
)
def test_lower_case_is_javas(capitals, lower):
    assert counts([capitals], Terms(True, (1, 0), (1, 0), 2**24)) == [{murmur3(lower.encode()) % 2**24: 1}]


@pytest.mark.spark
def test_places_and_counts_are_spark_mls(spark, real_texts):
    from pyspark.ml.feature import HashingTF, Tokenizer

    draw = random.Random(6)
    greek = [
        "".join(draw.choices("ΑΣΣΣςσa1.-_'\"·,\u0301\u00ad\u0345中カא½Ⅰ$%ʰⒶ\u2027\u200d𐐀 ", k=12)) for _ in range(3000)
    ]
    # One text of 1,000 characters each: with each alone, at the end of a word and inside one.
    points = [chr(point) for point in range(0x3000) if not chr(point).isspace()]
    alone = [" ".join(f"{c} Α{c}Σ ΑΣ{c} ΑΣ{c}Α" for c in points[i : i + 200]) for i in range(0, len(points), 200)]
    texts = [*MADE_UP, *real_texts, *greek, *alone]
    frame = spark.createDataFrame(pa.table({"text": texts, "row": range(len(texts))})).coalesce(1)
    tokens = Tokenizer(inputCol="text", outputCol="words").transform(frame)
    hashed = HashingTF(inputCol="words", outputCol="features").transform(tokens).select("row", "features")
    expected = {row["row"]: row["features"] for row in hashed.collect()}
    for number, found in enumerate(counts(texts)):
        vector = expected[number]
        wanted = dict(zip(vector.indices.tolist(), vector.values.astype(np.int64).tolist(), strict=True))
        assert found == wanted, repr(texts[number][:200])
