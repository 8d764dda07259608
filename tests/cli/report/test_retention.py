"""Log groups that keep less than the window that was asked for."""

from __future__ import annotations

import time

import pytest
from function_logs import FunctionLog
from reported_account import BEGIN, END, Account

DAY = 86_400
OLD = BEGIN - 10 * DAY  # of lines that are no longer kept


def add(of: Account, name: str, retention_days: int | None) -> None:
    log = FunctionLog(name)
    log.request(BEGIN + 1, "cold", init_ms=9.0)
    log.request(BEGIN + 2)
    of.add(log)
    of.logs.groups[f"/aws/lambda/{name}"].retention_days = retention_days


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_window_as_long_as_the_retention(of: Account, days: int) -> None:
    """Rounded to the metrics' periods it would begin a little before what is kept."""
    add(of, f"same{days}", days)
    now = time.time()
    report = of.report(now - days * DAY, now)
    (figures,) = report.functions
    assert (figures.partial, figures.cold_start_rate) == (False, 0.5)
    assert report.begin is not None
    assert report.end is not None
    assert now - days * DAY <= report.begin <= now - days * DAY + 3_600
    assert report.end - report.begin >= days * DAY
    (gap,) = report.gaps
    assert gap.startswith("log lines before ")
    assert {query.request["startTime"] for query in of.logs.started} == {int(report.begin)}


def test_a_window_that_nothing_is_kept_of_at_its_begin(of: Account) -> None:
    add(of, "week1", 7)
    add(of, "week2", 7)
    of.metric("Invocations", "week1", {OLD: 1_000})
    report = of.report(BEGIN - 20 * DAY, END)
    assert [one.partial for one in report.functions] == [False, False]
    assert [one.invocations for one in report.functions] == [2, 2]
    assert len(report.gaps) == 1


def test_some_keep_much_less_than_others(of: Account) -> None:
    add(of, "ever", None)
    add(of, "short", 1)
    report = of.report(BEGIN - 20 * DAY, END)
    assert {one.function: one.partial for one in report.functions} == {
        "ever": False, "short": True,
    }  # fmt: skip
    assert report.begin == BEGIN - 20 * DAY
    (gap,) = report.gaps
    assert "kept for 1 day only" in gap
    assert "short" in gap


def test_some_keep_a_little_less_than_others(of: Account) -> None:
    add(of, "ever2", None)
    add(of, "nearly", 20)
    report = of.report(BEGIN - 20 * DAY, END)
    assert [one.partial for one in report.functions] == [False, False]
    (gap,) = report.gaps
    assert gap.startswith("log lines before ")


def test_a_window_of_which_nothing_is_kept(of: Account) -> None:
    add(of, "gone", 1)
    (figures,) = of.report(OLD, OLD + DAY).functions
    assert figures.partial
