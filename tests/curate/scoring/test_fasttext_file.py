"""Reading a fastText model's file: what it holds, and what is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from fasttext_models import corpus, trained

from curate.errors import EnvironmentProblem
from curate.models import fasttext_module, load_once
from curate.scoring.fasttext_file import Note, read_fasttext


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    trained(folder / "model.bin", wordNgrams=2)
    trained(folder / "model.ftz", wordNgrams=2, quantize={"qnorm": True, "cutoff": 300})
    return folder


def test_labels_come_without_their_prefix_and_in_the_library_s_order(folder):
    model = read_fasttext(str(folder / "model.bin"))
    assert set(model.labels) == {"spam", "ham"}
    library = fasttext_module().load_model(str(folder / "model.bin"))
    assert [f"__label__{label}" for label in model.labels] == library.labels
    assert model.note is None


def test_with_few_labels_a_row_is_as_long_as_there_are_labels(folder):
    library = fasttext_module().load_model(str(folder / "model.bin"))
    lines = read_fasttext(str(folder / "model.bin")).lines
    expected = library.get_input_matrix().astype(float) @ library.get_output_matrix().astype(float).T
    np.testing.assert_allclose(lines.rows, expected, rtol=1e-6)
    assert lines.output.size == 0


def test_the_library_reads_a_file_with_a_note_behind_it(folder, tmp_path):
    note = Note(positive="spam", labels={"spam": "Spam!"}, tokens="characters", lower_case=True)
    path = tmp_path / "noted.bin"
    path.write_bytes((folder / "model.bin").read_bytes() + note.model_dump_json().encode())
    assert read_fasttext(str(path)).note == note
    assert set(read_fasttext(str(path)).labels) == {"Spam!", "ham"}
    assert set(fasttext_module().load_model(str(path)).labels) == {"__label__spam", "__label__ham"}


@pytest.mark.parametrize("rest", [b"\0\xff", b"[1]", b"7", json.dumps({"other": 1}).encode()])
def test_something_else_behind_the_model_is_let_be(folder, tmp_path, rest):
    path = tmp_path / "model.bin"
    path.write_bytes((folder / "model.bin").read_bytes() + rest)
    assert read_fasttext(str(path)).note is None


@pytest.mark.parametrize("name", ["model.bin", "model.ftz"])
def test_a_file_cut_short_anywhere_is_refused(folder, tmp_path, name):
    whole = (folder / name).read_bytes()
    path = tmp_path / "short"
    for size in (*range(0, min(400, len(whole)), 7), *range(400, len(whole), len(whole) // 40), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cut short"):
            read_fasttext(str(path))


@pytest.mark.parametrize("name", ["model.bin", "model.ftz"])
def test_a_file_with_wrong_numbers_is_refused_or_read_but_never_read_beyond(folder, tmp_path, name):
    """Sizes of the header and the dictionary, one after another made huge, negative or zero."""
    whole = (folder / name).read_bytes()
    path = tmp_path / "wrong"
    for place in range(8, 104, 4):
        for number in (-1, 0, 2**31 - 1):
            path.write_bytes(whole[:place] + number.to_bytes(4, "little", signed=True) + whole[place + 4 :])
            try:
                read_fasttext(str(path))
            except ValueError:
                continue


DIM = 4
QUANTISER = struct.pack("<4i", DIM, 2, 2, 2) + np.ones(DIM * 256, "<f4").tobytes()
NORMS = struct.pack("<4i", 1, 1, 1, 1) + np.ones(256, "<f4").tobytes()


def quantised(path, quantiser=QUANTISER, norms=NORMS, counts=(5, 5), loss=3):
    """A file of three words, two labels and a quantised matrix, byte by byte as the library lays it out."""
    entries = [
        (b"</s>", 9, 0),
        (b"a", 9, 0),
        (b"b", 9, 0),
        (b"__label__x", counts[0], 1),
        (b"__label__y", counts[1], 1),
    ]
    path.write_bytes(
        struct.pack("<2i12id", 793712314, 12, DIM, 1, 1, 1, 1, 1, loss, 3, 0, 0, 0, 1, 1e-4)
        + struct.pack("<3i2q", 5, 3, 2, 10, -1)
        + b"".join(name + struct.pack("<xqb", count, kind) for name, count, kind in entries)
        + struct.pack("<2B2qi", 1, 1, 3, DIM, 6)
        + bytes(6)  # codes
        + quantiser
        + bytes(3)  # codes of norms
        + norms
        + struct.pack("<B2q", 0, 2, DIM)
        + np.ones(2 * DIM, "<f4").tobytes()
    )
    return str(path)


def test_a_quantised_row_is_as_wide_as_the_matrix(tmp_path):
    assert read_fasttext(quantised(tmp_path / "model.ftz")).lines.rows.tolist() == [[DIM, DIM]] * 3
    for dim, size, last in ((6, 3, 3), (5, 2, 3), (3, 2, 1), (4096, 2048, 2048)):
        wrong = struct.pack("<4i", dim, 2, size, last) + np.ones(dim * 256, "<f4").tobytes()
        with pytest.raises(ValueError, match=f"make {dim} columns instead of {DIM}"):
            read_fasttext(quantised(tmp_path / "wrong.ftz", wrong))


@pytest.mark.parametrize("dim", [0, 2])
def test_a_norm_is_one_number(tmp_path, dim):
    norms = struct.pack("<4i", dim, 1, dim, dim) + np.ones(dim * 256, "<f4").tobytes()
    with pytest.raises(ValueError, match=f"norms of its rows have {dim} dimensions"):
        read_fasttext(quantised(tmp_path / "wrong.ftz", norms=norms))


@pytest.mark.parametrize("counts", [(10**15, 5), (5, 10**15), (2 * 10**15, 2 * 10**15), (2**63 - 1, 0)])
def test_counts_that_a_tree_cannot_hold_are_refused_where_there_is_one(tmp_path, counts):
    with pytest.raises(ValueError, match="a label was seen"):
        read_fasttext(quantised(tmp_path / "tree.ftz", counts=counts, loss=1))
    assert read_fasttext(quantised(tmp_path / "flat.ftz", counts=counts)).labels == ("x", "y")
    almost = tuple(min(count, 10**15 - 1) for count in counts)
    tree = read_fasttext(quantised(tmp_path / "tree.ftz", counts=almost, loss=1)).lines.tree
    assert tree[:, 0].tolist() == [2, 2, -1]


def test_word_vectors_are_no_classifier(tmp_path):
    source = tmp_path / "words.txt"
    source.write_text("\n".join(corpus()), "utf-8")
    train = fasttext_module(training=True).train_unsupervised
    model = train(str(source), dim=2, epoch=1, bucket=10, verbose=0, thread=1)
    model.save_model(str(tmp_path / "vectors.bin"))
    with pytest.raises(EnvironmentProblem, match="no labels"):
        load_once("fastText model", tmp_path / "vectors.bin", read_fasttext)


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a model at all, but long enough to be read")
    with pytest.raises(EnvironmentProblem, match="does not begin as a fastText model"):
        load_once("fastText model", path, read_fasttext)
    path.write_bytes((793712314).to_bytes(4, "little") + (13).to_bytes(4, "little") + bytes(100))
    with pytest.raises(EnvironmentProblem, match="version 13"):
        load_once("fastText model", path, read_fasttext)
