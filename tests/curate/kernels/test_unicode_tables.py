"""The tables say of a code point what Python says, where both know it."""

from __future__ import annotations

import unicodedata

from curate.kernels.scan import flags_of, lower_of
from curate.kernels.unicode_tables import (
    BREAK,
    DIGIT,
    LETTER,
    LOWER,
    MARK,
    NEWLINE,
    SPACE,
    SPACELESS,
    UPPER,
    char_table,
)

OLD = unicodedata.ucd_3_2_0  # what was assigned then has hardly changed since


def points():
    for point in range(0x30000):
        if OLD.category(chr(point)) not in ("Cn", "Cs"):
            yield point, chr(point)


def test_flags_are_those_of_str():
    table = char_table()
    for point, char in points():
        flags = int(flags_of(table, point))
        assert bool(flags & SPACE) == char.isspace(), hex(point)
        assert bool(flags & BREAK) == (len(f"a{char}b".splitlines()) == 2), hex(point)
        assert bool(flags & LETTER) == char.isalpha(), hex(point)
        assert bool(flags & DIGIT) == char.isdecimal(), hex(point)
        assert bool(flags & MARK) == (unicodedata.category(char)[0] == "M"), hex(point)
        assert bool(flags & UPPER) == char.isupper(), hex(point)
        assert bool(flags & LOWER) == char.islower(), hex(point)


def test_lower_case_is_that_of_str_where_it_is_one_character():
    table = char_table()
    for point, char in points():
        lower = char.lower()
        assert lower_of(table, point) == (ord(lower) if len(lower) == 1 else point), hex(point)


def test_newline_alone_is_a_newline_and_scripts_without_spaces_are_known():
    table = char_table()
    assert [point for point in range(0x3000) if flags_of(table, point) & NEWLINE] == [10]
    marked = {char for char in "漢かカกລကខaя한।。" if flags_of(table, ord(char)) & SPACELESS}
    assert marked == set("漢かカกລကខ")
