"""Each language is judged by its own file: bounds, stop words, and who has none."""

from __future__ import annotations

import pyarrow as pa
import pytest
import yaml

from curate.errors import InputError
from curate.filters.fineweb2 import SIGNALS, FineWeb2
from curate.filters.fineweb2_configs import load_configs

STAGE = FineWeb2(words="spaces")
FRENCH = "le chat de la maison est dans un jardin."
RUSSIAN = "кот и пёс на улице с мячом в саду."


def batch(*rows, score=1.0):
    texts, languages = zip(*rows, strict=True)
    columns = {"text": pa.array(texts, pa.string()), "language": pa.array(languages, pa.string())}
    return pa.record_batch(columns | {"language_score": pa.array([score] * len(rows), pa.float32())})


def reasons(stage, text, language, **more):
    signals = stage.annotate(batch((text, language), **more))
    assert signals.type == SIGNALS == stage.signals
    return [limit.reason for limit in stage.limits if limit.broken_by(signals)[0].as_py()]


def test_twenty_languages_and_more_come_with_the_toolkit():
    assert len(load_configs(None)) >= 20
    assert load_configs(None)["fra_Latn"].dup_line_frac == 0.264


def test_a_document_is_judged_by_the_file_of_its_language():
    signals = STAGE.annotate(batch(("a", "fr"), ("a", "zh"), ("a", "cmn_Hani"), ("a", "ar"), ("a", "en"), ("a", None)))
    assert signals.field("config").to_pylist() == ["fra_Latn", "cmn_Hani", "cmn_Hani", "arb_Arab", None, None]
    assert signals.field("unlisted_language").to_pylist() == [False] * 4 + [True] * 2


def test_rows_of_mixed_languages_come_back_in_their_order():
    rows = [("un deux " * (i + 1), ("fr", "ru", None)[i % 3]) for i in range(9)]
    together = STAGE.annotate(batch(*rows)).to_pylist()
    assert together == [STAGE.annotate(batch(row)).to_pylist()[0] for row in rows]
    assert [row["word_count"] for row in together[:3]] == [2, 4, None]


def test_stop_words_are_those_of_the_language():
    assert "stop_word_count_below_min" not in reasons(STAGE, FRENCH, "fr")
    assert "stop_word_count_below_min" in reasons(STAGE, FRENCH, "ru")
    assert "stop_word_count_below_min" not in reasons(STAGE, RUSSIAN, "ru")


@pytest.mark.parametrize(("lines", "marked", "expected"), [(10, 1, False), (11, 1, True), (10, 2, False)])
def test_the_bound_on_end_marks_is_that_of_the_file_and_inside(lines, marked, expected):
    text = "\n".join(f"ligne {i}{'.' if i < marked else ''}" for i in range(lines))  # France: 0.1
    assert ("line_punct_frac_below_min" in reasons(STAGE, text, "fr")) is expected
    assert "line_punct_frac_below_min" not in reasons(STAGE, "ohne Zeichen", "de")  # Germany: 0


@pytest.mark.parametrize(("copies", "language", "expected"), [(3, "es", True), (3, "ru", False), (4, "ru", True)])
def test_the_bound_on_copies_of_lines_is_that_of_the_file(copies, language, expected):
    text = "\n".join([f"строка {i}" for i in range(10 - copies)] + ["строка 0"] * copies)  # Spain 0.252, Russia 0.322
    assert ("dup_line_frac_above_max" in reasons(STAGE, text, language)) is expected


def test_a_language_without_a_file_is_not_judged_unless_asked():
    assert reasons(STAGE, "x", "en") == []
    assert reasons(FineWeb2(drop_unlisted=True), "x", "en") == ["unlisted_language"]
    assert reasons(FineWeb2(drop_unlisted=True), "x", None) == ["unlisted_language"]


def test_scores_of_language_judge_only_where_asked():
    assert "language_score_below_min" not in reasons(STAGE, FRENCH, "fr", score=0.1)
    asked = FineWeb2(judge_language_score=True)
    assert "language_score_below_min" in reasons(asked, FRENCH, "fr", score=0.8)
    assert "language_score_below_min" not in reasons(asked, FRENCH, "fr", score=0.9)


def test_good_prose_is_kept():
    text = """Hier soir, une pluie fine tombait sur les toits du vieux quartier et personne ne sortait.
Le boulanger, lui, préparait déjà la pâte pour ses premiers clients du lendemain matin.
Sa fille aînée lisait près du four un roman que sa grand-mère avait laissé dans une malle.
On entendait parfois passer un tramway presque vide, puis le silence revenait peu à peu.
Vers minuit, quelques étudiants entrèrent en riant et demandèrent des croissants encore chauds."""
    assert reasons(STAGE, text, "fr") == []


def test_null_text_is_kept():
    assert reasons(FineWeb2(), None, "fr") == []


def test_no_rows_keep_the_type():
    assert STAGE.annotate(batch(("a", "fr")).slice(1)).type == SIGNALS


@pytest.fixture
def folder(tmp_path):
    config = yaml.safe_load(yaml.safe_dump(load_configs(None)["fra_Latn"].model_dump(mode="json")))
    for name in ("eng_Latn", "srp_Cyrl", "srp_Latn"):
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(config | {"stopwords": ["the", "of"]}), "utf-8")
    return tmp_path


def test_a_folder_of_files_takes_the_place_of_the_own(folder):
    stage = FineWeb2(configs_path=str(folder), words="spaces")
    signals = stage.annotate(batch(("a", "en"), ("a", "fr"), ("a", "sr"), ("a", "srp_Latn")))
    assert signals.field("config").to_pylist() == ["eng_Latn", None, "srp_Cyrl", "srp_Latn"]
    assert len(stage.files) == 3


def test_a_folder_without_files_and_a_file_of_another_form_are_errors(tmp_path, folder):
    with pytest.raises(InputError, match=r"no \.yml file"):
        load_configs(str(tmp_path / "nowhere"))
    (folder / "deu_Latn.yml").write_text("dup_line_frac: many\n", "utf-8")
    with pytest.raises(InputError, match=r"deu_Latn\.yml"):
        load_configs(str(folder))
