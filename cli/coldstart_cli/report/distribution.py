"""Percentiles and a histogram of durations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coldstart_cli.report.figures import Distribution

# Bounds of the bars in ms: 1, 1.5, 2, 3, 5, 7 and so on, times ten each time.
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


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


def _histogram(ordered: Sequence[float]) -> tuple[tuple[float, float, int], ...]:
    bounds = [0.0]
    scale = 1.0
    while bounds[-1] <= ordered[-1]:
        bounds += [step * scale for step in _STEPS]
        scale *= 10
    counts = [0] * (len(bounds) - 1)
    at = 0
    for value in ordered:
        while value >= bounds[at + 1]:
            at += 1
        counts[at] += 1
    first = next(index for index, count in enumerate(counts) if count)
    last = max(index for index, count in enumerate(counts) if count)
    return tuple(
        (bounds[index], bounds[index + 1], counts[index]) for index in range(first, last + 1)
    )
