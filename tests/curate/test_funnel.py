"""The funnel adds up, or says that it does not."""

from __future__ import annotations

import pytest

from curate import recipe as recipes
from curate.errors import RunError
from curate.funnel import Funnel
from curate.plan import plan
from curate.spark.document_pass import Done
from curate.spark.parts import PartFile


def done(kept, dropped, tally, read=None):
    def part(rows):
        return PartFile(part=0, path="p", source="web", rows=rows, bytes=1, sha256="0")

    return Done(
        part=0,
        read=kept + dropped if read is None else read,
        kept=part(kept),
        dropped=part(dropped) if dropped else None,
        tally=tally,
        seconds={"pii": 0.5},
        records={"response": kept + dropped},
    )


def test_stages_follow_each_other_and_add_up():
    funnel = Funnel(["extract", "pii"])
    tally = [["web", "en", None, None, 7, 70], ["web", None, "extract", "text_chars_below_min", 2, 0]]
    funnel.add([done(7, 3, [*tally, ["web", None, "read", "payload_empty", 1, 0]])], None)
    funnel.add([done(6, 1, [["web", "en", None, None, 6, 60], ["web", "en", "pii", "too_many", 1, 10]])], 7)
    funnel.check()
    stages = funnel.stages()
    assert [(s["stage"], s["documents_in"], s["dropped"], s["kept"]) for s in stages] == [
        ("read", 10, 1, 9),
        ("extract", 9, 2, 7),
        ("pii", 7, 1, 6),
    ]
    record = funnel.as_json()
    assert (record["read"], record["kept"], record["dropped"]) == (10, 6, 4)
    assert record["kept_by"] == [{"source": "web", "language": "en", "documents": 6, "bytes": 60}]


@pytest.mark.parametrize(("part", "expected"), [(done(5, 1, [], read=7), None), (done(5, 1, []), 7)])
def test_missing_documents_stop_the_run(part, expected):
    with pytest.raises(RunError, match="documents are missing"):
        Funnel([]).add([part], expected)


def test_a_dropped_row_without_a_reason_is_found_out():
    funnel = Funnel([])
    funnel.add([done(5, 1, [["web", "en", None, None, 6, 0]])], None)
    with pytest.raises(RunError, match="documents are missing"):
        funnel.check()


@pytest.mark.parametrize(("errors", "raises"), [(20, False), (21, True)])
def test_more_errors_than_allowed_stop_the_run(errors, raises):
    (first, *_) = plan(recipes.parse({"stages": ["pii"]})).passes
    part = done(100 - errors, errors, [["web", None, "pii", "error_value", errors, 0]])
    if raises:
        with pytest.raises(RunError, match="max_error_frac"):
            Funnel([]).check_errors(first, [part], 0.2)
    else:
        Funnel([]).check_errors(first, [part], 0.2)


def test_few_documents_may_all_fail():
    (first, *_) = plan(recipes.parse({"stages": ["pii"]})).passes
    Funnel([]).check_errors(first, [done(0, 99, [["web", None, "pii", "error_value", 99, 0]])], 0.2)
