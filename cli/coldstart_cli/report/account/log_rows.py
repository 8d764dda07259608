"""What the rows of the answers to ``log_queries`` say.

Whatever a row has that cannot be is no figure: the row is damaged, and told of as such.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TypeVar

from coldstart_cli.report.account.insights_query import Row

_MOST = 1e15  # of anything: as milliseconds that is 30,000 years

Line = TypeVar("Line")


class DamagedRow(Exception):  # noqa: N818 - it is what was found
    """A row that does not say what it was asked for."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the REPORT lines of a function in a part of the window came to."""

    group: str
    stream_function: str | None  # as the name of the log stream says
    at: int  # epoch seconds, of the part's begin
    requests: int
    billed_ms: float
    max_memory_mb: int | None
    memory_size_mb: int | None = None


@dataclass(frozen=True, slots=True)
class LayerLine:
    """The layer's line of a start."""

    group: str
    stream: str
    stream_function: str | None
    at: float  # epoch seconds
    request_id: str | None
    function: str
    start_type: str
    cold_start: bool


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A REPORT line with an Init Duration or a Restore Duration."""

    group: str
    stream: str
    stream_function: str | None
    at: float  # epoch seconds, of the request's end
    request_id: str | None
    duration_ms: float
    billed_ms: float
    init_ms: float | None
    restore_ms: float | None
    memory_size_mb: int | None = None


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """An INIT_START line, or the INIT_REPORT line of an init that failed."""

    group: str
    stream: str
    stream_function: str | None
    at: float  # epoch seconds
    failed: bool


@dataclass
class Starts:
    """The lines of starts."""

    layer: list[LayerLine] = field(default_factory=list)
    reports: list[ReportLine] = field(default_factory=list)
    phases: list[PhaseLine] = field(default_factory=list)


def read_totals(rows: Iterable[Row]) -> tuple[list[Totals], list[Row]]:
    """The rows of ``log_queries.totals``; and those that are damaged."""
    return _read(rows, _totals)


def _totals(row: Row) -> Totals:
    max_memory, size = _number_or_none(row, "memory"), _number_or_none(row, "memory_size")
    return Totals(
        group=_group(row),
        stream_function=row.get("stream_function") or None,
        at=int(_epoch(next((row[name] for name in row if name.startswith("bin(")), ""))),
        requests=int(_number(row, "requests")),
        billed_ms=_number(row, "billed"),
        max_memory_mb=None if max_memory is None else round(max_memory),
        memory_size_mb=round(size) if size else None,
    )


def read_starts(rows: Iterable[Row]) -> tuple[Starts, list[Row]]:
    """The rows of ``log_queries.STARTS``; and those that are damaged."""
    starts = Starts()
    lines, damaged = _read(rows, _start)
    for line in lines:
        if isinstance(line, LayerLine):
            starts.layer.append(line)
        elif isinstance(line, PhaseLine):
            starts.phases.append(line)
        else:
            starts.reports.append(line)
    return starts, damaged


def _start(row: Row) -> LayerLine | PhaseLine | ReportLine:
    where = (_group(row), _text(row, "@logStream"), row.get("stream_function") or None)
    at, request = _epoch(_text(row, "@timestamp")), row.get("request") or None
    if row.get("start_type"):
        cold = row.get("cold_start") == "1"
        return LayerLine(*where, at, request, row.get("name", ""), row["start_type"], cold)
    if phase := row.get("phase"):
        return PhaseLine(*where, at, failed=phase in ("INIT_REPORT", "initReport"))
    size = _number_or_none(row, "memory_size")
    init_ms = _number(row, "init_ms") if row.get("init_ms") else None
    restore_ms = _number(row, "restore_ms") if row.get("restore_ms") else None
    if init_ms is None and restore_ms is None:
        raise DamagedRow("it was asked for because it has one of them")
    return ReportLine(
        *where,
        at,
        request,
        duration_ms=_number(row, "duration_ms"),
        billed_ms=_number(row, "billed_ms"),
        init_ms=init_ms,
        restore_ms=restore_ms,
        memory_size_mb=round(size) if size else None,
    )


def read_reported(rows: Iterable[Row]) -> tuple[list[tuple[str, str, str]], list[Row]]:
    """The rows of ``log_queries.reports_of``: log group, stream, request id; and the damaged."""
    return _read(rows, lambda row: (_group(row), _text(row, "@logStream"), _text(row, "request")))


def group_of(row: Row) -> str | None:
    """The log group that a row is of; None: it does not say."""
    try:
        return _group(row)
    except DamagedRow:
        return None


def _read(rows: Iterable[Row], read: Callable[[Row], Line]) -> tuple[list[Line], list[Row]]:
    lines, damaged = [], []
    for row in rows:
        try:
            lines.append(read(row))
        except DamagedRow:
            damaged.append(row)
    return lines, damaged


def _text(row: Row, name: str) -> str:
    if not row.get(name):
        raise DamagedRow(f"it has no {name}")
    return row[name]


def _group(row: Row) -> str:
    log = _text(row, "@log")
    return log.partition(":")[2] or log  # <account>:<group>


def _epoch(text: str) -> float:
    """Of a time as in rows, "2026-11-26 10:00:00.000", which is UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise DamagedRow(f"{text!r} is no time") from None


def _number(row: Row, name: str) -> float:
    number = _number_or_none(row, name)
    if number is None:
        raise DamagedRow(f"{name} is no number")
    return number


def _number_or_none(row: Row, name: str) -> float | None:
    try:
        number = float(row.get(name) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number < _MOST else None
