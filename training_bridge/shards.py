"""Token shards as they lie on disk: open, check, memory-map.

A folder holds `manifest.json`, `tokenizer.json`, and for each split raw little-endian tokens (`train-00000.bin`, uint16
up to a vocabulary of 65,536, else uint32; documents end to end, each followed by EOS, no header) with a parquet of
its documents beside it. The manifest is data like any other: sizes are compared with what it says, and a file name in
it that is not a plain name inside the folder is refused, so opening a foreign folder reads nothing outside it.

No torch here: the layout can be read by anything that has numpy.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import InputError

MAX_MANIFEST_BYTES = 64 << 20  # a shard needs about 300 bytes of manifest: room for 200,000 shards
MAX_TOKENIZER_BYTES = 512 << 20

#: The columns of a documents file, beside `doc_id`, that this module relies on.
DOCUMENT_COLUMNS = ("source", "start", "num_tokens", "num_bytes")


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _TokenizerFile(_Manifest):
    file: str
    sha256: str


class ShardEntry(_Manifest):
    """One shard as the manifest states it."""

    file: str
    documents: str
    num_tokens: int = Field(ge=0)
    num_documents: int = Field(ge=0)
    num_bytes: int = Field(ge=0)
    sha256: str


class SplitEntry(_Manifest):
    """One split as the manifest states it: totals, and its shards in stream order."""

    num_tokens: int = Field(ge=0)
    num_documents: int = Field(ge=0)
    num_bytes: int = Field(ge=0)
    shards: tuple[ShardEntry, ...] = Field(strict=False)


class Manifest(_Manifest):
    """`manifest.json`, version 1. Keys that are not named here are left to others."""

    format: Literal["curate-tokens"]
    version: Literal[1]
    dtype: Literal["uint16", "uint32"]
    vocab_size: int = Field(ge=2, le=2**32)
    eos_id: int = Field(ge=0)
    tokenizer: _TokenizerFile
    seed: int
    splits: dict[str, SplitEntry]


class Documents(NamedTuple):
    """The documents of a split in stream order; every array has one entry for each document."""

    sources: list[str]
    num_tokens: npt.NDArray[np.int64]  # EOS included
    num_bytes: npt.NDArray[np.int64]  # UTF-8 bytes of the text, EOS has none


class TokenStream:
    """The shards of a split as one array of tokens: memory-mapped, opened on first use and anew in each process."""

    def __init__(self, paths: list[Path], lengths: list[int], dtype: np.dtype[Any]) -> None:
        self.paths = paths
        self.dtype = dtype
        self.ends: list[int] = np.cumsum(lengths, dtype=np.int64).tolist() if lengths else []
        self._maps: dict[int, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getstate__(self) -> dict[str, Any]:
        # A memory map pickles as a full copy of its file; a loader's worker opens its own.
        return {**self.__dict__, "_maps": {}}

    def read(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Tokens [start, stop) as int64[stop - start], across shard borders. IndexError outside the stream."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"tokens [{start}, {stop}) of a stream of {len(self)}")
        pieces = []
        while start < stop:
            number = bisect_right(self.ends, start)
            first = self.ends[number - 1] if number else 0
            end = min(stop, self.ends[number])
            pieces.append(self._shard(number)[start - first : end - first])
            start = end
        return np.concatenate(pieces).astype(np.int64) if pieces else np.empty(0, np.int64)

    def _shard(self, number: int) -> npt.NDArray[Any]:
        if number not in self._maps:
            self._maps[number] = np.memmap(self.paths[number], dtype=self.dtype, mode="r")
        return self._maps[number]


class TokenShards:
    """An opened and checked folder of token shards. See `open_shards`."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.vocab_size = manifest.vocab_size
        self.eos_id = manifest.eos_id
        self.dtype = np.dtype(manifest.dtype).newbyteorder("<")

    @cached_property
    def tokenizer_path(self) -> Path:
        """`tokenizer.json`, after its digest was compared with the manifest's. InputError where they differ."""
        path = _inside(self.folder, self.manifest.tokenizer.file)
        if path.stat().st_size > MAX_TOKENIZER_BYTES:
            raise InputError(f"{path} has {path.stat().st_size:,} bytes: no tokenizer is that large")
        if sha256(path) != self.manifest.tokenizer.sha256:
            raise InputError(f"{path} is not the tokenizer that these shards were written with: its sha256 differs")
        return path

    @property
    def digest(self) -> str:
        """What identifies these tokens: sha256 over the digests that the manifest states, and over its vocabulary."""
        parts = [self.manifest.tokenizer.sha256, str(self.vocab_size), str(self.eos_id), self.manifest.dtype]
        for name, split in sorted(self.manifest.splits.items()):
            parts += [name, *(shard.sha256 for shard in split.shards)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def split(self, name: str) -> SplitEntry:
        """What the manifest says about a split. InputError where there is none of that name."""
        if name not in self.manifest.splits:
            raise InputError(
                f"{self.folder} has no split {name!r}; it has: {', '.join(self.manifest.splits) or 'none'}"
            )
        return self.manifest.splits[name]

    def stream(self, name: str) -> TokenStream:
        """The tokens of a split."""
        shards = [shard for shard in self.split(name).shards if shard.num_tokens]  # an empty file cannot be mapped
        paths = [_inside(self.folder, shard.file) for shard in shards]
        return TokenStream(paths, [shard.num_tokens for shard in shards], self.dtype)

    def documents(self, name: str) -> Documents:
        """The documents of a split. InputError where they do not tile the shards that they describe."""
        tables = [self._documents_of(shard) for shard in self.split(name).shards]
        if not tables:
            return Documents([], np.empty(0, np.int64), np.empty(0, np.int64))
        table = pa.concat_tables(tables)
        lengths, sizes = (table[column].to_numpy() for column in ("num_tokens", "num_bytes"))
        return Documents([source or "" for source in table["source"].to_pylist()], lengths, sizes)

    def _documents_of(self, shard: ShardEntry) -> pa.Table:
        path = _inside(self.folder, shard.documents)
        try:
            table = pq.read_table(path, columns=list(DOCUMENT_COLUMNS))
            table = table.cast(pa.schema([("source", pa.string()), *((c, pa.int64()) for c in DOCUMENT_COLUMNS[1:])]))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(f"{path} is not a documents file of token shards: {error}") from error
        if any(column.null_count for column in table.columns[1:]):
            raise InputError(f"{path}: start, num_tokens and num_bytes may not be null")
        starts, lengths, sizes = (table[column].to_numpy() for column in DOCUMENT_COLUMNS[1:])
        tiles = np.array_equal(starts, np.cumsum(lengths) - lengths) and (lengths > 0).all() and (sizes >= 0).all()
        found = (len(table), int(lengths.sum()), int(sizes.sum()))
        stated = (shard.num_documents, shard.num_tokens, shard.num_bytes)
        if not tiles or found != stated:
            raise InputError(
                f"{path} does not describe {shard.file}: documents, tokens and bytes are {found}, the manifest says "
                f"{stated}, and documents {'lie' if tiles else 'do not lie'} end to end. Write the shards again."
            )
        return table

    def verify(self) -> None:
        """Compare every shard's sha256 with the manifest: reads all tokens. InputError names the first that differs."""
        for split in self.manifest.splits.values():
            for shard in split.shards:
                if sha256(_inside(self.folder, shard.file)) != shard.sha256:
                    raise InputError(f"{self.folder / shard.file} was changed after it was written: its sha256 differs")


def open_shards(folder: str | Path) -> TokenShards:
    """Open a folder of token shards after comparing its files' sizes with its manifest.

    Reads the manifest and file sizes alone; `TokenShards.verify` reads the tokens too. InputError where something is
    missing, malformed, of another size than stated, or named outside the folder.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder / "manifest.json")
    if manifest.vocab_size > 65536 and manifest.dtype == "uint16":
        raise InputError(f"{folder}: {manifest.vocab_size:,} ids do not fit in {manifest.dtype}")
    if manifest.eos_id >= manifest.vocab_size:
        raise InputError(f"{folder}: EOS id {manifest.eos_id} is outside the vocabulary of {manifest.vocab_size:,}")
    itemsize = np.dtype(manifest.dtype).itemsize
    for name, split in manifest.splits.items():
        for total in ("num_tokens", "num_documents", "num_bytes"):
            if (stated := getattr(split, total)) != (found := sum(getattr(shard, total) for shard in split.shards)):
                raise InputError(f"{folder}: {name} states {stated:,} {total}, its shards add up to {found:,}")
        for shard in split.shards:
            size = _inside(folder, shard.file).stat().st_size
            if size != shard.num_tokens * itemsize:
                raise InputError(
                    f"{folder / shard.file} has {size:,} bytes; the manifest says {shard.num_tokens:,} tokens of "
                    f"{itemsize} bytes = {shard.num_tokens * itemsize:,}. Was the copy cut short?"
                )
            _inside(folder, shard.documents)
    return TokenShards(folder, manifest)


def _read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise InputError(f"{path} is larger than {MAX_MANIFEST_BYTES:,} bytes")
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path.parent} holds no token shards: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path} is not a manifest of curate-tokens version 1: {place}: {first['msg']}") from error


def _inside(folder: Path, name: str) -> Path:
    """The file of that name in the folder. A name with a path in it, or a link that leads out, is refused."""
    plain = name not in ("", ".", "..") and not any(character in name for character in "/\\:\0")
    path = folder / name
    if not plain or path.resolve().parent != folder.resolve():
        raise InputError(f"{folder}/manifest.json names {name!r}, which is no file of that folder")
    if not path.is_file():
        raise InputError(f"{path} is missing, though manifest.json names it")
    return path


def sha256(path: Path) -> str:
    """The sha256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
