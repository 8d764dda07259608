"""Numbers as people read them; what is not known is "-"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from coldstart_cli.report.figures import FunctionFigures

# In the order in which they are shown everywhere; the first three are those that made a request
# wait, except for reinit under provisioned concurrency.
START_TYPES = ("cold", "restore", "reinit", "provisioned", "proactive", "managed")

# What takes their place where the layer wrote no line: Lambda's lines tell of an init or a restore,
# not of whether a request waited for it.
INIT = "init (no layer)"
RESTORE = "restore (no layer)"
NO_LAYER = "start (no layer)"  # of either, in periods, where they are counted together
WITHOUT_LAYER = (
    "(no layer): cold starts are all inits and restores of Lambda's own lines, those too that no"
    " request waited for."
)

UNKNOWN = "-"


def printable(text: str) -> str:
    """Text out of logs, with what could move a cursor or break a line made visible."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def count(value: float | None) -> str:
    """A whole number."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def milliseconds(value: float | None) -> str:
    """A duration in ms."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def usd(value: float | None) -> str:
    """A sum of money, in cents; one that is not nothing is not shown as nothing."""
    if value is None:
        return UNKNOWN
    if 0 < abs(value) < 0.005:
        return "<0.01"
    return f"{value:,.2f}"


def sum_usd(value: float) -> str:
    """A sum to reckon with: below one dollar in hundredths of a cent, as it is multiplied on."""
    if abs(value) >= 1:
        return f"{value:,.2f}"
    if 0 < abs(value) < 0.00005:
        return "<0.0001"
    return f"{value:.4f}"


def small_usd(value: float) -> str:
    """A sum that may be a fraction of a cent, in two digits that count."""
    if value >= 1:
        return f"{value:,.2f}"
    digits = 2
    while digits < 10 and round(value, digits) < 10 ** (1 - digits):
        digits += 1
    return f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """A share of one, in percent: two digits where it is small."""
    if share is None:
        return UNKNOWN
    value = 100 * share
    if 0 < value < 0.005:
        return "<0.01%"
    return f"{value:.2f}%" if value < 10 else f"{value:.1f}%"


def gigabytes(value: float) -> str:
    """A memory size in GB, without rounding it away."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def when(seconds: float | None) -> str:
    """A time in UTC."""
    if seconds is None:
        return UNKNOWN
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"


def window(begin: float | None, end: float | None) -> str:
    """From when to when, and how long that is."""
    if begin is None or end is None:
        return "window not known"
    return f"{when(begin)} to {when(end)} ({span(end - begin)})"


def span(seconds: float) -> str:
    """A length of time, in the unit that fits."""
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            shown = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{shown} {unit}" + ("" if shown == "1" else "s")
    return f"{seconds:.0f} seconds"


def ordered(starts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Starts by type, those we know first, in the one order; none that did not occur."""
    names = [*START_TYPES, *sorted(set(starts) - set(START_TYPES))]
    return [(name, starts[name]) for name in names if starts.get(name)]


def invocations(function: FunctionFigures) -> int | None:
    """How many; None where no REPORT line was read of a function that was not read whole."""
    return None if _no_report_lines(function) and not function.invocations else function.invocations


def cold_starts(function: FunctionFigures) -> int | None:
    """How many; None where neither REPORT lines nor the layer's were read of it."""
    if _no_report_lines(function) and not function.starts and not function.cold_starts:
        return None
    return function.cold_starts


def _no_report_lines(function: FunctionFigures) -> bool:
    any_ = function.billed_ms or function.platform_inits or function.platform_restores
    return function.partial and not any_


def at_least(shown: str, partial: bool) -> str:
    """A figure that is too low if not all was read."""
    return f"≥{shown}" if partial and shown != UNKNOWN else shown


def starts_of(function: FunctionFigures) -> str:
    """A function's starts by type, and what has to be known of them."""
    listed = [starts(function.starts) if function.layer else _starts_without_layer(function)]
    if function.partial:
        listed.append("not all lines were read")
    return "; ".join(listed)


def _starts_without_layer(function: FunctionFigures) -> str:
    """Of Lambda's own lines: these do not tell whether a request waited."""
    return starts({INIT: function.platform_inits, RESTORE: function.platform_restores})


def starts(by_type: Mapping[str, int]) -> str:
    """Such as "cold 120, provisioned 4"; "no lines of the layer" where there are none."""
    listed = ", ".join(f"{name} {number:,}" for name, number in ordered(by_type))
    return listed or "no lines of the layer"
