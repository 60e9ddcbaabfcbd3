"""The folder of a trained model, and the stage that applies what lies in it.

    model.npz (.bin, .arpa, …)   the model; files that belong to it begin with its name
    training.yaml                the training file, every default written out
    card.json  card.md           data with digests and licences, settings, figures, what was not measured
    metrics.json                 the figures, and what was read
    held_out.parquet             the examples that judged it, without their text, with their score
    trained_on.parquet           digests of the texts that it was trained on: nothing that judges it may be among them
    rejected.parquet             rows that were not used, with the reason
    report.html                  one page, no network

A folder is written beside its place and becomes real by one rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from classifiers import training_file
from classifiers.evaluation.card import DataSet, ModelCard, card_of, write_card
from classifiers.evaluation.card import Split as CardSplit
from classifiers.evaluation.judging import Judged
from classifiers.evaluation.report_page import write_report
from classifiers.examples.example_set import ExampleSet
from classifiers.training_file import TrainingFile
from curate import registry
from curate.document import doc_id
from curate.errors import InputError, OutputError, RecipeError
from curate.readers.source import Source, filesystem, list_files

TRAINING = "training.yaml"
HELD_OUT = "held_out.parquet"
TRAINED_ON = "trained_on.parquet"
#: Suffixes of model files that say which stage applies them.
_STAGES = {".bin": "fasttext_score", ".ftz": "fasttext_score", ".arpa": "perplexity"}


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `output` when all went well. OutputError where `output` holds something."""
    check_new(output)
    output = output.resolve()  # a link's target is replaced, not the link
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise OutputError(f"cannot write to {output.parent}: {error.strerror}. Choose another --output") from error
    try:
        staged.chmod(0o755)
        yield staged
        os.replace(staged, output)  # takes the place of an empty folder too
    except OSError as error:
        raise OutputError(f"cannot write to {output}: {error.strerror or error}. Choose another --output") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_new(output: Path) -> None:
    """OutputError where there is something at `output` that would be written over, or that no folder can replace."""
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file, and a folder is wanted. Choose another --output")
    if output.is_dir() and any(output.iterdir()):
        raise OutputError(f"{output} is not empty. Choose a new folder, or empty this one")
    if output.is_dir() and (output.samefile(Path.cwd()) or output.is_mount()):
        raise OutputError(f"{output} is in use, and a new folder cannot take its place. Name a folder inside it")


def write_judged(folder: Path, card: ModelCard | None, judged: Judged, title: str, more: Mapping[str, Any]) -> None:
    """Card, figures (with `more` beside them), held-out scores and report into a folder."""
    if card is not None:
        write_card(card, folder)
    metrics = {**judged.evaluation.as_json(), "notes": list(judged.notes), **more}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", "utf-8")
    pq.write_table(judged.held_out.drop_columns(["text"]), folder / HELD_OUT, compression="zstd")
    write_report(judged.evaluation, judged.held_out, folder / "report.html", title, card)


def write_trained_on(folder: Path, examples: pa.Table) -> None:
    """Note what a model was trained on, for `not_trained_on`."""
    digests = pa.array(sorted(set(_text_digests(examples))), pa.binary(16))
    pq.write_table(pa.table({"text": digests}), folder / TRAINED_ON, compression="zstd", use_dictionary=False)


def not_trained_on(folder: Path, examples: pa.Table) -> pa.Table:
    """The examples whose text the model of a folder was not trained on; all where the folder does not say."""
    if not (folder / TRAINED_ON).is_file():
        return examples
    known = pq.read_table(folder / TRAINED_ON)["text"].combine_chunks()
    digests = pa.array(_text_digests(examples), pa.binary(16))
    return examples.filter(pc.invert(pc.is_in(digests, value_set=known)))


def _text_digests(examples: pa.Table) -> list[bytes]:
    return [bytes.fromhex(doc_id(text.as_py())) for text in examples["text"]]


def card_for(
    model: Path,
    kind: str,
    name: str,
    judged: Judged,
    data: Sequence[DataSet],
    split: CardSplit,
    settings: Mapping[str, Any],
    limits: Sequence[str] = (),
) -> ModelCard:
    """The card of a model that was judged. Its licence is that of its data, each named once."""
    licences = sorted({one.licence for one in data})
    return card_of(
        judged.evaluation,
        name=name,
        kind=kind,
        model=model,
        licence=f"that of the data: {', '.join(licences)}",
        data=tuple(data),
        split=split,
        settings=settings,
        limits=(*limits, *judged.notes),
    )


def data_of(one: ExampleSet, examples: pa.Table, used_for: str) -> DataSet:
    """What a card says of a set of examples; of several files the digest is of their digests, in order of paths."""
    files = list_files(Source(name=one.name, paths=one.paths))
    digests = [_digest(file.path) for file in files]
    names = [Path(file.path).name for file in files]
    rows = examples.filter(pc.equal(examples["source"], one.name))
    return DataSet(
        name=f"{one.name} ({one.origin})" if one.origin != "not stated" else one.name,
        licence=one.licence,
        file=names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
        sha256=digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest(),
        counts=label_and_language_counts(rows),
        used_for=used_for,
    )


def label_and_language_counts(examples: pa.Table) -> dict[str, dict[str, int]]:
    """Examples by label, then by language ("" where it is not known)."""
    languages = pc.fill_null(examples["language"], "")
    table = pa.table({"label": examples["label"], "language": languages})
    counts: dict[str, dict[str, int]] = {}
    for row in table.group_by(["label", "language"]).aggregate([([], "count_all")]).sort_by("language").to_pylist():
        counts.setdefault(row["label"], {})[row["language"]] = row["count_all"]
    return dict(sorted(counts.items()))


def stage_of(model: str, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and settings of the stage that applies a trained model's folder, a model file, or a stage by its name.

    InputError where a folder holds no model, or a file does not say what kind of model it is.
    """
    path = Path(model)
    if path.is_dir():
        training = training_in(path)
        trainer: Any = training.model.settings
        return trainer.stage, {"model_path": str(_model_in(path, trainer.suffix)), **settings}
    if model in registry.STAGES:
        return model, dict(settings)
    if not path.is_file():
        raise RecipeError(f"{model} is no folder of a trained model, no model file and no stage (see `curate recipes`)")
    if path.suffix in _STAGES:
        return _STAGES[path.suffix], {"model_path": model, **settings}
    raise InputError(
        f"what kind of model is {model}? Give the folder that it was trained into, or the stage that applies it with "
        f"--set model_path={model}"
    )


def training_in(folder: Path) -> TrainingFile:
    """The training file of a model's folder. InputError where it holds none."""
    if not (folder / TRAINING).is_file():
        raise InputError(f"{folder} holds no trained model ({TRAINING}). Give the --output of `classifiers train`")
    return training_file.load(str(folder / TRAINING))


def _model_in(folder: Path, suffix: str) -> Path:
    path = folder / f"model{suffix}"
    if not path.is_file():
        raise InputError(f"{folder} holds no model{suffix}. Train it again, or put it back")
    return path


def _digest(path: str) -> str:
    fs, inner = filesystem(path)
    with fs.open(inner, "rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
