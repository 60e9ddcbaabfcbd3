"""Put the project's packages, with their data, into one archive for `spark-submit --py-files`.

    python scripts/package.py [dist/curate.zip]

What belongs in it is what pyproject.toml ships. The same files give the same bytes. Dependencies are not in it: they
hold compiled code, which Python cannot load from an archive, so they must be installed where the workers run.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows; a real one would change the bytes


def shipped_files(root: Path) -> Iterator[Path]:
    """Modules and data files of the packages that pyproject.toml lists, relative to `root`, sorted."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    data: dict[str, list[str]] = settings["package-data"]
    for package in sorted(name.rstrip("*") for name in settings["packages"]["find"]["include"]):
        found = {path for pattern in ("**/*.py", *data.get(package, ())) for path in (root / package).glob(pattern)}
        yield from sorted(path.relative_to(root) for path in found if path.is_file())


def write_archive(target: Path, root: Path = ROOT) -> int:
    """Write the archive and return how many files are in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    files = list(shipped_files(root))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.as_posix(), _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (root / path).read_bytes())
    return len(files)


def main() -> None:
    """Write the archive that the command line names."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "curate.zip"
    print(f"{target}: {write_archive(target)} files")


if __name__ == "__main__":
    main()
