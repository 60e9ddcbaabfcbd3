"""Leave out words that are addresses or too long, as BigScience did before it filtered OSCAR for ROOTS.

Source: Laurençon et al. 2022, section 3.1, with the values for English (bigscience-workshop/data-preparation,
`parameters_filtering.py`, commit 9d05884). It comes before `roots`, whose bounds hold for texts made so. It joins what
is left by single spaces and line breaks, so it refuses to keep blank lines between paragraphs: run stages that look at
paragraphs before it.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from pydantic import Field

from curate.kernels.joined_words import SIGNALS, without_words
from curate.stage import Modified, Modifier


class RootsWords(Modifier):
    """Leave out words by what they hold and by their length; the signals count them. None turns the length off.

    What exactly goes, and how the rest is joined, is said in `curate.kernels.joined_words`. White space that is not
    ASCII becomes " " first, as `whitespace_normalization_mapper` of Data-Juicer has it.
    """

    writes = ("text",)

    substrings: tuple[str, ...] = ("http", "www", ".com", "href", "//")  # English
    max_word_chars: Annotated[int, Field(ge=1)] | None = 25  # English
    uniform_white_space: bool = True  # BigScience's `uniform_whitespace`

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `SIGNALS`."""
        text, signals = without_words(
            batch.column("text"),
            substrings=self.substrings,
            max_word_chars=self.max_word_chars,
            uniform_white_space=self.uniform_white_space,
        )
        return Modified({"text": text}, signals)
