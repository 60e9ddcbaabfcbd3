"""A model comes back as it was, in the same bytes; a damaged or hostile file is refused before a kernel sees it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate import array_file
from curate.errors import EnvironmentProblem, OutputError
from curate.extraction import model as model_file
from curate.extraction.model import ExtractorModel, load, save
from curate.kernels.page_features import FEATURES, PAGE_TYPES
from curate.kernels.page_profile import PROFILE
from curate.kernels.page_traits import LEXICON_SIZE
from curate.kernels.trees import Tree, Trees, packed, scores
from curate.models import file_digest


def stumps(num_trees: int, num_features: int, num_classes: int) -> Trees:
    rng = np.random.default_rng(num_trees)
    one = np.zeros(1, int)
    return packed(
        [
            Tree(
                rng.integers(0, num_features, 1),
                rng.normal(size=1).astype("f4"),
                one - 1,
                one - 2,
                rng.normal(size=2).astype("f4"),
            )
            for _ in range(num_trees)
        ],
        num_features,
        num_classes,
    )


@pytest.fixture(scope="module")
def model() -> ExtractorModel:
    lexicon = np.random.default_rng(0).normal(size=LEXICON_SIZE).astype(np.float32)
    lexicon[lexicon < 2] = 0
    return ExtractorModel(
        stumps(12, len(FEATURES), 1),
        stumps(14, len(PROFILE), len(PAGE_TYPES)),
        lexicon,
        settings={"learning_rate": 0.07, "data": ["wcxb"], "weiß": None},
    )


@pytest.fixture(scope="module")
def saved(model: ExtractorModel, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "extractor.npz"
    save(model, path)
    return path.read_bytes()


def equal(a: object, b: object) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes() and a.shape == b.shape
    return a == b


def test_a_model_comes_back_as_it_was(model: ExtractorModel, tmp_path: Path) -> None:
    save(model, tmp_path / "a.npz")
    found = load(tmp_path / "a.npz", digest=file_digest(tmp_path / "a.npz"))
    assert equal(found, model)
    rows = np.random.default_rng(1).normal(size=(20, len(FEATURES))).astype(np.float32)
    assert (scores(found.block_trees, rows) == scores(model.block_trees, rows)).all()
    assert load(tmp_path / "a.npz") is found
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_the_same_model_gives_the_same_bytes(model: ExtractorModel, saved: bytes, tmp_path: Path) -> None:
    save(model._replace(settings=dict(reversed(model.settings.items()))), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved


def test_numpy_reads_the_file_too(model: ExtractorModel, saved: bytes) -> None:
    arrays = np.load(io.BytesIO(saved), allow_pickle=False)
    assert (arrays["lexicon"] == model.lexicon).all()
    assert (arrays["block_trees.threshold"] == model.block_trees.threshold).all()


def test_another_digest_is_refused(saved: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(saved)
    with pytest.raises(EnvironmentProblem, match="not the extractor file"):
        load(tmp_path / "m.npz", digest="0" * 64)
    with pytest.raises(EnvironmentProblem, match="cannot read the model file"):
        load(tmp_path / "none.npz")


def with_array(saved: bytes, name: str, content: bytes) -> bytes:
    """The file with one of its entries exchanged."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name + ".npy" else old.read(entry))
    return out.getvalue()


def as_npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def header(descr: str, shape: str) -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HOSTILE: dict[str, tuple[str, Callable[[ExtractorModel], bytes], str]] = {
    "a feature beyond the last": (
        "block_trees.feature",
        lambda m: as_npy(m.block_trees.feature * 0 + np.uint16(len(FEATURES))),
        "feature",
    ),
    "nodes beyond the last": (
        "block_trees.first_node",
        lambda m: as_npy(m.block_trees.first_node * np.int32(3)),
        "belong to no tree",
    ),
    "nodes before the first": (
        "type_trees.first_node",
        lambda m: as_npy(np.where(np.arange(15) == 7, np.int32(-8), m.type_trees.first_node)),
        "before it begins",
    ),
    "no number": ("block_trees.value", lambda m: as_npy(m.block_trees.value * np.float32("nan")), "no numbers"),
    "a short lexicon": ("lexicon", lambda m: as_npy(m.lexicon[:-1]), "lexicon"),
    "an infinite lexicon": ("lexicon", lambda m: as_npy(m.lexicon + np.float32("inf")), "lexicon"),
    "doubles": ("lexicon", lambda m: as_npy(m.lexicon.astype(float)), "lexicon"),
    "a pickle": ("lexicon", lambda m: as_npy(np.array([{}, []], object)), "damaged"),
    "a huge header": ("lexicon", lambda m: header("<f4", "(1000000000000000,)") + b"1234", "damaged"),
    "a negative shape": ("lexicon", lambda m: header("<f4", "(-1, -1)") + b"1234", "damaged"),
    "a header that is no header": ("lexicon", lambda m: header("<f4", "(((("), "damaged"),
    "a deep header": ("lexicon", lambda m: header("<f4", "[" * 8000), "damaged"),
    "deep facts": ("facts", lambda m: as_npy(np.frombuffer(b"[" * 500_000, np.uint8)), "maximum recursion|damaged"),
    "no facts": ("facts", lambda m: as_npy(np.frombuffer(b"[1, 2]", np.uint8)), "damaged"),
    "sizes of another type": (
        "facts",
        lambda m: as_npy(np.frombuffer(json.dumps({"shapes": {"block_trees": [9.5, True]}}).encode(), np.uint8)),
        "damaged",
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, model: ExtractorModel, saved: bytes, tmp_path: Path) -> None:
    entry, content, message = HOSTILE[name]
    path = tmp_path / "m.npz"
    path.write_bytes(with_array(saved, entry, content(model)))
    with pytest.raises(EnvironmentProblem, match=message):
        load(path)


def test_a_missing_array_is_named(saved: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            if entry != "type_trees.right.npy":
                new.writestr(entry, old.read(entry))
    (tmp_path / "m.npz").write_bytes(out.getvalue())
    with pytest.raises(EnvironmentProblem, match=r"type_trees\.right"):
        load(tmp_path / "m.npz")


def test_another_compression_is_refused(saved: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(tmp_path / "m.npz", "w") as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry), zipfile.ZIP_LZMA)
    with pytest.raises(EnvironmentProblem, match="another way"):
        load(tmp_path / "m.npz")


def test_an_array_that_unpacks_to_too_much_is_refused(saved, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_file, "MAX_BYTES", 1 << 16)
    (tmp_path / "m.npz").write_bytes(with_array(saved, "lexicon", as_npy(np.zeros(LEXICON_SIZE, np.float32))))
    with pytest.raises(EnvironmentProblem, match="larger than 65536"):
        load(tmp_path / "m.npz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_a_damaged_file_is_refused_or_harmless(saved: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """Cut short or with bytes changed: an error for the user, or a model whose every number is in range."""
    content = bytearray(saved)
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(saved) - 1))]
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(bytes(content))
    try:
        found = model_file._read(str(path))
    except (ValueError, RuntimeError, OSError):  # what `load_once` makes an EnvironmentProblem of
        return
    assert model_file.model_faults(found) == ""


def test_a_model_of_other_features_says_to_train_again(model: ExtractorModel, saved: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        facts = json.loads(np.load(io.BytesIO(archive.read("facts.npy"))).tobytes())
    facts["feature_names"][3] = "moon_phase"
    content = as_npy(np.frombuffer(json.dumps(facts).encode(), np.uint8))
    (tmp_path / "m.npz").write_bytes(with_array(saved, "facts", content))
    with pytest.raises(
        EnvironmentProblem, match=f"'moon_phase' where this version has '{FEATURES[3]}'. Train it again"
    ):
        load(tmp_path / "m.npz")
    with pytest.raises(ValueError, match="other features"):
        save(model._replace(feature_names=FEATURES[:-1]), tmp_path / "short.npz")


def test_a_place_that_cannot_be_written_is_said(model: ExtractorModel, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write the model"):
        save(model, tmp_path / "no" / "folder.npz")
