"""N-grams counted on Spark make the model that one machine makes, to the byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.language_model.spark_counts import likely_bounds
from classifiers.language_model.trainer import LanguageModelTrainer
from curate.errors import InputError

LINES = [" ".join(f"w{(i * i + k) % 23}" for k in range(i % 7)) for i in range(80)] + ["", "<s> 中文 </s>\né"]


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore:the discounts of orders")
@pytest.mark.parametrize(("partitions", "memory_gib"), [(1, 1), (3, 1e-5)])
def test_any_partitions_make_the_file_of_one_machine(spark, tmp_path, partitions, memory_gib):
    table = spark.createDataFrame([(line, None) for line in LINES], "text string, language string")
    trainer = LanguageModelTrainer(order=4, prune=(0, 0, 1), memory_gib=memory_gib)
    trainer.train_on_spark(table.repartition(partitions), tmp_path / "spark.bin")
    trainer.train_from(table.toArrow().to_batches(), tmp_path / "local.bin")
    assert (tmp_path / "spark.bin").read_bytes() == (tmp_path / "local.bin").read_bytes()


@pytest.mark.spark
def test_a_relation_without_words_is_an_error(spark, tmp_path):
    table = spark.createDataFrame([("", None), (None, None)], "text string, language string")
    with pytest.raises(InputError, match="no words"):
        LanguageModelTrainer().train_on_spark(table, tmp_path / "spark.bin")


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50), st.integers(1, 20))
def test_bounds_rise_and_are_fewer_than_the_parts(counts, num_parts):
    counts = np.array([0, 0, 1, *counts], np.int64)
    bits = (len(counts) - 1).bit_length()
    bounds = likely_bounds(counts, bits, num_parts).astype(np.int64)
    assert len(bounds) < num_parts
    assert (np.diff(bounds) > 0).all()
    assert ((bounds > 0) & (bounds < 1 << 2 * bits)).all()
    if num_parts == 1:
        assert bounds.size == 0
