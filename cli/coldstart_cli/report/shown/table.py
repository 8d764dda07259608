"""Shows a report on a terminal: a table of functions, then what to do about them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from coldstart_cli.report.advice.advise import Advice, too_few
from coldstart_cli.report.advice.advised import is_python
from coldstart_cli.report.advice.costs import Costs, costs, price_notes, total
from coldstart_cli.report.figures import FunctionFigures, Report
from coldstart_cli.report.shown import wording

# More would scroll out of sight; they are in the totals all the same.
_MOST_ROWS = 40
_MOST_ADVISED = 10
_MOST_REASONED = 3  # with the arithmetic
_INDENT = "   "
_FREE = (
    "What the init of a Python function is spent on costs nothing to find out: attach the layer,"
    " set COLDSTART_PROFILE=on, and read the log with `coldstart profile`."
)
_WIDTHS = (11, 8, 7, 6, 6, 6, 7, 7, 8, 8, 6)  # 80 in all
_ABOVE = ("", "", "cold", "init", "init", "init", "init", "rest.", "init", "idle", "")
_HEADINGS = (
    "invocations", "cold", "rate", "p50", "p95", "p99", "max", "p50", "USD", "USD", "spill",
)  # fmt: skip
_MEANING = (
    "-: not known. init, rest. (restore): ms. USD: in the window, for inits (not for restores), and"
    " for provisioned concurrency that stood idle. spill: requests that found none of it free. ≥:"
    " not all lines were read."
    " Sums are of what is known."
)
_WIDTH = sum(_WIDTHS)


def ranked(report: Report) -> list[tuple[FunctionFigures, Costs]]:
    """The functions with what they paid: most money first, then most cold starts.

    Args:
        report: the figures.
    """
    paid = [(function, costs(function, report)) for function in report.functions]
    return sorted(
        paid,
        key=lambda one: (-round(one[1].usd, 2), -one[0].cold_starts, one[0].function),
    )


def contradicted(function: FunctionFigures) -> int | None:
    """In how many starts the layer and the platform differ; None if there is nothing to compare.

    Args:
        function: its figures.
    """
    found = sum(function.contradictions.values())
    if not function.layer:
        return None
    compared = found or function.platform_inits or function.platform_restores or function.billed_ms
    return found if compared else None


def show(report: Report, advice: Sequence[Advice], console: Console) -> None:
    """Print the gaps, the functions, their sum, and the advice.

    Args:
        report: the figures.
        advice: what `advise` says of it.
        console: where to print.
    """
    console.print(Text(f"Starts of {_functions(len(report.functions))}", style="bold"))
    console.print(Text(_where_from(report)))
    for gap in report.gaps:
        console.print(Text(f"not complete: {wording.printable(gap)}", style="yellow"))
    console.print()
    if not report.functions:
        console.print("No function was found, so there is nothing to show.")
        return
    rows = ranked(report)
    _show_rows(rows, console)
    console.print(Text(_MEANING, style="dim"))
    if any(not function.layer for function in report.functions):
        console.print(Text(wording.WITHOUT_LAYER, style="dim"))
    missing = _not_in_sums(rows)
    if missing is not None:
        console.print(Text(missing, style="yellow"))
    for note in price_notes(report):
        console.print(Text(note, style="dim"))
    console.print()
    _show_advice(advice, too_few(report), console)
    if advice and any(is_python(function) for function in report.functions):
        console.print(Text(_FREE))


def _where_from(report: Report) -> str:
    return f"{wording.window(report.begin, report.end)}, from {wording.printable(report.source)}"


def _functions(number: int) -> str:
    return "1 function" if number == 1 else f"{number:,} functions"


def _show_rows(rows: Sequence[tuple[FunctionFigures, Costs]], console: Console) -> None:
    """Two lines a function: a name may be 64 characters long, and 80 have to do for all."""
    console.print(Text("function: starts by type", style="bold"))
    console.print(_line(*_ABOVE), style="bold")
    console.print(_line(*_HEADINGS), style="bold")
    console.print(Text("─" * _WIDTH))
    for function, paid in rows[:_MOST_ROWS]:
        console.print(_name(function))
        console.print(_figures(function, paid))
    rest = [function for function, _ in rows[_MOST_ROWS:]]
    if rest:
        console.print(Text(f"and {_functions(len(rest))} more: --json or --html"))
        console.print(_sums([(one, paid) for one, paid in rows[_MOST_ROWS:]]))
    if len(rows) > 1:
        console.print(Text("─" * _WIDTH))
        console.print(Text(f"in all {_functions(len(rows))}", style="bold"))
        console.print(_sums(rows))


def _line(*cells: str) -> Text:
    return Text("".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)))


def _short(value: float | None) -> str:
    """A whole number that leaves room for its neighbour."""
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if value is not None and value >= size:
            return f"{value / size:,.1f}{unit}"
    return wording.count(value)


def _ms(value: float | None) -> str:
    return wording.UNKNOWN if value is None else f"{value:.0f}"


def _usd(value: float | None) -> str:
    return wording.usd(value) if value is None or value < 1000 else _short(value)


def _name(function: FunctionFigures) -> Text:
    name = Text(wording.printable(function.function), style="bold")
    name.append(f": {wording.printable(wording.starts_of(function))}", style="not bold dim")
    differ = contradicted(function)
    if differ:
        name.append(f"; {wording.count(differ)} contradicted", style="not bold red")
    return name


def _figures(function: FunctionFigures, paid: Costs) -> Text:
    init, restore, provisioned = function.init, function.restore, function.provisioned
    return _line(
        _short(wording.invocations(function)),
        wording.at_least(_short(wording.cold_starts(function)), function.partial),
        wording.percent(function.cold_start_rate),
        _ms(init.p50 if init else None),
        _ms(init.p95 if init else None),
        _ms(init.p99 if init else None),
        _ms(init.max if init else None),
        _ms(restore.p50 if restore else None),
        wording.at_least(_usd(paid.init_usd), function.partial),
        _usd(paid.idle_usd),
        _short(provisioned.spillover_invocations if provisioned else None),
    )


def _sums(rows: Sequence[tuple[FunctionFigures, Costs]]) -> Text:
    functions = [function for function, _ in rows]
    invocations, unknown = total(wording.invocations(function) for function in functions)
    cold, _ = total(wording.cold_starts(function) for function in functions)
    partial = any(function.partial for function in functions)
    init_usd, _ = total(paid.init_usd for _, paid in rows)
    idle_usd, _ = total(paid.idle_usd for _, paid in rows)
    spilled, _ = total(
        one.provisioned.spillover_invocations if one.provisioned else None for one in functions
    )
    return _line(
        wording.at_least(_short(invocations), bool(unknown)),
        wording.at_least(_short(cold), partial),
        wording.percent((cold or 0) / invocations if invocations and not partial else None),
        *[""] * 5,
        wording.at_least(_usd(init_usd), partial),
        _usd(idle_usd),
        _short(spilled),
    )


def _not_in_sums(rows: Sequence[tuple[FunctionFigures, Costs]]) -> str | None:
    unknown = sum(paid.init_usd is None for _, paid in rows)
    if not unknown:
        return None
    return f"What init cost is not known of {_functions(unknown)}: no REPORT lines, or no memory."


def _show_advice(advice: Sequence[Advice], few: str | None, console: Console) -> None:
    console.print(Text("What to do about it", style="bold"))
    if not advice:
        console.print(Text("Nothing that these figures support."))
    names = _first_functions(advice)
    for number, name in enumerate(names[:_MOST_ADVISED], 1):
        where = f" ({name[1]})" if name[1] else ""
        console.print(Text(wording.printable(f"{number}. {name[0]}{where}")))
        for one in advice:
            if (one.function, one.region) == name:
                _indented(one.title + ".", "bold", console)
                for step in one.steps if number <= _MOST_REASONED else ():
                    _indented(step, "dim", console)
    more = len(names) - _MOST_ADVISED
    if more > 0:
        console.print(Text(f"and {_functions(more)} more: --json or --html"))
    elif len(names) > _MOST_REASONED:
        console.print(Text("--json and --html have the arithmetic of all."))
    if few is not None:
        console.print(Text(few, style="dim"))


def _first_functions(advice: Iterable[Advice]) -> list[tuple[str, str | None]]:
    """The functions in the order of their best advice."""
    return list(dict.fromkeys((one.function, one.region) for one in advice))


def _indented(text: str, style: str, console: Console) -> None:
    for line in textwrap.wrap(
        wording.printable(text), max(20, console.width - len(_INDENT)), break_on_hyphens=False
    ):
        console.print(Text(_INDENT + line, style=style))
