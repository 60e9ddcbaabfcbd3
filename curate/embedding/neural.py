"""Embeddings by a model that the user names: an ONNX encoder, or a folder saved by sentence-transformers.

Both are optional packages. Nothing is downloaded and no pickle is read: a model is a folder on every machine that runs
a worker. Texts go through a model one at a time. On a processor a batch gains little over a text of some hundred
tokens, it pays for padding, and the last bits of a vector would depend on which other texts are in it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import EnvironmentProblem
from curate.models import load_once

Vectors = NDArray[np.float32]
Pooling = Literal["mean", "cls"]

#: Bytes of text given to a tokenizer for each token that the model will see; English has 4 to 5, few texts over 16.
BYTES_PER_TOKEN = 32

PACKAGES = {"onnx": "onnxruntime", "sentence-transformers": "sentence_transformers"}
ONNX_MODELS = ("model.onnx", "onnx/model.onnx")  # where exporters put it
TOKENIZER = "tokenizer.json"
SENTENCE_MODEL = "modules.json"  # what sentence-transformers saves beside its weights


class OnnxModel(NamedTuple):
    """An encoder of texts as ONNX, with the `tokenizer.json` that belongs to it. Loaded when it is first used."""

    folder: str
    pooling: Pooling
    max_tokens: int
    max_bytes: int

    def embed(self, texts: pa.Array) -> Vectors:
        """Unit vectors, float32[num_texts, dimensions]; zeros for an empty text. EnvironmentProblem as in `files`."""
        path, tokenizer_path = onnx_files(self.folder)
        onnxruntime = _package("onnx")
        session = load_once("onnx", path, lambda path: _session(onnxruntime, path))
        tokenizer = load_once("tokenizer", tokenizer_path, _tokenizer)
        tokenizer.enable_truncation(self.max_tokens)
        tokenizer.no_padding()
        wanted = [given.name for given in session.get_inputs()]
        rows = [
            self._vector(session, wanted, tokenizer, text) for text in _texts(texts, self.max_tokens, self.max_bytes)
        ]
        return _unit(rows)

    def _vector(self, session: Any, wanted: list[str], tokenizer: Any, text: str) -> NDArray[np.float64] | None:
        encoded = tokenizer.encode(text) if text.strip() else None
        if encoded is None or not encoded.ids:
            return None
        columns = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        unknown = sorted(set(wanted) - set(columns))
        if unknown:
            raise EnvironmentProblem(
                f"{self.folder}: the ONNX model wants {', '.join(unknown)}; known are {', '.join(columns)}. "
                "Export it for feature extraction."
            )
        found = session.run(None, {name: np.array([columns[name]], np.int64) for name in wanted})[0]
        states: NDArray[np.float64] = np.asarray(found, np.float64)[0]
        if states.ndim == 1:  # pooled by the model itself
            return states
        pooled: NDArray[np.float64] = states[0] if self.pooling == "cls" else states.mean(axis=0)
        return pooled


class SentenceModel(NamedTuple):
    """A folder saved by sentence-transformers, which brings its own pooling. Loaded when it is first used."""

    folder: str
    max_tokens: int
    max_bytes: int

    def embed(self, texts: pa.Array) -> Vectors:
        """Unit vectors, float32[num_texts, dimensions]; zeros for an empty text. EnvironmentProblem as in `files`."""
        marker = sentence_files(self.folder)[0]
        package = _package("sentence-transformers")
        model = load_once("sentence-transformers", marker, lambda path: _sentence_model(package, path))
        model.max_seq_length = min(self.max_tokens, model.max_seq_length or self.max_tokens)
        rows = [
            np.asarray(model.encode([text], batch_size=1, show_progress_bar=False)[0], np.float64)
            if text.strip()
            else None
            for text in _texts(texts, self.max_tokens, self.max_bytes)
        ]
        return _unit(rows)


def onnx_files(folder: str) -> tuple[str, str]:
    """The model and its tokenizer. EnvironmentProblem where the folder lacks one."""
    model = next((path for name in ONNX_MODELS if (path := Path(folder, name)).is_file()), None)
    tokenizer = Path(folder, TOKENIZER)
    if model is None or not tokenizer.is_file():
        missing = TOKENIZER if model is not None else " or ".join(ONNX_MODELS)
        raise EnvironmentProblem(
            f"no {missing} in {folder}. `model: onnx:FOLDER` wants a folder with both, on every machine that runs a "
            "worker; optimum exports one: optimum-cli export onnx --task feature-extraction -m MODEL FOLDER"
        )
    return str(model), str(tokenizer)


def sentence_files(folder: str) -> tuple[str, ...]:
    """`modules.json` and all other files of the folder. EnvironmentProblem where sentence-transformers saved none."""
    marker = Path(folder, SENTENCE_MODEL)
    if not marker.is_file():
        raise EnvironmentProblem(
            f"no {SENTENCE_MODEL} in {folder}. `model: sentence-transformers:FOLDER` wants a folder that its "
            "`save_pretrained` wrote, on every machine that runs a worker."
        )
    others = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file() and path != marker)
    return (str(marker), *others)


def check_installed(kind: str) -> None:
    """EnvironmentProblem where the package for `onnx:…` or `sentence-transformers:…` is missing here."""
    module = PACKAGES[kind]
    if find_spec(module) is None:
        raise _missing(kind, f"no module {module}")


def _package(kind: str) -> ModuleType:
    try:
        return import_module(PACKAGES[kind])
    except ImportError as error:
        raise _missing(kind, str(error)) from error


def _missing(kind: str, why: str) -> EnvironmentProblem:
    name = PACKAGES[kind].replace("_", "-")
    return EnvironmentProblem(
        f"the embedding model `{kind}:…` needs the package {name} ({why}). Install it here and on every machine that "
        f"runs a worker: pip install {name}"
    )


def _session(onnxruntime: ModuleType, path: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # Spark's workers fill the cores already
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors derive from Exception directly
        raise EnvironmentProblem(f"cannot read {path} as an ONNX model: {error}") from error


def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(path)
    except Exception as error:  # tokenizers raises bare Exception
        raise EnvironmentProblem(f"cannot read {path} as a tokenizer: {error}") from error


def _sentence_model(package: ModuleType, marker: str) -> Any:
    return package.SentenceTransformer(
        str(Path(marker).parent),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )


def _texts(texts: pa.Array, max_tokens: int, max_bytes: int) -> list[str]:
    """The beginnings of the texts; bytes that are no UTF-8, and a character that is cut, become U+FFFD."""
    limit = min(max_bytes, BYTES_PER_TOKEN * max_tokens)
    found = []
    for text in texts:
        buffer = text.as_buffer()
        found.append(
            "" if buffer is None else buffer.slice(0, min(limit, buffer.size)).to_pybytes().decode("utf-8", "replace")
        )
    return found


def _unit(rows: list[NDArray[np.float64] | None]) -> Vectors:
    """The vectors at unit length; zeros where there is none, or none that is a direction."""
    dimensions = next((len(row) for row in rows if row is not None), 0)
    vectors = np.zeros((len(rows), dimensions), np.float32)
    for place, row in enumerate(rows):
        norm = 0.0 if row is None else float(np.sqrt((row * row).sum()))
        if row is not None and 0 < norm < np.inf:
            vectors[place] = row / norm
    return vectors
