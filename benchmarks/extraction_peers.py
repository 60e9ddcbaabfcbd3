"""Extractors that we do not depend on, each in an environment and a process of its own.

    python extraction_peers.py PEER        (in a peer's environment, started by `extraction.py`)

The process reads pages from standard input and answers on standard output. A question is one line of JSON, a list of
{"url", "language", "size"}, and then the bytes of those pages; an answer is one line of JSON: {"texts", "seconds",
"failed"}. The clock runs around the extractor alone, in the peer's own process, so the pipe costs it nothing. This file
needs nothing of ours there.

- jusText gets the page's bytes and the stop words of the language that the gold text names, English where it names
  none. Where it has no list for the language, it runs without one, in the way that its own command has for that. Users
  seldom know every page's language beforehand.
- readability-lxml gives HTML; its text is taken with a line break at the end of each block.
- rs-trafilatura gets bytes and URL. Its one wheel for Linux is for Python 3.12, which has to be on the path.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

#: What a peer makes of (payload, url, language).
Extract = Callable[[bytes, str, "str | None"], "str | None"]


class Peer(NamedTuple):
    """How one is installed, and the function of this file that calls it."""

    requirements: tuple[str, ...]
    loader: str
    python: str = sys.executable  # what the environment is made with


#: The first two name lxml's cleaner by an extra that lxml spells otherwise by now.
PEERS = {
    "justext": Peer(("justext==3.0.2", "lxml_html_clean"), "justext_extractor"),
    "readability": Peer(("readability-lxml==0.9", "lxml_html_clean"), "readability_extractor"),
    "rs_trafilatura": Peer(("--only-binary=:all:", "rs-trafilatura==0.1.1"), "rs_trafilatura_extractor", "python3.12"),
}
_BLOCK_TAGS = frozenset("blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table td th tr ul".split())


@contextmanager
def peer(name: str, cache: Path, ready: str | None) -> Iterator[Callable[[Sequence[Any]], Any]]:
    """A contestant for `classifiers.extractor.evaluate` that asks a peer; its process ends with the context.

    `ready` is an environment that has the peer already. EnvironmentProblem where the peer cannot be installed or does
    not answer.
    """
    from classifiers.extractor.evaluate import Answers

    python = Path(ready) / "bin" / "python" if ready else _environment(name, cache)
    command = [str(python), __file__, name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    writer, reader = process.stdin, process.stdout
    try:
        _ask(name, writer, reader, [])

        def answers(pages: Sequence[Any]) -> Answers:
            found = _ask(name, writer, reader, pages)
            return Answers(found["texts"], found["seconds"], found["failed"])

        yield answers
    finally:
        process.kill()
        process.communicate()


def _ask(name: str, writer: IO[bytes], reader: IO[bytes], pages: Sequence[Any]) -> dict[str, Any]:
    from curate.errors import EnvironmentProblem

    head = [{"url": page.url, "language": page.language, "size": len(page.payload)} for page in pages]
    try:
        writer.write(json.dumps(head).encode() + b"\n" + b"".join(page.payload for page in pages))
        writer.flush()
        line = reader.readline()
    except BrokenPipeError:
        line = b""
    if not line:
        raise EnvironmentProblem(f"the process of {name} ended; remove its environment to have it installed again")
    found: dict[str, Any] = json.loads(line)
    return found


def _environment(name: str, cache: Path) -> Path:
    """The Python of the peer's environment in the cache folder, made where it is missing."""
    from peers.environments import make

    from curate.errors import EnvironmentProblem

    wanted = PEERS[name]
    digest = hashlib.sha256(" ".join(wanted.requirements).encode()).hexdigest()[:8]  # other versions, another folder
    try:
        return make(cache / "environments" / f"extraction-{name}-{digest}", wanted.requirements, wanted.python)
    except (subprocess.SubprocessError, OSError) as error:
        raise EnvironmentProblem(
            f"{' '.join(wanted.requirements)} cannot be installed with {wanted.python} ({error}); "
            f"give an environment that has it: --venv {name}=FOLDER"
        ) from error


def justext_extractor() -> Extract:
    """Paragraphs that jusText takes for good."""
    justext: Any = importlib.import_module("justext")
    lists = justext.get_stoplists()

    def extract(payload: bytes, url: str, language: str | None) -> str:
        language = language or "English"
        if language in lists:
            paragraphs = justext.justext(payload, justext.get_stoplist(language))
        else:
            paragraphs = justext.justext(payload, frozenset(), stopwords_low=0, stopwords_high=0)
        return "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate)

    return extract


def readability_extractor() -> Extract:
    """The text of readability-lxml's summary."""
    document: Any = importlib.import_module("readability").Document
    parser: Any = importlib.import_module("lxml.html")

    def extract(payload: bytes, url: str, language: str | None) -> str:
        summary = document(payload, url=url).summary(html_partial=True)
        tree = parser.fromstring(summary)
        for element in tree.iter():
            if element.tag in _BLOCK_TAGS:
                element.tail = "\n" + (element.tail or "")
        return str(tree.text_content())

    return extract


def rs_trafilatura_extractor() -> Extract:
    """rs-trafilatura's main content."""
    library: Any = importlib.import_module("rs_trafilatura")
    return lambda payload, url, language: library.extract_bytes(payload, url=url).main_content


def serve(extract: Extract, questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until there is nothing more to read."""
    while line := questions.readline():
        head = json.loads(line)
        pages = [(questions.read(page["size"]), page["url"], page["language"]) for page in head]
        texts, failed, begin = [], 0, time.perf_counter()
        for page in pages:
            try:
                texts.append(extract(*page) or "")
            except Exception:  # noqa: BLE001  # the document boundary: what a peer does with a page is its score
                texts.append("")
                failed += 1
        found = {"texts": texts, "seconds": time.perf_counter() - begin, "failed": failed}
        answers.write(json.dumps(found).encode("utf-8", "replace") + b"\n")
        answers.flush()


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    serve(globals()[PEERS[sys.argv[1]].loader](), sys.stdin.buffer, replies)
