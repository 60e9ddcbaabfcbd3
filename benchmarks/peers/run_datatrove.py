"""Run in datatrove's own interpreter: what its filters say of each document, and the figures that they said it by.

    <its python> run_datatrove.py --input texts.jsonl --output verdicts.jsonl --language eng [--bad-words FILE]

In: one JSON object a line, with `doc_id` and `text`. Out: the rules of each filter in their order and the list of
words, then for each
document `word_count` and for each filter `keep`, `reason`, `error`, `figures` (by the reason that they decide) and,
where it keeps a document that it changes, `text`. Verdicts are the filters' own. They do not show their figures; those
are worked out here with the same helper functions, and whoever reads them can check that they lead to the verdicts.

Imports datatrove and the standard library alone.
"""

# mypy: disable-error-code="import-not-found"
# datatrove is where this runs, and nowhere else.

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from typing import Any

Figures = dict[str, "float | None"]
Rules = list[tuple[str, str, float]]  # reason, "below" or "above", bound
Measure = Callable[[str], Figures]


def main() -> None:
    """Read, judge, write."""
    options = _options()
    from datatrove.utils.text import split_into_words

    filters = _filters(options.language, options.bad_words, options.bad_words_language)
    with open(options.input, encoding="utf-8") as lines, open(options.output, "w", encoding="utf-8") as out:
        rules = {name: rules for name, (rules, _, _) in filters.items()}
        out.write(json.dumps({"rules": rules, "bad_words": _words_used(options.bad_words)}) + "\n")
        for number, line in enumerate(lines):
            document = json.loads(line)
            text = document["text"]
            words = split_into_words(text, options.language)
            row = {"doc_id": document["doc_id"], "word_count": len(words)}
            row["filters"] = {name: _judge(text, judge, measure) for name, (_, judge, measure) in filters.items()}
            if number < options.words:
                row["words"] = words
            out.write(json.dumps(row) + "\n")


def _judge(text: str, judge: Any, measure: Measure) -> dict[str, object]:
    from datatrove.data import Document

    document = Document(text=text, id="")
    try:
        verdict = judge.filter(document)
    except Exception as error:  # noqa: BLE001  # its fault on one document is a finding, not our end
        return {"keep": None, "reason": None, "error": f"{type(error).__name__}: {error}", "figures": {}}
    keep, reason = verdict if isinstance(verdict, tuple) else (verdict, None)
    out: dict[str, object] = {"keep": keep, "reason": reason, "error": None}
    if keep and document.text != text:
        out["text"] = document.text
    try:
        out["figures"] = measure(text)
    except (ZeroDivisionError, IndexError):  # a text without lines or words has no shares
        out["figures"] = {}
    return out


def _filters(language: str, bad_words: str | None, bad_words_language: str) -> dict[str, tuple[Rules, Any, Measure]]:
    """Filter name → its rules in order (reason, "above" or "below", bound), the filter, its figures."""
    from datatrove.pipeline.filters import (
        C4ParagraphFilter,
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    repetition = GopherRepetitionFilter(language=language)
    quality = GopherQualityFilter(language=language)
    fineweb = FineWebQualityFilter(language=language)
    found: dict[str, tuple[Rules, Any, Measure]] = {
        "gopher_repetition": (_repetition_rules(repetition), repetition, partial(_repetition, judge=repetition)),
        "gopher_quality": (_quality_rules(quality), quality, partial(_quality, judge=quality)),
        "fineweb": (_fineweb_rules(fineweb), fineweb, partial(_fineweb, judge=fineweb)),
        "c4_paragraphs": ([("< 3 paragraphs", "below", 3)], C4ParagraphFilter(), _paragraphs),
    }
    for name, end_marks in (("c4", True), ("c4_any_end", False)):
        c4 = C4QualityFilter(language=language, filter_no_terminal_punct=end_marks)
        uncounted = C4QualityFilter(language=language, filter_no_terminal_punct=end_marks, min_num_sentences=-1)
        rules: Rules = [("lorem_ipsum", "above", 0), ("curly_bracket", "above", 0), ("too_few_sentences", "below", 5)]
        found[name] = (rules, c4, partial(_c4, uncounted=uncounted, language=language))
    if bad_words:
        rules = [("document_removed_with_badwords", "above", 0)]
        found["c4_bad_words"] = (rules, *_bad_words(bad_words, bad_words_language))
    return found


def _repetition_rules(judge: Any) -> Rules:
    rules: Rules = [(name, "above", getattr(judge, name)) for name in _DUPLICATES]
    rules += [(f"top_{n}_gram", "above", bound) for n, bound in judge.top_n_grams]
    return rules + [(f"duplicated_{n}_n_grams", "above", bound) for n, bound in judge.dup_n_grams]


_DUPLICATES = ("dup_para_frac", "dup_para_char_frac", "dup_line_frac", "dup_line_char_frac")


def _repetition(text: str, judge: Any) -> Figures:
    from datatrove.pipeline.filters import gopher_repetition_filter as helpers
    from datatrove.utils.text import split_into_words

    figures: Figures = {}
    units = (("para", judge.paragraph_exp.split(text.strip())), ("line", judge._line_splitter.split(text)))
    for unit, parts in units:
        copies, chars = helpers.find_duplicates(parts)
        figures[f"dup_{unit}_frac"], figures[f"dup_{unit}_char_frac"] = copies / len(parts), chars / len(text)
    words = split_into_words(text, judge.language)
    for n, _ in judge.top_n_grams:
        grams = helpers.get_n_grams(words, n)
        figures[f"top_{n}_gram"] = helpers.find_top_duplicate(grams) / len(text) if grams else None
    for n, _ in judge.dup_n_grams:
        figures[f"duplicated_{n}_n_grams"] = helpers.find_all_duplicate(words, n) / len(text)
    return figures


def _quality_rules(judge: Any) -> Rules:
    return [
        ("gopher_short_doc", "below", judge.min_doc_words),
        ("gopher_long_doc", "above", judge.max_doc_words),
        ("gopher_below_avg_threshold", "below", judge.min_avg_word_length),
        ("gopher_above_avg_threshold", "above", judge.max_avg_word_length),
        ("gopher_too_many_hashes", "above", judge.max_symbol_word_ratio),
        ("gopher_too_many_ellipsis", "above", judge.max_symbol_word_ratio),
        ("gopher_too_many_bullets", "above", judge.max_bullet_lines_ratio),
        ("gopher_too_many_end_ellipsis", "above", judge.max_ellipsis_lines_ratio),
        ("gopher_below_alpha_threshold", "below", judge.max_non_alpha_words_ratio),
        ("gopher_enough_stop_words", "below", judge.min_stop_words),
    ]


def _quality(text: str, judge: Any) -> Figures:
    from datatrove.utils.text import PUNCTUATION_SET, split_into_words

    words = split_into_words(text, judge.language)
    plain = [word for word in words if not PUNCTUATION_SET.issuperset(word)]
    length = sum(map(len, plain)) / len(plain) if plain else None
    lines = text.splitlines()
    dots = text.count("...") + text.count("…")
    return {
        "gopher_short_doc": len(plain),
        "gopher_long_doc": len(plain),
        "gopher_below_avg_threshold": length,
        "gopher_above_avg_threshold": length,
        "gopher_too_many_hashes": text.count("#") / len(words),
        "gopher_too_many_ellipsis": dots / len(words),
        "gopher_too_many_bullets": sum(line.lstrip().startswith(("•", "-")) for line in lines) / len(lines),
        "gopher_too_many_end_ellipsis": sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines),
        "gopher_below_alpha_threshold": sum(any(map(str.isalpha, word)) for word in words) / len(words),
        "gopher_enough_stop_words": len(judge.stop_words & set(words)),
    }


def _fineweb_rules(judge: Any) -> Rules:
    return [
        ("line_punct_ratio", "below", judge.line_punct_thr),
        ("short_line_ratio", "above", judge.short_line_threshold),
        ("char_dup_ratio", "above", judge.char_duplicates_ratio),
        ("list_ratio", "above", judge.new_line_ratio),
    ]


def _fineweb(text: str, judge: Any) -> Figures:
    from datatrove.pipeline.filters.gopher_repetition_filter import find_duplicates
    from datatrove.utils.text import split_into_words

    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "line_punct_ratio": sum(line.endswith(judge.stop_chars) for line in lines) / len(lines),
        "short_line_ratio": sum(len(line) <= judge.short_line_length for line in lines) / len(lines),
        "char_dup_ratio": find_duplicates(lines)[1] / (len(text) - text.count("\n")),
        "list_ratio": text.count("\n") / len(split_into_words(text, judge.language)),
    }


def _c4(text: str, uncounted: Any, language: str) -> Figures:
    """Its page rules end the work at the line that breaks them, so sentences are known where neither is broken."""
    from datatrove.data import Document
    from datatrove.utils.text import split_into_sentences

    document = Document(text=text, id="")
    verdict = uncounted.filter(document)
    reason = verdict[1] if isinstance(verdict, tuple) else None
    broken: Figures = {name: float(reason == name) for name in ("lorem_ipsum", "curly_bracket")}
    lines = document.text.split("\n")
    sentences = None if reason else sum(len(split_into_sentences(line, language)) for line in lines)
    return broken | {"too_few_sentences": sentences}


def _paragraphs(text: str) -> Figures:
    """Lines of at least 200 characters: the filter asks whether the third longest is one."""
    return {"< 3 paragraphs": sum(len(line) >= 200 for line in text.split("\n"))}


def _bad_words(path: str, language: str) -> tuple[Any, Measure]:
    """The filter with a list that is here already, in place of the download that it would begin with."""
    from datatrove.pipeline.filters import c4_filters

    c4_filters.cached_asset_path_or_download = lambda *_, **__: path
    judge = c4_filters.C4BadWordsFilter(default_language=language)
    pattern = judge._get_badwords(language)
    return judge, lambda text: {"document_removed_with_badwords": float(len(pattern.findall(text.lower())))}


def _words_used(path: str | None) -> list[str] | None:
    """The list without the words that datatrove allows in every language."""
    from datatrove.pipeline.filters import c4_filters

    if path is None:
        return None
    allowed = set().union(*c4_filters._BADWORDS_ALLOWLIST.values())
    with open(path, encoding="utf-8") as lines:
        return sorted({line.strip() for line in lines} - allowed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--language", required=True, help="datatrove's code, such as eng or cmn")
    parser.add_argument("--bad-words", help="a list, one word a line")
    parser.add_argument("--bad-words-language", default="en")
    parser.add_argument("--words", type=int, default=0, help="give the word tokens of the first so many documents")
    return parser.parse_args()


if __name__ == "__main__":
    main()
