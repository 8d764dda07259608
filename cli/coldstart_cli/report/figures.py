"""What a report knows of a function, whichever source it came from; all else is worked out of it.

Every figure says where it is from: the layer's EMF lines, the platform's own lines (REPORT,
INIT_REPORT, RESTORE_REPORT) or CloudWatch's metrics. What a source cannot know is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Distribution:
    """Of durations in ms; percentiles are values that were measured, none is interpolated."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float
    total: float
    # (from ms, up to ms, how many), in order, without gaps; empty where a source has none.
    histogram: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True)
class Concurrency:
    """How many requests of a function were handled at once, weighted by time."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float
    # Over which the percentiles are: "busy" seconds (at least one request), or metric "periods".
    over: str


@dataclass(frozen=True)
class Provisioned:
    """Provisioned concurrency in the window, from CloudWatch's metrics and, of spill-over, logs."""

    allocated_gb_seconds: float | None
    used_gb_seconds: float | None
    # Requests that found no provisioned environment free and went to an on-demand one.
    spillover_invocations: int | None
    # The largest number of environments allocated at once.
    allocated: float | None = None


@dataclass(frozen=True)
class Period:
    """One bar of the chart."""

    at: int  # epoch seconds, of its begin
    seconds: int
    invocations: int
    cold_starts: int
    starts: Mapping[str, int]  # by start type
    provisioned_concurrency: float | None = None  # the most allocated at once


@dataclass(frozen=True)
class Contradiction:
    """One invocation of which the layer said something other than the platform did."""

    kind: str  # one of CONTRADICTIONS
    request_id: str
    log_stream: str | None
    at: float | None  # epoch seconds
    start_type: str | None  # what the layer said; None: nothing


# What the layer and the platform's lines can disagree on.
CONTRADICTIONS = {
    "cold-without-init": "the layer said cold, and REPORT has no Init Duration",
    "init-without-cold": "REPORT has an Init Duration, and the layer said it was no cold start",
    "init-without-line": "REPORT has an Init Duration, and the layer wrote no line",
    "restore-without-restore": "the layer said restore, and REPORT has no Restore Duration",
    "restored-without-restore": "REPORT has a Restore Duration, and the layer did not say restore",
}


@dataclass(frozen=True)
class FunctionFigures:
    """A function in the window."""

    function: str
    region: str | None
    invocations: int
    # By start type ("cold", "restore", "reinit", "provisioned", "proactive", "managed"), of the
    # layer's lines; and how many of them said that the request waited.
    starts: Mapping[str, int] = field(default_factory=dict)
    cold_starts: int = 0
    # How many starts the platform's own lines tell of: with Init Duration, with Restore Duration.
    platform_inits: int = 0
    platform_restores: int = 0
    # Init Duration and Restore Duration of the platform's lines.
    init: Distribution | None = None
    restore: Distribution | None = None
    # Sum of Billed Duration; and of Init Duration that was billed, both in ms.
    billed_ms: float = 0.0
    billed_init_ms: float = 0.0
    memory_mb: int | None = None
    max_memory_used_mb: int | None = None
    architecture: str | None = None  # "x86_64" or "arm64"
    runtime: str | None = None  # "python3.13"
    concurrency: Concurrency | None = None
    provisioned: Provisioned | None = None
    periods: tuple[Period, ...] = ()
    # All that were found are counted, by kind; the first of them are listed.
    contradictions: Mapping[str, int] = field(default_factory=dict)
    contradictions_listed: tuple[Contradiction, ...] = ()
    # The configuration of the function has SnapStart switched on; None: not known.
    snap_start: bool | None = None
    package: str | None = None  # "Zip" or "Image"; None: not known
    # False: the layer wrote no line in the window. Then cold starts are what the platform's lines
    # tell of, and there was nothing to compare them with.
    layer: bool = True
    # Not all of its log lines are known: what is counted from them is too low.
    partial: bool = False
    billed_gb_seconds: float | None = None
    billed_init_gb_seconds: float | None = None
    provisioned_known: bool = True

    @property
    def cold_start_rate(self) -> float | None:
        """Cold starts of all invocations; None where there was none, or not all were read."""
        if self.partial or not self.invocations:
            return None
        return self.cold_starts / self.invocations


@dataclass(frozen=True)
class Report:
    """All functions in a window."""

    begin: float | None  # epoch seconds
    end: float | None
    functions: tuple[FunctionFigures, ...]
    source: str  # "logs and metrics of the account", or which files
    # What was not read, or not known, in a line each: partial results, cut lines, no permission.
    gaps: tuple[str, ...] = ()
