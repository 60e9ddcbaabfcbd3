"""The learned extractor: a page's bytes to its main text, in this process.

A page is read once into elements and text blocks (`curate.kernels.page_reader`, `page_blocks`), each block gets a
probability from boosted trees (`page_features`, `trees`), and the set of blocks with the highest expected F1 is
written out (`expected_f1`, `page_text`, `page_markdown`). All of it is our own memory-safe code, linear in the page, so
it needs no child process.

A page that shows next to nothing without running its scripts may carry its text as data (`embedded`); that is read
where it is much more than what was chosen.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.extraction.decoding import decode_bytes
from curate.extraction.embedded import embedded
from curate.extraction.model import ExtractorModel, load
from curate.kernels.html_entities import entities
from curate.kernels.page_arrays import num_tags
from curate.kernels.page_features import PAGE_TYPES
from curate.kernels.page_judge import Judgement, judge, judgement_room
from curate.kernels.page_layout import Layout, lay_out, layout_room
from curate.kernels.page_text import text_room, write_text
from curate.kernels.unicode_tables import char_table
from curate.models import file_digest

Favor = Literal["precision", "balance", "recall"]
Format = Literal["text", "markdown"]

#: What `favor` means for the choice of blocks: van Rijsbergen's beta. 0.5 and 2 are the usual other values.
BETA: dict[str, float] = {"precision": 0.5, "balance": 1.0, "recall": 2.0}
#: Rooms grow to twice what a page needs and are kept up to this many bytes of page: a larger page has its own.
_MAX_KEPT_BYTES = 8 << 20
_MAX_KEPT_TEXT = 16 << 20  # the same of the text

#: A page of fewer chosen words is asked for text that it carries as data, which is taken where more than
#: `MIN_EMBEDDED_RATIO` times as many words of that are chosen. Both are our choice: of 2,612 real pages that show their
#: text none has 1.5 times as much as data, and on these blocks are better than data.
MAX_WORDS_BEFORE_FALLBACK = 100
MIN_EMBEDDED_RATIO = 2


class MainText(NamedTuple):
    """The main text of a page and what the extractor thinks of it."""

    text: str
    page_type: str  # the likeliest of PAGE_TYPES
    quality: float  # expected word-F1 of the text, [0, 1]
    precision: float  # expected
    recall: float
    num_blocks: int
    num_chosen: int
    fallback: str | None = None  # `Embedded.source` where all but the type is of text that the page carries as data


class _Room(NamedTuple):
    """Room for one page, used again for the next."""

    judgement: Judgement
    layout: Layout


class LearnedExtractor:
    """One model with room for one page at a time. Not for several threads at once."""

    def __init__(self, model: ExtractorModel, favor: Favor = "balance", format: Format = "text") -> None:
        self.model = model
        self.beta = BETA[favor]
        self.format = format
        self._room: _Room | None = None
        self._capacity = (0, 0)
        self._out = np.empty(0, np.uint8)

    def extract(self, page: bytes, url: str | None) -> MainText:
        """The main text of a page in UTF-8; "" where it has none. Any bytes are a page."""
        main, num_words = self._chosen(page, url)
        if num_words >= MAX_WORDS_BEFORE_FALLBACK or (data := embedded(page)) is None:
            return main
        other, num_embedded = self._chosen(data.markup.encode("utf-8", "replace"), url)
        if num_embedded <= MIN_EMBEDDED_RATIO * num_words:
            return main
        return other._replace(page_type=main.page_type, fallback=data.source)

    def judge(self, data: NDArray[np.uint8], url: str | None) -> tuple[Judgement, int, tuple[float, float, float]]:
        """What was found out about a page, valid until the next one; how many blocks; expected F1, precision and
        recall."""
        room = self._room_for(data)
        num_blocks, expected = self._judge(data, url, room)
        return room.judgement, num_blocks, expected

    def _chosen(self, page: bytes, url: str | None) -> tuple[MainText, float]:
        """What the model chooses, and how many words that has."""
        data = np.frombuffer(page, np.uint8)
        room = self._room_for(data)
        num_blocks, expected = self._judge(data, url, room)
        text = self._written(data, num_blocks, room)
        page_type = PAGE_TYPES[int(room.judgement.types[0].argmax())]
        chosen, words = room.judgement.chosen[:num_blocks], room.judgement.words[:num_blocks]
        return MainText(text, page_type, *expected, num_blocks, int(chosen.sum())), float(words @ chosen)

    def _judge(self, data: NDArray[np.uint8], url: str | None, room: _Room) -> tuple[int, tuple[float, float, float]]:
        num_blocks, *expected = judge(
            data,
            np.frombuffer((url or "").encode("utf-8", "replace"), np.uint8),
            entities(),
            char_table(),
            self.model.lexicon,
            self.model.type_trees,
            self.model.block_trees,
            self.beta,
            room.judgement,
        )
        return num_blocks, (expected[0], expected[1], expected[2])

    def _room_for(self, data: NDArray[np.uint8]) -> _Room:
        need = (data.size, num_tags(data))
        if self._room is not None and need[0] <= self._capacity[0] and need[1] <= self._capacity[1]:
            return self._room
        if need[0] > _MAX_KEPT_BYTES:
            return _make_room(*need)
        self._capacity = (max(2 * need[0], 1 << 20), max(2 * need[1], 1 << 15, self._capacity[1]))
        self._room = _make_room(*self._capacity)
        return self._room

    def _written(self, data: NDArray[np.uint8], num_blocks: int, room: _Room) -> str:
        """The chosen blocks as text."""
        page, blocks, layout = room.judgement.page, room.judgement.blocks, room.layout
        chosen = room.judgement.chosen.view(np.uint8)
        lay_out(data, page, blocks, num_blocks, chosen, layout)
        if self.format == "markdown":  # compiled code that plain text has no use for
            from curate.kernels.markdown_nesting import nesting_room
            from curate.kernels.page_markdown import markdown_room, write_markdown

            out = self._out_of(markdown_room(data.size))
            end = write_markdown(data, page, blocks, num_blocks, chosen, layout, nesting_room(), out, 0)
        else:
            out = self._out_of(text_room(data.size))
            end = write_text(page, blocks, num_blocks, chosen, layout, out, 0)
        return out[:end].tobytes().decode("utf-8", "replace")

    def _out_of(self, size: int) -> NDArray[np.uint8]:
        """Room for a text of so many bytes."""
        if size <= self._out.size:
            return self._out
        out = np.empty(size, np.uint8)
        if size <= _MAX_KEPT_TEXT:
            self._out = out
        return out


def _make_room(num_bytes: int, num_tags: int) -> _Room:
    judgement = judgement_room(num_bytes, num_tags)
    return _Room(judgement, layout_room(judgement.page))


@cache
def shipped_model() -> Path:
    """The model that the package brings. What it was trained on and how good it is, its card beside it says.

    Where the package lies in an archive, it is a copy for this process.
    """
    kept = ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(resources.as_file(resources.files("curate.extraction") / "weights" / "extractor.npz"))


@lru_cache(maxsize=4)
def learned_extractor(path: str, digest: str, favor: Favor = "balance", format: Format = "text") -> LearnedExtractor:
    """The extractor of a model's file and settings, made once in a process. `digest` is the file's SHA-256.

    EnvironmentProblem where there is no such model.
    """
    return LearnedExtractor(load(path, digest=digest), favor, format)


def default_extractor() -> LearnedExtractor:
    """The shipped model with default settings, one for each process."""
    path = str(shipped_model())
    return learned_extractor(path, file_digest(path))


def extract_text(payload: bytes, url: str | None, charset: str | None) -> str:
    """The main text of a page as it came over the wire; "" where it has none."""
    return default_extractor().extract(decode_bytes(payload, charset).utf8, url).text
