"""The simplest thing that a model must beat: how much of a text the words of a list cover.

The list is a person's, or it is counted on the examples that a model is trained on: the words that the largest share of
the positives hold over and above the share of the others. Where words run together, two neighbouring characters count
as a word. A baseline sees what the model was trained on and nothing else.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.evaluation.metrics import is_positive
from curate import registry
from curate.recipe import build
from curate.stage import Annotator

NUM_KEYWORDS = 50  # our choice
MAX_EXAMPLES = 20_000  # that keywords are counted on, the first ones: examples stand in a drawn order
MAX_CHARS = 20_000  # of an example
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_RUN = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")


def keywords(examples: pa.Table, positive: str, num: int = NUM_KEYWORDS) -> list[str]:
    """The words that mark the positives most: largest difference of the shares of examples that hold them, above 0."""
    examples = examples.slice(0, MAX_EXAMPLES)
    truth = is_positive(examples, positive)
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text, is_one in zip(examples["text"], truth, strict=True):
        counts[int(is_one)].update(set(words(text.as_py()[:MAX_CHARS])))
    sizes = max(int((~truth).sum()), 1), max(int(truth.sum()), 1)
    gains = {word: count / sizes[1] - counts[0][word] / sizes[0] for word, count in counts[1].items()}
    return sorted((word for word, gain in gains.items() if gain > 0), key=lambda word: (-gains[word], word))[:num]


def words(text: str) -> Iterator[str]:
    """Words in lower case, and pairs of neighbouring Han characters.

    >>> list(words("Ham, 垃圾信息"))
    ['ham', '垃圾', '圾信', '信息']
    """
    for run in _RUN.findall(text.lower()):
        if "\u3400" <= run[0] <= "\u9fff":
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        else:
            yield run


def covered_by_words(examples: pa.Table, listed: list[str]) -> pa.Array:
    """Of each text the share of characters that these words cover, float64[examples]."""
    if not listed:
        return pa.array(np.zeros(examples.num_rows))
    with tempfile.TemporaryDirectory(prefix="curate-") as folder:
        path = Path(folder) / "keywords.txt"
        path.write_text("\n".join(listed) + "\n", "utf-8")
        inside = any("\u3400" <= word[0] <= "\u9fff" for word in listed)
        return covered(examples, str(path), inside)


def covered(examples: pa.Table, path: str, inside_words: bool | None = None) -> pa.Array:
    """Of each text the share of characters that entries of a word list cover; see the stage `keywords`.

    inside_words: whether an entry counts inside a word too; None leaves it to the text's language. InputError where the
    list cannot be read, of no examples too.
    """
    settings = {"paths": [path]} | ({} if inside_words is None else {"inside_words": inside_words})
    stage = build(registry.stage_class("keywords"), settings, "the baseline")
    assert isinstance(stage, Annotator)
    batches = examples.to_batches(max_chunksize=1024) or [pa.RecordBatch.from_pylist([], examples.schema)]
    return pc.fill_null(pa.concat_arrays([stage.annotate(batch).field("match_char_frac") for batch in batches]), 0.0)
