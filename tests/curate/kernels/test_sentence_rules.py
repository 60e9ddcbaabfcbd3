"""Sentence rules against an oracle over `str`."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.kernels.sentence_rules import CLOSING, RULES, SIGNALS, filter_sentences, sentence_rules
from curate.kernels.sentences import sentence_ends
from curate.kernels.unicode_tables import SPACELESS, char_table

MARKS = ".!?。！？"


def rules(
    chars=(None, None),
    words=(None, None),
    least=0,
    letters=0.2,
    digits=0.7,
    symbols=0.4,
    duplicate=8,
    marks=None,
    keywords=(),
):
    return sentence_rules(chars, words, least, letters, digits, symbols, duplicate, marks, keywords)


OFF = rules(letters=None, digits=None, symbols=None, duplicate=None)


def cut(*texts, given=None):
    left, signals = filter_sentences(pa.array(texts, pa.string()), given or rules())
    assert signals.type == SIGNALS
    return left.to_pylist(), signals.to_pylist()


def removed(text, given=None):
    (left,), (signals,) = cut(text, given=given)
    return left, {rule: signals[f"{rule}_sentences"] for rule in RULES if signals[f"{rule}_sentences"]}


def spans(text):
    """Sentences of a text, by lines: (start, end) in characters."""
    found, start = [], 0
    for line in text.split("\n"):
        data = line.encode()
        ends = np.empty(len(data) + 2, np.int64)
        num = sentence_ends(np.frombuffer(data, np.uint8), 0, len(data), char_table(), ends)
        at = 0
        for end in ends[:num]:
            piece = data[at:end].decode()
            if piece.strip():
                first = start + len(data[:at].decode()) + len(piece) - len(piece.lstrip())
                found.append((first, start + len(data[:end].decode())))
            at = end
        start += len(line) + 1
    return found


def spaceless(char):
    table, point = char_table(), ord(char)
    return bool(table.flags[int(table.blocks[point >> 7]) << 7 | point & 127] & SPACELESS) and char.isalpha()


def broken_rule(sentence, seen):
    """By the rules of `oracle`."""
    dense = [char for char in sentence if not char.isspace()]
    kinds = [unicodedata.category(char) for char in dense]
    words = sum(
        max(sum(map(spaceless, w)) + bool(re.match(r"\S", w) and not spaceless(w[0])), 1) for w in sentence.split()
    )
    if len(dense) < 2 or words < 1:
        return "short"
    if len(dense) > 40 or words > 30:
        return "long"
    if sum(kind[0] in "LM" for kind in kinds) / len(dense) < 0.2:
        return "letters"
    if kinds.count("Nd") / len(dense) > 0.7:
        return "digits"
    if sum(kind[0] == "S" for kind in kinds) / len(dense) > 0.4:
        return "symbols"
    if sentence.rstrip(CLOSING)[-1:] not in tuple(MARKS):
        return "no_end_mark"
    if "buy now" in sentence.lower():
        return "keyword"
    return "duplicate" if len(dense) >= 8 and sentence in seen else None


def oracle(text):
    """Rebuilt sentence by sentence; the widest of the gaps before a kept sentence stands."""
    out, gaps, seen, before, counts, last_kept = "", [], set(), 0, dict.fromkeys(RULES, 0), True
    found = spans(text)
    for i, (start, end) in enumerate(found):
        gaps.append(text[before:start])
        before, sentence = end, text[start:end]
        rule = broken_rule(sentence, seen)
        last_kept = rule is None
        if rule:
            counts[rule] += 1
            continue
        seen.add(sentence)
        if out or i == 0:
            out += max(gaps, key=lambda gap: gap.count("\n"))
        out, gaps = out + sentence, []
    return out + (text[before:] if last_kept else ""), counts


ORACLE_RULES = rules(chars=(2, 40), words=(1, 30), marks=MARKS, keywords=("buy now",))
PIECES = st.sampled_from(
    [
        "A sentence of words. ",
        "Another one! ",
        "12 34. ",
        "x",
        "$=+|. ",
        "word ",
        "\n",
        "\n\n",
        " ",
        "\u00a0",
        "。",
        "好的。",
        "你好世界今天天气很好。",
        "Buy NOW please. ",
        "“Quoted.” ",
        "?",
        "\r",
        "\0",
        "e\u0301. ",
        "🙂. ",
        "١٢. ",
        "कुछ शब्द। ",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
@example("A sentence of words. A sentence of words.\n\nA sentence of words. Another one! \n")
def test_text_and_counts_are_the_oracles(text):
    (left,), (signals,) = cut(text, given=ORACLE_RULES)
    expected, counts = oracle(text)
    assert left == expected
    assert {rule: signals[f"{rule}_sentences"] for rule in RULES} == counts
    assert signals["sentence_count"] == len(spans(text))


@given(st.text(max_size=60))
def test_any_text_agrees(text):
    assert cut(text, given=ORACLE_RULES)[0] == [oracle(text)[0]]


@given(st.lists(PIECES, max_size=25).map("".join))
def test_without_rules_nothing_changes(text):
    (left,), (signals,) = cut(text, given=OFF)
    assert left == text
    assert (signals["removed_char_frac"], sum(signals[f"{rule}_sentences"] for rule in RULES)) == (0, 0)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_a_second_time_changes_nothing(text):
    (once,), _ = cut(text)
    (twice,), (signals,) = cut(once)
    assert (twice, signals["removed_char_frac"]) == (once, 0)


@pytest.mark.parametrize("name", ["news_en", "books_en", "zh", "textbook_stem"])
def test_real_texts_agree(shared_data, name):
    column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
    for text in column.slice(0, 40).to_pylist():
        assert cut(text[:5_000], given=ORACLE_RULES)[0] == [oracle(text[:5_000])[0]]


def test_sentences_of_all_languages_stay(shared_data):
    table = pq.read_table(shared_data / "lid" / "sentences.parquet")
    by_language: dict[str, list[str]] = {}
    for language, text in zip(*(table[name].to_pylist() for name in ("language", "text")), strict=True):
        by_language.setdefault(language, []).append(" ".join(text.split()))
    assert len(by_language) > 70
    for sentences in by_language.values():
        _, (signals,) = cut("\n".join(dict.fromkeys(sentences)), given=rules(duplicate=None))
        assert signals["removed_char_frac"] < 0.01


@pytest.mark.parametrize(
    ("given", "kept", "gone", "rule"),
    [
        (rules(chars=(5, None)), "Word.", "Yes.", "short"),
        (rules(words=(2, None)), "Two words.", "One.", "short"),
        (rules(words=(2, None)), "三个。", "二。", "short"),
        (rules(chars=(None, 5)), "Word.", "Words.", "long"),
        (rules(words=(None, 2)), "Two words.", "Now three words.", "long"),
        (rules(letters=0.5), "ab12", "ab123", "letters"),
        (rules(letters=0, digits=0.75), "a123", "a1234", "digits"),
        (rules(letters=0, symbols=0.5), "ab++", "ab+++", "symbols"),
        (rules(letters=0), "क्+", "+++++क", "symbols"),
        (rules(least=4), "8.9", "8.99", "letters"),
        (rules(least=4, letters=0), "$$$", "$$$$", "symbols"),
        (rules(least=4, letters=0), "123", "1234", "digits"),
        (rules(marks=".。"), "It ends.”", "It does not", "no_end_mark"),
        (rules(marks=".。"), "好。」", "好", "no_end_mark"),
        (rules(keywords=("click here",)), "Here you click.", "Click HERE now.", "keyword"),
        (rules(keywords=("点击",)), "请看。", "请点击这里。", "keyword"),
    ],
)
def test_each_rule_on_its_bound(given, kept, gone, rule):
    assert removed(f"{kept}\n{gone}", given=given) == (kept, {rule: 1})


@pytest.mark.parametrize(("least", "stays"), [(7, 1), (8, 1), (9, 3)])
def test_of_long_enough_sentences_the_first_stays(least, stays):
    left, _ = removed("Not this. Sevench.\nSevench.\nSevench.", given=rules(duplicate=least))
    assert left == "Not this. " + "\n".join(["Sevench."] * stays)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. 123. Two.", "One. Two."),
        ("One.  123.\nTwo.", "One.\nTwo."),
        ("One.\n123. Two.", "One.\nTwo."),
        ("One.\n\n123.\n\nTwo.", "One.\n\nTwo."),
        ("One.\n123.\n\nTwo.", "One.\n\nTwo."),
        ("  123. One.\n", "One.\n"),
        ("\n One. 123.\n", "\n One."),
        ("123.", ""),
        (" \n ", " \n "),
        ("好。123。好的。", "好。好的。"),
    ],
)
def test_white_space_between_kept_sentences(text, expected):
    assert removed(text)[0] == expected


def test_null_empty_and_slices():
    column = pa.array(["1.", None, "One. 1.", ""], pa.string()).slice(1)
    left, signals = filter_sentences(column, rules())
    assert left.to_pylist() == [None, "One.", ""]
    assert signals[0].as_py() == dict.fromkeys(SIGNALS.names)
    assert signals[1].as_py()["kept_char_count"] == 4
    assert signals[1].as_py()["removed_char_frac"] == pytest.approx(2 / 6)
    assert signals[2].as_py()["removed_char_frac"] == 0


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_do_no_harm(values):
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    column = pa.Array.from_buffers(
        pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    )
    left, _ = filter_sentences(column, ORACLE_RULES)
    assert (np.diff(np.frombuffer(left.buffers()[1], np.int32)) <= np.diff(offsets)).all()


def test_a_million_equal_sentences_cost_linear_time():
    left, counts = removed("The same once more. " * 200_000)
    assert left == "The same once more."
    assert counts == {"duplicate": 199_999}
