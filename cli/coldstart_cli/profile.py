"""Reads the lines that a start writes under COLDSTART_PROFILE=on, and picks the one to look at."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_MARK = "coldstart_profile"
# Where a profile begins, with its first quote as it is in JSON, in a string in JSON, in CSV, ...
_BEGIN = re.compile(r'\{\s*([\\"]*)coldstart_profile')
# The rest of a string in JSON.
_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*')
_DECODER = json.JSONDecoder()
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
# The layer writes less; each time that a line is quoted, it may get twice as long.
_LONGEST = 16_000
_MOST_QUOTED = 4
_MOST_MODULES = 100
_LONGEST_TEXT = 300
_LONGEST_REASON = 200


# Of an invocation, which may import as well: Lambda ends it after 15 minutes.
_LONGEST_MS = 15 * 60 * 1000.0


class ProfileError(Exception):
    """There is nothing to show; the message says so in one line."""


@dataclass(frozen=True)
class Module:
    """One module's import, in milliseconds.

    Attributes:
        depth: how many of the listed modules it lies in; each one follows what it lies in.
        own_ms: without what it imported.
        total_ms: with it.
        size: of its file in bytes; None where it has none.
        origin: ``function``, ``layer``, ``runtime``, ``standard library``, ``client`` (a client of
            boto3's, made while a module was imported), ``not imported`` (not found, or failed) or
            ``other``.
    """

    name: str
    depth: int
    own_ms: float
    total_ms: float
    size: int | None
    origin: str


@dataclass(frozen=True)
class Imports:
    """What was imported in an init, or in a first invocation."""

    total_ms: float
    by_origin_ms: dict[str, float]
    modules: tuple[Module, ...]
    others: int
    others_ms: float
    compiled: int
    compiled_ms: float


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        function: its name, and its version if that has a number.
        handler: as in Lambda, ``module.function``.
        init_ms: from the start of the wrapper until the handler was loaded.
        parts_ms: what that was spent on, in order.
        init: what was imported with the handler.
        first_invocation: what was imported after that, if anything was.
    """

    function: str
    handler: str
    runtime: str
    memory_mb: int | None
    initialization_type: str
    log_stream: str | None
    init_ms: float
    parts_ms: dict[str, float]
    init: Imports
    first_invocation: Imports | None = None


@dataclass
class Found:
    """What was found in logs.

    Attributes:
        starts: whole ones, in the order of their lines.
        unreadable: a line of text for each profile that is damaged.
        without_init: how many first invocations there are whose init is not in the logs.
        named: whether a line names a profile and has none.
    """

    starts: list[Start] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    without_init: int = 0
    named: bool = False


def read(lines: Iterable[str]) -> Found:
    """Find the profiles in log lines.

    Args:
        lines: as CloudWatch or `aws logs` give them: bare, behind a timestamp, in JSON events, or
            as CSV. Lines of any other kind may be between them. Read one by one.
    """
    found = Found()
    latest: dict[tuple[str, str | None], int] = {}
    for number, line in enumerate(lines, 1):
        if _MARK not in line:
            continue
        profiles = list(_profiles(line))
        found.named |= not profiles
        for told in profiles:
            try:
                if isinstance(told, Exception):
                    raise told
                start_key = _function(told), told.get("log_stream")
                if told[_MARK] == "init":
                    found.starts.append(_start(told))
                    latest[start_key] = len(found.starts) - 1
                elif start_key in latest:
                    index = latest[start_key]
                    imports = _imports(told)
                    found.starts[index] = replace(found.starts[index], first_invocation=imports)
                else:
                    found.without_init += 1
            except _DAMAGE as error:
                reason = _printable(f"{type(error).__name__}: {error}")[:_LONGEST_REASON]
                found.unreadable.append(
                    f"line {number} has a profile that is cut off or damaged: {reason}"
                )
    return found


def _profiles(text: str, depth: int = 0) -> Iterator[dict[str, Any] | Exception]:
    """Each profile in a line, or why it is none; where it is quoted, however often, unquoted."""
    position = 0
    while begin := _BEGIN.search(text, position):
        position = begin.end()
        piece = text[begin.start() : begin.start() + (_LONGEST << _MOST_QUOTED - depth)]
        quote = begin[1]
        try:
            if quote == '"':
                told, end = _DECODER.raw_decode(piece)
                position = begin.start() + end
                yield told
                continue
            if depth == _MOST_QUOTED:
                continue
            if quote.endswith('""'):  # CSV doubles quotes
                inner, length = piece.replace('""', '"'), 0
            elif content := _STRING.match(piece):
                inner, length = json.loads(f'"{content[0]}"', strict=False), content.end()
            else:
                continue
        except _DAMAGE as error:
            yield error
            continue
        if length:
            position = begin.start() + length
            yield from _profiles(inner, depth + 1)
        else:
            yield from itertools.islice(_profiles(inner, depth + 1), 1)


def _function(told: dict[str, Any]) -> str:
    version = told.get("function_version")
    name = _printable(told["function_name"])
    return name if version in (None, "$LATEST") else f"{name}:{_printable(version)}"


def _start(told: dict[str, Any]) -> Start:
    memory = told.get("memory_size")
    return Start(
        function=_function(told),
        handler=_printable(told.get("handler", "")),
        runtime=_printable(told["runtime"]),
        memory_mb=memory if isinstance(memory, int) else None,
        initialization_type=_printable(told["initialization_type"]),
        log_stream=told.get("log_stream"),
        init_ms=_ms(told["init_ms"]),
        parts_ms={_printable(name): _ms(ms) for name, ms in told["parts_ms"].items()},
        init=_imports(told),
    )


def _imports(told: dict[str, Any]) -> Imports:
    modules = tuple(
        Module(
            name=_printable(module["name"]),
            depth=_count(module["depth"]),
            own_ms=_ms(module["own_ms"]),
            total_ms=_ms(module["total_ms"]),
            size=None if module["bytes"] is None else _count(module["bytes"]),
            origin=_printable(module["origin"]),
        )
        for module in told["modules"][:_MOST_MODULES]
    )
    for module, before in zip(modules, (None, *modules), strict=False):
        if module.depth > (-1 if before is None else before.depth) + 1:
            raise ValueError(f"{module.name} lies in a module that is missing")
    return Imports(
        total_ms=_ms(told["imports_ms"]),
        by_origin_ms={_printable(name): _ms(ms) for name, ms in told["origins_ms"].items()},
        modules=modules,
        others=_count(told["remainder"]["modules"]),
        others_ms=_ms(told["remainder"]["own_ms"]),
        compiled=_count(told["compiled"]["modules"]),
        compiled_ms=_ms(told["compiled"]["ms"]),
    )


def _ms(value: Any) -> float:
    number = float(value)
    # What is rounded may be a little less than it should.
    if not -0.01 < number < _LONGEST_MS:
        raise ValueError(f"{value!r} is no number of milliseconds")
    return max(number, 0.0)


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number")
    return value


def _printable(value: Any) -> str:
    """As text of one line, whatever a module or function is called."""
    text = str(value)[:_LONGEST_TEXT]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def of_function(found: Found, function: str | None) -> list[Start]:
    """The starts of one function.

    Args:
        found: what was found, of any function.
        function: its name as in ``Start.function``; None if there is only one.

    Raises:
        ProfileError: there is none, or more than one and none was chosen.
    """
    starts = found.starts
    if found.without_init and not starts:
        raise ProfileError(
            "there are only lines of first invocations; that of the init was written before them,"
            " so look further back"
        )
    if found.named and not starts:
        raise ProfileError(
            "no profile found, though the logs name one; it has to be in one line, as the layer"
            " wrote it"
        )
    if found.unreadable and not starts:
        raise ProfileError("no profile that can be read")
    if not starts:
        raise ProfileError(
            "no profile found; set COLDSTART_PROFILE=on on the function and look at the log lines"
            " of its next start"
        )
    names = sorted({start.function for start in starts})
    if function is None and len(names) > 1:
        raise ProfileError(f"{len(names)} functions: choose one with --function: {_listed(names)}")
    chosen = [start for start in starts if function in (None, start.function)]
    if not chosen:
        raise ProfileError(f"no profile of {function}; there are profiles of: {_listed(names)}")
    return chosen


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


def pick(starts: Sequence[Start], slowest: bool) -> Start:
    """The start whose init is the median one, or the longest one."""
    ranked = sorted(starts, key=lambda start: start.init_ms)
    return ranked[-1] if slowest else ranked[(len(ranked) - 1) // 2]


@dataclass
class Bar:
    """A bar of a flame graph: ``parts`` lie in it, side by side, and are at most as long."""

    name: str
    ms: float
    origin: str
    own_ms: float = 0.0
    size: int | None = None
    parts: list[Bar] = field(default_factory=list)


def flame(start: Start) -> list[Bar]:
    """The init, and the imports of the first invocation if there were any, as bars."""
    init = Bar("init", start.init_ms, "start")
    for name, ms in start.parts_ms.items():
        part = Bar(name, ms, "start")
        if name == "handler":
            part.parts = _bars(start.init, ms)
        init.parts.append(part)
    if start.first_invocation is None:
        return [init]
    total = start.first_invocation.total_ms
    return [
        init,
        Bar("first invocation", total, "start", 0, None, _bars(start.first_invocation, total)),
    ]


def _bars(imports: Imports, ms: float) -> list[Bar]:
    top = Bar("", ms, "start")
    path = [top]
    for module in imports.modules:
        bar = Bar(module.name, module.total_ms, module.origin, module.own_ms, module.size)
        del path[module.depth + 1 :]
        path[-1].parts.append(bar)
        path.append(bar)
    _fill(top)
    return top.parts


def _fill(bar: Bar) -> None:
    """Add a bar for the modules that are not listed, so that nothing of the time is left out."""
    for part in bar.parts:
        _fill(part)
    others = bar.ms - bar.own_ms - sum(part.ms for part in bar.parts)
    if others > 0.0005:
        bar.parts.append(Bar("other modules", others, "others"))
