"""The extractors: a page as UTF-8 in, its main text out. Parsers of others run in the sandbox's child and nowhere else.

All are pure functions of page and settings: no network, no state from document to document (trafilatura's own
de-duplication cache stays off, as its result depends on what came before), and no clock (its date search compares with
today, so it is not asked for dates).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Settings = Mapping[str, Any]


def learned_text(page: bytes, url: str | None, settings: Settings) -> dict[str, Any]:
    """Main text by our own extractor, its mojibake repaired, with the signals that it alone has.

    It knows `favor`, `format`, `model_path` and `model_sha256`. EnvironmentProblem where there is no such model.
    """
    from curate.extraction.learned import learned_extractor  # compiled code, of no use to the sandbox's child
    from curate.extraction.mojibake import repair

    names = ("model_path", "model_sha256", "favor", "format")
    main = learned_extractor(*(settings[name] for name in names)).extract(page, url)
    text, num_found, num_repaired = repair(main.text)
    return {
        "text": text,
        "page_type": main.page_type,
        "quality": main.quality,
        "num_blocks": main.num_blocks,
        "num_chosen": main.num_chosen,
        "fallback": main.fallback,
        "mojibake_count": num_found,
        "mojibake_repaired": num_repaired,
    }


def trafilatura_text(page: bytes, url: str | None, settings: Settings) -> dict[str, Any]:
    """Main text by trafilatura (https://github.com/adbar/trafilatura), "" where it finds none.

    It knows all settings but those of a model.
    """
    from trafilatura import extract

    html = page.decode()
    text: str | None = html.strip() and extract(
        html,
        url=url,
        output_format="markdown" if settings["format"] == "markdown" else "txt",
        fast=settings["fast"],
        favor_precision=settings["favor"] == "precision",
        favor_recall=settings["favor"] == "recall",
        include_comments=settings["comments"],
        include_tables=settings["tables"],
        include_links=False,
        include_images=False,
        deduplicate=False,
        with_metadata=False,
    )
    return {"text": (text or "").replace("\0", "")}


def resiliparse_text(page: bytes, url: str | None, settings: Settings) -> dict[str, Any]:
    """Main text by resiliparse (https://resiliparse.chatnoir.eu). Ten times as fast as trafilatura and less exact.

    Of the settings it knows `favor` (recall: all visible text, not the main content) and `comments`.
    """
    from resiliparse.extract.html2text import extract_plain_text

    main_content, comments = settings["favor"] != "recall", settings["comments"]
    text: str = extract_plain_text(page.decode(), main_content=main_content, comments=comments)
    return {"text": text.replace("\0", "")}


EXTRACTORS: dict[str, Callable[[bytes, str | None, Settings], dict[str, Any]]] = {
    "learned": learned_text,
    "trafilatura": trafilatura_text,
    "resiliparse": resiliparse_text,
}
