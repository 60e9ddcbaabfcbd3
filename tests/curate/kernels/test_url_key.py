"""The kernel gives what the definition by `urllib` gives, and the definition says what it should."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.url_key import MAX_BYTES, MAX_PARAMS, TRACKING_PARAMS, UrlRules, url_key, url_keys

SCHEME = st.sampled_from(
    ["http://", "https://", "HTTP://", "hTTps://", "ftp://", "http:", "http:/", "https:///", "", "//"]
)
HOSTS = """
    www.A.org a.org. a.org.. .a.org a..b 127.0.0.1 a.org:80 a.org:443 a.org:0443 a.org:8080 a.org:99999 a.org: a.org:8x
    www. www.com www.www.a.b WWW.a.b u:p@a.org @a.org [::1]:8 [::1 [::1]:80 bücher.ch a_b-c.d a~b.c a%62.c a+b.c
    a:000443
""".split()
HOST = st.text(alphabet="aB0x.-_wé%@[]: ", max_size=12) | st.sampled_from(
    [*HOSTS, "a" * 253, "a" * 254, "a" * 253 + "."]
)
PATH = st.text(alphabet="/.aB%2eEfF~|é中 \\;=", max_size=24) | st.sampled_from(
    ["/a/../../b/.", "//..//", "/%2E%2e/x", "/./"]
)
QUERY = st.text(alphabet="&=aB%4eutm_gclid?/+ é\t", max_size=30) | st.sampled_from(
    ["b=1&a=2", "utm_source=x", "&&", "fbclid"]
)
REST = st.builds("{}?{}#{}".format, PATH, QUERY, st.text(max_size=3)) | PATH | st.text(max_size=10)
URL = (
    st.builds("{}{}{}".format, SCHEME, HOST, REST) | st.builds("{}a.org/{}?{}".format, SCHEME, PATH, QUERY) | st.text()
)
RULES = st.builds(UrlRules, st.booleans(), st.booleans(), st.sampled_from([TRACKING_PARAMS, (), ("a*", "b", "gclid")]))
KEPT = UrlRules(strip_www=False, sort_query=False, drop_params=())


def keys(*urls, rules=UrlRules()):  # noqa: B008  # a tuple
    return url_keys(pa.array(urls, pa.string()), rules).to_pylist()


def as_given(urls):
    """As Spark gives them: nobody has asked whether they are UTF-8."""
    encoded = [None if url is None else url.encode("utf-8", "surrogatepass") for url in urls]
    return pa.array(encoded, pa.binary()).view(pa.string())


def from_bytes(url):
    return url.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


@given(st.lists(st.none() | URL, max_size=5), RULES, st.integers(0, 2))
def test_a_column_has_the_keys_of_its_urls(urls, rules, skipped):
    found = url_keys(as_given(urls).slice(skipped), rules)
    found.validate(full=True)
    assert found.to_pylist() == [None if url is None else url_key(from_bytes(url), rules) for url in urls[skipped:]]


@given(URL, RULES)
def test_a_key_is_ascii_and_its_own_key(url, rules):
    key = url_key(from_bytes(url), rules)
    if key is not None:
        assert key.isascii()
        assert key.isprintable()
        assert url_key(key, rules) == key


@given(URL.filter(lambda url: url.lower().startswith("http://")), RULES)
def test_the_key_of_a_normal_url_is_that_url(url, rules):
    rules = rules._replace(strip_www=False)
    key = url_key(from_bytes(url), rules)
    assert url_key("http:" + key if key.startswith("//") else key, rules) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.org/x", "https://a.org/x"),
        ("http://A.ORG/x", "http://a.org/x"),
        ("http://a.org./x", "http://a.org/x"),
        ("http://a.org:80/x", "http://a.org/x"),
        ("https://a.org:443/x", "http://a.org/x"),
        ("http://user:secret@a.org/x", "http://a.org/x"),
        ("http://www.a.org/x", "http://a.org/x"),
        ("http://a.org/x/", "http://a.org/x"),
        ("http://a.org/", "http://a.org"),
        ("http://a.org/x#top", "http://a.org/x"),
        ("http://a.org/x?", "http://a.org/x"),
        ("http://a.org/%7ex%2fy", "http://a.org/~x%2Fy"),
        ("http://a.org/é b", "http://a.org/%c3%a9%20b"),
        ("http://a.org/x/./y/../z", "http://a.org/x/z"),
        ("http://a.org/x/%2E%2e/z", "http://a.org/z"),
        ("http://a.org/?b=2&a=1", "http://a.org/?a=1&b=2"),
        ("http://a.org/?a=1&utm_source=x&UTM_Campaign=y&gclid=z&%66bclid", "http://a.org/?a=1"),
        ("http://bücher.ch/", "http://xn--bcher-kva.ch/"),
        (" http://a.org/x\n", "http://a.org/x"),
        ("http://a.org/x\ny", "http://a.org/xy"),
    ],
)
def test_two_spellings_of_one_page(one, other):
    assert keys(one)[0] == keys(other)[0]
    assert keys(other)[0].startswith("//")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.org/x", "http://a.org/X"),
        ("http://a.org/?q=x", "http://a.org/?q=X"),
        ("http://a.org/x", "http://b.org/x"),
        ("http://a.org:8080/x", "http://a.org/x"),
        ("http://a.org:443/x", "http://a.org/x"),
        ("http://www2.a.org/x", "http://a.org/x"),
        ("http://www.com/x", "http://com/x"),
        ("http://a.org/x//y", "http://a.org/x/y"),
        ("http://a.org/x%2Fy", "http://a.org/x/y"),
        ("http://a.org/?a=1&a=1", "http://a.org/?a=1"),
        ("http://a.org/?a", "http://a.org/?a="),
        ("http://a.org/?utm=1", "http://a.org/"),
        ("http://a.org/?gclids=1", "http://a.org/"),
        ("http://a.org/?id=gclid", "http://a.org/"),
        ("http://a.org/%2541", "http://a.org/%41"),
        ("ftp://a.org/x", "http://a.org/x"),
        ("mailto:one@a.org", "mailto:two@a.org"),
        ("a.org/x", "http://a.org/x"),
    ],
)
def test_what_may_be_two_pages_stays_two(one, other):
    assert keys(one)[0] != keys(other)[0]


def test_rules_can_be_switched_off():
    url = "http://www.a.org/?b=2&utm_source=x&a=1"
    assert keys(url, rules=KEPT) == ["//www.a.org?b=2&utm_source=x&a=1"]
    assert keys(url, rules=KEPT._replace(strip_www=True)) == ["//a.org?b=2&utm_source=x&a=1"]
    assert keys(url, rules=KEPT._replace(sort_query=True)) == ["//www.a.org?a=1&b=2&utm_source=x"]
    assert keys(url, rules=KEPT._replace(drop_params=("b", "ut*"))) == ["//www.a.org?a=1"]


def test_null_and_blank_have_no_key():
    assert keys(None, "", " \t\n", "\x00") == [None] * 4
    assert keys() == []


@pytest.mark.parametrize("size", [MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, 10 * MAX_BYTES])
def test_long_urls(size):
    for filler in ("é", "%", "/", "/..", "/a/..", "&", "b&", "?"):
        url = "http://a.org/?z=1&" + filler * size
        assert keys(url[:size], "http://x.y/", url[:5] + url[6:size]) == [
            url_key(each, UrlRules()) for each in (url[:size], "http://x.y/", url[:5] + url[6:size])
        ]


@pytest.mark.parametrize("num", [MAX_PARAMS - 1, MAX_PARAMS, MAX_PARAMS + 1, 500])
def test_many_parameters_are_sorted(num):
    params = [f"{n * 7919 % 1000}=v" for n in range(num)]
    assert keys("http://a.org/?" + "&".join(params)) == ["//a.org?" + "&".join(sorted(params))]


def test_real_urls(shared_data):
    urls = []
    for name in ("daniel_dev_gold", "wcxb_dev_gold"):
        urls += pq.read_table(shared_data / "web" / f"{name}.parquet", columns=["url"])["url"].to_pylist()
    for rules in (UrlRules(), KEPT):
        assert keys(*urls, rules=rules) == [url_key(url, rules) for url in urls]
    assert len(set(keys(*urls))) <= len(set(urls))
