"""What is asked of the log lines in CloudWatch.

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

from collections.abc import Sequence

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
_MEMORY_SIZE = r'parse @message /(?:Memory Size: |"memorySizeMB":\s*)(?<memory_size>[0-9.]+)/'
_INIT = r'parse @message /(?:Init Duration: |"initDurationMs":\s*)(?<init_ms>[0-9.]+)/'
_RESTORE = r'parse @message /(?:Restore Duration: |"restoreDurationMs":\s*)(?<restore_ms>[0-9.]+)/'
_START_TYPE = r'parse @message /"start_type":\s*"(?<start_type>[^"]*)"/'
_COLD_START = r'parse @message /"ColdStart":\s*(?<cold_start>[01])/'
_NAME = r'parse @message /"function_name":\s*"(?<name>[^"]*)"/'

# Of each start: the layer's line, the REPORT of the request, what the platform says of the init.
STARTS = "\n| ".join(
    (
        f"filter {_LAYER} or ({_REPORT} and {_STARTED}) or {_PHASES}",
        *(_FUNCTION, _REQUEST, _DURATION, _BILLED, _MEMORY_SIZE, _INIT, _RESTORE),
        *(_START_TYPE, _COLD_START, _NAME, _PHASE),
        "fields @timestamp, @log, @logStream, stream_function, request, duration_ms, billed_ms,"
        " memory_size, init_ms, restore_ms, start_type, cold_start, name, phase",
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
            f"| {_MEMORY_SIZE}",
            # Parsed fields are text; as numbers 9 is less than 10.
            "| stats count(*) as requests, sum(billed_ms) as billed, max(memory_mb + 0) as memory"
            f" by @log, stream_function, memory_size, bin({_unit(seconds)})",
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
