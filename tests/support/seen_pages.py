"""Pages as the learned extractor sees them: read, measured and described, without a model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.html_entities import entities
from curate.kernels.html_names import NAMES
from curate.kernels.page_features import FEATURES, NUM_TYPES, fill_features
from curate.kernels.page_judge import Judgement, judgement_room, look
from curate.kernels.page_profile import PROFILE
from curate.kernels.page_reader import NUM_ELEMENTS, num_tags
from curate.kernels.page_traits import LEXICON_SIZE
from curate.kernels.unicode_tables import char_table

NO_LEXICON = np.zeros(LEXICON_SIZE, np.float32)


class Seen(NamedTuple):
    """What was found out about a page."""

    judgement: Judgement
    num_blocks: int

    def text(self, block: int) -> str:
        page, blocks = self.judgement.page, self.judgement.blocks
        runs = range(blocks.first_run[block], blocks.last_run[block])
        return b"".join(bytes(page.text[page.runs.start[run] : page.runs.end[run]]) for run in runs).decode()

    def block(self, text: str) -> int:
        """The one block with this in its text."""
        (found,) = [block for block in range(self.num_blocks) if text in self.text(block)]
        return found

    def features(self, text: str) -> dict[str, float]:
        """Those of the block with this text, by name."""
        return dict(zip(FEATURES, self.judgement.features[self.block(text)].tolist(), strict=True))

    @property
    def profile(self) -> dict[str, float]:
        return dict(zip(PROFILE, self.judgement.profile[0].tolist(), strict=True))

    def element(self, name: str) -> int:
        """The first element of this name."""
        names = self.judgement.page.elements.name[: self.judgement.page.place[NUM_ELEMENTS]]
        return next(element for element, number in enumerate(names.tolist()) if NAMES[number] == name)


def see(page: str | bytes, url: str = "", lexicon: np.ndarray = NO_LEXICON, room: Judgement | None = None) -> Seen:
    """Read, measure and describe a page. `room` is used again where it is given."""
    data = np.frombuffer(page.encode() if isinstance(page, str) else page, np.uint8)
    judgement = room or judgement_room(data.size, num_tags(data))
    address = np.frombuffer(url.encode(), np.uint8)
    num_blocks = look(data, address, entities(), char_table(), lexicon, judgement)
    types = np.zeros(NUM_TYPES, np.float32)
    fill_features(
        judgement.page,
        judgement.blocks,
        num_blocks,
        judgement.scratch,
        judgement.profile[0],
        types,
        judgement.features,
    )
    return Seen(judgement, num_blocks)
