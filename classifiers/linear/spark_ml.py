"""GPT-3's classifier as published: Spark ML's Tokenizer, HashingTF and LogisticRegression, with their defaults.

Examples lie on one partition in their order, so that sums are taken in one order and the weights come out the same.
That bounds them by the memory of one task; GPT-3's own set, of some million texts, fits a large machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import EnvironmentProblem
from curate.scoring.linear_model import Features

#: What of the result says how the fit went.
Fitted = tuple[NDArray[np.float64], float, dict[str, Any]]


def fit_with_spark(texts: pa.ChunkedArray, labels: NDArray[np.int8], features: Features, max_iterations: int) -> Fitted:
    """Weights float64[num_features], bias, and facts about the fit. In the live session, or one that is started."""
    try:
        from pyspark.ml import Pipeline
        from pyspark.ml.classification import LogisticRegression
        from pyspark.ml.feature import HashingTF, Tokenizer
    except ImportError as error:
        raise EnvironmentProblem(f"pyspark cannot be imported ({error}). Install it: pip install pyspark") from error
    from curate.spark.session import session

    spark = session("local[1]")
    rows = pa.table({"text": texts, "label": labels.astype(np.float64), "row": np.arange(len(labels))})
    examples = spark.createDataFrame(rows).coalesce(1).sortWithinPartitions("row").cache()
    pipeline = Pipeline(
        stages=[
            Tokenizer(inputCol="text", outputCol="words"),
            HashingTF(
                inputCol="words",
                outputCol="features",
                numFeatures=features.num_features,
                binary=features.tf == "binary",
            ),
            LogisticRegression(maxIter=max_iterations),
        ]
    )
    try:
        model: Any = pipeline.fit(examples).stages[-1]
    finally:
        examples.unpersist()
    facts = {"iterations": int(model.summary.totalIterations), "spark": spark.version}
    return np.array(model.coefficients.toArray(), np.float64), float(model.intercept), facts
