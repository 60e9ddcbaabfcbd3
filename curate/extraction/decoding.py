"""Bytes of a page to text: which charset a page is really in.

The order is that of the WHATWG encoding standard (https://encoding.spec.whatwg.org and HTML, "determining the character
encoding"), made to distrust what pages say: a byte order mark, then UTF-8 where the bytes themselves prove it, then the
charset of the HTTP response, then the page's own `<meta charset>` or XML declaration, then detection. Labels mean what
browsers take them to mean (`gb2312` is GB18030, `iso-8859-1` is windows-1252).

Two findings made the order. Pages that declare gb2312 and hold UTF-8 are real, so valid UTF-8 with multibyte characters
outvotes a declaration; and a declaration that cannot decode the bytes is worth nothing, so the next source is asked.

It refuses nothing: any bytes give a text that is valid Unicode without NULs, whatever its worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from charset_normalizer import from_bytes
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

#: Where a `<meta charset>` is looked for. The standard scans 1,024 bytes; of 1,093 news pages that hold `charset=`, 115
#: do so later than that and 36 later than 4 KiB, behind inline scripts.
HEAD_BYTES = 65_536
#: How much text around non-ASCII bytes the detectors see.
SAMPLE_BYTES = 65_536
#: charset-normalizer tries every candidate charset on what it is given, so it is given less.
SECOND_SAMPLE_BYTES = 16_384

#: A text node from its first non-ASCII byte on. `<` and `>` are never a trail byte of a charset used on the web.
_NON_ASCII_TEXT = re.compile(rb"[\x80-\xff][^<>]{0,4000}")
_ADJACENT = re.compile(rb"[\x80-\xff]{2}")
_HIGH_BYTES = bytes(range(0x80, 0x100))
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta\b([^>]{1,1000})", re.IGNORECASE)
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


def decode_html(payload: bytes, declared: str | None = None) -> Decoded:
    """The text of a page. `declared` is the charset of the HTTP response, null where it declares none.

    Never raises; linear in `len(payload)`. Empty bytes give an empty text in utf-8 by fallback.

    >>> decode_html("Привет, мир".encode("koi8-r"), "KOI8-R")
    Decoded(text='Привет, мир', charset='koi8-r', how='http')
    """
    for charset, how in _candidates(payload, declared):
        if how == "bom":
            return Decoded(_clean(payload.decode(charset, "replace")), charset, how)
        text = payload.decode(charset, "replace")
        if _fits(payload, text, charset):
            return Decoded(_clean(text), charset, how)
    # windows-1252 gives every byte some character: what browsers do with a page that says nothing.
    return Decoded(_clean(payload.decode("cp1252", "replace")), "cp1252", "fallback")


def codec_of(label: str | None) -> str | None:
    """Python's codec for a charset label as the web uses it; None for null, unknown and what is no charset.

    >>> codec_of("GB2312"), codec_of("latin1"), codec_of("zlib")
    ('gb18030', 'cp1252', None)
    """
    if not label:
        return None
    name: str | None = map_encoding_to_html5(label.strip().strip("\"'").lower(), fallback_utf8=False)
    return _CODECS.get(name, name) if name else None


def _candidates(payload: bytes, declared: str | None) -> Iterator[tuple[str, str]]:
    """Charsets to try, the most trustworthy first, each with where it comes from. Detection runs only when reached."""
    for mark, charset in _BOMS:
        if payload.startswith(mark):
            yield charset, "bom"
    http = codec_of(declared)
    meta = codec_of(_declared_in_page(payload))
    if _is_utf8_against(payload, http or meta):
        yield "utf-8", "http" if http == "utf-8" else "utf8"
    if http:
        yield http, "http"
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
    head = _COMMENT.sub(b"", payload[:HEAD_BYTES])
    for meta in _META.finditer(head):
        charset = _CHARSET.search(meta[1])
        if charset:
            return charset[1].decode("ascii", "ignore")
    return None


def _is_utf8_against(payload: bytes, named: str | None) -> bool:
    """Whether the bytes prove to be UTF-8 although `named` was declared. ASCII proves it where nothing is named."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if named is None or named == "utf-8":
        return _wide_charset(payload) is None  # UTF-16 of Latin text is valid UTF-8 too
    num_multibyte = -(-(len(payload) - len(text)) // 3)  # at least this many: a character has one to three bytes more
    return num_multibyte >= (_MIN_MULTIBYTE_AGAINST_CJK if named in _CJK else 1)


def _fits(payload: bytes, text: str, charset: str) -> bool:
    """Whether a decoding left few enough characters undecoded. A page may be cut inside its last character."""
    num_errors = text[:-4].count("\ufffd")
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
    best = from_bytes(sample[:SECOND_SAMPLE_BYTES], cp_isolation=_WEB_CODECS).best()
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


def _clean(text: str) -> str:
    """The text as valid Unicode without NULs and byte order mark. A lone surrogate becomes U+FFFD."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
