"""The expression for ordinary URLs gives what `urllib` gives."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.url_parts import MAX_HOST_CHARS, MAX_WORD_CHARS, _ordinary, parsed_url, url_parts

SCHEME = st.sampled_from(["http://", "https://", "HTTP://", "hTTps://", "ftp://", "http:", "", "//"])
HOSTS = """
    www.A.org a.org. a.org.. 127.0.0.1 1.0xf 0x7f a.org:80 a.org:99999 a.org: www. u@a.org [::1]:8 www.www.a.b
""".split()
HOST = st.text(alphabet="aB0x.-_wé%@[]: ", max_size=12) | st.sampled_from([*HOSTS, "a" * 254, "a" * 253 + "."])
RESTS = ["/%E3%81%82", "/%zz", "?q=/A/b", "#/x?y", ""]
REST = st.text(alphabet='/?#aB%4e1 .:@\\"~\t', max_size=16) | st.sampled_from(RESTS)


def parts_of(*urls):
    return list(zip(*(column.to_pylist() for column in url_parts(pa.array(urls, pa.string()))), strict=True))


@given(st.lists(st.builds("{}{}{}".format, SCHEME, HOST, REST) | st.text(), min_size=1, max_size=4))
def test_any_url_has_the_parts_that_urllib_finds(urls):
    assert parts_of(*urls) == [parsed_url(url) for url in urls]


def test_null_has_no_parts():
    assert parts_of("http://a.org/", None, "x")[1] == (None,) * 6
    assert parts_of() == []


@pytest.mark.parametrize("chars", [MAX_WORD_CHARS - 1, MAX_WORD_CHARS, MAX_WORD_CHARS + 1])
def test_only_the_beginning_of_a_long_url_is_readable(chars):
    url = "http://a.org/".ljust(chars, "x")
    assert parts_of(url) == [parsed_url(url)]
    assert len(parts_of(url)[0][-1]) == min(chars, MAX_WORD_CHARS)


@pytest.mark.parametrize("chars", [MAX_HOST_CHARS, MAX_HOST_CHARS + 1])
def test_a_host_of_253_characters_is_one(chars):
    (parts,) = parts_of("http://" + "a" * chars)
    assert parts[1] is (chars > MAX_HOST_CHARS)


def test_real_urls_are_nearly_all_ordinary_and_all_agree(shared_data):
    urls = pq.read_table(shared_data / "web" / "daniel_dev_gold.parquet", columns=["url"])["url"].to_pylist()
    urls += pq.read_table(shared_data / "web" / "wcxb_dev_gold.parquet", columns=["url"])["url"].to_pylist()
    assert parts_of(*urls) == [parsed_url(url) for url in urls]
    assert pc.mean(_ordinary(pa.array(urls)).host.is_valid().cast(pa.int8())).as_py() > 0.95
