"""Where the bars and lines of the page's charts lie; the template draws them as SVG.

Across, everything is in percent of the width, so that letters keep their size on a phone; heights
are in pixels. A chart library would bring a script of megabytes, or a page of style for each of
hundreds of charts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coldstart_cli.report.figures import Distribution, Period
from coldstart_cli.report.shown import wording

_MOST_BARS = 56  # a week in steps of three hours
_MOST_BINS = 18
# Between labels: minutes, hours, days, weeks, quarters.
_CLOCK = (1, 5, 15, 60, 180, 360, 1_440, 4_320, 10_080, 43_200, 131_040)
_MOST_EDGES = 7  # of bins, that have their number below
# Of a bar's place, so that there is a gap.
_FILLED = 0.86


@dataclass(frozen=True)
class Tick:
    """A line of the grid, with what is written at it."""

    at: float
    label: str


@dataclass(frozen=True)
class Piece:
    """A part of a bar: the starts of one type, or all of one bin."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """A bar, or the slot of a period in a line."""

    x: float
    width: float
    label: str  # what a pointer over it shows
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Chart:
    """Bars over a grid."""

    height: float  # of the plot, from 0 at the top
    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]  # horizontal lines, by y
    along: tuple[Tick, ...]  # labels below, by x
    kinds: tuple[str, ...] = ()  # the start types in it, from the bottom up
    marks: tuple[Tick, ...] = ()  # percentiles, by x


def merged(periods: Iterable[Period], begin: float, end: float) -> list[Period]:
    """Periods of several functions added up, in so few steps that each bar can be seen.

    Provisioned concurrency is the most that there was at once.

    Args:
        periods: of any functions, in any order.
        begin: of the window, in epoch seconds.
        end: of the window.
    """
    listed = list(periods)
    if not listed or end <= begin:
        return []
    finest = max(period.seconds for period in listed)
    seconds = finest * math.ceil(max(1.0, (end - begin) / finest / _MOST_BARS))
    steps: dict[int, list[Period]] = {}
    for period in listed:
        steps.setdefault(int((period.at - begin) // seconds), []).append(period)
    return [
        _one(int(begin) + step * seconds, seconds, found) for step, found in sorted(steps.items())
    ]


def _one(at: int, seconds: int, found: Sequence[Period]) -> Period:
    starts: Counter[str] = Counter()
    # Of several functions it is added up, of the periods that are one bar the highest counts.
    highest: dict[int, float] = {}
    for period in found:
        starts.update(period.starts)
        amount = period.provisioned_concurrency
        if amount is not None:
            highest[period.at] = highest.get(period.at, 0.0) + amount
    return Period(
        at,
        seconds,
        sum(period.invocations for period in found),
        sum(period.cold_starts for period in found),
        starts,
        max(highest.values()) if highest else None,
    )


def starts_chart(periods: Sequence[Period], begin: float, end: float, height: float) -> Chart:
    """Starts over time, stacked by start type.

    Args:
        periods: in order, as of `merged`.
        begin: of the window, in epoch seconds.
        end: of the window.
        height: of the plot.
    """
    most = max((sum(period.starts.values()) for period in periods), default=0)
    top, ticks = _scale(float(most), height)
    present = [name for name, _ in wording.ordered(_added(periods))]
    bars = []
    for period in periods:
        pieces = []
        y = height
        for kind in present:
            tall = period.starts.get(kind, 0) / top * height
            if tall:
                y -= tall
                pieces.append(Piece(kind, y, tall))
        x, width = _slot(period, begin, end)
        what = wording.starts(period.starts) if pieces else "no start"
        bars.append(Bar(x, width, f"{wording.when(period.at)}: {what}", tuple(pieces)))
    return Chart(height, tuple(bars), ticks, _days(begin, end), tuple(present))


def _added(periods: Iterable[Period]) -> Counter[str]:
    added: Counter[str] = Counter()
    for period in periods:
        added.update(period.starts)
    return added


def rate_chart(periods: Sequence[Period], begin: float, end: float, height: float) -> Chart:
    """Cold starts of all invocations over time, in percent; no bar where nothing was invoked."""
    rates = [
        (period, period.cold_starts / period.invocations)
        for period in periods
        if period.invocations
    ]
    top, ticks = _scale(100 * max((rate for _, rate in rates), default=0.0), height, "%")
    bars = []
    for period, rate in rates:
        x, width = _slot(period, begin, end)
        tall = 100 * rate / top * height
        label = (
            f"{wording.when(period.at)}: {wording.percent(rate)}, {period.cold_starts:,} of"
            f" {period.invocations:,}"
        )
        bars.append(Bar(x, width, label, (Piece("rate", height - tall, tall),)))
    return Chart(height, tuple(bars), ticks, _days(begin, end))


def provisioned_chart(periods: Sequence[Period], begin: float, end: float, height: float) -> Chart:
    """Provisioned concurrency over time; no bar where it is not known."""
    known = [
        (period, period.provisioned_concurrency)
        for period in periods
        if period.provisioned_concurrency is not None
    ]
    top, ticks = _scale(max((amount for _, amount in known), default=0.0), height)
    bars = []
    for period, amount in known:
        x, width = _slot(period, begin, end)
        tall = amount / top * height
        label = f"{wording.when(period.at)}: {amount:g} allocated"
        bars.append(Bar(x, width, label, (Piece("allocated", height - tall, tall),)))
    return Chart(height, tuple(bars), ticks, _days(begin, end))


def durations_chart(durations: Distribution, height: float) -> Chart | None:
    """How durations are distributed, with p50, p95 and p99 marked; None without a histogram."""
    bins = _fewer(durations.histogram)
    if not bins or not any(number for _, _, number in bins):
        return None
    top, ticks = _scale(float(max(number for _, _, number in bins)), height)
    wide = 100 / len(bins)  # each as wide as the next: bins may well be on a logarithmic scale
    bars = tuple(
        Bar(
            place * wide,
            wide * _FILLED,
            f"{low:,.0f} to {high:,.0f} ms: {number:,}",
            (Piece("durations", height - number / top * height, number / top * height),),
        )
        for place, (low, high, number) in enumerate(bins)
        if number
    )

    def x(ms: float) -> float:
        place = next((at for at, (_, high, _) in enumerate(bins) if ms <= high), len(bins) - 1)
        low, high, _ = bins[place]
        return wide * (place + min(1.0, max(0.0, (ms - low) / ((high - low) or 1.0))))

    marks = tuple(
        Tick(x(ms), f"{name} {ms:,.0f} ms")
        for name, ms in (("p50", durations.p50), ("p95", durations.p95), ("p99", durations.p99))
    )
    edges = [bins[0][0], *(high for _, high, _ in bins)]
    every = math.ceil(len(edges) / _MOST_EDGES)
    labels = tuple(
        Tick(place * wide, f"{edge:,.0f}") for place, edge in enumerate(edges) if place % every == 0
    )
    return Chart(height, bars, ticks, labels, marks=marks)


def _fewer(
    bins: Sequence[tuple[float, float, int]],
) -> list[tuple[float, float, int]]:
    together = math.ceil(len(bins) / _MOST_BINS) or 1
    groups = [bins[first : first + together] for first in range(0, len(bins), together)]
    return [(group[0][0], group[-1][1], sum(one[2] for one in group)) for group in groups]


def _slot(period: Period, begin: float, end: float) -> tuple[float, float]:
    x = (period.at - begin) / (end - begin) * 100
    return x, min(period.seconds / (end - begin) * 100, 100 - x) * _FILLED


def _steps(most: float, least: float) -> tuple[float, int]:
    """A round number that fits in about three times, and how often to reach the top."""
    rough = max(most / 3, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return step, max(1, math.ceil(round(most / step, 6)))


def _scale(most: float, height: float, unit: str = "") -> tuple[float, tuple[Tick, ...]]:
    """The top of an axis, and round numbers at which it has lines."""
    step, lines = _steps(most, 0.001 if unit else 1.0)
    return lines * step, tuple(
        Tick(
            height - number / lines * height,
            f"{round(number * step, 6):g}{unit}" if unit else f"{number * step:,.0f}",
        )
        for number in range(lines + 1)
    )


def _days(begin: float, end: float) -> tuple[Tick, ...]:
    """Labels at midnights, or at full hours if the window is short (UTC)."""
    length = end - begin
    if length <= 0:
        return ()
    step = next(
        (60 * minutes for minutes in _CLOCK if length / (60 * minutes) <= 8),
        length,
    )
    first = math.ceil(begin / step) * step
    pattern = slice(5, 10) if step >= 86_400 else slice(11, 16)
    number = int((end - first) // step) + 1
    return tuple(
        Tick((at - begin) / length * 100, wording.when(at)[pattern])
        for at in (first + index * step for index in range(number))
        if at < end
    )
