"""What a training of the extractor can be told, in one place.

Number of trees, learning rate and weights are this project's own, tried by cross-validation on web pages of seven types
(docs/decisions.md has the figures); the rest of the trees' settings are our choice and were not varied one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers.extractor.boosting import Boosting
from curate.errors import RecipeError

#: Trees that judge text blocks. Few features for each tree and some weight on small leaves, because rows of one page
#: are alike: what looks like much evidence is that of few sites.
BLOCKS = Boosting(
    num_trees=500,
    num_leaves=31,
    learning_rate=0.05,
    min_leaf_rows=50,
    feature_frac=0.4,
    row_frac=0.8,
    l2=5.0,
    max_bin=127,  # values of a feature that are told apart: half of LightGBM's default, for speed
)
#: Trees that judge what type a page is of: one row for each page, so small ones.
TYPES = Boosting(num_trees=100, num_leaves=7, learning_rate=0.08, min_leaf_rows=10, feature_frac=0.5, l2=1.0)


class TrainingSettings(BaseModel):
    """How an extractor is trained. The same pages and settings give the same model, byte for byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: Boosting = BLOCKS
    types: Boosting = TYPES
    #: A block of t words weighs t ** this in training. F1 counts words (1.0), but a long block is easier to judge than
    #: so many short ones: 0.75 came out ahead of 0.5; 1.0 was not tried.
    word_weight_exponent: float = Field(default=0.75, ge=0, le=1)
    #: Share of the pages whose URL is kept from the model in training: it must do without, and 1,497 URLs are few.
    no_url_frac: float = Field(default=0.3, ge=0, le=1)
    #: By the gold file's name without ".parquet": 0.5 halves the weight of its blocks. 1 where a set is not named.
    source_weights: Mapping[str, float] = {}
    #: Pages' voices that say nothing new, added to each word of the lexicon: one page alone is hardly believed.
    lexicon_smoothing: float = Field(default=1.0, gt=0)
    lexicon_max_log_odds: float = Field(default=3.0, gt=0)  # 20 to 1; our choice
    num_folds: int = Field(default=4, ge=2, le=100)  # of the cross-validation, by host
    #: Within a training: lexicon and page type of a page come from the folds that do not hold its host, as they will
    #: for a page that is extracted.
    num_inner_folds: int = Field(default=3, ge=2, le=100)
    seed: int = Field(default=0, ge=0, lt=2**31)  # of folds within a training, of samples for the learning curve

    @classmethod
    def of(cls, assignments: Mapping[str, Any]) -> TrainingSettings:
        """The defaults with some changed, named "seed" or "blocks.num_trees". RecipeError where one is wrong.

        >>> TrainingSettings.of({"blocks.num_trees": 40}).blocks.num_trees
        40
        """
        tree = cls().model_dump()
        for name, value in assignments.items():
            section, _, setting = name.rpartition(".")
            if section and section not in ("blocks", "types", "source_weights"):
                raise RecipeError.unknown("setting", name, _names())
            (tree[section] if section else tree)[setting] = value
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                raise RecipeError.unknown("setting", name, _names()) from error
            raise RecipeError(f"setting {name}: {first['msg']}, got {first['input']!r}") from error


def _names() -> list[str]:
    own = [name for name in TrainingSettings.model_fields if name not in ("blocks", "types")]
    return [*own, *(f"{part}.{name}" for part in ("blocks", "types") for name in Boosting.model_fields)]
