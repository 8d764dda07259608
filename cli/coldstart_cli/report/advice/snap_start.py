"""Advice on SnapStart: where it is possible, what it costs, and what it would spare."""

from __future__ import annotations

from collections.abc import Iterator

from coldstart_cli.report.advice.advised import (
    FEWEST_INVOCATIONS,
    FEWEST_STARTS,
    RARE,
    Advice,
    has_snap_start,
    may_have_provisioned,
    of_all_inits,
)
from coldstart_cli.report.advice.costs import DAYS, SECONDS, Costs
from coldstart_cli.report.advice.prices import remark
from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.shown.wording import count, gigabytes, milliseconds, percent, sum_usd, usd

# "Improving startup performance with Lambda SnapStart": "from several seconds to as low as
# sub-second". A shorter init may well be faster than a restore.
_LONG_INIT_MS = 1000.0
# From which version on (ibid.), and whether snapshots are paid for.
_RUNTIMES = {"python": ((3, 12), True), "dotnet": ((8,), True), "java": ((11,), False)}
# Asia Pacific (New Zealand) and (Taipei) have none (ibid.).
_REGIONS_WITHOUT = ("ap-southeast-6", "ap-east-2")


def _paid(runtime: str | None) -> bool | None:
    """Whether its snapshots cost money; None if the runtime has no SnapStart."""
    for name, (least, paid) in _RUNTIMES.items():
        if runtime is None or not runtime.startswith(name):
            continue
        parts = runtime.removeprefix(name).split(".")
        if not all(part.isdecimal() for part in parts):
            return None
        return paid if tuple(map(int, parts)) >= least else None
    return None


def advise_snap_start(function: FunctionFigures, costs: Costs) -> Iterator[Advice]:
    """Whether to switch SnapStart on.

    It is there for the managed runtimes of Python from 3.12, .NET from 8 and Java from 11, for zip
    packages, for published versions, without provisioned concurrency, EFS and more than 512 MB of
    /tmp ("Improving startup performance with Lambda SnapStart" in the Lambda developer guide).

    Args:
        function: its figures.
        costs: what it paid.
    """
    paid = _paid(function.runtime)
    rate = function.cold_start_rate
    if (
        paid is None
        or has_snap_start(function)
        or function.package == "Image"
        or function.region in _REGIONS_WITHOUT
        or may_have_provisioned(function)
        or function.init is None
        or function.init.p50 < _LONG_INIT_MS
        or function.invocations < FEWEST_INVOCATIONS
        or function.cold_starts < FEWEST_STARTS
        or rate is None
        or rate < RARE
        or costs.gb is None
        or costs.scale is None
        or costs.init_usd is None
    ):
        return
    prices, gb, scale = costs.prices, costs.gb, costs.scale
    starts = function.cold_starts * scale
    borrowed = remark(prices.snapshot_cache, prices.snapshot_restore)
    cache = gb * SECONDS * prices.snapshot_cache.usd if paid else 0.0
    restores = starts * gb * prices.snapshot_restore.usd if paid else 0.0
    init = costs.init_usd * scale
    net = cache + restores - init
    ends = f"costs USD {usd(net)} more in that time" if net > 0 else f"saves USD {usd(-net)}"
    price: tuple[str, ...] = ("Snapshots of Java functions cost nothing.",)
    if paid:
        price = (
            f"Cache: {gigabytes(gb)} GB x {SECONDS:,} s x {prices.snapshot_cache}{borrowed} ="
            f" USD {sum_usd(cache)} for one published version; each that is kept costs as much.",
            f"Restores: {count(starts)} cold starts x {gigabytes(gb)} GB x"
            f" {prices.snapshot_restore} = USD {sum_usd(restores)}.",
        )
    doubts = []
    if function.package is None:
        doubts.append("it is a zip package and no container image")
    if function.snap_start is None:
        doubts.append("SnapStart is not on already")
    doubts += [
        "it uses neither EFS nor more than 512 MB of /tmp",
        "it is invoked by a published version or alias, since $LATEST has no SnapStart",
        "nothing that its init makes (random numbers, connections, times) has to be unique",
    ]
    yield Advice(
        function.function,
        function.region,
        "snap-start",
        f"SnapStart would restore {count(starts)} starts in {DAYS} days instead of an init of"
        f" {milliseconds(function.init.p50)} ms; it {ends}",
        (
            f"The p50 of its init is {milliseconds(function.init.p50)} ms, {percent(rate)} of"
            " invocations wait for one. How long a restore takes shows only when it is tried: AWS"
            f" says sub-second at best, so nothing is said of inits below"
            f" {_LONG_INIT_MS:,.0f} ms.",
            *of_all_inits(function),
            *price,
            f"Init no longer billed: USD {sum_usd(costs.init_usd)} in the window x"
            f" {scale:.4f} = USD {sum_usd(init)}. In all {sum_usd(cache)} + {sum_usd(restores)} -"
            f" {sum_usd(init)} = {sum_usd(net)} USD; code that runs after a restore is billed, and"
            " not counted here.",
            "It is instead of provisioned concurrency: a version cannot have both.",
            f"Check that {'; that '.join(doubts)}.",
        ),
        saves_usd=-net,
        shortens_starts=starts,
    )
