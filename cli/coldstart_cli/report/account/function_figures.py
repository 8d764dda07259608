"""Puts the figures of one function together, out of its log lines and metrics."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.report.account.log_rows import ReportLine
from coldstart_cli.report.account.logs import FunctionLogs
from coldstart_cli.report.account.metrics import Points
from coldstart_cli.report.account.provisioned import Use
from coldstart_cli.report.account.window import Window
from coldstart_cli.report.distribution import distribution, nearest_rank
from coldstart_cli.report.figures import Concurrency, FunctionFigures, Period

_LISTED = 50


def figures_of(
    function: FleetFunction,
    window: Window,
    logs: FunctionLogs,
    invocations: Points | None,
    concurrent: Points | None,
    provisioned: Use | None,
    provisioned_known: bool = True,
) -> FunctionFigures:
    """The figures of one function.

    Args:
        function: as the account describes it.
        window: what was read.
        logs: its lines.
        invocations: the sums of the metric Invocations; None: not known, REPORT lines are counted.
        concurrent: the maxima of the metric ConcurrentExecutions; None: not known.
        provisioned: its provisioned concurrency; None: it has none.
        provisioned_known: whether that is all of it.
    """
    config = function.configuration
    inits = [report.init_ms for report in logs.reports if report.init_ms is not None]
    restores = [report.restore_ms for report in logs.reports if report.restore_ms is not None]
    nothing = not logs.requests and not logs.reports
    layer = bool(logs.layer) or nothing or logs.torn
    memory_mb = memory_size(function, logs)
    used = [
        one.max_memory_mb
        for one in logs.totals
        if one.max_memory_mb is not None and one.memory_size_mb in (None, memory_mb)
    ]
    contradictions = sorted(logs.contradictions, key=lambda one: one.at or 0)
    return FunctionFigures(
        function=function.name,
        region=function.region,
        invocations=(logs.requests if invocations is None else round(sum(invocations.values()))),
        starts=dict(Counter(line.start_type for line in logs.layer)),
        cold_starts=_cold_starts(logs),
        platform_inits=len(inits),
        platform_restores=len(restores),
        init=distribution(inits),
        restore=distribution(restores),
        billed_ms=math.fsum(one.billed_ms for one in logs.totals),
        billed_init_ms=math.fsum(_billed_init_ms(report) for report in logs.reports),
        memory_mb=memory_mb,
        max_memory_used_mb=max(used, default=None),
        architecture=function.architecture,
        runtime=config.get("Runtime"),
        concurrency=_concurrency(concurrent),
        provisioned=None if provisioned is None else provisioned.figures,
        periods=tuple(_periods(window, logs, invocations, provisioned)),
        contradictions=dict(Counter(one.kind for one in contradictions)),
        contradictions_listed=tuple(contradictions[:_LISTED]),
        snap_start=_snap_start(config.get("SnapStart")),
        package=config.get("PackageType"),
        layer=layer,
        partial=logs.partial,
        billed_gb_seconds=_gb_seconds((one.billed_ms, one.memory_size_mb) for one in logs.totals),
        billed_init_gb_seconds=_gb_seconds(
            (_billed_init_ms(report), report.memory_size_mb) for report in logs.reports
        ),
        provisioned_known=provisioned_known,
    )


def memory_size(function: FleetFunction, logs: FunctionLogs) -> int | None:
    """The memory size in MB that most of the last requests had.

    Versions differ in it, and it changes: without REPORT lines it is that of $LATEST.

    Args:
        function: as the account describes it.
        logs: its lines.
    """
    known = [one for one in logs.totals if one.memory_size_mb is not None]
    if not known:
        return function.configuration.get("MemorySize")
    last = max(one.at for one in known)
    requests: Counter[int | None] = Counter()
    for one in known:
        if one.at == last:
            requests[one.memory_size_mb] += one.requests
    return requests.most_common(1)[0][0]


def _gb_seconds(billed: Iterable[tuple[float, int | None]]) -> float | None:
    """Of milliseconds, each at a memory size in MB; None if a size is not known."""
    found = [(ms, size) for ms, size in billed if ms]
    if any(size is None for _, size in found):
        return None
    return math.fsum(ms / 1000 * (size or 0) / 1024 for ms, size in found)


def _cold_starts(logs: FunctionLogs) -> int:
    return len(list(_cold_start_times(logs)))


def _cold_start_times(logs: FunctionLogs) -> Iterable[float]:
    if logs.layer:
        return (line.at for line in logs.layer if line.cold_start)
    return (report.at for report in logs.reports)


def _billed_init_ms(report: ReportLine) -> float:
    """The Init Duration, if the Billed Duration of the same line has it in it.

    Since 1 August 2025 it has for every function ("AWS Lambda standardizes billing for INIT
    Phase", AWS Compute Blog); before that not for those in a .zip with a managed runtime.
    """
    if report.init_ms is None:
        return 0.0
    both = report.duration_ms + report.init_ms
    return report.init_ms if report.billed_ms >= both - 0.01 else 0.0


def _concurrency(maxima: Points | None) -> Concurrency | None:
    if not maxima:
        return None
    ordered = sorted(maxima.values())
    return Concurrency(
        mean=math.fsum(ordered) / len(ordered),
        p50=nearest_rank(ordered, 50),
        p95=nearest_rank(ordered, 95),
        p99=nearest_rank(ordered, 99),
        max=ordered[-1],
        over="periods",
    )


def _periods(
    window: Window, logs: FunctionLogs, invocations: Points | None, provisioned: Use | None
) -> Iterable[Period]:
    def bar(at: float) -> int:
        return int(at) // window.bar * window.bar

    counted: dict[int, float] = defaultdict(float)
    if invocations is None:
        for totals in logs.totals:
            counted[bar(totals.at)] += totals.requests
    else:
        for at, count in invocations.items():
            counted[bar(at)] += count
    cold = Counter(bar(at) for at in _cold_start_times(logs))
    starts: dict[int, Counter[str]] = defaultdict(Counter)
    for line in logs.layer:
        starts[bar(line.at)][line.start_type] += 1
    most: dict[int, float] = {}
    if provisioned is not None:
        for at, amount in provisioned.allocated.items():
            most[bar(at)] = max(amount, most.get(bar(at), 0))
    for at in window.bars:
        yield Period(
            at,
            window.bar,
            round(counted[at]),
            cold[at],
            dict(starts[at]),
            most.get(at),
        )


def _snap_start(config: Mapping[str, str] | None) -> bool | None:
    """Whether versions are snapshots; ListFunctions says "PublishedVersions" or "None"."""
    return None if config is None else config.get("ApplyOn") == "PublishedVersions"
