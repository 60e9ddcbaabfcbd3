"""What is personal data: Presidio's recognisers where it has them, ours for China, none that needs a model or network.

Presidio's patterns and checksums are kept. What differs from its defaults, each because of what web pages hold:

- e-mail: the public-suffix list is the copy inside tldextract; it is never fetched. Longer than 320 characters is none.
- phone: the regions are a setting; fewer than 7 digits, tables of numbers, `91.0.4472.124` and ISBNs are none.
- IP: private addresses identify nobody; `a::b` is C++ or Perl, so a short form must lie in 2000::/3.
- IBAN: lower case counts too; mod 97 and the country's own form decide.
"""

from __future__ import annotations

import datetime
import ipaddress
import re

import tldextract
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
)

from curate.pii.windows import DIGIT_CHAIN, MAX_TOKEN, NUMBER_TABLE

_BOOK = re.compile(r"(?:ISBN|ISSN|EAN|DOI|doi\.org|arXiv)[-:=/ \w.]{0,12}$", re.IGNORECASE)
#: Decimals, thousands, versions and dotted quads: valid numbers of some plan (chrome/91.0.4472.124 is one), no phones.
_DOTTED = re.compile(r"0\.\d+|\d{1,3}(?:\.\d{3})+|\d{1,3}\.\d{1,3}\.\d{1,5}\.\d{1,5}")
_FRACTION = re.compile(r"\.\d")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # RFC 4291 2.4 with IANA's table: all that is routed today
#: GB/T 2260: the first two digits of an administrative division, region by region.
_PROVINCES = frozenset(
    str(10 * region + province)
    for region, provinces in enumerate(("12345", "123", "1234567", "123456", "01234", "12345", "1", "123"), start=1)
    for province in map(int, provinces)
)


class OfflineEmail(EmailRecognizer):  # type: ignore[misc]  # Presidio ships partial types: its classes are Any to us
    """Presidio's e-mail pattern; the domain must end in a public suffix known to the installed tldextract."""

    _suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(self, pattern_text: str) -> bool:
        """Whether the domain is one."""
        return len(pattern_text) <= MAX_TOKEN and self._suffixes(pattern_text).fqdn != ""


class Phone(PhoneRecognizer):  # type: ignore[misc]  # as above
    """phonenumbers over the chosen regions, without tables of numbers and without numbers of books."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts = None) -> list[RecognizerResult]:
        """Valid numbers (leniency 1) that hold seven digits in a chain."""
        untabled = NUMBER_TABLE.sub(lambda table: "。" * len(table[0]), text)
        found = super().analyze(untabled, entities, nlp_artifacts)
        for result in found:
            number = text[result.start : result.end]
            result.start += number[0] in "(（[［" and not any(
                c in number for c in ")）]］"
            )  # `(+44 …)` without its end
        return [result for result in found if _is_phone(text, result.start, result.end)]


def _is_phone(text: str, start: int, end: int) -> bool:
    if not DIGIT_CHAIN.search(text, start, end) or _DOTTED.fullmatch(text, start, end):
        return False
    has_fraction = text[start:end].isdigit() and _FRACTION.match(text, end)
    return not has_fraction and not _BOOK.search(text, max(0, start - 24), start)


class Ip(IpRecognizer):  # type: ignore[misc]  # as above
    """Presidio's patterns for IPv4 and IPv6, without addresses that name no machine of the public network."""

    def __init__(self, keep_private: bool) -> None:
        super().__init__()
        self._keep_private = keep_private

    def invalidate_result(self, pattern_text: str) -> bool:
        """True where it is no address, or one that stays in the text."""
        try:
            address = ipaddress.ip_interface(pattern_text).ip
        except ValueError:
            return True
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                return self._keep_private and not address.ipv4_mapped.is_global
            if "::" in pattern_text and address not in _GLOBAL_UNICAST:
                return self._keep_private or not any(map(str.isdigit, pattern_text))
        return self._keep_private and not address.is_global


class ChineseResidentId(PatternRecognizer):  # type: ignore[misc]  # as above
    """The Chinese resident identity number: 18 characters (GB 11643-1999), checked by ISO 7064 mod 11-2."""

    _FORM = r"(?<![0-9A-Za-z_])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z_])"

    def __init__(self) -> None:
        super().__init__("CN_RESIDENT_ID", patterns=[Pattern("resident id", self._FORM, 0.5)])

    def validate_result(self, pattern_text: str) -> bool:
        """Whether province, date of birth and check character are right."""
        return is_resident_id(pattern_text)


class ChineseMobile(PatternRecognizer):  # type: ignore[misc]  # as above
    """A Chinese mobile number: 1, 3 to 9, nine more digits; +86 and separators allowed."""

    _FORM = (
        r"(?<![0-9A-Za-z_+])(?<![0-9][.-])(?:(?:\+|00)?86[ -]?)?"
        r"1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z_])(?![.-][0-9])"
    )

    def __init__(self) -> None:
        super().__init__("CN_MOBILE", patterns=[Pattern("mobile", self._FORM, 0.5)])


def is_resident_id(number: str) -> bool:
    """Whether 18 characters are a resident identity number: province, date, check character (ISO 7064 mod 11-2).

    >>> is_resident_id("11010519491231002X"), is_resident_id("110105194912310021")
    (True, False)
    """
    if number[:2] not in _PROVINCES:
        return False
    try:
        datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def build(entity: str, regions: tuple[str, ...], keep_private_ips: bool) -> EntityRecognizer:
    """The recogniser of one of `ENTITIES`."""
    if entity == "EMAIL_ADDRESS":
        return OfflineEmail()
    if entity == "PHONE_NUMBER":
        return Phone(supported_regions=regions)
    if entity == "IP_ADDRESS":
        return Ip(keep_private_ips)
    if entity == "CREDIT_CARD":
        return CreditCardRecognizer()
    if entity == "IBAN_CODE":
        return IbanRecognizer(regex_flags=re.DOTALL | re.MULTILINE | re.IGNORECASE)
    return {"CN_RESIDENT_ID": ChineseResidentId, "CN_MOBILE": ChineseMobile}[entity]()
