"""Labelled rows of any file become one table, and what does not is counted."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.examples import reading as examples_module
from classifiers.examples.example_set import ExampleSet
from classifiers.examples.reading import MAX_REJECTED, REJECTED, read_examples
from classifiers.trainer import EXAMPLES
from curate.document import doc_id, uniform
from curate.errors import InputError, RecipeError
from curate.recipe import build


def jsonl(path, rows):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(path)


def read(*sets, **settings):
    found = read_examples(sets, **settings)
    for one in sets:
        counts = dict(found.counts[one.name])
        assert counts.pop("read") == sum(counts.values())
    assert found.table.schema == EXAMPLES
    assert found.rejected.schema == REJECTED
    return found


def by_text(found, column):
    return dict(zip(found.table["text"].to_pylist(), found.table[column].to_pylist(), strict=True))


def test_a_csv_with_a_header_quotes_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff,klasse,tweet\n0,1,"two\nlines, ""quoted"""\n1,2,plain\n'.encode())
    one = ExampleSet(
        name="a", paths=(str(path),), text_column="tweet", label_column="klasse", labels={1: "bad", 2: "good"}
    )
    assert by_text(read(one), "label") == {'two\nlines, "quoted"': "bad", "plain": "good"}


def test_a_tsv_without_a_header_takes_quotes_as_they_are(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('ham\tsay "hi\nspam\t"win\nham\tok\textra\n')
    found = read(ExampleSet(name="a", paths=(str(path),), columns=("label", "text")))
    assert by_text(found, "label") == {'say "hi': "ham", '"win': "spam"}
    assert found.counts["a"]["error_wrong_number_of_values"] == 1


def test_another_encoding_and_compression(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("label,text\n1,垃圾信息\n".encode("gb18030")))
    one = ExampleSet(name="a", paths=(str(path),), encoding="gb18030")
    assert by_text(read(one), "label") == {"垃圾信息": "1"}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_jsonl_and_parquet_give_the_same(tmp_path, name):
    rows = [
        {"text": "one", "label": "x", "url": "https://www.a.example.co.uk/1", "language": "en"},
        {"text": "two", "label": "y", "url": None, "language": None},
    ]
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        jsonl(path, rows)
    found = read(ExampleSet(name="a", paths=(str(path),), language="fr"))
    assert by_text(found, "label") == {"one": "x", "two": "y"}
    assert by_text(found, "language") == {"one": "en", "two": "fr"}
    assert by_text(found, "group") == {"one": "example.co.uk", "two": by_text(found, "doc_id")["two"]}
    assert by_text(found, "source") == {"one": "a", "two": "a"}


def test_plain_text_is_one_document_a_file_with_the_label_of_all(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"book {name}\nsecond line\n")
    found = read(ExampleSet(name="books", paths=(str(tmp_path),), label="good"))
    assert by_text(found, "label") == {"book a\nsecond line\n": "good", "book b\nsecond line\n": "good"}


def test_a_group_is_the_host_the_document_or_a_column(tmp_path):
    rows = [{"text": f"t{n}", "label": "x", "url": f"https://h.example/{n}", "author": n % 2} for n in range(4)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    host = read(ExampleSet(name="a", paths=(path,)))
    assert set(by_text(host, "group").values()) == {"h.example"}
    document = read(ExampleSet(name="a", paths=(path,), group="document"))
    assert by_text(document, "group") == by_text(document, "doc_id")
    column = read(ExampleSet(name="a", paths=(path,), group_column="author"))
    assert by_text(column, "group") == {"t0": "0", "t1": "1", "t2": "0", "t3": "1"}


def test_ids_are_kept_or_made_of_content(tmp_path):
    known = doc_id("somebody's")
    path = jsonl(
        tmp_path / "a.jsonl",
        [{"text": "one", "label": "x", "doc_id": known, "key": "k1"}, {"text": "two", "label": "x", "key": "k2"}],
    )
    found = by_text(read(ExampleSet(name="a", paths=(path,))), "doc_id")
    assert found == {"one": known, "two": doc_id(None, None, "two")}
    assert by_text(read(ExampleSet(name="a", paths=(path,), doc_id_column="key")), "doc_id") == {
        "one": "k1",
        "two": "k2",
    }


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, {"a": "0", "b": "1", "c": "2"}),
        ({0: "no", "1": "yes"}, {"a": "no", "b": "yes"}),
        ({0: "no", "*": "yes"}, {"a": "no", "b": "yes", "c": "yes"}),
        ({0: None, "*": "yes"}, {"b": "yes", "c": "yes"}),
    ],
)
def test_labels_are_named_anew_or_left_out(tmp_path, labels, expected):
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": 1.0}, {"text": "c", "label": " 2 "}]
    found = read(ExampleSet(name="a", paths=(jsonl(tmp_path / "a.jsonl", rows),), labels=labels))
    assert by_text(found, "label") == expected
    assert found.counts["a"].get("label_left_out", 0) == 3 - len(expected)


def test_what_cannot_be_used_is_counted_and_shown(tmp_path):
    rows = [
        {"text": "fine", "label": "x"},
        {"text": " \n", "label": "x"},
        {"text": None, "label": "x"},
        {"text": "unjudged", "label": None},
        {"text": "blank", "label": " "},
    ]
    path = tmp_path / "a.jsonl"
    jsonl(path, rows)
    with path.open("a") as file:
        file.write("not json\n")
    found = read(ExampleSet(name="a", paths=(str(path),)))
    assert dict(found.counts["a"]) == {
        "read": 6,
        "used": 1,
        "empty_text": 1,
        "error_no_text": 1,
        "label_missing": 2,
        "error_not_json": 1,
    }
    assert Counter(found.rejected["reason"].to_pylist()) == {
        "empty_text": 1,
        "error_no_text": 1,
        "label_missing": 2,
        "error_not_json": 1,
    }
    assert "unjudged" in found.rejected["text"].to_pylist()


def test_pages_that_were_not_extracted_are_refused(tmp_path):
    (tmp_path / "a.html").write_text("<html><p>hi</html>")
    with pytest.raises(InputError, match=r"none|not_extracted"):
        read_examples([ExampleSet(name="a", paths=(str(tmp_path / "a.html"),), label="x")])


def test_a_text_is_one_example_and_with_two_labels_none(tmp_path):
    first = jsonl(tmp_path / "1.jsonl", [{"text": t, "label": "x"} for t in ("same", "same", "torn", "own")])
    second = jsonl(tmp_path / "2.jsonl", [{"text": t, "label": "y"} for t in ("torn", "torn", "other")])
    found = read(ExampleSet(name="a", paths=(first,)), ExampleSet(name="b", paths=(second,)))
    assert by_text(found, "label") == {"same": "x", "own": "x", "other": "y"}
    assert found.counts["a"] == {"read": 4, "used": 2, "duplicate_text": 1, "conflicting_labels": 1}
    assert found.counts["b"] == {"read": 3, "used": 1, "conflicting_labels": 2}


def test_the_order_depends_on_ids_and_seed_alone(tmp_path):
    rows = [{"text": f"text {n}", "label": "x" if n < 20 else "y"} for n in range(40)]
    one = jsonl(tmp_path / "one.jsonl", rows)
    back = jsonl(tmp_path / "back.jsonl", rows[::-1])
    halves = [jsonl(tmp_path / f"{n}.jsonl", rows[n::2]) for n in range(2)]
    tables = [read(ExampleSet(name="a", paths=paths), seed=3).table for paths in ((one,), (back,), tuple(halves[::-1]))]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert not read(ExampleSet(name="a", paths=(one,)), seed=4).table.equals(tables[0])
    draws = [uniform(identity, 3, "examples") for identity in tables[0]["doc_id"].to_pylist()]
    assert draws == sorted(draws)
    assert len(set(tables[0]["label"].to_pylist()[:20])) == 2


def test_at_most_so_many_of_a_label_are_drawn(tmp_path):
    rows = [{"text": f"text {n}", "label": "x" if n < 90 else "y"} for n in range(100)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    whole = read(ExampleSet(name="a", paths=(path,))).table
    some = read(ExampleSet(name="a", paths=(path,), max_per_label=10))
    assert Counter(some.table["label"].to_pylist()) == {"x": 10, "y": 10}
    assert some.counts["a"]["over_max_per_label"] == 80
    lowest = [row for row in whole.to_pylist() if row["label"] == "x"][:10]
    assert [row for row in some.table.to_pylist() if row["label"] == "x"] == lowest


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", " ", ""]), st.sampled_from(["x", "y", None])), min_size=1, max_size=12
    )
)
def test_counts_add_up_and_only_texts_of_one_label_stay(tmp_path_factory, rows):
    path = jsonl(tmp_path_factory.mktemp("rows") / "a.jsonl", [{"text": text, "label": label} for text, label in rows])
    labels = {text: {label for other, label in rows if other == text and label} for text, _ in rows if text.strip()}
    expected = {text: min(found) for text, found in labels.items() if len(found) == 1}
    one = ExampleSet(name="a", paths=(path,))
    if not any(labels.values()):
        with pytest.raises(InputError):
            read_examples([one])
    else:
        assert by_text(read(one), "label") == expected


def test_hostile_texts_stay_what_they_are(tmp_path):
    rows = [{"text": text, "label": "x"} for text in ("a\x00b", "</script>", "x" * 100_000, "line\u2028end", "\ud800z")]
    found = read(ExampleSet(name="a", paths=(jsonl(tmp_path / "a.jsonl", rows),)))
    assert set(found.table["text"].to_pylist()) == {"a\x00b", "</script>", "x" * 100_000, "line\u2028end", "?z"}
    path = tmp_path / "a.csv"
    path.write_bytes(b'label,text\nx,a\x00b\nx,\xff\xfe\nx,"open\nto the end\n')
    assert set(by_text(read(ExampleSet(name="a", paths=(str(path),))), "label")) == {
        "a\x00b",
        "\ufffd\ufffd",
    }


def test_texts_beyond_one_arrow_string_go_to_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(examples_module, "_CHUNK_BYTES", 50)
    rows = [{"text": f"{n} " * 10, "label": "x"} for n in range(20)]
    found = read(ExampleSet(name="a", paths=(jsonl(tmp_path / "a.jsonl", rows),)))
    assert found.table["text"].num_chunks > 5
    assert found.table.num_rows == 20


def test_few_rejected_rows_are_shown_and_all_are_counted(tmp_path):
    rows = [{"text": "fine", "label": "x"}, *({"text": "", "label": "x"} for _ in range(MAX_REJECTED + 5))]
    found = read(ExampleSet(name="a", paths=(jsonl(tmp_path / "a.jsonl", rows),)))
    assert found.counts["a"]["empty_text"] == MAX_REJECTED + 5
    assert found.rejected.num_rows == MAX_REJECTED


def test_a_wrong_column_is_told_with_those_there_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("klasse,tweet\n1,hi\n")
    with pytest.raises(InputError, match=r"'text'; it has: 'klasse', 'tweet'.*text_column of 'a'"):
        read_examples([ExampleSet(name="a", paths=(str(path),))])
    with pytest.raises(InputError, match=r"1 label_missing.*'label'; columns there are.*klasse"):
        read_examples([ExampleSet(name="a", paths=(str(path),), text_column="tweet")])


def test_no_file_an_empty_file_and_no_path_are_told(tmp_path):
    with pytest.raises(InputError, match="-i a=PATH"):
        read_examples([ExampleSet(name="a")])
    with pytest.raises(InputError, match="no such file"):
        read_examples([ExampleSet(name="a", paths=(str(tmp_path / "none.csv"),))])
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="there is none"):
        read_examples([ExampleSet(name="a", paths=(str(tmp_path / "empty.jsonl"),))])


def test_one_label_for_all_and_labels_of_a_column_exclude_each_other():
    with pytest.raises(RecipeError, match="give one"):
        build(ExampleSet, {"name": "a", "label": "x", "labels": {"1": "y"}}, "examples a")


def test_real_labelled_files(shared_data):
    folder = shared_data / "labelled"
    sets = [
        ExampleSet(
            name="davidson",
            paths=(str(folder / "davidson_en.csv"),),
            text_column="tweet",
            label_column="class",
            labels={0: "toxic", 1: "toxic", 2: "civil"},
            max_per_label=2000,
        ),
        ExampleSet(name="sms", paths=(str(folder / "sms_spam_en.tsv"),), columns=("label", "text")),
        ExampleSet(
            name="cold", paths=(str(folder / "cold_zh_dev.csv"),), text_column="TEXT", labels={0: "civil", 1: "toxic"}
        ),
    ]
    found = read(*sets)
    counts = {name: dict(values) for name, values in found.counts.items()}
    assert counts["davidson"] == {"read": 24783, "over_max_per_label": 20783, "used": 4000}
    assert counts["sms"] == {"read": 5574, "duplicate_text": 403, "used": 5171}
    assert counts["cold"]["read"] == 6431


def test_sentences_of_documents_are_examples_and_stay_together(tmp_path):
    """Each has an id of its own, and its document is the group: a split never tears one apart."""
    texts = ["One is here. Two is here!\n\nThree.", "Four. One is here.", "", None]
    pq.write_table(pa.table({"text": texts, "id": ["a", "b", "c", "d"]}), tmp_path / "d.parquet")
    given = {"name": "plain", "paths": (str(tmp_path / "d.parquet"),), "label": "civil", "doc_id_column": "id"}
    found = read_examples([ExampleSet(unit="sentence", **given)])
    rows = {row["text"]: (row["doc_id"], row["group"]) for row in found.table.to_pylist()}
    assert rows == {
        "One is here.": ("a-0", "a"),
        "Two is here!": ("a-1", "a"),
        "Three.": ("a-2", "a"),
        "Four.": ("b-0", "b"),
    }
    assert found.counts["plain"] == {"read": 7, "used": 4, "duplicate_text": 1, "empty_text": 1, "error_no_text": 1}
    few = read_examples([ExampleSet(unit="sentence", max_per_label=2, **given)])
    assert few.counts["plain"]["used"] == 2


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_that_is_never_closed_makes_no_example_of_the_rest(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_text(f'label,text\nx,"two\nlines"\nx,"open\ny,swallowed\ny,too{end}')
    found = read(ExampleSet(name="a", paths=(str(path),)))
    assert by_text(found, "label") == {"two\nlines": "x"}
    (row,) = found.rejected.to_pylist()
    assert (row["reason"], row["offset"]) == ("error_quote_not_closed", 4)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_quote_closed_by_the_last_character_is_closed(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(f'label,text\nx,one\nx,"the\nlast"{end}'.encode())
    assert by_text(read(ExampleSet(name="a", paths=(str(path),))), "label") == {"one": "x", "the\nlast": "x"}


def test_truths_and_numbers_of_yaml_are_those_of_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("label,text\ntrue,one\nFalse,two\n1.0,three\n")
    labels = {True: "toxic", "False": 0, "1": True}
    one = ExampleSet(name="a", paths=(str(path),), labels=labels)
    assert by_text(read(one), "label") == {"one": "toxic", "two": "0", "three": "true"}
    assert ExampleSet(name="a", label=1).label == "1"


def test_of_duplicates_the_same_one_is_kept_whatever_their_files_are_called(tmp_path):
    rows = [
        {"text": "same", "label": "x", "url": "https://b.example.org/1"},
        {"text": "same", "label": "x", "url": "https://a.example.net/1"},
        {"text": "same", "label": "x"},
    ]
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        folder = tmp_path / "".join(map(str, order))
        folder.mkdir()
        for number, row in enumerate(order):
            jsonl(folder / f"{number}.jsonl", [rows[row]])
        found = read(ExampleSet(name="a", paths=(str(folder),)))
        assert found.table.select(["text", "url", "group"]).to_pylist() == [
            {"text": "same", "url": "https://a.example.net/1", "group": "example.net"}
        ]
        assert found.counts["a"]["duplicate_text"] == 2


def test_of_duplicates_in_two_sets_that_of_the_first_set_is_kept(tmp_path):
    one = jsonl(tmp_path / "1.jsonl", [{"text": "same", "label": "x", "url": "https://b.example.org/"}])
    two = jsonl(tmp_path / "2.jsonl", [{"text": "same", "label": "x", "url": "https://a.example.net/"}] * 2)
    found = read(ExampleSet(name="one", paths=(one,)), ExampleSet(name="two", paths=(two,)))
    assert found.table["url"].to_pylist() == ["https://b.example.org/"]
