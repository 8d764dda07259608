"""Reports as they are read from logs and metrics, written by hand or made up from a seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

from coldstart_cli.report.figures import (
    Concurrency,
    Contradiction,
    Distribution,
    FunctionFigures,
    Period,
    Provisioned,
    Report,
)

BEGIN = 1_795_000_000  # 2026-11-18
DAY = 86_400
WEEK = 7 * DAY

ORDERS = FunctionFigures(
    function="orders",
    region="us-east-1",
    invocations=100_000,
    starts={"cold": 2_000, "proactive": 150, "reinit": 10},
    cold_starts=2_010,
    platform_inits=2_150,
    init=Distribution(
        2_150, 480.0, 900.0, 1_400.0, 2_100.0, 1_100_000.0,
        ((250.0, 500.0, 1_150), (500.0, 750.0, 700), (750.0, 1_000.0, 200), (1_000.0, 2_250.0, 100))
    ),
    billed_ms=21_100_000.0,
    billed_init_ms=1_100_000.0,
    memory_mb=512,
    max_memory_used_mb=210,
    architecture="x86_64",
    runtime="python3.13",
    concurrency=Concurrency(mean=2.0, p50=2.0, p95=4.0, p99=7.0, max=10.0, over="busy"),
    snap_start=False,
    package="Zip",
)  # fmt: skip


def function(name: str = "orders", **changes: Any) -> FunctionFigures:
    return replace(ORDERS, function=name, **changes)


def report(*functions: FunctionFigures, seconds: int = WEEK, gaps: tuple[str, ...] = ()) -> Report:
    return Report(BEGIN, BEGIN + seconds, functions, "logs of a made-up account", gaps)


def provisioned(
    allocated: float, used: float, spillover: int = 0, at_once: float = 10.0
) -> Provisioned:
    """GB-seconds allocated and used."""
    return Provisioned(allocated, used, spillover, at_once)


def periods(
    *starts: dict[str, int], seconds: int = 3600, invocations: int = 100
) -> tuple[Period, ...]:
    """One after the other, of starts by type."""
    return tuple(
        Period(BEGIN + number * seconds, seconds, invocations, by_type.get("cold", 0), by_type)
        for number, by_type in enumerate(starts)
    )


_NAMES = ("orders", "payments", "thumbnails", "search-api", "notify", "import", "auth", "ledger")


def _durations(chance: random.Random, median: float, number: int) -> Distribution:
    some = max(2, min(number, 800))  # that many are like all of them
    each = max(1, number // some)
    values = sorted(median * chance.lognormvariate(0, 0.35) for _ in range(some))
    width = (values[-1] - values[0]) / 18 or 1.0
    bins = Counter(min(17, int((value - values[0]) / width)) for value in values)

    def at(share: float) -> float:
        return values[min(len(values) - 1, int(share * len(values)))]

    return Distribution(
        len(values) * each, at(0.5), at(0.95), at(0.99), values[-1], sum(values) * each,
        tuple(
            (values[0] + bin_ * width, values[0] + (bin_ + 1) * width, bins.get(bin_, 0) * each)
            for bin_ in range(18)
        ),
    )  # fmt: skip


@cache
def realistic(number: int, seed: int = 1) -> Report:
    """A week of so many functions, of every kind; those after the 60th are copies."""
    chance = random.Random(seed)
    functions = []
    for index in range(min(number, 60)):
        name = f"{_NAMES[index % len(_NAMES)]}-{'prod' if index % 3 else 'staging'}-{index:03}"
        has = index % 4 == 1
        snapped = index % 7 == 3
        busy = chance.lognormvariate(3.5, 1.5)
        hours = []
        for hour in range(168):
            daily = 0.15 + max(0.0, 1 - abs(hour % 24 - 14) / 9)
            invocations = round(busy * daily * chance.uniform(5, 9))
            cold = round(invocations * chance.uniform(0.002, 0.02) * (0.2 if has else 1))
            kind = "restore" if snapped else "cold"
            starts = {kind: cold, "proactive": round(cold * 0.08), "reinit": hour % 41 == 7}
            if has and hour % 6 == 0:
                starts["provisioned"] = 3
            starts = {name: int(count) for name, count in starts.items() if count}
            amount = float(2 + 3 * (8 <= hour % 24 < 20)) if has else None
            all_cold = starts.get(kind, 0) + starts.get("reinit", 0)
            hours.append(Period(BEGIN + hour * 3600, 3600, invocations, all_cold, starts, amount))
        by_type: Counter[str] = Counter()
        for hour_ in hours:
            by_type.update(hour_.starts)
        total = sum(hour_.invocations for hour_ in hours)
        cold_starts = sum(hour_.cold_starts for hour_ in hours)
        memory = chance.choice((128, 256, 512, 1024, 1769, 3008))
        init = None if snapped else _durations(chance, chance.uniform(150, 2500), cold_starts)
        peak = max(1.0, busy / 8)
        allocated = (
            sum((hour_.provisioned_concurrency or 0) * 3600 for hour_ in hours) * memory / 1024
        )
        used = allocated * chance.uniform(0.1, 0.8)
        spilled = round(total * 0.004) if index % 8 == 1 else 0
        differs = index % 11 == 5
        first = Contradiction("init-without-line", "9f1c-22", "[$LATEST]ab", BEGIN + 5000.0, None)
        functions.append(
            FunctionFigures(
                name,
                chance.choice(("eu-central-1", "us-east-1", "eu-west-1")),
                total,
                dict(by_type),
                cold_starts,
                platform_inits=0 if snapped else cold_starts,
                platform_restores=cold_starts if snapped else 0,
                init=init,
                restore=_durations(chance, 350, cold_starts) if snapped else None,
                billed_ms=total * chance.uniform(20, 400) + (init.total if init else 0),
                billed_init_ms=init.total if init else 0.0,
                memory_mb=memory,
                max_memory_used_mb=round(memory * chance.uniform(0.2, 0.95)),
                architecture=chance.choice(("x86_64", "arm64")),
                runtime="python3.13",
                concurrency=Concurrency(
                    mean=peak / 4,
                    p50=peak / 4,
                    p95=float(int(peak / 2) + 1),
                    p99=float(int(peak * 0.8) + 1),
                    max=float(int(peak) + 1),
                    over="busy",
                ),
                provisioned=Provisioned(allocated, used, spilled, 5.0) if has else None,
                periods=tuple(hours),
                contradictions={first.kind: 3} if differs else {},
                contradictions_listed=(first,) if differs else (),
                snap_start=snapped,
                package="Zip",
            )
        )
    for index in range(60, number):
        copied = functions[index % 60]
        functions.append(replace(copied, function=f"{copied.function[:-3]}{index:03}"))
    gaps = ("2 of 7 days of /aws/lambda/import-prod-005: the role may not read the log group.",)
    return Report(BEGIN, BEGIN + WEEK, tuple(functions), "logs and metrics of the account", gaps)
