"""Advice on the memory size, where the figures support any."""

from __future__ import annotations

import math
from collections.abc import Iterator

from coldstart_cli.report.advice.advised import (
    FEWEST_INVOCATIONS,
    WORTH_USD,
    Advice,
    may_have_provisioned,
)
from coldstart_cli.report.advice.costs import DAYS, Costs
from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.shown.wording import gigabytes, percent, usd

# "At 1,769 MB, a function has the equivalent of one vCPU" ("Configure Lambda function memory").
ONE_VCPU_MB = 1769
# "between 128 MB and 10,240 MB" (ibid.).
MOST_MB = 10_240
# Of the memory size.
_CLOSE, _SMALL = 0.9, 0.25
# So that what was used at most stays at 70 % of the new size.
_ROOM = 0.7
# By which GB-seconds may differ from those of one memory size alone, for rounding.
_SAME_SIZE = 0.01


def advise_memory(function: FunctionFigures, costs: Costs) -> Iterator[Advice]:
    """Whether memory is close to its end, or there is far more than is used.

    CPU is allocated in proportion to memory, so less memory may mean longer invocations; only above
    one vCPU does code that runs in one thread not feel it.

    Args:
        function: its figures.
        costs: what it paid.
    """
    size, used = function.memory_mb, function.max_memory_used_mb
    if not size or used is None or function.invocations < FEWEST_INVOCATIONS:
        return
    share = used / size
    shown = f"Max Memory Used: {used:,} of {size:,} MB, {percent(share)}."
    if share >= _CLOSE:
        yield _close(function, size, used, shown)
        return
    if function.partial or costs.handler_gb_seconds is None or costs.scale is None or not costs.gb:
        return
    # What a GB-second costs under provisioned concurrency depends on how busy it is; and lines of
    # several memory sizes do not tell what one of them would cost.
    if may_have_provisioned(function) or _has_several_sizes(function, costs.gb):
        return
    gb_seconds = costs.handler_gb_seconds + (costs.init_gb_seconds or 0.0)
    paid = gb_seconds * costs.scale * costs.prices.duration.usd
    smaller = max(ONE_VCPU_MB, math.ceil(used / _ROOM))
    saves = paid * (1 - smaller / size)
    bill = (
        f"Billed: {gb_seconds:,.1f} GB-seconds in the window x {costs.scale:.4f} x"
        f" {costs.prices.duration} = USD {usd(paid)} in {DAYS} days (as if all were on demand)."
    )
    if smaller < size and saves >= WORTH_USD:
        yield Advice(
            function.function,
            function.region,
            "memory",
            f"Try {smaller:,} MB instead of {size:,}: saves up to USD {usd(saves)} in {DAYS} days",
            (
                shown,
                f"{smaller:,} MB is the larger of {ONE_VCPU_MB:,} MB, where a function has one"
                f" vCPU, and {used:,} / {_ROOM}. Code that runs in one thread cannot use more.",
                bill,
                f"{usd(paid)} x (1 - {smaller:,} / {size:,}) = USD {usd(saves)}, if invocations"
                " take no longer: true of one thread, not of code that uses several.",
            ),
            saves_usd=saves,
        )
    elif share <= _SMALL and paid >= WORTH_USD and size <= ONE_VCPU_MB:
        yield Advice(
            function.function,
            function.region,
            "memory",
            f"It uses {used:,} of {size:,} MB, and the figures cannot tell whether less would be"
            " cheaper: measure it",
            (
                shown,
                bill,
                f"Below {ONE_VCPU_MB:,} MB a function has less than one vCPU: half the memory is"
                f" half the CPU, so the same work may take twice as long and cost the same"
                f" ({gigabytes(costs.gb)} GB now). AWS Lambda Power Tuning measures this. What CPU"
                " the init has, the developer guide does not say.",
            ),
        )


def _close(function: FunctionFigures, size: int, used: int, shown: str) -> Advice:
    """What to do before memory runs out."""
    killed = "A process that runs out is killed, and its next request waits for a start anew."
    title = f"It uses up to {used:,} of {size:,} MB: "
    if size >= MOST_MB:
        title += "make it use less before it runs out"
        step = f"A function on demand can have {MOST_MB:,} MB at most. {killed}"
    else:
        title += "give it more before it runs out"
        roomy = math.ceil(used / _ROOM)
        enough = f"{used:,} / {_ROOM} = {roomy:,} MB would leave three tenths free."
        if roomy > MOST_MB:
            enough = (
                f"{MOST_MB:,} MB, the most that a function on demand can have, would leave"
                f" {percent(1 - used / MOST_MB)} free."
            )
        step = (
            f"{enough} {killed} What more memory costs, the figures cannot tell: a GB-second costs"
            " the same, and more CPU may make invocations shorter."
        )
    return Advice(function.function, function.region, "memory", title, (shown, step))


def _has_several_sizes(function: FunctionFigures, gb: float) -> bool:
    billed = function.billed_gb_seconds
    if billed is None:
        return False
    of_one = function.billed_ms / 1000 * gb
    return abs(billed - of_one) > _SAME_SIZE * of_one
