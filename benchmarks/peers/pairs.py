"""Which step of which of our recipes claims to do what which filter of a peer does, and how the reasons correspond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: datatrove, `gopher_repetition_filter.py`.
REPETITION = {
    "dup_para_frac": "dup_paragraph_frac_above_max",
    "dup_para_char_frac": "dup_paragraph_char_frac_above_max",
    "dup_line_frac": "dup_line_frac_above_max",
    "dup_line_char_frac": "dup_line_char_frac_above_max",
    **{f"top_{n}_gram": f"top_{n}gram_char_frac_above_max" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"dup_{n}gram_char_frac_above_max" for n in range(5, 11)},
}
#: datatrove, `gopher_quality_filter.py`.
QUALITY = {
    "gopher_short_doc": "word_count_below_min",
    "gopher_long_doc": "word_count_above_max",
    "gopher_below_avg_threshold": "mean_word_length_below_min",
    "gopher_above_avg_threshold": "mean_word_length_above_max",
    "gopher_too_many_hashes": "hash_symbol_frac_above_max",
    "gopher_too_many_ellipsis": "ellipsis_symbol_frac_above_max",
    "gopher_too_many_bullets": "bullet_line_frac_above_max",
    "gopher_too_many_end_ellipsis": "ellipsis_line_frac_above_max",
    "gopher_below_alpha_threshold": "alphabetic_word_frac_below_min",
    "gopher_enough_stop_words": "stop_word_count_below_min",
}
#: datatrove, `fineweb_quality_filter.py`.
FINEWEB = {
    "line_punct_ratio": "line_punct_frac_below_min",
    "short_line_ratio": "short_line_frac_above_max",
    "char_dup_ratio": "dup_line_char_frac_above_max",
    "list_ratio": "newline_word_ratio_above_max",
}
#: datatrove, `c4_filters.py`.
C4 = {
    "lorem_ipsum": "lorem_ipsum",
    "curly_bracket": "curly_brace",
    "too_few_sentences": "sentence_count_below_min",
}
PARAGRAPHS = {"< 3 paragraphs": "long_line_count_below_min"}
BAD_WORDS = {"document_removed_with_badwords": "bad_word"}
#: Dolma, `configs/dolma-v1_5/mixing/cc-head.yaml` over `taggers/gopher.py`.
DOLMA_GOPHER = {
    "word_count < 50": "word_count_below_min",
    "word_count > 100000": "word_count_above_max",
    "median_word_length < 3": "median_word_length_below_min",
    "median_word_length > 10": "median_word_length_above_max",
    "symbol_to_word_ratio > 0.1": "symbol_word_ratio_above_max",
    "fraction_of_words_with_alpha_character < 0.8": "alphabetic_word_frac_below_min",
    "required_word_count < 2": "stop_word_count_below_min",
    "fraction_of_lines_starting_with_bullet_point > 0.9": "bullet_line_frac_above_max",
    "fraction_of_lines_ending_with_ellipsis > 0.3": "ellipsis_line_frac_above_max",
    "fraction_of_duplicate_lines > 0.3": "dup_line_frac_above_max",
    "fraction_of_characters_in_duplicate_lines > 0.3": "dup_line_char_frac_above_max",
    **{
        f"fraction_of_characters_in_duplicate_{n}grams > {bound:g}": f"dup_{n}gram_char_frac_above_max"
        for n, bound in zip(range(5, 11), (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), strict=True)
    },
}
#: Dolma, `configs/c4-replication/mixer.yaml` over `taggers/c4.py`.
DOLMA_C4 = {
    "has_curly_brace > 0.5": "curly_brace",
    "has_lorem_ipsum > 0.5": "lorem_ipsum",
    "has_javascript > 0.5": "javascript",
    "has_naughty_word > 0.5": "bad_word",
}
#: Every rule of our C4 but the list of words, which datatrove has as a filter of its own.
BAD_WORDS_ALONE: dict[str, Any] = {
    "max_word_chars": None,
    "remove_citations": False,
    "require_terminal_punctuation": False,
    "min_words_per_line": None,
    "remove_javascript_lines": False,
    "remove_policy_lines": False,
    "page_rules_on": "whole_text",
    "drop_lorem_ipsum": False,
    "drop_curly_brace": False,
    "drop_javascript": None,
    "min_sentence_count": None,
    "max_char_count": None,
}


@dataclass(frozen=True)
class Pair:
    """Steps of a recipe (by stage name, run together) that answer one filter of a peer."""

    recipe: str
    stages: tuple[str, ...]
    peer: str
    filter: str
    reasons: Mapping[str, str]  # theirs → ours; rules of theirs that are missing here have no counterpart
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the stage, in place of the recipe's
    bad_words: bool = False  # the stage gets the list that the peer uses
    compares_texts: bool = True  # False where the peer's filter changes no text and the stage that answers it does

    @property
    def name(self) -> str:
        """As it stands in tables: recipe, stages and filter."""
        return f"{self.recipe} {'+'.join(self.stages)} = {self.filter}"


PAIRS = (
    Pair("gopher@datatrove", ("gopher_repetition",), "datatrove", "gopher_repetition", REPETITION),
    Pair("gopher@datatrove", ("gopher_quality",), "datatrove", "gopher_quality", QUALITY),
    Pair("c4@datatrove", ("c4",), "datatrove", "c4", C4),
    Pair("c4@datatrove", ("c4",), "datatrove", "c4_bad_words", BAD_WORDS, BAD_WORDS_ALONE, True, False),
    Pair("mc4@tfds", ("mc4",), "datatrove", "c4_paragraphs", PARAGRAPHS),
    Pair("fineweb@datatrove", ("gopher_repetition",), "datatrove", "gopher_repetition", REPETITION),
    Pair("fineweb@datatrove", ("gopher_quality",), "datatrove", "gopher_quality", QUALITY),
    Pair("fineweb@datatrove", ("c4",), "datatrove", "c4_any_end", C4),
    Pair("fineweb@datatrove", ("fineweb",), "datatrove", "fineweb", FINEWEB),
    Pair("gopher@dolma", ("gopher_quality", "gopher_repetition"), "dolma", "gopher_v1", DOLMA_GOPHER),
    Pair("c4@dolma", ("c4",), "dolma", "c4_v2", DOLMA_C4, bad_words=True),
)
