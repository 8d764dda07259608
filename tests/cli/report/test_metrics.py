"""Metrics of CloudWatch: whole series alone, periods that are still kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from coldstart_cli.report.account.metrics import Metric, Read, period_for, read_metrics
from coldstart_cli.report.account.window import window_of
from reported_account import REGION, Account

DAY = 86_400
BEGIN, END = 1_795_600_800, 1_795_604_400
ONE = Metric("Invocations", "Sum", "orders")
TWO = Metric("ConcurrentExecutions", "Maximum", "orders")


@pytest.fixture
def cloudwatch() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("cloudwatch", REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def read(client: Any, *metrics: Metric, slept: list[float] | None = None) -> Read:
    sleep = (slept if slept is not None else []).append
    return read_metrics(client, metrics, BEGIN, END, 60, REGION, sleep)


def result(number: int, status: str, values: dict[int, float], *said: str) -> dict[str, Any]:
    return {
        "Id": f"m{number}",
        "StatusCode": status,
        "Timestamps": [datetime.fromtimestamp(at, timezone.utc) for at in values],
        "Values": list(values.values()),
        "Messages": [{"Code": "Why", "Value": text} for text in said],
    }


def page(*results: dict[str, Any], token: str | None = None, said: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = {"MetricDataResults": list(results)}
    if token:
        answer["NextToken"] = token
    if said:
        answer["Messages"] = [{"Code": "Said", "Value": said}]
    return answer


def test_pages_are_put_together(cloudwatch: tuple[Any, Stubber]) -> None:
    client, stubber = cloudwatch
    stubber.add_response(
        "get_metric_data",
        page(result(0, "PartialData", {BEGIN: 1.0}), token="more"),
    )
    stubber.add_response(
        "get_metric_data",
        page(result(0, "Complete", {BEGIN + 60: 2.0, END: 9.0}), result(1, "Complete", {})),
        {
            "NextToken": "more",
            "MetricDataQueries": ANY,
            "StartTime": ANY,
            "EndTime": ANY,
            "ScanBy": ANY,
        },
    )
    found = read(client, ONE, TWO)
    assert found.points == {ONE: {BEGIN: 1.0, BEGIN + 60: 2.0}, TWO: {}}
    assert found.gaps == []


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_what_stays_partial_is_left_out(cloudwatch: tuple[Any, Stubber], status: str) -> None:
    client, stubber = cloudwatch
    stubber.add_response(
        "get_metric_data",
        page(result(0, "Complete", {BEGIN: 1.0}), result(1, status, {BEGIN: 5.0}, "not all")),
    )
    for _ in range(2):
        stubber.add_response("get_metric_data", page(result(0, status, {BEGIN: 5.0}, "not all")))
    slept: list[float] = []
    found = read(client, ONE, TWO, slept=slept)
    assert found.points == {ONE: {BEGIN: 1.0}}
    assert found.gaps == [
        f"metric ConcurrentExecutions ({status}: Why not all) in {REGION} is not whole, and left"
        " out: orders"
    ]
    assert slept == [2.0, 4.0]


def test_what_is_whole_when_asked_again(cloudwatch: tuple[Any, Stubber]) -> None:
    client, stubber = cloudwatch
    stubber.add_response("get_metric_data", page(result(0, "InternalError", {BEGIN: 5.0})))
    stubber.add_response("get_metric_data", page(result(0, "Complete", {BEGIN: 7.0})))
    found = read(client, ONE)
    assert (found.points, found.gaps) == ({ONE: {BEGIN: 7.0}}, [])


def test_no_answer_for_a_metric_is_no_zero(cloudwatch: tuple[Any, Stubber]) -> None:
    client, stubber = cloudwatch
    for _ in range(3):
        stubber.add_response("get_metric_data", page(said="Maximum exceeded"))
    found = read(client, ONE)
    assert found.points == {}
    assert f"CloudWatch in {REGION}: Said Maximum exceeded" in found.gaps
    assert found.gaps[-1].startswith("metric Invocations (no answer)")


def test_no_permission(cloudwatch: tuple[Any, Stubber]) -> None:
    client, stubber = cloudwatch
    stubber.add_client_error("get_metric_data", "AccessDenied", "User is not authorized")
    found = read(client, ONE)
    assert found.points == {}
    assert found.gaps == [
        f"no permission for cloudwatch:GetMetricData in {REGION}: invocations are counted from logs"
    ]


def test_five_hundred_metrics_a_call(cloudwatch: tuple[Any, Stubber]) -> None:
    client, stubber = cloudwatch
    metrics = [Metric("Invocations", "Sum", f"f{number}") for number in range(501)]
    asked = []
    client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.append(len(params["MetricDataQueries"])),
    )
    first = [result(number, "Complete", {BEGIN: number}) for number in range(500)]
    stubber.add_response("get_metric_data", page(*first))
    stubber.add_response("get_metric_data", page(result(0, "Complete", {BEGIN: 500.0})))
    found = read(client, *metrics)
    assert [found.points[metric][BEGIN] for metric in metrics] == list(range(501))
    assert asked == [500, 1]


def test_over_http(of: Account) -> None:
    of.metric("Invocations", "orders", {BEGIN: 3, BEGIN + 30: 4, BEGIN + 60: 5, END: 6})
    of.metric("Invocations", "orders", {BEGIN: 40}, "live")
    live = Metric("Invocations", "Sum", "orders", "live")
    found = read(of.client("cloudwatch", REGION), ONE, TWO, live)
    assert found.points == {ONE: {BEGIN: 7, BEGIN + 60: 5}, TWO: {}, live: {BEGIN: 40}}


@pytest.mark.parametrize(
    ("days_ago", "days", "period"),
    [
        (1, 1, 60),
        (7, 7, 300),  # more points than are of use
        (14.9, 1, 60),
        (15.1, 1, 300),  # kept 15 days
        (62, 7, 300),
        (64, 1, 3_600),  # kept 63 days
        (60, 60, 3_600),
    ],
)
def test_periods_that_are_kept(days_ago: float, days: float, period: int) -> None:
    now = 1_795_700_000.0
    begin = now - days_ago * DAY
    assert period_for(begin, begin + days * DAY, now) == period


@pytest.mark.parametrize(
    ("hours", "bar"), [(0.5, 60), (1, 120), (3, 300), (24, 1_800), (168, 10_800), (2_000, 7 * DAY)]
)
def test_bars_of_the_chart(hours: float, bar: int) -> None:
    now = 1_795_700_000.0
    window = window_of(now - hours * 3_600, now + 500, now)
    assert window.bar == bar
    assert bar % window.period == 0
    assert len(window.bars) <= 60
    assert window.begin <= now - hours * 3_600
    assert now <= window.end < now + window.period
    assert window.bars[0] <= window.begin
    assert window.bars[-1] < window.end
