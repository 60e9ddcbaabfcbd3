from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from curate import array_file
from curate.array_file import read_arrays, write_arrays

FACTS = {"name": "模型", "sizes": [1, 2.5, None]}


@given(
    arrays_of.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    )
)
def test_what_is_written_is_read(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("arrays") / "model.npz"
    write_arrays(path, FACTS, {"one": array, "columns": np.asfortranarray(array)})
    facts, found = read_arrays(path, ("one", "columns"))
    assert facts == FACTS
    for name in ("one", "columns"):
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_same_content_gives_the_same_bytes_and_numpy_reads_it(tmp_path):
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in paths:
        write_arrays(path, FACTS, {"one": np.arange(3)})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with np.load(paths[0], allow_pickle=False) as archive:
        assert archive["one"].tolist() == [0, 1, 2]
        assert json.loads(archive["facts"].tobytes()) == FACTS


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name + ".npy", content)
    return path


def header(text: str, body: bytes = b"") -> bytes:
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + body


WHOLE = header("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"{}")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x02\x00",
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x80\x04."),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", b"x"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", b"12345678"),
        header("{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }", b"12345678"),
        header("__import__('os').abort()"),
    ],
)
def test_an_array_that_is_not_sound_is_refused(tmp_path, content):
    read_arrays(archive(tmp_path / "good.npz", facts=WHOLE, one=WHOLE), ("one",))
    with pytest.raises(ValueError, match="damaged"):
        read_arrays(archive(tmp_path / "bad.npz", facts=WHOLE, one=content), ("one",))


def test_a_missing_array_and_facts_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"two\.npy"):
        read_arrays(archive(tmp_path / "a.npz", facts=WHOLE), ("two",))
    listed = header("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"[]")
    with pytest.raises(ValueError, match="no object"):
        read_arrays(archive(tmp_path / "b.npz", facts=listed), ())


def test_no_more_is_unpacked_than_an_array_may_have(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    write_arrays(path, {}, {"zeros": np.zeros(1000, np.uint8)})
    read_arrays(path, ("zeros",))
    monkeypatch.setattr(array_file, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="larger than 1000 bytes"):
        read_arrays(path, ("zeros",))
