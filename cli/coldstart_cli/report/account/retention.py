"""Fits the window to what log groups still keep, so that what is read of it is whole."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.report.account.log_groups import LogGroup
from coldstart_cli.report.account.window import Window, time_text, window_of

# Of the window: so much of it is given up for all functions where some of them need that.
_GIVEN_UP = 0.1


def kept_since(group: LogGroup | None, window: Window) -> int:
    """Since when lines of the window are there, in epoch seconds: the begin of a whole period.

    CloudWatch Logs deletes lines that are older than the retention of their log group
    ("PutRetentionPolicy" in the Amazon CloudWatch Logs API reference).

    Args:
        group: whose lines; None: not known, or there is no such group.
        window: what was asked for.
    """
    if group is None or group.retention_days is None:
        return window.begin
    oldest = window.now - group.retention_days * 86_400
    return max(window.begin, math.ceil(oldest / window.period) * window.period)


def kept_window(
    window: Window,
    functions: Collection[FleetFunction],
    groups: Mapping[str, Mapping[str, LogGroup] | None],
) -> tuple[Window, Sequence[str]]:
    """The window from where on log lines are kept, and a gap that says so if it begins later.

    It begins where the first of the functions has lines, and a little later if then more of them
    have all. Those that keep less than that stay for others to tell of.

    Args:
        window: what was asked for.
        functions: which are read, at least one.
        groups: log groups by region and name; None: not known of the region.
    """
    since = []
    for one in functions:
        known = groups[one.region]
        if known is None or one.log_group in known:  # else there is nothing to be read anyway
            since.append(kept_since((known or {}).get(one.log_group), window))
    first = min(since, default=window.begin)
    latest = first + _GIVEN_UP * (window.end - first)
    begin = max((at for at in since if at <= latest), default=window.begin)
    if not window.begin < begin < window.end:
        return window, ()
    fitted = window_of(begin, window.end, window.now)
    gap = (
        f"log lines before {time_text(begin)} are no longer kept: the report begins there, and not"
        f" at {time_text(window.begin)}"
    )
    return fitted, (gap,)
