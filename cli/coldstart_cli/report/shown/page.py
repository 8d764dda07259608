"""A report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import coldstart_layer
import jinja2

from coldstart_cli.report.advice.advise import Advice, too_few
from coldstart_cli.report.advice.costs import DAYS, Costs, price_notes, scale_to_30_days, total
from coldstart_cli.report.figures import CONTRADICTIONS, FunctionFigures, Period, Report
from coldstart_cli.report.shown import charts, wording
from coldstart_cli.report.shown.table import contradicted, ranked

# Charts over time are large: of so many functions. Distributions there are of all.
_MOST_TIMELINES = 10
# The arithmetic is long: of the advice on so many functions.
_MOST_REASONED = 50
_INIT_USD = "USD for inits"
_TALL, _LOW = 180.0, 110.0
_NAMES = {
    "cold": "cold: waited for a new environment",
    "restore": "restore: waited for a snapshot",
    "reinit": "reinit: the runtime started again",
    "provisioned": "provisioned: stood ready",
    "proactive": "proactive: started ahead by Lambda",
    "managed": "managed: a worker of a managed instance",
    wording.NO_LAYER: "no layer: an init or restore, whether or not a request waited for it",
}


@dataclass(frozen=True)
class Timeline:
    """What happened when: of one function or of all."""

    starts: charts.Chart
    rate: charts.Chart
    provisioned: charts.Chart


@dataclass(frozen=True)
class Shown:
    """A function, as the page shows it."""

    number: int  # in the order of the table; its address on the page
    figures: FunctionFigures
    paid: Costs
    init: charts.Chart | None
    restore: charts.Chart | None
    timeline: Timeline | None


def page(report: Report, advice: Sequence[Advice]) -> str:
    """The report as an HTML page: charts, a table that can be sorted and searched, advice.

    Args:
        report: the figures.
        advice: what `advise` says of it.
    """
    rows = ranked(report)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    functions = [_function(number, *row, report, len(rows)) for number, row in enumerate(rows)]
    return environment.get_template("report.html.jinja").render(
        report=report,
        title=_title(report),
        window=wording.window(report.begin, report.end),
        tiles=_tiles(rows, report),
        timeline=_timeline(report.functions, report) if len(rows) != 1 else None,
        advice=_by_function(advice, functions),
        few=too_few(report),
        functions=functions,
        most_timelines=_MOST_TIMELINES,
        most_reasoned=_MOST_REASONED,
        notes=price_notes(report),
        kinds=wording.START_TYPES,
        names=_NAMES,
        contradictions=CONTRADICTIONS,
        contradicted=contradicted,
        without_layer=any(not function.layer for function in report.functions),
        wording=wording,
        version=coldstart_layer.__version__,
    )


def _shown(value: object) -> object:
    # Lone surrogates and control characters out of logs would not even be valid in a file.
    return wording.printable(value) if type(value) is str else value


def _title(report: Report) -> str:
    if len(report.functions) == 1:
        return f"Starts of {report.functions[0].function}"
    return f"Starts of {len(report.functions):,} functions"


def _tiles(
    rows: Sequence[tuple[FunctionFigures, Costs]], report: Report
) -> list[tuple[str, str, str]]:
    """What stands at the top: a heading, a number, and a line below it."""
    functions = [function for function, _ in rows]
    invocations, unread = total(wording.invocations(function) for function in functions)
    cold, _ = total(wording.cold_starts(function) for function in functions)
    scale = scale_to_30_days(report)

    def money(heading: str, values: list[float | None]) -> tuple[str, str, str]:
        usd, unknown = total(values)
        if usd is None:
            return heading, wording.UNKNOWN, "none, or not known"
        month = "in the window"
        if scale is not None:
            month = f"{wording.usd(usd * scale)} in {DAYS} days"
        least = bool(partial) and heading == _INIT_USD
        return (
            heading,
            wording.at_least(wording.usd(usd), least),
            month + (f"; not known of {unknown:,}" if unknown else ""),
        )

    provisioned = [function.provisioned for function in functions if function.provisioned]
    spilled, _ = total(one.spillover_invocations for one in provisioned)
    differ, _ = total(contradicted(function) for function in functions)
    partial = sum(function.partial for function in functions)
    rate = wording.percent((cold or 0) / invocations if invocations and not partial else None)
    of = f"not all lines of {partial:,} were read" if partial else f"{rate} of invocations"
    without = sum(not function.layer for function in functions)
    if without:
        of += f"; {without:,} without the layer: all inits count"
    return [
        (
            "invocations",
            wording.at_least(wording.count(invocations), bool(unread)),
            f"not known of {unread:,}" if unread else "",
        ),
        ("cold starts", wording.at_least(wording.count(cold), bool(partial)), of),
        money(_INIT_USD, [paid.init_usd for _, paid in rows]),
        money(
            "USD idle, provisioned",
            [paid.idle_usd for function, paid in rows if function.provisioned],
        ),
        ("spilled over", wording.count(spilled), "found none provisioned free"),
        ("contradictions", wording.count(differ), "of the layer and Lambda's own lines"),
    ]


def _function(number: int, figures: FunctionFigures, paid: Costs, report: Report, of: int) -> Shown:
    return Shown(
        number,
        figures,
        paid,
        charts.durations_chart(figures.init, _LOW) if figures.init else None,
        charts.durations_chart(figures.restore, _LOW) if figures.restore else None,
        _timeline((figures,), report) if number < _MOST_TIMELINES or of == 1 else None,
    )


def _timeline(functions: Sequence[FunctionFigures], report: Report) -> Timeline | None:
    periods = [period for function in functions for period in _periods(function)]
    if not periods:
        return None
    first = min(period.at for period in periods)
    last = max(period.at + period.seconds for period in periods)
    begin = first if report.begin is None else min(report.begin, first)
    end = last if report.end is None else max(report.end, last)
    merged = charts.merged(periods, begin, end)
    # Of a function whose starts are not all known there is no rate.
    whole = [one for function in functions if not function.partial for one in function.periods]
    return Timeline(
        charts.starts_chart(merged, begin, end, _TALL),
        charts.rate_chart(charts.merged(whole, begin, end), begin, end, _LOW),
        charts.provisioned_chart(merged, begin, end, _LOW),
    )


def _periods(function: FunctionFigures) -> Sequence[Period]:
    """Its periods; without the layer the starts in them are those that Lambda's lines tell of."""
    if function.layer:
        return function.periods
    return [
        replace(period, starts={wording.NO_LAYER: period.cold_starts})
        for period in function.periods
    ]


def _by_function(
    advice: Sequence[Advice], functions: Sequence[Shown]
) -> list[tuple[Shown, list[Advice]]]:
    """Advice for each function, the best first."""
    by_name = {(shown.figures.function, shown.figures.region): shown for shown in functions}
    found: dict[tuple[str, str | None], list[Advice]] = {}
    for one in advice:
        found.setdefault((one.function, one.region), []).append(one)
    return [(by_name[name], listed) for name, listed in found.items() if name in by_name]
