"""The account as a source: log lines from CloudWatch Logs Insights, metrics from CloudWatch."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.report.account.errors import ReportError
from coldstart_cli.report.account.function_figures import figures_of, memory_size
from coldstart_cli.report.account.log_groups import describe
from coldstart_cli.report.account.logs import FunctionLogs, RegionLogs, read_logs
from coldstart_cli.report.account.metrics import LONGEST_KEPT, Metric, Points, read_metrics
from coldstart_cli.report.account.missing_reports import compare
from coldstart_cli.report.account.provisioned import Allocation, allocations, use
from coldstart_cli.report.account.retention import kept_window
from coldstart_cli.report.account.window import Window, window_of
from coldstart_cli.report.figures import FunctionFigures, Report

# "Amazon CloudWatch Pricing", Logs Insights queries; some regions take a little more.
_USD_A_GB = 0.005
# Of all invocations, that logs and metrics may differ by at the window's edges.
_MAY_DIFFER = 0.05
_MAY_DIFFER_BY = 3

_WITHOUT_LAYER = (
    ": cold starts are those with an Init or Restore Duration, environments that were ready before"
    " the request among them"
)

Client = Callable[[str, str], Any]


def report_of_account(
    client: Client,
    functions: Sequence[FleetFunction],
    begin: float,
    end: float,
    progress: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """What the logs and metrics of the account tell of functions.

    Invocations are the metric's; cold starts, durations and what was billed are from log lines.
    Percentiles are exact: every start is read. Concurrency is that of ConcurrentExecutions, of
    which CloudWatch has the maximum of each period: mean and percentiles are over those maxima,
    in periods with an invocation.

    What could not be read is a line in the report's gaps, and functions that it concerns are
    marked as partial.

    Args:
        client: makes boto3's client for a service ("logs", "cloudwatch", "lambda") and a region.
        functions: which; of any regions.
        begin: of the window, in epoch seconds. It is widened to whole periods of the metrics, and
            comes later where log lines are no longer kept.
        end: of the window, in epoch seconds.
        progress: called with a line of text now and then.
        sleep: called with seconds to wait between looks at running queries.

    Raises:
        ReportError: nothing at all could be read.
    """
    if not functions:
        raise ReportError("there are no functions to report on")
    if begin >= min(end, time.time()):
        raise ReportError("the window has to begin before it ends, and in the past")
    window = window_of(begin, end, time.time())
    by_region: dict[str, list[FleetFunction]] = defaultdict(list)
    for one in functions:
        by_region[one.region].append(one)
    groups = {
        region: describe(client("logs", region), list({one.log_group for one in some}))
        for region, some in by_region.items()
    }
    window, fitted = kept_window(window, functions, groups)
    figures: list[FunctionFigures] = []
    gaps: list[str] = [*fitted]
    queries, scanned = 0, 0.0
    for region, some in by_region.items():
        progress(f"{region}: metrics")
        points, of, unknown = _metrics(client, region, some, window, sleep, gaps)
        logs_client = client("logs", region)
        logs = read_logs(logs_client, region, some, window, groups[region], progress, sleep)
        compare(logs_client, region, logs, window, progress, sleep)
        gaps += logs.gaps
        queries += logs.queries
        scanned += logs.bytes_scanned
        figures += _figures(region, some, window, points, of, unknown, logs, gaps)
    if not figures:
        raise ReportError("; ".join(dict.fromkeys(gaps)))
    gigabytes = scanned / 1e9
    usd = gigabytes * _USD_A_GB
    price = f"about USD {usd:.2f}" if usd >= 0.01 else "less than USD 0.01"
    source = (
        f"logs and metrics of the account; {queries} queries scanned {gigabytes:.3f} GB of logs,"
        f" {price}"
    )
    return Report(float(window.begin), float(window.end), tuple(figures), source, tuple(gaps))


def _metrics(
    client: Client,
    region: str,
    functions: Sequence[FleetFunction],
    window: Window,
    sleep: Callable[[float], None],
    gaps: list[str],
) -> tuple[Mapping[Metric, Points], Mapping[str, list[Allocation]], Collection[str]]:
    """Metrics of functions, provisioned concurrency by name, and of whom that is not known."""
    if window.now - window.begin > LONGEST_KEPT:
        gaps.append(
            f"CloudWatch keeps metrics for {LONGEST_KEPT // 86_400} days, which is after the"
            f" window's begin: invocations in {region} are counted from logs"
        )
        return {}, {}, {one.name for one in functions}
    provisioned = allocations(client, region, sorted({one.name for one in functions}))
    gaps += provisioned.gaps
    of: dict[str, list[Allocation]] = defaultdict(list)
    wanted: list[Metric] = []
    for allocation in provisioned.found:
        of[allocation.function].append(allocation)
        wanted += allocation.metrics()
    for one in functions:
        wanted.append(Metric("Invocations", "Sum", one.name))
        wanted.append(Metric("ConcurrentExecutions", "Maximum", one.name))
    read = read_metrics(
        client("cloudwatch", region),
        wanted,
        window.begin,
        window.end,
        window.period,
        region,
        sleep,
    )
    gaps += read.gaps
    return read.points, of, provisioned.unknown


def _figures(
    region: str,
    functions: Sequence[FleetFunction],
    window: Window,
    points: Mapping[Metric, Points],
    of: Mapping[str, list[Allocation]],
    not_known: Collection[str],  # of which functions ``of`` may not be all
    logs: RegionLogs,
    gaps: list[str],
) -> list[FunctionFigures]:
    figures, unknown, without_group, without_layer = [], [], [], []
    for one in functions:
        found = logs.of[one.name]
        invocations = points.get(Metric("Invocations", "Sum", one.name))
        concurrency = points.get(Metric("ConcurrentExecutions", "Maximum", one.name))
        if invocations is None and found.unread:
            unknown.append(one.name)
            continue
        if one.name in logs.missing:
            if invocations:
                without_group.append(one.name)
            else:  # it was not invoked: there is nothing to read
                found.partial = found.unread = False
        if invocations is not None and not found.partial:
            gaps += _disagreement(one, sum(invocations.values()), found)
        used = None
        if one.name in of:
            used = use(of[one.name], points, window.periods, memory_size(one, found))
            gaps += used.gaps
        figures.append(
            figures_of(
                one, window, found, invocations, concurrency, used, one.name not in not_known
            )
        )
        if not figures[-1].layer:
            without_layer.append(one.name)
    for what, names, then in (
        ("nothing could be read of", unknown, ""),
        ("no log group, and so nothing from logs, of", without_group, ""),
        ("no line of the layer from", without_layer, _WITHOUT_LAYER),
    ):
        if names:
            gaps.append(f"{what} {', '.join(names)} in {region}{then}")
    return figures


def _disagreement(one: FleetFunction, invocations: float, found: FunctionLogs) -> list[str]:
    """A gap if metric and logs differ by more than what the window's edges explain."""
    requests = found.requests
    difference = abs(invocations - requests)
    if difference <= max(_MAY_DIFFER_BY, invocations * _MAY_DIFFER):
        return []
    told = (
        f"{one.name} in {one.region}: CloudWatch counts {invocations:.0f} invocations, its logs"
        f" have REPORT lines of {requests}"
    )
    if requests > invocations:
        return [told]
    found.partial = True
    logging = one.configuration.get("LoggingConfig", {})
    if logging.get("LogFormat") == "JSON" and logging.get("SystemLogLevel") == "WARN":
        told += ", since its system log level is WARN"
    return [f"{told}: what is counted from logs is too low"]
