"""What a report advises: its arithmetic, when there is any, and in which order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from coldstart_cli.report.advice.advise import Advice, advise, too_few
from coldstart_cli.report.figures import Concurrency, Contradiction, Distribution, FunctionFigures
from report_figures import (
    BEGIN,
    DAY,
    ORDERS,
    function,
    periods,
    provisioned,
    realistic,
    report,
)

SLOW = Distribution(2_000, 1_500.0, 2_500.0, 3_000.0, 4_000.0, 3_000_000.0)


def of(kind: str, one: FunctionFigures, **changes: int) -> Advice:
    (found,) = [given for given in advise(report(one, **changes)) if given.kind == kind]
    return found


def kinds(one: FunctionFigures, **changes: int) -> set[str]:
    return {given.kind for given in advise(report(one, **changes))}


def test_provisioned_concurrency_by_hand() -> None:
    """ceil(4 / 0.7) = 6 environments of 0.5 GB; 7 of 30 days; 10 at the peak, 2 on average."""
    given = of("provisioned concurrency", function())
    ready = 6 * 0.5 * 30 * 86_400 * 0.0000041667
    cheaper = 10_000 * 30 / 7 * 0.9 * (0.0000166667 - 0.0000097222)
    init = 550 * 0.0000166667 * 30 / 7 * 0.6
    assert given.saves_usd == pytest.approx(-(ready - cheaper - init))
    assert given.avoids_cold_starts == pytest.approx(2_010 * 30 / 7 * 0.6)
    assert given.title == (
        "Provisioned concurrency of 6 would avoid about 5,169 of 8,614 cold starts in 30 days, for"
        " USD 32.11: USD 0.0062 each"
    )
    text = " ".join(given.steps)
    assert "6 x 0.5 GB x 2,592,000 s x USD 0.0000041667 = USD 32.40." in text
    assert "10,000.0 GB-seconds billed without init x 4.2857 for 30 days x 90.0%" in text
    assert "In all 32.40 - 0.2679 - 0.0236 = 32.11 USD." in text
    assert "busy 60.0% of the time" in text


def test_rounding_does_not_add_an_environment() -> None:
    """21 / 0.7 is 30.000000000000004 in floating point."""
    concurrency = Concurrency(14.0, 14.0, 21.0, 25.0, 35.0, "busy")
    given = of("provisioned concurrency", function(concurrency=concurrency))
    assert given.title.startswith("Provisioned concurrency of 30 ")


def test_a_busy_function_saves_money() -> None:
    """Twelve days of work in a week, at 95 % of the time two at once."""
    concurrency = Concurrency(1.9, 2.0, 2.0, 2.0, 2.0, "busy")
    busy = function(billed_ms=1.2e9, concurrency=concurrency)
    given = of("provisioned concurrency", busy)
    assert given.saves_usd is not None
    assert given.saves_usd > 0
    assert "and save USD" in given.title
    rare = replace(busy, cold_starts=100)
    assert of("provisioned concurrency", rare).saves_usd == pytest.approx(given.saves_usd)


def test_a_dear_cold_start_is_called_dear() -> None:
    given = of("provisioned concurrency", function(cold_starts=600))
    assert "USD 0.021 each. That is more than USD 0.01: only if somebody waits" in given.title


def test_where_no_utilisation_pays() -> None:
    steps = " ".join(of("provisioned concurrency", function(region="eu-central-1")).steps)
    assert "Break-even: none." in steps


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"cold_starts": 19}, 7 * DAY),
        ({"invocations": 99, "cold_starts": 50}, 7 * DAY),
        ({"cold_starts": 499}, 7 * DAY),
        ({"concurrency": None}, 7 * DAY),
        ({"memory_mb": None}, 7 * DAY),
        ({"snap_start": True}, 7 * DAY),
        ({"partial": True}, 7 * DAY),
        ({}, DAY - 1),
    ],
    ids=[
        "starts",
        "invocations",
        "rare",
        "no concurrency",
        "no memory",
        "SnapStart",
        "partial",
        "window",
    ],
)
def test_no_provisioned_concurrency_where_figures_do_not_support_it(
    changes: dict[str, object], seconds: int
) -> None:
    assert "provisioned concurrency" not in kinds(function(**changes), seconds=seconds)
    assert "provisioned concurrency" in kinds(function(cold_starts=500))


def test_too_few_figures_are_said() -> None:
    told = too_few(report(function(cold_starts=3), function()))
    assert told is not None
    assert told.startswith("1 of 2 functions have fewer than 100 invocations or 20 cold starts")
    assert too_few(report(function())) is None
    assert "shorter than a day" in (too_few(report(function(), seconds=3600)) or "")


def test_idle_environments_by_hand() -> None:
    """9.92 environments on average, 6 needed; a tenth of the work would go on demand."""
    given = of("idle", function(provisioned=provisioned(3_000_000, 100_000)))
    spared = (3_000_000 - 6 * 0.5 * 604_800) * 30 / 7 * 0.0000041667
    dearer = 100_000 * 30 / 7 * 0.1 * (0.0000166667 - 0.0000097222)
    assert given.saves_usd == pytest.approx(spared - dearer)
    assert given.title.startswith("Lower provisioned concurrency from 9.92 on average to 6: saves")
    busy = function(provisioned=provisioned(3_000_000, 2_000_000))
    assert "idle" not in kinds(busy)
    assert "provisioned concurrency" not in kinds(busy)
    unknown = of("idle", function(provisioned=provisioned(3_000_000, 9_000), concurrency=None))
    assert "cannot be told" in unknown.title
    assert unknown.saves_usd is None


def test_spill_over() -> None:
    short = function(provisioned=provisioned(900_000, 800_000, 2_000, at_once=3.0))
    given = of("spill-over", short)
    assert given.title.startswith(
        "Raise provisioned concurrency from 3 to 6, for at most USD 16.20"
    )
    assert "2,000 of 100,000 requests (2.00%)" in given.title
    enough = of("spill-over", function(provisioned=provisioned(3_000_000, 100_000, 2_000)))
    assert "enough for that" in " ".join(enough.steps)
    assert enough.saves_usd is None
    few = function(provisioned=provisioned(900_000, 800_000, 499, at_once=3.0))
    assert "spill-over" not in kinds(few)
    unknown = function(
        provisioned=provisioned(900_000, 800_000, 2_000, at_once=3.0), concurrency=None
    )
    assert "cannot be told" in of("spill-over", unknown).steps[0]


def test_snap_start_by_hand() -> None:
    slow = function(init=SLOW, billed_init_ms=3_000_000.0)
    given = of("snap-start", slow)
    cache = 0.5 * 30 * 86_400 * 0.0000015046
    restores = 2_010 * 30 / 7 * 0.5 * 0.0001397998
    init = 3_000 * 0.5 * 0.0000166667 * 30 / 7
    assert given.saves_usd == pytest.approx(init - cache - restores)
    assert "EFS" in given.steps[-1]
    free = of("snap-start", replace(slow, runtime="java21"))
    assert free.saves_usd == pytest.approx(init)
    unsure = of("snap-start", replace(slow, package=None, snap_start=None)).steps[-1]
    assert "zip package" in unsure
    assert "not on already" in unsure


@pytest.mark.parametrize(
    "changes",
    [
        {"runtime": "python3.11"},
        {"runtime": "nodejs24.x"},
        {"runtime": "provided.al2023"},
        {"runtime": None},
        {"package": "Image"},
        {"snap_start": True},
        {"region": "ap-east-2"},
        {"provisioned": provisioned(3_000_000, 2_000_000)},
        {"init": ORDERS.init},
        {"cold_starts": 400},
    ],
    ids=str,
)
def test_no_snap_start_where_there_is_none_or_it_does_not_pay(changes: dict[str, object]) -> None:
    slow = function(init=SLOW)
    assert "snap-start" in kinds(slow)
    assert "snap-start" not in kinds(replace(slow, **changes))


def test_memory() -> None:
    close = of("memory", function(max_memory_used_mb=461))
    assert close.title == "It uses up to 461 of 512 MB: give it more before it runs out"
    assert "memory" not in kinds(function(max_memory_used_mb=460))
    large = function(memory_mb=3_538, billed_ms=3e8)
    given = of("memory", large)
    assert given.title.startswith("Try 1,769 MB instead of 3,538: saves up to USD ")
    assert given.saves_usd == pytest.approx(3e5 * 3_538 / 1024 * 30 / 7 * 0.0000166667 / 2)
    unclear = of("memory", function(memory_mb=1_024, billed_ms=3e8))
    assert "the figures cannot tell" in unclear.title
    assert unclear.saves_usd is None
    assert "memory" not in kinds(function(max_memory_used_mb=None, memory_mb=3_538))
    assert "memory" not in kinds(replace(large, partial=True))


def test_init_that_costs_something() -> None:
    dear = function(billed_ms=8e7, billed_init_ms=4e7)
    given = of("init", dear)
    assert given.title.startswith("Its inits cost USD 1.43 in 30 days")
    assert "50.0% of the 80,000,000 ms" in given.steps[1]
    assert "init" not in kinds(function())
    assert "cost at least USD 1.43" in of("init", replace(dear, partial=True)).title


def test_contradictions_are_explained() -> None:
    listed = Contradiction("cold-without-init", "req-1", "2026/11/20/[1]a", BEGIN, "cold")
    given = of(
        "contradictions",
        function(
            contradictions={"cold-without-init": 2, "something-new": 1},
            contradictions_listed=(listed,),
        ),
    )
    assert given.title.startswith("Check 3 starts")
    assert given.steps[0].startswith("2 x: the layer said cold, and REPORT has no Init Duration.")
    assert given.steps[1] == "1 x: something-new."
    assert "req-1 in 2026/11/20/[1]a" in given.steps[2]


def test_money_first_then_checks_then_what_costs() -> None:
    given = advise(
        report(
            function("costs"),
            function("check", contradictions={"cold-without-init": 1}, concurrency=None),
            function("idle", provisioned=provisioned(3_000_000, 100_000)),
            function("dear", memory_mb=1_024, max_memory_used_mb=None),
        )
    )
    assert [one.function for one in given] == ["idle", "check", "costs", "dear"]


UNITS = r"USD|GB-seconds|GB|MB|ms|billed without init|cold starts|for 30 days|in the window| s "
TERM = re.compile(r"[\d,]*\d(?:\.\d+)?%?")
EQUATION = re.compile(
    rf"((?:\(*{TERM.pattern}\)* [x/+-] )+\(*{TERM.pattern}\)*) = (-?{TERM.pattern})"
)


def number(text: str) -> float:
    value = float(text.replace(",", "").rstrip("%"))
    return value / 100 if text.endswith("%") else value


def test_every_equation_holds() -> None:
    """As a reader would check it: from the numbers that stand there."""
    checked = 0
    rare = report(
        function(periods=periods({}, {}, {}) + periods({}, invocations=0)),
        function(provisioned=provisioned(900_000, 800_000, 1_400, at_once=3.0)),
        function(billed_ms=9e7, billed_gb_seconds=5e4, billed_init_gb_seconds=2e4),
        function(max_memory_used_mb=500),
    )
    for given in (*advise(realistic(120)), *advise(rare)):
        for step in given.steps:
            told = re.sub(r" \([^()]* the table\)", "", step)
            told = re.sub(r"\s+", " ", re.sub(UNITS, " ", told)).replace("( ", "(")
            for left, right in EQUATION.findall(told):
                terms = TERM.sub(lambda found: str(number(found[0])), left).replace("x", "*")
                assert eval(terms) == pytest.approx(number(right), rel=0.02, abs=0.006), step
                checked += 1
    assert checked > 200
