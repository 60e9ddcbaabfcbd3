"""From the bytes of a page to the probability of each of its text blocks, in one call: what the model sees and says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.block_measures import MAX_PHRASE_WORDS, WORDS, Phrases
from curate.kernels.compiled import compiled
from curate.kernels.expected_f1 import choose_blocks
from curate.kernels.html_entities import Entities
from curate.kernels.page_blocks import Blocks, blocks_room, find_blocks
from curate.kernels.page_features import (
    NUM_FEATURES,
    NUM_TYPES,
    Scratch,
    fill_features,
    look_at_page,
    scratch_room,
)
from curate.kernels.page_profile import NUM_PROFILE
from curate.kernels.page_reader import Page, read_page, room
from curate.kernels.page_traits import Floats
from curate.kernels.trees import Trees, add_up, sigmoid, softmax
from curate.kernels.unicode_tables import CharTable
from curate.kernels.utf8 import Bytes, Int


class Judgement(NamedTuple):
    """Room for one page and all that is found out about it. Arrays are filled as far as the page has blocks."""

    page: Page
    blocks: Blocks
    scratch: Scratch
    places: np.ndarray  # int32[blocks, 2 * MAX_PHRASE_WORDS]: `Phrases.places`
    profile: Floats  # float32[1, NUM_PROFILE]
    types: Floats  # float32[1, NUM_TYPES]: probabilities of page types
    features: Floats  # float32[blocks, NUM_FEATURES]
    probability: Floats  # float32[blocks, 1]: that a block is main text
    words: Floats  # float32[blocks]
    chosen: np.ndarray  # bool[blocks]


def judgement_room(num_bytes: int, num_tags: int) -> Judgement:
    """Room for any page of at most so many bytes with at most so many "<". Memory is taken where it is written to."""
    page = room(num_bytes, num_tags)
    blocks = blocks_room(page)
    size = blocks.first_run.size
    return Judgement(
        page,
        blocks,
        scratch_room(page, blocks),
        np.empty((size, 2 * MAX_PHRASE_WORDS), np.int32),
        np.empty((1, NUM_PROFILE), np.float32),
        np.empty((1, NUM_TYPES), np.float32),
        np.empty((size, NUM_FEATURES), np.float32),
        np.empty((size, 1), np.float32),
        np.empty(size, np.float32),
        np.empty(size, np.bool_),
    )


@compiled
def look(data: Bytes, url: Bytes, entities: Entities, table: CharTable, lexicon: Floats, judgement: Judgement) -> Int:
    """Read a page and measure it; how many blocks it has. The URL is empty where it is unknown."""
    read_page(data, 0, data.size, entities, judgement.page)
    num_blocks = find_blocks(judgement.page, judgement.blocks)
    look_at_page(
        data,
        url,
        judgement.page,
        judgement.blocks,
        num_blocks,
        table,
        Phrases(lexicon, judgement.places),
        judgement.scratch,
        judgement.profile[0],
    )
    return num_blocks


@compiled
def describe(num_blocks: int, type_trees: Trees, judgement: Judgement) -> None:
    """Fill in the page's types and the features of its blocks."""
    add_up(type_trees, judgement.profile, judgement.types)
    softmax(judgement.types, judgement.types)
    fill_features(
        judgement.page,
        judgement.blocks,
        num_blocks,
        judgement.scratch,
        judgement.profile[0],
        judgement.types[0],
        judgement.features,
    )


@compiled
def judge(
    data: Bytes,
    url: Bytes,
    entities: Entities,
    table: CharTable,
    lexicon: Floats,
    type_trees: Trees,
    block_trees: Trees,
    beta: float,
    judgement: Judgement,
) -> tuple[int, float, float, float]:
    """How many blocks a page has, and the expected F, precision and recall of those that were chosen."""
    num_blocks = look(data, url, entities, table, lexicon, judgement)
    describe(num_blocks, type_trees, judgement)
    probability = judgement.probability[:num_blocks]
    add_up(block_trees, judgement.features[:num_blocks], probability)
    sigmoid(probability[:, 0], probability[:, 0])
    for block in range(num_blocks):
        judgement.words[block] = judgement.scratch.measures[block, WORDS]
    f, precision, recall = choose_blocks(
        probability[:, 0], judgement.words[:num_blocks], beta, judgement.chosen[:num_blocks]
    )
    return num_blocks, f, precision, recall
