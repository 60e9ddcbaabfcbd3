"""What each element of a page is by its name, its class and id, and the text inside of it.

**Kinds** are bits: one for each kind of element (`nav`, `article`, a list, a table, …) and one for each group of words
that authors put into `class`, `id`, `role` and `itemprop` ("sidebar", "comment", "related", …). **Affinity** is what a
learned lexicon says about these words: positive where they stood around main text in the training pages. **Mass** is
how much text an element holds with all its descendants.

A word of a class is a part between white space, "-", "_" and other punctuation; a change of case and a number end one
too, and numbers are no words: "post-1234", "postBody" and "post_body" all have the word "post".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import FACTOR, NAMES, NUMBER, SEED, key_slots, name_key
from curate.kernels.page_reader import NUM_ELEMENTS, Int32s, Page
from curate.kernels.utf8 import Bytes, Int

Floats = NDArray[np.float32]
Keys = NDArray[np.uint64]

#: Places of the learned lexicon. Words share places by their hash; 2,612 pages have some 30,000 words of classes.
LEXICON_SIZE = 1 << 16

#: Kinds of elements by name.
NAME_KINDS: dict[str, str] = {
    "nav": "nav menu",
    "header": "header",
    "footer": "footer",
    "aside": "aside",
    "article": "article",
    "main": "main",
    "section": "section",
    "form": "form fieldset label",
    "button": "button",
    "list": "ul ol dl",
    "table": "table",
    "cell": "td th",
    "pre": "pre code",
    "quote": "blockquote q",
    "figure": "figure figcaption caption",
    "heading": "h1 h2 h3 h4 h5 h6",
    "paragraph": "p",
    "details": "details summary",
    "noscript": "noscript",
    "link": "a",
    "emphasis": "b strong em i",
    "math": "math",
}
#: Groups of words of classes. Our choice, from what blog engines, shops, forums and wikis write.
WORD_KINDS: dict[str, str] = {
    "word_nav": "nav navbar navigation menu menubar submenu breadcrumb breadcrumbs crumbs topbar navigationlist skip",
    "word_side": "sidebar side aside rail widget widgets complementary secondary",
    "word_foot": "footer foot bottom colophon copyright contentinfo legal",
    "word_head": "header masthead banner head top",
    "word_comment": "comment comments disqus reply replies respond discussion responses commentlist",
    "word_share": "share sharing social facebook twitter follow addthis sns",
    "word_related": "related recommended recommendations similar more also popular trending latest recent teaser",
    "word_ad": "ad ads advert advertisement sponsor sponsored promo promotion banner adsense cta",
    "word_meta": "meta byline author date time timestamp published tags tag category categories posted info bio",
    "word_content": "content article post entry body story text main maincontent prose markdown articlebody rich",
    "word_dialog": "modal popup overlay cookie cookies consent gdpr newsletter subscribe signup login dialog",
    "word_pager": "pagination pager next prev previous paging pages",
    "word_product": "product price cart shop buy sku specs specification rating ratings stars",
    "word_review": "review reviews testimonial testimonials customer",
    "word_forum": "thread message topic question answer forum posts messages bbs votes user",
    "word_list": "list listing results result grid cards card item items tile tiles row catalog collection",
    "word_title": "title headline heading hero subtitle lead intro summary excerpt standfirst",
    "word_contents": "toc contents index tableofcontents",
    "word_caption": "caption credit figure image gallery photo thumbnail media slider carousel swiper",
    "word_hidden": "hidden hide invisible sr screen visually offscreen collapsed collapse noprint",
    "word_docs": "doc docs documentation api reference code highlight section",
    "word_description": "description desc about details detail overview feature features",
    "word_faq": "faq accordion question questions tab tabs panel",
}
KINDS: tuple[str, ...] = (*NAME_KINDS, *WORD_KINDS)
HIDDEN_KIND = len(KINDS)  # of elements that say that they are not shown
NUM_KINDS = len(KINDS) + 1
KIND_NAMES: tuple[str, ...] = (*KINDS, "not_shown")


def _kinds_of_names() -> NDArray[np.int64]:
    kinds = np.zeros(len(NAMES), np.int64)
    for bit, names in enumerate(NAME_KINDS.values()):
        for name in names.split():
            kinds[NUMBER[name]] |= 1 << bit
    return kinds


def _kinds_of_words() -> dict[str, int]:
    kinds: dict[str, int] = {}
    for bit, words in enumerate(WORD_KINDS.values(), len(NAME_KINDS)):
        for word in words.split():
            kinds[word] = kinds.get(word, 0) | 1 << bit
    return kinds


_OF_NAME = _kinds_of_names()
_WORDS = _kinds_of_words()
_NUM_SLOTS = 1024
_WORD_KEYS = np.array([name_key(word) for word in _WORDS], np.uint64)
_WORD_SLOTS = key_slots([name_key(word) for word in _WORDS], _NUM_SLOTS)
_WORD_BITS = np.array([*_WORDS.values()], np.int64)

_BODY, _HTML = NUMBER["body"], NUMBER["html"]

#: Where in the lexicon words of classes and ids lie, beside those of texts: another beginning of the hash.
_CLASS, _ID, _ROLE = np.uint64(0x51ED270B), np.uint64(0x2545F491), np.uint64(0x9E3779B9)


class Traits(NamedTuple):
    """Of each element of one page. `chain` counts the element and all around it."""

    kinds: NDArray[np.int64]  # bits of KIND_NAMES
    chain_kinds: NDArray[np.int64]
    near_kinds: NDArray[np.int64]  # of the element and the two around it
    affinity: Floats  # sum of the lexicon over its words, bounded to -4 to 4; 0 where it has none
    nearest: Floats  # of the nearest element, itself or around it, that has any
    chain_min: Floats
    chain_max: Floats
    chain_sum: Floats
    signature: Keys  # of its name and classes: equal for elements made by the same template
    depth: Int32s
    mass: NDArray[np.float32]  # float32[number of elements, len(MASSES)]


#: Sums over the text inside an element.
MASSES: tuple[str, ...] = (
    *("chars", "link_chars", "blocks", "sentence_ends", "paragraph_chars", "headings", "long_blocks"),
)
CHARS, LINK_CHARS, BLOCK_COUNT, SENTENCES, PARAGRAPH_CHARS, HEADINGS, LONG_BLOCKS = range(len(MASSES))


def traits_room(page: Page) -> Traits:
    """Room for the traits of any page that `page` has room for."""
    size = page.elements.name.size
    kinds, chain, near = (np.empty(size, np.int64) for _ in range(3))
    affinity, nearest, lowest, highest, whole = (np.empty(size, np.float32) for _ in range(5))
    return Traits(
        kinds,
        chain,
        near,
        affinity,
        nearest,
        lowest,
        highest,
        whole,
        np.empty(size, np.uint64),
        np.empty(size, np.int32),
        np.empty((size, len(MASSES)), np.float32),
    )


@borrowing
def sum_masses(page: Page, traits: Traits) -> None:
    """Add what each element holds to those around it. Children come behind their parents."""
    for element in range(page.place[NUM_ELEMENTS] - 1, 0, -1):
        if traits.mass[element, BLOCK_COUNT] > 0:
            parent = page.elements.parent[element]
            for k in range(traits.mass.shape[1]):
                traits.mass[parent, k] += traits.mass[element, k]


@borrowing
def find_traits(data: Bytes, page: Page, lexicon: Floats, traits: Traits) -> None:
    """Fill in all but the masses, which must be there: elements without text are passed over."""
    elements = page.elements
    traits.kinds[0] = traits.chain_kinds[0] = traits.near_kinds[0] = 0
    traits.affinity[0] = traits.nearest[0] = traits.chain_min[0] = traits.chain_max[0] = traits.chain_sum[0] = 0
    traits.signature[0] = SEED
    traits.depth[0] = 0
    for element in range(1, page.place[NUM_ELEMENTS]):
        if traits.mass[element, BLOCK_COUNT] == 0:
            continue
        parent = elements.parent[element]
        kinds = _OF_NAME[elements.name[element]]
        signature = (SEED ^ np.uint64(elements.name[element])) * FACTOR
        affinity = np.float32(0)
        bits, worth, key = _words(data, elements.class_start[element], elements.class_end[element], _CLASS, lexicon)
        kinds |= bits
        affinity += worth
        signature = (signature ^ key) * FACTOR
        bits, worth, key = _words(data, elements.id_start[element], elements.id_end[element], _ID, lexicon)
        kinds |= bits
        affinity += worth
        bits, worth, key = _words(data, elements.role_start[element], elements.role_end[element], _ROLE, lexicon)
        kinds |= bits
        affinity += worth
        if elements.hidden[element]:
            kinds |= 1 << HIDDEN_KIND
        if elements.name[element] == _BODY or elements.name[element] == _HTML:
            kinds, affinity = np.int64(0), np.float32(0)  # their classes speak of the page, not of a part of it
        affinity = min(max(affinity, np.float32(-4)), np.float32(4))
        traits.kinds[element] = kinds
        traits.chain_kinds[element] = kinds | traits.chain_kinds[parent]
        traits.near_kinds[element] = kinds | traits.kinds[parent] | traits.kinds[elements.parent[parent]]
        traits.affinity[element] = affinity
        traits.nearest[element] = affinity if affinity != 0 else traits.nearest[parent]
        traits.chain_min[element] = min(affinity, traits.chain_min[parent])
        traits.chain_max[element] = max(affinity, traits.chain_max[parent])
        traits.chain_sum[element] = affinity + traits.chain_sum[parent]
        traits.signature[element] = signature
        traits.depth[element] = traits.depth[parent] + 1


@borrowing
def _words(data: Bytes, start: Int, end: Int, space: Int, lexicon: Floats) -> tuple[Int, Int, Int]:
    """Kinds of the words of a class, their worth by the lexicon, and a key of them all."""
    bits = np.int64(0)
    worth: Int = np.float32(0)
    whole = SEED
    i = start
    while i < end:
        key, i = next_word(data, i, end)
        if key != 0:
            whole = (whole ^ key) * FACTOR
            bits |= _kinds_of(key)
            worth += lexicon[lexicon_place(key, space)]
    return bits, worth, whole


@borrowing
def next_word(data: Bytes, i: Int, end: Int) -> tuple[Int, Int]:
    """The key of the next word from `i` on, 0 where there is none, and the place behind it."""
    while i < end and not 0x61 <= (data[i] | 0x20) <= 0x7A and data[i] < 0x80:
        i += 1
    start = i
    key = SEED
    small = False
    while i < end:
        byte = data[i]
        if 0x41 <= byte <= 0x5A:
            if small:  # postBody
                break
            byte |= 0x20
        elif 0x61 <= byte <= 0x7A:
            small = True
        elif byte < 0x80:
            break
        key = (key ^ np.uint64(byte)) * FACTOR
        i += 1
    return (key if i > start else np.uint64(0)), i


@borrowing
def _kinds_of(key: Int) -> Int:
    slot = np.int64(key >> np.uint64(40)) & (_NUM_SLOTS - 1)
    while _WORD_SLOTS[slot] >= 0:
        if _WORD_KEYS[_WORD_SLOTS[slot]] == key:
            return _WORD_BITS[_WORD_SLOTS[slot]]
        slot = (slot + 1) & (_NUM_SLOTS - 1)
    return np.int64(0)


@borrowing
def lexicon_place(key: Int, space: Int) -> Int:
    """Where a word lies in the lexicon. `space` keeps words of classes, ids and texts apart."""
    mixed = (key ^ space) * FACTOR
    mixed ^= mixed >> np.uint64(29)
    return np.int64((mixed * FACTOR) >> np.uint64(48)) & (LEXICON_SIZE - 1)


@borrowing
def add_class_counts(data: Bytes, page: Page, traits: Traits, wanted: Floats, counts: Floats) -> None:
    """For training: add to `counts[place]` the shares of the page's text, main and other, that a word stands around.

    `wanted` is how much of each element's text is main text, in characters; `traits.mass` has all its text.
    """
    elements = page.elements
    total = max(traits.mass[0, CHARS], np.float32(1))
    for element in range(1, page.place[NUM_ELEMENTS]):
        if traits.mass[element, BLOCK_COUNT] == 0:
            continue
        main = wanted[element] / total
        other = (traits.mass[element, CHARS] - wanted[element]) / total
        _count(data, elements.class_start[element], elements.class_end[element], _CLASS, main, other, counts)
        _count(data, elements.id_start[element], elements.id_end[element], _ID, main, other, counts)
        _count(data, elements.role_start[element], elements.role_end[element], _ROLE, main, other, counts)


@borrowing
def _count(data: Bytes, start: Int, end: Int, space: Int, main: Int, other: Int, counts: Floats) -> None:
    i = start
    while i < end:
        key, i = next_word(data, i, end)
        if key != 0:
            at = lexicon_place(key, space)
            counts[at, 0] += main
            counts[at, 1] += other
