from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import InputError
from training_bridge.shards import open_shards


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_the_stream_is_the_documents_end_to_end(corpus):
    shards = open_shards(corpus.folder)
    for split, tokens in corpus.tokens.items():
        stream = shards.stream(split)
        assert len(stream) == len(tokens)
        assert np.array_equal(stream.read(0, len(stream)), tokens)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_any_range_reads_as_the_array_does(corpus, data):
    tokens = corpus.tokens["train"]
    stream = open_shards(corpus.folder).stream("train")
    start = data.draw(st.integers(0, len(tokens)))
    stop = data.draw(st.integers(start, len(tokens)))
    assert np.array_equal(stream.read(start, stop), tokens[start:stop])


def test_a_range_may_span_three_shards_and_an_empty_one(writer):
    stream = open_shards(writer({"train": [[[1, 0]], [], [[2, 0]], [[3, 4, 0]]]})).stream("train")
    assert stream.read(1, 6).tolist() == [0, 2, 0, 3, 4]
    assert stream.read(3, 3).tolist() == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 8)])
def test_a_range_outside_the_stream_is_refused(writer, start, stop):
    stream = open_shards(writer({"train": [[[1, 0]], [[2, 0]], [[3, 4, 0]]]})).stream("train")
    with pytest.raises(IndexError):
        stream.read(start, stop)


def test_documents_come_with_sources_and_sizes(corpus):
    shards = open_shards(corpus.folder)
    documents = shards.documents("val")
    assert documents.num_bytes.tolist() == [len(text.encode()) for text in corpus.texts["val"]]
    assert documents.num_tokens.sum() == len(corpus.tokens["val"])
    assert set(documents.sources) == {"first", "second"}


def test_ids_above_65535_are_read_as_uint32(writer):
    folder = writer({"train": [[[70_000, 65_536, 0]]]}, dtype="uint32", vocab_size=70_001)
    assert open_shards(folder).stream("train").read(0, 3).tolist() == [70_000, 65_536, 0]


@pytest.mark.parametrize(("vocab_size", "fits"), [(65_536, True), (65_537, False)])
def test_uint16_holds_65536_ids_and_no_more(writer, vocab_size, fits):
    folder = writer({"train": [[[65_535, 0]]]}, vocab_size=vocab_size)
    if fits:
        assert open_shards(folder).stream("train").read(0, 2).tolist() == [65_535, 0]
    else:
        with pytest.raises(InputError, match="do not fit in uint16"):
            open_shards(folder)


def test_a_pickled_stream_carries_no_tokens(corpus):
    stream = open_shards(corpus.folder).stream("train")
    stream.read(0, 10)
    data = pickle.dumps(stream)
    assert len(data) < 2000
    assert np.array_equal(pickle.loads(data).read(0, 10), corpus.tokens["train"][:10])


def test_a_shard_of_another_size_is_named(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    with (folder / "train-00000.bin").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match=r"train-00000\.bin has 7 bytes.*3 tokens"):
        open_shards(folder)


@pytest.mark.parametrize(
    "name", ["../train-00000.bin", "/etc/passwd", "a/b", "..", "", "train-00000.bin\0", "c:x", "\\x"]
)
@pytest.mark.parametrize("key", ["file", "documents"])
def test_a_name_that_leads_out_of_the_folder_is_refused(writer, name, key):
    folder = writer({"train": [[[1, 2, 0]]]})
    edit(folder, lambda manifest: manifest["splits"]["train"]["shards"][0].update({key: name}))
    with pytest.raises(InputError, match="no file of that folder"):
        open_shards(folder)


def test_a_link_that_leads_out_of_the_folder_is_refused(writer, tmp_path):
    folder = writer({"train": [[[1, 2, 0]]]})
    shutil.move(folder / "train-00000.bin", tmp_path / "elsewhere.bin")
    os.symlink(tmp_path / "elsewhere.bin", folder / "train-00000.bin")
    with pytest.raises(InputError, match="no file of that folder"):
        open_shards(folder)


def test_a_missing_shard_is_named(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    (folder / "train-00000.documents.parquet").unlink()
    with pytest.raises(InputError, match=r"documents\.parquet is missing"):
        open_shards(folder)


def test_totals_that_do_not_add_up_are_refused(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    edit(folder, lambda manifest: manifest["splits"]["train"].update(num_tokens=4))
    with pytest.raises(InputError, match="states 4 num_tokens, its shards add up to 3"):
        open_shards(folder)


@pytest.mark.parametrize(
    "change",
    [{"format": "other"}, {"version": 2}, {"dtype": "int64"}, {"vocab_size": "384"}, {"splits": [1]}, {"eos_id": -1}],
)
def test_another_manifest_is_refused(writer, change):
    folder = writer({"train": [[[1, 2, 0]]]})
    edit(folder, lambda manifest: manifest.update(change))
    with pytest.raises(InputError, match=next(iter(change))):
        open_shards(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_a_broken_manifest_is_an_input_error(writer, content):
    folder = writer({"train": [[[1, 2, 0]]]})
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match="not a manifest"):
        open_shards(folder)


def test_a_folder_without_shards_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="holds no token shards"):
        open_shards(tmp_path / "nothing")


@pytest.mark.parametrize(("eos_id", "fits"), [(383, True), (384, False)])
def test_eos_lies_in_the_vocabulary(writer, eos_id, fits):
    folder = writer({"train": [[[1, 2, 0]]]}, eos_id=eos_id)
    if fits:
        assert open_shards(folder).eos_id == 383
    else:
        with pytest.raises(InputError, match="outside the vocabulary"):
            open_shards(folder)


def test_an_unknown_split_names_the_known_ones(corpus):
    with pytest.raises(InputError, match="'test'; it has: val, train"):
        open_shards(corpus.folder).split("test")


def test_documents_that_do_not_tile_their_shard_are_refused(writer):
    folder = writer({"train": [[[1, 2, 0], [3, 0]]]})
    path = folder / "train-00000.documents.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(2, "start", pa.array([0, 2], pa.int64())), path)
    with pytest.raises(InputError, match="do not lie end to end"):
        open_shards(folder).documents("train")


def test_a_file_that_is_no_parquet_is_an_input_error(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    (folder / "train-00000.documents.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="not a documents file"):
        open_shards(folder).documents("train")


def test_another_tokenizer_is_refused(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="sha256 differs"):
        open_shards(folder).tokenizer_path  # noqa: B018


def test_verify_finds_a_changed_token(writer):
    folder = writer({"train": [[[1, 2, 0]]]})
    shards = open_shards(folder)
    shards.verify()
    (folder / "train-00000.bin").write_bytes(bytes([1, 0, 3, 0, 0, 0]))
    with pytest.raises(InputError, match="changed after it was written"):
        shards.verify()


def test_reading_shards_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import training_bridge.shards, training_bridge.permutation"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
