"""Advice on the memory size, where the figures support any."""

from __future__ import annotations

import math
from collections.abc import Iterator

from coldstart_cli.report.advice.advised import FEWEST_INVOCATIONS, WORTH_USD, Advice
from coldstart_cli.report.advice.costs import DAYS, Costs
from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.shown.wording import gigabytes, percent, usd

# "At 1,769 MB, a function has the equivalent of one vCPU" ("Configure Lambda function memory").
ONE_VCPU_MB = 1769
# Of the memory size.
_CLOSE, _SMALL = 0.9, 0.25
# So that what was used at most stays at 70 % of the new size.
_ROOM = 0.7


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
        yield Advice(
            function.function,
            function.region,
            "memory",
            f"It uses up to {used:,} of {size:,} MB: give it more before it runs out",
            (
                shown,
                f"{used:,} / {_ROOM} = {math.ceil(used / _ROOM):,} MB would leave three tenths"
                " free. A process that runs out is killed, and its next request waits for a start"
                " anew. What more memory costs, the figures cannot tell: a GB-second costs the"
                " same, and more CPU may make invocations shorter.",
            ),
        )
        return
    if function.partial or costs.handler_gb_seconds is None or costs.scale is None or not costs.gb:
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
