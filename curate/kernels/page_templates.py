"""What on a page is made by one template: the items of a listing, the posts of a thread, the links of a menu.

Two looks. **Blocks** are grouped by the name and classes of their element, and by those of three elements around it.
**Siblings** are elements of one parent with the same name and classes; a block is told of the innermost element around
it that has such siblings, and of the one whose siblings hold most text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels import block_measures as m
from curate.kernels.compiled import borrowing
from curate.kernels.html_names import FACTOR
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_reader import NUM_ELEMENTS, Int32s, Page
from curate.kernels.page_traits import BLOCK_COUNT, CHARS, LINK_CHARS, Floats, Keys, Traits
from curate.kernels.utf8 import Int

_REPEATS = ("inner", "largest")
_REPEAT = ("siblings", "mean_chars", "link_frac", "page_frac", "place", "steps", "mean_blocks")
_TEMPLATES = ("own", "chain")
_TEMPLATE = ("blocks", "mean_chars", "link_frac", "page_frac", "sentence_ends", "run")
TEMPLATE_FEATURES: tuple[str, ...] = (
    *(f"repeat_{which}_{name}" for which in _REPEATS for name in _REPEAT),
    *(f"template_{which}_{name}" for which in _TEMPLATES for name in _TEMPLATE),
)
_NUM_REPEAT, _NUM_TEMPLATE = len(_REPEAT), len(_TEMPLATE)
_MIN_SIBLINGS = 3  # our choice: two of a kind are no list

#: Sums over the members of a group.
_NUM, _CHARS, _LINK_CHARS, _OTHER = range(4)  # the other: sentence ends of blocks, blocks of siblings


class Templates(NamedTuple):
    """Room for the groups of one page. Hash tables are powers of two, and empty between pages."""

    block_keys: Keys
    block_slots: Int32s
    block_groups: Floats  # float32[2 * blocks, 4]
    group_of_block: Int32s  # int32[2, blocks]: by its element, by elements around it
    sibling_keys: Keys
    sibling_slots: Int32s
    sibling_groups: Floats  # float32[elements, 4]
    group_of_element: Int32s  # int32[elements]: -1 where it has no text
    place_in_group: Int32s  # int32[elements]: how many of its group come before it


def templates_room(num_blocks: int, num_elements: int) -> Templates:
    """Room for pages of at most so many blocks and elements."""
    return Templates(
        np.empty(2 * num_blocks, np.uint64),
        np.full(1 << max(4 * num_blocks - 1, 15).bit_length(), -1, np.int32),
        np.empty((2 * num_blocks, 4), np.float32),
        np.empty((2, num_blocks), np.int32),
        np.empty(num_elements, np.uint64),
        np.full(1 << max(2 * num_elements - 1, 15).bit_length(), -1, np.int32),
        np.empty((num_elements, 4), np.float32),
        np.empty(num_elements, np.int32),
        np.empty(num_elements, np.int32),
    )


@borrowing
def find_templates(
    page: Page, blocks: Blocks, num_blocks: Int, traits: Traits, measures: Floats, templates: Templates
) -> None:
    """Fill `templates` with the groups of a page."""
    _group_blocks(page, blocks, num_blocks, traits, measures, templates)
    _group_siblings(page, traits, templates)


@borrowing
def template_features(
    page: Page, blocks: Blocks, block: Int, traits: Traits, templates: Templates, at: Int, features: Floats
) -> None:
    """Fill `TEMPLATE_FEATURES` of a block from `features[block, at]` on. Blocks must come in order."""
    _repeats(page, blocks, block, traits, templates, at, features)
    _templates(block, traits, templates, at + 2 * _NUM_REPEAT, features)


@borrowing
def _group(key: Int, num_groups: Int, keys: Keys, slots: Int32s, sums: Floats) -> Int:
    """The number of a key's group, a new one where it has none."""
    slot = np.int64(key >> np.uint64(32)) & (slots.size - 1)
    while slots[slot] >= 0:
        if keys[slots[slot]] == key:
            return slots[slot]
        slot = (slot + 1) & (slots.size - 1)
    slots[slot] = num_groups
    keys[num_groups] = key
    for k in range(4):
        sums[num_groups, k] = 0
    return num_groups


@borrowing
def _clear(num_groups: Int, keys: Keys, slots: Int32s) -> None:
    """Leave the table empty for the next page."""
    for group in range(num_groups):
        slot = np.int64(keys[group] >> np.uint64(32)) & (slots.size - 1)
        while slots[slot] != group:
            slot = (slot + 1) & (slots.size - 1)
        keys[group] = np.uint64(slot)
    for group in range(num_groups):
        slots[np.int64(keys[group])] = -1


@borrowing
def _group_blocks(
    page: Page, blocks: Blocks, num_blocks: Int, traits: Traits, measures: Floats, templates: Templates
) -> None:
    """Group blocks by their element's name and classes, and by those of three elements around it."""
    groups = templates.block_groups
    num_groups = 0
    for block in range(num_blocks):
        element = blocks.element[block]
        key = traits.signature[element]
        for which in range(2):
            if which == 1:
                parent = page.elements.parent[element]
                grandparent = page.elements.parent[parent]
                key = key * np.uint64(31) + traits.signature[parent] * np.uint64(17)
                key = key * np.uint64(31) + traits.signature[grandparent] * np.uint64(13) + np.uint64(1)
            group = _group(key, num_groups, templates.block_keys, templates.block_slots, groups)
            num_groups = max(num_groups, group + 1)
            templates.group_of_block[which, block] = group
            groups[group, _NUM] += 1
            groups[group, _CHARS] += measures[block, m.CHARS]
            groups[group, _LINK_CHARS] += measures[block, m.LINK_CHARS]
            groups[group, _OTHER] += measures[block, m.SENTENCE_ENDS]
    _clear(num_groups, templates.block_keys, templates.block_slots)


@borrowing
def _group_siblings(page: Page, traits: Traits, templates: Templates) -> None:
    """Group elements by their parent and template: the items of a listing, the posts of a thread."""
    elements, groups = page.elements, templates.sibling_groups
    num_groups = 0
    for element in range(page.place[NUM_ELEMENTS]):
        templates.group_of_element[element] = -1
        if element == 0 or traits.mass[element, BLOCK_COUNT] == 0:
            continue
        key = (traits.signature[element] + np.uint64(elements.parent[element])) * FACTOR
        key = (key ^ (key >> np.uint64(31))) * FACTOR
        group = _group(key, num_groups, templates.sibling_keys, templates.sibling_slots, groups)
        num_groups = max(num_groups, group + 1)
        templates.group_of_element[element] = group
        templates.place_in_group[element] = np.int32(groups[group, _NUM])
        groups[group, _NUM] += 1
        groups[group, _CHARS] += traits.mass[element, CHARS]
        groups[group, _LINK_CHARS] += traits.mass[element, LINK_CHARS]
        groups[group, _OTHER] += traits.mass[element, BLOCK_COUNT]
    _clear(num_groups, templates.sibling_keys, templates.sibling_slots)


@borrowing
def _repeats(
    page: Page, blocks: Blocks, block: Int, traits: Traits, templates: Templates, at: Int, features: Floats
) -> None:
    groups = templates.sibling_groups
    inner: Int = 0
    largest: Int = 0
    inner_steps, largest_steps, steps = 0, 0, 0
    most = np.float32(0)
    element = blocks.element[block]
    while element > 0:
        group = templates.group_of_element[element]
        if group >= 0 and groups[group, _NUM] >= _MIN_SIBLINGS:
            if inner == 0:
                inner, inner_steps = element, steps
            if groups[group, _CHARS] > most:
                most, largest, largest_steps = groups[group, _CHARS], element, steps
        element = page.elements.parent[element]
        steps += 1
    _repeat(inner, inner_steps, block, traits, templates, at, features)
    _repeat(largest, largest_steps, block, traits, templates, at + _NUM_REPEAT, features)


@borrowing
def _repeat(
    element: Int, steps: Int, block: Int, traits: Traits, templates: Templates, at: Int, features: Floats
) -> None:
    if element == 0:
        for k in range(_NUM_REPEAT):
            features[block, at + k] = -1
        return
    group = templates.group_of_element[element]
    groups = templates.sibling_groups
    num, chars = groups[group, _NUM], max(groups[group, _CHARS], np.float32(1))
    features[block, at] = num
    features[block, at + 1] = np.float32(np.log1p(chars / num))
    features[block, at + 2] = groups[group, _LINK_CHARS] / chars
    features[block, at + 3] = chars / max(traits.mass[0, CHARS], np.float32(1))
    features[block, at + 4] = templates.place_in_group[element]
    features[block, at + 5] = steps
    features[block, at + 6] = groups[group, _OTHER] / num


@borrowing
def _templates(block: Int, traits: Traits, templates: Templates, start: Int, features: Floats) -> None:
    groups = templates.block_groups
    page_chars = max(traits.mass[0, CHARS], np.float32(1))
    for which in range(2):
        at = start + which * _NUM_TEMPLATE
        group = templates.group_of_block[which, block]
        num = groups[group, _NUM]
        chars = max(groups[group, _CHARS], np.float32(1))
        features[block, at] = num
        features[block, at + 1] = np.float32(np.log1p(chars / num))
        features[block, at + 2] = groups[group, _LINK_CHARS] / chars
        features[block, at + 3] = chars / page_chars
        features[block, at + 4] = groups[group, _OTHER] / num
        same = block > 0 and templates.group_of_block[which, block - 1] == group
        features[block, at + 5] = features[block - 1, at + 5] + 1 if same else 0
