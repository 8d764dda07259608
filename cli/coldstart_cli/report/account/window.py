"""The window of a report, and the bars of its chart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone

from coldstart_cli.report.account.metrics import period_for

_BARS = 60
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BAR_SECONDS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 7, 28)),
)


@dataclass(frozen=True)
class Window:
    """From ``begin`` up to but without ``end``, in epoch seconds."""

    begin: int
    end: int
    period: int  # seconds, of metrics
    bar: int  # seconds, of the chart
    now: float  # epoch seconds

    @property
    def bars(self) -> range:
        """The begins of the chart's bars."""
        return range(self.begin // self.bar * self.bar, self.end, self.bar)

    @property
    def periods(self) -> range:
        """The begins of the metrics' periods."""
        return range(self.begin, self.end, self.period)


def window_of(begin: float, end: float, now: float) -> Window:
    """The window that is read for the one asked for: whole periods, and nothing after now.

    Args:
        begin: epoch seconds.
        end: epoch seconds.
        now: epoch seconds.
    """
    end = min(end, now)
    period = period_for(begin, end, now)
    first = math.floor(begin / period) * period
    after = max(math.ceil(end / period) * period, first + period)
    enough = (bar for bar in _BAR_SECONDS if bar >= period and _bars(first, after, bar) <= _BARS)
    return Window(first, after, period, next(enough, _BAR_SECONDS[-1]), now)


def _bars(begin: int, end: int, bar: int) -> int:
    return (end - 1) // bar - begin // bar + 1


def time_text(at: float) -> str:
    """A time in epoch seconds, for people."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
