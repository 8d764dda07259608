"""What provisioned concurrency was allocated and used.

No metric of AWS/Lambda is the amount allocated. ProvisionedConcurrencyUtilization is
ProvisionedConcurrentExecutions, which are those in use, divided by it; both are written only where
there are invocations ("Types of metrics for Lambda functions" in the AWS Lambda developer guide).
So for each period the amount allocated is

1. what ListProvisionedConcurrencyConfigs says, since that was last changed;
2. before that, those in use divided by the utilization, where there are both;
3. else as much as in the period before. If it changes within a period, the figure is in between.

Until something is known of it, it is taken to have been as much as on average since, if that is
most of the window, which is told; else there are no sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from coldstart_cli.fleet.aws_errors import code_of
from coldstart_cli.report.account.errors import is_denied, reason
from coldstart_cli.report.account.metrics import Metric, Points
from coldstart_cli.report.figures import Provisioned


@dataclass(frozen=True)
class Allocation:
    """Provisioned concurrency of a version or an alias."""

    function: str
    qualifier: str
    allocated: int | None = None  # now; None: there is none any more
    since: float | None = None  # epoch seconds; None: not known

    def metrics(self) -> tuple[Metric, ...]:
        """What its figures are worked out from."""
        return (
            self.metric("ProvisionedConcurrentExecutions", "Maximum"),
            self.metric("ProvisionedConcurrencyUtilization", "Maximum"),
            self.metric("ProvisionedConcurrencyInvocations"),
            self.metric("ProvisionedConcurrencySpilloverInvocations"),
            self.metric("Invocations"),
            self.metric("Duration"),
        )

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """One of them."""
        return Metric(name, statistic, self.function, self.qualifier)


@dataclass(frozen=True)
class Allocations:
    """Those of the functions of a region."""

    found: tuple[Allocation, ...]
    # Functions that may have some now, or more than was found.
    unknown: frozenset[str]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Use:
    """Provisioned concurrency of a function over the window."""

    figures: Provisioned
    allocated: Mapping[int, float]  # by epoch seconds of the period's begin, where it is known
    gaps: tuple[str, ...]


def allocations(
    client: Callable[[str, str], Any], region: str, functions: Collection[str]
) -> Allocations:
    """Which functions have, or had in the last two weeks, provisioned concurrency.

    ListMetrics names the metrics of the last two weeks, and with them what has been taken away
    since ("ListMetrics" in the Amazon CloudWatch API reference).

    Args:
        client: boto3's client for a service and a region.
        region: where.
        functions: their names.
    """
    found: dict[tuple[str, str], Allocation] = {}
    gaps = []
    unknown = set()
    try:
        for function, qualifier in _with_metrics(client("cloudwatch", region)):
            if function in functions:
                found[function, qualifier] = Allocation(function, qualifier)
    except (ClientError, BotoCoreError) as error:
        why = reason(error, "cloudwatch:ListMetrics", region)
        gaps.append(f"{why}: provisioned concurrency that has been taken away since is not counted")
    for number, function in enumerate(functions):
        try:
            for one in _configured(client("lambda", region), function):
                found[function, one.qualifier] = one
        except (ClientError, BotoCoreError) as error:
            why = reason(error, "lambda:ListProvisionedConcurrencyConfigs", region)
            if is_denied(error) or isinstance(error, BotoCoreError):
                gaps.append(f"{why}: provisioned concurrency is not known where there were no uses")
                unknown |= set(list(functions)[number:])
                break
            if code_of(error) != "ResourceNotFoundException":
                gaps.append(f"{why}: provisioned concurrency of {function} is not known")
                unknown.add(function)
    return Allocations(tuple(found.values()), frozenset(unknown), tuple(gaps))


def _with_metrics(cloudwatch: Any) -> Iterable[tuple[str, str]]:
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace="AWS/Lambda", MetricName="ProvisionedConcurrencyUtilization"
    )
    for page in pages:
        for metric in page["Metrics"]:
            dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            if set(dimensions) == {"FunctionName", "Resource"}:
                yield dimensions["FunctionName"], dimensions["Resource"].rpartition(":")[2]


def _configured(lambda_: Any, function: str) -> Iterable[Allocation]:
    pages = lambda_.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=function
    )
    for page in pages:
        for config in page.get("ProvisionedConcurrencyConfigs", ()):
            yield Allocation(
                function,
                config["FunctionArn"].rpartition(":")[2],
                config.get("AllocatedProvisionedConcurrentExecutions"),
                _epoch(config.get("LastModified", "")),
            )


def _epoch(text: str) -> float | None:
    """Of a time as Lambda writes it, "2026-11-26T10:00:00+0000"."""
    for form in ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"):
        try:
            return datetime.strptime(text, form).timestamp()
        except ValueError:
            continue
    return None


def use(
    of: Sequence[Allocation],
    points: Mapping[Metric, Points],
    periods: range,
    memory_mb: int | None,
) -> Use:
    """What the provisioned concurrency of one function came to.

    Used are the durations of the requests that were handled by it: the sum of Duration over all
    requests of the version or alias, times the share of ProvisionedConcurrencyInvocations among
    them, which is exact where nothing spilled over.

    Args:
        of: all that the function has.
        points: what was read of their metrics; those that are not there are not known.
        periods: begins of the window's periods, in epoch seconds.
        memory_mb: of the function; None: not known.
    """
    together: dict[int, float] = defaultdict(float)
    allocated: float | None = 0.0  # of environments times periods
    used_ms: float | None = 0.0
    spilled: float | None = 0.0
    gaps = []
    for one in of:
        known = _allocated(one, points, periods)
        for at, amount in known.items():
            together[at] += amount
        # How much larger the window is than what is known of it.
        scale = _scale(one, len(known), len(periods))
        if len(known) < len(periods):
            gaps.append(_gap(one, known, periods, scale))
        if allocated is not None:
            allocated = None if scale is None else allocated + sum(known.values()) * scale
        ms = None if scale is None else _used_ms(one, points, known)
        used_ms = None if used_ms is None or ms is None or scale is None else used_ms + ms * scale
        spill = _sum(points, one.metric("ProvisionedConcurrencySpilloverInvocations"))
        spilled = None if spilled is None or spill is None else spilled + spill
    gb = None if memory_mb is None else memory_mb / 1024
    figures = Provisioned(
        allocated_gb_seconds=None
        if allocated is None or gb is None
        else allocated * periods.step * gb,
        used_gb_seconds=None if used_ms is None or gb is None else used_ms / 1000 * gb,
        spillover_invocations=None if spilled is None else round(spilled),
        allocated=max(together.values()) if together else None,
    )
    return Use(figures, together, tuple(gaps))


def _scale(one: Allocation, known: int, periods: int) -> float | None:
    if known == periods:
        return 1.0
    # Of what has been taken away, nobody knows when: it is not to be counted on.
    return periods / known if one.allocated is not None and known * 2 >= periods else None


def _gap(one: Allocation, known: Mapping[int, int], periods: range, scale: float | None) -> str:
    what = f"provisioned concurrency of {one.function}:{one.qualifier}"
    if not known:
        return f"{what} in the window is not known"
    when = f"from {_time(min(known))} to {_time(max(known) + periods.step)} only"
    if scale is None:
        return f"{what} is known {when}: there are no sums of it"
    return f"{what} is known {when}: its sums take the rest of the window to be like that"


def _allocated(one: Allocation, points: Mapping[Metric, Points], periods: range) -> dict[int, int]:
    in_use = points.get(one.metric("ProvisionedConcurrentExecutions", "Maximum"), {})
    share = points.get(one.metric("ProvisionedConcurrencyUtilization", "Maximum"), {})
    # Where it is gone, and nobody knows since when, it is taken to have ended with its last use.
    until = periods.stop if one.allocated is not None else max(share, default=periods.start) + 1
    known: dict[int, int] = {}
    last = None
    for at in periods:
        if at >= until:
            break
        if one.allocated is not None and one.since is not None and one.since <= at:
            last = one.allocated
        elif share.get(at) and at in in_use:
            last = round(in_use[at] / share[at])
        if last is not None:
            known[at] = last
    return known


def _used_ms(
    one: Allocation, points: Mapping[Metric, Points], known: Collection[int]
) -> float | None:
    """In the periods in which it is known how much was allocated."""
    duration = _sum(points, one.metric("Duration"), known)
    provisioned = _sum(points, one.metric("ProvisionedConcurrencyInvocations"), known)
    invocations = _sum(points, one.metric("Invocations"), known)
    if duration is None or provisioned is None or invocations is None:
        return None
    return duration * provisioned / invocations if invocations else 0.0


def _sum(
    points: Mapping[Metric, Points], metric: Metric, within: Collection[int] | None = None
) -> float | None:
    if metric not in points:
        return None
    return sum(value for at, value in points[metric].items() if within is None or at in within)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
