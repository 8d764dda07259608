"""Advice on new provisioned concurrency: how many environments, what they cost and spare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coldstart_cli.report.advice.advised import (
    FEWEST_INVOCATIONS,
    FEWEST_STARTS,
    RARE,
    Advice,
    has_snap_start,
    of_all_inits,
)
from coldstart_cli.report.advice.costs import DAYS, SECONDS, Costs
from coldstart_cli.report.advice.needed import environments_needed
from coldstart_cli.report.advice.prices import Prices, remark
from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.shown.wording import (
    count,
    gigabytes,
    percent,
    small_usd,
    span,
    sum_usd,
    usd,
)

# For one cold start avoided; from here on the advice says that it is dear.
DEAR_USD = 0.01


def advise_to_set(function: FunctionFigures, costs: Costs) -> Iterator[Advice]:
    """Whether to set provisioned concurrency: how many environments, for how much.

    Requests that it serves are billed at a lower price, and the environments for as long as they
    are configured, used or not ("AWS Lambda Pricing"). It cannot be combined with SnapStart.

    Args:
        function: its figures; it has no provisioned concurrency.
        costs: what it paid.
    """
    if has_snap_start(function):
        return
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
    hours = _hours(function, ready)
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
        if hours.few:
            title += ". A schedule costs less: there are requests at certain hours only"
    yield Advice(
        function.function,
        function.region,
        "provisioned concurrency",
        title,
        (
            *of_all_inits(function),
            *needed.steps,
            f"Kept ready: {number} x {gigabytes(gb)} GB x {SECONDS:,} s x"
            f" {prices.provisioned}{borrowed} = USD {sum_usd(ready)}.",
            hours.step,
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


class _Hours(NamedTuple):
    few: bool  # requests came in less than half of the periods
    step: str


def _hours(function: FunctionFigures, ready: float) -> _Hours:
    """What a schedule would spare: that is all hours in which there was no request."""
    every = len(function.periods)
    busy = sum(period.invocations > 0 for period in function.periods)
    step = (
        f"That is for all hours of {DAYS} days. Where there are requests at certain hours only, a"
        " schedule (Application Auto Scaling) costs as much less as it is off."
    )
    if not 0 < busy < every:
        return _Hours(False, step)
    step += (
        f" There were requests in {busy:,} of {every:,} periods of"
        f" {span(function.periods[0].seconds)}: for these alone USD {sum_usd(ready)} x {busy:,} /"
        f" {every:,} = USD {sum_usd(ready * busy / every)}."
    )
    return _Hours(busy < every / 2, step)


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
