"""A report on a terminal: what is shown, in 80 columns, for one function or hundreds."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence

import pytest
from coldstart_cli.report.advice.advise import Advice, advise
from coldstart_cli.report.figures import Distribution, Report
from coldstart_cli.report.shown.table import contradicted, ranked, show
from report_figures import function, provisioned, realistic, report
from rich.cells import cell_len
from rich.console import Console


def shown(
    figures: Report, given: Sequence[Advice] | None = None, width: int = 80, color: bool = False
) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=color)
    show(figures, advise(figures) if given is None else given, console)
    return text.getvalue()


def rows(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def after(name: str, text: str) -> list[str]:
    """The figures on the line below a function's name."""
    lines = rows(text)
    place = next(at for at, line in enumerate(lines) if line.startswith(f"{name}:"))
    return lines[place + 1].split()


def test_a_function_has_its_figures_in_two_lines() -> None:
    text = shown(report(function(provisioned=provisioned(3_000_000, 100_000, 12))))
    assert "orders: cold 2,000, reinit 10, proactive 150" in rows(text)
    assert after("orders", text) == [
        "100,000", "2,010", "2.01%", "480", "900", "1400", "2100", "-", "0.01", "12.08", "12"
    ]  # fmt: skip
    assert rows(text)[:2] == [
        "Starts of 1 function",
        "2026-11-18 11:06 UTC to 2026-11-25 11:06 UTC (7 days), from logs of a made-up",
    ]


def test_figures_stand_below_their_headings() -> None:
    lines = rows(shown(report(function())))
    heading = next(line for line in lines if line.startswith("invocations"))
    figures = lines[lines.index("orders: cold 2,000, reinit 10, proactive 150") + 1]
    assert len(heading) == len(figures) == 80
    for name, value in (("cold", "2,010"), ("p95", "900"), ("max", "2100")):
        assert heading.index(name) + len(name) == figures.index(f" {value}") + len(value) + 1


def test_what_is_not_known_is_a_dash() -> None:
    bare = function(
        starts={}, invocations=0, cold_starts=0, platform_inits=0, init=None, billed_ms=0.0,
        memory_mb=None,
    )  # fmt: skip
    text = shown(report(bare))
    assert "orders: no lines of the layer" in rows(text)
    assert after("orders", text) == ["0", "0", *["-"] * 9]
    assert "What init cost is not known of 1 function" in text
    assert contradicted(bare) is None
    assert contradicted(function()) == 0


def test_those_that_cost_most_come_first_then_those_with_most_cold_starts() -> None:
    figures = report(
        function("few", cold_starts=5, invocations=900_000),
        function("many"),
        function("dear", provisioned=provisioned(3_000_000, 100_000)),
    )
    assert [one.function for one, _ in ranked(figures)] == ["dear", "many", "few"]


def test_a_sum_that_is_not_nothing_is_not_shown_as_nothing() -> None:
    assert after("orders", shown(report(function(billed_init_ms=1_000.0))))[8] == "<0.01"
    assert after("orders", shown(report(function(billed_init_ms=0.0))))[8] == "0.00"


def test_figures_of_lines_that_were_not_all_read_are_at_least_so_much() -> None:
    text = shown(report(function("part", partial=True), function("whole")))
    assert "part: cold 2,000, reinit 10, proactive 150; not all lines were read" in rows(text)
    assert after("part", text)[1:3] == ["≥2,010", "-"]
    assert after("part", text)[8] == "≥0.01"
    lines = rows(text)
    sums = lines[lines.index("in all 2 functions") + 1].split()
    assert sums == ["200,000", "≥4,020", "-", "≥0.02", "-", "-"]
    assert "Not all lines of 1 of 2 functions were read" in text


def test_without_the_layer_there_is_nothing_to_compare() -> None:
    bare = function(starts={}, layer=False)
    assert "orders: init (no layer) 2,150" in rows(shown(report(bare)))
    assert contradicted(bare) is None


def test_restores_have_their_column() -> None:
    restored = Distribution(9, 340.0, 500.0, 600.0, 700.0, 3_000.0)
    one = function(starts={"restore": 9}, init=None, restore=restored)
    assert after("orders", shown(report(one)))[3:8] == ["-", "-", "-", "-", "340"]


def test_sums() -> None:
    known = provisioned(3_000_000, 100_000, 12)
    text = shown(report(function("one", provisioned=known), function("two")))
    lines = rows(text)
    sums = lines[lines.index("in all 2 functions") + 1].split()
    assert sums == ["200,000", "4,020", "2.01%", "0.02", "12.08", "12"]


def test_gaps_stand_above_all_figures() -> None:
    lines = rows(shown(report(function(), gaps=("3 log streams could not be read",))))
    assert lines.index("not complete: 3 log streams could not be read") < lines.index(
        "function: starts by type"
    )


def test_nothing_found_and_nothing_to_do() -> None:
    assert "No function was found, so there is nothing to show." in shown(report())
    assert "Nothing that these figures support." in shown(report(function(concurrency=None)))


@pytest.mark.parametrize("width", [80, 120])
def test_hundreds_of_functions_fit(width: int) -> None:
    figures = realistic(300)
    text = shown(figures, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert len(text.splitlines()) < 400
    assert "and 260 functions more: --json or --html" in text
    assert "in all 300 functions" in text
    advised = len({(one.function, one.region) for one in advise(figures)})
    assert f"and {advised - 10} functions more: --json or --html" in text
    assert "\n10. " in text
    assert "\n11. " not in text


def test_large_numbers_do_not_run_into_each_other() -> None:
    large = function(invocations=15_600_235_000, cold_starts=142_611_000, memory_mb=10_240,
                     billed_ms=9e12, billed_init_ms=8e12)  # fmt: skip
    assert after("orders", shown(report(large)))[:3] == ["15.6G", "142.6M", "0.91%"]
    assert after("orders", shown(report(large)))[-3] == "1.3M"


def test_advice_is_shown_with_its_arithmetic() -> None:
    text = " ".join(shown(report(function())).split())
    assert "1. orders (us-east-1) Provisioned concurrency of 6 would avoid about 5,169" in text
    assert "In all 32.40 - 0.2679 - 0.0236 = 32.11 USD." in text


def test_advice_is_data() -> None:
    (given,) = advise(report(function()))
    told = json.loads(json.dumps(dataclasses.asdict(given)))
    assert told["function"] == "orders"
    assert told["kind"] == "provisioned concurrency"
    assert told["saves_usd"] == pytest.approx(-32.109, abs=0.001)


def test_names_are_shown_as_they_are() -> None:
    names = ["[bold]b[/bold]", "[/red]", ":smile:", "\x1b[2Jcleared", "two\nlines", "s\udcff"]
    odd = {"\x1b[31mkind": 3}
    figures = report(*(function(name, contradictions=odd) for name in names), gaps=("\x1b[2J[/x]",))
    text = shown(figures)
    for name in names[:3]:
        assert f"{name}: cold 2,000" in text
    assert "\x1b" not in text
    assert "\N{REPLACEMENT CHARACTER}[2Jcleared: cold" in text
    assert "two\N{REPLACEMENT CHARACTER}lines: cold" in text
    assert "s\N{REPLACEMENT CHARACTER}: cold" in text
    assert "not complete: \N{REPLACEMENT CHARACTER}[2J[/x]" in text
    text.encode()


def test_contradictions_are_seen_in_the_table() -> None:
    text = shown(report(function(contradictions={"cold-without-init": 4})))
    assert "orders: cold 2,000, reinit 10, proactive 150; 4 contradicted" in rows(text)
