from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import Any

import pytest
from lxml import html

from classifiers.extractor import errors_page
from classifiers.extractor.errors_page import kind_of, render, verdict, worst, write_errors
from classifiers.extractor.outcome import BlockOutcome, Outcome
from classifiers.extractor.scores import word_score
from curate.errors import OutputError

MARK = "pwned"
HOSTILE = [
    f"</script><script>{MARK}()</script>",
    f"<!-- <script> <img src=x onerror={MARK}()>",
    f'"><svg onload={MARK}()>',
    f"' onmouseover='{MARK}()' x='",
    f"javascript:{MARK}()",
    "{{ 7 * 7 }}{% raw %}\\u003c",
    f"a\u2028{MARK}\u2029\u202egnp.exe\x00\x1b[31m\x85\ud800 &lt;b&gt;",
    f"שלום {MARK} مرحبا \u2067",
]
NO_HOSTILE_TAGS = {"svg", "img", "iframe", "object", "embed", "form", "base", "link", "b"}


def block(text: str = "some words", *, share: float = 1.0, chosen: bool = True, words: int = 2) -> BlockOutcome:
    return BlockOutcome(text, "body > main > p", 0.75, share, chosen, words)


def outcome(number: int = 0, gold: str = "a b c d", text: str = "a b c d", **more: Any) -> Outcome:
    precision, recall, f1 = word_score(text, gold)
    made = Outcome(
        f"https://h{number}.example/x", f"h{number}.example", "", "", gold, text, f1, precision, recall, 0.5, [block()]
    )
    return made._replace(**more)


def parsed(page: str) -> Any:
    return html.document_fromstring(page)


def pages(page: str) -> list[dict[str, Any]]:
    found = parsed(page).xpath("//script[starts-with(@id, 'data-')]")
    assert [one.get("id") for one in found] == [f"data-{number}" for number in range(len(found))]
    return [json.loads(one.text) for one in found]


def shown(tree: Any) -> str:
    return " ".join(" ".join(tree.xpath("//body//text()[not(ancestor::script)]")).split())


def addresses(page: str) -> list[str]:
    return parsed(page).xpath("//td[@class='url']/bdi/text()")


@pytest.fixture
def hostile() -> str:
    outcomes = [
        outcome(gold=f"{text} gold", text=f"{text} ours", url=text, host=text, page_type=text, language=text)._replace(
            blocks=[BlockOutcome(text, f"{text} > {text}", 0.5, 0.5, n % 2 == 0, n) for n in range(3)]
        )
        for text in HOSTILE
    ]
    return render(outcomes, title=HOSTILE[0], compared=dict.fromkeys(HOSTILE, outcomes))


def test_hostile_strings_become_text_and_nothing_else(hostile):
    tree = parsed(hostile)
    scripts = tree.xpath("//script")
    assert len(scripts) == 4 + len(HOSTILE) - 1  # library, figures, script, and one of data for each page
    for script in scripts:
        if script.get("type") == "application/json":
            assert not set("<>&") & set(script.text)
        else:
            assert MARK not in script.text
    tags = {element.tag for element in tree.xpath("//body//*") if isinstance(element.tag, str)}
    assert tags & NO_HOSTILE_TAGS <= {"b"}
    assert not tree.xpath("//body//comment()")
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            assert name in ("data-page_type", "data-language", "value") or MARK not in value, (name, value)
    assert shown(tree).count(HOSTILE[0]) > 5
    groups = [cell.text_content() for cell in tree.xpath("//td[@class='group']")]
    assert len(groups) == 2 * (1 + len(HOSTILE))
    assert errors_page.OTHERS not in groups


def test_no_address_of_a_page_is_a_link(hostile):
    assert all(address.startswith("#page-") for address in parsed(hostile).xpath("//@href"))


def test_the_policy_names_the_two_scripts_and_the_script_writes_no_markup(hostile):
    tree = parsed(hostile)
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [script.text for script in tree.xpath("//script[not(@type)]")]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert rules["default-src"] == "'none'"
    assert not any(
        word in scripts[1] for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval", "document.write")
    )


def test_texts_travel_whole_but_for_control_characters(hostile):
    by_path = {page["paths"][0]: page for page in pages(hostile)}
    assert len(by_path) == len(HOSTILE)
    for text in HOSTILE:
        plain = "".join("\ufffd" if c in "\x00\x1b\x85\ud800" else c for c in text)
        page = by_path[f"{plain} > {plain}"]
        (first, *_) = page["texts"]
        assert "".join(first["gold"]["pieces"]) == f"{plain} gold"
        assert "".join(first["text"]["pieces"]) == f"{plain} ours"
        assert first["gold"]["pieces"][-2] == "gold"
        assert page["blocks"][0][-1] == plain


def test_head_has_the_means_of_all_pages_and_of_groups():
    outcomes = [
        outcome(1, page_type="article", language="en"),
        outcome(2, page_type="forum", language="en", text="a b"),
        outcome(3, page_type="forum", language="en", text="x"),
    ]
    tree = parsed(render(outcomes, title="T", compared={}))
    tiles = [" ".join(tile.xpath(".//text()")) for tile in tree.xpath("//div[@class='tile']")]
    assert tiles == ["0.556 mean F1", "0.667 precision", "0.500 recall", "3 pages"]
    assert "By page type" in shown(tree)
    assert "By language" not in shown(tree)  # one language: it would say what all pages say
    rows = [[cell.text_content() for cell in row.xpath("td")] for row in tree.xpath("//table[1]/tr[td]")]
    assert rows == [
        ["all", "3", "0.556", "", "0.667", "0.500"],
        ["article", "1", "1.000", "", "1.000", "1.000"],
        ["forum", "2", "0.333", "", "0.500", "0.250"],
    ]
    (bar,) = tree.xpath("//tr[td='article']//i/@style")
    assert bar == "width:100.00%"


def test_many_groups_are_one(monkeypatch):
    monkeypatch.setattr(errors_page, "MAX_GROUPS", 2)
    outcomes = [outcome(n, language=f"l{n:03}") for n in range(errors_page.MAX_GROUPS + 9)]
    rows = parsed(render(outcomes, title="T", compared={})).xpath("//td[@class='group']")
    assert len(rows) == 1 + errors_page.MAX_GROUPS + 1
    assert rows[-1].text_content() == "others"
    assert rows[-1].getnext().text_content() == "9"


def test_others_are_compared_on_the_pages_that_they_have():
    outcomes = [outcome(1, text="a b"), outcome(2)]
    theirs = [outcome(1, text="a b c")]
    page = render(outcomes, title="T", compared={"other": theirs, "none": [outcome(9)]})
    tiles = shown(parsed(page))
    assert f"{6 / 7:.3f} F1 of other" in tiles
    assert "– F1 of none" in tiles
    first, second = pages(page)
    assert [(one["name"], one["f1"]) for one in first["texts"]] == [("extracted", 0.667), ("other", 0.857)]
    assert first["texts"][1]["gold"]["pieces"] == ["a b c ", "d", ""]
    assert [one["name"] for one in second["texts"]] == ["extracted"]


def test_worst_pages_come_first_and_half_of_them_are_those_with_most_wrong_words():
    long = "word " * 400
    outcomes = [
        outcome(0),
        outcome(1, text="x"),  # F1 0, 5 wrong words
        outcome(2, text="a x"),  # F1 1/3, 4 wrong words
        outcome(3, gold=long, text=long + "more " * 100),  # F1 8/9, 100 wrong words
        outcome(4, gold=long, text=long + "more " * 50),  # F1 16/17, 50 wrong words
    ]
    assert [page.place for page in worst(outcomes, 5)] == [1, 2, 3, 4, 0]
    assert [page.wrong_words for page in worst(outcomes, 5)] == [5, 4, 100, 50, 0]
    assert [page.place for page in worst(outcomes, 2)] == [1, 3]
    assert [page.place for page in worst(outcomes, 3)] == [1, 2, 3]
    assert worst(outcomes, 0) == []


def test_the_page_says_how_many_are_left_out():
    outcomes = [outcome(n, text="a") for n in range(7)]
    page = render(outcomes, title="T", compared={}, max_pages=4)
    assert "4 of 7 pages" in shown(parsed(page))
    assert "3 are left out" in shown(parsed(page))
    assert len(addresses(page)) == len(pages(page)) == 4
    assert "left out" not in shown(parsed(render(outcomes, title="T", compared={}, max_pages=7)))


@pytest.mark.parametrize(
    ("precision", "recall", "kind"),
    [
        (0.95, 0.95, "nearly right"),
        (0.949, 0.95, "extra"),
        (0.95, 0.949, "missed"),
        (0.949, 0.949, "both"),
    ],
)
def test_kind_of_error_on_both_sides_of_its_bound(precision, recall, kind):
    assert kind_of(outcome(precision=precision, recall=recall)) == kind


def test_an_empty_text_misses_and_an_empty_gold_text_is_missed_by_none():
    kinds = {page.place: page.kind for page in worst([outcome(text=""), outcome(gold=""), outcome(0, "", "")], 3)}
    assert kinds == {0: "missed", 1: "extra", 2: "nearly right"}


@pytest.mark.parametrize(
    ("share", "chosen", "words", "told"),
    [
        (0.5, True, 3, "right"),
        (0.49, True, 3, "extra"),
        (0.5, False, 3, "missed"),
        (0.49, False, 3, "out"),
        (0.0, True, 0, "right"),
        (0.0, False, 0, "out"),
    ],
)
def test_verdict_of_a_block(share, chosen, words, told):
    assert verdict(block(share=share, chosen=chosen, words=words)) == told


def test_blocks_are_carried_in_order_with_what_became_of_them():
    blocks = [block("one"), block("two", share=0.25, chosen=False), block("three", chosen=False, words=1)]
    (page,) = pages(render([outcome(blocks=blocks)], title="T", compared={}))
    assert page["paths"] == ["body > main > p"]
    assert page["blocks"] == [
        ["right", 0.75, 1.0, 2, 0, "one"],
        ["out", 0.75, 0.25, 2, 0, "two"],
        ["missed", 0.75, 1.0, 1, 0, "three"],
    ]


def test_long_texts_and_many_blocks_are_cut_and_it_is_said():
    line = "x" * 1_000_000
    blocks = [block(line), block(line, chosen=False, share=0.0)] + [block()] * errors_page.MAX_BLOCKS
    many = outcome(gold="word " * 200_000, text=line, blocks=blocks, host=line, page_type=line, language=line, url=line)
    page = render([many, outcome()], title="T", compared={"other": [many]})
    (data, _) = pages(page)
    assert data["more_blocks"] == 2
    assert data["blocks"][0][-1] == "x" * errors_page.MAX_BLOCK_CHARS + " … 999,400 more characters"
    assert data["blocks"][1][-1] == "x" * errors_page.MAX_FOLDED_CHARS + " … 999,880 more characters"
    for one in data["texts"]:
        for side in (one["gold"], one["text"]):
            assert side["chars"] == 1_000_000
            assert sum(map(len, side["pieces"])) == errors_page.MAX_TEXT_CHARS
    assert len(page) - len(errors_page.plotly_library()) < 500_000


def test_data_beyond_the_bound_is_left_out(monkeypatch):
    outcomes = [outcome(n, text="x", blocks=[block("<" * 100)] * 10) for n in range(5)]
    sizes = [len(json.dumps(one)) for one in pages(render(outcomes, title="T", compared={}))]
    assert len(sizes) == 5
    monkeypatch.setattr(errors_page, "MAX_BYTES", 15_000)  # `<` takes six bytes: two pages
    page = render(outcomes, title="T", compared={})
    assert len(pages(page)) == len(addresses(page)) == 2
    assert "3 are left out" in shown(parsed(page))


def test_numbers_that_are_none_are_carried_as_null():
    nan = math.nan
    odd = outcome(expected_f1=nan, blocks=[block()._replace(probability=nan, share=0.0)])
    (page,) = pages(render([odd], title="T", compared={}))
    assert page["expected_f1"] is None
    assert page["blocks"][0][1] is None


def test_calibration_is_drawn_where_an_extractor_expects_something():
    def figures(outcomes):
        (data,) = parsed(render(outcomes, title="T", compared={})).xpath("//script[@id='figures']")
        return json.loads(data.text)

    expecting = [outcome(0, expected_f1=1.0), outcome(1, text="a b", expected_f1=0.55), outcome(2, expected_f1=0.59)]
    points = figures(expecting)["calibration"]["data"][1]
    assert points["customdata"] == [2, 1]
    assert points["x"] == pytest.approx([0.57, 1.0])
    assert points["y"] == pytest.approx([5 / 6, 1.0])
    bars = figures(expecting)["histogram"]["data"][0]
    assert sum(bars["y"]) == 3
    assert bars["y"][-1] == 2
    assert "calibration" not in figures([outcome(expected_f1=0.0), outcome(1, expected_f1=math.nan)])


def test_the_list_stands_in_the_page_without_the_script():
    tree = parsed(render([outcome(7, text="a b x")], title="T", compared={}))
    (row,) = tree.xpath("//div[@id='list']//tbody/tr")
    cells = [cell.text_content() for cell in row.xpath("td")]
    assert cells == ["0.571", "0.667", "0.500", "3", "both", "", "", "https://h7.example/x"]
    assert "need JavaScript" in shown(tree)


def test_the_same_outcomes_give_the_same_file_and_surrogates_can_be_written(tmp_path):
    outcomes = [outcome(n, text=text, page_type=text) for n, text in enumerate(HOSTILE)]
    for name in ("a.html", "b.html"):
        write_errors(outcomes, tmp_path / name, title="\ud800")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    (tmp_path / "a.html").read_text("utf-8")


def test_errors_for_people(tmp_path):
    with pytest.raises(ValueError, match="at least one page"):
        write_errors([], tmp_path / "x.html", title="T")
    with pytest.raises(OutputError, match="no_such_folder"):
        write_errors([outcome()], tmp_path / "no_such_folder" / "x.html", title="T")
