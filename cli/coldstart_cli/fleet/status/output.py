"""Shows the status of functions: a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.containers import Lines
from rich.text import Text

from coldstart_cli.fleet.attach.output import functions
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status.problems import Problem
from coldstart_cli.fleet.status.served import LATEST, Provisioned, snap_start
from coldstart_cli.fleet.status.shared_problems import nameless, shared_problems
from coldstart_cli.fleet.status.signals import log_format, tracing_mode
from coldstart_cli.fleet.status.status import FunctionStatus, Status
from coldstart_cli.fleet.status.unknowns import NotKnown
from coldstart_cli.fleet.wiring import is_our_wrapper, layer_version

_GAP = 1
_MOST_NAMES = 3
# Of the column with names, where others need the room: longer names get a line of their own.
_NARROWEST_NAME = 8
_IMAGES = (
    "Of a container image, its layers cannot be seen from outside: only what its variables say, and"
    " not those that are set in the image."
)


def show(status: Status, console: Console, several_regions: bool) -> None:
    """Print a line for each function, below it what is to be put right, and a summary.

    What more than three functions have alike comes once, behind all of them.
    """
    shared = shared_problems(status.functions)
    told_once = {one.problem for one in shared}
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
            if nameless(problem, one.function) not in told_once:
                _print_problem(problem, console)
    if shared:
        console.print()
    for each in shared:
        _print_problem(each.problem, console, f"{_who(each.functions, several_regions)}: ")
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
        tracing_mode(function) or "-",
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
    names = ["coldstart" if is_our_wrapper(path) else path.rpartition("/")[2] for path in paths]
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
    silent = sum(any(each.keeps_signal for each in one.problems) for one in status.functions)
    other = sum(bool(one.problems) for one in status.functions) - silent
    said = [f"{with_layer:,} with the layer"]
    said += [f"{images:,} container image{'s' * (images > 1)}"] if images else []
    said += [f"{silent:,} with something that keeps a signal from arriving"] if silent else []
    said += [f"{other:,} with something else to look at"] if other else []
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


def _who(some: Sequence[FleetFunction], several_regions: bool) -> str:
    """Several functions: how many, and the first of them."""
    names = [f"{one.name} ({one.region})" if several_regions else one.name for one in some]
    more = f" and {len(names) - _MOST_NAMES:,} more"
    return f"{functions(len(some))} ({', '.join(names[:_MOST_NAMES])}{more})"


def _print_problem(problem: Problem, console: Console, who: str = "") -> None:
    where = "" if problem.where == (LATEST,) else f"{', '.join(problem.where)}: "
    text = Text(f"{who}{where}{problem.what}", style="yellow")
    text.append(f" - {problem.cure}", style="default")
    for number, line in enumerate(text.wrap(console, max(console.width - 4, 20))):
        line.rstrip()
        console.print(Text("    " if number else "  ! ", style="yellow") + line)
