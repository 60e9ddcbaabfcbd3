"""How good the trained models are on real labels: the shipped training files, and text of books, manuals and news
against raw web pages, held out by host. What `benchmarks/scoring.py` calls `quality`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from frame import Bar

PIECE_CHARS = 6_000
MIN_CHARS = 200
FIGURES = ("roc_auc", "macro_f1", "accuracy")
#: What is good text, from the folder of data; the pages are those of `wcxb_dev.warc.gz`, and of old crawls.
REFERENCE = {"books_en": 1, "manuals_en": 1, "textbook_stem": 1, "news_en": 6}  # every so manieth piece


def quality(data: Path, sets: Mapping[str, list[str]], cache: Path) -> tuple[dict[str, Any], list[Bar]]:
    """Figures of each training, and the bars."""
    labelled = data / "labelled"
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="curate-bench-") as name:
        folder = Path(name)
        reference, pages = _good_and_raw(data, cache, folder)
        trainings: dict[str, tuple[str, dict[str, list[str]], dict[str, Any]]] = {
            "toxicity_en": ("toxicity_en", {"davidson": [str(labelled / "davidson_en.csv")]}, {}),
            "toxicity_zh": (
                "toxicity_zh",
                {key: [str(labelled / f"{key.replace('cold', 'cold_zh')}.csv")] for key in ("cold_train", "cold_dev")},
                {},
            ),
            "spam_en": ("spam_en", {"messages": [str(labelled / "sms_spam_en.tsv")]}, {}),
            "quality_gpt3": ("quality_gpt3", {"reference": [reference], "pages": [pages]}, {}),
            "quality_dclm": (
                "quality_dclm",
                {"instructions": [reference], "pages": [pages]},
                {"bucket": 200_000},
            ),
        }
        for key, (training, inputs, settings) in trainings.items():
            found[key] = _figures(training, inputs, {"folds": 0, **settings}, folder / key)
            print(f"{key:14} " + "  ".join(f"{what} {value:.3f}" for what, value in found[key].items()), flush=True)
    return found, [
        Bar("quality_gpt3, ROC-AUC", found["quality_gpt3"]["roc_auc"], 0.95),
        Bar("quality_dclm, ROC-AUC", found["quality_dclm"]["roc_auc"], 0.95),
        Bar("toxicity_en, macro-F1", found["toxicity_en"]["macro_f1"], 0.85),
        Bar("toxicity_zh, accuracy", found["toxicity_zh"]["accuracy"], 0.80),
    ]


def _figures(training: str, inputs: Mapping[str, Any], settings: Mapping[str, Any], output: Path) -> dict[str, float]:
    from classifiers import training_file
    from classifiers.commands import train as command
    from curate.progress import Reporter

    chosen = training_file.load(training).with_inputs(inputs).changed(settings)
    judged = command.train(chosen, output, False, Reporter()).judged.evaluation
    contestants = {"": judged.figures, **{f"{row.name} ": row.figures for row in judged.baselines}}
    return {f"{who}{name}": float(figures[name].value or 0) for who, figures in contestants.items() for name in FIGURES}


def _good_and_raw(data: Path, cache: Path, folder: Path) -> tuple[str, str]:
    """Parquet files of reference text and of pages, with url and text. A book, a manual, an article is a host here."""
    good: list[tuple[str, str]] = []
    for name, step in REFERENCE.items():
        rows = pq.read_table(data / "text" / f"{name}.parquet", columns=["url", "text"]).to_pylist()
        cut = [
            (f"https://{name.replace('_', '-')}-{n}.example/", piece)
            for n, row in enumerate(rows)
            for piece in _pieces(row["text"])
        ]
        good += cut[::step]
    pages = pq.read_table(cache / "wcxb_dev.parquet", columns=["url", "text"]).to_pylist()
    raw = [(row["url"], piece) for row in pages for piece in _pieces(row["text"])]
    paths = []
    for name, pairs in (("reference", good), ("pages", raw)):
        paths.append(str(folder / f"{name}.parquet"))
        urls, texts = zip(*pairs, strict=True)
        pq.write_table(pa.table({"url": pa.array(urls), "text": pa.array(texts)}), paths[-1])
    return paths[0], paths[1]


def _pieces(text: str | None) -> list[str]:
    cut = [(text or "")[start : start + PIECE_CHARS] for start in range(0, len(text or ""), PIECE_CHARS)]
    return [piece for piece in cut if len(piece) >= MIN_CHARS]
