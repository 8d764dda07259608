"""Rows of Logs Insights that cannot be: none ends the report, or makes a figure of it."""

from __future__ import annotations

import pytest
from coldstart_cli.report.account.log_rows import read_reported, read_starts, read_totals
from function_logs import FunctionLog
from reported_account import BEGIN, REGION, Account

TOTALS = {"@log": "1:g", "bin(1m)": "2026-11-26 10:00:00.000", "requests": "2", "billed": "9.5",
          "memory": "90", "memory_size": "512"}  # fmt: skip
REPORT = {"@log": "1:g", "@logStream": "s", "@timestamp": "2026-11-26 10:00:00.000",
          "request": "r", "duration_ms": "9.1", "billed_ms": "10", "init_ms": "300.5"}  # fmt: skip
ODD = ["", "-", "NaN", "inf", "-1", "1e300", "9" * 20]


@pytest.mark.parametrize("name", ["requests", "billed"])
def test_totals(name: str) -> None:
    assert len(read_totals([TOTALS])[0]) == 1
    without = {key: value for key, value in TOTALS.items() if key != name}
    rows = [without, *({**TOTALS, name: value} for value in ODD)]
    assert read_totals(rows) == ([], rows)


@pytest.mark.parametrize("value", ODD)
def test_memory_that_is_not_known_is_none(value: str) -> None:
    ((totals,), damaged) = read_totals([{**TOTALS, "memory": value, "memory_size": value}])
    assert (totals.requests, totals.max_memory_mb, totals.memory_size_mb) == (2, None, None)
    assert damaged == []


@pytest.mark.parametrize("name", ["duration_ms", "billed_ms", "init_ms"])
def test_reports(name: str) -> None:
    assert len(read_starts([REPORT])[0].reports) == 1
    rows = [{**REPORT, name: value} for value in ODD]
    starts, damaged = read_starts(rows)
    assert (starts.reports, damaged) == ([], rows)


@pytest.mark.parametrize("name", ["@log", "@logStream", "@timestamp"])
def test_rows_that_do_not_say_where_they_are_from(name: str) -> None:
    rows = [{key: value for key, value in REPORT.items() if key != name}, {**REPORT, name: ""}]
    assert read_starts(rows)[1] == rows
    if name != "@timestamp":
        assert read_reported(rows) == ([], rows)
    assert read_starts([{**REPORT, "@timestamp": "yesterday"}])[0].reports == []


def test_in_the_report(of: Account) -> None:
    for name in ("sound", "odd"):
        log = FunctionLog(name)
        log.request(BEGIN + 1, "cold", init_ms=9.0)
        log.request(BEGIN + 2)
        of.add(log)
    log_group = of.logs.groups["/aws/lambda/odd"]
    at, stream, message = log_group.events[2]
    log_group.events[2] = (
        at,
        stream,
        message.replace("Init Duration: 9.00", "Init Duration: 9.0.0"),
    )
    report = of.report()
    assert report.gaps == (
        f"damaged rows in what CloudWatch Logs Insights answered in {REGION}, not counted: 1",
    )
    assert {one.function: one.partial for one in report.functions} == {"sound": False, "odd": True}
