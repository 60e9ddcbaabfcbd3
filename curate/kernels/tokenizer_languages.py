"""The tokenizer rules of a language, built once in a process from the listings in `curate/kernels/tokenizers`.

`characters.json` says what characters are; `base.txt`, `en.txt`, `ru.txt` and `el.txt` list special cases, one a line,
its tokens apart by tabs. These are facts of spaCy 3.8, listed from what `spacy.blank(language)` holds.

Which tokenizer datatrove 0.10 gives a language (its `tokenizer_assignment.csv`), and what these rules make of it, as
the share of its tokens that they find with the same bounds (measured on 45-65 kB of sentences of each language):

    equal    eng ell pol rus; ces (spaCy cs) and swh (spaCy tn), whose rules are those of "xx"
    close    ukr .9994, spa .998, tur .995, arb .995, nld .990: abbreviations and hyphens of their own
    apart    por .988, ind .986, deu .978, ita .957, fra .922: elisions (l'art), hyphens, many abbreviations
    segmenters, which these rules are not for: cmn (jieba), jpn (spaCy ja), vie (spaCy vi with pyvi), kor (Kiwi),
             tha (PyThaiNLP); hin has IndicNLP's tokenizer
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from curate.kernels import token_rules as rule
from curate.kernels.recurrence import MIX
from curate.kernels.rule_tokens import joined_key, rule_tokens, scratch_tokens
from curate.kernels.scan import SEED, scan, scratch_lines, scratch_words
from curate.kernels.token_rules import Affixes, Places, TokenRules, span_key
from curate.kernels.unicode_tables import LOWER, UPPER, char_table

#: Languages with rules of their own; all others have the rules of "xx", spaCy's for no language in particular.
LANGUAGES = ("el", "en", "pl", "ru", "xx")

_STYLES = {
    "en": rule.POSSESSIVE | rule.HYPHEN_AFTER_DIGIT,
    "ru": rule.POSSESSIVE | rule.STRESS_MARKS,
    "pl": rule.POLISH,
    "el": rule.GREEK_RULES,
    "xx": rule.POSSESSIVE,
}
_LISTS = {"en": ("base", "en"), "ru": ("base", "ru"), "el": ("base", "el"), "pl": ("base",), "xx": ("base",)}
_JOINED_PREFIXES = {"pl": ("długo-", "krótko-", "jedno-", "dwu-", "trzy-", "cztero-")}

Classes = NDArray[np.uint16]


@cache
def tokenizer_rules(language: str) -> TokenRules:
    """The rules for an ISO 639-1 code; those of "xx" for a language that is not among `LANGUAGES`."""
    if language not in LANGUAGES:
        language = "xx"
    characters = json.loads(_listing("characters.json"))
    classes = _classes(language, characters)
    blocks, rows = np.unique(classes.reshape(-1, 128), axis=0, return_inverse=True)
    units = characters["units_el" if language == "el" else "units"].split()
    cases = _special_cases(language)
    lists, listed_bits = _lists(_STYLES[language], cases, units, _JOINED_PREFIXES.get(language, ()))
    affixes = Affixes(np.concatenate([rows.reshape(-1).astype(np.uint16), blocks.reshape(-1)]), lists)
    return TokenRules(affixes, listed_bits, *_cut(_cut_cases(affixes, cases)))


def _listing(name: str) -> str:
    return (resources.files(__package__) / "tokenizers" / name).read_text(encoding="utf-8")


def _special_cases(language: str) -> dict[str, list[str]]:
    """The tokens of each special case."""
    lines = "".join(_listing(f"{name}.txt") for name in _LISTS[language]).split("\n")
    cases = {line.replace("\t", ""): line.split("\t") for line in lines if line}
    if language == "pl":  # abbreviations end sentences there
        return {case: parts for case, parts in cases.items() if not case.endswith(".")}
    return cases


def _classes(language: str, characters: Mapping[str, str]) -> Classes:
    """Class bits of every code point: uint16[0x110000]."""
    classes = np.zeros(0x110000, np.uint16)
    cased, uncased = _points(characters["cased_letters"]), _points(characters["uncased_letters"])
    classes[cased] |= rule.ALPHA
    classes[uncased] |= rule.ALPHA | rule.LOWER | rule.UPPER
    flags = _char_flags()[cased]
    classes[cased[flags & LOWER != 0]] |= rule.LOWER
    classes[cased[flags & UPPER != 0]] |= rule.UPPER
    classes[0x3A2] |= rule.UPPER  # unassigned, within the range of the Greek capitals
    classes[0x294] |= rule.LOWER  # ʔ, which has no case
    classes[0x300:0x370] |= rule.COMBINING

    def mark(bit: int, chars: str) -> None:
        classes[[ord(char) for char in chars]] |= bit

    digits, punctuation, quotes = "0123456789", characters["punctuation"], characters["quotes"]
    mark(rule.DIGIT, digits)
    mark(rule.QUOTE, quotes)
    mark(rule.CURRENCY, characters["currency"])
    mark(rule.PREFIX, punctuation + quotes + characters["currency"] + "§%=" + ("" if language == "el" else "—–"))
    mark(rule.SUFFIX, punctuation + quotes + ("—–" if language in ("en", "ru", "xx") else ""))
    classes[_points(characters["symbols"])] |= rule.ICON | rule.PREFIX | rule.SUFFIX | rule.INFIX
    mark(rule.INFIX, _infixes(language, quotes))
    mark(rule.BEFORE_DOT, digits + quotes + "²-+(?:)" + ("" if language == "el" else f"%|{punctuation}"))
    classes[classes & rule.LOWER != 0] |= rule.BEFORE_DOT
    for first, last in ((0x391, 0x3A9), (0x3B1, 0x3C9)):
        classes[first : last + 1] |= rule.GREEK | rule.GREEK_HYPHENED
    classes[0x391:0x3AA] |= rule.GREEK_CAPITAL
    mark(rule.GREEK | rule.GREEK_HYPHENED, "ίϊΐόάέύϋΰήώ")
    mark(rule.GREEK_HYPHENED, "ΈΆΊΌΎΏ")
    return classes


def _infixes(language: str, quotes: str) -> str:
    """Characters that a word may be cut at."""
    everywhere = ".…,:<>=/-–—~"
    if language == "pl":
        return everywhere + "!?()[]" + quotes.replace("'", "")
    if language == "el":  # numbers and Latin words are cut out, too
        return everywhere + "+*^" + string.digits + string.ascii_letters
    return everywhere + "+*^"


def _points(ranges: str) -> NDArray[np.int64]:
    """The code points of "41-5A 61": int64[n]."""
    bounds = (part.split("-") for part in ranges.split())
    return np.concatenate([np.arange(int(pair[0], 16), int(pair[-1], 16) + 1) for pair in bounds])


def _char_flags() -> NDArray[np.uint16]:
    table = char_table()
    return table.flags.reshape(-1, 128)[table.blocks].reshape(-1)


def _lists(
    style: int, cases: Mapping[str, list[str]], units: Iterable[str], prefixes: Iterable[str]
) -> tuple[Places, NDArray[np.uint8]]:
    """`Affixes.lists`, and `TokenRules.listed_bits` of the special cases."""
    kinds = dict.fromkeys(cases, rule.SPECIAL)
    for kind, strings in ((rule.UNIT, units), (rule.JOINED, prefixes)):
        for listed in strings:
            kinds[listed] = kinds.get(listed, 0) | kind
    bodies = [listed.encode() for listed in kinds]
    parts = [np.cumsum([len(part.encode()) for part in cases.get(listed, ())]) for listed in kinds]
    slots, mask = _slots(len(bodies))
    keys = [_key(listed) for listed in kinds]
    for number, key in enumerate(keys):
        slots[_free(slots, mask, key)] = number
    columns = (
        slots,
        _offsets(map(len, bodies)),
        list(kinds.values()),
        _offsets(map(len, parts)),
        np.concatenate(parts),
    )
    places = rule.HEADER + _offsets([len(column) for column in columns])
    head = [style, max(len(body) for body in bodies), mask, *places]  # in the order of the names of places
    for offsets, place in ((columns[1], places[5]), (columns[3], places[4])):
        offsets += place  # from the beginning of the whole array
    body = np.frombuffer(b"".join(bodies), np.uint8)
    lists = np.concatenate([head, *columns, body]).astype(np.int32)
    return lists, _bits(key >> 48 for key, kind in zip(keys, kinds.values(), strict=True) if kind & rule.SPECIAL)


def _key(text: str) -> int:
    data = np.frombuffer(text.encode(), np.uint8)
    return int(span_key(data, 0, data.size))


def _bits(places: Iterable[int]) -> NDArray[np.uint8]:
    """65,536 bits of which those at these places are set: uint8[8192]."""
    bits = np.zeros(1 << 16, np.uint8)
    bits[list(places)] = 1
    return np.packbits(bits, bitorder="little")


def _cut_cases(affixes: Affixes, cases: Iterable[str]) -> list[tuple[int, NDArray[np.uint64]]]:
    """The special cases that the other rules cut: their numbers, and the keys of the tokens they would be."""
    lists = affixes.lists.copy()
    lists[lists[rule.KINDS] : lists[rule.PARTS_AT]] &= ~rule.SPECIAL
    plain = TokenRules(affixes._replace(lists=lists), _bits(()), *_cut([]))
    keys = [(number, _token_keys(case, plain)) for number, case in enumerate(cases)]
    return [(number, tokens) for number, tokens in keys if len(tokens) > 1]


def _token_keys(case: str, rules: TokenRules) -> NDArray[np.uint64]:
    body = np.frombuffer(case.encode(), np.uint8)
    offsets = np.array([0, body.size], np.int64)
    words, tokens = scratch_words(offsets), scratch_tokens(offsets)
    num_words, _ = scan(body, char_table(), False, words, scratch_lines(offsets))
    return tokens.key[: rule_tokens(body, char_table(), rules, words, num_words, tokens)].copy()


def _cut(cases: Sequence[tuple[int, NDArray[np.uint64]]]) -> tuple[NDArray[np.uint64], Places, NDArray[np.uint8], int]:
    """The fields of `TokenRules` about special cases that are cut."""
    slots, mask = _slots(len(cases))
    keys, begins = np.zeros(slots.size, np.uint64), []
    for number, tokens in cases:
        key = SEED
        for i, token in enumerate(tokens):
            key = np.uint64(joined_key(key, token))
            if i == 1:
                begins.append(int(key) >> 48)
        slot = _free(slots, mask, int(key))
        slots[slot], keys[slot] = number, key
    return keys, slots, _bits(begins), max((len(tokens) for _, tokens in cases), default=1)


def _slots(count: int) -> tuple[Places, int]:
    """An empty hash table that stays less than half full, and what to mask a hash with."""
    size = 4 << count.bit_length()
    return np.full(size, -1, np.int32), size - 1


def _free(slots: Places, mask: int, key: int) -> int:
    """The slot that a new key goes to, as `token_rules.find_listed` looks for it."""
    slot = (key * int(MIX) % 2**64 >> 32) & mask
    while slots[slot] >= 0:
        slot = slot + 1 & mask
    return slot


def _offsets(sizes: Iterable[int]) -> Places:
    return np.concatenate(([0], np.cumsum(list(sizes)))).astype(np.int32)
