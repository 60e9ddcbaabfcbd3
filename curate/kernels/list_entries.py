"""Lines of a list as its entries, millions at a time.

An entry function takes one line (`domain_entry` and its like, in `curate.kernels.url_match`). For lines of printable
ASCII each has a form here that takes a whole column and gives the same entries; other lines go through the function.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from curate.kernels.url_match import domain_entry, substring_entry, url_entry, word_entry

#: Entry of one line of a list, or None for a line that has none.
Entry = Callable[[str], str | None]

_DOMAIN_LINE = r"^(?:[^#]*[\t ])?(?P<host>[^#\t ]+)[\t ]*(?:#.*)?$"
_HOST = r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$"
_URL_LINE = r"^(?:[^#]*?://)?(?P<host>[^/#]*)(?P<path>/[^#]*)?(?:#.*)?$"
_NOT_PLAIN = r"[^\t -~]"


def phrase_entry(line: str) -> str | None:
    """A line of a list of words and phrases as it is; None for a blank one or a comment, which begins with "#"."""
    line = line.strip()
    return line if line and not line.startswith("#") else None


def line_entries(lines: pa.LargeStringArray, entry: Entry) -> pa.LargeStringArray:
    """The entries of lines, not in their order. What `entry` raises goes through."""
    column_form = _COLUMN_FORMS.get(entry)
    if column_form is None:
        return _one_by_one(lines, entry)
    odd = pc.match_substring_regex(lines, _NOT_PLAIN)
    if not pc.any(odd).as_py():
        return column_form(lines)
    plain = column_form(lines.filter(pc.invert(odd)))
    return pa.concat_arrays([plain, _one_by_one(lines.filter(odd), entry)])


def _one_by_one(lines: pa.LargeStringArray, entry: Entry) -> pa.LargeStringArray:
    found = (entry(line) for line in lines.to_pylist())
    return pa.array([value for value in found if value is not None], pa.large_string())


def _domains(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    hosts = pc.struct_field(pc.extract_regex(lines, _DOMAIN_LINE), "host")
    hosts = pc.ascii_rtrim(pc.ascii_lower(hosts.drop_null()), ".")
    hosts = pc.replace_substring_regex(hosts, r"^www\.", "")
    return hosts.filter(pc.match_substring_regex(hosts, _HOST))


def _urls(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    found = pc.extract_regex(_uncommented(lines), _URL_LINE)
    host, path = (pc.struct_field(found, field.name) for field in found.type)
    host = pc.replace_substring_regex(pc.ascii_lower(host), r"^www\.", "")
    return _filled(pc.ascii_rtrim(pc.binary_join_element_wise(host, path, pa.scalar("", host.type)), "/"))


def _words(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    return pc.ascii_lower(_uncommented(lines))


def _substrings(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    return _filled(pc.ascii_lower(pc.replace_substring_regex(_uncommented(lines), "[^A-Za-z0-9]+", "")))


def _uncommented(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    lines = pc.ascii_trim(lines, " \t")
    return lines.filter(pc.and_(pc.not_equal(lines, ""), pc.invert(pc.starts_with(lines, "#"))))


def _filled(entries: pa.LargeStringArray) -> pa.LargeStringArray:
    return entries.filter(pc.not_equal(entries, ""))


_COLUMN_FORMS: dict[Entry, Callable[[pa.LargeStringArray], pa.LargeStringArray]] = {
    domain_entry: _domains,
    url_entry: _urls,
    word_entry: _words,
    phrase_entry: _uncommented,
    substring_entry: _substrings,
}
