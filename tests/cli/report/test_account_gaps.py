"""What of an account cannot be read is told, and its figures are not shown as whole."""

from __future__ import annotations

from typing import Any

import pytest
from coldstart_cli.report.account.errors import ReportError
from function_logs import FunctionLog
from reported_account import BEGIN, END, REGION, Account


def add(of: Account, name: str, requests: int = 40, **options: Any) -> FunctionLog:
    log = FunctionLog(name)
    for number in range(requests):
        first = number == 0
        log.request(
            BEGIN + 60 * number + 1, "cold" if first else None, init_ms=9.0 if first else None
        )
    of.add(log, **options)
    return log


def test_no_permission_for_logs(of: Account) -> None:
    add(of, "denied1")
    add(of, "denied2")
    of.logs.denied = {"StartQuery", "DescribeLogGroups"}
    report = of.report()
    assert report.gaps == (
        f"no permission for logs:StartQuery in {REGION}: log lines are not read: denied1, denied2"
        f" in {REGION}",
    )
    for figures in report.functions:
        assert figures.invocations == 40
        assert (figures.partial, figures.cold_start_rate) == (True, None)


def test_no_permission_for_metrics(of: Account) -> None:
    add(of, "unmetered")
    of.urls = {**of.urls, "cloudwatch": of.urls["logs"]}  # which knows no metrics
    report = of.report()
    (figures,) = report.functions
    assert figures.invocations == 40
    assert sum(period.invocations for period in figures.periods) == 40
    assert (figures.partial, figures.concurrency, figures.cold_starts) == (False, None, 1)
    assert any("cloudwatch:GetMetricData" in gap for gap in report.gaps)


def test_nothing_could_be_read(of: Account) -> None:
    add(of, "unreadable")
    of.urls = dict.fromkeys(of.urls, "http://127.0.0.1:1")
    with pytest.raises(ReportError) as raised:
        of.report()
    assert f"logs:StartQuery in {REGION}: no connection: " in str(raised.value)
    assert "\n" not in str(raised.value)


def test_one_region_is_out_of_reach(of: Account) -> None:
    add(of, "here")
    add(of, "there", region="eu-north-1")
    client = of.client

    def reach(service: str, region: str) -> Any:
        urls = of.urls if region == REGION else dict.fromkeys(of.urls, "http://127.0.0.1:1")
        return type(of)(of.logs, urls).client(service, region)

    of.client = reach  # type: ignore[method-assign]
    report = of.report()
    assert client is not reach
    assert [one.function for one in report.functions] == ["here"]
    assert "nothing could be read of there in eu-north-1" in report.gaps


@pytest.mark.parametrize("describes", [True, False])
def test_log_groups_that_do_not_exist(of: Account, describes: bool) -> None:
    of.logs.denied = set() if describes else {"DescribeLogGroups"}
    for name in ("logged", "silent", "idle"):
        add(of, f"{name}{describes}", invocations=0 if name == "idle" else 40)
    for name in ("silent", "idle"):
        del of.logs.groups[f"/aws/lambda/{name}{describes}"]
    report = of.report()
    assert report.gaps == (
        f"no log group, and so nothing from logs, of silent{describes} in {REGION}",
    )
    partial = {one.function: one.partial for one in report.functions}
    assert list(partial.values()) == [False, True, False]  # nobody invoked the last


def test_a_query_that_fails_for_a_part_of_the_window(of: Account) -> None:
    add(of, "halved")
    of.logs.statuses = lambda request: [
        "Complete" if request["endTime"] <= BEGIN + 1_800 else "Failed"
    ]
    report = of.report()
    (figures,) = report.functions
    assert figures.partial
    assert figures.invocations == 40
    assert figures.cold_starts == 1
    assert any(
        gap.startswith("the query failed: log lines from ") and "halved in" in gap
        for gap in report.gaps
    )
    assert figures.contradictions == {}


def test_retention_and_class(of: Account) -> None:
    add(of, "kept")
    add(of, "rare")
    add(of, "delivered")
    of.logs.groups["/aws/lambda/kept"].retention_days = 1
    of.logs.groups["/aws/lambda/rare"].log_class = "INFREQUENT_ACCESS"
    of.logs.groups["/aws/lambda/delivered"].log_class = "DELIVERY"
    report = of.report(begin=BEGIN - 3 * 86_400)
    by_name = {one.function: one for one in report.functions}
    assert {name: one.partial for name, one in by_name.items()} == {
        "kept": True, "rare": False, "delivered": True,
    }  # fmt: skip
    assert by_name["rare"].cold_starts == 1
    assert any("kept for 1 day only" in gap and "kept in" in gap for gap in report.gaps)
    assert any("of the class DELIVERY: delivered" in gap for gap in report.gaps)
    assert sorted(query.groups for query in of.logs.started) == [
        ["/aws/lambda/kept"], ["/aws/lambda/kept"], ["/aws/lambda/rare"], ["/aws/lambda/rare"],
    ]  # fmt: skip


def test_logs_and_metrics_that_disagree(of: Account) -> None:
    add(of, "sampled", invocations=100)
    add(of, "near", invocations=41)
    log_format = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    add(of, "warned", requests=0, invocations=100, LoggingConfig=log_format)
    report = of.report()
    assert report.gaps == (
        f"sampled in {REGION}: CloudWatch counts 100 invocations, its logs have REPORT lines of 40:"
        " what is counted from logs is too low",
        f"warned in {REGION}: CloudWatch counts 100 invocations, its logs have REPORT lines of 0,"
        " since its system log level is WARN: what is counted from logs is too low",
    )
    assert [one.invocations for one in report.functions] == [100, 41, 100]
    assert [one.cold_start_rate for one in report.functions] == [None, 1 / 41, None]


def test_ctrl_c(of: Account) -> None:
    add(of, "interrupted")
    of.logs.statuses = lambda _: ["Running"]

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    of.sleep = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        of.report(BEGIN, END)
    assert of.logs.stopped == ["0", "1"]


def test_no_contradictions_next_to_what_was_not_read(of: Account) -> None:
    log = FunctionLog("torn")
    log.request(BEGIN + 1_799, "cold", "over", init_ms=9.0, duration_ms=3_000)
    log.request(BEGIN + 1_801, "cold", "whole", init_ms=9.0)
    of.add(log)
    of.logs.statuses = lambda request: [
        "Failed" if request["startTime"] < BEGIN + 1_800 else "Complete"
    ]
    figures = of.figures()
    assert (figures.starts, figures.platform_inits) == ({"cold": 1}, 2)
    assert (figures.contradictions, figures.partial) == ({}, True)


def test_a_window_that_metrics_are_not_kept_of(of: Account) -> None:
    add(of, "old", invocations=7)
    report = of.report(begin=BEGIN - 456 * 86_400)
    (figures,) = report.functions
    assert figures.invocations == sum(one.invocations for one in figures.periods) == 40
    assert report.gaps == (
        "CloudWatch keeps metrics for 455 days, which is after the window's begin: invocations in"
        f" {REGION} are counted from logs",
    )
