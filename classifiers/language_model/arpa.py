"""Write a language model as an ARPA file, the text format that SRILM, KenLM and others read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from classifiers.language_model.estimation import Estimate
from curate.kernels.arpa_lines import arpa_lines

_LINES_AT_ONCE = 1 << 18


def write_arpa(model: Estimate, path: Path, comments: Sequence[str] = ()) -> None:
    """Write a model. Comments go in front, each on a line behind "# ", which KenLM skips; none may hold a line end."""
    with path.open("wb") as file:
        for comment in comments:
            file.write(f"# {comment}\n".encode())
        file.write(b"\\data\\\n")
        for n, num in enumerate(model.num_ngrams, 1):
            file.write(f"ngram {n}={num}\n".encode())
        for n in range(1, model.order + 1):
            file.write(f"\n\\{n}-grams:\n".encode())
            for block in model.ngrams(n):
                for first in range(0, block.high.size, _LINES_AT_ONCE):
                    at = slice(first, first + _LINES_AT_ONCE)
                    backoff = block.backoff[at] if n < model.order else None
                    words = model.words.letters, model.words.start
                    file.write(
                        arpa_lines(block.high[at], block.low[at], n, model.bits, *words, block.prob[at], backoff)
                    )
        file.write(b"\n\\end\\\n")
