"""A run on the terminal: the funnel, samples, one document. Text of documents is shown with its control characters
replaced, so that a page cannot move the cursor, set a title or paste into a shell."""

from __future__ import annotations

import unicodedata
from typing import Any

from rich.console import Console
from rich.table import Table

from curate.errors import InputError
from curate.report import samples as sampling
from curate.rundir import RunDir


def harmless(text: object, max_chars: int = 10_000) -> str:
    """Text safe to print on a terminal: control and direction-changing characters become `·`; newline and tab stay.

    >>> harmless("red \\x1b[31m alert\\u202e")
    'red ·[31m alert·'
    """
    shown = str(text)[:max_chars]
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") else "·" for c in shown)


def open_run(folder: str) -> tuple[RunDir, dict[str, Any]]:
    """A run folder and its run.json. InputError where there is none."""
    run = RunDir(folder)
    record = run.read_json("run.json")
    if record is None or "funnel" not in record:
        raise InputError(f"{folder} holds no run of curate with a funnel (run.json). Give the --output of a run")
    return run, record


def funnel_table(record: dict[str, Any]) -> Table:
    """Stages in order with what they dropped, and why."""
    funnel = record["funnel"]
    table = Table("stage", "in", "dropped", "kept", "share kept", "main reasons", title=f"{funnel['read']:,} documents")
    for stage in funnel["stages"]:
        reasons = list(stage["reasons"].items())
        told = ", ".join(f"{harmless(reason)} {count:,}" for reason, count in reasons[:4])
        more = f", … {len(reasons) - 4} more" if len(reasons) > 4 else ""
        share = stage["kept"] / stage["documents_in"] if stage["documents_in"] else 1.0
        numbers = [f"{stage[name]:,}" for name in ("documents_in", "dropped", "kept")]
        table.add_row(stage["stage"], *numbers, f"{share:.1%}", told + more)
    return table


def training_lines(record: dict[str, Any]) -> list[str]:
    """Tokens by source, the model's loss beside the unigram entropy, and text that it wrote; as far as there are any."""
    lines = []
    for split, sums in record.get("tokens", {}).get("splits", {}).items():
        sources = ", ".join(
            f"{name} {s['num_tokens']:,} ({s.get('epochs', 1):.2f} epochs)" for name, s in sums["sources"].items()
        )
        lines.append(f"tokens {split}: {sums['num_tokens']:,} in {sums['num_documents']:,} documents: {sources}")
    model = record.get("model", {})
    if "val_loss" in model:
        lines.append(
            f"model: {model['parameters']:,} parameters, validation loss {model['val_loss']:.3f} nats a token "
            f"({model['val_bits_per_byte']:.3f} bits a byte); unigram entropy of the same tokens "
            f"{model['unigram_loss']:.3f} nats ({model['unigram_bits_per_byte']:.3f} bits a byte)"
        )
    for sample in model.get("samples", []):
        lines.append(f"sample: {harmless(sample)}")
    return lines


def show_run(folder: str, console: Console, *, stage: str | None, reason: str | None, samples: int) -> None:
    """The funnel, then kept and dropped samples, optionally of one stage or reason."""
    run, record = open_run(folder)
    console.print(funnel_table(record))
    for line in training_lines(record):
        console.print(line, markup=False, highlight=False)
    if samples <= 0:
        return
    if stage is None and reason is None:
        for source, rows in sampling.kept_samples(run, samples).items():
            for row in rows:
                _show(console, f"KEPT {source}", row)
    for (at, why), rows in sampling.dropped_samples(run, samples).items():
        if stage in (None, at) and reason in (None, why):
            for row in rows:
                _show(console, f"DROPPED {at}: {why}", row)


def show_document(folder: str, doc_id: str, console: Console) -> None:
    """One document whole: every column, every signal."""
    run, _ = open_run(folder)
    rows = sampling.find_document(run, doc_id)
    if not rows:
        raise InputError(f"no document of {folder} has an id that begins with {doc_id!r}")
    for row in rows:
        for name, value in row.items():
            if name != "text" and value is not None:
                console.print(f"{name}: {harmless(value)}", markup=False, highlight=False)
        console.print(harmless(row.get("text") or ""), markup=False, highlight=False)


def _show(console: Console, heading: str, row: dict[str, Any]) -> None:
    console.rule(harmless(heading), characters="-")
    console.print(
        f"{row['doc_id']}  {harmless(row['url'])}  {row['language'] or ''}  {row['num_chars']:,} characters",
        markup=False,
        highlight=False,
    )
    console.print(harmless(row["text"], 600), markup=False, highlight=False)
