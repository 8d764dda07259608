"""Where a report's advice ends: what a function has already, what there is, what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from coldstart_cli.report.advice.advise import Advice, advise, too_few
from coldstart_cli.report.advice.costs import costs
from coldstart_cli.report.figures import Concurrency, Distribution, FunctionFigures, Provisioned
from report_figures import BEGIN, Period, function, provisioned, report

SLOW = Distribution(2_000, 1_500.0, 2_500.0, 3_000.0, 4_000.0, 3_000_000.0)
UNKNOWN_NUMBER = Provisioned(None, None, 2_000)


def of(kind: str, one: FunctionFigures) -> Advice:
    (found,) = [given for given in advise(report(one)) if given.kind == kind]
    return found


def kinds(one: FunctionFigures) -> set[str]:
    return {given.kind for given in advise(report(one))}


@pytest.mark.parametrize(
    "changes",
    [
        {"provisioned": UNKNOWN_NUMBER},
        {"starts": {"cold": 2_000, "provisioned": 1}},
        {"provisioned_known": False},
    ],
    ids=["how many is not known", "by its lines", "not known"],
)
def test_what_may_have_provisioned_concurrency_is_not_told_to_set_it(
    changes: dict[str, object],
) -> None:
    one = function(init=SLOW, **changes)
    assert {"provisioned concurrency", "snap-start"}.isdisjoint(kinds(one))
    told = too_few(report(one, function()))
    assert (told is None) == one.provisioned_known
    if told is not None:
        assert told.startswith("Whether 1 of 2 functions have provisioned concurrency is not known")
    taken_away = function(init=SLOW, provisioned=Provisioned(0.0, 0.0, 0, 0.0))
    assert {"provisioned concurrency", "snap-start"} <= kinds(taken_away)


def test_spill_over_is_told_without_the_number_of_environments() -> None:
    given = of("spill-over", function(provisioned=UNKNOWN_NUMBER))
    assert given.steps == (
        "How many are needed cannot be told without figures of how many were allocated.",
    )


@pytest.mark.parametrize(
    "changes",
    [{"platform_restores": 1}, {"restore": SLOW}, {"starts": {"cold": 2_000, "restore": 1}}],
    ids=["platform", "durations", "layer"],
)
def test_what_was_restored_has_snap_start_already(changes: dict[str, object]) -> None:
    one = function(init=SLOW, snap_start=None)
    both = {"provisioned concurrency", "snap-start"}
    assert both <= kinds(one)
    assert both.isdisjoint(kinds(replace(one, **changes)))


def test_no_more_environments_than_were_ever_in_use() -> None:
    """1 / 0.7, rounded up, is 2."""
    one = function(concurrency=Concurrency(1.0, 1.0, 1.0, 1.0, 1.0, "busy"))
    given = of("provisioned concurrency", one)
    assert given.title.startswith("Provisioned concurrency of 1 ")
    assert "is 2; but no more than 1 were ever in use at once, so it is 1." in given.steps[0]
    assert given.steps[1] == "That is enough for the highest that was seen, 1."


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ("busy", "For 5% of the seconds with at least one request concurrency may be above 6"),
        ("periods", "For 5% of the metric's periods concurrency may be above 6"),
    ],
)
def test_a_share_says_of_what(over: str, told: str) -> None:
    one = function(concurrency=Concurrency(2.0, 2.0, 4.0, 7.0, 10.0, over))
    assert told in " ".join(of("provisioned concurrency", one).steps)


def test_raising_avoids_starts_of_requests_that_spilled_over_only() -> None:
    """Of 2,010 cold starts 1,400 at most; 3 of the 7 environments beyond those allocated."""
    short = function(provisioned=provisioned(900_000, 800_000, 1_400, at_once=3.0))
    given = of("spill-over", short)
    assert given.avoids_cold_starts == pytest.approx(1_400 * 30 / 7 * 3 / 7)
    assert "1,400 x 4.2857 x (6 - 3) / (10 - 3) = 2,571 in 30 days" in given.steps[-1]
    all_served = Concurrency(2.0, 2.0, 4.0, 6.0, 6.0, "busy")
    given = of("spill-over", replace(short, concurrency=all_served))
    assert given.avoids_cold_starts == pytest.approx(1_400 * 30 / 7)
    assert "1,400 x 4.2857 = 6,000 in 30 days" in given.steps[-1]


def hours(*invocations: int) -> tuple[Period, ...]:
    return tuple(
        Period(BEGIN + at * 3600, 3600, number, 0, {}) for at, number in enumerate(invocations)
    )


def test_a_schedule_is_named_and_reckoned() -> None:
    given = of("provisioned concurrency", function(periods=hours(*[500, 0, 0, 0] * 42)))
    assert given.title.endswith("A schedule costs less: there are requests at certain hours only")
    text = " ".join(given.steps)
    assert "in 42 of 168 periods of 1 hour: for these alone USD 32.40 x 42 / 168 = USD 8.10" in text
    for always in (hours(*[500] * 168), hours(*[500, 500, 0, 500] * 42), ()):
        given = of("provisioned concurrency", function(periods=always))
        assert "schedule" not in given.title
        assert "schedule (Application Auto Scaling)" in " ".join(given.steps)


def test_nothing_has_more_memory_than_lambda_gives() -> None:
    nearly = of("memory", function(memory_mb=9_000, max_memory_used_mb=8_800))
    assert "10,240 MB, the most that a function on demand can have" in nearly.steps[1]
    assert "14.1% free" in nearly.steps[1]
    full = of("memory", function(memory_mb=10_240, max_memory_used_mb=9_800))
    assert full.title == "It uses up to 9,800 of 10,240 MB: make it use less before it runs out"
    assert "14,000" not in " ".join(full.steps)
    enough = of("memory", function(memory_mb=512, max_memory_used_mb=490))
    assert "490 / 0.7 = 700 MB" in enough.steps[1]


def test_no_saving_of_memory_at_a_price_that_is_not_paid() -> None:
    large = function(memory_mb=3_538, billed_ms=3e8)
    assert "memory" in kinds(large)
    assert "memory" not in kinds(replace(large, provisioned=provisioned(3_000_000, 2_000_000)))
    assert "memory" not in kinds(replace(large, provisioned_known=False))
    one_size = 3e5 * 3_538 / 1024
    assert "memory" in kinds(replace(large, billed_gb_seconds=one_size * 1.001))
    assert "memory" not in kinds(replace(large, billed_gb_seconds=one_size * 0.8))


def test_what_was_billed_is_by_the_memory_of_each_line() -> None:
    one = function(billed_ms=8e7, billed_init_ms=4e7, memory_mb=10_240)
    summed = replace(one, billed_gb_seconds=50_000.0, billed_init_gb_seconds=20_000.0)
    paid = costs(summed, report(summed))
    assert (paid.init_gb_seconds, paid.handler_gb_seconds) == (20_000.0, 30_000.0)
    assert costs(replace(summed, memory_mb=None), report(summed)).init_usd == paid.init_usd
    given = of("init", summed)
    assert given.title.startswith("Its inits cost USD 1.43 in 30 days")
    assert "by the memory size of each line: 20,000.0 GB-seconds x USD" in given.steps[0]
    assert "30,000.0 GB-seconds billed without init" in " ".join(
        of("provisioned concurrency", summed).steps
    )
    nothing_read = replace(summed, billed_ms=0.0, billed_gb_seconds=0.0, billed_init_gb_seconds=0.0)
    assert costs(nothing_read, report(nothing_read)).init_usd is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "COLDSTART_PROFILE=on and"),
        ({"runtime": None}, "COLDSTART_PROFILE=on and"),
        ({"layer": False, "starts": {}}, "attach the layer, then COLDSTART_PROFILE=on and"),
        ({"runtime": "nodejs24.x", "layer": False, "starts": {}}, "look at what is loaded"),
        ({"runtime": None, "layer": False, "starts": {}}, "look at what is loaded"),
    ],
    ids=["Python", "an image with the layer", "without the layer", "Node", "not known"],
)
def test_only_python_is_told_of_the_profile(changes: dict[str, object], told: str) -> None:
    title = of("init", function(billed_ms=8e7, billed_init_ms=4e7, **changes)).title
    assert title.startswith(f"Its inits cost USD 1.43 in 30 days: {told}")


def test_without_the_layer_cold_starts_are_said_to_be_all_inits() -> None:
    bare = function(init=SLOW, starts={}, layer=False)
    for kind in ("provisioned concurrency", "snap-start"):
        assert "those too that no request waited for" in " ".join(of(kind, bare).steps)
        told = of(kind, function(init=SLOW)).steps
        assert "those too that no request waited for" not in " ".join(told)
