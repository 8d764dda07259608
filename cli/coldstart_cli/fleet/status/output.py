"""Shows the status of functions: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.containers import Lines
from rich.text import Text

from coldstart_cli.fleet.attach.output import functions
from coldstart_cli.fleet.status.problems import Problem
from coldstart_cli.fleet.status.served import LATEST, Provisioned, snap_start
from coldstart_cli.fleet.status.signals import log_format, tracing_mode
from coldstart_cli.fleet.status.status import FunctionStatus, Status
from coldstart_cli.fleet.status.unknowns import NotKnown
from coldstart_cli.fleet.wiring import OUR_WRAPPER, layer_version

_GAP = 1
_MOST_NAMES = 3
# Of the column with names, where others need the room: longer names get a line of their own.
_NARROWEST_NAME = 8
_IMAGES = (
    "Of a container image, its layers cannot be seen from outside: only what its variables say, and"
    " not those that are set in the image."
)


def show(status: Status, console: Console, several_regions: bool) -> None:
    """Print a line for each function, below it what keeps signals from arriving, and a summary."""
    rows = [_cells(one, several_regions) for one in status.functions]
    widths = _widths([_HEAD, *rows], console.width)
    _print_row(_HEAD, widths, "bold", console)
    for one, (name, *cells) in zip(status.functions, rows, strict=True):
        style = "" if one.layer is not None or one.problems else "dim"
        if cell_len(name) > widths[0]:
            console.print(Text(name, style), overflow="fold")
            name = ""
        _print_row((name, *cells), widths, style, console)
        for problem in one.problems:
            _print_problem(problem, console)
    console.print()
    console.print(_summary(status), highlight=False)
    if any(one.function.is_image for one in status.functions):
        console.print(_IMAGES, highlight=False)


def not_known(one: NotKnown) -> str:
    """A line on something that could not be found out."""
    named = ", ".join(one.of[:_MOST_NAMES])
    more = len(one.of) - _MOST_NAMES
    return f"not known: {one.what} ({named}{f' and {more:,} more' * (more > 0)}): {one.why}"


def nothing(status: Status) -> str:
    """Why there is nothing to show."""
    if status.skipped:
        return f"no Python function matches ({functions(status.skipped)} with other runtimes)"
    return "no function matches"


_HEAD = ("function", "runtime", "layer", "wrappers", "init type", "tracing", "logs")


def _cells(one: FunctionStatus, several_regions: bool) -> list[str]:
    function = one.function
    return [
        f"{function.name} ({function.region})" if several_regions else function.name,
        str(function.configuration.get("Runtime") or "-"),
        _layer(one),
        _wrappers(one.wrappers),
        _initialization(one),
        tracing_mode(function),
        _logs(one),
    ]


def _layer(one: FunctionStatus) -> str:
    if one.function.is_image:
        return "image"
    if one.layer is None:
        return "-"
    number, account = layer_version(one.layer), one.layer.split(":")[4]
    if account != one.function.arn.split(":")[4]:
        return f"{number} (of {account})"
    if one.newest is not None and one.newest > number:
        return f"{number} ({one.newest} is newest)"
    return str(number)


def _wrappers(paths: Sequence[str] | None) -> str:
    if paths is None:
        return "not readable"
    names = ["coldstart" if path == OUR_WRAPPER else path.rpartition("/")[2] for path in paths]
    return " > ".join(names) or "-"


def _initialization(one: FunctionStatus) -> str:
    configuration = one.function.configuration
    if configuration.get("CapacityProviderConfig"):
        return "managed instances"
    if snap_start(one.function):
        return "SnapStart"
    if one.serving.provisioned is None:
        return "not known"
    return ", ".join(_provisioned(each) for each in one.serving.provisioned) or "on-demand"


def _provisioned(one: Provisioned) -> str:
    ready = "" if one.allocated in (None, one.requested) else f", {one.allocated} ready"
    return f"provisioned {one.requested} ({one.qualifier}{ready})"


def _logs(one: FunctionStatus) -> str:
    kind, system_level = log_format(one.function)
    if system_level is None:
        return kind
    config = one.function.configuration["LoggingConfig"]
    return f"{kind} {config.get('ApplicationLogLevel', 'INFO')}/{system_level}"


def _summary(status: Status) -> str:
    with_layer = sum(one.layer is not None for one in status.functions)
    images = sum(one.function.is_image for one in status.functions)
    troubled = sum(bool(one.problems) for one in status.functions)
    said = [f"{with_layer:,} with the layer"]
    said += [f"{images:,} container image{'s' * (images > 1)}"] if images else []
    said += [f"{troubled:,} with something that keeps a signal from arriving"] if troubled else []
    said += [f"{status.skipped:,} with other runtimes left out"] if status.skipped else []
    return f"{functions(len(status.functions) + status.skipped)}: {', '.join(said)}."


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as the longest cell, if there is room for that; if not, the widest give way.

    Cells are broken between words, and names not at all.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    least = [max(cell_len(word) for cell in column for word in cell.split()) for column in columns]
    least[0] = min(widths[0], _NARROWEST_NAME)
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    while over > 0:
        spare = [have - need for have, need in zip(widths, least, strict=True)]
        if max(spare) <= 0:
            break
        widths[spare.index(max(spare))] -= 1
        over -= 1
    return widths


def _print_row(cells: Sequence[str], widths: Sequence[int], style: str, console: Console) -> None:
    wrapped = [
        Text(cell).wrap(console, width, overflow="fold") if cell else Lines()
        for cell, width in zip(cells, widths, strict=True)
    ]
    for texts in zip_longest(*wrapped, fillvalue=Text()):
        plain = [text.plain.rstrip() for text in texts]
        padded = [
            text + " " * (width + _GAP - cell_len(text))
            for text, width in zip(plain, widths, strict=True)
        ]
        line = "".join(padded).rstrip()
        console.print(Text(line, style), no_wrap=True, overflow="ignore", crop=False)


def _print_problem(problem: Problem, console: Console) -> None:
    where = "" if problem.where == (LATEST,) else f"{', '.join(problem.where)}: "
    text = Text(f"{where}{problem.what}", style="yellow")
    text.append(f" - {problem.cure}", style="default")
    for number, line in enumerate(text.wrap(console, max(console.width - 4, 20))):
        line.rstrip()
        console.print(Text("    " if number else "  ! ", style="yellow") + line)


def as_json(status: Status) -> str:
    """The same, and more exactly, as a JSON object."""
    return json.dumps(
        {
            "functions": [_as_dict(one) for one in status.functions],
            "missing": list(status.selected.missing),
            "not_known": [
                {"what": one.what, "of": list(one.of), "why": one.why} for one in status.not_known
            ],
        },
        indent=2,
    )


def _as_dict(one: FunctionStatus) -> dict[str, Any]:
    function, serving = one.function, one.serving
    config = function.configuration.get("LoggingConfig", {})
    kind, system_level = log_format(function)
    managed = bool(function.configuration.get("CapacityProviderConfig"))
    return {
        "function": function.name,
        "arn": function.arn,
        "region": function.region,
        "runtime": function.configuration.get("Runtime") or None,
        "package": function.configuration.get("PackageType", "Zip"),
        "attached": one.attached,
        "layer": one.layer,
        "layer_version": layer_version(one.layer) if one.layer else None,
        "newest_version": one.newest,
        "wrappers": None if one.wrappers is None else list(one.wrappers),
        "managed_instances": managed,
        "snap_start": snap_start(function),
        "provisioned": None
        if serving.provisioned is None
        else [
            {
                "on": each.qualifier,
                "requested": each.requested,
                "ready": each.allocated,
                "status": each.status,
            }
            for each in serving.provisioned
        ],
        "aliases": None
        if serving.aliases is None
        else {alias.name: list(alias.versions) for alias in serving.aliases},
        "tracing": tracing_mode(function),
        "logs": {
            "group": function.log_group,
            "class": one.log_class,
            "format": kind,
            "level": config.get("ApplicationLogLevel", "INFO") if system_level else None,
            "system_level": system_level,
        },
        "problems": [
            {
                "kind": problem.kind,
                "where": list(problem.where),
                "what": problem.what,
                "cure": problem.cure,
                "source": problem.source,
            }
            for problem in one.problems
        ],
    }
