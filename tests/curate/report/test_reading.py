from __future__ import annotations

import pytest

from curate.errors import InputError
from curate.report.reading import MAX_FILES, dropped_files, kept_files, kept_folder, open_parquet, read_recipe


def test_bounded_number_of_files_is_spread_over_all_sources(folder, make_row) -> None:
    for part in range(60):
        folder.add_kept([make_row(part)], folder="documents/source=large", part=part)
    folder.add_kept([make_row(99)], folder="documents/source=small")
    run = folder.finish()
    chosen = kept_files(run)
    assert len(chosen) <= MAX_FILES
    assert any("source=small" in path for path in chosen)
    large = [int(path[-13:-8]) for path in chosen if "source=large" in path]
    assert large[0] < 10
    assert large[-1] > 50
    assert len(kept_files(run, None)) == 61


def test_more_groups_than_files_are_spread_too(folder, make_row) -> None:
    for part in range(2 * MAX_FILES):
        folder.add_kept([make_row(part)], part=part)
    assert len(kept_files(folder.finish())) == MAX_FILES


def test_half_written_files_are_not_read(folder, make_row) -> None:
    folder.add_dropped([make_row(1, drop_stage="a", drop_reason="b")], passed="01-gopher_quality/_wave.123")
    folder.add_kept([make_row(1)], folder="documents/_source")
    run = folder.finish()
    assert dropped_files(run) == kept_files(run) == []


def test_run_that_failed_shows_the_last_pass_that_it_finished(folder, make_row) -> None:
    folder.add_kept([make_row(1)], folder="passes/01-gopher_quality/wave-00000")
    folder.add_kept([make_row(1)])  # of an earlier run
    assert kept_folder(folder.finish(passes=("01-gopher_quality", "02-near_dedup"))) == "passes/01-gopher_quality"
    assert kept_folder(folder.finish()) == "documents"
    assert kept_folder(folder.finish(passes=())) is None


def test_broken_file_is_an_input_error(folder) -> None:
    run = folder.finish()
    run.write_text("not parquet", "documents", "source=a", "part-00000.parquet")
    (path,) = kept_files(run)
    with pytest.raises(InputError, match=r"part-00000\.parquet cannot be read"), open_parquet(run, path):
        pass


@pytest.mark.parametrize("text", ["stages: [no_such]", "- a list", "{", "stages: [gopher_quality: {x: 1}]"])
def test_recipe_that_does_not_load_is_text_only(folder, text) -> None:
    run = folder.finish()
    run.write_text(text, "recipe.yaml")
    assert read_recipe(run) == (text, None)
    run.remove("recipe.yaml")
    assert read_recipe(run) == ("", None)


def test_a_recipe_whose_fitted_limits_have_moved_is_text_only(folder, tmp_path) -> None:
    run = folder.finish()
    run.write_text(f"stages: [fineweb, {{outliers: {{limits_path: {tmp_path / 'gone.yaml'}}}}}]", "recipe.yaml")
    text, recipe = read_recipe(run)
    assert "gone.yaml" in text
    assert recipe is None
