"""Shows a profiled start: tables for people, JSON for programs, a flame graph, for speedscope."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import coldstart_layer
import jinja2
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coldstart_cli.profile import Bar, Imports, Module, Start, flame
from coldstart_cli.profile_advice import Advice

_PARTS = {
    "wrapper": "the exec wrapper",
    "interpreter": "Python until it runs the layer",
    "layer": "the layer",
    "runtime": "Lambda's runtime until it loads the handler",
    "handler": "the handler's module and what it imports",
}
_ORIGINS = {
    "function": "the function's package",
    "layer": "layers",
    "runtime": "packages beside Python: on Lambda, its runtime's",
    "standard library": "Python's standard library",
    "client": "clients of boto3",
    "not imported": "not found, or failed",
    "other": "elsewhere, or not known",
}


_EARLY = "Imported with the handler"
_LATE = "Imported in the first invocation"
_SELECTION = (
    "Listed are those that took longest with what they import, and those that took longest"
    " themselves."
)
_SMALL = 9_950  # bytes


def title(start: Start) -> str:
    """Which function it was."""
    memory = f", {start.memory_mb} MB" if start.memory_mb else ""
    return f"{start.function} ({start.runtime}{memory}, {start.initialization_type})"


def summary(start: Start, starts: Sequence[Start]) -> str:
    """How long its init took, and which of them it is."""
    took = f"init {start.init_ms:.0f} ms"
    if len(starts) == 1:
        return took
    all_ms = sorted(one.init_ms for one in starts)
    if start.init_ms == all_ms[-1]:
        which = "the slowest"
    elif len(starts) == 2:
        which = "the faster"
    else:
        which = "the median" if len(starts) % 2 else "the lower median"
    types = ", ".join(sorted({one.initialization_type for one in starts}))
    mixed = "" if types == start.initialization_type else f" ({types})"
    return (
        f"{took}: {which} of {len(starts)} starts{mixed}, from {all_ms[0]:.0f} to"
        f" {all_ms[-1]:.0f} ms"
    )


def heading(what: str, imports: Imports) -> str:
    """Above a table of modules, which is a selection."""
    listed = len(imports.modules)
    of = f": {listed} of {listed + imports.others} modules" if imports.others else ""
    return f"{what}{of}"


def nothing(with_source: bool) -> str:
    """In place of advice."""
    more = "" if with_source else "; with --source FOLDER your code is looked at, too"
    return f"Nothing stands out that could be left out{more}."


def show(
    start: Start,
    starts: Sequence[Start],
    given: Sequence[Advice],
    with_source: bool,
    console: Console,
) -> None:
    """Print where the time went, the modules ranked, and the advice.

    Args:
        start: the start to show.
        starts: those that it was chosen from.
        given: the advice.
        with_source: whether the function's code was read for it.
        console: where to print.
    """
    console.print(Text(title(start), style="bold"))
    console.print(Text(summary(start, starts)))
    console.print()
    console.print(_parts(start))
    console.print()
    console.print(_modules(heading(_EARLY, start.init), start.init, "% of init", start.init_ms))
    console.print(
        "own ms: without what it imports in its turn; kB: of its file. "
        + (_SELECTION if start.init.others else ""),
        style="dim",
    )
    if start.first_invocation is not None:
        console.print()
        late = start.first_invocation
        console.print(_modules(heading(_LATE, late), late, "% of these", late.total_ms))
    console.print()
    if given:
        console.print("What to do about it", style="bold")
        listed = Table.grid(padding=(0, 1, 0, 0))
        for number, one in enumerate(given, 1):
            listed.add_row(f"{number}.", Text(one.text))
        console.print(listed)
    else:
        console.print(nothing(with_source), highlight=False)


def _parts(start: Start) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column("what the init went to")
    table.add_column("ms", justify="right")
    table.add_column("%", justify="right")
    for name, ms in start.parts_ms.items():
        table.add_row(
            Text(_PARTS.get(name, name)), f"{ms:.1f}", f"{_percent(ms, start.init_ms):.0f}"
        )
    for origin, ms in sorted(start.init.by_origin_ms.items(), key=lambda item: -item[1]):
        if ms >= 0.05:
            share = f"{_percent(ms, start.init_ms):.0f}"
            table.add_row(
                Text(f"  {_ORIGINS.get(origin, origin)}"), f"{ms:.1f}", share, style="dim"
            )
    return table


def _ranked(imports: Imports) -> list[Module]:
    return sorted(imports.modules, key=lambda module: -module.total_ms)


def _modules(title: str, imports: Imports, percent_of: str, whole_ms: float) -> Table:
    table = Table(
        box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False, header_style="bold",
        title=title, title_justify="left", title_style="bold",
    )  # fmt: skip
    table.add_column("module", overflow="fold")
    table.add_column("ms", justify="right")
    table.add_column(percent_of, justify="right")
    table.add_column("own ms", justify="right")
    table.add_column("kB", justify="right")
    table.add_column("from", no_wrap=True)
    for module in _ranked(imports):
        table.add_row(
            Text(module.name),
            f"{module.total_ms:.1f}",
            f"{_percent(module.total_ms, whole_ms):.0f}",
            f"{module.own_ms:.1f}",
            "" if module.size is None else kilobytes(module.size),
            Text(module.origin),
        )
    if imports.others:
        table.add_row(
            f"{imports.others} other modules",
            "",
            f"{_percent(imports.others_ms, whole_ms):.0f}",
            f"{imports.others_ms:.1f}",
            style="dim",
        )
    return table


def kilobytes(size: int) -> str:
    """A size in bytes, in kB."""
    return f"{size / 1000:.1f}" if size < _SMALL else f"{size / 1000:.0f}"


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def as_json(start: Start, starts: Sequence[Start], given: Sequence[Advice]) -> str:
    """The same as a JSON object."""
    return json.dumps(
        {
            "starts": len(starts),
            "start": dataclasses.asdict(start),
            "advice": [dataclasses.asdict(one) for one in given],
        },
        indent=2,
    )


@dataclasses.dataclass
class _Placed:
    bar: Bar
    left: float
    width: float
    depth: int


def _place(bars: Sequence[Bar], left: float, scale: float, depth: int) -> Iterator[_Placed]:
    """Each bar in percent of the width of the page."""
    for bar in bars:
        width = bar.ms * scale
        yield _Placed(bar, left, width, depth)
        yield from _place(bar.parts, left, scale, depth + 1)
        left += width


def html(start: Start, starts: Sequence[Start], given: Sequence[Advice], with_source: bool) -> str:
    """The flame graph, with the tables and the advice, as a page of its own."""
    bars = flame(start)
    whole = sum(bar.ms for bar in bars)
    placed = list(_place(bars, 0.0, 100 / whole if whole else 0.0, 0))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("profile.html.jinja").render(
        title=title(start),
        summary=summary(start, starts),
        start=start,
        placed=placed,
        rows=1 + max(one.depth for one in placed),
        tables=[
            (heading(what, imports), _ranked(imports), imports)
            for what, imports in ((_EARLY, start.init), (_LATE, start.first_invocation))
            if imports is not None
        ],
        kilobytes=kilobytes,
        selection=_SELECTION,
        nothing=nothing(with_source),
        parts=_PARTS,
        origins=_ORIGINS,
        advice=given,
        version=coldstart_layer.__version__,
    )


def speedscope(start: Start) -> str:
    """The start as a file for https://www.speedscope.app.

    Format: speedscope's wiki, "Importing from custom sources"; a sampled profile.
    """
    frames: dict[str, int] = {}
    samples: list[list[int]] = []
    weights: list[float] = []

    def add(bars: Sequence[Bar], stack: list[int]) -> None:
        for bar in bars:
            here = [*stack, frames.setdefault(bar.name, len(frames))]
            own = bar.ms - sum(part.ms for part in bar.parts)
            if own > 0:
                samples.append(here)
                weights.append(round(own, 3))
            add(bar.parts, here)

    add(flame(start), [])
    profile: dict[str, Any] = {
        "type": "sampled",
        "name": title(start),
        "unit": "milliseconds",
        "startValue": 0,
        "endValue": round(sum(weights), 3),
        "samples": samples,
        "weights": weights,
    }
    return json.dumps(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "name": title(start),
            "exporter": f"coldstart {coldstart_layer.__version__}",
            "shared": {"frames": [{"name": name} for name in frames]},
            "profiles": [profile],
        }
    )
