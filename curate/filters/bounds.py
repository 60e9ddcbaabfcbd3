"""Limits that a setting can turn off."""

from __future__ import annotations

from curate.stage import Limit, absent, at_least, at_most


def within(signal: str, low: float | None = None, high: float | None = None) -> tuple[Limit, ...]:
    """Keep `low <= signal <= high`; an end that is None is no bound.

    >>> [limit.reason for limit in within("word_count", 50, None)]
    ['word_count_below_min']
    """
    lower = () if low is None else (at_least(signal, low),)
    upper = () if high is None else (at_most(signal, high),)
    return lower + upper


def without(signal: str, on: bool = True) -> tuple[Limit, ...]:
    """Keep where a boolean signal is false; no limit where `on` is false."""
    return (absent(signal),) if on else ()
