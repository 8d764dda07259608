"""The account as a source: log lines and metrics put together, and what is told if some are not."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest
from coldstart_cli.report.account.errors import ReportError
from coldstart_cli.report.distribution import distribution
from coldstart_cli.report.figures import FunctionFigures
from function_logs import FunctionLog
from reported_account import BEGIN, END, REGION, Account


def busy(log: FunctionLog, seed: int = 1) -> tuple[list[float], list[float]]:
    """Some starts of all kinds among other requests; the Init and Restore Durations there are."""
    dice = random.Random(seed)
    inits, restores = [], []
    for number in range(120):
        at = BEGIN + 20 * number + 1
        stream = f"s{number}"
        if number % 4 == 0:
            inits.append(round(dice.uniform(100, 2_000), 2))
            log.request(at, "cold", stream, init_ms=inits[-1])
        elif number % 12 == 1:
            restores.append(round(dice.uniform(300, 900), 2))
            log.request(at, "restore", stream, restore_ms=restores[-1])
        elif number % 12 == 2:
            log.request(at, dice.choice(["proactive", "provisioned", "managed", "reinit"]), stream)
        else:
            log.request(at, memory_mb=100 if number == 3 else 99, duration_ms=number)
    return inits, restores


@pytest.mark.parametrize("json_format", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("shared_group", [False, True])
def test_figures(of: Account, json_format: bool, shared_group: bool) -> None:
    log = FunctionLog(f"orders-{json_format}-{shared_group}", json_format, shared_group)
    inits, restores = busy(log)
    config = {"LoggingConfig": {"LogGroup": "/shared"}} if shared_group else {}
    of.add(log, **config)
    if shared_group:
        other = FunctionLog("other", shared_group=True)
        busy(other, seed=2)
        of.logs.groups["/shared"].events += other.events  # nobody asks for this one
    report = of.report()
    (figures,) = report.functions
    assert report.gaps == ()
    assert (report.begin, report.end) == (BEGIN, END)
    assert figures.invocations == 120
    reinits = figures.starts["reinit"]
    assert (
        figures.cold_starts
        == len(inits) + len(restores) + reinits
        == figures.starts["cold"] + 10 + reinits
    )
    assert sum(figures.starts.values()) == 30 + 10 + 10
    assert (figures.platform_inits, figures.platform_restores) == (30, 10)
    assert figures.init == distribution(inits)
    assert figures.restore == distribution(restores)
    assert figures.billed_init_ms == pytest.approx(sum(inits))
    durations = [n if n % 4 and n % 12 not in (1, 2) else 20.5 for n in range(120)]
    waited = [*inits, *[0.0] * 90]
    order = [n for n in range(120) if n % 4 == 0] + [n for n in range(120) if n % 4]
    billed = sum(math.ceil(durations[n] + init) for n, init in zip(order, waited, strict=True))
    assert figures.billed_ms == billed
    assert figures.max_memory_used_mb == 100
    assert (figures.memory_mb, figures.architecture, figures.runtime) == (
        512, "arm64", "python3.13",
    )  # fmt: skip
    assert (figures.package, figures.snap_start) == ("Zip", False)
    assert (figures.contradictions, figures.layer, figures.partial) == ({}, True, False)
    assert figures.cold_start_rate == figures.cold_starts / 120
    assert sum(period.cold_starts for period in figures.periods) == figures.cold_starts
    assert sum(period.starts.get("cold", 0) for period in figures.periods) == 30
    assert "2 queries scanned 0.000 GB of logs, less than USD 0.01" in report.source


def test_an_init_that_was_not_billed(of: Account) -> None:
    """As before August 2025 in functions with a .zip and a managed runtime."""
    log = FunctionLog("unbilled")
    log.request(BEGIN + 1, "cold", "a", init_ms=302.33, duration_ms=250.06, billed_ms=251)
    log.request(BEGIN + 2, "cold", "b", init_ms=302.33, duration_ms=250.06, billed_ms=553)
    of.add(log)
    figures = of.figures()
    assert (figures.billed_ms, figures.billed_init_ms) == (251 + 553, 302.33)


def test_concurrency_of_periods(of: Account) -> None:
    log = FunctionLog("concurrent")
    log.request(BEGIN + 1, "cold", init_ms=100.0)
    of.add(log)
    of.metric("ConcurrentExecutions", "concurrent", {BEGIN + 60 * n: n + 1 for n in range(20)})
    found = of.figures().concurrency
    assert found is not None
    assert (found.p50, found.p95, found.max, found.mean) == (10, 19, 20, 10.5)
    assert found.over == "periods"


def test_many_functions(of: Account) -> None:
    for number in range(120):
        log = FunctionLog(f"f{number}", json_format=number % 2 == 0)
        log.request(BEGIN + number, "cold", init_ms=100.0 + number)
        of.add(log, invocations=0)  # one more or less does not matter
    report = of.report()
    assert report.gaps == ()
    assert [one.init.max for one in report.functions if one.init] == [
        100.0 + number for number in range(120)
    ]
    assert sorted(len(query.groups) for query in of.logs.started) == [20, 20, 50, 50, 50, 50]
    assert of.said[-1] == f"{REGION}: 6 of 6 queries of log lines"


def contradicting(of: Account) -> FunctionFigures:
    log = FunctionLog("contradicting")
    log.request(BEGIN + 10, "cold", "a", init_ms=100.0)
    log.request(BEGIN + 20, "cold", "b", request_id="no-init")
    log.request(BEGIN + 30, "restore", "c", request_id="no-restore")
    log.request(BEGIN + 40, None, "d", init_ms=100.0, request_id="no-line")
    log.request(BEGIN + 50, "cold", "e", report=False)  # still runs, or its REPORT was not written
    log.request(END - 10, "cold", "f", duration_ms=20_000, init_ms=9.0)  # ends after the window
    log.request(BEGIN - 10, "cold", "g", duration_ms=15_000, init_ms=9.0)  # began before it
    of.add(log, invocations=6)
    return of.figures()


def test_contradictions(of: Account) -> None:
    figures = contradicting(of)
    assert figures.contradictions == {
        "cold-without-init": 1, "restore-without-restore": 1, "init-without-line": 1,
    }  # fmt: skip
    listed = {one.request_id: one for one in figures.contradictions_listed}
    assert listed["no-init"].kind == "cold-without-init"
    assert listed["no-init"].log_stream == "2026/11/25/[$LATEST]b"
    assert listed["no-init"].at == BEGIN + 20
    assert listed["no-restore"].start_type == "restore"
    assert listed["no-line"].start_type is None
    # Two for all lines, and one for the REPORTs that were missing.
    assert len(of.logs.started) == 3
    assert of.logs.started[2].request["startTime"] > BEGIN


def test_starts_that_cannot_be_looked_up_are_told_of(of: Account) -> None:
    def third(request: dict[str, object]) -> list[str]:
        return ["Cancelled" if "request in" in str(request["queryString"]) else "Complete"]

    of.logs.statuses = third
    figures = contradicting(of)
    assert figures.contradictions == {"init-without-line": 1}
    assert (
        f"some of 4 starts in {REGION} could not be compared with the platform's lines: there may"
        " be more contradictions"
    ) in of.report().gaps


@pytest.mark.parametrize("json_format", [False, True], ids=["text", "json"])
def test_what_the_platform_says_of_inits(of: Account, json_format: bool) -> None:
    log = FunctionLog(f"inits-{json_format}", json_format)
    log.request(BEGIN + 10, "cold", "a", init_ms=100.0)
    log.init_report(BEGIN + 20, "timeout", "failed")
    log.request(BEGIN + 20, "cold", "failed")
    log.init_report(BEGIN + 30, "success", "done")
    log.request(BEGIN + 30, "cold", "done", request_id="no-init")
    log.init_start(BEGIN + 40, "waited")
    log.request(BEGIN + 40.3, "proactive", "waited", init_ms=290.0, request_id="waited")
    log.init_start(BEGIN + 50, "ready")
    log.request(BEGIN + 55, "proactive", "ready", init_ms=290.0)
    of.add(log)
    figures = of.figures()
    listed = {one.request_id: one.kind for one in figures.contradictions_listed}
    assert listed == {"no-init": "cold-without-init", "waited": "init-without-cold"}
    assert figures.invocations == 5


def test_a_function_without_the_layer(of: Account) -> None:
    log = FunctionLog("without")
    for number in range(4):
        log.request(BEGIN + number, None, init_ms=100.0 + number)
    of.add(log)
    report = of.report()
    (figures,) = report.functions
    assert (figures.layer, figures.cold_starts, figures.starts) == (False, 4, {})
    assert figures.contradictions == {}
    assert report.gaps == (
        f"no line of the layer from without in {REGION}: cold starts are those with an Init or"
        " Restore Duration, environments that were ready before the request among them",
    )
    # As JSON, fields that are mappings have to stay what they are.
    assert dataclasses.asdict(figures)["starts"] == {}


def test_the_layer_was_attached_within_the_window(of: Account) -> None:
    log = FunctionLog("attached")
    log.request(BEGIN + 10, None, "a", init_ms=100.0)
    log.request(BEGIN + 20, "cold", "b", init_ms=100.0)
    of.add(log)
    report = of.report()
    (figures,) = report.functions
    assert (figures.cold_starts, figures.platform_inits, figures.contradictions) == (1, 2, {})
    assert (figures.partial, figures.cold_start_rate) == (True, None)
    assert report.gaps == (
        f"attached in {REGION}: 1 starts not compared with the layer's lines, and not among the"
        " cold starts: of a version without any, or before its first one",
    )


def test_lines_of_no_function_in_particular(of: Account) -> None:
    for name in ("one", "two"):
        log = FunctionLog(name, shared_group=True)
        log.request(BEGIN + 10, "cold", init_ms=100.0)
        if name == "two":
            log.events.append((BEGIN + 9, "odd", "REPORT RequestId: a\tBilled Duration: 1 ms"))
        of.add(log, invocations=1, LoggingConfig={"LogGroup": "/both"})
    report = of.report()
    assert [one.platform_inits for one in report.functions] == [1, 1]
    (gap,) = report.gaps
    assert gap.startswith("1 lines in log groups of several functions")


def test_nothing_to_report_on(of: Account) -> None:
    with pytest.raises(ReportError, match="no functions"):
        of.report()
    of.add(FunctionLog("f"))
    with pytest.raises(ReportError, match="before it ends, and in the past"):
        of.report(END, BEGIN)
