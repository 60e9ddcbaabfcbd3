"""A page's bytes become the text that its author wrote, whatever the page says about itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.extraction.decoding import HEAD_BYTES, codec_of, decode_bytes, decode_html

POLISH = "Zażółć gęślą jaźń. Cudowny świat pomaga dzieciom, a środki trafią do szpitala. Łódź też się cieszy. "
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Новости страны и мира сегодня. "
GREEK = "Η ταχεία αλεπού πηδά πάνω από τον οκνηρό σκύλο. Τα νέα της ημέρας από την Αθήνα και τη Θεσσαλονίκη. "
SIMPLIFIED = "中国新闻网记者今天从北京了解到，这项工作已经开始，各地群众都很关心。"
TRADITIONAL = "台灣新聞記者今天從台北瞭解到，這項工作已經開始，各地民眾都很關心。"
JAPANESE = "これは日本語のニュースです。今日は東京で会議が開かれました。"
KOREAN = "오늘 서울에서 회의가 열렸습니다. 새로운 소식을 전해 드립니다."

LEGACY = [
    (POLISH, "iso-8859-2", "iso8859-2"),
    (POLISH, "windows-1250", "cp1250"),
    (RUSSIAN, "windows-1251", "cp1251"),
    (RUSSIAN, "koi8-r", "koi8-r"),
    (RUSSIAN, "iso-8859-5", "iso8859-5"),
    (GREEK, "iso-8859-7", "iso8859-7"),
    (GREEK, "windows-1253", "cp1253"),
    (SIMPLIFIED, "gb2312", "gb18030"),
    (SIMPLIFIED, "gb18030", "gb18030"),
    (TRADITIONAL, "big5", "big5hkscs"),
    (JAPANESE, "shift_jis", "cp932"),
    (JAPANESE, "euc-jp", "euc_jp"),
    (KOREAN, "euc-kr", "cp949"),
]


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>{text[:20]}</title></head><body><p>{text * 20}</p></body></html>"


@pytest.mark.parametrize(("text", "label", "codec"), LEGACY)
def test_the_charset_of_the_response_decides(text: str, label: str, codec: str) -> None:
    assert decode_html(page(text).encode(codec), label.upper()) == (page(text), codec, "http")


@pytest.mark.parametrize(("text", "label", "codec"), LEGACY)
@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="{}">',
        "<META CHARSET={}>",
        "<meta http-equiv='Content-Type' content='text/html; charset={}'>",
        "<!-- <meta charset=utf-8> --><meta charset={}>",
    ],
)
def test_the_page_decides_where_the_response_says_nothing(text: str, label: str, codec: str, meta: str) -> None:
    html = page(text, meta.format(label))
    assert decode_html(html.encode(codec)) == (html, codec, "meta")


@pytest.mark.parametrize(("text", "label", "codec"), LEGACY)
def test_the_bytes_decide_where_nobody_says_anything(text: str, label: str, codec: str) -> None:
    decoded = decode_html(page(text).encode(codec))
    assert decoded.text == page(text)
    assert decoded.how == "detected"


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1251", "gb2312", "euc-jp", "no-such-charset", ""])
def test_valid_utf8_outvotes_a_declaration(label: str) -> None:
    html = page(RUSSIAN, f"<meta charset={label}>")
    assert decode_html(html.encode(), label) == (html, "utf-8", "utf8")


def test_one_sequence_is_proof_against_a_single_byte_charset_and_four_against_a_chinese_one() -> None:
    assert decode_html("© 2026".encode(), "iso-8859-1").text == "© 2026"
    few, enough = "é" * 3, "é" * 12  # a character is counted for every three bytes beyond ASCII at least
    assert decode_html(few.encode(), "gbk").charset == "gb18030"
    assert decode_html(enough.encode(), "gbk").charset == "utf-8"


@pytest.mark.parametrize("wrong", ["utf-8", "euc-jp"])
def test_a_declaration_that_cannot_decode_the_bytes_is_passed_over(wrong: str) -> None:
    html = page(RUSSIAN)
    assert decode_html(html.encode("cp1251"), wrong) == (html, "cp1251", "detected")


@pytest.mark.parametrize(
    ("mark", "codec"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_a_byte_order_mark_outvotes_everything_and_is_no_text(mark: bytes, codec: str) -> None:
    html = page(POLISH, "<meta charset=windows-1250>")
    assert decode_html(mark + html.encode(codec), "iso-8859-1") == (html, codec, "bom")


@pytest.mark.parametrize(("text", "codec"), [(text, codec) for text, _, codec in LEGACY if text is not POLISH])
@pytest.mark.parametrize("where", ["http", "meta"])
def test_western_is_not_believed_where_bytes_stand_side_by_side(text: str, codec: str, where: str) -> None:
    html = page(text, "<meta charset=iso-8859-1>" if where == "meta" else "")
    decoded = decode_html(html.encode(codec), "iso-8859-1" if where == "http" else None)
    assert decoded.text == html
    assert decoded.how == "detected"


def test_western_is_believed_below_256_bytes_and_where_no_three_stand_side_by_side() -> None:
    assert decode_html(("я" * 255).encode("cp1251"), "iso-8859-1").charset == "cp1252"
    enough = ("я" * 4 + "новости ")[:8] * 64
    assert decode_html(enough.encode("cp1251"), "iso-8859-1").charset == "cp1251"
    french = "Élève à l'été, où naît la forêt: «ça, c'est déjà l'œuvre» — ñandú, Größe, coração. " * 40
    assert decode_html(french.encode("cp1252"), "iso-8859-1") == (french, "cp1252", "http")


def test_a_comment_may_be_empty() -> None:
    assert decode_html(b"<!--><meta charset=koi8-r>\xf0").charset == "koi8-r"
    assert decode_html(b"<!--<meta charset=koi8-r>\xf0").charset != "koi8-r"


def test_clean_utf8_is_passed_on_uncopied() -> None:
    payload = page(RUSSIAN).encode()
    assert decode_bytes(payload, "utf-8").utf8 is payload
    assert decode_bytes(memoryview(payload), None) == (payload, "utf-8", "utf8")


def test_byte_order_mark_and_nuls_are_taken_out_of_utf8() -> None:
    assert decode_bytes(b"\xef\xbb\xbfa\0b\xef\xbb\xbf").utf8 == b"ab\xef\xbb\xbf"


def test_foreign_bytes_in_utf8_become_replacement_characters() -> None:
    utf8 = RUSSIAN.encode()
    assert decode_bytes(utf8 + b" caf\xe9 " + utf8, "utf-8").utf8 == utf8 + " caf\ufffd ".encode() + utf8


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_seen(codec: str) -> None:
    assert decode_html(page(POLISH).encode(codec)).text == page(POLISH)


def test_a_page_cut_inside_a_character_is_still_utf8() -> None:
    cut = page(RUSSIAN).encode()[: -len("</p></body></html>") - 4]
    assert decode_html(cut).charset == "utf-8"
    assert decode_html(cut, "utf-8").charset == "utf-8"
    assert decode_html(RUSSIAN.encode()[:-3], "utf-8").text.startswith(RUSSIAN[:-4])


def test_utf8_with_a_few_foreign_bytes_stays_utf8() -> None:
    assert decode_html(RUSSIAN.encode() + b" caf\xe9 " + RUSSIAN.encode(), "utf-8").charset == "utf-8"


def test_a_replacement_character_in_the_page_is_no_error() -> None:
    html = "<p>one \ufffd</p>" + "a" * 100
    assert decode_html(html.encode(), "utf-8") == (html, "utf-8", "http")


def test_english_with_typographic_quotes_is_western() -> None:
    html = "<p>" + "It’s a “quoted” sentence in a long enough English paragraph about nothing at all, really. " * 9
    assert decode_html(html.encode("cp1252")) == (html, "cp1252", "detected")


def test_a_declaration_beyond_the_head_is_not_looked_for() -> None:
    meta = b"<meta charset=koi8-r>"
    text = RUSSIAN.encode("koi8-r") * 20
    assert decode_html(b" " * (HEAD_BYTES - len(meta)) + meta + text).how == "meta"
    assert decode_html(b" " * HEAD_BYTES + meta + text).how == "detected"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("GB2312", "gb18030"), ("gbk", "gb18030"), ("ISO-8859-1", "cp1252"), ("us-ascii", "cp1252"),
        ("latin1", "cp1252"),
        ("x-sjis", "cp932"), ("ks_c_5601-1987", "cp949"), ("tis-620", "cp874"), ("utf8", "utf-8"),
        (' "UTF-8" ', "utf-8"),
        ("utf-16", "utf-16-le"),
    ],
)  # fmt: skip
def test_labels_mean_what_browsers_take_them_to_mean(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    "label", [None, "", "zlib", "hex", "rot13", "unicode_escape", "idna", "utf-7", "cp037", "x" * 999]
)
def test_what_is_no_charset_of_the_web_is_no_label(label: str | None) -> None:
    assert codec_of(label) is None


@given(
    payload=st.binary(max_size=3000),
    declared=st.none() | st.sampled_from(["utf-8", "gbk", "utf-16", "big5"]) | st.text(),
)
@example(payload=b"", declared=None)
@example(payload=b"", declared="latin1")
@example(payload=b"\xe9", declared="latin1")
@example(payload=b"\0" * 100, declared=None)
@example(payload=b"\xff\xfe\x00\xd8", declared=None)
@example(payload=b"<meta charset=utf-16>\xff", declared=None)
def test_any_bytes_give_valid_text_without_nuls(payload: bytes, declared: str | None) -> None:
    decoded = decode_bytes(payload, declared)
    assert decoded.utf8.decode("utf-8") == decode_html(payload, declared).text
    assert b"\0" not in decoded.utf8
    assert decode_bytes(memoryview(payload), declared) == decoded


@given(st.binary(max_size=12) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xed\xa0\x80")
@example(b"\xc0\x80")
@example(b"\xf4\x90\x80\x80")
def test_bytes_are_kept_where_python_calls_them_utf8_and_only_there(data: bytes) -> None:
    payload = b"ascii " * 3 + data.replace(b"\0", b"") + b" ascii"
    try:
        payload.decode("utf-8")
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert (decode_bytes(payload, "utf-8").utf8 == payload) == valid


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1))
def test_utf8_declared_as_such_comes_back_as_it_was(text: str) -> None:
    assert decode_html(text.encode(), "utf-8").text == text


def test_news_pages_in_legacy_charsets_are_read_as_they_were_written(shared_data: Path) -> None:
    fastwarc = pytest.importorskip("fastwarc.warc")
    gold = pq.read_table(shared_data / "web" / "daniel_dev_gold.parquet").to_pylist()
    language_of = {row["url"]: row["language"] for row in gold}
    codecs = {
        "Chinese": ["gb18030"],
        "Russian": ["cp1251", "koi8-r", "iso8859-5"],
        "Polish": ["iso8859-2", "cp1250"],
        "Greek": ["iso8859-7", "cp1253"],
    }
    num_pages, wrong = 0, []
    with (shared_data / "web" / "daniel_dev.warc.gz").open("rb") as stream:
        for n, record in enumerate(fastwarc.ArchiveIterator(stream, record_types=fastwarc.WarcRecordType.response)):
            if n % 12:
                continue
            html = record.reader.read().decode("utf-8").replace("\0", "").replace("charset", "x-set")
            for codec in codecs.get(language_of[record.headers["WARC-Target-URI"]], []):
                payload = html.encode(codec, "xmlcharrefreplace")
                num_pages += 1
                if decode_html(payload).text != payload.decode(codec):
                    wrong.append((record.headers["WARC-Target-URI"], codec))
    assert num_pages > 100
    assert len(wrong) <= 0.02 * num_pages, wrong
