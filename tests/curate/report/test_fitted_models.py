from __future__ import annotations

import json
from pathlib import Path

from lxml import html

from curate.report.fitted_models import fitted_models
from curate.report.page import render
from curate.rundir import RunDir

RECIPE = {"stages": [{"lengths": {}, "as": "quality"}]}
METRICS = {
    "num_examples": 120,
    "figures": {"roc_auc": {"value": 0.975, "low": 0.96, "high": 0.99}, "f1": {"value": None}},
    "notes": ["<b>few</b> groups"],
}


def put(folder: str, name: str, content: str) -> None:
    path = Path(folder) / "dedup" / "01-quality" / "fitted" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def test_a_model_is_shown_with_its_figures_and_a_link_to_its_page(run_of):
    folder = run_of(RECIPE, ["some text", "more text"])
    put(folder, "en/metrics.json", json.dumps(METRICS))
    put(folder, "en/report.html", "")
    (model,) = fitted_models(RunDir(folder))
    assert (model.stage, model.language, model.num_examples) == ("quality", "en", 120)
    assert model.figures["ROC-AUC"] == (0.975, 0.96, 0.99)
    assert model.figures["F1"] == (None, None, None)
    page = html.document_fromstring(render(RunDir(folder)))
    (table,) = page.xpath("//h2[@id='h-fitted']/following-sibling::table[1]")
    assert "0.975 (0.960–0.990)" in table.text_content()
    assert page.xpath("//a[text()='evaluation']/@href") == ["dedup/01-quality/fitted/en/report.html"]
    assert "<b>few</b> groups" in page.text_content()


def test_a_model_that_was_not_judged_says_so(run_of):
    folder = run_of(RECIPE, ["some text", "more text"])
    put(folder, "all/model.npz", "")
    (model,) = fitted_models(RunDir(folder))
    assert model == ("quality", "all", None, {}, (), None)
    assert "not judged" in render(RunDir(folder))


def test_figures_in_an_unknown_form_are_left_out(run_of):
    folder = run_of(RECIPE, ["some text", "more text"])
    put(folder, "all/metrics.json", json.dumps({"figures": {"roc_auc": 3}, "num_examples": "many", "notes": None}))
    (model,) = fitted_models(RunDir(folder))
    assert model.num_examples is None
    assert model.figures["ROC-AUC"] == (None, None, None)


def test_a_run_without_models_has_no_such_section(run_of):
    assert "h-fitted" not in render(RunDir(run_of(RECIPE, ["some text"])))
