"""Shows what a simulation told: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coldstart_cli.simulate import Row

_NONE = Text("-", style="dim")
_LEGEND = """
#1 is the first request, #2 one right after it. EMF is written once a start.
A snapshot's init ran when its version was published."""


def table(rows: Sequence[Row]) -> Table:
    """A row for each invocation; a blank line between scenarios."""
    # Fits 80 columns: the longest initialization type leaves 56 of them.
    result = Table(box=box.SIMPLE, padding=0, show_edge=False, header_style="bold")
    result.add_column("initialization type", no_wrap=True)
    result.add_column("before request", no_wrap=True)
    result.add_column("#", justify="right")
    result.add_column("start type", no_wrap=True)
    result.add_column("log", min_width=4)
    result.add_column("EMF", min_width=4)
    result.add_column("X-Ray")
    result.add_column("init ms", justify="right", no_wrap=True)
    result.add_column("")
    for number, row in enumerate(rows):
        told, first = row.signals, row.invocation == 1
        following = rows[number + 1] if number + 1 < len(rows) else None
        result.add_row(
            row.scenario.initialization_type if first else "",
            row.scenario.before if first else "",
            str(row.invocation),
            told.start_type or _NONE,
            _flags(told.log),
            _flags([] if told.emf is None else [told.emf]),
            _flags([] if told.xray is None else [told.xray]),
            f"{told.init_ms:.0f}" if told.init_ms is not None else _NONE,
            "" if row.right else Text("✗", style="bold red"),
            end_section=following is not None and following.scenario is not row.scenario,
        )
    return result


def _flags(flags: Iterable[bool]) -> Text:
    told = sorted(flags)
    if not told:
        return _NONE
    style = "cyan" if told == [True] else ""
    return Text(" and ".join("cold" if flag else "warm" for flag in told), style=style)


def as_json(rows: Sequence[Row]) -> str:
    """The same as a JSON array."""
    return json.dumps(
        [
            {
                "initialization_type": row.scenario.initialization_type,
                "before": row.scenario.before,
                "invocation": row.invocation,
                "start_type": row.signals.start_type,
                "cold_start": {
                    "log": sorted(row.signals.log),
                    "emf": row.signals.emf,
                    "xray": row.signals.xray,
                },
                "init_ms": row.signals.init_ms,
                "agree": row.signals.agree,
                "right": row.right,
            }
            for row in rows
        ],
        indent=2,
    )


def summary(rows: Sequence[Row]) -> str:
    """What the table comes to, in a line."""
    disagree = sum(not row.signals.agree for row in rows)
    wrong = sum(not row.right for row in rows)
    cold = sum(True in row.signals.flags for row in rows)
    if disagree:
        return f"The signals of {disagree} of {len(rows)} invocations contradict each other."
    if wrong:
        return f"The start type of {wrong} of {len(rows)} invocations is not the right one."
    if not any(row.signals.flags for row in rows):
        return "Nothing was told: is the layer switched off?"
    return f"{len(rows)} invocations, {cold} of them cold starts; the signals agree on every one."


def is_right(rows: Sequence[Row]) -> bool:
    """Whether something was told, and all of it is right."""
    return all(row.right for row in rows) and any(row.signals.flags for row in rows)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table, how to read it, and its summary."""
    console.print(table(rows))
    console.print(_LEGEND, style="dim", highlight=False)
    console.print(summary(rows), highlight=False)
