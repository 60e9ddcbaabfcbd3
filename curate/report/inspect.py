"""A run on the terminal: the funnel, samples, one document. Text of documents is shown with its control characters
replaced, so that a page cannot move the cursor, set a title or paste into a shell."""

from __future__ import annotations

import unicodedata
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate.errors import InputError, RecipeError
from curate.report import dedup, reading
from curate.report.histograms import Bounds, limited_signals
from curate.report.samples import Sample, dropped_samples, duplicate_of, find_document, kept_samples
from curate.rundir import RunDir

MAX_REASONS = 6  # of a stage in the table
SAMPLE_CHARS = 500

_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_SAFE = "\n\t\u200c\u200d"  # the joiners of Persian and of Indian scripts are format characters too, and move nothing


def harmless(text: object, max_chars: int = 10_000) -> str:
    """Text safe to print on a terminal: control and direction-changing characters become `·`; newline and tab stay.

    >>> harmless("red \\x1b[31m alert\\u202e")
    'red ·[31m alert·'
    """
    shown = str(text)[:max_chars]
    return "".join(c if c in _SAFE or unicodedata.category(c) not in _UNSAFE else "·" for c in shown)


def one_line(text: object, max_chars: int = 300) -> str:
    """The same without newlines and tabs, for names and URLs."""
    return harmless(text, max_chars).replace("\n", "·").replace("\t", "·")


def open_run(folder: str) -> tuple[RunDir, dict[str, Any]]:
    """A run folder and its run.json. InputError where there is none, or nothing in it to show yet."""
    run = RunDir(folder)
    record = reading.read_record(run)
    if not record["funnel"]["stages"]:
        why = f": {one_line(record['error'])}" if record.get("error") else ""
        raise InputError(f"{folder} has no funnel yet: the run is {record['status']} before its first pass ended{why}")
    return run, record


def funnel_table(record: dict[str, Any]) -> Table:
    """Stages in order with what they dropped, and under each its main reasons. Fits 80 columns."""
    funnel = record["funnel"]
    table = Table(title=f"{funnel['read']:,} documents", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage, reason", overflow="fold")
    for name in ("dropped", "kept", "of all read"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in funnel["stages"]:
        share = f"{stage['kept'] / funnel['read']:.1%}" if funnel["read"] else ""
        dropped = f"{stage['dropped']:,}" if stage["dropped"] else "-"
        table.add_row(_cell(stage["stage"]), dropped, f"{stage['kept']:,}", share, style="bold")
        reasons = list(stage["reasons"].items())
        for reason, count in reasons[:MAX_REASONS]:
            table.add_row(_cell(f"  {reason}"), f"{count:,}", "", "")
        if rest := reasons[MAX_REASONS:]:
            table.add_row(f"  {len(rest)} more reasons", f"{sum(count for _, count in rest):,}", "", "")
    return table


def training_lines(record: dict[str, Any]) -> list[str]:
    """Tokens by source, the model's loss beside the unigram entropy, and text that it wrote, as far as there are."""
    lines = []
    for split, sums in record.get("tokens", {}).get("splits", {}).items():
        lines.append(f"tokens {split}: {sums['num_tokens']:,} in {sums['num_documents']:,} documents")
        for name, source in sums["sources"].items() if split == "train" else ():
            shares = f"asked {source['asked_share']:.1%}, delivered {source['delivered_share']:.1%}"
            lines.append(f"  {one_line(name)}: {source['num_tokens']:,}, {shares}, {source['epochs']:.2f} epochs")
    model = record.get("model", {})
    if "val_loss" in model:
        lines.append(f"model: {model['parameters']:,} parameters")
        for name, key in (
            ("validation loss", "val"),
            ("unigram model of the training tokens", "unigram"),
            ("unigram entropy of the validation tokens", "own_unigram"),
        ):
            loss, bits = model.get(f"{key}_loss"), model.get(f"{key}_bits_per_byte")
            if loss is not None:
                told = f", {bits:.3f} bits a byte" if bits is not None else ""
                lines.append(f"  {name}: {loss:.3f} nats a token{told}")
    lines += [f"sample: {harmless(sample)}" for sample in model.get("samples", [])]
    return lines


def show_run(folder: str, console: Console, *, stage: str | None, reason: str | None, samples: int) -> None:
    """The funnel, then kept and dropped samples; of one stage or reason only what it dropped.

    InputError with the nearest names for a stage or a reason that the run does not have.
    """
    run, record = open_run(folder)
    _check_names(record, stage, reason)
    if stage is None and reason is None:
        _say(console, f"{one_line(record.get('recipe'))}: {record['status']} {one_line(record.get('error', ''))}")
        console.print(funnel_table(record))
        for line in training_lines(record):
            _say(console, line)
        for source, rows in kept_samples(run, samples).items() if samples > 0 else ():
            _show(console, f"KEPT {source}", rows)
    found = dropped_samples(run, samples, stage=stage, reason=reason) if samples > 0 else {}
    for (at, why), rows in found.items():
        _show(console, f"DROPPED {at}: {why}", rows)
    if not found and (stage is not None or reason is not None):
        _say(console, f"nothing was dropped{f' by {stage}' if stage else ''}{f' for {reason}' if reason else ''}")


def show_document(folder: str, doc_id: str, console: Console) -> None:
    """One document whole: its verdict and what stands for it, every column, every signal with its bounds, its text.

    InputError where no document's id begins so.
    """
    run, _ = open_run(folder)
    rows = find_document(run, doc_id.strip().lower())
    if not rows:
        raise InputError(
            f"no document of {folder} has an id that begins with {doc_id!r}. `curate inspect {folder}` shows some ids"
        )
    bounds = limited_signals(reading.read_recipe(run)[1])
    for row in rows:
        console.rule(one_line(row["doc_id"]), characters="-")
        _say(console, _verdict(run, row))
        for line in dedup.document_lines(run, row["doc_id"]):
            _say(console, one_line(line))
        _show_columns(console, row, bounds)
        _say(console, "text:")
        _say(console, harmless(row.get("text") or "", 2**20))


def show_cluster(folder: str, cluster_id: str, console: Console) -> None:
    """The documents of one cluster of duplicates, those that stay first.

    InputError where no cluster has this id.
    """
    run, _ = open_run(folder)
    lines = dedup.cluster_lines(run, cluster_id.strip().lower())
    if not lines:
        raise InputError(
            f"no cluster of {folder} has the id {cluster_id!r}. `curate inspect {folder} --doc ID` tells a document's"
        )
    for line in lines:
        _say(console, one_line(line))


def _verdict(run: RunDir, row: dict[str, Any]) -> str:
    """Kept, or what dropped it; of a duplicate also what stands in its place, and what became of that."""
    if not row.get("drop_reason"):
        return "KEPT"
    told = f"DROPPED {one_line(row['drop_stage'])}: {one_line(row['drop_reason'])}"
    twin = duplicate_of(row)
    if twin is None:
        return told
    doc_id, jaccard = twin
    told += f"\nstands for it: {one_line(doc_id)}"
    told += f", Jaccard similarity {jaccard:.3f}" if jaccard is not None else ""
    for other in find_document(run, doc_id)[:1]:
        fate = f"dropped later by {one_line(other['drop_stage'])}" if other.get("drop_stage") else "kept"
        told += f" ({fate})\n  {one_line(other.get('url') or 'no URL')}"
    return told


def _show_columns(console: Console, row: dict[str, Any], bounds: dict[str, Bounds]) -> None:
    """Columns that are not null, then the signals of each stage, with the bounds that they are judged by."""
    for name, value in row.items():
        if isinstance(value, dict):
            _say(console, f"{one_line(name)}:")
            for signal, number in value.items():
                shown = "-" if number is None else f"{number:.6g}" if isinstance(number, float) else one_line(number)
                _say(console, f"  {one_line(signal)}: {shown}{_judged(number, bounds.get(f'{name}.{signal}'))}")
        elif name == "meta" and value:
            _say(console, "meta:")
            for pair in value:
                key, item = pair.values() if isinstance(pair, dict) else pair
                _say(console, f"  {one_line(key)}: {one_line(item)}")
        elif name not in ("text", "doc_id", "drop_stage", "drop_reason") and value not in (None, []):
            _say(console, f"{one_line(name)}: {one_line(value)}")


def _judged(number: Any, bounds: Bounds | None) -> str:
    """` (kept from 50)`, or the same with a mark where the number is outside. NaN is outside of any bound."""
    if bounds is None:
        return ""
    low, high = bounds
    inside = number is None or ((low is None or number >= low) and (high is None or number <= high))
    return f"  ({bounds.told()})" if inside else f"  ({bounds.told()}: OUTSIDE)"


def _check_names(record: dict[str, Any], stage: str | None, reason: str | None) -> None:
    stages = {entry["stage"]: entry["reasons"] for entry in record["funnel"]["stages"]}
    if stage is not None and stage not in stages:
        raise InputError(str(RecipeError.unknown("stage", stage, stages, where="this run")))
    reasons = stages[stage] if stage is not None else {name for found in stages.values() for name in found}
    if reason is not None and reason not in reasons:
        where = f"what {stage} dropped" if stage is not None else "this run"
        raise InputError(str(RecipeError.unknown("reason", reason, reasons, where=where)))


def _show(console: Console, heading: str, rows: list[Sample]) -> None:
    console.rule(one_line(heading), characters="-", align="left")
    for row in rows:
        told = [row["doc_id"], row["url"] or "no URL", row["language"] or "language not identified"]
        _say(console, f"{'  '.join(one_line(item) for item in told)}  {row['num_chars']:,} characters")
        if twin := row["duplicate_of"]:
            similar = f", Jaccard similarity {twin['jaccard']:.3f}" if twin["jaccard"] is not None else ""
            _say(console, f"stands for it: {one_line(twin['doc_id'])}{similar}  {one_line(twin['url'] or '')}")
        _say(console, harmless(row["text"], SAMPLE_CHARS) + "\n")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _cell(text: object) -> Text:
    """A table cell of harmless text that reads no markup in names."""
    return Text(one_line(text))
