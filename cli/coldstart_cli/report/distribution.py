"""Percentiles and a histogram of durations."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from coldstart_cli.report.figures import Distribution

_MOST_BUCKETS = 30


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all are not above; one of those measured.

    Args:
        ordered: the values, ascending; at least one.
        percent: above 0, up to 100.
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def distribution(values_ms: Sequence[float]) -> Distribution | None:
    """The distribution of durations in ms; None if there are none."""
    if not values_ms:
        return None
    ordered = sorted(values_ms)
    return Distribution(
        count=len(ordered),
        p50=nearest_rank(ordered, 50),
        p95=nearest_rank(ordered, 95),
        p99=nearest_rank(ordered, 99),
        max=ordered[-1],
        total=math.fsum(ordered),
        histogram=_histogram(ordered),
    )


def bucket_edges(least: float, most: float) -> list[float]:
    """Edges of at most 30 buckets that hold all values between two, each as long in proportion.

    Args:
        least: the smallest value, not negative.
        most: the largest; it lies below the last edge.
    """
    low = max(least, 0.01)
    high = max(most, low)
    for steps, digits in ((40, 3), (20, 2), (10, 2), (5, 2), (2, 1), (1, 1)):
        first = math.floor(math.log10(low) * steps) - 1
        last = math.ceil(math.log10(high) * steps) + 1
        edges = [float(f"{10 ** (step / steps):.{digits}g}") for step in range(first, last + 1)]
        while len(edges) > 2 and edges[1] <= least:
            del edges[0]
        while len(edges) > 2 and edges[-2] > most:
            del edges[-1]
        if len(edges) <= _MOST_BUCKETS + 1:
            break
    if least < edges[0]:
        edges[0] = 0.0
    return edges


def _histogram(ordered: Sequence[float]) -> tuple[tuple[float, float, int], ...]:
    edges = bucket_edges(ordered[0], ordered[-1])
    below = [bisect_left(ordered, edge) for edge in edges]
    return tuple(
        (begin, end, high - low)
        for (begin, end), (low, high) in zip(pairwise(edges), pairwise(below), strict=True)
    )
