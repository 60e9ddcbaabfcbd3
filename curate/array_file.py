"""Arrays and facts about them in one file, an NPZ: how models are stored that are arrays.

Everything is checked before it is taken: a file that is cut short, or made to do harm, is a ValueError and never a read
outside of an array. Nothing is unpickled, and no array is larger than `MAX_BYTES`. The same content gives the same
bytes: no dates, no names of machines.
"""

from __future__ import annotations

import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from curate.errors import OutputError

MAX_BYTES = 256 << 20  # of one array

_FACTS = "facts"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP can have
#: What a damaged archive, or a damaged array in it, makes of their readers.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    EOFError,
    KeyError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def write_arrays(path: str | Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write facts, which JSON can hold, and arrays of numbers. OutputError where the place cannot be written."""
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_bytes(_as_bytes(facts, arrays))
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write the model {path}: {error.strerror}. Choose another place.") from error


def read_arrays(path: str | Path, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The facts, and the arrays of these names. ValueError where the file is damaged or lacks one."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(_array(archive, _FACTS).tobytes())
            arrays = {name: _array(archive, name) for name in names}
    except _DAMAGE as error:
        raise ValueError(f"it is damaged ({error})") from error
    if not isinstance(facts, dict):
        raise ValueError("it is damaged (its facts are no object)")
    return facts, arrays


def _as_bytes(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    text = json.dumps(dict(facts), ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, array in {_FACTS: np.frombuffer(text, np.uint8), **arrays}.items():
            content = BytesIO()
            npy.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(name + ".npy", _EPOCH)
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return whole.getvalue()


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of the archive. Memory is taken for what is there, not for what a header says."""
    entry = archive.getinfo(name + ".npy")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in another way")
    with archive.open(entry) as stored:
        content = stored.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES} bytes")
    stream = BytesIO(content)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is no array of version 1.0")
    shape, by_columns, dtype = npy.read_array_header_1_0(stream)
    body = content[stream.tell() :]
    if (by_columns and len(shape) > 1) or dtype.hasobject or math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{name} has {len(body)} bytes for {dtype}{list(shape)}")
    return np.array(np.frombuffer(body, dtype).reshape(shape), dtype.newbyteorder("="))
