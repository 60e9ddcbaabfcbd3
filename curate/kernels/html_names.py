"""Names of HTML elements as small numbers, and what the HTML standard says about each.

Sources: the HTML standard (https://html.spec.whatwg.org): "Void elements", "The stack of open elements" (special and
formatting elements, scopes), "The rules for parsing tokens in HTML content", and its rendering section for what is a
block. Names that are not here (custom elements, most of SVG) have the number `OTHER`.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bytes, Int

_VOID = "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"
_RAW = "script style xmp iframe noembed noframes plaintext"
_RAW_WITH_ENTITIES = "textarea title"
#: Start tags of these end an open `<p>`.
_CLOSES_P = (
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form header "
    "hgroup main menu nav ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing table hr li dd dt plaintext xmp"
)
_BLOCK = (
    _CLOSES_P
    + " html body legend optgroup option caption thead tbody tfoot tr td th frameset noscript template object "
    "applet marquee video audio canvas select button textarea iframe head title center"
)
_FORMATTING = "a b big code em font i nobr s small strike strong tt u"
_SPECIAL = (
    _CLOSES_P + " applet area base basefont bgsound body br button caption col colgroup embed frame frameset head html "
    "iframe img input keygen link marquee meta noembed noframes noscript object param script select source style tbody "
    "td template textarea tfoot th thead title tr track wbr"
)
#: An end tag or an implied end does not look beyond these.
_SCOPE = "html table td th caption applet marquee object template foreignobject desc annotation-xml"
_IN_HEAD = "html head base basefont bgsound link meta title noscript noframes style script template"
#: Text in these is none that a reader of the page sees.
_UNSEEN = (
    "script style template title head noframes noembed iframe svg textarea select datalist canvas audio video object "
    "annotation annotation-xml"
)
_HEADING = "h1 h2 h3 h4 h5 h6"
_INLINE = (
    "span abbr acronym cite dfn kbd samp var sub sup q time mark ins del bdi bdo data label ruby rb rp rt rtc picture "
    "map output progress meter slot svg math text path g use tspan datalist image"
)
_MATH = (
    "mi mn mo ms mtext mrow mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd semantics "
    "annotation mstyle mspace mpadded mfenced mmultiscripts mprescripts menclose"
)

#: Start tags that end SVG or MathML around them, and here all blocks do: an `<svg>` left open hides less of a page.
_BREAKS_OUT = (
    _CLOSES_P
    + " b big body br code em embed font head i img meta nobr ruby s small span strike strong sub sup tt u var"
)
#: Parts of a table that hold no text themselves, those that do, and both without the table itself.
_ROWS = "table thead tbody tfoot tr colgroup"
_CELL = "td th caption"
_TABLE_PART = "thead tbody tfoot tr colgroup col td th caption"
#: Start tags that are none in some places, and those that end more than `<p>` and headings.
_ONCE = "html head body form"
_ENDS_KIN = (
    _ROWS + " " + _TABLE_PART + " body head li dd dt option optgroup a nobr button select input textarea rb rt rtc rp"
)
#: Elements of SVG and MathML that hold HTML.
_HOLDS_HTML = "foreignobject desc annotation-xml mi mo mn ms mtext"

_GROUPS = (_BLOCK, _VOID, _RAW, _RAW_WITH_ENTITIES, _FORMATTING, _SPECIAL, _SCOPE, _IN_HEAD, _UNSEEN, _INLINE, _MATH)
#: Every name with a number; its place here is the number. 0 is any other name, 1 the document itself.
NAMES: tuple[str, ...] = ("", "#document", *sorted({name for group in _GROUPS for name in group.split()}))
NUMBER = {name: number for number, name in enumerate(NAMES)}
OTHER = 0

VOID = 1 << 0
RAW = 1 << 1  # content is text up to its own end tag
RCDATA = 1 << 2  # the same, with entities
CLOSES_P = 1 << 3
BLOCK = 1 << 4  # begins and ends a line of its own
FORMATTING = 1 << 5
SPECIAL = 1 << 6
SCOPE = 1 << 7
IN_HEAD = 1 << 8
UNSEEN = 1 << 9
HEADING = 1 << 10
BREAKS_OUT = 1 << 11
HOLDS_HTML = 1 << 12
ROWS = 1 << 13
CELL = 1 << 14
TABLE_PART = 1 << 15
ONCE = 1 << 16
ENDS_KIN = 1 << 17


def _flags() -> np.ndarray:
    flags = np.zeros(len(NAMES), np.int32)
    for bit, group in (
        *((VOID, _VOID), (RAW, _RAW), (RCDATA, _RAW_WITH_ENTITIES), (CLOSES_P, _CLOSES_P), (BLOCK, _BLOCK)),
        *((FORMATTING, _FORMATTING), (SPECIAL, _SPECIAL), (SCOPE, _SCOPE), (IN_HEAD, _IN_HEAD), (UNSEEN, _UNSEEN)),
        *((HEADING, _HEADING), (BREAKS_OUT, _BREAKS_OUT), (HOLDS_HTML, _HOLDS_HTML), (ROWS, _ROWS), (CELL, _CELL)),
        *((TABLE_PART, _TABLE_PART), (ONCE, _ONCE), (ENDS_KIN, _ENDS_KIN)),
    ):
        for name in group.split():
            flags[NUMBER[name]] |= bit
    return flags


#: What an element is, by its number: int32[len(NAMES)].
FLAGS = _flags()

_SEED, _FACTOR = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a
_NUM_SLOTS = 1024
SEED, FACTOR = np.uint64(_SEED), np.uint64(_FACTOR)


def name_key(name: str) -> int:
    """The key of a lower-case name, as `key_of` has it."""
    key = _SEED
    for byte in name.encode():
        key = ((key ^ byte) * _FACTOR) % 2**64
    return key


def key_slots(keys: list[int], num_slots: int) -> np.ndarray:
    """A hash table of different keys for `slot_of`: int32[num_slots] of places in `keys`, -1 where empty."""
    slots = np.full(num_slots, -1, np.int32)
    for place, key in enumerate(keys):
        slot = (key >> 40) % num_slots
        while slots[slot] >= 0:
            slot = (slot + 1) % num_slots
        slots[slot] = place
    return slots


_KEYS = np.array([name_key(name) for name in NAMES], np.uint64)
_SLOTS = key_slots([name_key(name) for name in NAMES], _NUM_SLOTS)


@borrowing
def key_of(data: Bytes, start: Int, end: Int) -> Int:
    """Of the bytes with ASCII capitals as small letters: uint64. Equal names have equal keys."""
    key = SEED
    for i in range(start, end):
        byte = data[i]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        key = (key ^ np.uint64(byte)) * FACTOR
    return key


@borrowing
def number_of(key: Int) -> Int:
    """The number of the name with this key, `OTHER` where it has none."""
    slot = np.int64(key >> np.uint64(40)) & (_NUM_SLOTS - 1)
    while _SLOTS[slot] >= 0:
        if _KEYS[_SLOTS[slot]] == key:
            return np.int64(_SLOTS[slot])
        slot = (slot + 1) & (_NUM_SLOTS - 1)
    return OTHER
