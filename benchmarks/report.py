"""Prints what a run has measured, in 100 columns."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import arms, prices, scale
from benchmarks.arms import Arm
from benchmarks.differences import Difference, fastest, median
from benchmarks.instructions import Instructions
from benchmarks.results import Results

_MILLION = 1_000_000
# From here on fractions tell nothing.
_MANY = 20
_ENOUGH = 10  # rounds


def show(results: Results, console: Console) -> None:
    """Print all tables."""
    versions = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    console.print(f"{versions}; {results.rounds} rounds", highlight=False)
    console.print(
        "'Added' is the median of the differences to bare within each round, with its 95 %"
        " interval.\n'Empty' is a handler that does nothing, 'boto3' one that imports boto3 and"
        " makes a client.\n",
        highlight=False,
    )
    if results.rounds < _ENOUGH:
        console.print(
            f"[bold]{results.rounds} rounds say little: neither intervals nor targets hold.[/]\n"
        )
    shown = [arm for arm in arms.ALL if arm.name in results.samples]
    for table in (
        _inits(results, shown),
        _invocations(results, shown),
        *([_profiling(results)] if results.added_by_profiling() else []),
        _sizes(results, shown),
        *([] if results.instructions is None else [_instructions(results.instructions)]),
        _lines(results),
        _costs(results),
        _targets(results),
    ):
        console.print(table)
    if results.instructions is None:
        console.print("Instructions: not counted; that takes valgrind.")


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(
        box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, collapse_padding=True
    )
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _added(difference: Difference, digits: int) -> str:
    low, high = difference.low, difference.high
    if abs(difference.median) >= _MANY:
        digits = 0
    return f"{difference.median:+,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def _inits(results: Results, shown: list[Arm]) -> Table:
    table = _table(
        "Init in ms: from the exec of the runtime's bootstrap until it asks for an event",
        *("", "empty", "min", "added [95 %]", "boto3", "min", "added [95 %]"),
    )
    for arm in shown:
        samples = results.samples[arm.name]
        cells = [f"{it(samples.init_ms):.1f}" for it in (median, fastest)]
        cells.append(_added(results.added(arm, "init_ms"), 1))
        if any(samples.init_boto3_ms):
            cells.append(f"{median(samples.init_boto3_ms):.0f}")
            cells.append(f"{fastest(samples.init_boto3_ms):.0f}")
            cells.append(_added(results.added(arm, "init_boto3_ms"), 0))
        table.add_row(arm.name, *cells)
    return table


def _invocations(results: Results, shown: list[Arm]) -> Table:
    table = _table(
        "Invocation in µs: from sending an event to having its response, empty handler",
        *("", "median", "min", "added [95 %]", "first", "min", "added [95 %]"),
    )
    for arm in shown:
        samples = results.samples[arm.name]
        table.add_row(
            arm.name,
            f"{median(samples.invocation_us):,.0f}",
            f"{fastest(samples.fastest_us):,.0f}",
            _added(results.added(arm, "invocation_us"), 0),
            f"{median(samples.first_us):,.0f}",
            f"{fastest(samples.first_us):,.0f}",
            _added(results.added(arm, "first_us"), 0),
        )
    return table


def _profiling(results: Results) -> Table:
    table = _table(
        "What telling its imports adds to a start with boto3, until the first answer",
        *("", "ms [95 %]", "instructions, 10⁶"),
    )
    for one in results.added_by_profiling():
        counted = "" if one.instructions is None else f"{one.instructions / 1e6:+.1f}"
        table.add_row(one.name, _added(one.added_ms, 1), counted)
    return table


def _sizes(results: Results, shown: list[Arm]) -> Table:
    table = _table(
        "Peak memory after the first invocation, layer (or packages) zipped, in kB; bytes written",
        *("", "peak", "min", "added [95 %]", "zipped", "a start", "later"),
    )
    for arm in shown:
        samples = results.samples[arm.name]
        table.add_row(
            arm.name,
            f"{median(samples.peak_kb):,.0f}",
            f"{fastest(samples.peak_kb):,.0f}",
            _added(results.added(arm, "peak_kb"), 0),
            f"{results.zipped_bytes[arm.name] / 1000:,.0f}",
            f"{median(samples.start_bytes):,.0f}",
            f"{median(samples.warm_bytes):,.0f}",
        )
    return table


def _instructions(counted: Mapping[str, Instructions]) -> Table:
    table = _table(
        "Instructions in user space (valgrind), the same on a busy machine",
        *("", "init, 10⁶", "added", "%", "invocation, 10³", "added", "%"),
    )
    bare = counted[arms.BARE.name]
    for name, one in counted.items():
        table.add_row(
            name,
            f"{one.init / 1e6:.2f}",
            f"{(one.init - bare.init) / 1e6:+.2f}",
            f"{(one.init / bare.init - 1) * 100:+.1f}",
            f"{one.invocation / 1e3:.1f}",
            f"{(one.invocation - bare.invocation) / 1e3:+.1f}",
            f"{(one.invocation / bare.invocation - 1) * 100:+.1f}",
        )
    return table


def _lines(results: Results) -> Table:
    table = _table(
        "What the layer adds to an invocation, by the lines it logs",
        *("log format", "lines", "added µs [95 %]", "a line", "bytes", "a line"),
    )
    for log_format in scale.FORMATS:
        for lines in scale.LINES:
            added, size = results.added_by_lines(log_format, lines)
            table.add_row(
                log_format,
                f"{lines:,}",
                _added(added, 0),
                f"{added.median / lines:.1f}",
                f"{size:,.0f}",
                f"{size / lines:.0f}",
            )
    return table


def _costs(results: Results) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        title=f"What it costs, and how to lower that (prices of {prices.REGION}, {prices.AS_OF})",
        title_justify="left",
        pad_edge=False,
    )
    for column in ("", "how much", "switched off by"):
        table.add_column(column)
    init = results.added(arms.OURS, "init_ms").median
    table.add_row("a start", f"{init:.1f} ms of init", "COLDSTART_ENABLED=off")
    for arm, switch in (
        (arms.OURS, "COLDSTART_ENABLED=off"),
        (arms.OURS_SAMPLED, "COLDSTART_TRACING=off, down to the line above"),
    ):
        added = results.added(arm, "invocation_us").median
        what = "an invocation" + (", sampled" if arm.sampled else "")
        table.add_row(what, f"{added:.0f} µs", switch)
    for log_format in scale.FORMATS:
        added_us, size = results.added_by_lines(log_format, scale.LINES[-1])
        a_line = size / scale.LINES[-1]
        usd = prices.logs_usd(a_line * _MILLION)
        table.add_row(
            f"a log line ({log_format})",
            f"{added_us.median / scale.LINES[-1]:.1f} µs, {a_line:.0f} bytes: USD {usd:.3f} for a"
            " million lines",
            "COLDSTART_LOGS=off",
        )
    size = median(results.samples[arms.OURS.name].start_bytes)
    table.add_row(
        "the EMF line",
        f"{size:.0f} bytes: USD {prices.logs_usd(size * _MILLION):.2f} for a million starts",
        "COLDSTART_METRICS=off",
    )
    pair = 2 * prices.METRIC_USD_PER_MONTH
    table.add_row(
        "custom metrics",
        f"2 a function, and 2 for each start type it shows: USD {pair:.2f} a month each pair",
        "COLDSTART_METRICS=off",
    )
    return table


def _targets(results: Results) -> Table:
    table = _table("Targets", "", "measured", "")
    for target in results.targets():
        table.add_row(
            target.asked,
            target.measured,
            "[green]reached[/]" if target.reached else "[red]missed[/]",
        )
    return table
