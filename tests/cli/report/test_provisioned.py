"""Provisioned concurrency: how much was allocated when, and how much of it was used."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from coldstart_cli.report.account.metrics import Metric, Points
from coldstart_cli.report.account.provisioned import Allocation, Use, allocations, use
from function_logs import FunctionLog
from reported_account import BEGIN, END, REGION, Account

PERIODS = range(0, 600, 60)
NAMES = {
    "in_use": ("ProvisionedConcurrentExecutions", "Maximum"),
    "share": ("ProvisionedConcurrencyUtilization", "Maximum"),
    "provisioned": ("ProvisionedConcurrencyInvocations", "Sum"),
    "spilled": ("ProvisionedConcurrencySpilloverInvocations", "Sum"),
    "invocations": ("Invocations", "Sum"),
    "duration": ("Duration", "Sum"),
}


def points(one: Allocation, **values: dict[int, float]) -> dict[Metric, Points]:
    return {one.metric(*name): values.get(short, {}) for short, name in NAMES.items()}


def used(one: Allocation, memory_mb: int = 1_024, **values: dict[int, float]) -> Use:
    return use([one], points(one, **values), PERIODS, memory_mb)


def test_allocated_all_the_time_and_not_used() -> None:
    found = used(Allocation("f", "live", 5, since=-99.0), memory_mb=512)
    assert found.figures.allocated == 5
    assert found.figures.allocated_gb_seconds == 5 * 600 * 0.5
    assert (found.figures.used_gb_seconds, found.figures.spillover_invocations) == (0, 0)
    assert found.gaps == ()


def test_before_the_last_change_it_is_in_use_by_utilization() -> None:
    found = used(
        Allocation("f", "live", 5, since=300),
        in_use={0: 2.0, 120: 9.0},
        share={0: 0.2, 120: 0.45},
    )
    expected = {0: 10, 60: 10, 120: 20, 180: 20, 240: 20, 300: 5}
    assert {at: found.allocated[at] for at in expected} == expected
    assert found.figures.allocated == 20
    assert found.figures.allocated_gb_seconds == 60 * (2 * 10 + 3 * 20 + 5 * 5)
    assert found.gaps == ()


def test_of_what_is_known_of_half_of_the_window_the_sums_are_as_if_it_were_all() -> None:
    """Ten environments on its last day are no 1.43 on average; and use is that of then, too."""
    one = Allocation("f", "live", 5, since=300)
    duration = {0: 90_000.0, 300: 60_000.0}
    found = used(one, duration=duration, provisioned={300: 10}, invocations={0: 10, 300: 10})
    assert found.figures.allocated_gb_seconds == 5 * 600
    assert found.figures.used_gb_seconds == 2 * 60
    assert min(found.allocated) == 300
    (gap,) = found.gaps
    assert gap == (
        "provisioned concurrency of f:live is known from 1970-01-01 00:05 UTC to"
        " 1970-01-01 00:10 UTC only: its sums take the rest of the window to be like that"
    )


def test_of_what_is_known_of_less_there_are_no_sums() -> None:
    found = used(Allocation("f", "live", 5, since=360))
    assert found.figures.allocated_gb_seconds is None
    assert found.figures.used_gb_seconds is None
    assert found.figures.allocated == 5
    (gap,) = found.gaps
    assert gap == (
        "provisioned concurrency of f:live is known from 1970-01-01 00:06 UTC to"
        " 1970-01-01 00:10 UTC only: there are no sums of it"
    )
    changed_later = used(Allocation("f", "live", 5, since=9_999))
    assert changed_later.figures.allocated_gb_seconds is None
    assert changed_later.figures.allocated is None
    assert changed_later.gaps == ("provisioned concurrency of f:live in the window is not known",)


def test_taken_away_since() -> None:
    found = used(Allocation("f", "live"), in_use={60: 1.0, 240: 1.0}, share={60: 0.5, 240: 0.25})
    assert dict(found.allocated) == {60: 2, 120: 2, 180: 2, 240: 4}
    assert found.figures.allocated_gb_seconds is None
    assert "from 1970-01-01 00:01 UTC to 1970-01-01 00:05 UTC only" in found.gaps[0]


def test_use_and_spill_over() -> None:
    one = Allocation("f", "live", 1, since=0)
    found = used(
        one,
        memory_mb=2_048,
        provisioned={0: 30, 60: 60},
        spilled={60: 10},
        invocations={0: 30, 60: 70},
        duration={0: 30_000, 60: 70_000},
    )
    assert found.figures.used_gb_seconds == pytest.approx(100 * 0.9 * 2)
    assert found.figures.spillover_invocations == 10


def test_a_metric_that_was_not_read_is_no_zero() -> None:
    one = Allocation("f", "live", 1, since=0)
    read = points(one)
    del read[one.metric("Duration")]
    del read[one.metric("ProvisionedConcurrencySpilloverInvocations")]
    found = use([one], read, PERIODS, 1_024).figures
    assert (found.used_gb_seconds, found.spillover_invocations) == (None, None)
    assert found.allocated_gb_seconds == 600


def test_of_two_versions_together() -> None:
    one, two = Allocation("f", "1", 3, since=0), Allocation("f", "2", 4, since=0)
    found = use([one, two], points(one) | points(two), PERIODS, 1_024)
    assert found.figures.allocated == 7
    assert found.figures.allocated_gb_seconds == 3 * 600 + 4 * 600


def config(function: str, allocated: int, since: int) -> dict[str, object]:
    return {
        "FunctionArn": f"arn:aws:lambda:{REGION}:123456789012:function:{function}",
        "AllocatedProvisionedConcurrentExecutions": allocated,
        "LastModified": f"{datetime.fromtimestamp(since, timezone.utc):%Y-%m-%dT%H:%M:%S+0000}",
    }


def test_what_is_configured_and_what_metrics_tell_of(of: Account) -> None:
    of.logs.provisioned["orders"] = [config("orders:live", 5, BEGIN)]
    of.metric("ProvisionedConcurrencyUtilization", "orders", {BEGIN: 0.5}, "live")
    of.metric("ProvisionedConcurrencyUtilization", "orders", {BEGIN: 0.5}, "3")
    of.metric("ProvisionedConcurrencyUtilization", "strangers", {BEGIN: 0.5}, "live")
    of_both = allocations(of.client, REGION, ["idle", "orders"])
    assert sorted(of_both.found, key=lambda one: one.qualifier) == [
        Allocation("orders", "3"),
        Allocation("orders", "live", 5, BEGIN),
    ]
    assert (of_both.unknown, of_both.gaps) == (frozenset(), ())


def test_no_permission_to_see_what_is_configured(of: Account) -> None:
    of.logs.denied = {"ListProvisionedConcurrencyConfigs"}
    of_both = allocations(of.client, REGION, ["idle", "orders"])
    assert Allocation("orders", "3") in of_both.found
    assert of_both.unknown == {"orders", "idle"}
    (gap,) = of_both.gaps
    assert gap.startswith(
        f"no permission for lambda:ListProvisionedConcurrencyConfigs in {REGION}: "
    )


def test_no_permission_in_the_report(of: Account) -> None:
    log = FunctionLog("secretive")
    log.request(BEGIN + 1, "cold", init_ms=9.0)
    of.add(log)
    assert of.figures().provisioned_known
    of.logs.denied = {"ListProvisionedConcurrencyConfigs"}
    assert not of.figures().provisioned_known


def test_in_the_report(of: Account) -> None:
    log = FunctionLog("payments")
    for number in range(60):
        log.request(BEGIN + number, "provisioned" if number == 0 else None)
    of.add(log)
    of.logs.provisioned["payments"] = [config("payments:live", 4, BEGIN + 1_800)]
    half = {BEGIN: 1.0}
    of.metric("ProvisionedConcurrencyUtilization", "payments", {BEGIN: 0.5}, "live")
    of.metric("ProvisionedConcurrentExecutions", "payments", half, "live")
    of.metric("ProvisionedConcurrencyInvocations", "payments", {BEGIN: 57}, "live")
    of.metric("ProvisionedConcurrencySpilloverInvocations", "payments", {BEGIN: 3}, "live")
    of.metric("Invocations", "payments", {BEGIN: 60}, "live")
    of.metric("Duration", "payments", {BEGIN: 60 * 20.5}, "live")
    figures = of.figures()
    assert figures.provisioned is not None
    assert figures.provisioned.allocated == 4
    assert figures.provisioned.allocated_gb_seconds == (2 * 1_800 + 4 * 1_800) * 0.5
    assert figures.provisioned.used_gb_seconds == pytest.approx(57 * 20.5 / 1_000 * 0.5)
    assert figures.provisioned.spillover_invocations == 3
    assert [period.provisioned_concurrency for period in figures.periods] == [2] * 30 + [4] * 30
    assert (figures.periods[0].at, figures.periods[-1].at) == (BEGIN, END - 60)
    assert figures.starts == {"provisioned": 1}
    assert (figures.cold_starts, figures.contradictions) == (0, {})
