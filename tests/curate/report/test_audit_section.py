from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from lxml import html

from curate.audit import audit_run
from curate.report.audit_section import MAX_RULES, audit_of, overlap
from curate.report.page import render
from curate.report.reading import read_recipe
from curate.rundir import RunDir
from curate.stored_signals import open_stored

AUDITED = {"stages": ["lengths", "letters"], "audit": True}
TEXTS = ["AA", "AAAAAA", "abc", "12", "fine text", "x" * 60, "boom"]


def figure_names(page: str) -> set[str]:
    (data,) = html.document_fromstring(page).xpath("//script[@id='figures']")
    return set(json.loads(data.text))


def test_an_audited_run_shows_its_rules_and_their_overlap(run_of):
    folder = run_of(AUDITED, TEXTS)
    page = render(RunDir(folder))
    table = html.document_fromstring(page).xpath("//h2[@id='h-audit']/following-sibling::table[1]")[0]
    rows = [[cell.text_content() for cell in row] for row in table.xpath(".//tr")[1:]]
    found = audit_run(open_stored(folder))
    assert [row[0] for row in rows if row[0] in ("lengths", "letters")] == ["lengths", "letters"]
    for rule in found.rules:
        shown = [row for row in rows if row[0] == rule.reason]
        assert len(shown) == bool(rule.total)
        if shown:
            counts = [shown[0][column] for column in (1, 3, 4, 5)]
            assert counts == [str(rule.total), str(rule.first), str(rule.unique), str(rule.shared)]
    assert "overlap" in figure_names(page)
    assert "#h-audit" in page


def test_a_run_without_audit_has_no_such_section(run_of):
    page = render(RunDir(run_of({**AUDITED, "audit": False}, TEXTS)))
    assert "h-audit" not in page
    assert "overlap" not in figure_names(page)


def test_a_run_that_cannot_be_judged_again_still_has_a_report(run_of):
    folder = run_of(AUDITED, TEXTS)
    recipe = Path(folder) / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("min_chars: 5", "min_chars: 3"))
    run = RunDir(folder)
    assert audit_of(run, read_recipe(run)[1]) is None
    assert "h-audit" not in render(run)


def test_the_heat_map_is_the_similarity_of_the_rules_that_drop_something(run_of):
    found = audit_run(open_stored(run_of(AUDITED, TEXTS)))
    figure = overlap(found)
    used = [index for index, rule in enumerate(found.rules) if rule.total]
    assert len(figure.data[0].z) == len(used) <= MAX_RULES
    assert figure.data[0].z[0][0] == 1
    assert list(figure.layout.xaxis.ticktext) == [f"{found.rules[i].stage}: {found.rules[i].reason}" for i in used]


def test_one_rule_overlaps_with_nothing(run_of):
    assert overlap(audit_run(open_stored(run_of(AUDITED, ["abcd", "fine text"])))) is None
    assert overlap(None) is None


def test_hostile_reasons_become_text(run_of):
    folder = run_of(AUDITED, [*TEXTS, "boom too"], parts=1)
    reason = "error_</script><script>pwned()</script>"
    (path,) = Path(folder).glob("dropped/**/*.parquet")
    table = pq.read_table(path)
    reasons = [reason if one == "error_value" else one for one in table["drop_reason"].to_pylist()]
    place = table.schema.get_field_index("drop_reason")
    pq.write_table(table.set_column(place, "drop_reason", pa.array(reasons, pa.string())), path)
    page = render(RunDir(folder))
    tree = html.document_fromstring(page)
    assert len(tree.xpath("//script")) == 3
    assert reason in tree.xpath("//h2[@id='h-audit']/following-sibling::table[1]")[0].text_content()
