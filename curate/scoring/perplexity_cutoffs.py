"""Where CCNet's buckets end: perplexities by language below which a document is head, and below which middle.

CCNet (Wenzek et al. 2020, section 3) sorts the documents of each language by perplexity and cuts at the 30th and 60th
percentile. **The published figures hold for CCNet's own models alone**: a perplexity depends on the vocabulary, the
normal form and the training text, so another model needs cut-offs fitted on the corpus by it (`fit_cutoffs`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from curate.errors import InputError
from curate.models import load_once

BUCKETS = ("head", "middle", "tail")

#: cc_net's data/cutoff.csv, percentiles 30 and 60, for nine of its 48 languages. For CCNet's own models.
CCNET_CUTOFFS: dict[str, tuple[float, float]] = {
    "en": (340, 520),
    "de": (370, 590),
    "fr": (180, 330),
    "es": (180, 290),
    "ru": (210, 310),
    "zh": (1460, 1950),
    "ja": (1110, 1450),
    "ar": (490, 790),
    "hi": (480, 790),
}


def checked(cutoffs: Mapping[str, tuple[float, float]]) -> Mapping[str, tuple[float, float]]:
    """The same. ValueError where a pair is no number or not in order."""
    for language, (head, tail) in cutoffs.items():
        if not (math.isfinite(head) and math.isfinite(tail) and 0 <= head <= tail):
            raise ValueError(f"cut-offs of {language} are {head} and {tail}; wanted head <= tail, neither negative")
    return cutoffs


class Cutoffs(BaseModel):
    """A file of cut-offs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["curate-perplexity-cutoffs"] = "curate-perplexity-cutoffs"
    version: Literal[1] = 1
    percentiles: tuple[float, float]  # that they were fitted at, for people
    cutoffs: dict[str, tuple[float, float]]  # language → where head ends, where middle ends
    documents: dict[str, int] = {}  # language → documents that they were fitted on, for people

    _ordered = field_validator("cutoffs")(checked)

    def to_yaml(self) -> str:
        """The file; it loads back equal."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_cutoffs(path: str) -> Cutoffs:
    """The cut-offs of a YAML or JSON file, once in each worker. InputError where it is no such file."""
    if not Path(path).is_file():
        raise InputError(f'no cut-offs file at {path}. Fit one on perplexities of the corpus, or write "ccnet"')
    return load_once("perplexity cut-offs", path, _read)


def _read(path: str) -> Cutoffs:
    try:
        return Cutoffs.model_validate(yaml.safe_load(Path(path).read_text("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        raise InputError(f"{path} holds no cut-offs: {faults}") from None


def fit_cutoffs(
    perplexities: pa.Table, percentiles: tuple[float, float] = (30, 60), *, min_documents: int = 1000
) -> Cutoffs:
    """Cut-offs of each language of a table with columns `language` and `perplexity`.

    percentiles: where head and middle end; 30 and 60 are CCNet's. Rows with a null are left out, and so are languages
    with fewer rows than `min_documents` (our choice), whose percentiles would be chance. InputError where none is left.
    """
    head, tail = percentiles
    if not 0 <= head <= tail <= 100:
        raise ValueError(f"percentiles {head} and {tail}: wanted 0 <= head <= tail <= 100")
    rows = perplexities.select(["language", "perplexity"]).drop_null()
    cutoffs, documents = {}, {}
    for language in sorted(pc.unique(rows["language"]).to_pylist()):
        values = rows.filter(pc.equal(rows["language"], language))["perplexity"].to_numpy()
        if len(values) >= min_documents:
            low, high = np.percentile(values.astype(np.float64), [head, tail])
            cutoffs[language], documents[language] = (float(low), float(high)), len(values)
    if not cutoffs:
        raise InputError(
            f"no language has {min_documents} perplexities among {len(rows)} rows: score more documents first"
        )
    return Cutoffs(percentiles=(head, tail), cutoffs=cutoffs, documents=documents)


def buckets(perplexities: pa.Array, languages: pa.Array, cutoffs: Mapping[str, tuple[float, float]]) -> pa.StringArray:
    """ "head" below the first cut-off of the language, "middle" below the second, else "tail".

    Null where the perplexity is, and where the language has no cut-offs (cc_net calls that bucket "all"). cc_net rounds
    a perplexity to one decimal before it compares; here nothing is rounded.
    """
    number = pc.index_in(languages, value_set=pa.array(list(cutoffs), pa.string()))
    head, tail = (pa.array([pair[i] for pair in cutoffs.values()], pa.float64()).take(number) for i in (0, 1))
    place = pc.add(
        pc.greater_equal(perplexities, head).cast(pa.int32()), pc.greater_equal(perplexities, tail).cast(pa.int32())
    )
    return pa.array(BUCKETS, pa.string()).take(place)
