"""Bytes of a page to text: which charset a page is really in.

The order is that of the WHATWG encoding standard (https://encoding.spec.whatwg.org and HTML, "determining the character
encoding"), made to distrust what pages say: a byte order mark, then UTF-8 where the bytes themselves prove it, then the
charset of the HTTP response, then the page's own `<meta charset>` or XML declaration, then detection. Labels mean what
browsers take them to mean (`gb2312` is GB18030, `iso-8859-1` is windows-1252).

Two findings made the order. Pages that declare gb2312 and hold UTF-8 are real, so valid UTF-8 with multibyte characters
outvotes a declaration; and a declaration that cannot decode the bytes is worth nothing, so the next source is asked.
Western charsets decode anything and are what servers declare by default, so they are believed where the bytes look so.

The text comes as UTF-8 bytes, which later stages read: most pages are UTF-8 already and need a check only.

It refuses nothing: any bytes give a text that is valid Unicode without NULs, whatever its worth.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from charset_normalizer import from_bytes
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

#: Where a `<meta charset>` is looked for. The standard scans 1,024 bytes; of 1,093 news pages that hold `charset=`, 115
#: do so later than that and 36 later than 4 KiB, behind inline scripts.
HEAD_BYTES = 65_536
#: How much text around non-ASCII bytes the detectors see: uchardet takes 0.2 ms for each KB of Greek, and with 64 KB it
#: named the same charset for all of 332 re-encoded news pages.
SAMPLE_BYTES = 16_384

#: A text node from its first non-ASCII byte on. `<` and `>` are never a trail byte of a charset used on the web.
_NON_ASCII_TEXT = re.compile(rb"[\x80-\xff][^<>]{0,4000}")
_ADJACENT = re.compile(rb"[\x80-\xff]{2}")
_HIGH_BYTES = bytes(range(0x80, 0x100))
_META_OR_COMMENT = re.compile(rb"<(?:meta\b([^>]{1,1000})|!--)", re.IGNORECASE)
_CHARSET = re.compile(rb"\bcharset\s{0,20}=\s{0,20}[\"']?\s{0,20}([\w.:-]{1,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(
    rb"\A\s{0,100}<\?xml\b[^>]{0,200}?encoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,40})", re.IGNORECASE
)

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
#: The standard's encoding to the Python codec that covers its repertoire.
_CODECS = {"gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-11": "cp874"}
#: A short run of these can look like UTF-8 by chance, so they need more proof against them.
_CJK = frozenset({"gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "iso2022_jp"})
_MIN_MULTIBYTE_AGAINST_CJK = 4  # our choice: GBK text of 4 characters is valid UTF-8 in less than 1 of 1,000 cases
#: Names that say little: what servers declare by default.
_WESTERN = frozenset({"cp1252", "iso8859-15"})
_MIN_HIGH_BYTES = 256  # our choice: English pages have 101 at most where lists of accents in scripts stand side by side
_MAX_WESTERN_RUN_FRAC = 0.3  # our choice: see `_looks_western`
_MAX_ERROR_FRAC = 0.02  # our choice: undecodable share of the non-ASCII characters that a declared charset may leave
#: What the second detector may answer: the standard's legacy encodings that it knows, by Python's names.
_WEB_CODECS = [
    *("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949"),
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("koi8_r", "koi8_u", "iso8859_2", "iso8859_5", "iso8859_7", "cp866", "cp874"),
]


class Decoded(NamedTuple):
    """A text and how it came about."""

    text: str  # valid Unicode: no NUL, no lone surrogate, no byte order mark
    charset: str  # Python's codec name
    how: str  # bom, utf8 (the bytes prove it), http, meta, detected, fallback


class Utf8(NamedTuple):
    """The same as UTF-8 bytes."""

    utf8: bytes  # valid UTF-8: no NUL, no byte order mark
    charset: str
    how: str


def decode_html(payload: bytes, declared: str | None = None) -> Decoded:
    """The text of a page as characters: `decode_bytes`, decoded.

    >>> decode_html("Привет, мир".encode("koi8-r"), "KOI8-R")
    Decoded(text='Привет, мир', charset='koi8-r', how='http')
    """
    page = decode_bytes(payload, declared)
    return Decoded(page.utf8.decode(), page.charset, page.how)


def decode_bytes(payload: bytes | memoryview, declared: str | None = None) -> Utf8:
    """The text of a page as UTF-8. `declared` is the charset of the HTTP response, null where it declares none.

    A payload of bytes that is clean UTF-8 comes back as it is, not copied. Never raises; linear in `len(payload)`.
    Empty bytes give an empty text in utf-8.

    >>> decode_bytes("Ελλάδα".encode("iso-8859-7"), "iso-8859-7").utf8.decode()
    'Ελλάδα'
    """
    payload = bytes(payload)
    valid = _is_utf8(payload)
    for charset, how in _candidates(payload, declared, valid):
        if valid and charset == "utf-8":
            return Utf8(_clean(payload), charset, how)
        text = payload.decode(charset, "replace")
        if how == "bom" or _fits(payload, text, charset):
            return Utf8(_clean(_encoded(text)), charset, how)
    # windows-1252 gives every byte some character: what browsers do with a page that says nothing.
    return Utf8(_clean(payload.decode("cp1252", "replace").encode()), "cp1252", "fallback")


def codec_of(label: str | None) -> str | None:
    """Python's codec for a charset label as the web uses it; None for null, unknown and what is no charset.

    >>> codec_of("GB2312"), codec_of("latin1"), codec_of("zlib")
    ('gb18030', 'cp1252', None)
    """
    if not label:
        return None
    name: str | None = map_encoding_to_html5(label.strip().strip("\"'").lower(), fallback_utf8=False)
    return _CODECS.get(name, name) if name else None


def _candidates(payload: bytes, declared: str | None, valid: bool) -> Iterator[tuple[str, str]]:
    """Charsets to try, the most trustworthy first, each with where it comes from. What costs is done when reached.

    `valid` says whether the payload is UTF-8.
    """
    for mark, charset in _BOMS:
        if payload.startswith(mark):
            yield charset, "bom"
    http = codec_of(declared)
    named = http or codec_of(_declared_in_page(payload))
    if valid and _is_utf8_against(payload, named):
        yield "utf-8", "http" if http == "utf-8" else "utf8"
    detected = _detect(payload) if named in _WESTERN and not _looks_western(payload) else None
    if detected and detected not in _WESTERN:
        yield detected, "detected"
    if http:
        yield http, "http"
    meta = codec_of(_declared_in_page(payload)) if http else named
    if meta and not meta.startswith("utf-16"):  # a page whose ASCII declaration was readable is not in UTF-16
        yield meta, "meta"
    detected = _detect(payload)
    if detected:
        yield detected, "detected"


def _declared_in_page(payload: bytes) -> str | None:
    """The label in the page's `<meta>` or XML declaration, comments left out; None where there is none."""
    xml = _XML_ENCODING.match(payload[:1024])
    if xml:
        return xml[1].decode("ascii", "ignore")
    head, at = payload[:HEAD_BYTES], 0
    while tag := _META_OR_COMMENT.search(head, at):
        at = tag.end()
        if tag[1] is None:
            at = head.find(b"-->", at - 2)  # `<!-->` is a whole comment
            if at < 0:
                return None
        elif charset := _CHARSET.search(tag[1]):
            return charset[1].decode("ascii", "ignore")
    return None


def _looks_western(payload: bytes) -> bool:
    """Whether non-ASCII bytes stand as in a Western language: hardly ever three side by side.

    Servers declare iso-8859-1 for whatever they send. Of the non-ASCII bytes of 22 languages in windows-1252, at most
    0.006 begin three in a row (0.06 in any 32 of them); in Cyrillic, Greek, Hebrew, Arabic, Thai and the charsets of
    Chinese, Japanese and Korean 0.47 to 0.97 do.
    """
    high = np.frombuffer(payload, np.int8) < 0
    num_high, num_runs = int(np.count_nonzero(high)), int(np.count_nonzero(high[2:] & high[1:-1] & high[:-2]))
    return num_high < _MIN_HIGH_BYTES or num_runs < _MAX_WESTERN_RUN_FRAC * num_high


def _is_utf8(payload: bytes) -> bool:
    """Whether the bytes are UTF-8 as Unicode has it, by Arrow's check: 13 GB/s, where decoding makes 3."""
    offsets = pa.py_buffer(struct.pack("=2q", 0, len(payload)))
    column = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(payload)])
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8_against(payload: bytes, named: str | None) -> bool:
    """Whether bytes that are UTF-8 are so by intention although `named` was declared.

    ASCII proves it where nothing is named.
    """
    if named is None or named == "utf-8":
        return _wide_charset(payload) is None  # UTF-16 of Latin text is valid UTF-8 too
    num_continuations = int(np.count_nonzero(np.frombuffer(payload, np.int8) < -64))  # 0b10xxxxxx
    num_multibyte = -(-num_continuations // 3)  # at least this many: a character has one to three of them
    return num_multibyte >= (_MIN_MULTIBYTE_AGAINST_CJK if named in _CJK else 1)


def _fits(payload: bytes, text: str, charset: str) -> bool:
    """Whether a decoding left few enough characters undecoded. A page may be cut inside its last character."""
    num_errors = text.count("\ufffd", 0, max(0, len(text) - 4))
    if charset == "utf-8":  # pages do hold the replacement character itself, where something upstream lost a byte
        num_errors -= payload.count(b"\xef\xbf\xbd")
    if num_errors <= 0:
        return True
    num_non_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if charset == "utf-8":  # a valid multibyte sequence hardly ever happens by chance: a page may mix in other bytes
        return 2 * num_errors < num_non_ascii
    return num_errors <= max(1, _MAX_ERROR_FRAC * num_non_ascii)


def _detect(payload: bytes) -> str | None:
    """A charset guessed from the bytes, None where nobody has an opinion.

    uchardet (in resiliparse) first, charset-normalizer where its answer does not decode the sample: see the figures in
    docs/decisions.md.
    """
    wide = _wide_charset(payload)
    if wide:
        return wide
    sample = _sample(payload)
    if not sample:
        return None
    if _is_sparse(sample):
        return "cp1252"
    guess = codec_of(detect_encoding(sample, max_len=0, html5_compatible=False))
    if guess and _fits(sample, sample.decode(guess, "replace"), guess):
        return guess
    best = from_bytes(sample[:SAMPLE_BYTES], cp_isolation=_WEB_CODECS).best()
    return best.encoding if best else None


def _wide_charset(payload: bytes) -> str | None:
    """UTF-16 without a byte order mark: markup is ASCII, so every other one of the first 1,024 bytes is often zero."""
    head = payload[:1024]
    half = len(head) // 2
    if half >= 8 and head[1::2].count(0) > 0.5 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half >= 8 and head[0::2].count(0) > 0.5 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _is_sparse(sample: bytes) -> bool:
    """Whether non-ASCII bytes are few and stand alone, as in English with typographic quotes: too little to guess from.

    The bounds are ours: Polish, Czech, Hungarian, Turkish and Greek have three times as many and more, and charsets of
    several bytes have them side by side.
    """
    num_high = len(sample) - len(sample.translate(None, _HIGH_BYTES))
    num_adjacent = len(_ADJACENT.findall(sample))
    return (num_high <= 3 or num_high < 0.02 * len(sample)) and 10 * num_adjacent < max(num_high, 1)


def _sample(payload: bytes) -> bytes:
    """Text around non-ASCII bytes, at most about SAMPLE_BYTES: markup would drown it."""
    parts: list[bytes] = []
    size = 0
    for match in _NON_ASCII_TEXT.finditer(payload):
        parts.append(match[0])
        size += len(match[0])
        if size >= SAMPLE_BYTES:
            break
    return b"\n".join(parts)


def _encoded(text: str) -> bytes:
    """The text as UTF-8. A lone surrogate, which UTF-16 may leave, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _clean(utf8: bytes) -> bytes:
    """UTF-8 without its byte order mark and NULs."""
    utf8 = utf8.removeprefix(b"\xef\xbb\xbf")
    return utf8.replace(b"\0", b"") if b"\0" in utf8 else utf8
