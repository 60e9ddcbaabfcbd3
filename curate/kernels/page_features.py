"""The features by which the model judges each text block of a page: float32[num_blocks, NUM_FEATURES].

Five groups: the block's own text, the elements around it, its place and its neighbours, the containers that hold it and
blocks of the same template, and the page as a whole (`page_profile`, with the probability of each page type). Nothing
here depends on a language; what a lexicon or a model has learned comes in as arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels import block_measures as m
from curate.kernels.block_measures import MEASURES, Known, Phrases, find_known, known_room, measure_blocks
from curate.kernels.compiled import borrowing
from curate.kernels.html_names import FLAGS, HEADING, NUMBER
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_profile import LONG_CHARS, NUM_PROFILE, PROFILE, profile_page
from curate.kernels.page_reader import NUM_ELEMENTS, Page
from curate.kernels.page_templates import (
    TEMPLATE_FEATURES,
    Templates,
    find_templates,
    template_features,
    templates_room,
)
from curate.kernels.page_traits import (
    BLOCK_COUNT,
    CHARS,
    HEADINGS,
    KIND_NAMES,
    LINK_CHARS,
    LONG_BLOCKS,
    NUM_KINDS,
    PARAGRAPH_CHARS,
    SENTENCES,
    Floats,
    Traits,
    find_traits,
    sum_masses,
    traits_room,
)
from curate.kernels.unicode_tables import CharTable
from curate.kernels.utf8 import Bytes, Int

PAGE_TYPES: tuple[str, ...] = ("article", "collection", "documentation", "forum", "listing", "product", "service")
NUM_TYPES = len(PAGE_TYPES)

_OWN = (
    *("chars", "words", "link_frac", "links", "upper_frac", "digit_frac", "sentence_ends", "comma_frac", "mark_frac"),
    *("function_word_frac", "lower_word_frac", "short_word_frac", "lines", "title_frac", "title_words"),
    *("description_frac", "years", "separators", "code_frac", "questions", "at_signs", "currency"),
    *("ends_sentence", "starts_upper", "starts_digit", "phrase_mean", "phrase_min", "phrase_max", "first_phrase"),
    *("han_frac", "emphasis_frac", "word_chars"),
)
_AROUND = (
    *(f"in_{kind}" for kind in KIND_NAMES),
    *("name", "parent_name", "grandparent_name", "depth", "heading_level"),
    *("affinity", "nearest_affinity", "min_affinity", "max_affinity", "sum_affinity"),
    *("first_name", "elements_inside"),
)
_PLACE = (
    *("place_frac", "chars_before_frac", "place", "blocks_left", "blocks_since_heading", "chars_since_heading"),
    *("blocks_since_h1", "h1_seen", "title_heading_seen", "first_h1_distance", "chars_since_long", "blocks_to_long"),
    *("blocks_since_long", "heading_phrase_mean", "heading_first_phrase", "heading_name", "heading_affinity"),
)
_NEIGHBOUR = (
    *("chars", "link_frac", "sentence_ends", "name", "affinity", "same_element_parent", "phrase_mean"),
    "function_word_frac",
)
_NEIGHBOURS = ("before_1", "before_2", "before_3", "after_1", "after_2", "after_3")
_WINDOWS = (3, 8)
_WINDOW = ("chars", "link_frac", "long_frac", "sentence_ends", "phrase", "affinity")
_CONTAINERS = 4
_CONTAINER = (
    *("chars", "page_frac", "block_frac", "link_frac", "blocks", "mean_chars", "sentence_ends", "paragraph_frac"),
    *("headings", "long_blocks", "affinity", "name", "steps", "sum_affinity"),
)

FEATURES: tuple[str, ...] = (
    *_OWN,
    *_AROUND,
    *_PLACE,
    *(f"{which}_{name}" for which in _NEIGHBOURS for name in _NEIGHBOUR),
    *(f"window_{size}_{name}" for size in _WINDOWS for name in _WINDOW),
    *(f"container_{level}_{name}" for level in range(1, _CONTAINERS + 1) for name in _CONTAINER),
    *TEMPLATE_FEATURES,
    *PROFILE,
    *(f"type_{name}" for name in PAGE_TYPES),
)
NUM_FEATURES = len(FEATURES)
_AROUND_AT = len(_OWN)
_PLACE_AT = _AROUND_AT + len(_AROUND)
_NEIGHBOURS_AT = _PLACE_AT + len(_PLACE)
_WINDOWS_AT = _NEIGHBOURS_AT + len(_NEIGHBOURS) * len(_NEIGHBOUR)
_CONTAINERS_AT = _WINDOWS_AT + len(_WINDOWS) * len(_WINDOW)
_TEMPLATES_AT = _CONTAINERS_AT + _CONTAINERS * len(_CONTAINER)
PROFILE_AT = _TEMPLATES_AT + len(TEMPLATE_FEATURES)
TYPES_AT = PROFILE_AT + NUM_PROFILE

_NUM_MEASURES, _NUM_NEIGHBOUR, _NUM_WINDOW = len(MEASURES), len(_NEIGHBOUR), len(_WINDOW)
_NUM_CONTAINER = len(_CONTAINER)
_NEAR_OFFSETS = np.array([-1, -2, -3, 1, 2, 3], np.int64)
_WINDOW_SIZES = np.array(_WINDOWS, np.int64)
_H1, _H6, _P = NUMBER["h1"], NUMBER["h6"], NUMBER["p"]


class Scratch(NamedTuple):
    """Room for what is found on the way, for one page at a time."""

    known: Known
    traits: Traits
    measures: Floats  # float32[blocks, MEASURES]
    sums: NDArray[np.float64]  # float64[blocks + 1, 6]: running sums of what windows need
    templates: Templates


def scratch_room(page: Page, blocks: Blocks) -> Scratch:
    """Room for any page that `page` has room for."""
    size = blocks.first_run.size
    return Scratch(
        known_room(),
        traits_room(page),
        np.empty((size, _NUM_MEASURES), np.float32),
        np.empty((size + 1, 6), np.float64),
        templates_room(size, page.elements.name.size),
    )


@borrowing
def look_at_page(
    data: Bytes,
    url: Bytes,
    page: Page,
    blocks: Blocks,
    num_blocks: Int,
    table: CharTable,
    phrases: Phrases,
    scratch: Scratch,
    profile: Floats,
) -> None:
    """All that needs the text: measures of blocks, traits of elements, the profile of the page."""
    traits, measures = scratch.traits, scratch.measures
    find_known(data, page, table, scratch.known)
    measure_blocks(page, blocks, num_blocks, scratch.known, table, phrases, measures)
    _weigh_elements(page, blocks, num_blocks, traits, measures)
    find_traits(data, page, phrases.lexicon, traits)
    profile_page(data, url, page, blocks, num_blocks, traits, measures, profile)


@borrowing
def _weigh_elements(page: Page, blocks: Blocks, num_blocks: Int, traits: Traits, measures: Floats) -> None:
    mass = traits.mass
    for element in range(page.place[NUM_ELEMENTS]):
        for k in range(mass.shape[1]):
            mass[element, k] = 0
    for block in range(num_blocks):
        element = blocks.element[block]
        chars = measures[block, m.CHARS]
        mass[element, CHARS] += chars
        mass[element, LINK_CHARS] += measures[block, m.LINK_CHARS]
        mass[element, BLOCK_COUNT] += 1
        mass[element, SENTENCES] += measures[block, m.SENTENCE_ENDS]
        if page.elements.name[element] == _P:
            mass[element, PARAGRAPH_CHARS] += chars
        if FLAGS[page.elements.name[element]] & HEADING:
            mass[element, HEADINGS] += 1
        if chars >= LONG_CHARS:
            mass[element, LONG_BLOCKS] += 1
    sum_masses(page, traits)


@borrowing
def fill_features(
    page: Page,
    blocks: Blocks,
    num_blocks: Int,
    scratch: Scratch,
    profile: Floats,
    types: Floats,
    features: Floats,
) -> None:
    """Fill `features[block]` from what `look_at_page` found. `types` are the probabilities of the page types."""
    _sum_up(blocks, num_blocks, scratch)
    find_templates(page, blocks, num_blocks, scratch.traits, scratch.measures, scratch.templates)
    for block in range(num_blocks):
        _own(blocks, block, scratch.measures, features)
        _around(page, blocks, block, scratch.traits, features)
        _neighbours(page, blocks, block, num_blocks, scratch, features)
        _windows(block, num_blocks, scratch, features)
        _containers(page, blocks, block, scratch, features)
        template_features(page, blocks, block, scratch.traits, scratch.templates, _TEMPLATES_AT, features)
        for k in range(NUM_PROFILE):
            features[block, PROFILE_AT + k] = profile[k]
        for k in range(NUM_TYPES):
            features[block, TYPES_AT + k] = types[k]
    _places(page, blocks, num_blocks, scratch, features)


@borrowing
def _log(value: Int) -> Int:
    return np.float32(np.log1p(value))


@borrowing
def _own(blocks: Blocks, block: Int, measures: Floats, features: Floats) -> None:
    chars = max(measures[block, m.CHARS], np.float32(1))
    words = max(measures[block, m.WORDS], np.float32(1))
    known_phrases = max(min(words, np.float32(m.MAX_PHRASE_WORDS)), np.float32(1))
    features[block, 0] = _log(chars)
    features[block, 1] = measures[block, m.WORDS]
    features[block, 2] = measures[block, m.LINK_CHARS] / chars
    features[block, 3] = measures[block, m.LINKS]
    features[block, 4] = measures[block, m.UPPERS] / chars
    features[block, 5] = measures[block, m.DIGITS] / chars
    features[block, 6] = measures[block, m.SENTENCE_ENDS]
    features[block, 7] = measures[block, m.COMMAS] / words
    features[block, 8] = measures[block, m.OTHER_MARKS] / chars
    features[block, 9] = measures[block, m.FUNCTION_WORDS] / words
    features[block, 10] = measures[block, m.LOWER_WORDS] / words
    features[block, 11] = measures[block, m.SHORT_WORDS] / words
    features[block, 12] = measures[block, m.LINES]
    features[block, 13] = measures[block, m.TITLE_WORDS] / words
    features[block, 14] = measures[block, m.TITLE_WORDS]
    features[block, 15] = measures[block, m.DESCRIPTION_WORDS] / words
    features[block, 16] = measures[block, m.YEARS]
    features[block, 17] = measures[block, m.SEPARATORS]
    features[block, 18] = measures[block, m.CODE_MARKS] / chars
    features[block, 19] = measures[block, m.QUESTIONS]
    features[block, 20] = measures[block, m.AT_SIGNS]
    features[block, 21] = measures[block, m.CURRENCY]
    features[block, 22] = measures[block, m.ENDS_SENTENCE]
    features[block, 23] = measures[block, m.STARTS_UPPER]
    features[block, 24] = measures[block, m.STARTS_DIGIT]
    features[block, 25] = measures[block, m.PHRASE_SUM] / known_phrases
    features[block, 26] = measures[block, m.PHRASE_MIN]
    features[block, 27] = measures[block, m.PHRASE_MAX]
    features[block, 28] = measures[block, m.FIRST_PHRASE]
    features[block, 29] = measures[block, m.HAN] / chars
    features[block, 30] = measures[block, m.EMPHASIS_CHARS] / chars
    features[block, 31] = chars / words


@borrowing
def _around(page: Page, blocks: Blocks, block: Int, traits: Traits, features: Floats) -> None:
    elements = page.elements
    element = blocks.element[block]
    # The innermost element of the text, such as <b> or <a> within the block's own.
    chain, near = traits.chain_kinds[element], traits.near_kinds[element]
    for kind in range(NUM_KINDS):
        features[block, _AROUND_AT + kind] = (chain >> kind & 1) + (near >> kind & 1)
    at = _AROUND_AT + NUM_KINDS
    parent = elements.parent[element]
    name = elements.name[element]
    features[block, at] = name
    features[block, at + 1] = elements.name[parent]
    features[block, at + 2] = elements.name[elements.parent[parent]]
    features[block, at + 3] = traits.depth[element]
    features[block, at + 4] = name - _H1 + 1 if _H1 <= name <= _H6 else 0
    features[block, at + 5] = traits.affinity[element]
    features[block, at + 6] = traits.nearest[element]
    features[block, at + 7] = traits.chain_min[element]
    features[block, at + 8] = traits.chain_max[element]
    features[block, at + 9] = traits.chain_sum[element]
    innermost = page.runs.element[blocks.first_run[block]]
    features[block, at + 10] = elements.name[innermost]
    features[block, at + 11] = _log(elements.behind[element] - element)


@borrowing
def _sum_up(blocks: Blocks, num_blocks: Int, scratch: Scratch) -> None:
    """Running sums over blocks: chars, chars of links, of long blocks, sentence ends, phrases, affinity."""
    sums, measures = scratch.sums, scratch.measures
    for k in range(6):
        sums[0, k] = 0
    for block in range(num_blocks):
        chars = measures[block, m.CHARS]
        words = min(max(measures[block, m.WORDS], np.float32(1)), np.float32(m.MAX_PHRASE_WORDS))
        sums[block + 1, 0] = sums[block, 0] + chars
        sums[block + 1, 1] = sums[block, 1] + measures[block, m.LINK_CHARS]
        sums[block + 1, 2] = sums[block, 2] + (chars if chars >= LONG_CHARS else 0)
        sums[block + 1, 3] = sums[block, 3] + measures[block, m.SENTENCE_ENDS]
        sums[block + 1, 4] = sums[block, 4] + measures[block, m.PHRASE_SUM] / words
        sums[block + 1, 5] = sums[block, 5] + scratch.traits.nearest[blocks.element[block]]


@borrowing
def _neighbours(page: Page, blocks: Blocks, block: Int, num_blocks: Int, scratch: Scratch, features: Floats) -> None:
    measures, elements = scratch.measures, page.elements
    own_parent = elements.parent[blocks.element[block]]
    for which in range(_NEAR_OFFSETS.size):
        at = _NEIGHBOURS_AT + which * _NUM_NEIGHBOUR
        other = block + _NEAR_OFFSETS[which]
        if other < 0 or other >= num_blocks:
            for k in range(_NUM_NEIGHBOUR):
                features[block, at + k] = -1
            continue
        element = blocks.element[other]
        chars = max(measures[other, m.CHARS], np.float32(1))
        words = max(measures[other, m.WORDS], np.float32(1))
        features[block, at] = _log(chars)
        features[block, at + 1] = measures[other, m.LINK_CHARS] / chars
        features[block, at + 2] = measures[other, m.SENTENCE_ENDS]
        features[block, at + 3] = elements.name[element]
        features[block, at + 4] = scratch.traits.nearest[element]
        features[block, at + 5] = (
            2 if element == blocks.element[block] else 1 if elements.parent[element] == own_parent else 0
        )
        features[block, at + 6] = measures[other, m.PHRASE_SUM] / min(words, np.float32(m.MAX_PHRASE_WORDS))
        features[block, at + 7] = measures[other, m.FUNCTION_WORDS] / words


@borrowing
def _windows(block: Int, num_blocks: Int, scratch: Scratch, features: Floats) -> None:
    sums = scratch.sums
    for which in range(_WINDOW_SIZES.size):
        at = _WINDOWS_AT + which * _NUM_WINDOW
        first = max(block - _WINDOW_SIZES[which], 0)
        last = min(block + _WINDOW_SIZES[which] + 1, num_blocks)
        chars = max(sums[last, 0] - sums[first, 0], 1.0)
        features[block, at] = _log(chars)
        features[block, at + 1] = (sums[last, 1] - sums[first, 1]) / chars
        features[block, at + 2] = (sums[last, 2] - sums[first, 2]) / chars
        features[block, at + 3] = (sums[last, 3] - sums[first, 3]) / (last - first)
        features[block, at + 4] = (sums[last, 4] - sums[first, 4]) / (last - first)
        features[block, at + 5] = (sums[last, 5] - sums[first, 5]) / (last - first)


@borrowing
def _containers(page: Page, blocks: Blocks, block: Int, scratch: Scratch, features: Floats) -> None:
    """The smallest elements around a block that hold more text than the one before."""
    traits, elements = scratch.traits, page.elements
    mass = traits.mass
    chars = max(scratch.measures[block, m.CHARS], np.float32(1))
    page_chars = max(mass[0, CHARS], np.float32(1))
    element = blocks.element[block]
    held = scratch.measures[block, m.CHARS]
    steps = 0
    for level in range(_CONTAINERS):
        while element > 0 and mass[element, CHARS] <= held:
            element = elements.parent[element]
            steps += 1
        at = _CONTAINERS_AT + level * _NUM_CONTAINER
        inside = max(mass[element, CHARS], np.float32(1))
        features[block, at] = _log(inside)
        features[block, at + 1] = inside / page_chars
        features[block, at + 2] = chars / inside
        features[block, at + 3] = mass[element, LINK_CHARS] / inside
        features[block, at + 4] = mass[element, BLOCK_COUNT]
        features[block, at + 5] = _log(inside / max(mass[element, BLOCK_COUNT], np.float32(1)))
        features[block, at + 6] = mass[element, SENTENCES] / max(mass[element, BLOCK_COUNT], np.float32(1))
        features[block, at + 7] = mass[element, PARAGRAPH_CHARS] / inside
        features[block, at + 8] = mass[element, HEADINGS]
        features[block, at + 9] = mass[element, LONG_BLOCKS]
        features[block, at + 10] = traits.affinity[element]
        features[block, at + 11] = elements.name[element]
        features[block, at + 12] = steps
        features[block, at + 13] = traits.chain_sum[element]
        held = mass[element, CHARS]


@borrowing
def _places(page: Page, blocks: Blocks, num_blocks: Int, scratch: Scratch, features: Floats) -> None:
    """Where a block stands: on the page, behind headings, beside long blocks."""
    sums, measures, names = scratch.sums, scratch.measures, page.elements.name
    total = max(sums[num_blocks, 0], 1.0)
    first_h1 = -1
    best_title, title_block = np.float32(0), -1
    for block in range(num_blocks):
        name = names[blocks.element[block]]
        if name == _H1 and first_h1 < 0:
            first_h1 = block
        if FLAGS[name] & HEADING and measures[block, m.TITLE_WORDS] > best_title:
            best_title, title_block = measures[block, m.TITLE_WORDS], block
    heading, h1, long = -1, -1, -1
    for block in range(num_blocks):
        name = names[blocks.element[block]]
        at = _PLACE_AT
        features[block, at] = block / num_blocks
        features[block, at + 1] = sums[block, 0] / total
        features[block, at + 2] = block
        features[block, at + 3] = num_blocks - block
        features[block, at + 4] = block - heading if heading >= 0 else -1
        features[block, at + 5] = _log(sums[block, 0] - sums[heading, 0]) if heading >= 0 else -1
        features[block, at + 6] = block - h1 if h1 >= 0 else -1
        features[block, at + 7] = 1 if h1 >= 0 else 0
        features[block, at + 8] = block - title_block if title_block >= 0 else -9999
        features[block, at + 9] = block - first_h1 if first_h1 >= 0 else -9999
        features[block, at + 10] = _log(sums[block, 0] - sums[long + 1, 0]) if long >= 0 else -1
        features[block, at + 12] = block - long if long >= 0 else -1
        if heading >= 0:
            words = min(max(measures[heading, m.WORDS], np.float32(1)), np.float32(m.MAX_PHRASE_WORDS))
            features[block, at + 13] = measures[heading, m.PHRASE_SUM] / words
            features[block, at + 14] = measures[heading, m.FIRST_PHRASE]
            features[block, at + 15] = names[blocks.element[heading]]
            features[block, at + 16] = scratch.traits.nearest[blocks.element[heading]]
        else:
            for k in range(13, 17):
                features[block, at + k] = 0
        if FLAGS[name] & HEADING:
            heading = block
        if name == _H1:
            h1 = block
        if measures[block, m.CHARS] >= LONG_CHARS:
            long = block
    following = -1
    for block in range(num_blocks - 1, -1, -1):
        features[block, _PLACE_AT + 11] = following - block if following >= 0 else -1
        if measures[block, m.CHARS] >= LONG_CHARS:
            following = block
