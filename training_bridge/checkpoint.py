"""Checkpoints: safetensors and JSON in a folder that appears whole or not at all. Nothing is pickled.

A checkpoint folder holds `config.json` (the model's shape), `model.safetensors`, `tokenizer.json`, and where training
may go on from it `optimizer.safetensors` and `state.json`. There is no random state to keep: the order of the data is
a pure function of seed and step, and the model has no dropout.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from curate.errors import InputError
from training_bridge.model import Decoder, ModelConfig

_STEP = re.compile(r"step-(\d{8})")


def write_model(folder: Path, model: Decoder, tokenizer: Path, files: dict[str, Any] | None = None) -> None:
    """Write a checkpoint folder beside its place and rename it there. A folder of that name is replaced.

    `files` maps further names to a dict of tensors (`*.safetensors`) or to JSON data. OSError where the disk is full.
    """
    new = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, new / "model.safetensors")
    shutil.copyfile(tokenizer, new / "tokenizer.json")
    (new / "config.json").write_text(model.config.model_dump_json(indent=1))
    for name, content in (files or {}).items():
        if name.endswith(".safetensors"):
            save_file(content, new / name)
        else:
            (new / name).write_text(json.dumps(content, indent=1))
    for path in [*new.iterdir(), new]:  # what a rename announces must be on the disk before it
        _sync(path)
    if folder.exists():
        shutil.rmtree(folder)
    new.rename(folder)
    _sync(folder.parent)


def read_model(folder: Path) -> Decoder:
    """The model of a checkpoint folder, on the CPU, in evaluation mode. InputError where it is missing or broken."""
    try:
        config = ModelConfig.model_validate_json((folder / "config.json").read_bytes())
        weights = load_file(folder / "model.safetensors")
        model = Decoder(config)
        model.load_state_dict(weights)
    except (OSError, ValidationError, SafetensorError, RuntimeError) as error:
        raise InputError(f"{folder} holds no model of ours: {error}") from error
    return model.eval()


def newest(checkpoints: Path) -> Path | None:
    """The checkpoint folder with the highest step; null where there is none."""
    found = [path for path in checkpoints.glob("step-*") if _STEP.fullmatch(path.name)]
    return max(found, key=lambda path: path.name, default=None)


def step_folder(checkpoints: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return checkpoints / f"step-{step:08d}"


def remove_older(checkpoints: Path, keep: Path) -> None:
    """Delete the checkpoints but one, and what a killed run left half written."""
    for path in checkpoints.iterdir():
        if path != keep and (_STEP.fullmatch(path.name) or path.name.startswith(".new-step-")):
            shutil.rmtree(path)


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: Decoder) -> dict[str, torch.Tensor]:
    """The optimizer's state as tensors named `<parameter>/<what>`."""
    return {
        f"{name}/{what}": value.contiguous()
        for name, parameter in model.named_parameters()
        for what, value in optimizer.state[parameter].items()
    }


def restore(folder: Path, optimizer: torch.optim.Optimizer, model: Decoder) -> int:
    """Load weights and optimizer state from a checkpoint; returns its step. InputError where they do not fit."""
    try:
        state = json.loads((folder / "state.json").read_bytes())
        model.load_state_dict(load_file(folder / "model.safetensors"))
        tensors = load_file(folder / "optimizer.safetensors")
        for name, parameter in model.named_parameters():
            for what in ("step", "exp_avg", "exp_avg_sq"):
                tensor = tensors[f"{name}/{what}"]
                optimizer.state[parameter][what] = tensor if what == "step" else tensor.to(parameter.device)
        return int(state["step"])
    except (OSError, ValueError, KeyError, SafetensorError, RuntimeError) as error:
        message = f"{folder} cannot be resumed from: {error!r}. Delete it, or train with resume=False."
        raise InputError(message) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
