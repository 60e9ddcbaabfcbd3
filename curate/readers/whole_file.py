"""One document a file: plain text and HTML, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from curate.document import doc_id
from curate.readers.formats import DECODE_ERRORS, PEEK_BYTES, compression_of, open_decompressed
from curate.readers.rows import ReadStats, Row, dropped, error_row
from curate.readers.source import Source
from curate.readers.splits import Split


def whole_file_rows(file: IO[bytes], split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """One row: `text` (UTF-8, bad bytes replaced) for format `text`, `payload` for `html`."""
    stats.records["file"] += 1
    compression = compression_of(file.read(PEEK_BYTES))
    file.seek(0)
    try:
        data = open_decompressed(file, compression).read(source.max_document_bytes + 1)
    except (*DECODE_ERRORS, OSError) as error:
        if compression == "none" or (isinstance(error, OSError) and error.errno is not None):
            raise
        yield error_row(f"error_corrupt_{compression}", source=source.name, path=split.path, offset=0)
        return
    row = Row(doc_id(None, None, data), source=source.name, dump=source.dump, file_path=split.path, offset=0)
    if len(data) > source.max_document_bytes:
        yield dropped(row, "payload_too_large")
    elif split.format == "html":
        yield row._replace(payload=data, content_type="text/html")
    else:
        yield row._replace(text=data.decode("utf-8-sig", "replace"))
