"""What a trainer of models is. `curate.registry.MODELS` lists them by the names that recipes and training files use.

A trainer is a frozen pydantic model: its settings are the fields, with published defaults. It is given labelled
examples and writes one file, from which the document stage named by `stage` scores. The same examples in the same order
give the same bytes: one thread, one seed.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

#: One labelled text. `group` holds together what must not be parted by a split: a host, an author, a thread.
EXAMPLES = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),  # of a regression: a number, as text
        pa.field("group", pa.string(), nullable=False),
        pa.field("language", pa.string()),
        pa.field("source", pa.string(), nullable=False),  # which data set it is of
        pa.field("url", pa.string()),
    ]
)


class Trainer(BaseModel):
    """Settings of a kind of model, and how one is made of examples."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    stage: ClassVar[str]  # of `curate.registry.STAGES`: applies the model's file, given as `model_path`
    suffix: ClassVar[str]  # of the file: ".npz"
    #: Whether negative examples are needed; a language model has none.
    needs_negatives: ClassVar[bool] = True

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the settings name. Their content decides the model, like the settings."""
        return ()

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Make a model of examples (`EXAMPLES`) that scores `positive` high, and write it to `path`.

        InputError where the examples do not do (none of a label, for example); EnvironmentProblem where a package is
        missing, naming what to install.
        """
        raise NotImplementedError
