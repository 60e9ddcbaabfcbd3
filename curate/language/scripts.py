"""Count letters by script, for a whole batch at once.

A script is an ISO 15924 code; a letter belongs to the script of its Unicode block. Hiragana and katakana count as one
(Hrkt). Digits, marks and punctuation belong to none. Only bounded samples come here: four bytes of work per character.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

#: Blocks of the scripts, first and last code point in hexadecimal (Unicode 15.1, Blocks.txt).
_BLOCKS = {
    "Latn": "0041-024F 0250-02AF 1E00-1EFF 2C60-2C7F A720-A7FF AB30-AB6F FB00-FB06 FF21-FF5A",
    "Grek": "0370-03FF 1F00-1FFF",
    "Cyrl": "0400-052F 1C80-1C8F A640-A69F",
    "Armn": "0530-058F",
    "Hebr": "0590-05FF FB1D-FB4F",
    "Arab": "0600-06FF 0750-077F 0870-08FF FB50-FDFF FE70-FEFC",
    "Syrc": "0700-074F",
    "Thaa": "0780-07BF",
    "Deva": "0900-097F A8E0-A8FF",
    "Beng": "0980-09FF",
    "Guru": "0A00-0A7F",
    "Gujr": "0A80-0AFF",
    "Orya": "0B00-0B7F",
    "Taml": "0B80-0BFF",
    "Telu": "0C00-0C7F",
    "Knda": "0C80-0CFF",
    "Mlym": "0D00-0D7F",
    "Sinh": "0D80-0DFF",
    "Thai": "0E00-0E7F",
    "Laoo": "0E80-0EFF",
    "Tibt": "0F00-0FFF",
    "Mymr": "1000-109F A9E0-A9FF AA60-AA7F",
    "Geor": "10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Ethi": "1200-139F 2D80-2DDF AB00-AB2F",
    "Khmr": "1780-17FF",
    "Mong": "1800-18AF",
    "Hang": "1100-11FF 3130-318F A960-A97F AC00-D7FF FFA0-FFDC",
    "Hrkt": "3040-30FF 31F0-31FF FF66-FF9F 1B000-1B16F",
    "Hani": "3005-3007 3400-4DBF 4E00-9FFF F900-FAFF 20000-323AF",
}
SCRIPTS: tuple[str, ...] = tuple(_BLOCKS)
HAN, KANA, HANGUL = (SCRIPTS.index(name) for name in ("Hani", "Hrkt", "Hang"))
_LATIN = SCRIPTS.index("Latn")
_ASCII_OTHERS = bytes(point for point in range(128) if not chr(point).isalpha())


@cache
def _script_table() -> NDArray[np.uint8]:
    """Code point → 1 + position in SCRIPTS, 0 for what is no letter of any: uint8[0x110000], 0.05 s to build."""
    table = np.zeros(0x110000, dtype=np.uint8)
    for number, blocks in enumerate(_BLOCKS.values(), start=1):
        for block in blocks.split():
            first, last = (int(bound, 16) for bound in block.split("-"))
            for point in range(first, last + 1):
                if chr(point).isalpha():
                    table[point] = number
    return table


def script_counts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Letters of each text by script: int64[len(texts), len(SCRIPTS)].

    >>> script_counts(["漢字とカナ, abc 123"])[0, [HAN, KANA, HANGUL, SCRIPTS.index("Latn")]].tolist()
    [2, 3, 0, 3]
    """
    counts = np.zeros((len(texts), len(SCRIPTS) + 1), dtype=np.int64)
    others = []
    for row, text in enumerate(texts):
        if text.isascii():  # the common case, without four bytes for each character
            counts[row, 1 + _LATIN] = len(text.encode().translate(None, _ASCII_OTHERS))
        else:
            others.append(row)
    if others:
        points = np.frombuffer("".join(texts[row] for row in others).encode("utf-32-le"), dtype=np.uint32)
        starts = np.arange(len(others)) * counts.shape[1]
        cells = np.repeat(starts, [len(texts[row]) for row in others]) + _script_table()[points]
        counts[others] = np.bincount(cells, minlength=len(others) * counts.shape[1]).reshape(len(others), -1)
    return counts[:, 1:]
