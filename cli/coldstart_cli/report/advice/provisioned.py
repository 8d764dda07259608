"""Advice on provisioned concurrency: how many environments, what they cost, what they spare."""

from __future__ import annotations

from collections.abc import Iterator

from coldstart_cli.report.advice.advised import FEWEST_INVOCATIONS, FEWEST_STARTS, RARE, Advice
from coldstart_cli.report.advice.costs import DAYS, SECONDS, Costs
from coldstart_cli.report.advice.needed import TARGET_UTILISATION, environments_needed
from coldstart_cli.report.advice.prices import Prices, remark
from coldstart_cli.report.figures import FunctionFigures, Provisioned
from coldstart_cli.report.shown.wording import count, gigabytes, percent, small_usd, sum_usd, usd

# Less than half of that: more of it is idle than needed.
_IDLE_UTILISATION = TARGET_UTILISATION / 2
# For one cold start avoided; from here on the advice says that it is dear.
DEAR_USD = 0.01


def advise_provisioned(function: FunctionFigures, costs: Costs, window: float) -> Iterator[Advice]:
    """Whether to set provisioned concurrency, to raise it or to lower it.

    Requests that it serves are billed at a lower price, and the environments for as long as they
    are configured, used or not ("AWS Lambda Pricing").

    Args:
        function: its figures.
        costs: what it paid.
        window: how long that was, in seconds.
    """
    provisioned = function.provisioned
    if provisioned is not None and (provisioned.allocated_gb_seconds or provisioned.allocated):
        yield from _raise(function, costs, provisioned)
        yield from _lower(function, costs, provisioned, window)
    elif not function.snap_start:  # which cannot be combined with it
        yield from _set(function, costs)


def _set(function: FunctionFigures, costs: Costs) -> Iterator[Advice]:
    gb, scale, handler = costs.gb, costs.scale, costs.handler_gb_seconds
    rate = function.cold_start_rate
    needed = None if function.concurrency is None else environments_needed(function.concurrency)
    if gb is None or scale is None or handler is None or rate is None or needed is None:
        return
    if function.invocations < FEWEST_INVOCATIONS or function.cold_starts < FEWEST_STARTS:
        return
    prices = costs.prices
    number = needed.number
    starts = function.cold_starts * scale
    avoided = starts * (1 - needed.left)
    ready = number * gb * SECONDS * prices.provisioned.usd
    work = handler * scale
    cheaper = work * needed.served * (prices.duration.usd - prices.provisioned_duration.usd)
    init = (costs.init_usd or 0.0) * scale * (1 - needed.left)
    net = ready - cheaper - init
    if rate < RARE and net >= 0:
        return
    even = prices.provisioned.usd / (prices.duration.usd - prices.provisioned_duration.usd)
    used = work * needed.served / (number * gb * SECONDS)
    borrowed = remark(prices.provisioned, prices.provisioned_duration)
    title = (
        f"Provisioned concurrency of {number} would avoid about {count(avoided)} of"
        f" {count(starts)} cold starts in {DAYS} days"
    )
    if net < 0:
        title += f", and save USD {usd(-net)}"
    else:
        title += f", for USD {usd(net)}: USD {small_usd(net / avoided)} each"
        if net / avoided > DEAR_USD:
            title += f". That is more than USD {DEAR_USD}: only if somebody waits for it"
    yield Advice(
        function.function,
        function.region,
        "provisioned concurrency",
        title,
        (
            *needed.steps,
            f"Kept ready: {number} x {gigabytes(gb)} GB x {SECONDS:,} s x"
            f" {prices.provisioned}{borrowed} = USD {sum_usd(ready)}.",
            f"Served by it: {handler:,.1f} GB-seconds billed without init x {scale:.4f} for"
            f" {DAYS} days x {percent(needed.served)}, each at {prices.provisioned_duration}"
            f" instead of {prices.duration}: USD {sum_usd(cheaper)} less.",
            f"Init no longer billed: USD {sum_usd(costs.init_usd or 0.0)} x {scale:.4f} x"
            f" {percent(1 - needed.left)} = USD {sum_usd(init)}. (That of the provisioned"
            " environments themselves is billed when Lambda makes or renews them; it is not"
            " counted here.)",
            f"In all {sum_usd(ready)} - {sum_usd(cheaper)} - {sum_usd(init)} = {sum_usd(net)} USD.",
            _break_even(even, used, prices),
        ),
        saves_usd=-net,
        avoids_cold_starts=avoided,
    )


def _break_even(even: float, used: float, prices: Prices) -> str:
    reckoned = f"{prices.provisioned} / ({prices.duration} - {prices.provisioned_duration})"
    if even > 1:
        return (
            f"Break-even: none. {reckoned} is {percent(even)}, so even environments that are always"
            f" busy cost more than on demand, init aside; these would be busy {percent(used)} of"
            " the time."
        )
    return (
        f"Break-even: environments that are busy {percent(even)} of the time ({reckoned}) cost what"
        f" they would on demand, init aside; these would be busy {percent(used)}."
    )


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
    starts = function.cold_starts * scale
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
            f"Its cold starts, {count(starts)} in {DAYS} days, are all from such requests, or from"
            " other versions; at most these would be avoided.",
        ),
        saves_usd=-usd_more,
        avoids_cold_starts=starts,
    )
