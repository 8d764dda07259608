"""Compares what the layer said of each start with what the platform's lines say.

One request may be handled several times (Lambda tries an asynchronous one up to three times), so
a line belongs to another if both the request id and the log stream are the same.

What is as it should be:

- A start after an init that failed or timed out has no Init Duration: Lambda runs the init again in
  the invocation ("Understanding the Lambda execution environment lifecycle" in the developer
  guide). The layer calls it reinit, or cold if the first init ended before the layer was there.
  Where no init succeeds, it says nothing.
- The first REPORT of an environment that was ready before the request has the Init Duration (or
  Restore Duration) of back then ("Configuring provisioned concurrency" there). Unless INIT_START
  shows that the init ended when the request began: then it was waited for.
- A request at the begin of the window may have the layer's line before it.
- A version of the function may not have the layer, and $LATEST may have got it within the window.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coldstart_cli.report.account.log_rows import LayerLine, PhaseLine, ReportLine
from coldstart_cli.report.figures import Contradiction

_READY_BEFORE = {"proactive", "provisioned", "managed", "reinit"}
_FAILED_BEFORE, _FAILED_AFTER = 15.0, 1.0  # seconds, an INIT_REPORT before the start it made slow
_NO_GAP = 0.1  # seconds, between the end of an init and the request that waited for it

Key = tuple[str | None, str]  # request id, log stream


@dataclass(frozen=True)
class Audit:
    """What came of comparing."""

    contradictions: tuple[Contradiction, ...]
    # Starts of which the layer said that the request waited, and no REPORT line says so: a
    # contradiction if the request has a REPORT line at all, which has to be asked for.
    unconfirmed: tuple[LayerLine, ...]
    # Starts of the platform's lines that may have been without the layer.
    not_compared: int


def audit(
    layer: Sequence[LayerLine],
    reports: Iterable[ReportLine],
    phases: Iterable[PhaseLine],
    begin: float,
) -> Audit:
    """Compare the lines of one function.

    Args:
        layer: the layer's lines in the window.
        reports: the REPORT lines with Init Duration or Restore Duration.
        phases: the INIT_START lines, and the INIT_REPORT lines of inits that failed.
        begin: of the window, in epoch seconds.
    """
    said: dict[Key, list[LayerLine]] = defaultdict(list)
    for line in layer:
        said[_key(line)].append(line)
    first = _first_lines(layer)
    of_stream: dict[str, list[PhaseLine]] = defaultdict(list)
    for phase in phases:
        of_stream[phase.stream].append(phase)
    found = []
    not_compared = 0
    confirmed = set()
    for report in reports:
        confirmed.add(_key(report))
        lines = said.get(_key(report), [])
        if lines:
            kind = _kind(report, lines, of_stream[report.stream])
        elif _began(report) - (report.init_ms or report.restore_ms or 0) / 1000 < begin:
            continue
        elif _without_layer(report, first):
            not_compared += 1
            continue
        elif _failed(of_stream[report.stream], _began(report)):
            continue
        else:
            kind = "restored-without-restore" if report.init_ms is None else "init-without-line"
        if kind is not None:
            said_type = lines[-1].start_type if lines else None
            found.append(
                Contradiction(kind, report.request_id or "-", report.stream, report.at, said_type)
            )
    unconfirmed = tuple(
        line
        for line in layer
        if line.start_type in ("cold", "restore")
        and line.request_id is not None
        and _key(line) not in confirmed
        and not (line.start_type == "cold" and _failed(of_stream[line.stream], line.at))
    )
    return Audit(tuple(found), unconfirmed, not_compared)


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


def _kind(
    report: ReportLine, lines: Sequence[LayerLine], phases: Sequence[PhaseLine]
) -> str | None:
    types = {line.start_type for line in lines}
    init_s, restored = (report.init_ms or 0) / 1000, report.restore_ms is not None
    if "cold" in types and report.init_ms is None and not _failed(phases, _began(report)):
        return "cold-without-init"
    if "restore" in types and not restored:
        return "restore-without-restore"
    if restored and not types & {"restore", "proactive"}:
        return "restored-without-restore"
    if report.init_ms is None or any(line.cold_start for line in lines):
        return None
    waited = "proactive" in types and any(
        not phase.failed and phase.at <= report.at and _began(report) - phase.at < init_s + _NO_GAP
        for phase in phases
    )
    return "init-without-cold" if waited or not types & _READY_BEFORE else None


def _failed(phases: Iterable[PhaseLine], at: float) -> bool:
    return any(
        phase.failed and at - _FAILED_BEFORE <= phase.at <= at + _FAILED_AFTER for phase in phases
    )


def _began(report: ReportLine) -> float:
    return report.at - report.duration_ms / 1000


def _first_lines(layer: Iterable[LayerLine]) -> Mapping[str | None, float]:
    """When the layer's first line was, of each version; None: of any."""
    first: dict[str | None, float] = {}
    for line in layer:
        for version in (_version(line.stream), None):
            first[version] = min(line.at, first.get(version, line.at))
    return first


def _without_layer(report: ReportLine, first: Mapping[str | None, float]) -> bool:
    version = _version(report.stream)
    if version not in first:
        return True
    # A published version does not change ("Manage Lambda function versions").
    return version in (None, "$LATEST") and report.at < first[version]


def _version(stream: str) -> str | None:
    """Of the function; a stream is named YYYY/MM/DD/[<version>]<…>, or with the function's name."""
    match = re.search(r"\[([^\]]+)\]", stream)
    return match[1] if match else None


def _key(line: LayerLine | ReportLine) -> Key:
    return line.request_id, line.stream
