"""Advice that follows from a report: what to change, with the arithmetic to check it by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from coldstart_cli.report.advice.advised import (
    FEWEST_INVOCATIONS,
    FEWEST_STARTS,
    WORTH_USD,
    Advice,
    is_python,
)
from coldstart_cli.report.advice.costs import DAYS, Costs, costs, window_seconds
from coldstart_cli.report.advice.memory import advise_memory
from coldstart_cli.report.advice.prices import remark
from coldstart_cli.report.advice.provisioned import advise_provisioned
from coldstart_cli.report.advice.snap_start import advise_snap_start
from coldstart_cli.report.figures import CONTRADICTIONS, FunctionFigures, Report
from coldstart_cli.report.shown.wording import count, gigabytes, milliseconds, percent, sum_usd, usd

__all__ = ["Advice", "advise", "too_few"]

_CHECK = {
    "cold-without-init": (
        "REPORT lines may be missing: Lambda's own lines are filtered if the log level of system"
        " logs is WARN, and an export may have cut them off. Or Lambda initialized the"
        " environment ahead of the request by less than the ten seconds that an init may take."
    ),
    "init-without-cold": (
        "Under provisioned concurrency, and where Lambda initialized ahead of a request, there"
        " was an init that the request did not wait for: then the layer is right. If its start"
        " type is warm, please report it with the two lines."
    ),
    "init-without-line": (
        "Check that these versions have the layer, AWS_LAMBDA_EXEC_WRAPPER=/opt/coldstart-wrapper"
        " and COLDSTART_METRICS not off, and whether a start failed before the handler ran: stderr"
        " has a line that says what went wrong."
    ),
    "restore-without-restore": (
        "REPORT lines may be missing or cut off: those of a restore have Restore Duration."
    ),
    "restored-without-restore": (
        "Lambda may have restored ahead of the request: then the start type is proactive, and the"
        " layer is right. If it is warm, please report it with the two lines."
    ),
}


def advise(report: Report) -> tuple[Advice, ...]:
    """What to do about the functions, that which saves most money first.

    What costs more than it saves comes last, in the order of what a better start costs.

    Args:
        report: the figures.
    """
    window = window_seconds(report)
    given: list[Advice] = []
    for function in report.functions:
        paid = costs(function, report)
        given += _contradictions(function)
        given += advise_memory(function, paid)
        given += _init(function, paid)
        if window is not None:
            given += advise_provisioned(function, paid, window)
        given += advise_snap_start(function, paid)
    return tuple(sorted(given, key=_rank))


def _rank(one: Advice) -> tuple[float, float, str, str]:
    saves = one.saves_usd or 0.0
    if saves >= 0:
        return (-saves, 0.0, one.function, one.kind)
    starts = one.avoids_cold_starts or one.shortens_starts or 1.0
    return (1.0, -saves / starts, one.function, one.kind)


def too_few(report: Report) -> str | None:
    """For how many functions there is no advice, or not all, and why; None: for none.

    Args:
        report: the figures.
    """
    window = window_seconds(report)
    if report.functions and (window is None or window < 24 * 3600):
        return (
            "No sums for 30 days, and no advice that rests on them: the window is shorter than"
            " a day, or not known."
        )
    told = []
    every = f"{len(report.functions):,} functions"
    partial = sum(function.partial for function in report.functions)
    if partial:
        told.append(
            f"Not all lines of {partial:,} of {every} were read: no advice that rests on how many"
            " starts they had."
        )
    few = sum(
        function.invocations < FEWEST_INVOCATIONS or function.cold_starts < FEWEST_STARTS
        for function in report.functions
        if not function.partial
    )
    if few:
        told.append(
            f"{few:,} of {every} have fewer than {FEWEST_INVOCATIONS} invocations or"
            f" {FEWEST_STARTS} cold starts in the window: too few to advise on their starts."
        )
    unknown = sum(not function.provisioned_known for function in report.functions)
    if unknown:
        told.append(
            f"Whether {unknown:,} of {every} have provisioned concurrency is not known: no advice"
            " to set it, on SnapStart, or to save memory."
        )
    return " ".join(told) or None


def _init(function: FunctionFigures, paid: Costs) -> Iterator[Advice]:
    if paid.init_usd is None or paid.scale is None or function.cold_starts < FEWEST_STARTS:
        return
    in_30_days = paid.init_usd * paid.scale
    if in_30_days < WORTH_USD:
        return
    prices = paid.prices
    least = "at least " if function.partial else ""
    yield Advice(
        function.function,
        function.region,
        "init",
        f"Its inits cost {least}USD {usd(in_30_days)} in {DAYS} days: {_find_out(function)}",
        (
            f"Init Duration that was billed{_billed_init(function, paid)} x"
            f" {prices.duration} a GB-second"
            f"{remark(prices.duration)} = USD {sum_usd(paid.init_usd)} in the window, x"
            f" {paid.scale:.4f} = USD {usd(in_30_days)} in {DAYS} days. Lambda has billed it"
            " for every kind of function since 1 August 2025.",
            *_share(function),
        ),
    )


def _find_out(function: FunctionFigures) -> str:
    if not is_python(function):
        return "look at what is loaded and done before the first request is handled"
    before = "" if function.layer else "attach the layer, then "
    return f"{before}COLDSTART_PROFILE=on and `coldstart profile` show what they are spent on"


def _billed_init(function: FunctionFigures, paid: Costs) -> str:
    if function.billed_init_gb_seconds is not None or paid.gb is None:
        return f", by the memory size of each line: {paid.init_gb_seconds or 0.0:,.1f} GB-seconds"
    return f": {milliseconds(function.billed_init_ms)} ms / 1000 x {gigabytes(paid.gb)} GB"


def _share(function: FunctionFigures) -> Iterator[str]:
    if function.billed_ms > 0:
        yield (
            f"That is {percent(function.billed_init_ms / function.billed_ms)} of the"
            f" {milliseconds(function.billed_ms)} ms that were billed."
        )


def _contradictions(function: FunctionFigures) -> Iterator[Advice]:
    found = Counter(function.contradictions)
    if not found.total():
        return
    steps = [
        f"{count(number)} x: {CONTRADICTIONS.get(kind, kind)}. {_CHECK.get(kind, '')}".rstrip()
        for kind, number in found.most_common()
    ]
    listed = function.contradictions_listed
    if listed:
        first = listed[0]
        where = f" in {first.log_stream}" if first.log_stream else ""
        steps.append(f"The first is request {first.request_id}{where}.")
    starts = "1 start" if found.total() == 1 else f"{found.total():,} starts"
    yield Advice(
        function.function,
        function.region,
        "contradictions",
        f"Check {starts} of which the layer and Lambda's own lines say different things",
        tuple(steps),
    )
