"""Drop documents by NeMo Curator's heuristic rules for English.

Source: NeMo Curator 1.4.0, `config/text/heuristic_filter_english_pipeline.yaml`, with its bounds and its order. Most
rules go back to Gopher (Rae et al. 2021) and C4 (Raffel et al. 2020), counted in another way.

Refuses to judge a text that was not measured: null text is kept. One switch of NeMo Curator's is not here:
`remove_if_at_top_or_bottom` of the rule on boilerplate, which its code does not read.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within
from curate.kernels.nemo_stats import SIGNALS, nemo_stats
from curate.stage import Filter, Limit

# `policy_substrings` of NeMo Curator's `constants.py`. Of the texts of cookie banners in it, which are paragraphs long,
# three hold none of the phrases before: they are known here by some words near their beginning. These begin with "c",
# as others do, because every initial more costs time on all texts.
BOILERPLATE = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "privacy overview",
    "use of cookies",
    "use cookies",
    "privacy & cookies policy",
    "privacy and cookies policy",
    "cookies are absolutely essential for the website",
    "cookies that may not be particularly necessary for the website",
    "continue to browse this site without changing your cookie",
)


class NemoEnglish(Filter):
    """Keep English documents of words, lines and paragraphs like those of prose. None turns a bound off.

    What each signal is exactly is said in `curate.kernels.nemo_stats.nemo_stats`.
    """

    max_non_alphanumeric_frac: float | None = 0.25  # NonAlphaNumericFilter
    max_symbol_word_frac: float | None = 0.1  # SymbolsToWordsFilter
    max_digit_frac: float | None = 0.15  # NumbersFilter
    max_url_char_frac: float | None = 0.2  # UrlsFilter
    max_white_space_frac: float | None = 0.25  # WhiteSpaceFilter
    max_parenthesis_frac: float | None = 0.1  # ParenthesesFilter
    max_boilerplate_paragraph_frac: float | None = 0.4  # BoilerPlateStringFilter
    min_unique_line_frac: float | None = 0.7  # RepeatedLinesFilter
    min_unique_paragraph_frac: float | None = 0.7  # RepeatedParagraphsFilter
    min_unique_line_char_frac: float | None = 0.8  # RepeatedLinesByCharFilter
    min_unique_paragraph_char_frac: float | None = 0.8  # RepeatedParagraphsByCharFilter
    min_word_count: int | None = 50  # WordCountFilter
    max_word_count: int | None = 100_000  # WordCountFilter
    max_unended_line_frac: float | None = 0.85  # PunctuationFilter
    min_alphabetic_word_frac: float | None = 0.8  # WordsWithoutAlphabetsFilter
    min_stop_word_count: int | None = 2  # CommonEnglishWordsFilter
    min_mean_word_length: float | None = 3  # MeanWordLengthFilter, characters
    max_mean_word_length: float | None = 10  # MeanWordLengthFilter, characters
    max_longest_word_chars: int | None = 1000  # LongWordFilter
    max_ellipsis_line_frac: float | None = 0.3  # EllipsisFilter
    max_top_2gram_char_frac: float | None = 0.20  # RepeatingTopNGramsFilter
    max_top_3gram_char_frac: float | None = 0.18  # RepeatingTopNGramsFilter
    max_top_4gram_char_frac: float | None = 0.16  # RepeatingTopNGramsFilter
    max_dup_5gram_char_frac: float | None = 0.15  # RepeatingDuplicateNGramsFilter
    max_dup_6gram_char_frac: float | None = 0.14  # RepeatingDuplicateNGramsFilter
    max_dup_7gram_char_frac: float | None = 0.13  # RepeatingDuplicateNGramsFilter
    max_dup_8gram_char_frac: float | None = 0.12  # RepeatingDuplicateNGramsFilter
    max_dup_9gram_char_frac: float | None = 0.11  # RepeatingDuplicateNGramsFilter
    max_dup_10gram_char_frac: float | None = 0.10  # RepeatingDuplicateNGramsFilter
    max_bullet_line_frac: float | None = 0.9  # BulletsFilter
    stop_words: tuple[str, ...] = ("the", "be", "to", "of", "and", "that", "have", "with")  # common_english_words
    bullets: str = "•‣⁃⁌⁍∙○●◘◦⦾⦿"  # bullet_list: no "-" and no "*"
    end_marks: str = ".?!\"'"  # end_marks
    boilerplate: tuple[str, ...] = BOILERPLATE  # in any case

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """28 signals of each text, of type `SIGNALS`."""
        return nemo_stats(
            batch.column("text"),
            stop_words=self.stop_words,
            bullets=self.bullets,
            end_marks=self.end_marks,
            boilerplate=self.boilerplate,
        )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            limit
            for name in SIGNALS.names
            for limit in within(name, getattr(self, f"min_{name}", None), getattr(self, f"max_{name}", None))
        )
