"""How many tokens each source gives: weights, repeats and their limit, settled before anything is written.

A mix names a weight for each source, as the published tables do (GPT-3: Brown et al. 2020, table 2.2; LLaMA: Touvron
et al. 2023, table 1), and a limit on repetition. The plan is computed in exact fractions and rounded once, so it
depends on the numbers alone and not on the order of the sources. It refuses to repeat a source beyond the limit in
silence: what a full source cannot give goes to the others in proportion to their weights, and where all are full the
plan is smaller than what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from curate.errors import RecipeError


class Mix(BaseModel):
    """Shares of the sources in the training tokens.

    A weight need not be normalised: GPT-3's printed percentages sum to 101. Every source of the corpus needs one, 0
    leaves it out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Source name → weight. None: in proportion to size.
    weights: dict[str, float] | None = None
    #: Limit on repeats. Up to 4 epochs cost next to nothing (Muennighoff et al. 2023, arXiv 2305.16264).
    max_epochs: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    #: Training tokens in all, end-of-text tokens included. None: as many as the sources with a weight have.
    tokens: int | None = Field(default=None, ge=0)
    #: Signal, `stage.signal`, that says how often a document comes in each epoch: `cluster_sample.copies`. A null is 1.
    #: None: once. An epoch of a source is then all its copies, and so are its size, its weight by size and its limit.
    copies: str | None = Field(default=None, pattern=r"^[^.]+\.[^.]+$")

    @field_validator("weights")
    @classmethod
    def _weights_are_finite(cls, weights: dict[str, float] | None) -> dict[str, float] | None:
        for name, weight in (weights or {}).items():
            if not 0 <= weight < float("inf"):
                raise ValueError(f"the weight of {name!r} is {weight}; a weight is a finite number from 0 up")
        if weights is not None and not any(weights.values()):
            raise ValueError("no source has a weight above 0")
        return weights


class SourceShare(NamedTuple):
    """What one source was asked for and what it will give."""

    source: str
    size_tokens: int  # what the source has, once through, with its copies
    asked_share: float  # its normalised weight, [0, 1]
    planned_tokens: int
    epochs: float  # planned_tokens / size_tokens; 0.0 for an empty source
    capped: bool  # max_epochs, or emptiness, gave less than the weight asked for


def plan_mix(sizes_in_tokens: Mapping[str, int], mix: Mix) -> tuple[SourceShare, ...]:
    """Shares of all sources, sorted by name; no sources give ().

    The planned tokens sum to exactly `mix.tokens` unless every source with a weight is at its limit, and none exceeds
    floor(max_epochs × size). Rounding is by largest remainder, ties by name. RecipeError for a weight without a source
    and for a source without a weight.

    >>> [(s.source, s.planned_tokens, s.epochs) for s in plan_mix({"books": 100, "web": 900}, Mix(
    ...     weights={"books": 1, "web": 1}, max_epochs=2))]
    [('books', 200, 2.0), ('web', 800, 0.8888888888888888)]
    """
    sizes = dict(sorted(sizes_in_tokens.items()))
    if not sizes:
        return ()
    weights = _weights(sizes, mix)
    total = sum(weights.values())
    asked = {name: weight / total if total else Fraction(0) for name, weight in weights.items()}
    target = mix.tokens if mix.tokens is not None else sum(n for name, n in sizes.items() if weights[name])
    caps = {name: int(Fraction(mix.max_epochs) * size) for name, size in sizes.items()}
    planned, full = _fill(asked, caps, target)
    return tuple(
        SourceShare(
            source=name,
            size_tokens=size,
            asked_share=float(asked[name]),
            planned_tokens=planned[name],
            epochs=planned[name] / size if size else 0.0,
            capped=name in full,
        )
        for name, size in sizes.items()
    )


def _weights(sizes: Mapping[str, int], mix: Mix) -> dict[str, Fraction]:
    """The weight of each source, exact."""
    if mix.weights is None:
        return {name: Fraction(size) for name, size in sizes.items()}
    for name in mix.weights:
        if name not in sizes:
            raise RecipeError.unknown("source", name, sizes, where="the weights of the mix")
    for name in sizes:
        if name not in mix.weights:
            raise RecipeError(f"the mix has no weight for source {name!r}; give it one, 0 leaves it out")
    return {name: Fraction(mix.weights[name]) for name in sizes}


def _fill(asked: Mapping[str, Fraction], caps: Mapping[str, int], target: int) -> tuple[dict[str, int], frozenset[str]]:
    """Whole tokens per source, and the sources that are full.

    Each round gives the open sources their proportion of what is left and closes those that reach their limit; a source
    once full stays full, because the others' shares only grow. At most one round per source.
    """
    planned = dict.fromkeys(asked, 0)
    open_sources = {name for name, share in asked.items() if share}
    full: set[str] = set()
    left = target
    while open_sources:
        weight = sum(asked[name] for name in open_sources)
        wanted = {name: left * asked[name] / weight for name in sorted(open_sources)}
        over = {name for name, tokens in wanted.items() if tokens > caps[name]}
        if not over:
            planned |= _round(wanted, left, caps)
            break
        for name in over:
            planned[name] = caps[name]
            left -= caps[name]
        full |= over
        open_sources -= over
    return planned, frozenset(full)


def _round(wanted: Mapping[str, Fraction], total: int, caps: Mapping[str, int]) -> dict[str, int]:
    """Integers that sum to `total`, each within one of what was wanted; a limit is whole, so rounding up keeps it."""
    rounded = {name: int(tokens) for name, tokens in wanted.items()}
    missing = total - sum(rounded.values())
    by_remainder = sorted(wanted, key=lambda name: (rounded[name] - wanted[name], name))
    for name in by_remainder[:missing]:
        rounded[name] += 1
        assert rounded[name] <= caps[name], "a share below a whole limit rounds up to the limit at most"
    return rounded
