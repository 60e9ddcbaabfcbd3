"""What counts as personal data, and what only looks like it. The lists are data: add a line where a case turns up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.pii.pii import Pii
from curate.pii.recognizers import is_resident_id

FOUND = [
    ("joe.doe+x@mail.example.co.uk", "EMAIL_ADDRESS"),
    ("(212) 555-0123", "PHONE_NUMBER"),
    ("+44 20 7946 0018", "PHONE_NUMBER"),
    ("+49 30 901820", "PHONE_NUMBER"),
    ("01.42.68.53.00", "PHONE_NUMBER"),
    ("010-62781234", "PHONE_NUMBER"),
    ("8.8.8.8", "IP_ADDRESS"),
    ("2001:4860:4860::8888", "IP_ADDRESS"),
    ("::ffff:8.8.8.8", "IP_ADDRESS"),
    ("4111 1111 1111 1111", "CREDIT_CARD"),
    ("378282246310005", "CREDIT_CARD"),
    ("GB82 WEST 1234 5698 7654 32", "IBAN_CODE"),
    ("de89370400440532013000", "IBAN_CODE"),
    ("11010519491231002X", "CN_RESIDENT_ID"),
    ("11010519491231002x", "CN_RESIDENT_ID"),
    ("13800138000", "CN_MOBILE"),
    ("+86 138-0013-8000", "CN_MOBILE"),
    ("138 0013 8000", "CN_MOBILE"),
]
KEPT = [
    "4111 1111 1111 1112",  # Luhn fails
    "GB83 WEST 1234 5698 7654 32",  # mod 97 fails
    "110105194912310021",  # the check character is X
    "12800138000",  # no mobile starts with 12
    "13800138000.5 13800138000abc",
    "joe@localhost",
    "joe@host.invalidsuffix",
    "logo@2x.png",
    "@decorator",
    "chrome/91.0.4472.124 Safari",
    "192.168.0.1 127.0.0.1 10.218.6.131 255.255.255.0",
    "fe80::1 ::1",
    "std::vector a::b Ad::Be x[::2] v[1::2]",
    "00:1B:44:11:3A:B7",
    "at 12:30:45 on 2012-01-02 12:30:45",
    "20120102123045 1616161616 1616161616161",
    "2019/10/11 - 2020/11/12, 1999-2000, 2001-2002",
    "3.14159265358979323846 0.123456789",
    "1,234,567,890 or 1.000.000.000",
    "ISBN 978-0-306-40615-7, ISBN-10: 0-306-40615-2",
    "doi:10.1038/nature12373 and 10.1103/PhysRevLett.116.061102",
    "arXiv:2101.00027v1",
    "550e8400-e29b-41d4-a716-446655440000",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "lodash@4.17.21 scikit-learn@0.24.1",
    "img_20190101_123456.jpg",
    "int main(void) { return 1234567890; }",
    "1 2 3 4 5 6 7 8 9 10 11 12",
    "212 555 0123 " * 12,  # a table: 120 digits in a chain
    "<EMAIL_ADDRESS> <CN_RESIDENT_ID>",
    "",
]
KNOWN_WRONG = [
    ("Version 4.3.2.1 was released", "a version is written as an address is"),
    ("section 1.2.3.4 of the act", "so is a section"),
    ("git clone git@github.com:user/repo.git", "an scp path holds an address in form"),
    ("part no 100-200-3000", "a valid number of the German plan"),
    ("ticket #2125550123", "a valid American number"),
]


@pytest.mark.parametrize(("value", "entity"), FOUND)
@pytest.mark.parametrize("around", ["{}", "see {}, then", "请看{}谢谢", "ですは{}です", "연락처 {}으로", "（{}）\n"])
def test_found_alone_in_a_sentence_and_inside_unspaced_scripts(value: str, entity: str, around: str) -> None:
    assert Pii().redact(around.format(value)).text == around.format(f"<{entity}>")


@pytest.mark.parametrize("text", KEPT)
def test_kept_because_it_only_looks_like_it(text: str) -> None:
    assert Pii().redact(text).text == text


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=pytest.mark.xfail(reason=why, strict=True)) for text, why in KNOWN_WRONG]
)
def test_false_positives_that_form_alone_cannot_tell(text: str) -> None:
    assert Pii().redact(text).text == text


@pytest.mark.xfail(reason="letters of unspaced scripts count as boundaries", strict=True)
def test_addresses_in_chinese_letters() -> None:
    assert Pii().redact("用户@例子.中国").text == "<EMAIL_ADDRESS>"


def test_private_addresses_are_taken_when_asked_for() -> None:
    stage = Pii(keep_private_ips=False)
    assert stage.redact("10.218.6.131 and fe80::1, not a::b").text == "<IP_ADDRESS> and <IP_ADDRESS>, not a::b"


@given(st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_breaks_a_resident_id(place: int, change: int) -> None:
    number = "110105194912310" + "029"
    valid = next(number[:17] + c for c in "0123456789X" if is_resident_id(number[:17] + c))
    if valid[place] != "X":
        wrong = valid[:place] + str((int(valid[place]) + change) % 10) + valid[place + 1 :]
        assert not is_resident_id(wrong)


@pytest.mark.parametrize("date", ["19491301", "19490230", "19000229", "19490100"])
def test_a_resident_id_has_a_real_date(date: str) -> None:
    assert not any(is_resident_id(f"110105{date}002{c}") for c in "0123456789X")
