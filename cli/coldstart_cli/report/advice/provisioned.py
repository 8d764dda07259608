"""Advice on provisioned concurrency: whether to set it, and whether there is too much or little."""

from __future__ import annotations

from collections.abc import Iterator

from coldstart_cli.report.advice.advised import (
    FEWEST_INVOCATIONS,
    RARE,
    Advice,
    may_have_provisioned,
)
from coldstart_cli.report.advice.costs import DAYS, SECONDS, Costs
from coldstart_cli.report.advice.needed import TARGET_UTILISATION, environments_needed
from coldstart_cli.report.advice.new_provisioned import advise_to_set
from coldstart_cli.report.advice.prices import remark
from coldstart_cli.report.figures import FunctionFigures, Provisioned
from coldstart_cli.report.shown.wording import count, gigabytes, percent, sum_usd, usd

# Less than half of that: more of it is idle than needed.
_IDLE_UTILISATION = TARGET_UTILISATION / 2


def advise_provisioned(function: FunctionFigures, costs: Costs, window: float) -> Iterator[Advice]:
    """Whether to set provisioned concurrency, to raise it or to lower it.

    Requests that it serves are billed at a lower price, and the environments for as long as they
    are configured, used or not ("AWS Lambda Pricing").

    Args:
        function: its figures.
        costs: what it paid.
        window: how long that was, in seconds.
    """
    if not may_have_provisioned(function):
        yield from advise_to_set(function, costs)
    elif function.provisioned is not None:
        yield from _raise(function, costs, function.provisioned)
        yield from _lower(function, costs, function.provisioned, window)


def _lower(
    function: FunctionFigures, costs: Costs, provisioned: Provisioned, window: float
) -> Iterator[Advice]:
    allocated, used = provisioned.allocated_gb_seconds, provisioned.used_gb_seconds
    gb, scale, idle = costs.gb, costs.scale, costs.idle_usd
    if not allocated or used is None or gb is None or scale is None or idle is None:
        return
    utilisation = used / allocated
    if utilisation >= _IDLE_UTILISATION or _is_short(function, provisioned):
        return
    prices = costs.prices
    average = allocated / (gb * window)
    shown = (
        f"Idle: {allocated:,.0f} GB-seconds allocated - {used:,.0f} used = {allocated - used:,.0f},"
        f" x {prices.provisioned}{remark(prices.provisioned)} = USD {usd(idle)} in the"
        f" window, x {scale:.4f} = USD {usd(idle * scale)} in {DAYS} days; it is in use"
        f" {percent(utilisation)} of the time."
    )
    needed = None if function.concurrency is None else environments_needed(function.concurrency)
    if needed is None:
        yield Advice(
            function.function,
            function.region,
            "idle",
            f"Provisioned concurrency stands idle for USD {usd(idle * scale)} in {DAYS} days;"
            " how many are needed cannot be told without figures of its concurrency",
            (shown,),
        )
        return
    kept = needed.number * gb * window
    if kept >= allocated:
        return
    spared = (allocated - kept) * scale * prices.provisioned.usd
    dearer = (
        used * scale * (1 - needed.served) * (prices.duration.usd - prices.provisioned_duration.usd)
    )
    no_longer = (
        f"What they would no longer serve is billed on demand: {used:,.0f} GB-seconds x"
        f" {scale:.4f} x {percent(1 - needed.served)} x ({prices.duration} -"
        f" {prices.provisioned_duration}) = USD {sum_usd(dearer)}.",
    )
    yield Advice(
        function.function,
        function.region,
        "idle",
        f"Lower provisioned concurrency from {average:.3g} on average to {needed.number}: saves"
        f" USD {usd(spared - dearer)} in {DAYS} days",
        (
            shown,
            *needed.steps[:2],
            f"On average {allocated:,.0f} GB-seconds / ({gigabytes(gb)} GB x {window:,.0f} s) ="
            f" {average:.3g} were allocated; {needed.number} would be {kept:,.0f} GB-seconds. The"
            f" difference, {allocated - kept:,.0f} x {scale:.4f} x {prices.provisioned}, is"
            f" USD {sum_usd(spared)}.",
            *(no_longer if dearer else ()),
            "If it is idle at certain hours only, a schedule (Application Auto Scaling) is better.",
        ),
        saves_usd=spared - dearer,
    )


def _is_short(function: FunctionFigures, provisioned: Provisioned) -> bool:
    return (provisioned.spillover_invocations or 0) >= RARE * function.invocations > 0


def _raise(function: FunctionFigures, costs: Costs, provisioned: Provisioned) -> Iterator[Advice]:
    spilled = provisioned.spillover_invocations
    if not spilled or function.invocations < FEWEST_INVOCATIONS:
        return
    if not _is_short(function, provisioned):
        return
    share = spilled / function.invocations
    shown = (
        f"{count(spilled)} of {count(function.invocations)} requests ({percent(share)}) found no"
        " provisioned environment free and went to one on demand"
    )
    needed = None if function.concurrency is None else environments_needed(function.concurrency)
    have, gb, scale = provisioned.allocated, costs.gb, costs.scale
    if needed is None or not have:
        why = "its concurrency" if needed is None else "how many were allocated"
        unknown = (f"How many are needed cannot be told without figures of {why}.",)
        yield Advice(function.function, function.region, "spill-over", shown, unknown)
        return
    if needed.number <= have:
        steps = (
            needed.steps[0],
            f"{have:g} were allocated, which is enough for that. Check whether the requests go to"
            " the version or alias that has provisioned concurrency, whether it was there at all"
            " hours, and whether short peaks (the highest concurrency was"
            f" {function.concurrency.max if function.concurrency else 0:g}) are what went beyond."
            " Target tracking or a schedule (Application Auto Scaling) fits it to the hour.",
        )
        yield Advice(function.function, function.region, "spill-over", shown, steps)
        return
    if gb is None or scale is None:
        return
    prices = costs.prices
    more = needed.number - have
    usd_more = more * gb * SECONDS * prices.provisioned.usd
    of_spilled = min(function.cold_starts, spilled)
    avoided = of_spilled * scale
    fewer = ""
    highest = function.concurrency.max if function.concurrency else 0.0
    if highest > needed.number:
        avoided *= more / (highest - have)
        fewer = f" x ({needed.number} - {have:g}) / ({highest:g} - {have:g})"
    borrowed = remark(prices.provisioned)
    yield Advice(
        function.function,
        function.region,
        "spill-over",
        f"Raise provisioned concurrency from {have:g} to {needed.number}, for at most"
        f" USD {sum_usd(usd_more)} in {DAYS} days: {shown}",
        (
            *needed.steps[:2],
            f"{needed.number} - {have:g} = {more:g} more: {more:g} x {gigabytes(gb)} GB x"
            f" {SECONDS:,} s x {prices.provisioned}{borrowed} = USD {sum_usd(usd_more)}. What they"
            f" serve is billed at {prices.provisioned_duration} instead of {prices.duration} a"
            " GB-second, which is not taken off here.",
            f"Of its {count(function.cold_starts)} cold starts in the window at most"
            f" {count(of_spilled)} were of such requests; others are of other versions."
            f" {count(of_spilled)} x {scale:.4f}{fewer} = {count(avoided)} in {DAYS} days are what"
            " it would avoid at most"
            + ("." if not fewer else ", as if each environment at the peak started equally often."),
        ),
        saves_usd=-usd_more,
        avoids_cold_starts=avoided,
    )
