"""What a function paid for its starts, and for environments that stood idle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coldstart_cli.report.advice.prices import FALLBACK_REGION, Prices, as_of, is_listed, prices
from coldstart_cli.report.figures import FunctionFigures, Report

DAYS = 30
SECONDS = DAYS * 24 * 3600
# Less than a day says nothing of 30: nights and days differ.
SHORTEST_WINDOW_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Costs:
    """In USD; None where it cannot be known."""

    prices: Prices
    gb: float | None  # memory size; 1 GB is 1,024 MB
    # By which a sum of the window is multiplied for 30 days.
    scale: float | None
    init_gb_seconds: float | None  # billed, in the window
    init_usd: float | None
    idle_gb_seconds: float | None  # provisioned, and not used, in the window
    idle_usd: float | None
    # Billed in the window without the init.
    handler_gb_seconds: float | None

    @property
    def usd(self) -> float:
        """What is known of both, to sort by."""
        return (self.init_usd or 0.0) + (self.idle_usd or 0.0)


def window_seconds(report: Report) -> float | None:
    """How long the window is, in seconds; None if that is not known."""
    if report.begin is None or report.end is None or report.end <= report.begin:
        return None
    return report.end - report.begin


def scale_to_30_days(report: Report) -> float | None:
    """By how much a sum of the window grows in 30 days; None if the window is less than a day."""
    seconds = window_seconds(report)
    if seconds is None or seconds < SHORTEST_WINDOW_SECONDS:
        return None
    return SECONDS / seconds


def costs(function: FunctionFigures, report: Report) -> Costs:
    """What one function paid.

    Since 1 August 2025 the init is billed as duration for every function ("AWS Lambda standardizes
    billing for INIT Phase", AWS Compute Blog). Provisioned concurrency is billed whether it is used
    or not; idle is what was allocated and not in use ("AWS Lambda Pricing").

    Args:
        function: its figures.
        report: that it is in.
    """
    own = prices(function.region, function.architecture)
    gb = function.memory_mb / 1024 if function.memory_mb else None
    # Without any billed time there were no REPORT lines: then nothing is known of it.
    init = handler = None
    if function.billed_ms > 0:
        init = _gb_seconds(function.billed_init_gb_seconds, function.billed_init_ms, gb)
        billed = _gb_seconds(function.billed_gb_seconds, function.billed_ms, gb)
        handler = None if billed is None or init is None else max(0.0, billed - init)
    idle = None
    if function.provisioned is not None:
        allocated = function.provisioned.allocated_gb_seconds
        used = function.provisioned.used_gb_seconds
        if allocated is not None and used is not None:
            idle = max(0.0, allocated - used)
    return Costs(
        prices=own,
        gb=gb,
        scale=scale_to_30_days(report),
        init_gb_seconds=init,
        init_usd=None if init is None else init * own.duration.usd,
        idle_gb_seconds=idle,
        idle_usd=None if idle is None else idle * own.provisioned.usd,
        handler_gb_seconds=handler,
    )


def _gb_seconds(summed: float | None, ms: float, gb: float | None) -> float | None:
    """The sum over lines, each by its own memory; without one, all as if they had the same."""
    if summed is not None or gb is None:
        return summed
    return ms / 1000 * gb


def total(values: Iterable[float | None]) -> tuple[float | None, int]:
    """The sum of what is known, None if nothing is; and of how many nothing is known."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return (sum(known) if known else None), len(listed) - len(known)


def price_notes(report: Report) -> tuple[str, ...]:
    """Which prices the sums are made with, in a line each."""
    notes = [
        f"USD at the list prices of AWS Lambda of {as_of()}, first tier, without free tier,"
        " discounts and savings plans."
    ]
    regions = {function.region for function in report.functions}
    missing = sorted(region for region in regions if region and not is_listed(region))
    if missing:
        notes.append(
            f"The table has no prices of {', '.join(missing)}: those of {FALLBACK_REGION} are used."
        )
    if None in regions:
        count = sum(function.region is None for function in report.functions)
        whose = "1 function" if count == 1 else f"{count:,} functions"
        notes.append(
            f"The region of {whose} is not known: the prices of {FALLBACK_REGION} are used."
        )
    unknown = sum(function.architecture is None for function in report.functions)
    if unknown:
        whose = "1 function" if unknown == 1 else f"{unknown:,} functions"
        notes.append(f"The architecture of {whose} is not known: x86_64's price is used.")
    return tuple(notes)
