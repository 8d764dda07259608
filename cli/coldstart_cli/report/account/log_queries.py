"""What is asked of the log lines in CloudWatch, and what the rows of the answers say.

Every field is parsed out of the message, in the text and in the JSON log format alike, and none of
those is used that Logs Insights finds by itself: it finds them in one log class and not in others,
under other names and in other units for each format. Line formats: "Understanding Lambda function
logs" and "Lambda Telemetry API Event schema reference" in the AWS Lambda developer guide. Query
language: "CloudWatch Logs Insights query syntax" in the Amazon CloudWatch Logs user guide.

What a request waited for is in its REPORT. INIT_START, and the INIT_REPORT of an init that failed,
are there to see whether the layer is right; other INIT_REPORT lines, and RESTORE_REPORT, tell
nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from coldstart_cli.report.account.insights_query import Row

_PLATFORM = r'@message like /^\{"time":\s*"[^"]*",\s*"type":\s*"platform\.'
_REPORT = rf'(@message like /^REPORT RequestId: / or {_PLATFORM}report"/)'
_STARTED = r'@message like /(Init|Restore) Duration: |"(init|restore)DurationMs":/'
_LAYER = (
    r'(@message like /"_aws":/ and @message like /"start_type":/'
    r' and @message like /"layer_version":/)'
)
_PHASES = (
    r"(@message like /^INIT_START / or @message like /^INIT_REPORT .*Status: (error|timeout)/"
    rf' or {_PLATFORM}initStart"/'
    rf' or ({_PLATFORM}initReport"/ and @message like /"status":\s*"(error|failure|timeout)"/))'
)
_PHASE = (
    r'parse @message /^(?:\{"time":\s*"[^"]*",\s*"type":\s*"platform\.)?'
    r"(?<phase>INIT_START|INIT_REPORT|initStart|initReport)/"
)
# The name of a stream in a log group of several functions is YYYY/MM/DD/<function>[<version>][…]:
# "Configuring CloudWatch log groups" in the developer guide.
_FUNCTION = r"parse @logStream /^\d+\/\d+\/\d+\/(?<stream_function>[A-Za-z0-9_-]+)\[/"
_REQUEST = (
    r'parse @message /(?:RequestId: |"requestId":\s*"|"request_id":\s*")(?<request>[A-Za-z0-9-]+)/'
)
_DURATION = r'parse @message /(?:Duration: |"durationMs":\s*)(?<duration_ms>[0-9.]+)/'
_BILLED = r'parse @message /(?:Billed Duration: |"billedDurationMs":\s*)(?<billed_ms>[0-9.]+)/'
_MEMORY = r'parse @message /(?:Max Memory Used: |"maxMemoryUsedMB":\s*)(?<memory_mb>[0-9.]+)/'
_INIT = r'parse @message /(?:Init Duration: |"initDurationMs":\s*)(?<init_ms>[0-9.]+)/'
_RESTORE = r'parse @message /(?:Restore Duration: |"restoreDurationMs":\s*)(?<restore_ms>[0-9.]+)/'
_START_TYPE = r'parse @message /"start_type":\s*"(?<start_type>[^"]*)"/'
_COLD_START = r'parse @message /"ColdStart":\s*(?<cold_start>[01])/'
_NAME = r'parse @message /"function_name":\s*"(?<name>[^"]*)"/'

# Of each start: the layer's line, the REPORT of the request, what the platform says of the init.
STARTS = "\n| ".join(
    (
        f"filter {_LAYER} or ({_REPORT} and {_STARTED}) or {_PHASES}",
        *(_FUNCTION, _REQUEST, _DURATION, _BILLED, _INIT, _RESTORE),
        *(_START_TYPE, _COLD_START, _NAME, _PHASE),
        "fields @timestamp, @log, @logStream, stream_function, request, duration_ms, billed_ms,"
        " init_ms, restore_ms, start_type, cold_start, name, phase",
    )
)
STARTS = f"| {STARTS}"


def totals(seconds: int) -> str:
    """The query for what all requests together came to, for each ``seconds`` of the window."""
    return "\n".join(
        (
            f"| filter {_REPORT}",
            f"| {_FUNCTION}",
            f"| {_BILLED}",
            f"| {_MEMORY}",
            # Parsed fields are text; as numbers 9 is less than 10.
            "| stats count(*) as requests, sum(billed_ms) as billed, max(memory_mb + 0) as memory"
            f" by @log, stream_function, bin({_unit(seconds)})",
        )
    )


def reports_of(requests: Sequence[str]) -> str:
    """The query for the REPORT lines of some requests, whatever they say."""
    wanted = ", ".join(f'"{request}"' for request in requests)
    return "\n".join(
        (
            f"| filter {_REPORT}",
            f"| {_REQUEST}",
            f"| filter request in [{wanted}]",
            "| fields @log, @logStream, request",
        )
    )


# As many of them as reports_of may be asked for: a query has at most 10,000 characters.
REQUESTS_A_QUERY = 200


def _unit(seconds: int) -> str:
    """A period for bin(), which takes at most 60 s, 60 m or 24 h."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True, slots=True)
class Totals:
    """What the REPORT lines of a function in a part of the window came to."""

    group: str
    stream_function: str | None  # as the name of the log stream says
    at: int  # epoch seconds, of the part's begin
    requests: int
    billed_ms: float
    max_memory_mb: int | None


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


def read_totals(rows: Iterable[Row]) -> list[Totals]:
    """The rows of ``totals``."""
    return [
        Totals(
            group=_group(row),
            stream_function=row.get("stream_function") or None,
            at=int(_epoch(next(row[name] for name in row if name.startswith("bin(")))),
            requests=int(float(row["requests"])),
            billed_ms=float(row.get("billed") or 0),
            max_memory_mb=round(float(row["memory"])) if row.get("memory") else None,
        )
        for row in rows
    ]


def read_starts(rows: Iterable[Row]) -> Starts:
    """The rows of ``STARTS``."""
    starts = Starts()
    for row in rows:
        where = (_group(row), row["@logStream"], row.get("stream_function") or None)
        at, request = _epoch(row["@timestamp"]), row.get("request") or None
        if row.get("start_type"):
            cold = row.get("cold_start") == "1"
            starts.layer.append(
                LayerLine(*where, at, request, row.get("name", ""), row["start_type"], cold)
            )
        elif phase := row.get("phase"):
            failed = phase in ("INIT_REPORT", "initReport")
            starts.phases.append(PhaseLine(*where, at, failed))
        else:
            starts.reports.append(
                ReportLine(
                    *where,
                    at,
                    request,
                    duration_ms=_number(row, "duration_ms") or 0.0,
                    billed_ms=_number(row, "billed_ms") or 0.0,
                    init_ms=_number(row, "init_ms"),
                    restore_ms=_number(row, "restore_ms"),
                )
            )
    return starts


def read_reported(rows: Iterable[Row]) -> set[tuple[str, str, str]]:
    """The rows of ``reports_of``: log group, log stream and request id."""
    return {(_group(row), row["@logStream"], row["request"]) for row in rows}


def _group(row: Row) -> str:
    return row["@log"].partition(":")[2] or row["@log"]  # <account>:<group>


def _epoch(text: str) -> float:
    """Of a time as in rows, "2026-11-26 10:00:00.000", which is UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def _number(row: Row, name: str) -> float | None:
    return float(row[name]) if row.get(name) else None
