"""The table of prices: which are there, and what is said where one is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coldstart_cli.report.advice import prices as module
from coldstart_cli.report.advice.costs import costs, price_notes
from coldstart_cli.report.advice.prices import Price, prices, remark
from report_figures import DAY, function, provisioned, report

TABLE = json.loads(Path(module.__file__).with_name("prices.json").read_text())


def test_prices_of_us_east_1() -> None:
    """As on https://aws.amazon.com/lambda/pricing/, US East (N. Virginia)."""
    x86, arm = prices("us-east-1", "x86_64"), prices("us-east-1", "arm64")
    assert (x86.duration.usd, arm.duration.usd) == (0.0000166667, 0.0000133334)
    assert (x86.provisioned.usd, arm.provisioned.usd) == (0.0000041667, 0.0000033334)
    assert (x86.provisioned_duration.usd, arm.provisioned_duration.usd) == (
        0.0000097222,
        0.0000077778,
    )
    assert (x86.snapshot_cache.usd, x86.snapshot_restore.usd) == (0.0000015046, 0.0001397998)
    assert x86.request.usd == pytest.approx(0.20 / 1e6)
    assert x86.as_of == TABLE["as_of"]


@pytest.mark.parametrize(
    "region", ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"]
)
def test_prices_that_every_report_needs_are_of_the_region_itself(region: str) -> None:
    found = prices(region, "x86_64")
    assert remark(found.duration, found.provisioned, found.provisioned_duration) == ""
    assert remark(prices(region, "arm64").duration) == ""


@pytest.mark.parametrize("region", sorted(TABLE["regions"]))
def test_prices_are_of_the_order_that_lambda_has(region: str) -> None:
    """A digit too many or too few would be seen."""
    for architecture in ("x86_64", "arm64"):
        found = prices(region, architecture)
        assert 1.2e-5 <= found.duration.usd <= 2.3e-5
        assert 0.2 <= found.provisioned.usd / found.duration.usd <= 0.45
        assert 0.5 <= found.provisioned_duration.usd / found.duration.usd <= 0.95
        assert 1.8e-7 <= found.request.usd <= 2.8e-7


def test_a_price_that_is_not_there_says_what_it_is_instead() -> None:
    found = prices("eu-west-1", "arm64")
    assert found.provisioned.usd == pytest.approx(0.8 * 0.0000046460)
    less = "a fifth less than x86_64: eu-west-1's price for arm64 is not in the table"
    assert remark(found.provisioned, found.provisioned_duration, found.duration) == f" ({less})"
    assert remark(found.snapshot_cache) == " (us-east-1's price: eu-west-1's is not in the table)"
    assert remark(found.duration) == ""
    assert found.snapshot_cache.usd == prices("us-east-1", None).snapshot_cache.usd
    away = prices("mars-north-1", "arm64")
    assert away.provisioned.usd == prices("us-east-1", "arm64").provisioned.usd
    assert "mars-north-1's is not in the table" in remark(away.duration)


def test_arm64_is_a_fifth_less_where_both_are_known() -> None:
    for region in TABLE["regions"].values():
        for name, usd in region["arm64"].items():
            if usd is not None:
                assert usd == pytest.approx(0.8 * region["x86_64"][name], rel=0.005)


def test_a_region_that_is_not_there_is_named() -> None:
    told = report(function(region="mars-north-1"), function(region=None), function())
    notes = " ".join(price_notes(told))
    assert "The table has no prices of mars-north-1: those of us-east-1 are used." in notes
    assert "The region of 1 function is not known: the prices of us-east-1 are used." in notes
    assert TABLE["as_of"] in notes
    assert len(price_notes(report(function()))) == 1
    unknown = price_notes(report(function(architecture=None)))
    assert unknown[1] == "The architecture of 1 function is not known: x86_64's price is used."


def test_prices_are_printed_whole() -> None:
    assert str(prices("us-east-1", "x86_64").duration) == "USD 0.0000166667"
    assert str(Price(0.0000002)) == "USD 0.0000002"


def test_costs_by_hand() -> None:
    """1,100,000 ms of init at 0.5 GB are 550 GB-seconds."""
    one = function(provisioned=provisioned(3_000_000, 100_000))
    paid = costs(one, report(one))
    assert paid.init_gb_seconds == 550
    assert paid.init_usd == pytest.approx(550 * 0.0000166667)
    assert paid.handler_gb_seconds == 10_000
    assert paid.idle_usd == pytest.approx(2_900_000 * 0.0000041667)
    assert paid.scale == pytest.approx(30 / 7)


@pytest.mark.parametrize(
    "changes",
    [{"memory_mb": None}, {"billed_ms": 0.0, "billed_init_ms": 0.0}],
    ids=["no memory size", "no REPORT lines"],
)
def test_what_is_not_known_is_not_nothing(changes: dict[str, object]) -> None:
    one = function(**changes)
    paid = costs(one, report(one))
    assert (paid.init_usd, paid.handler_gb_seconds, paid.idle_usd) == (None, None, None)


def test_less_than_a_day_says_nothing_of_a_month() -> None:
    assert costs(function(), report(function(), seconds=DAY - 1)).scale is None
    assert costs(function(), report(function(), seconds=DAY)).scale == 30
