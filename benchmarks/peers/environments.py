"""Each peer in a virtual environment of its own, and its filters run there, document by document.

Installed from PyPI, once, with the versions below; the scripts `run_<peer>.py` exchange JSON lines with us.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from peers.compare import Rule, Theirs

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A toolkit as it is installed, and its name for each of our languages."""

    version: str
    requirements: tuple[str, ...]
    languages: Mapping[str, str] | None = None  # None: it knows no languages


#: What decides a verdict is pinned: the toolkit, and the word tokenizers that it calls for these languages.
PEERS = {
    "datatrove": Peer(
        "0.10.1",
        ("datatrove==0.10.1", "lxml[html-clean]", "spacy==3.8.18", "nltk==3.10.4", "jieba==0.42.1"),
        {"en": "eng", "zh": "cmn", "ru": "rus", "pl": "pol", "el": "ell"},
    ),
    # Without the versions of boto3 and s3fs pip tries hundreds: more than four minutes in place of twenty seconds.
    "dolma": Peer("1.2.1", ("dolma==1.2.1", "boto3==1.28.17", "s3fs==2023.6.0")),
}


class Answer(NamedTuple):
    """What a peer said of the documents of one language."""

    rules: dict[str, list[Rule]]  # by filter, in its order
    verdicts: dict[str, dict[str, Theirs]]  # by filter and document
    bad_words: Path  # the list that it used, as a file of one word a line


def interpreter(peer: str, cache: Path, ready: Mapping[str, str]) -> Path:
    """The Python of a peer's environment: a ready one, or one in the cache folder that is made where it is missing."""
    if peer in ready:
        return Path(ready[peer]) / "bin" / "python"
    wanted = PEERS[peer]
    return make(cache / "environments" / f"{peer}-{wanted.version}", wanted.requirements)


def make(folder: Path, requirements: Sequence[str], base: str = sys.executable) -> Path:
    """The Python of a virtual environment with these requirements; installed from PyPI where it is not there yet.

    `base` is the Python that the environment is made with. subprocess.CalledProcessError where that fails.
    """
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"installing {', '.join(requirements)} to {folder} …", flush=True)
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        subprocess.run(pip, check=True)
        (folder / "ready").touch()
    return python


def ask(peer: str, python: Path, documents: pa.Table, language: str, word_lists: Path | None, cache: Path) -> Answer:
    """The verdicts of all filters of a peer on documents of one language.

    Kept in `cache`: the same texts, script, versions and list are not judged twice.
    """
    script, codes = HERE / f"run_{peer}.py", PEERS[peer].languages
    texts = "".join(json.dumps(row) + "\n" for row in documents.select(["doc_id", "text"]).to_pylist())
    arguments = ["--language", codes.get(language, language)] if codes is not None else []
    parts = [*PEERS[peer].requirements, script.read_text("utf-8"), *arguments, texts]
    if word_lists is not None and codes is not None and (word_lists / language).is_file():
        arguments += ["--bad-words", str(word_lists / language), "--bad-words-language", language]
        parts.append((word_lists / language).read_text("utf-8"))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    verdicts = cache / f"{peer}-{language}-{digest}.jsonl"
    if not verdicts.exists():
        _judge([str(python), str(script), *arguments], texts, verdicts)
    return read_answer(verdicts)


def _judge(command: list[str], texts: str, verdicts: Path) -> None:
    """Run a peer's script on texts as JSON lines. SystemExit with the end of what it said, where it fails."""
    verdicts.parent.mkdir(parents=True, exist_ok=True)
    given, partial = verdicts.with_suffix(".texts"), verdicts.with_suffix(".partial")
    given.write_text(texts, encoding="utf-8")
    done = subprocess.run([*command, "--input", str(given), "--output", str(partial)], capture_output=True, text=True)
    given.unlink()
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-3000:]}")
    partial.rename(verdicts)


def read_answer(path: Path) -> Answer:
    """What a peer's script wrote. Its list of words goes to a file beside it, where a stage can load it."""
    with path.open(encoding="utf-8") as lines:
        head = json.loads(next(lines))
        rules = {name: [Rule(*rule) for rule in rows] for name, rows in head["rules"].items()}
        answer = Answer(rules, {name: {} for name in rules}, path.with_suffix(".words"))
        answer.bad_words.write_text("\n".join(head.get("bad_words") or ()), encoding="utf-8")
        for line in lines:
            row = json.loads(line)
            for name, verdict in row["filters"].items():
                answer.verdicts[name][row["doc_id"]] = as_theirs(verdict)
    return answer


def as_theirs(verdict: Mapping[str, Any]) -> Theirs:
    """One verdict of a peer's file."""
    return Theirs(verdict["keep"], verdict["reason"], verdict["error"], verdict["figures"], verdict.get("text"))
