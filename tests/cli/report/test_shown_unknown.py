"""How a report shows what its lines cannot tell: counts not known, waits without the layer."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from coldstart_cli.report.advice.advise import advise
from coldstart_cli.report.figures import FunctionFigures, Report
from coldstart_cli.report.shown.page import page
from coldstart_cli.report.shown.table import show
from report_figures import function, periods, report
from rich.console import Console


def table(figures: Report) -> list[str]:
    text = io.StringIO()
    show(figures, advise(figures), Console(file=text, width=80))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def below(start: str, lines: list[str]) -> list[str]:
    place = next(at for at, line in enumerate(lines) if line.startswith(start))
    return lines[place + 1].split()


def made(figures: Report) -> str:
    return page(figures, advise(figures))


def without_reports(name: str = "cut", **changes: Any) -> FunctionFigures:
    """As it is read from a log without one REPORT line."""
    bare = {
        "invocations": 0, "starts": {}, "cold_starts": 0, "platform_inits": 0, "init": None,
        "billed_ms": 0.0, "billed_init_ms": 0.0, "partial": True,
    }  # fmt: skip
    return function(name, **{**bare, **changes})


def test_without_a_report_line_counts_are_not_known() -> None:
    assert below("cut:", table(report(without_reports()))) == ["-"] * 11
    text = made(report(without_reports()))
    assert text.count("<td>-</td>") == 13
    assert '<dd class="big">-</dd><dd class="dim">not known of 1</dd>' in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"starts": {"cold": 5}, "cold_starts": 5}, ["-", "≥5", "-"]),
        ({"starts": {"provisioned": 2}}, ["-", "≥0", "-"]),
        ({"invocations": 700}, ["700", "-", "-"]),
        ({"billed_ms": 1.0}, ["0", "≥0", "-"]),
        ({"platform_inits": 1}, ["0", "≥0", "-"]),
        ({"platform_restores": 1}, ["0", "≥0", "-"]),
        ({"partial": False}, ["0", "0", "-"]),
    ],
    ids=str,
)
def test_what_is_known_is_shown(changes: dict[str, Any], told: list[str]) -> None:
    assert below("cut:", table(report(without_reports(**changes))))[:3] == told


def test_a_sum_without_what_is_not_known_is_at_least_so_much() -> None:
    figures = report(without_reports(), function("whole"))
    assert below("in all 2 functions", table(figures))[:3] == ["≥100,000", "≥2,010", "-"]
    text = made(figures)
    assert '<dd class="big">≥100,000</dd><dd class="dim">not known of 1</dd>' in text


def bare(**changes: Any) -> FunctionFigures:
    return function("bare", starts={}, layer=False, **changes)


def test_without_the_layer_starts_are_inits_and_restores() -> None:
    lines = table(report(bare(platform_restores=3)))
    assert "bare: init (no layer) 2,150, restore (no layer) 3" in lines
    assert "request waited for" in " ".join(lines)
    assert "(no layer)" not in " ".join(table(report(function())))


def test_the_page_does_not_call_them_waits() -> None:
    hours = tuple(replace(one, cold_starts=9) for one in periods({}, {}))
    text = made(report(bare(periods=hours)))
    assert "start (no layer) 18" in text
    assert "no layer: an init or restore, whether or not a request waited for it" in text
    assert "cold: waited" not in text
    assert "2,010 inits and restores (no layer)" in text
    assert "Inits and restores (no layer) of all invocations" in text
    assert "1 without the layer: all inits count" in text
    with_it = made(report(function(periods=periods({"cold": 9}))))
    assert "(no layer)" not in with_it
    assert "cold: waited for a new environment" in with_it


def test_the_profile_is_for_python() -> None:
    assert "COLDSTART_PROFILE" in " ".join(table(report(function())))
    node = report(bare(runtime="nodejs24.x"))
    assert advise(node)
    assert "COLDSTART_PROFILE" not in " ".join(table(node))
