"""Segmenters: where the words are in scripts written without spaces, by libraries that others keep.

One for each way of writing, and the one that published recipes use wherever that can be: they set their bounds by its
words.

- **jieba**: Chinese by the dictionary and the hidden Markov model of jieba, run by its Rust port rjieba: 14 times
  faster, with releases (jieba's last is of 2020), and nothing written to disk. The port keeps runs of ASCII such as
  `a.b` and `k-means` together where jieba 0.42.1 parts them; they are parted here too.
- **sudachi**: Japanese by SudachiPy with the core dictionary, split mode A (the short unit), as spaCy and so datatrove.
- **newmm**: Thai by PyThaiNLP's maximal matching within character clusters, its `newmm-safe`, as datatrove.
- **icu**: Lao, Khmer and Burmese by the dictionaries of ICU (Unicode's own library). It is no recipe's.

Punctuation and symbols are words of their own, as the libraries give them and datatrove keeps them.

Not here: Korean, whose words stand between spaces (morpheme analysers count another unit, and kiwipiepy's model takes
90 MB); Vietnamese, whose spaces part syllables (pyvi, datatrove's, has had no release since 2021 and unpickles its
model); Tibetan (botok fetches its dictionary from the network). Their words are what stands between spaces. Nothing
here touches the network, and no file is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from curate.errors import EnvironmentProblem, RecipeError
from curate.language.codes import language_code

#: How many characters each token of a text has, white space included: the numbers add up to the length of the text.
Cut = Callable[[str], list[int]]


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A way of finding words, what it needs, and for which languages it stands."""

    name: str
    languages: tuple[str, ...]  # codes of the `language` column
    packages: tuple[str, ...]  # what pip installs; the first one does the work
    licence: str  # SPDX, of the library and its dictionary
    opener: Callable[[], Cut]
    max_piece_chars: int = 1 << 16  # what the library is given at a time, so that its lists stay small


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """What words are in some languages: a line of `language_words`."""

    languages: tuple[str, ...]  # ("others",) stands for all that no other line names
    segmenter: str | None  # None: words are what stands between spaces
    library: str
    versions: tuple[str | None, ...]  # of each package of the library; None where it is missing
    licence: str
    note: str

    @property
    def installed(self) -> bool:
        return None not in self.versions


def segmenter_for(language: str | None) -> Segmenter | None:
    """The segmenter of a language; None where words are what stands between spaces, and where nothing is known.

    >>> [(s := segmenter_for(language)) and s.name for language in ("zh", "ja", "yue", "en", "und", None)]
    ['jieba', 'sudachi', 'jieba', None, None, None]
    """
    return _BY_LANGUAGE.get(language_code(language)) if language else None


def segmenter_named(name: str) -> Segmenter:
    """The segmenter of that name. RecipeError, with the nearest names, where there is none."""
    if name not in SEGMENTERS:
        raise RecipeError.unknown("segmenter", name, SEGMENTERS)
    return SEGMENTERS[name]


def language_words() -> list[LanguageWords]:
    """What each language gets, and whether this machine has what it takes."""
    lines = [
        LanguageWords(s.languages, s.name, " + ".join(s.packages), _versions(s), s.licence, _NOTES[s.name])
        for s in SEGMENTERS.values()
    ]
    return lines + [LanguageWords(languages, None, "", (), "", note) for languages, note in _BETWEEN_SPACES]


def check_installed(segmenter: Segmenter) -> None:
    """EnvironmentProblem, naming what to install, where a package of the segmenter is missing."""
    missing = [name for name, version in zip(segmenter.packages, _versions(segmenter), strict=True) if version is None]
    if missing:
        raise EnvironmentProblem(
            f"words of {', '.join(segmenter.languages)} are found by the segmenter {segmenter.name!r}, which needs "
            f"{' and '.join(missing)}. Install it on every machine that runs a worker: "
            f'pip install {" ".join(missing)}, or all segmenters: pip install "curate[segmenters]"'
        )


@cache
def cut(segmenter: Segmenter) -> Cut:
    """The function of a segmenter, its dictionary loaded once in a process (0.1 to 2 s, up to 100 MB). One thread only.

    EnvironmentProblem, naming what to install, where a package is missing or cannot be imported.
    """
    check_installed(segmenter)
    try:
        return segmenter.opener()
    except (ImportError, OSError) as error:
        raise EnvironmentProblem(
            f"{' and '.join(segmenter.packages)} cannot be loaded: {error}. "
            f"Repair: pip install --force-reinstall --no-deps {' '.join(segmenter.packages)}"
        ) from error


def _versions(segmenter: Segmenter) -> tuple[str | None, ...]:
    return tuple(_version(package) for package in segmenter.packages)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


#: How jieba 0.42.1 parts a run of ASCII (its finalseg): letters and digits, with decimals and a percent sign, and what
#: lies between them.
_ASCII_PART = re.compile(r"([a-zA-Z0-9]+(?:\.[0-9]+)?%?)")


def _open_jieba() -> Cut:
    from rjieba import Jieba

    jieba = Jieba()

    def lengths(text: str) -> list[int]:
        found: list[int] = []
        for token in jieba.cut(text):
            # "C++" is a word of the dictionary and stays whole.
            if len(token) > 1 and token.isascii() and not token.isalnum() and not jieba.has_word(token):
                found += [len(part) for part in _ASCII_PART.split(token) if part]
            else:
                found.append(len(token))
        return found

    return lengths


def _open_sudachi() -> Cut:
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="core").tokenizer(mode=SplitMode.A)
    return lambda text: [token.end() - token.begin() for token in tokenizer.tokenize(text)]


#: SudachiPy takes 65,535 bytes after compatibility normalisation, which makes 33 of U+FDFA. It joins numbers in
#: quadratic time besides: a megabyte of "19:19:" takes 17 s in pieces of 12,000 characters.
_SUDACHI_MAX_CHARS = 65_535 // 33


def _open_newmm() -> Cut:
    with _unchanged_home():
        from pythainlp.tokenize import word_tokenize

        word_tokenize("ก", engine="newmm-safe")  # loads the dictionary

    def lengths(text: str) -> list[int]:
        # Joining "19:30" again costs the square of the longest run of digits: 10 s for 32,000 (PyThaiNLP 5.4).
        join_numbers = _LONG_NUMBER.search(text) is None
        return list(map(len, word_tokenize(text, engine="newmm-safe", join_broken_num=join_numbers)))

    return lengths


_LONG_NUMBER = re.compile(r"\d{100}")


@contextmanager
def _unchanged_home() -> Iterator[None]:
    """PyThaiNLP makes a folder for downloads in the home folder while it is imported, unless it is told not to."""
    asked = {"PYTHAINLP_READ_ONLY", "PYTHAINLP_READ_MODE"} & os.environ.keys()
    if not asked:
        os.environ["PYTHAINLP_READ_ONLY"] = "1"
    try:
        yield
    finally:
        if not asked:
            del os.environ["PYTHAINLP_READ_ONLY"]


def _open_icu() -> Cut:
    from icu4py.breakers import WordBreaker

    # By the words themselves: `WordBreaker.segments` counts UTF-16 units (icu4py 1.2).
    return lambda text: list(map(len, WordBreaker(text, "und")))


_ALL = (
    Segmenter("jieba", ("zh",), ("rjieba",), "MIT", _open_jieba),
    Segmenter("sudachi", ("ja",), ("sudachipy", "sudachidict_core"), "Apache-2.0", _open_sudachi, _SUDACHI_MAX_CHARS),
    Segmenter("newmm", ("th",), ("pythainlp",), "Apache-2.0 AND CC0-1.0", _open_newmm),
    Segmenter("icu", ("lo", "km", "my"), ("icu4py",), "MIT AND Unicode-3.0", _open_icu),
)
SEGMENTERS = {segmenter.name: segmenter for segmenter in _ALL}
_BY_LANGUAGE = {language: segmenter for segmenter in _ALL for language in segmenter.languages}

_NOTES = {
    "jieba": "words of jieba 0.42.1's dictionary and model, Cantonese and Wu included",
    "sudachi": "short units (split mode A)",
    "newmm": "dictionary words within Thai character clusters (newmm-safe)",
    "icu": "dictionary words of ICU",
}
_BETWEEN_SPACES = (
    (("ko",), "between spaces: a Korean word with its particles and endings"),
    (("vi",), "between spaces: Vietnamese syllables"),
    (("bo",), "between spaces: clauses, for no word segmenter works without the network"),
    (("others",), "between spaces"),
)
