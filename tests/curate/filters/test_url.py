"""The URL filter: what drops a page by default, and what a user's lists and switches add."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from curate.errors import InputError
from curate.filters.url import HARD_WORDS, SOFT_WORDS, UrlFilter

STAGE = UrlFilter()


@pytest.mark.parametrize("url", [None, "https://example.org/a?b=c#d", "pydoc:os.path", "file:///x", "0.sgm#0", ""])
def test_ordinary_pages_and_other_names_of_documents_are_kept(reasons, url):
    assert reasons(STAGE, url) == []


@pytest.mark.parametrize(("chars", "expected"), [(2046, []), (2047, []), (2048, ["url_chars_above_max"])])
def test_a_url_of_2047_characters_is_kept(reasons, chars, expected):
    assert reasons(STAGE, "http://a.org/".ljust(chars, "x")) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.org/nude", []),
        ("http://a.org/nude-nude", []),
        ("http://a.org/nude-webcam", ["soft_word_count_above_max"]),
        ("http://porn.example/", ["hard_word"]),
        ("http://a.org/adult/education", []),
    ],
)
def test_one_hard_word_or_two_different_soft_ones_drop(reasons, url, expected):
    assert reasons(STAGE, url) == expected
    assert reasons(UrlFilter(built_in_words=False), url) == []


def test_the_built_in_words_are_words_and_in_one_list_only():
    assert all(word.isalpha() and word == word.lower() for word in HARD_WORDS | SOFT_WORDS)
    assert not HARD_WORDS & SOFT_WORDS


@pytest.mark.parametrize(
    ("settings", "url", "reason"),
    [
        ({"schemes": ("http", "https")}, "pydoc:os", "scheme_not_listed"),
        ({"schemes": ("http", "https")}, "example.org", "scheme_not_listed"),
        ({"drop_ip_hosts": True}, "http://127.0.0.1/", "ip_host"),
    ],
)
def test_rules_that_are_off_until_asked_for(reasons, settings, url, reason):
    assert reasons(STAGE, url) == []
    assert reasons(UrlFilter(**settings), url) == [reason]
    assert reasons(UrlFilter(**settings), "https://example.org/") == []


def test_a_malformed_url_drops_unless_told_otherwise(reasons):
    assert reasons(STAGE, "http:///x") == ["malformed_url"]
    assert reasons(UrlFilter(drop_malformed=False), "http:///x") == []


def test_lists_of_the_user_are_added_up(reasons, tmp_path):
    (tmp_path / "one").write_text("# ads\nbad.example\n")
    (tmp_path / "two.gz").write_bytes(gzip.compress(b"worse.example\n"))
    (tmp_path / "urls").write_text("https://good.example/but/not/this/\n")
    (tmp_path / "hard").write_text("casino\n")
    (tmp_path / "soft").write_text("poker\nroulette\n")
    stage = UrlFilter(
        domain_list_paths=(str(tmp_path / "one"), str(tmp_path / "two.gz")),
        url_list_paths=(str(tmp_path / "urls"),),
        hard_word_paths=(str(tmp_path / "hard"),),
        soft_word_paths=(str(tmp_path / "soft"),),
    )
    assert reasons(stage, "https://www.bad.example/") == ["blocklisted_domain"]
    assert reasons(stage, "https://a.worse.example/") == ["blocklisted_domain"]
    assert reasons(stage, "http://good.example/but/not/this") == ["blocklisted_url"]
    assert reasons(stage, "http://good.example/casino") == ["hard_word"]
    assert reasons(stage, "http://good.example/poker") == []
    assert reasons(stage, "http://good.example/poker-nude") == ["soft_word_count_above_max"]
    assert reasons(stage, "http://xxx.example/") == ["hard_word"]
    assert reasons(stage, "http://good.example/") == []


def test_a_missing_list_is_an_error_for_the_user(reasons):
    with pytest.raises(InputError, match="no-such-list"):
        reasons(UrlFilter(domain_list_paths=("no-such-list",)), "http://a.org")


def test_it_needs_no_text():
    assert UrlFilter.requires == ("url",)


def test_substrings_and_allowed_domains_come_from_files_too(reasons, tmp_path):
    (tmp_path / "substrings").write_text("# inside words\nfree-pics\n")
    (tmp_path / "allowed.gz").write_bytes(gzip.compress(b"good.example\n"))
    substrings, allowed = (str(tmp_path / name) for name in ("substrings", "allowed.gz"))
    assert reasons(UrlFilter(strict_substring_paths=(substrings,)), "http://a.org/myFreePicsHere") == [
        "strict_substring"
    ]
    assert reasons(STAGE, "http://a.org/myFreePicsHere") == []
    stage = UrlFilter(allowed_domain_paths=(allowed,), strict_substring_paths=(substrings,))
    assert reasons(stage, "http://news.good.example/") == []
    assert reasons(stage, "http://notgood.example/") == ["unlisted_domain"]
    assert reasons(stage, None) == []
    assert stage.files == (allowed, substrings)


def test_what_was_found_is_told_with_the_name_of_its_list(tmp_path):
    (tmp_path / "bad.txt").write_text("bad.example\n")
    stage = UrlFilter(domain_list_paths=(str(tmp_path / "bad.txt"),))
    urls = pa.array(["http://x.bad.example/", "http://a.org/milf", "http://a.org/"])
    matched = pc.struct_field(stage.annotate(pa.record_batch({"url": urls})), "matched").to_pylist()
    assert matched == ["domain bad.example (bad.txt)", "hard word milf (built in)", None]


def test_a_substring_that_no_url_holds_is_an_error_that_names_the_file(reasons, tmp_path):
    (tmp_path / "cyrillic.txt").write_text("порно\n")
    with pytest.raises(InputError, match="cyrillic"):
        reasons(UrlFilter(strict_substring_paths=(str(tmp_path / "cyrillic.txt"),)), "http://a.org")
