"""A classifier's card holds what was trained on and judged, belongs to its model, and is the same each time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from classifiers.evaluation.card import DataSet, ModelCard, Split, card_of, load_card, render_card, write_card
from classifiers.evaluation.metrics import evaluate
from curate.errors import EnvironmentProblem, OutputError

EXAMPLES = pa.table(
    {
        "doc_id": [str(i) for i in range(8)],
        "text": ["t"] * 8,
        "label": ["spam", "spam", "ham", "ham", "spam", "spam", "ham", "ham"],
        "group": [str(i % 4) for i in range(8)],
        "language": ["en", "zh", "en", None, "en", "zh", "en", "zh"],
        "source": ["sms"] * 8,
        "score": [0.9, 0.8, 0.7, 0.1, 0.6, 0.3, 0.2, 0.1],
        "words": [1, 1, 0, 0, 1, 0, 0, 0],
    }
)

COUNTS = {"ham": {"": 1, "en": 2, "zh": 1}, "spam": {"en": 2, "zh": 2}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.npz").write_bytes(b"a model")
    return tmp_path


def made(folder: Path, examples: pa.Table = EXAMPLES, positive: str = "spam", **settings: object) -> ModelCard:
    return card_of(
        evaluate(examples, positive, baseline="words"),
        name="spam | <b>of</b> messages",
        kind="linear",
        model=folder / "model.npz",
        licence="CC0-1.0",
        data=(DataSet(name="sms", licence="CC0-1.0", file="sms.tsv", sha256="ab" * 32, counts=COUNTS),),
        split=Split(how="20 % of the groups", seed=0, num_train=32, num_held_out=8),
        settings=settings or {"num_features": 2**18, "ngrams": (1, 2)},
        limits=("Messages only.",),
    )


def test_a_card_comes_back_as_it_was_and_in_the_same_bytes(folder: Path) -> None:
    card = made(folder)
    write_card(card, folder)
    first = [(folder / name).read_bytes() for name in ("card.json", "card.md")]
    assert load_card(folder).model_dump_json() == card.model_dump_json()
    write_card(made(folder), folder)
    assert [(folder / name).read_bytes() for name in ("card.json", "card.md")] == first


def test_a_card_holds_no_place_and_no_text(folder: Path) -> None:
    write_card(made(folder), folder)
    for name in ("card.json", "card.md"):
        assert str(folder) not in (folder / name).read_text("utf-8")


def test_a_card_holds_the_figures_beside_the_baselines(folder: Path) -> None:
    card, found = made(folder), evaluate(EXAMPLES, "spam", baseline="words")
    assert card.held_out["roc_auc"].value == found.figures["roc_auc"].value
    assert card.held_out["roc_auc"].low == found.figures["roc_auc"].low
    assert set(card.baselines) == {"majority class", "words"}
    assert card.by["language"]["zh"].num_examples == 3
    assert card.thresholds[0].name == "best F1"


def test_limits_say_what_the_figures_do_not(folder: Path) -> None:
    limits = " ".join(made(folder).limits)
    assert limits.startswith("Messages only.")
    assert "en, zh" in limits
    assert "50.0% positives" in limits
    assert "4 groups" in limits
    assert "chosen on the examples" not in limits
    scores = pa.array([10.0 * score for score in EXAMPLES["score"].to_pylist()[:-1]] + [None])
    best = EXAMPLES.set_column(EXAMPLES.schema.get_field_index("score"), "score", scores)
    limits = " ".join(made(folder, best).limits)
    assert "chosen on the examples" in limits
    assert "1 held-out examples have no score" in limits


def test_a_regression_has_its_figures_and_the_mean_label(folder: Path) -> None:
    numbers = EXAMPLES.set_column(2, "label", pa.array([str(i) for i in range(8)]))
    card = made(folder, numbers, ">=4")
    assert card.held_out["rmse"].value is not None
    assert card.baselines["mean label"]["pearson"].value is None
    assert "| rmse |" in render_card(card)


def test_a_card_of_another_model_is_refused(folder: Path) -> None:
    card = made(folder)
    write_card(card, folder)
    (folder / "model.npz").write_bytes(b"another one")
    with pytest.raises(EnvironmentProblem, match="card of another model"):
        load_card(folder)
    with pytest.raises(OutputError, match="not of"):
        write_card(card, folder)


def test_the_name_of_a_file_in_a_card_does_not_leave_the_folder(folder: Path) -> None:
    outside = folder / "model.npz"
    (folder / "inner").mkdir()
    write_card(made(folder), folder)
    text = (folder / "card.json").read_text("utf-8").replace('"model.npz"', '"../model.npz"')
    (folder / "inner" / "card.json").write_text(text, "utf-8")
    assert outside.exists()
    with pytest.raises(EnvironmentProblem):
        load_card(folder / "inner")


def test_the_card_as_markdown(folder: Path) -> None:
    text = render_card(made(folder))
    assert text.startswith("# spam \\| &lt;b>of&lt;/b> messages\n")
    assert "| num_features | 262144 |" in text
    assert "| ngrams | [1, 2] |" in text
    assert "| accuracy | 0.750 (" in text
    assert "| precision 0.99, sure | none reaches it |" in text
    assert "- Messages only." in text
    assert "ham: 1 ?, 2 en, 1 zh; spam: 2 en, 2 zh" in text


def test_examples_of_one_kind_and_none_make_a_card_too(folder: Path) -> None:
    for examples in (EXAMPLES.slice(0, 2), EXAMPLES.slice(0, 0)):
        write_card(made(folder, examples), folder)
        assert load_card(folder).held_out["roc_auc"].value is None
