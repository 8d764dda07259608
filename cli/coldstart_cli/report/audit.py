"""Compares what the layer said of each start with what the platform's REPORT lines say.

One request may be handled several times (Lambda tries an asynchronous one up to three times), so
a line belongs to another if both the request id and the log stream are the same.

What the platform says and the layer does not have to agree with:

- A ``reinit`` has no Init Duration: Lambda runs the init again within the invocation ("suppressed
  init", "Understanding the Lambda execution environment lifecycle" in the developer guide).
- ``provisioned``, ``proactive`` and ``managed`` starts may have one or none: "Init Duration - For
  the first request served", says the guide, also where the request did not wait for that init.
- A request at the edge of the window may have one of its two lines outside of it.
- Before the layer's first line in the window it may not have been attached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from coldstart_cli.report.figures import Contradiction
from coldstart_cli.report.log_queries import LayerLine, ReportLine

_READY_BEFORE = ("provisioned", "proactive", "managed")
# The lines of a request are written by different processes of the platform.
_SLACK = 1.0  # seconds

Key = tuple[str | None, str]  # request id, log stream


@dataclass(frozen=True)
class Audit:
    """What came of comparing."""

    contradictions: tuple[Contradiction, ...]
    # Starts of which the layer said that the request waited, and no REPORT line says so: a
    # contradiction if the request has a REPORT line at all, which has to be asked for.
    unconfirmed: tuple[LayerLine, ...]
    # Starts of the platform's lines before the layer's first line, which were not compared.
    before_the_layer: int


def audit(layer: Sequence[LayerLine], reports: Iterable[ReportLine], begin: float) -> Audit:
    """Compare the lines of one function.

    Args:
        layer: the layer's lines in the window.
        reports: the REPORT lines with Init Duration or Restore Duration.
        begin: of the window, in epoch seconds.
    """
    said: dict[Key, list[LayerLine]] = defaultdict(list)
    for line in layer:
        said[_key(line)].append(line)
    first = min((line.at for line in layer), default=float("inf"))
    found = []
    before = 0
    confirmed = set()
    for report in reports:
        confirmed.add(_key(report))
        lines = said.get(_key(report), [])
        if lines:
            kind = _kind(report, {line.start_type for line in lines}, lines)
        else:
            began = report.at - report.duration_ms / 1000
            if began - _SLACK < begin:
                continue
            if report.at < first:
                before += 1
                continue
            kind = "restored-without-restore" if report.init_ms is None else "init-without-line"
        if kind is not None:
            said_type = lines[0].start_type if lines else None
            found.append(
                Contradiction(kind, report.request_id or "-", report.stream, report.at, said_type)
            )
    unconfirmed = tuple(
        line
        for line in layer
        if line.start_type in ("cold", "restore")
        and line.request_id is not None
        and _key(line) not in confirmed
    )
    return Audit(tuple(found), unconfirmed, before)


def reported_otherwise(
    unconfirmed: Iterable[LayerLine], reported: Collection[tuple[str, str, str]]
) -> list[Contradiction]:
    """Those unconfirmed starts that are contradictions.

    Args:
        unconfirmed: as of ``audit``.
        reported: log group, log stream and request id of the REPORT lines that there are.
    """
    kinds = {"cold": "cold-without-init", "restore": "restore-without-restore"}
    return [
        Contradiction(
            kinds[line.start_type], line.request_id or "-", line.stream, line.at, line.start_type
        )
        for line in unconfirmed
        if (line.group, line.stream, line.request_id) in reported
    ]


def _kind(report: ReportLine, types: set[str], lines: Sequence[LayerLine]) -> str | None:
    if types.intersection(_READY_BEFORE):
        return None
    if report.restore_ms is not None:
        return None if "restore" in types else "restored-without-restore"
    return None if any(line.cold_start for line in lines) else "init-without-cold"


def _key(line: LayerLine | ReportLine) -> Key:
    return line.request_id, line.stream
