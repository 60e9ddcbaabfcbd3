from __future__ import annotations

import pyarrow as pa
import pytest

from curate.errors import InputError
from curate.scoring.perplexity_cutoffs import CCNET_CUTOFFS, Cutoffs, buckets, fit_cutoffs, load_cutoffs


def bucket(perplexity: float | None, language: str | None = "en") -> str | None:
    return buckets(pa.array([perplexity], pa.float64()), pa.array([language], pa.string()), CCNET_CUTOFFS)[0].as_py()


@pytest.mark.parametrize(
    ("perplexity", "expected"),
    [
        (0, "head"),
        (339.9, "head"),
        (340, "middle"),
        (519.9, "middle"),
        (520, "tail"),
        (1e300, "tail"),
        (float("inf"), "tail"),
    ],
)
def test_a_cutoff_is_the_first_perplexity_of_the_next_bucket(perplexity, expected):
    assert bucket(perplexity) == expected


def test_each_language_has_its_own_cutoffs():
    assert [bucket(1000, language) for language in ("en", "zh", "ja", "hi")] == ["tail", "head", "head", "tail"]


def test_there_is_no_bucket_without_a_perplexity_or_a_cutoff():
    assert [bucket(None), bucket(100, "xx"), bucket(100, None)] == [None, None, None]


def table(**perplexities: list[float | None]) -> pa.Table:
    rows = [(language, value) for language, values in perplexities.items() for value in values]
    columns = {
        "language": pa.array([row[0] for row in rows]),
        "perplexity": pa.array([row[1] for row in rows], pa.float64()),
    }
    return pa.table(columns)


def test_cutoffs_are_percentiles_of_each_language():
    fitted = fit_cutoffs(table(en=list(range(101)), de=[*range(100, 201), None]), min_documents=101)
    assert fitted.cutoffs == {"de": (130, 160), "en": (30, 60)}
    assert fitted.documents == {"de": 101, "en": 101}
    assert fit_cutoffs(table(en=[1.0, 2.0, 3.0]), (0, 100), min_documents=3).cutoffs == {"en": (1, 3)}


def test_a_language_with_few_documents_has_no_cutoffs():
    fitted = fit_cutoffs(table(en=[1.0] * 10, de=[1.0] * 9), min_documents=10)
    assert list(fitted.cutoffs) == ["en"]
    with pytest.raises(InputError, match="11 perplexities"):
        fit_cutoffs(table(en=[1.0] * 10), min_documents=11)


def test_a_file_is_read_back(tmp_path):
    fitted = fit_cutoffs(table(en=[float(n) for n in range(50)]), min_documents=1)
    for name, content in (("c.yaml", fitted.to_yaml()), ("c.json", fitted.model_dump_json())):
        (tmp_path / name).write_text(content)
        assert load_cutoffs(str(tmp_path / name)) == fitted


@pytest.mark.parametrize(
    "content", ["{}", "[", "cutoffs: {en: [2, 1]}\nformat: curate-perplexity-cutoffs\npercentiles: [1, 2]", "- 1"]
)
def test_what_is_no_cutoffs_file_is_refused(tmp_path, content):
    (tmp_path / "c.yaml").write_text(content)
    with pytest.raises(InputError, match=r"c\.yaml"):
        load_cutoffs(str(tmp_path / "c.yaml"))
    with pytest.raises(InputError, match="no cut-offs file"):
        load_cutoffs(str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("percentiles", [(60, 30), (-1, 5), (5, 101)])
def test_percentiles_are_in_order(percentiles):
    with pytest.raises(ValueError, match="percentiles"):
        fit_cutoffs(table(en=[1.0]), percentiles)


def test_cutoffs_in_disorder_are_refused():
    with pytest.raises(ValueError, match="head <= tail"):
        Cutoffs(percentiles=(30, 60), cutoffs={"en": (2.0, 1.0)})
