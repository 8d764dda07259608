"""alarms.yaml: which alarms a function has, on which metrics, and what sets them off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import cloudformation
import duckdb
import pytest
import written_metrics
from conftest import ROOT
from moto.server import ThreadedMotoServer

TEMPLATE = cloudformation.read(ROOT / "alarms.yaml")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
LONGEST = "f" * 64


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[Any]:
    """A client of moto's CloudWatch, over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "cloudwatch",
        endpoint_url=f"http://{host}:{port}",
        region_name=cloudformation.REGION,
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    yield client
    client.close()
    server.stop()


def alarms(initialization: str, function: str = "orders", **parameters: str) -> dict[str, Any]:
    return cloudformation.resolve(
        TEMPLATE, FunctionName=function, Initialization=initialization, **parameters
    )


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm looks at, each with its statistic as ``Stat``."""
    if "MetricName" in alarm:
        return [alarm | {"Stat": alarm["Statistic"]}]
    stats = [query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query]
    return [stat["Metric"] | {"Stat": stat["Stat"], "Period": stat["Period"]} for stat in stats]


@pytest.mark.parametrize(
    ("initialization", "names", "metrics"),
    [
        ("on-demand", {"ColdStartRate", "InitDuration"}, 4),
        ("provisioned-concurrency", {"ColdStartRate", "InitDuration", "ProvisionedRestart"}, 5),
        ("snap-start", {"ColdStartRate"}, 2),
    ],
)
def test_which_alarms(initialization: str, names: set[str], metrics: int) -> None:
    """As many metrics as the template's description names the price of."""
    found = alarms(initialization)
    assert set(found) == names
    assert sum(len(metrics_of(alarm)) for alarm in found.values()) == metrics
    assert f"{metrics / 10:.2f}" in TEMPLATE["Description"]


def test_cloudwatch_takes_them(cloudwatch) -> None:
    """With the longest name and numbers: a description may have 1,024 characters."""
    largest = {
        name: str(parameter.get("MaxValue", 10**9))
        for name, parameter in TEMPLATE["Parameters"].items()
        if parameter["Type"] == "Number"
    }
    wanted = alarms("provisioned-concurrency", LONGEST, AlarmTopicArn=TOPIC, **largest)
    for alarm in wanted.values():
        cloudwatch.put_metric_alarm(**alarm)
        assert len(alarm["AlarmDescription"]) <= 1024
        assert len(alarm["AlarmName"]) <= 255
        assert "  " not in alarm["AlarmDescription"]
    there = {
        alarm["AlarmName"]: alarm
        for alarm in cloudwatch.describe_alarms(AlarmNamePrefix="coldstart ")["MetricAlarms"]
    }
    assert set(there) == {alarm["AlarmName"] for alarm in wanted.values()}
    for alarm in wanted.values():
        found = there[alarm["AlarmName"]]
        assert found["AlarmActions"] == found["OKActions"] == [TOPIC]
        assert found["TreatMissingData"] == "notBreaching"
        assert found["Threshold"] == float(alarm["Threshold"])


def test_without_a_topic_nobody_is_told() -> None:
    for alarm in alarms("provisioned-concurrency").values():
        assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & set(alarm)


@pytest.mark.parametrize("initialization", ["on-demand", "provisioned-concurrency", "snap-start"])
def test_every_metric_is_written_by_the_layer_or_by_lambda(initialization: str) -> None:
    for alarm in alarms(initialization).values():
        for metric in metrics_of(alarm):
            dimensions = {dimension["Name"] for dimension in metric["Dimensions"]}
            name = metric["MetricName"]
            assert written_metrics.is_written(metric["Namespace"], name, dimensions), metric
            (function,) = [
                dimension["Value"]
                for dimension in metric["Dimensions"]
                if dimension["Name"].lower().replace("_", "") == "functionname"
            ]
            assert function == "orders"


def test_another_namespace() -> None:
    found = alarms("provisioned-concurrency", MetricsNamespace="Team/Starts")
    namespaces = {metric["Namespace"] for alarm in found.values() for metric in metrics_of(alarm)}
    assert namespaces == {"Team/Starts", "AWS/Lambda"}


def breaches(alarm: dict[str, Any], **values: float | None) -> bool:
    """Whether one period breaches; None is a metric without data.

    IF() and arithmetic are the same in DuckDB's SQL as in CloudWatch's metric math.
    """
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    columns = ", ".join(f"$1['{name}'] AS {name}" for name in values)
    (result,) = duckdb.execute(
        f"SELECT {expression} FROM (SELECT {columns})",
        [{name: None if value is None else float(value) for name, value in values.items()}],
    ).fetchone()
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return result is not None and result > float(alarm["Threshold"])


@pytest.mark.parametrize(
    ("coldstarts", "invocations", "alarmed"),
    [(51, 1000, True), (50, 1000, False), (6, 100, True), (99, 99, False), (None, 1000, False)],
)
def test_cold_start_rate(coldstarts: int | None, invocations: int, alarmed: bool) -> None:
    """Above 5 %, and not where there are fewer than 100 invocations."""
    alarm = alarms("on-demand")["ColdStartRate"]
    assert breaches(alarm, coldstarts=coldstarts, invocations=invocations) is alarmed


@pytest.mark.parametrize(
    ("percentile", "starts", "alarmed"),
    [(3000.1, 5, True), (3000, 5, False), (9000, 4, False), (None, None, False)],
)
def test_init_duration(percentile: float | None, starts: int | None, alarmed: bool) -> None:
    alarm = alarms("on-demand")["InitDuration"]
    assert breaches(alarm, percentile=percentile, starts=starts) is alarmed
    assert [metric["Stat"] for metric in metrics_of(alarm)] == ["p95", "SampleCount"]


def test_one_bad_period_of_three_is_no_alarm() -> None:
    for name in ("ColdStartRate", "InitDuration"):
        alarm = alarms("on-demand")[name]
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)


@pytest.mark.parametrize(
    ("starts", "alarmed"),
    [
        ([("provisioned-concurrency", True)], True),
        ([("on-demand", True), ("provisioned-concurrency", True), ("on-demand", True)], True),
        ([("on-demand", True)], False),  # a request beyond it, and a crash there
        ([("provisioned-concurrency", False)], False),
        ([("on-demand", False)], False),
        ([], False),
    ],
    ids=["reinit", "and on demand", "on demand alone", "provisioned", "cold", "none"],
)
def test_provisioned_restart(cloudwatch, request, starts, alarmed: bool) -> None:
    """Only a reinit under provisioned concurrency sets it off, whatever else there was."""
    function = f"function-{request.node.callspec.id.replace(' ', '-')}"
    now = time.time() - 60
    for initialization_type, restarted in starts:
        document = written_metrics.document(function, initialization_type, now, restarted)
        for namespace, name, dimensions, value in written_metrics.series(document):
            datum = {
                "MetricName": name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
                "Timestamp": now,
                "Value": value,
            }
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    alarm = alarms("provisioned-concurrency", function)["ProvisionedRestart"]
    points = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        Statistics=[alarm["Statistic"]],
        Period=3600,
        StartTime=now - 1800,
        EndTime=now + 1800,
    )["Datapoints"]
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert any(point[alarm["Statistic"]] < float(alarm["Threshold"]) for point in points) is alarmed
