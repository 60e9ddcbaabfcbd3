"""The learned extractor: a page's bytes to its main text, in this process.

A page is read once into elements and text blocks (`curate.kernels.page_reader`, `page_blocks`), each block gets a
probability from boosted trees (`page_features`, `trees`), and the set of blocks with the highest expected F1 is
written out (`expected_f1`, `page_text`, `page_markdown`). All of it is our own memory-safe code, linear in the page, so
it needs no child process.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.extraction.decoding import decode_bytes
from curate.extraction.model import ExtractorModel, load
from curate.kernels.html_entities import entities
from curate.kernels.page_features import PAGE_TYPES
from curate.kernels.page_judge import Judgement, judge, judgement_room
from curate.kernels.page_reader import num_tags
from curate.kernels.page_text import text_room, write_text
from curate.kernels.unicode_tables import char_table

Favor = Literal["precision", "balance", "recall"]
Format = Literal["text", "markdown"]

#: What `favor` means for the choice of blocks: van Rijsbergen's beta. 0.5 and 2 are the usual other values.
BETA: dict[str, float] = {"precision": 0.5, "balance": 1.0, "recall": 2.0}
#: Rooms grow to twice what a page needs and are kept up to this many bytes of page: a larger page has its own.
_MAX_KEPT_BYTES = 8 << 20


class MainText(NamedTuple):
    """The main text of a page and what the extractor thinks of it."""

    text: str
    page_type: str  # the likeliest of PAGE_TYPES
    quality: float  # expected word-F1 of the text, [0, 1]
    precision: float  # expected
    recall: float
    num_blocks: int
    num_chosen: int


class LearnedExtractor:
    """One model with room for one page at a time. Not for several threads at once."""

    def __init__(self, model: ExtractorModel, favor: Favor = "balance", format: Format = "text") -> None:
        self.model = model
        self.beta = BETA[favor]
        self.format = format
        self._room: Judgement | None = None
        self._capacity = (0, 0)
        self._out = np.empty(0, np.uint8)

    def extract(self, page: bytes, url: str | None) -> MainText:
        """The main text of a page in UTF-8; "" where it has none. Any bytes are a page."""
        data = np.frombuffer(page, np.uint8)
        judgement, num_blocks, expected = self.judge(data, url)
        chosen = judgement.chosen[:num_blocks]
        text = self._written(data, judgement, num_blocks, chosen)
        page_type = PAGE_TYPES[int(judgement.types[0].argmax())]
        return MainText(text, page_type, *expected, num_blocks, int(chosen.sum()))

    def judge(self, data: NDArray[np.uint8], url: str | None) -> tuple[Judgement, int, tuple[float, float, float]]:
        """What was found out, valid until the next page; how many blocks; expected F1, precision and recall."""
        judgement = self._room_for(data)
        num_blocks, *expected = judge(
            data,
            np.frombuffer((url or "").encode("utf-8", "replace"), np.uint8),
            entities(),
            char_table(),
            self.model.lexicon,
            self.model.type_trees,
            self.model.block_trees,
            self.beta,
            judgement,
        )
        return judgement, num_blocks, (expected[0], expected[1], expected[2])

    def _room_for(self, data: NDArray[np.uint8]) -> Judgement:
        need = (data.size, num_tags(data))
        if self._room is not None and need[0] <= self._capacity[0] and need[1] <= self._capacity[1]:
            return self._room
        if need[0] > _MAX_KEPT_BYTES:
            return judgement_room(*need)
        self._capacity = (max(2 * need[0], 1 << 20), max(2 * need[1], 1 << 15, self._capacity[1]))
        self._room = judgement_room(*self._capacity)
        return self._room

    def _written(self, data: NDArray[np.uint8], judgement: Judgement, num_blocks: int, chosen: Any) -> str:
        from curate.kernels.page_markdown import markdown_room, write_markdown

        write, size_of = (write_markdown, markdown_room) if self.format == "markdown" else (write_text, text_room)
        size = size_of(data.size)
        if size > self._out.size:
            self._out = np.empty(size, np.uint8)
        end = write(data, judgement.page, judgement.blocks, num_blocks, chosen, self._out, 0)
        return self._out[:end].tobytes().decode("utf-8", "replace")


def shipped_model() -> Path:
    """The model that the package brings. What it was trained on and how good it is, its card beside it says."""
    return Path(str(resources.files("curate.extraction") / "weights" / "extractor.npz"))


@cache
def default_extractor() -> LearnedExtractor:
    """The shipped model with default settings, one for each process."""
    return LearnedExtractor(load(shipped_model()))


def extract_text(payload: bytes, url: str | None, charset: str | None) -> str:
    """The main text of a page as it came over the wire; "" where it has none."""
    return default_extractor().extract(decode_bytes(payload, charset).utf8, url).text
