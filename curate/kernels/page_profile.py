"""What a page is like as a whole: what tells an article from a forum, a shop, a listing or documentation.

Three looks: at its blocks and elements, at what its head declares (`og:type`, JSON-LD), and at its URL, which may be
unknown: then its features are -1.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.block_measures import (
    CHARS,
    CURRENCY,
    LINK_CHARS,
    QUESTIONS,
    SENTENCE_ENDS,
    WORDS,
    YEARS,
)
from curate.kernels.compiled import borrowing
from curate.kernels.html_names import NUMBER, key_slots, name_key
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_reader import NUM_ELEMENTS, Page, attribute, is_word
from curate.kernels.page_traits import KIND_NAMES, NUM_KINDS, Floats, Traits, next_word
from curate.kernels.utf8 import Bool, Bytes, Int

#: Elements that are counted.
_COUNTED = "h1 h2 h3 h4 p li tr img a form input pre article time table video dt blockquote button".split()
_COUNTED_PLACE = np.full(max(NUMBER.values()) + 1, -1, np.int32)
for _place, _name in enumerate(_COUNTED):
    _COUNTED_PLACE[NUMBER[_name]] = _place

#: What JSON-LD and `og:type` call a page; matched where they stand behind `"@type"` or in the meta's content.
_DECLARED = (
    "article newsarticle blogposting product itemlist collectionpage qapage discussionforumposting faqpage "
    "webpage website techarticle organization breadcrumblist profile localbusiness"
).split()
_DECLARED_SLOTS = key_slots([name_key(word) for word in _DECLARED], 64)
_DECLARED_KEYS = np.array([name_key(word) for word in _DECLARED], np.uint64)

#: Words of URLs, in groups.
_URL_GROUPS = {
    "forum": "forum forums thread threads topic viewtopic showthread questions question answers t discussion community",
    "product": "product products shop item dp store buy p catalog",
    "article": "blog news article articles post posts story stories opinion magazine press",
    "docs": "docs doc documentation wiki guide guides manual reference api tutorial tutorials learn help kb support",
    "listing": "category categories tag tags list search collection collections archive archives top best index all",
    "service": "services service about pricing contact company solutions features platform team careers home",
}
_URL_WORDS = {word: group for group, words in enumerate(_URL_GROUPS.values()) for word in words.split()}
_URL_SLOTS = key_slots([name_key(word) for word in _URL_WORDS], 512)
_URL_KEYS = np.array([name_key(word) for word in _URL_WORDS], np.uint64)
_URL_GROUP_OF = np.array([*_URL_WORDS.values()], np.int32)

_META, _SCRIPT = NUMBER["meta"], NUMBER["script"]

PROFILE: tuple[str, ...] = (
    *("page_blocks", "page_chars", "page_words", "page_link_frac", "page_sentence_ends", "page_questions"),
    *("page_years", "page_currency", "page_max_block_chars", "page_long_block_frac", "page_short_block_frac"),
    *("page_mean_block_chars", "page_elements", "page_sentence_block_frac", "page_text_byte_frac"),
    *(f"page_num_{name}" for name in _COUNTED),
    *(f"page_frac_{kind}" for kind in KIND_NAMES),
    *(f"page_declares_{word}" for word in _DECLARED),
    *("url_depth", "url_length", "url_digits", "url_dashes", "url_has_query", "url_has_date", "url_ends_slash"),
    *(f"url_{group}" for group in _URL_GROUPS),
)
_NUM_BASE = 15
_COUNTS = _NUM_BASE
_KINDS = _COUNTS + len(_COUNTED)
_DECLARES = _KINDS + NUM_KINDS
URL_AT = _DECLARES + len(_DECLARED)  # from here on all are of the URL
_URL_GROUPS_AT = URL_AT + 7
NUM_PROFILE = len(PROFILE)
#: Long blocks are sentences in most languages; our choice.
LONG_CHARS, SHORT_CHARS = 100, 25
_MAX_DECLARING_SCRIPTS = 8


@borrowing
def profile_page(
    data: Bytes,
    url: Bytes,
    page: Page,
    blocks: Blocks,
    num_blocks: Int,
    traits: Traits,
    measures: Floats,
    profile: Floats,
) -> None:
    """Fill `profile`: float32[NUM_PROFILE]. The URL is empty where it is unknown."""
    for k in range(NUM_PROFILE):
        profile[k] = 0
    _profile_blocks(page, blocks, num_blocks, traits, measures, profile)
    _profile_elements(data, page, profile)
    _profile_url(url, profile)
    profile[14] = min(profile[1] / max(page.elements.end[0] - page.elements.start[0], 1), 1)
    profile[0] = np.log1p(profile[0])
    profile[1] = np.log1p(profile[1])
    profile[2] = np.log1p(profile[2])
    profile[8] = np.log1p(profile[8])


@borrowing
def _profile_blocks(
    page: Page, blocks: Blocks, num_blocks: Int, traits: Traits, measures: Floats, profile: Floats
) -> None:
    total = np.float32(0)
    for block in range(num_blocks):
        chars = measures[block, CHARS]
        total += chars
        profile[2] += measures[block, WORDS]
        profile[3] += measures[block, LINK_CHARS]
        profile[4] += measures[block, SENTENCE_ENDS]
        profile[5] += measures[block, QUESTIONS]
        profile[6] += measures[block, YEARS]
        profile[7] += measures[block, CURRENCY]
        profile[8] = max(profile[8], chars)
        if chars >= LONG_CHARS:
            profile[9] += chars
        if chars < SHORT_CHARS:
            profile[10] += 1
        if measures[block, SENTENCE_ENDS] > 0:
            profile[13] += 1
        kinds = traits.chain_kinds[blocks.element[block]]
        for kind in range(NUM_KINDS):
            if kinds >> kind & 1:
                profile[_KINDS + kind] += chars
    profile[0] = num_blocks
    profile[1] = total
    total = max(total, np.float32(1))
    num = max(num_blocks, 1)
    for k in (3, 9):
        profile[k] /= total
    for k in (4, 5, 6, 7):
        profile[k] = 1000 * profile[k] / max(profile[2], np.float32(1))
    profile[10] /= num
    profile[13] /= num
    profile[11] = np.log1p(total / num)
    for kind in range(NUM_KINDS):
        profile[_KINDS + kind] /= total


@borrowing
def _profile_elements(data: Bytes, page: Page, profile: Floats) -> None:
    elements = page.elements
    num_scripts = 0
    for element in range(page.place[NUM_ELEMENTS]):
        name = elements.name[element]
        place = _COUNTED_PLACE[name]
        if place >= 0:
            profile[_COUNTS + place] += 1
        elif name == _META:
            _declared_by_meta(data, elements.attributes[element], elements.content[element], profile)
        elif (
            name == _SCRIPT
            and num_scripts < _MAX_DECLARING_SCRIPTS
            and _is_linked_data(data, elements.attributes[element], elements.content[element])
        ):
            num_scripts += 1
            _declared_by_script(data, elements.content[element], elements.end[element], profile)
    for k in range(_COUNTS, _KINDS):
        profile[k] = np.log1p(profile[k])
    profile[12] = np.log1p(np.float32(page.place[NUM_ELEMENTS]))


@borrowing
def _declare(data: Bytes, start: Int, end: Int, profile: Floats) -> None:
    """Note what a word declares the page to be. It is one word whatever its case: NewsArticle, newsarticle."""
    if end - start > 24:
        return
    key = _small_key(data, start, end)
    slot = np.int64(key >> np.uint64(40)) & 63
    while _DECLARED_SLOTS[slot] >= 0:
        if _DECLARED_KEYS[_DECLARED_SLOTS[slot]] == key:
            profile[_DECLARES + _DECLARED_SLOTS[slot]] = 1
            return
        slot = (slot + 1) & 63


@borrowing
def _small_key(data: Bytes, start: Int, end: Int) -> Int:
    key = np.uint64(0xCBF29CE484222325)
    for i in range(start, end):
        byte = data[i]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        key = (key ^ np.uint64(byte)) * np.uint64(0x100000001B3)
    return key


@borrowing
def _declared_by_meta(data: Bytes, i: Int, end: Int, profile: Floats) -> None:
    start = behind = 0
    is_type = False
    while True:
        name_start, name_end, value_start, value_end, i = attribute(data, i, end)
        if name_end == name_start:
            break
        if is_word(data, name_start, name_end, b"content"):
            start, behind = value_start, value_end
        elif is_word(data, value_start, value_end, b"og:type"):
            is_type = True
    if is_type:
        _declare(data, start, behind, profile)


@borrowing
def _is_linked_data(data: Bytes, i: Int, end: Int) -> Bool:
    """Whether the attributes of a script say that it is JSON-LD."""
    while True:
        name_start, name_end, value_start, value_end, i = attribute(data, i, end)
        if name_end == name_start:
            return False
        if is_word(data, value_start, value_end, b"application/ld+json"):
            return True


@borrowing
def _declared_by_script(data: Bytes, start: Int, end: Int, profile: Floats) -> None:
    """Every `"@type": "Word"` and `"@type": ["Word", …` up to 64 KiB of the script."""
    end = min(end, start + 65_536)
    for i in range(start, end - 10):
        if data[i] == 0x40 and is_word(data, i, i + 5, b"@type"):
            j = i + 6
            while j < end and (data[j] <= 0x20 or data[j] == 0x3A or data[j] == 0x5B or data[j] == 0x22):
                j += 1
            behind = j
            while behind < end and data[behind] != 0x22:
                behind += 1
            _declare(data, j, behind, profile)


@borrowing
def _profile_url(url: Bytes, profile: Floats) -> None:
    end = url.size
    if end == 0:
        for k in range(URL_AT, NUM_PROFILE):
            profile[k] = -1
        return
    i = 0
    slashes = 0
    while i < end and slashes < 3:  # behind https://host/
        slashes += url[i] == 0x2F
        i += 1
    digits = 0
    for j in range(i, end):
        byte = url[j]
        if byte == 0x2F:
            profile[URL_AT] += 1
        elif 0x30 <= byte <= 0x39:
            digits += 1
            profile[URL_AT + 2] += 1
            if digits == 4 and j + 3 < end and url[j - 3] <= 0x32 and (url[j + 1] == 0x2F or url[j + 1] == 0x2D):
                profile[URL_AT + 5] = 1
            continue
        elif byte == 0x2D:
            profile[URL_AT + 3] += 1
        elif byte == 0x3F:
            profile[URL_AT + 4] = 1
        digits = 0
    profile[URL_AT + 1] = end - i
    profile[URL_AT + 6] = 1 if url[end - 1] == 0x2F else 0
    while i < end:
        key, i = next_word(url, i, end)
        if key != 0:
            slot = np.int64(key >> np.uint64(40)) & 511
            while _URL_SLOTS[slot] >= 0:
                if _URL_KEYS[_URL_SLOTS[slot]] == key:
                    profile[_URL_GROUPS_AT + _URL_GROUP_OF[_URL_SLOTS[slot]]] += 1
                    break
                slot = (slot + 1) & 511
