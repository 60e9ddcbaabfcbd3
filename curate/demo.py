"""The demo's input: real pages and texts that are on any machine that can run curate, its own Python environment.

`pydoc` renders the standard library and installed packages as HTML pages, written as a WARC; long descriptions and
licence files of installed packages are texts (licences are near duplicates by nature); Python source is code. There are
real duplicates in it, real e-mail addresses, and boilerplate.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curate.document import uniform

#: Packages whose modules get a page. All are needed by curate itself.
PACKAGES = [
    "curate",
    "pyarrow",
    "numpy",
    "pydantic",
    "yaml",
    "rich",
    "typer",
    "fsspec",
    "trafilatura",
    "tokenizers",
    "jinja2",
    "lxml",
    "plotly",
    "regex",
    "requests",
    "datasketch",
    "psutil",
    "urllib3",
    "certifi",
    "charset_normalizer",
    "dateutil",
    "markdown_it",
    "pygments",
    "presidio_analyzer",
]
MAX_PAGES = 700
MAX_CODE_BYTES = 6 * 2**20
MAX_FILE_BYTES = 200_000
#: Modules that do something when they are imported: print a poem, open a browser, start an event loop, a test suite.
NOT_IMPORTED = ("this", "antigravity", "idlelib", "turtledemo", "test", "lib2to3", "tkinter", "turtle", "__main__")


def build_inputs(folder: Path) -> dict[str, Path]:
    """Write the four sources and return their paths by name. One that is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "web": (folder / "pages.warc.gz", write_pages),
        "descriptions": (folder / "descriptions.jsonl.gz", write_descriptions),
        "licences": (folder / "licences.jsonl.gz", write_licences),
        "code": (folder / "code.parquet", write_code),
    }
    for path, write in made.values():
        if not path.exists():
            unfinished = path.with_name(f"_{path.name}")
            write(unfinished)
            os.replace(unfinished, path)
    return {name: path for name, (path, _) in made.items()}


def write_pages(path: Path, max_pages: int = MAX_PAGES) -> None:
    """A WARC of pydoc pages, one gzip member a record, as Common Crawl writes it.

    The pages are rendered in a child process: importing strangers' modules must not touch this one.
    """
    child = subprocess.run(
        [sys.executable, "-m", "curate.demo", str(path), str(max_pages)],
        env={**os.environ, "PYTHONHASHSEED": "0"},  # sets are printed in the same order each time
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if child.returncode or not path.exists():
        raise RuntimeError(f"pydoc pages could not be rendered: {child.stderr[-2000:]}")


def render_pages(path: Path, max_pages: int) -> None:
    """Render modules one after the other; one that cannot be imported or rendered is left out."""
    import pydoc

    html = pydoc.HTMLDoc()
    with path.open("wb") as file:
        file.write(_record("warcinfo", None, b"software: curate demo\r\n", "application/warc-fields"))
        written = 0
        for name in module_names():
            try:
                page = html.page(pydoc.describe(pydoc.locate(name)), html.document(pydoc.locate(name), name))
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001  # a stranger's import may raise anything, SystemExit too
                continue
            # Where an object happens to lie in memory is not the page's content, and differs each time.
            body = re.sub(r" at 0x[0-9a-f]+", " at 0x0", page).encode("utf-8", "replace")
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
            head += b"Content-Length: %d\r\n\r\n" % len(body)
            url = f"pydoc://python/{name.replace('.', '/')}"
            file.write(_record("response", url, head + body, "application/http; msgtype=response"))
            written += 1
            if written >= max_pages:
                break


def module_names() -> list[str]:
    """Modules of the standard library and of `PACKAGES`, ordered by a hash; no private ones, tests or programs."""
    import pkgutil

    names = [name for name in sorted(sys.stdlib_module_names) if not name.startswith("_") and name not in NOT_IMPORTED]
    for package in [*names, *PACKAGES]:
        spec = find_spec(package) if package not in NOT_IMPORTED else None
        if spec is None or not spec.submodule_search_locations:
            continue
        for module in pkgutil.iter_modules(list(spec.submodule_search_locations), package + "."):
            leaf = module.name.rpartition(".")[2]
            if not leaf.startswith("_") and leaf not in ("test", "tests", "conftest", "cli", "demo"):
                names.append(module.name)
        if package in PACKAGES:
            names.append(package)
    return sorted(set(names), key=lambda name: uniform(name, 0, "demo-pages"))


def _record(kind: str, url: str | None, content: bytes, content_type: str) -> bytes:
    """One WARC 1.0 record as a gzip member. Ids are digests of the content, so that the file is the same each time."""
    import uuid

    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{url}{len(content)}")
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{identity}>",
        f"WARC-Date: {_environment_date()}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
    ]
    if url:
        lines.insert(3, f"WARC-Target-URI: {url}")
    return gzip.compress("\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n\r\n", 6, mtime=0)


def _environment_date() -> str:
    """When this environment's Python was installed: the nearest thing to a date of crawl that stays the same."""
    return datetime.fromtimestamp(os.stat(os.__file__).st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def distributions() -> list[metadata.Distribution]:
    """Installed distributions, sorted by name, each name once."""
    found = {(d.metadata["Name"] or "").lower(): d for d in metadata.distributions()}
    return [found[name] for name in sorted(found) if name]


def write_descriptions(path: Path) -> None:
    """Long descriptions (READMEs) of installed packages."""
    rows = []
    for distribution in distributions():
        text = distribution.metadata.json.get("description")
        if isinstance(text, str) and text.strip():
            name = distribution.metadata["Name"]
            rows.append({"url": f"pypi://{name}/{distribution.version}", "text": text, "title": name})
    _write_jsonl(path, rows)


def write_licences(path: Path) -> None:
    """Licence files of installed packages."""
    rows = []
    for distribution in distributions():
        for file in sorted(distribution.files or [], key=str):
            if any(word in file.name.upper() for word in ("LICENSE", "LICENCE", "COPYING", "NOTICE")):
                text = _read(Path(str(distribution.locate_file(file))))
                if text is not None and not file.name.endswith(".py"):
                    rows.append({"url": f"pypi://{distribution.metadata['Name']}/{file}", "text": text})
    _write_jsonl(path, rows)


def write_code(path: Path) -> None:
    """Python source of the standard library and installed packages: a sample keyed by path, `MAX_CODE_BYTES` of it."""
    roots = {"lib": Path(os.__file__).parent}
    if (spec := find_spec("pyarrow")) and spec.origin:
        roots["site"] = Path(spec.origin).parents[1]
    files = [(f"{label}/{f.relative_to(root).as_posix()}", f) for label, root in roots.items() for f in _sources(root)]
    rows: dict[str, list[str]] = {"url": [], "text": []}
    size = 0
    for name, file in sorted(files, key=lambda item: uniform(item[0], 0, "demo-code")):
        text = _read(file)
        if text is not None and text.strip():
            rows["url"].append(f"file://python/{name}")
            rows["text"].append(text)
            size += len(text)
            if size > MAX_CODE_BYTES:
                break
    pq.write_table(pa.table(rows, pa.schema([("url", pa.string()), ("text", pa.string())])), path)


def _sources(root: Path) -> Iterator[Path]:
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).parts
        if "site-packages" not in parts and "__pycache__" not in parts and not {"test", "tests"} & set(parts):
            yield file


def _read(path: Path) -> str | None:
    """A text file of at most `MAX_FILE_BYTES`, or None."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data.decode("utf-8", "replace") if len(data) <= MAX_FILE_BYTES else None


def _write_jsonl(path: Path, rows: Iterable[dict[str, str]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)  # ASCII, escapes and all
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def run_demo(output: str, inputs: Path, steps: int | None) -> None:
    """Build the input and run the `demo` recipe over it, to a trained model and a report."""
    from curate import recipe as recipes
    from curate.arguments import change, with_inputs
    from curate.cli import console, run_recipe

    console.print("Building the demo's input from this Python environment …")
    sources = build_inputs(inputs)
    for name, path in sources.items():
        console.print(f"  {name:13} {path} ({path.stat().st_size / 1e6:.1f} MB)", markup=False, highlight=False)
    recipe = with_inputs(recipes.load("demo"), [f"{name}={path}" for name, path in sources.items()])
    short = [f"train.steps={steps}", f"train.warmup_steps={min(30, steps // 10)}"] if steps else []
    run_recipe(change(recipe, short), output)


if __name__ == "__main__":
    render_pages(Path(sys.argv[1]), int(sys.argv[2]))
