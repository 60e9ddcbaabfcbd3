"""What a URL says: form, host, lists, words."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.key_set import KeySet
from curate.kernels.keyword_match import WordList
from curate.kernels.url_match import (
    SIGNALS,
    UrlLists,
    domain_entry,
    substring_entry,
    url_entry,
    url_key,
    url_signals,
    word_entry,
)

LISTS = UrlLists(
    domains=KeySet.of(["bad.org", "shop.example.co.uk", "xn--bcher-kva.example"]),
    urls=KeySet.of(["example.org/page"]),
    hard_words=WordList(KeySet.of(["xxx"])),
    soft_words=WordList(KeySet.of(["sex", "nude"])),
)


def signals(*urls, lists=LISTS):
    return url_signals(pa.array(urls, pa.string()), lists).to_pylist()


def one(url):
    return signals(url)[0]


@settings(deadline=None)
@given(st.text() | st.text(alphabet="htps:/.@[]%?#w-x0").map("http://{}".format))
def test_any_url_is_measured(url):
    found = one(url)
    assert found["url_chars"] == len(url)
    assert None not in [value for name, value in found.items() if name != "matched"]


def test_null_is_null_and_no_rows_keep_the_type():
    assert set(one(None).values()) == {None}
    assert url_signals(pa.array([], pa.string()), LISTS).type == SIGNALS


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("https://bad.org/", True),
        ("https://BAD.org.:8080/x", True),
        ("https://www.bad.org", True),
        ("https://user:pw@a.b.bad.org/x", True),
        ("https://notbad.org/", False),
        ("https://bad.org.example/", False),
        ("https://example.org/bad.org", False),
        ("http://www.shop.example.co.uk/", True),
        ("http://example.co.uk/", False),
        ("http://bücher.example/", True),
        ("http://xn--bcher-kva.example/", True),
        ("ftp://bad.org/x", True),
        ("pydoc:bad.org", False),
        ("bad.org/page", False),  # no host without "//"
    ],
)
def test_a_listed_domain_covers_itself_and_what_is_below_it(url, listed):
    assert one(url)["blocklisted_domain"] is listed


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://example.org/page", True),
        ("https://www.Example.org/page/#top", True),
        ("example.org/page", True),
        ("http://example.org/page?q=1", False),
        ("http://example.org/Page", False),
        ("http://example.org/page/2", False),
    ],
)
def test_a_listed_url_is_found_in_its_other_spellings(url, listed):
    assert one(url)["blocklisted_url"] is listed


@pytest.mark.parametrize(
    ("url", "hard", "soft"),
    [
        ("http://a.org/xxx-pics", True, 0),
        ("http://a.org/XXX.html", True, 0),
        ("http://a.org/%78xx", True, 0),
        ("http://a.org/xxxl-shirts", False, 0),
        ("http://sex.org/nude/sex", False, 2),
        ("http://a.org/sex_sex", False, 1),
        ("http://sussex.ac.uk/middlesex", False, 0),
    ],
)
def test_words_are_whole_and_soft_ones_are_counted_once_each(url, hard, soft):
    found = one(url)
    assert (found["hard_word"], found["soft_word_count"]) == (hard, soft)


@pytest.mark.parametrize(
    ("url", "malformed"),
    [
        ("http://example.org/a b", False),
        ("http://", True),
        ("http:///path", True),
        ("https:example.org", True),
        ("http://[::1/", True),
        ("http://a.org:port/", True),
        ("http://a.org:99999/", True),
        ("http://a..b/", True),
        ("http://a<b>.org/", True),
        ("http://a.org/\x00", True),
        ("http://" + "a." * 126 + "a/", False),  # 253 characters
        ("http://" + "a." * 126 + "aa/", True),
        ("http://my_host-1.org/", False),
        ("http://пример.испытание/", False),
        ("pydoc:os.path", False),
        ("file:///tmp/x", False),
        ("mailto:x@y", False),
        ("news/0.sgm#0", False),
        ("", False),
    ],
)
def test_only_what_cannot_be_a_web_address_is_malformed(url, malformed):
    assert one(url)["malformed_url"] is malformed


@pytest.mark.parametrize(
    ("url", "is_ip"),
    [
        ("http://127.0.0.1/", True),
        ("http://[2001:db8::1]:80/", True),
        ("http://2130706433/", True),
        ("http://0x7f.1/", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://example.org/127.0.0.1", False),
    ],
)
def test_an_address_is_one_in_every_spelling(url, is_ip):
    assert one(url)["ip_host"] is is_ip


@pytest.mark.parametrize(
    ("url", "scheme"), [("HTTPS://a.org", "https"), ("pydoc:os", "pydoc"), ("a/b", ""), ("", ""), ("//a.org", "")]
)
def test_the_scheme_is_lower_case_and_empty_where_there_is_none(url, scheme):
    assert one(url)["scheme"] == scheme


def test_lines_of_lists_have_one_form():
    assert domain_entry("  Example.ORG. ") == "example.org"
    assert domain_entry("127.0.0.1 tracker.example # note") == "tracker.example"
    assert domain_entry("bücher.example") == "xn--bcher-kva.example"
    assert [domain_entry(line) for line in ("", "# comment", "exa/mple", "a..b")] == [None] * 4
    assert url_entry("http://www.A.org/b/\n") == "a.org/b"
    assert url_entry("# comment") is url_entry(" ") is None
    assert word_entry(" Word \n") == "word"
    assert word_entry("#") is word_entry("") is None


def test_substrings_are_found_inside_words_and_across_separators():
    lists = UrlLists(substrings=WordList(KeySet.of(["freepics", "xx"])))
    urls = {
        "http://a.org/free-pics": True,
        "http://a.org/more_FREE/pics2": True,
        "http://ax.xy.org/": True,
        "http://a.org/free%20pics": False,  # the URL as it is: "free20pics"
        "http://a.org/pics-free": False,
    }
    found = signals(*urls, lists=lists)
    assert [one["strict_substring"] for one in found] == list(urls.values())
    assert found[0]["matched"] == "substring freepics"


@pytest.mark.parametrize(
    ("url", "unlisted"),
    [
        ("https://www.bad.org/x", False),
        ("https://notbad.org/", True),
        ("mailto:x@bad.org", True),
        ("", True),
        (None, None),
    ],
)
def test_only_listed_domains_are_allowed_where_there_is_a_list(url, unlisted):
    (found,) = signals(url, lists=UrlLists(allowed_domains=KeySet.of(["bad.org"])))
    assert found["unlisted_domain"] is unlisted
    assert one(url)["unlisted_domain"] is (None if url is None else False)


def test_the_first_entry_found_is_named_with_its_list():
    lists = LISTS._replace(domains=KeySet([pa.array(["bad.org"])], ["bad.txt"]))
    urls = ["a.bad.org/xxx", "c.org/xxx/sex", "c.org/sex", "example.org/page", "c.org"]
    named = [one["matched"] for one in signals(*(f"http://{url}" for url in urls), None, lists=lists)]
    expected = ["domain bad.org (bad.txt)", "hard word xxx", "soft word sex", "URL example.org/page", None, None]
    assert named == expected


def test_entries_of_substrings_are_letters_and_digits():
    assert substring_entry(" Free-Pics 4u\n") == "freepics4u"
    assert substring_entry("# comment") is substring_entry(" - ") is None
    with pytest.raises(ValueError, match="порно"):
        substring_entry("порно18")


@settings(deadline=None)
@given(st.text())
def test_the_key_of_a_key_is_the_key_itself(path):
    key = url_key("https://example.org/" + path)
    assert url_key("http://www." + key + "#part") == key


@pytest.mark.parametrize("filler", ["a", "a.", "%41", "é", "-", "[", ":", "/", "sex/"])
def test_megabytes_of_url_are_measured(filler):
    assert one("http://" + filler * 300_000)["url_chars"] > 300_000
