"""Mojibake is counted, and undone where that is certain and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.extraction import mojibake
from curate.extraction.mojibake import MAX_LINE_BYTES, count, repair

TEXTS = {
    "French": "L'été est là: “déjà”, dit l'élève — voilà",
    "German": "Für die Größe von Österreich",
    "Polish": "Zażółć gęślą jaźń w Łodzi",
    "Russian": "Новости страны и мира сегодня, привет",
    "Greek": "Τα νέα της ημέρας από την Αθήνα",
    "Chinese": "这项工作已经开始",
    "signs": "Price: 25 € — 360° view™ … it’s ⭐⭐",
}
#: What is certain in which charset. A charset that has no character for one of the bytes loses it for good.
MISREAD = [(name, "latin-1") for name in TEXTS] + [
    ("French", "cp1252"),
    ("German", "cp1252"),
    ("signs", "cp1251"),
    ("German", "cp1250"),
]


def misread(text: str, charset: str = "latin-1") -> str:
    """The text as somebody made it who read its UTF-8 in that charset, undefined bytes as controls."""
    return "".join(bytes([b]).decode(charset, "ignore") or chr(b) for b in text.encode())


@pytest.mark.parametrize(("name", "charset"), MISREAD)
def test_misread_utf8_is_found_and_undone(name: str, charset: str) -> None:
    bad = "A line of English.\n" + misread(TEXTS[name], charset) + "\nAnother line."
    assert count(bad) > 0
    text, found, repaired = repair(bad)
    assert text == "A line of English.\n" + TEXTS[name] + "\nAnother line."
    assert found == repaired == count(bad)


@pytest.mark.parametrize("name", TEXTS)
def test_clean_text_is_not_touched(name: str) -> None:
    assert repair(TEXTS[name]) == (TEXTS[name], 0, 0)


def test_nothing_but_wrong_decodings_is_undone() -> None:
    kept = "“curly”\u00a0ﬁne ½ Ａ\u200b … &eacute; \r\n"
    assert repair(kept + misread("é à la carte")).text == kept + "é à la carte"


def test_twice_misread_is_undone_twice() -> None:
    assert repair(misread(misread("Henri Lévy"))).text == "Henri Lévy"


def test_controls_that_are_marks_in_every_windows_charset_are_marks() -> None:
    assert repair("It\x92s \x93here\x94 \x96 yes\x85").text == "It’s “here” – yes…"
    assert repair("\x9c and \x92").text == "\x9c and \x92"  # œ in French, ś in Polish


def test_what_cannot_be_undone_without_loss_stays() -> None:
    lossy = "â€œquotedâ€\ufffd"
    text, found, repaired = repair(lossy)
    assert (text, repaired) == (lossy, 0)
    assert found > 0


def test_chinese_read_as_latin_is_counted_and_left_alone() -> None:
    line = "新闻中心国际新闻要闻时事快报".encode("gb18030").decode("cp1252", "replace")
    assert count(line) > 0
    assert repair(line).text == line
    twice = misread("中国新闻评论网友".encode("gb18030").decode("latin-1"))
    assert repair(twice).text == twice


def test_most_suspect_lines_must_be_repairable() -> None:
    good, hopeless = misread("Henri Lévy"), "â€œaâ€\ufffd"
    assert repair(f"{good}\n{hopeless}").num_repaired == 0
    assert repair(f"{good}\n{good}\n{hopeless}").text == f"Henri Lévy\nHenri Lévy\n{hopeless}"


@pytest.mark.parametrize("topic", ["Mojibake", "the UTF-8 bug", "charset=", "latin1", "ISO-8859-1"])
def test_a_text_about_charsets_means_what_it_says(topic: str) -> None:
    text = f'{topic}: how many times I saw "Ã¤" instead of "ä"'
    assert repair(text).text == text
    assert repair(text.replace(topic, "Topic")).num_repaired == 1


def test_a_line_longer_than_the_bound_is_left_alone() -> None:
    bad = misread("é")
    fits = bad + "x" * (MAX_LINE_BYTES - len(bad.encode()))
    assert repair(fits).num_repaired == 1
    assert repair(fits + "x") == (fits + "x", 0, 0)


def test_what_is_judged_of_one_text_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    line = misread("é") + "\n"
    monkeypatch.setattr(mojibake, "MAX_LINES", 3)
    assert repair(line * 3).num_repaired == 3
    assert repair(line * 4).text == "é\n" * 3 + line
    monkeypatch.setattr(mojibake, "MAX_TOTAL_BYTES", 2 * (len(line.encode()) - 1))
    assert repair(line * 3).num_repaired == 2


def test_empty_text() -> None:
    assert count("") == 0
    assert repair("") == ("", 0, 0)


@given(st.text(max_size=60))
def test_any_text_keeps_its_lines_and_gets_no_replacement_character(text: str) -> None:
    better = repair(text).text
    assert better.count("\n") == text.count("\n")
    assert better.count("\ufffd") == text.count("\ufffd")


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0x24F), max_size=40))
def test_count_and_repair_agree(text: str) -> None:
    assert repair(text).num_found == count(text)
    assert repair(text).num_repaired <= count(text)


def test_clean_sentences_of_many_languages_pass(shared_data: Path) -> None:
    rows = pq.read_table(shared_data / "lid" / "sentences.parquet").to_pylist()
    touched = [row for row in rows if repair(row["text"]).num_repaired]
    assert len(rows) > 30_000
    # All of these are mojibake indeed: quotes read as Latin-1, and some Luganda, Czech, German and Polish.
    assert 0 < len(touched) < 0.004 * len(rows)
    assert not {row["language"] for row in touched} & {"ru", "zh", "ja", "el", "ar", "vi", "pt", "es", "tr"}
