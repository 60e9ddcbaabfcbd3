"""The page of an evaluation shows figures and texts, and no text of a document can do anything in it."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import html

from classifiers.evaluation.card import DataSet, Split, card_of
from classifiers.evaluation.metrics import evaluate
from classifiers.evaluation.report_page import render, write_report
from classifiers.evaluation.report_samples import MAX_CHARS, NUM_SAMPLES, cells
from curate.errors import OutputError

MARK = "pwned"
HOSTILE = [
    f"</script><script>{MARK}()</script>",
    f"<!-- <script> <img src=x onerror={MARK}()>",
    f'"><svg onload={MARK}()>',
    f"' onmouseover='{MARK}()' x='",
    f"</pre></style></title><iframe src=javascript:{MARK}()>",
    "{{ 7 * 7 }}{% raw %}\\u003c",
    f"a\u2028{MARK}\u2029\u202egnp.exe\x00\x1b[31m\x85 &lt;b&gt;",
    f"שלום {MARK} مرحبا \u2067",
]


def table(rows, **columns):
    """Rows of (label, score, text)."""
    made = {
        "doc_id": pa.array([f"{i:04}" for i in range(len(rows))]),
        "text": pa.array([row[2] for row in rows], pa.string()),
        "label": pa.array([row[0] for row in rows], pa.string()),
        "group": pa.array([str(i) for i in range(len(rows))]),
        "language": pa.array(["en", "zh"] * (len(rows) // 2) + ["en"] * (len(rows) % 2), pa.string()),
        "source": pa.array(["a"] * len(rows), pa.string()),
        "url": pa.nulls(len(rows), pa.string()),
        "score": pa.array([row[1] for row in rows], pa.float64()),
    }
    return pa.table({**made, **columns})


ROWS = [
    ("spam", 0.9, "right spam"),
    ("ham", 0.95, "very wrong"),
    ("ham", 0.6, "wrong"),
    ("spam", 0.2, "missed"),
    ("ham", 0.1, "right ham"),
    ("spam", 0.51, "near the bound"),
]


def page(rows=ROWS, positive="spam", **columns):
    found = table(rows, **columns)
    return render(evaluate(found, positive), found, "A title")


def shown(text):
    return " ".join(" ".join(html.document_fromstring(text).xpath("//body//text()[not(ancestor::script)]")).split())


def figures(text):
    return json.loads(html.document_fromstring(text).xpath("//script[@id='figures']")[0].text)


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    model, counts = tmp_path / "model.npz", dict.fromkeys(HOSTILE, dict.fromkeys(HOSTILE, 1))
    model.write_bytes(b"m")
    rows = [(text, score, f"{text} text") for text in HOSTILE for score in (0.2, 0.8)]
    names = pa.array([row[0] for row in rows])
    found = table(rows, language=names, source=names, url=names, category=names, predicted=names, doc_id=names)
    found = found.append_column(HOSTILE[0], found["score"])
    evaluation = evaluate(found, HOSTILE[0], baseline=HOSTILE[0])
    card = card_of(
        evaluation,
        name=HOSTILE[1],
        kind=HOSTILE[2],
        model=model,
        licence=HOSTILE[3],
        data=(DataSet(name=HOSTILE[4], licence=HOSTILE[0], file=HOSTILE[1], sha256=HOSTILE[2], counts=counts),),
        split=Split(how=HOSTILE[0], seed=0, num_train=0, num_held_out=1),
        settings=dict.fromkeys(HOSTILE, HOSTILE),
        limits=tuple(HOSTILE),
    )
    return render(evaluation, found, HOSTILE[0], card)


def test_hostile_strings_become_text_and_nothing_else(hostile):
    tree = html.document_fromstring(hostile)
    scripts = tree.xpath("//script")
    assert len(scripts) == 3  # library, figures, drawing
    assert MARK not in scripts[0].text
    assert MARK not in scripts[2].text
    assert not set("<>&") & set(scripts[1].text)
    tags = {element.tag for element in tree.xpath("//body//*")}
    assert not {"svg", "img", "iframe", "object", "embed", "form", "base", "link", "title", "style"} & tags
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert "49" not in shown(hostile).split()
    assert f"</script><script>{MARK}()</script>" in shown(hostile)


def test_only_the_pages_own_scripts_may_run(hostile):
    tree = html.document_fromstring(hostile)
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "default-src 'none'" in policy
    for script in tree.xpath("//script[not(@type)]"):
        digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not tree.xpath("//@src | //@href")


def test_control_characters_do_not_reach_the_page(hostile):
    assert not set("\x00\x1b\x85") & set(hostile.replace("\r", "").split("<body>")[1])


def test_wrong_examples_come_first_and_the_surest_before_others():
    found = table(ROWS)
    wrong, missed, right, rejected = cells(evaluate(found, "spam"), found)
    assert (wrong.name, [one.text for one in wrong.samples]) == ("false positives", ["very wrong", "wrong"])
    assert (missed.name, [one.text for one in missed.samples]) == ("false negatives", ["missed"])
    assert [one.text for one in right.samples] == ["near the bound", "right spam"]
    assert [one.text for one in rejected.samples] == ["right ham"]
    assert "very wrong" in shown(page())


def test_of_equal_scores_the_smaller_ids_are_shown_and_only_a_few():
    rows = [("ham", 0.9, f"t{i}") for i in range(50)] + [("spam", 0.9, "s")]
    found = table(rows, doc_id=pa.array([f"{(7 * i) % 51:03}" for i in range(51)]))
    wrong = cells(evaluate(found, "spam"), found)[0]
    assert wrong.num_examples == 50
    assert [one.doc_id for one in wrong.samples] == [f"{i:03}" for i in range(NUM_SAMPLES)]


def test_where_less_is_better_the_surest_are_the_lowest():
    found = table([("ham", 10.0, "worst"), ("ham", 90.0, "wrong"), ("spam", 50.0, "x"), ("ham", 500.0, "y")])
    evaluation = evaluate(found, "spam", 100.0, more_is_better=False)
    assert [one.text for one in cells(evaluation, found)[0].samples] == ["worst", "wrong"]
    assert "at most 100" in shown(render(evaluation, found, "t"))


def test_texts_are_cut():
    for chars in (MAX_CHARS, MAX_CHARS + 1):
        found = page([("spam", 0.9, "汉" * chars), ("ham", 0.1, "x")])
        assert "汉" * MAX_CHARS in found
        assert ("汉" * MAX_CHARS + " …" in found) == (chars > MAX_CHARS)
        assert "汉" * (MAX_CHARS + 1) not in found


def test_bytes_that_are_no_utf8_are_shown_as_such():
    text = pa.array([b"caf\xe9", b"x"], pa.binary()).view(pa.string())
    assert "caf\ufffd" in shown(page([("spam", 0.9, ""), ("ham", 0.1, "")], text=text))


def test_a_table_without_texts_has_a_page_all_the_same():
    found = table(ROWS).drop_columns(["text", "url"])
    assert "1 false negatives" in shown(render(evaluate(found, "spam"), found, "A title"))


def test_figures_are_drawn_with_thresholds_on_hover():
    drawn = figures(page())
    assert set(drawn) == {"precision_recall", "roc", "reliability", "histogram"}
    assert drawn["precision_recall"]["data"][1]["customdata"][0] == "0.95"
    assert drawn["roc"]["data"][1]["x"][0] == 0


def test_categories_say_how_much_of_each_is_called():
    rows = [("toxic", 0.9, "a"), ("toxic", 0.2, "b"), ("toxic", 0.8, "c"), ("fine", 0.7, "d"), ("fine", 0.1, "e")]
    text = page(rows, "toxic", category=pa.array(["hate", "hate", "spam", "fine", "fine"]))
    table_rows = [
        [" ".join(cell.text_content().split()) for cell in row] for row in html.document_fromstring(text).xpath("//tr")
    ]
    by_name = {row[0]: row for row in table_rows if row}
    assert by_name["hate"][1:4] == ["positive", "2", "1"]
    assert by_name["hate"][4].startswith("0.500")
    assert by_name["hate"][6] == "0.500"  # one of it and one of "fine" are called
    assert by_name["fine"][1:4] == ["other", "2", "1"]
    assert by_name["fine"][6] == "–"


def test_a_regression_and_classes_are_shown_where_there_are_some():
    rows = [(str(i % 6), i / 10, "x") for i in range(12)]
    assert "Spearman" in shown(page(rows, ">=3"))
    assert "levels" in figures(page(rows, ">=3"))
    classes = page(ROWS, predicted=pa.array(["spam", "ham", "spam", "ham", "ham", "spam"]))
    assert "taken for" in shown(classes)
    assert "taken for" not in shown(page())


@pytest.mark.parametrize("rows", [[], ROWS[:1], [("ham", 3.0, "x")], [("spam", None, "x"), ("ham", None, "y")]])
def test_too_little_to_judge_is_said(rows):
    text = shown(page(rows))
    assert "nothing to judge" in text or "of one kind" in text
    assert "nan" not in text.lower().split()


def test_the_page_is_the_same_each_time(tmp_path):
    found = table(ROWS)
    for name in ("a.html", "b.html"):
        write_report(evaluate(found, "spam"), found, tmp_path / name, "t")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    found = table(ROWS)
    with pytest.raises(OutputError, match="cannot write the report"):
        write_report(evaluate(found, "spam"), found, tmp_path / "no" / "report.html", "t")
