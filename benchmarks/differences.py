"""How much more one arm takes than another, and how sure that is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """A median, and the bounds of its confidence interval (95 %)."""

    median: float
    low: float
    high: float


def paired(arm: Sequence[Sequence[float]], bare: Sequence[Sequence[float]]) -> Difference:
    """The difference between two arms.

    Args:
        arm: what was measured of one: a list for each round, and in that one value for each pass
            (or block) of the round. One that was measured in fewer passes has the first of them.
        bare: the same of the other.

    Returns:
        The median over the rounds of the median difference within a round. Its interval is the
        bootstrap's over the rounds, by percentiles.
    """
    rounds = [
        statistics.median(a - b for a, b in zip(ours, theirs, strict=False))
        for ours, theirs in zip(arm, bare, strict=True)
        if ours
    ]
    if len(set(rounds)) == 1:
        return Difference(rounds[0], rounds[0], rounds[0])
    interval = bootstrap(
        (rounds,),
        np.median,
        confidence_level=_CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),  # so that the same samples have the same interval
    ).confidence_interval
    return Difference(statistics.median(rounds), float(interval.low), float(interval.high))


def median(rounds: Sequence[Sequence[float]]) -> float:
    """The median of all values."""
    return statistics.median(value for values in rounds for value in values)


def fastest(rounds: Sequence[Sequence[float]]) -> float:
    """The least of all values."""
    return min(value for values in rounds for value in values)
