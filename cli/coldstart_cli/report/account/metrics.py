"""Reads metrics of AWS/Lambda; a series that is not whole is left out and told of.

Names and dimensions: "Types of metrics for Lambda functions" in the AWS Lambda developer guide.
Limits, status codes and how long which period is kept: GetMetricData in the Amazon CloudWatch API
reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from coldstart_cli.report.account.errors import reason

_METRICS_A_CALL = 500
_TRIES = 3
_DAY = 86_400
# Period in seconds, and how long its data points are kept.
_KEPT = ((60, 15 * _DAY), (300, 63 * _DAY), (3_600, 455 * _DAY))
LONGEST_KEPT = _KEPT[-1][1]  # seconds
_POINTS = 2_100  # of a series, at most: a week in steps of five minutes

Points = Mapping[int, float]  # by epoch seconds of the period's begin


@dataclass(frozen=True)
class Metric:
    """One metric of a function, or of one of its versions or aliases."""

    name: str
    statistic: str  # "Sum", "Maximum"
    function: str
    qualifier: str | None = None  # a version or an alias

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """As CloudWatch has them."""
        dimensions = [{"Name": "FunctionName", "Value": self.function}]
        if self.qualifier is not None:
            resource = f"{self.function}:{self.qualifier}"
            dimensions.append({"Name": "Resource", "Value": resource})
        return dimensions


@dataclass
class Read:
    """What was read; a metric without data points in the window is there and empty."""

    points: dict[Metric, Points] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)


def period_for(begin: float, end: float, now: float) -> int:
    """The period in seconds to read a window (epoch seconds) in.

    It is one that is still kept of the window's begin, and gives no more points than are of use.
    """
    for period, kept in _KEPT:
        if now - begin <= kept and (end - begin) / period <= _POINTS:
            return period
    return _KEPT[-1][0]


def read_metrics(
    client: Any,
    metrics: Sequence[Metric],
    begin: int,
    end: int,
    period: int,
    region: str,
    sleep: Callable[[float], None],
) -> Read:
    """Read metrics over a window.

    Args:
        client: boto3's client for "cloudwatch".
        metrics: which.
        begin: epoch seconds, a multiple of the period; included.
        end: epoch seconds, a multiple of the period; excluded.
        period: seconds.
        region: for what is told.
        sleep: called with seconds, before what was not whole is asked for again.
    """
    read = Read()
    why: dict[Metric, str] = {}
    left = list(metrics)
    for number in range(_TRIES):
        if number:
            sleep(2.0**number)
        failed = []
        for at in range(0, len(left), _METRICS_A_CALL):
            some = left[at : at + _METRICS_A_CALL]
            try:
                failed += _read_some(client, some, begin, end, period, read, why, region)
            except (ClientError, BotoCoreError) as error:
                why_not = reason(error, "cloudwatch:GetMetricData", region)
                read.gaps.append(f"{why_not}: invocations are counted from logs")
                return read
        left = failed
        if not left:
            break
    told: dict[str, list[str]] = defaultdict(list)
    for metric in left:
        told[f"{metric.name} ({why[metric]})"].append(metric.function)
    read.gaps += [
        f"metric {what} in {region} is not whole, and left out: {_names(functions)}"
        for what, functions in told.items()
    ]
    return read


def _read_some(
    client: Any,
    metrics: Sequence[Metric],
    begin: int,
    end: int,
    period: int,
    read: Read,
    why: dict[Metric, str],
    region: str,
) -> list[Metric]:
    """Read up to 500 metrics into ``read``; those that are not whole are returned."""
    points: dict[str, dict[int, float]] = defaultdict(dict)
    status: dict[str, str] = {}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": metric.name,
                        "Dimensions": metric.dimensions,
                    },
                    "Period": period,
                    "Stat": metric.statistic,
                },
            }
            for number, metric in enumerate(metrics)
        ],
        StartTime=datetime.fromtimestamp(begin, timezone.utc),
        EndTime=datetime.fromtimestamp(end, timezone.utc),
        ScanBy="TimestampAscending",
    )
    said: dict[str, str] = {}
    for page in pages:
        for message in page.get("Messages", ()):
            read.gaps.append(f"CloudWatch in {region}: {_text(message)}")
        for result in page["MetricDataResults"]:
            name = result["Id"]
            # On all pages but its last a series is PartialData, with the rest to come.
            status[name] = result.get("StatusCode", "")
            said[name] = "; ".join(_text(message) for message in result.get("Messages", ()))
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                points[name][int(at.timestamp())] = value
    failed = []
    for number, metric in enumerate(metrics):
        name = f"m{number}"
        if status.get(name) == "Complete":
            read.points[metric] = {
                at: value for at, value in points[name].items() if begin <= at < end
            }
        else:
            code = status.get(name) or "no answer"
            why[metric] = f"{code}: {said[name]}" if said.get(name) else code
            failed.append(metric)
    return failed


def _text(message: Mapping[str, str]) -> str:
    return " ".join(f"{message.get('Code', '')} {message.get('Value', '')}".split())


def _names(functions: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(functions))
