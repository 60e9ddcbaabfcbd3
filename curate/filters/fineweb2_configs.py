"""FineWeb-2's bounds and stop words of each language, from files in its own format.

A file `<language>_<script>.yml` (`fra_Latn.yml`: ISO 639-3 and 15924) holds what `Config` has. Those of 21 languages
come with the toolkit (`curate/filters/fineweb2`); the folder `configs` of FineWeb-2's repository has 1,929, and can be
named in their place. Source: Penedo et al. 2025, "FineWeb2", github.com/huggingface/fineweb-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import InputError


class Config(BaseModel):
    """The bounds of one language, by FineWeb-2's names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dup_line_frac: float
    top_n_grams: tuple[tuple[int, float], ...]
    dup_n_grams: tuple[tuple[int, float], ...]
    line_punct_thr: float
    new_line_ratio: float
    min_avg_word_length: float
    max_avg_word_length: float
    #: The name says the opposite of what it is: the share of words with a letter must reach it.
    max_non_alpha_words_ratio: float
    stopwords: tuple[str, ...] = Field(min_length=1)
    language_score: float | None = None  # GlotLID's confidence, not that of another model


def load_configs(folder: str | None) -> Mapping[str, Config]:
    """Name (`fra_Latn`) → bounds, of a folder, or of the toolkit's own if None. Read again where a file has changed.

    InputError where the folder is missing or has no such file, or where a file is not of this form.
    """
    if folder is None:
        return _own()
    return _folder(tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in config_files(folder)))


def config_files(folder: str) -> list[Path]:
    """The files of a folder, by name. InputError where there is none."""
    files = sorted(Path(folder).glob("*.yml"))
    if not files:
        raise InputError(
            f"no .yml file in {folder}. Name a folder with files such as fra_Latn.yml: FineWeb-2's `configs`"
        )
    return files


@cache
def _own() -> Mapping[str, Config]:
    files = sorted((resources.files("curate.filters") / "fineweb2").iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yml"): _parsed(file.name, file.read_text("utf-8")) for file in files}


@lru_cache(maxsize=4)
def _folder(files: tuple[tuple[str, int, int], ...]) -> Mapping[str, Config]:
    found = {}
    for path, _, _ in files:
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {path}: {error}") from None
        found[Path(path).stem] = _parsed(path, text)
    return found


def _parsed(path: str, text: str) -> Config:
    try:
        return Config.model_validate(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValidationError) as error:
        raise InputError(f"{path} is no file of FineWeb-2's bounds: {error}") from None
