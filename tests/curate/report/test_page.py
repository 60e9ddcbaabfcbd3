from __future__ import annotations

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from curate.errors import InputError
from curate.report.page import link, render, write_report
from curate.rundir import RunDir

MARK = "pwned"
HOSTILE = [
    f"<script>{MARK}()</script>",
    f"</script><script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f'"><svg onload={MARK}()>',
    f"' onmouseover='{MARK}()' x='",
    f"</pre></title></style><!-- <iframe srcdoc='{MARK}'>",
    f"javascript:{MARK}()",
    f'https://evil.example/" onclick="{MARK}()',
    "{{ 7 * 7 }}{% raw %}",
    "<a href='https://evil.example'>b</a>%{customdata}$x$",
    "\u202egnp.exe\x00\x1b[31m\ud800".encode("utf-8", "replace").decode(),
]
NO_HOSTILE_TAGS = {"svg", "img", "iframe", "object", "embed", "form", "input", "base", "link"}


def parsed(page: str) -> Any:
    return html.document_fromstring(page)


def figures(page: str) -> dict[str, Any]:
    (data,) = parsed(page).xpath("//script[@id='figures']")
    return json.loads(data.text)


def texts(tree: Any) -> str:
    return " ".join(tree.xpath("//body//text()[not(ancestor::script)]"))


@pytest.fixture
def full(folder, make_row, tokens, model, metrics) -> RunDir:
    """A run with everything in it."""
    signals = {"word_count": 80, "alphabetic_word_frac": 0.9}
    kept = [make_row(n, f"kept {n} " * 20, gopher_quality={**signals, "word_count": 60 + n}) for n in range(1, 40)]
    folder.add_kept(kept)
    folder.add_kept(kept, folder="passes/01-gopher_quality/wave-00000")
    folder.kept = kept
    short = [
        make_row(
            n, "short", gopher_quality={**signals, "word_count": n - 100}, language="de", url="https://a.example/x"
        )
        | {"drop_stage": "gopher_quality", "drop_reason": "word_count_below_min"}
        for n in range(101, 106)
    ]
    folder.add_dropped(short)
    twin = make_row(200, "kept 1 nearly", near_dedup={"duplicate_of": kept[0]["doc_id"], "jaccard": 0.875})
    folder.add_dropped([{**twin, "drop_stage": "near_dedup", "drop_reason": "near_duplicate"}], passed="03-documents")
    pair = {"a": 0, "b": 1, "a_url": "https://a.example/1", "b_url": "https://b.example/2"}
    pair |= {"a_doc_id": kept[0]["doc_id"], "b_doc_id": kept[1]["doc_id"]}
    folder.add_pairs([{**pair, "jaccard": 0.9}, {**pair, "jaccard": 0.7}])
    folder.add_metrics(metrics)
    folder.more = {"tokens": tokens, "model": model}
    return folder.finish()


@pytest.fixture
def hostile(other_folder, make_row, tokens, model, metrics) -> RunDir:
    """The same with hostile strings wherever a string can be."""
    folder = other_folder
    rows = []
    for n, text in enumerate(HOSTILE):
        where = {"url": text, "source": text, "language": text, "meta": [("title", text), (text, text)]}
        signals = {"word_count": n, "alphabetic_word_frac": n / 10, "note": text}
        rows.append(make_row(n, text, gopher_quality=signals, **where))
    folder.add_kept(rows)
    folder.add_kept(rows, folder="passes/01-gopher_quality/wave-00000")
    folder.kept = rows
    lost = [{**one, "doc_id": f"ff{n:030x}", "drop_stage": "gopher_quality"} for n, one in enumerate(rows)]
    lost = [{**one, "drop_reason": f"duplicate {text}"} for one, text in zip(lost, HOSTILE, strict=True)]
    lost += [{**one, "drop_stage": text} for one, text in zip(lost, HOSTILE, strict=True)]
    folder.add_dropped(lost)
    ids = [one["doc_id"] for one in rows]
    folder.add_pairs(
        [
            {"a": n, "b": n + 1, "a_doc_id": ids[n], "b_doc_id": ids[n + 1], "a_url": x, "b_url": y, "jaccard": 0.9}
            for n, (x, y) in enumerate(pairwise(HOSTILE))
        ]
    )
    folder.add_metrics(metrics)
    source = tokens["splits"]["train"]["sources"]["web"]
    tokens["splits"]["train"]["sources"] = dict.fromkeys(HOSTILE, source)
    names = {"recipe": HOSTILE[0], "error": HOSTILE[1], "versions": {HOSTILE[2]: HOSTILE[3]}, "status": "failed"}
    folder.more = {"tokens": tokens, "model": {**model, "samples": HOSTILE, "device": HOSTILE[4]}, **names}
    return folder.finish()


def test_hostile_strings_become_text_and_nothing_else(hostile: RunDir) -> None:
    tree = parsed(render(hostile))
    assert len(tree.xpath("//script")) == 3
    assert all(MARK not in (script.text or "") for script in tree.xpath("//script[not(@type)]"))
    assert not {element.tag for element in tree.iter() if isinstance(element.tag, str)} & NO_HOSTILE_TAGS
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            assert name in ("href", "content") or MARK not in value
    assert not tree.xpath("//comment()")
    assert texts(tree).count(f"<script>{MARK}()</script>") >= 10  # they are there, to be read
    assert "49" not in [text.strip() for text in tree.xpath("//pre/text()")]


def test_only_addresses_of_the_web_are_links(hostile: RunDir, full: RunDir) -> None:
    for run in (hostile, full):
        addresses = parsed(render(run)).xpath("//a/@href")
        assert all(re.match(r"https?://|#h-", address) for address in addresses), addresses
    assert "https://a.example/x" in addresses


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JaVaScript://x/%0aalert(1)", "java\nscript:alert(1)", " javascript:x"),
        *("data:text/html,x", "file:///etc/passwd", "//host/x", "https:", "http://[", "https://a/\u202e", "", None),
    ],
)
def test_what_is_no_web_address_is_no_link(url: str | None) -> None:
    assert link(url) is None


def test_figures_travel_as_json_without_tags_and_labels_are_escaped_for_plotly(hostile: RunDir) -> None:
    page = render(hostile)
    (data,) = parsed(page).xpath("//script[@id='figures']")
    assert not set("<>&") & set(data.text)
    labels = [
        text
        for figure in figures(page).values()
        for axis in ("xaxis", "yaxis")
        for text in figure["layout"].get(axis, {}).get("ticktext", [])
    ]
    labels += [trace.get("name", "") for figure in figures(page).values() for trace in figure["data"]]
    assert sum(MARK in label for label in labels) > 10
    assert not any("<" in label for label in labels)


def test_policy_allows_the_two_scripts_of_the_page_by_digest_and_no_other_thing(full: RunDir) -> None:
    tree = parsed(render(full))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [script.text.encode() for script in tree.xpath("//script[not(@type)]")]
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts]
    assert rules["script-src"].split() == digests
    assert rules["default-src"] == "'none'"
    assert not tree.xpath("//script[@src] | //link | //*[@style and contains(@style, 'url')]")


def test_full_run_has_all_its_sections(full: RunDir) -> None:
    page = render(full)
    assert set(figures(page)) == {
        "reasons", "seconds", "languages", "sources", "lengths", "signals", "similarities", "tokens", "training",
    }  # fmt: skip
    shown = texts(parsed(page))
    for text in ("word_count_below_min", "near_duplicate", "0.900 near duplicate", "0.700 not a duplicate"):
        assert text in shown
    for share in ("75.0%", "50.0%"):  # asked, delivered
        assert share in shown
    assert "at its limit of epochs" in shown
    assert "Once upon a time" in shown
    assert "Jaccard similarity 0.875" in shown


def test_every_figure_has_its_place_in_the_page(full: RunDir) -> None:
    page = render(full)
    assert all(len(parsed(page).xpath(f"//div[@id='{name}']")) == 1 for name in figures(page))


def test_training_curve_has_both_losses_and_the_unigram_lines(full: RunDir) -> None:
    traces = {trace["name"]: trace for trace in figures(render(full))["training"]["data"]}
    assert len(traces["training"]["x"]) == 20
    assert list(traces["validation"]["x"]) == [10, 20]
    assert traces["unigram entropy of the validation tokens"]["y"] == [5.25, 5.25]
    assert traces["unigram model of the training tokens"]["y"] == [5.5, 5.5]


def test_page_is_bounded_by_bins_not_by_documents(folder, make_row) -> None:
    small = len(render(folder_with(folder, make_row, 50)))
    large = len(render(folder_with(folder, make_row, 20_000)))
    assert abs(large - small) < 20_000


def folder_with(folder: Any, make_row: Any, count: int) -> RunDir:
    folder.kept = []
    rows = [
        make_row(n, "word " * (n % 97), gopher_quality={"word_count": n % 97, "alphabetic_word_frac": (n % 89) / 89})
        for n in range(count)
    ]
    folder.add_kept(rows)
    return folder.finish()


def test_empty_corpus_renders(folder) -> None:
    folder.add_kept([])
    page = render(folder.finish())
    assert texts(parsed(page)).count("None.") == 2


def test_run_in_which_all_is_dropped_by_the_reader_renders(folder, make_row) -> None:
    folder.add_dropped([make_row(n, None, drop_stage="read", drop_reason="http_status_not_ok") for n in range(5)])
    page = render(folder.finish())
    assert "http_status_not_ok" in texts(parsed(page))
    assert "lengths" not in figures(page)


def test_run_that_failed_before_its_first_pass_renders_with_its_error(folder) -> None:
    folder.more, folder.status = {"error": "the disk is full"}, "failed"
    folder.finish(passes=())
    record = folder.run.read_json("run.json")
    del record["funnel"]
    folder.run.write_json(record, "run.json")
    assert "the disk is full" in texts(parsed(render(folder.run)))


def test_page_says_that_a_run_has_not_finished(folder, make_row) -> None:
    folder.add_kept([make_row(1)])
    assert "had not finished" not in texts(parsed(render(folder.finish())))
    folder.more = {"status": "running"}
    assert "had not finished" in texts(parsed(render(folder.finish())))


def test_run_that_failed_while_it_trained_shows_what_there_is(folder, make_row, tokens, metrics) -> None:
    folder.add_kept([make_row(1)])
    folder.add_metrics(metrics)
    folder.more, folder.status = {"tokens": tokens, "model": {"begun": "0"}}, "failed"
    assert "training" in figures(render(folder.finish()))


def test_recipe_that_no_longer_loads_costs_the_bounds_and_nothing_else(full: RunDir) -> None:
    full.write_text("stages: [no_such_stage]\n", "recipe.yaml")
    page = render(full)
    assert "no_such_stage" in texts(parsed(page))
    assert "near duplicate" in texts(parsed(page))


def test_report_is_written_beside_the_run_the_same_each_time(full: RunDir) -> None:
    first = Path(write_report(full)).read_bytes()
    assert Path(write_report(full)).read_bytes() == first


def test_lone_surrogates_of_run_json_can_be_written(folder, make_row) -> None:
    folder.add_kept([make_row(1)])
    run = folder.finish()
    with open(run.path("run.json"), "a+") as file:
        file.seek(0)
        text = file.read().replace('"recipe": "test"', '"recipe": "\\ud800"')
    run.write_text(text, "run.json")
    assert write_report(run).endswith("report.html")


def test_folder_without_a_run_is_an_error(tmp_path) -> None:
    with pytest.raises(InputError, match=r"run\.json"):
        write_report(RunDir(str(tmp_path)))
