"""Formulas that a page carries as TeX where a reader sees none of it: in attributes, in scripts, in annotations.

- MathML: `<math alttext="…">`, `data-latex` (MathJax 4), `<annotation encoding="application/x-tex">`.
- Images: `alt` of an image whose class is `tex`, `latex` or `mwe-math-fallback-image-…` (MediaWiki), or whose address
  is that of a service that draws TeX (WordPress, CodeCogs, Zhihu, Wikimedia, mimeTeX, MathTeX).
- MathJax 2: `<script type="math/tex">`, `<script type="math/tex; mode=display">`.

A formula is shown more than once by most of these: what KaTeX and MathJax 2 draw, and the image that MediaWiki sends
behind its MathML, are copies (`is_copy`). MathML that comes without TeX is not translated into it: its characters stay
text. Dollars and brackets in the text ("\\\\(x\\\\)") are text too.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import NUMBER
from curate.kernels.html_tags import attribute, is_space, is_word
from curate.kernels.utf8 import Bool, Bytes, Int

#: What a formula is: a part of its line, or a line of its own.
INLINE, DISPLAY = 1, 2

_MATH, _IMG, _SCRIPT = NUMBER["math"], NUMBER["img"], NUMBER["script"]
_LONGEST_ADDRESS = 200  # bytes of an address that are looked at: images within the page have long ones


@borrowing
def find_tex(data: Bytes, name: Int, i: Int, size: Int) -> tuple[Int, Int, Int]:
    """Of the tag whose attributes begin at `i`, one of `math`, `img`, `script`, `annotation`: `INLINE` or `DISPLAY`
    where it carries or introduces TeX, else 0, and start and end of the TeX among its attributes (0, 0 if not there).
    """
    kind = INLINE if name == _MATH else 0
    tex_start = tex_end = 0
    while True:
        start, end, value, value_end, i = attribute(data, i, size)
        if end == start:
            return kind, tex_start, tex_end
        if name == _MATH:
            if is_word(data, start, end, b"alttext") or is_word(data, start, end, b"data-latex"):
                tex_start, tex_end = value, value_end
            elif is_word(data, start, end, b"display") and is_word(data, value, value_end, b"block"):
                kind = DISPLAY
        elif name == _IMG:
            if is_word(data, start, end, b"alt"):
                tex_start, tex_end = value, value_end
            elif is_word(data, start, end, b"class"):
                kind = max(kind, _kind_of_class(data, value, value_end))
            elif is_word(data, start, end, b"src") and _draws_tex(data, value, value_end):
                kind = max(kind, INLINE)
        elif name == _SCRIPT:
            if is_word(data, start, end, b"type") and is_word(data, value, min(value + 8, value_end), b"math/tex"):
                kind = DISPLAY if contains(data, value, value_end, b"mode=display") else INLINE
        elif is_word(data, start, end, b"encoding") and _is_tex_type(data, value, value_end):
            kind = INLINE


@borrowing
def is_copy(data: Bytes, class_start: Int, class_end: Int, id_start: Int, id_end: Int, behind_tex: Bool) -> Bool:
    """Whether an element of this class and id shows a formula that stands beside it as TeX."""
    if class_end - class_start >= 10:
        if behind_tex and is_word(data, class_start, class_start + 10, b"katex-html"):
            return True
        if is_word(data, class_start, min(class_start + 15, class_end), b"mathjax_preview"):
            return True
    if id_end - id_start < 16 or data[id_start] != 0x4D:
        return False
    # MathJax 2 draws a formula in "MathJax-Element-7-Frame"; its script comes behind.
    frame = is_word(data, id_end - 6, id_end, b"-frame")
    return frame and is_word(data, id_start, id_start + 15, b"mathjax-element")


@borrowing
def without_delimiters(text: Bytes, start: Int, end: Int, kind: Int) -> tuple[Int, Int, Int]:
    """TeX without white space and math delimiters around it, and what it is by these."""
    start, end = _stripped(text, start, end)
    if end - start >= 4 and text[start] == 0x24 and text[start + 1] == 0x24:
        if text[end - 1] == 0x24 and text[end - 2] == 0x24:
            start, end, kind = start + 2, end - 2, DISPLAY
    elif end - start >= 2 and text[start] == 0x24 and text[end - 1] == 0x24:
        start, end = start + 1, end - 1
    elif end - start >= 4 and text[start] == 0x5C and text[end - 2] == 0x5C:
        if text[start + 1] == 0x28 and text[end - 1] == 0x29:
            start, end = start + 2, end - 2
        elif text[start + 1] == 0x5B and text[end - 1] == 0x5D:
            start, end, kind = start + 2, end - 2, DISPLAY
    start, end = _stripped(text, start, end)
    return start, end, kind


@borrowing
def contains(data: Bytes, start: Int, end: Int, word: bytes) -> Bool:
    """Whether the word, whose letters are small, is part of these bytes; their own may be capitals."""
    for i in range(start, end - len(word) + 1):
        if data[i] | 0x20 == word[0] | 0x20 and is_word(data, i, i + len(word), word):
            return True
    return False


@borrowing
def _kind_of_class(data: Bytes, i: Int, end: Int) -> Int:
    while i < end:
        start = i
        while i < end and not is_space(data[i]):
            i += 1
        if is_word(data, start, i, b"tex") or is_word(data, start, i, b"latex"):
            return INLINE
        if is_word(data, start, min(start + 23, i), b"mwe-math-fallback-image"):
            return DISPLAY if is_word(data, start + 23, i, b"-display") else INLINE
        i += 1
    return 0


@borrowing
def _draws_tex(data: Bytes, start: Int, end: Int) -> Bool:
    end = min(end, start + _LONGEST_ADDRESS)
    if contains(data, start, end, b"math/render/") or contains(data, start, end, b"codecogs.com"):
        return True
    if not contains(data, start, end, b"tex"):
        return False
    service = contains(data, start, end, b"latex.php") or contains(data, start, end, b"equation?tex=")
    return service or contains(data, start, end, b"mimetex") or contains(data, start, end, b"mathtex")


@borrowing
def _is_tex_type(data: Bytes, start: Int, end: Int) -> Bool:
    if is_word(data, start, end, b"application/x-tex") or is_word(data, start, end, b"application/x-latex"):
        return True
    return is_word(data, start, end, b"tex") or is_word(data, start, end, b"latex")


@borrowing
def _stripped(text: Bytes, start: Int, end: Int) -> tuple[Int, Int]:
    while start < end and is_space(text[start]):
        start += 1
    while end > start and is_space(text[end - 1]):
        end -= 1
    return start, end
