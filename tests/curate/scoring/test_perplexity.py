from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import plan, recipe
from curate.errors import EnvironmentProblem, InputError, RecipeError
from curate.kernels import known_tokens
from curate.kernels.known_tokens import KnownTokens
from curate.scoring import perplexity
from curate.scoring.language_model_file import write_description
from curate.scoring.perplexity import SIGNALS, Perplexity
from curate.scoring.pretokenize import Pretokenizer

# p(a), p(b), p(中), p(</s>), p(<unk>); p(b | a), p(</s> | b). Columns: log10 p, words, log10 of the back-off weight.
ARPA = """\\data\\
ngram 1=6
ngram 2=3

\\1-grams:
-2.0\t<unk>
0\t<s>\t-0.1
-0.7\t</s>
-0.4\ta\t-0.2
-0.6\tb\t-0.3
-0.9\t中\t-0.5

\\2-grams:
-0.15\ta b
-0.25\tb </s>
-0.35\t<s> 中

\\end\\
"""
WORDS = Pretokenizer()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("kenlm", reason="kenlm is an extra: built from source")
    path = tmp_path_factory.mktemp("models") / "en.arpa"
    path.write_text(ARPA, "utf-8")
    return str(path)


def batch(texts: list[str | None], languages: list[str | None] | None = None) -> pa.RecordBatch:
    languages = languages or ["en"] * len(texts)
    return pa.record_batch({"text": pa.array(texts, pa.string()), "language": pa.array(languages, pa.string())})


def score(stage: Perplexity, texts: list[str | None], languages: list[str | None] | None = None) -> list[dict]:
    signals = stage.annotate(batch(texts, languages))
    assert signals.type == stage.signals == SIGNALS
    return signals.to_pylist()


# By hand: p(a | <s>) backs off: -0.1 - 0.4; p(b | a) = -0.15; p(</s> | b) = -0.25.
@pytest.mark.parametrize(
    ("text", "log10_prob", "events", "unknown"),
    [
        ("a b", -0.1 - 0.4 - 0.15 - 0.25, 3, 0),
        ("a", -0.1 - 0.4 - 0.2 - 0.7, 2, 0),
        ("中", -0.35 - 0.5 - 0.7, 2, 0),
        ("中中", -0.35 - 0.5 - 0.9 - 0.5 - 0.7, 3, 0),
        ("x", -0.1 - 2.0 - 0.7, 2, 1),
        ("a b\n\nx", -0.9 - 2.8, 5, 1),
        ("A\tB", -0.9, 3, 0),
    ],
)
def test_perplexity_is_that_computed_by_hand(model, text, log10_prob, events, unknown):
    (found,) = score(Perplexity(model_path=model, pretokenizer=WORDS), [text])
    assert found["log10_prob"] == pytest.approx(log10_prob, abs=1e-6)
    assert found["perplexity"] == pytest.approx(10 ** (-log10_prob / events), rel=1e-6)
    assert found["token_count"] + found["sentence_count"] == events
    assert found["oov_count"] == unknown


def test_null_text_is_not_judged(model):
    (found,) = score(Perplexity(model_path=model, pretokenizer=WORDS), [None])
    assert set(found.values()) == {None}


@pytest.mark.parametrize("text", ["", "\n \n", "\0"])
def test_text_without_a_token_has_no_perplexity(model, text):
    stage = Perplexity(model_path=model, pretokenizer=WORDS, max_perplexity=0, cutoffs={"en": (1, 2)}, keep_buckets=())
    (found,) = score(stage, [text])
    assert (found["perplexity"], found["log10_prob"], found["bucket"]) == (None, None, None)
    assert (found["token_count"], found["sentence_count"], found["oov_count"]) == (0, 0, 0)
    assert not any(limit.broken_by(stage.annotate(batch([text])))[0].as_py() for limit in stage.limits)


def test_an_empty_batch_has_the_signals_type(model):
    assert Perplexity(model_path=model, pretokenizer=WORDS).annotate(batch([])).type == SIGNALS


def test_the_models_own_tokens_in_a_text_are_only_text(model):
    stage = Perplexity(model_path=model, pretokenizer=WORDS)
    (found,) = score(stage, ["a </s> <s> b"])
    assert found["token_count"] == 9
    assert found["oov_count"] == 7


HOSTILE = ["a" * 1_000_000, "a b " * 200_000, "\0a\0", "<s>", "a\r\nb\x0b\x0c\x85\u2028b", "\n" * 10_000, "ﷺ" * 1000]


def test_hostile_texts_have_finite_scores(model):
    for found in score(Perplexity(model_path=model, pretokenizer=WORDS), HOSTILE):
        assert found["perplexity"] is None or 1 <= found["perplexity"] < 1e4


def test_a_long_sentence_is_scored_as_its_parts_would_be(model):
    (found,) = score(Perplexity(model_path=model, pretokenizer=WORDS), ["a b " * 200_000])
    each = -0.15 - 0.3 - 0.4  # p(b | a), p(a | b) by backing off
    expected = -0.1 - 0.4 - 0.15 + 199_999 * each - 0.25
    assert found["log10_prob"] == pytest.approx(expected, rel=1e-6)


texts = st.lists(st.one_of(st.none(), st.text("ab中x \n", max_size=30)), max_size=8)


@given(texts, st.integers(0, 8))
def test_scores_are_the_same_in_any_batch(model, texts, parting):
    stage = Perplexity(model_path=model, pretokenizer=WORDS)
    assert score(stage, texts) == score(stage, texts[:parting]) + score(stage, texts[parting:])


@given(texts)
def test_scores_are_kenlms_own(model, texts):
    import kenlm

    oracle = kenlm.Model(model)
    for text, found in zip(texts, score(Perplexity(model_path=model, pretokenizer=WORDS), texts), strict=True):
        lines = [" ".join(line.replace("中", " 中 ").split()) for line in (text or "").split("\n")]
        full = [list(oracle.full_scores(line)) for line in lines if line]
        if full:
            assert found["log10_prob"] == pytest.approx(sum(word[0] for line in full for word in line), abs=1e-4)
            assert found["oov_count"] == sum(word[2] for line in full for word in line)


def test_what_the_description_says_is_how_texts_are_cut(model, tmp_path):
    described = tmp_path / "c.arpa"
    described.write_text(ARPA, "utf-8")
    with pytest.raises(RecipeError, match="pretokenizer"):
        score(Perplexity(model_path=str(described)), ["ab"])
    write_description(described, Pretokenizer(kind="characters"), 2)
    assert score(Perplexity(model_path=str(described)), ["ab"])[0]["token_count"] == 2
    assert score(Perplexity(model_path=str(described), pretokenizer=WORDS), ["ab"])[0]["token_count"] == 1


@pytest.fixture
def by_language(model, tmp_path):
    for language in ("en", "zh"):
        (tmp_path / f"{language}.arpa").write_text(
            ARPA.replace("-0.4\ta", "-0.9\ta") if language == "zh" else ARPA, "utf-8"
        )
    return Perplexity(model_path=str(tmp_path / "{language}.arpa"), pretokenizer=WORDS)


def test_each_language_is_scored_by_its_own_model(by_language):
    found = score(by_language, ["a", "a", "a", "b"], ["zh", "en", "xx", "zh"])
    assert [one["log10_prob"] for one in found] == [
        pytest.approx(-1.9, abs=1e-6),
        pytest.approx(-1.4, abs=1e-6),
        None,
        pytest.approx(-0.95, abs=1e-6),
    ]
    assert [one["model_missing"] for one in found] == [False, False, True, False]
    assert [path.rsplit("/", 1)[1] for path in by_language.files] == ["en.arpa", "zh.arpa"]


@pytest.mark.parametrize(
    ("asked", "files"),
    [
        ("{language}/model.bin", ["de/model.bin", "en/model.bin"]),
        ("./{language}//model.bin", ["de/model.bin", "en/model.bin"]),
        ("{language}/{language}.bin", ["en/en.bin"]),
        ("[{language}]/x-{language}.bin", ["[en]/x-en.bin"]),
        ("fr/{language}.bin", []),
        ("de/model.bin", ["de/model.bin"]),
    ],
)
def test_the_files_of_a_language_stand_wherever_the_path_says(tmp_path, monkeypatch, asked, files):
    there = (
        *("en/model.bin", "de/model.bin", "en/en.bin", "en/de.bin", "1/model.bin", "en_/deep/model.bin"),
        *("[en]/x-en.bin", "[en]/x-de.bin", "e/x-e.bin", "zh/model.bin/no.file"),
    )
    for file in there:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    monkeypatch.chdir(tmp_path)
    assert list(Perplexity(model_path=asked).files) == files
    whole = Perplexity(model_path=f"{tmp_path}/{asked}").files
    assert list(whole) == [f"{tmp_path}/{file}" for file in files]
    cut = Pretokenizer(kind="sentencepiece", model_path=asked)
    assert list(Perplexity(model_path="other.bin", pretokenizer=cut).files) == ["other.bin", *files]


@pytest.mark.parametrize("layout", ["{language}/model.bin", "{language}.bin"])
def test_another_model_of_a_language_is_another_pass(tmp_path, layout):
    path = tmp_path / layout.replace("{language}", "en")
    path.parent.mkdir(exist_ok=True)
    stage = {"perplexity": {"model_path": f"{tmp_path}/{layout}"}}
    fingerprints = set()
    for content in ("one model", "another one"):
        path.write_text(content)
        planned = plan.plan(recipe.parse({"name": "languages", "stages": ["language_id", stage]}))
        fingerprints.add(planned.passes[0].fingerprint)
    assert len(fingerprints) == 2


def test_a_language_without_a_model_is_kept_or_dropped(by_language):
    for without_model, dropped in (("keep", []), ("drop", [1, 2])):
        stage = by_language.model_copy(update={"without_model": without_model})
        signals = stage.annotate(batch(["a", "a", "a", None], ["en", "xx", None, "xx"]))
        broken = [row for row in range(4) if any(limit.broken_by(signals)[row].as_py() for limit in stage.limits)]
        assert broken == dropped


@pytest.mark.parametrize("language", ["../en", "", "e" * 99, "en/../en", "{language}", "en\0"])
def test_a_language_is_never_a_path(by_language, language):
    assert score(by_language, ["a"], [language])[0]["model_missing"]


def test_buckets_and_bounds(model):
    value = 10 ** (0.9 / 3)
    (found,) = score(Perplexity(model_path=model, pretokenizer=WORDS), ["a b"])
    value = found["perplexity"]
    below = math.nextafter(value, 0)
    above = math.nextafter(value, 9)
    for cutoffs, bucket in (((above, 9), "head"), ((value, 9), "middle"), ((1, value), "tail"), ((1, above), "middle")):
        stage = Perplexity(
            model_path=model, pretokenizer=WORDS, cutoffs={"en": cutoffs}, keep_buckets=("head", "middle")
        )
        signals = stage.annotate(batch(["a b"]))
        assert signals[0]["bucket"].as_py() == bucket
        assert [limit.reason for limit in stage.limits if limit.broken_by(signals)[0].as_py()] == (
            ["bucket_not_listed"] if bucket == "tail" else []
        )
    for bounds, reason in (
        ({"max_perplexity": below}, ["perplexity_above_max"]),
        ({"max_perplexity": value}, []),
        ({"min_perplexity": value}, []),
        ({"min_perplexity": above}, ["perplexity_below_min"]),
    ):
        stage = Perplexity(model_path=model, pretokenizer=WORDS, **bounds)
        signals = stage.annotate(batch(["a b"]))
        assert [limit.reason for limit in stage.limits if limit.broken_by(signals)[0].as_py()] == reason


def test_the_published_cutoffs_and_those_of_a_file(model, tmp_path):
    (tmp_path / "c.yaml").write_text(
        "format: curate-perplexity-cutoffs\nversion: 1\npercentiles: [30, 60]\ncutoffs: {en: [1, 2]}"
    )
    for cutoffs, expected in (("ccnet", "head"), (str(tmp_path / "c.yaml"), "middle")):
        stage = Perplexity(model_path=model, pretokenizer=WORDS, cutoffs=cutoffs)
        assert score(stage, ["a b"])[0]["bucket"] == expected
    assert str(tmp_path / "c.yaml") in stage.files
    assert stage.requires == ("text", "language")
    with pytest.raises(InputError, match="nowhere"):
        score(Perplexity(model_path=model, pretokenizer=WORDS, cutoffs="nowhere.yaml"), ["a"])


@pytest.mark.parametrize(
    "settings",
    [{"keep_buckets": ["head"]}, {"cutoffs": {"en": [2, 1]}}, {"model_path": "{language}", "model_sha256": "0"}],
)
def test_settings_that_contradict_each_other_are_refused(settings):
    with pytest.raises(ValueError, match=r"keep_buckets|head <= tail|one file"):
        Perplexity(**{"model_path": "m", **settings})


def test_the_model_file_is_pinned_by_its_digest(model):
    stage = Perplexity(model_path=model, pretokenizer=WORDS, model_sha256="0" * 64)
    with pytest.raises(EnvironmentProblem, match="SHA-256"):
        score(stage, ["a"])


def test_what_is_no_model_is_refused(tmp_path):
    pytest.importorskip("kenlm", reason="kenlm is an extra: built from source")
    (tmp_path / "m.arpa").write_text("no model")
    with pytest.raises(EnvironmentProblem, match="Is it the right file"):
        score(Perplexity(model_path=str(tmp_path / "m.arpa"), pretokenizer=WORDS), ["a"])


def test_the_missing_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "m.arpa").write_text(ARPA, "utf-8")

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(perplexity, "import_module", missing)
    with pytest.raises(EnvironmentProblem, match=r"curate\[perplexity\]"):
        score(Perplexity(model_path=str(tmp_path / "m.arpa"), pretokenizer=WORDS), ["a"])


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=20), max_size=20))
def test_unknown_tokens_are_counted_when_the_table_is_always_full(sentences):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_tokens, "_SLOTS", 4)
        patch.setattr(known_tokens, "_ASKED", 3)
        known = KnownTokens(lambda token: token in (b"a", b"b", b"c"))
        for _ in range(2):
            found = known.unknown(pa.array([" ".join(tokens) for tokens in sentences], pa.large_string()))
            assert found.tolist() == [sum(token > "c" for token in tokens) for tokens in sentences]


def test_each_token_is_asked_about_once():
    asked = []
    known = KnownTokens(lambda token: bool(asked.append(token)))
    sentences = pa.array(["a b a", "", "b c"], pa.large_string())
    assert np.array_equal([known.unknown(sentences) for _ in range(2)], [[3, 0, 2]] * 2)
    assert asked == [b"a", b"b", b"c"]
