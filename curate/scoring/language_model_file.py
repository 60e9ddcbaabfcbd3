"""What a language model was trained on and how texts were cut for it: a small JSON file beside the model.

An ARPA or KenLM file says nothing of it, and a model asked with other tokens answers nonsense without an error. So
training writes `<model>.lm.json`, and scoring reads it. A model of somebody else's has none: then the stage's settings
say how to cut. The file is bound to the model by its digest, so one that was left from another model is refused.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import InputError
from curate.models import file_digest
from curate.scoring.pretokenize import Pretokenizer

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class LanguageModelFile(BaseModel):
    """What `<model>.lm.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: Literal["curate-language-model"] = "curate-language-model"
    version: Literal[1] = 1
    order: int = Field(ge=1, le=16)
    language: str | None  # of the training text; null: of several, or not known
    pretokenizer: Pretokenizer  # a SentencePiece model is named relative to the folder of this file
    pretokenizer_sha256: Digest | None = None  # of the SentencePiece model
    model_sha256: Digest  # of the language model


def description_path(model: str | Path) -> Path:
    """Where the description of a model lies: `<model>.lm.json`."""
    return Path(f"{model}.lm.json")


def write_description(model: str | Path, pretokenizer: Pretokenizer, order: int, language: str | None = None) -> Path:
    """Write the description of a model that has been written, and return its path. Same arguments, same bytes.

    EnvironmentProblem where the model or its SentencePiece model cannot be read.
    """
    target, digest = description_path(model), None
    if pretokenizer.model_path is not None:
        digest = file_digest(pretokenizer.model_path)
        relative = os.path.relpath(Path(pretokenizer.model_path).absolute(), target.absolute().parent)
        pretokenizer = pretokenizer.model_copy(update={"model_path": Path(relative).as_posix()})
    described = LanguageModelFile(
        order=order,
        language=language,
        pretokenizer=pretokenizer,
        pretokenizer_sha256=digest,
        model_sha256=file_digest(model),
    )
    target.write_text(json.dumps(described.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return target


def read_description(model: str | Path) -> LanguageModelFile | None:
    """The description of a model, its SentencePiece path made absolute; None where it has none.

    InputError where the file is no description, or one of another model.
    """
    path = description_path(model)
    if not path.is_file():
        return None
    try:
        described = LanguageModelFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        raise InputError(f"{path} does not describe a language model: {faults}. Training writes it anew") from None
    _check_digest(model, described.model_sha256, path)
    pieces = described.pretokenizer.model_path
    if pieces is None:
        return described
    pieces = str(path.absolute().parent / pieces)
    if described.pretokenizer_sha256 is not None:
        _check_digest(pieces, described.pretokenizer_sha256, path)
    cut = described.pretokenizer.model_copy(update={"model_path": pieces})
    return described.model_copy(update={"pretokenizer": cut})


def _check_digest(file: str | Path, wanted: str, path: Path) -> None:
    if (found := file_digest(file)) != wanted:
        raise InputError(
            f"{path} was written for another file than {file}: wanted SHA-256 {wanted}, found {found}. "
            "Put the file back that it describes, or take the description away and give the stage a pretokenizer"
        )
