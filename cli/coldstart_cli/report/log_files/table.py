"""What the lines of log files say, as tables of DuckDB.

Lines of the platform: "Monitoring function invocations using Lambda logs" and "Understanding the
Lambda execution environment lifecycle" in the Lambda developer guide (text); "Lambda Telemetry API
Event schema reference" there (JSON). Those of the layer: coldstart_layer.metrics.

The tables: ``reports``, one row for each invocation; ``starts``, one for each EMF line of the
layer; ``phases``, what the platform says of an environment beside that; ``units``, the log groups
and streams that were named; ``damaged``, lines that say nothing; ``files``, when the first line of
each was written, and what it belongs to. Times are in µs since the epoch, durations in ms. A unit
is a log stream, which is one execution environment, or a file of unknown streams.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from coldstart_cli.report.log_files.rows import TIME

# For all tables and queries; what does not fit goes to temporary files.
_MEMORY = "192MB"
_BATCH = 1 << 24  # bytes of rows

# "Working with Lambda log groups": YYYY/MM/DD/[version]environment, or with the function's name
# before the version where the log group is a custom one.
_STREAM = r"\d{4}/\d\d/\d\d/\S*\[[^\]\s]+\]\S+"
# Of `aws logs tail` (time, stream, message; in the short format without the stream), CloudWatch
# Logs' export (time, message), `sam logs` (stream, time, message), and of nothing but messages.
_LINE = (
    rf"^((?:({TIME})[ \t](?:({_STREAM})[ \t])?|({_STREAM})[ \t]({TIME})[ \t])?)"
    r"(REPORT RequestId: |INIT_REPORT |RESTORE_REPORT |INIT_START |\{)"
)

_TABLES = """
CREATE TABLE reports (
    request_id VARCHAR, unit VARCHAR, file INTEGER, at_us BIGINT, coarse BOOLEAN, duration DOUBLE,
    billed DOUBLE, memory INTEGER, used INTEGER, init DOUBLE, restore DOUBLE
);
CREATE TABLE starts (
    request_id VARCHAR, unit VARCHAR, file INTEGER, at_us BIGINT, function VARCHAR, version VARCHAR,
    initialization_type VARCHAR, start_type VARCHAR, cold BOOLEAN, runtime VARCHAR, memory INTEGER
);
CREATE TABLE phases (
    unit VARCHAR, at_us BIGINT, kind VARCHAR, failed BOOLEAN, runtime VARCHAR, region VARCHAR
);
CREATE TABLE units (unit VARCHAR, stream VARCHAR, log_group VARCHAR, file INTEGER);
CREATE TABLE damaged (file INTEGER, place BIGINT);
CREATE TABLE files (file INTEGER, source VARCHAR, first_us BIGINT);
"""

# A batch of rows taken apart. A stream's slashes are dashes in exports to S3, so that it is the
# same one in either.
_SPLIT = """
CREATE TEMP TABLE batch AS
WITH parts AS (
    SELECT *, regexp_extract(line, $line, ['before', 't1', 's1', 's2', 't2', 'kind']) AS p
    FROM read_csv($rows, delim = chr(31), quote = '', escape = '', header = false,
        auto_detect = false, max_line_size = 262144, columns = {
            file: 'INTEGER', place: 'BIGINT', stamped: 'BOOLEAN', at_ms: 'BIGINT',
            log_group: 'VARCHAR', stream: 'VARCHAR', line: 'VARCHAR'
        })
), named AS (
    SELECT file, place, log_group, at_ms,
        rtrim(line[length(p.before) + 1:], chr(13) || chr(9) || ' ') AS message,
        coalesce(nullif(p.t1, ''), nullif(p.t2, '')) AS time,
        coalesce(nullif(p.s1, ''), nullif(p.s2, ''), stream) AS stream
    FROM parts
    -- Where all messages begin with a time, a line that does not goes on with another message.
    WHERE p.kind <> '' AND (NOT stamped OR p.t1 <> '' OR p.t2 <> '')
)
SELECT file, place, message, log_group, stream, message[1] = '{' AS json,
    coalesce(replace(stream, '/', '-'), 'file ' || file) AS unit,
    coalesce(at_ms * 1000, epoch_us(try_cast(time AS TIMESTAMPTZ))) AS at_us,
    at_ms IS NULL AND time IS NOT NULL AND length(time) = 19 AS coarse,
    CASE WHEN json AND json_valid(message) THEN json_extract_string(message, '$.type') END AS type,
    CASE WHEN json AND json_valid(message) AND contains(message, '"_aws"') THEN list_contains(
        json_extract_string(message, '$._aws.CloudWatchMetrics[*].Metrics[*].Name'), 'ColdStart'
    ) END AS metric
FROM named
"""

_FROM_TEXT = r"""
INSERT INTO reports
SELECT p.request_id, unit, file, at_us, coarse, try_cast(p.duration AS DOUBLE),
    try_cast(nullif(regexp_extract(message, 'Billed Duration: ([\d.]+) ms', 1), '') AS DOUBLE),
    try_cast(nullif(regexp_extract(message, 'Memory Size: (\d+) MB', 1), '') AS INTEGER),
    try_cast(nullif(regexp_extract(message, 'Max Memory Used: (\d+) MB', 1), '') AS INTEGER),
    CASE WHEN contains(message, 'Init Duration: ') THEN try_cast(nullif(
        regexp_extract(message, 'Init Duration: ([\d.]+) ms', 1), '') AS DOUBLE)
    END,
    CASE WHEN contains(message, 'Restore Duration: ') THEN try_cast(nullif(
        regexp_extract(message, '[^d]\sRestore Duration: ([\d.]+) ms', 1), '') AS DOUBLE)
    END
FROM (
    SELECT *, regexp_extract(message, '^REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms',
        ['request_id', 'duration']) AS p
    FROM batch WHERE NOT json AND starts_with(message, 'REPORT ')
) WHERE p.duration <> ''
"""

_FROM_JSON = """
INSERT INTO reports
SELECT v[1], unit, file, coalesce(at_us, epoch_us(try_cast(v[2] AS TIMESTAMPTZ))), coarse,
    try_cast(v[3] AS DOUBLE), try_cast(v[4] AS DOUBLE), try_cast(v[5] AS INTEGER),
    try_cast(v[6] AS INTEGER), try_cast(v[7] AS DOUBLE), try_cast(v[8] AS DOUBLE)
FROM (
    SELECT *, json_extract_string(message, ['$.record.requestId', '$.time',
        '$.record.metrics.durationMs', '$.record.metrics.billedDurationMs',
        '$.record.metrics.memorySizeMB', '$.record.metrics.maxMemoryUsedMB',
        '$.record.metrics.initDurationMs', '$.record.metrics.restoreDurationMs']) AS v
    FROM batch WHERE type = 'platform.report'
) WHERE v[1] IS NOT NULL AND try_cast(v[3] AS DOUBLE) IS NOT NULL
"""

_STARTS = """
INSERT INTO starts
SELECT v[1], unit, file, coalesce(try_cast(v[2] AS BIGINT) * 1000, at_us), v[3], v[4], v[5], v[6],
    try_cast(v[7] AS DOUBLE) = 1, v[8], try_cast(v[9] AS INTEGER)
FROM (
    SELECT *, json_extract_string(message, ['$.request_id', '$._aws.Timestamp', '$.function_name',
        '$.function_version', '$.initialization_type', '$.start_type', '$.ColdStart', '$.runtime',
        '$.memory_size', '$.layer_version']) AS v
    FROM batch WHERE metric
) WHERE v[3] IS NOT NULL AND v[6] IS NOT NULL AND v[7] IS NOT NULL AND v[10] IS NOT NULL
"""

# In the text an INIT_REPORT of a success has no status.
_PHASES = r"""
INSERT INTO phases
SELECT unit, at_us, split_part(message, ' ', 1), regexp_matches(message, 'Status: (error|timeout)'),
    nullif(regexp_extract(message, 'Runtime Version: (\w+:[\d.]+\d)', 1), ''),
    nullif(regexp_extract(message, 'Runtime Version ARN: arn:[\w-]+:lambda:([\w-]+):', 1), '')
FROM batch
WHERE NOT json AND regexp_matches(message, '^(INIT_START|INIT_REPORT|RESTORE_REPORT) ')
UNION ALL
SELECT unit, coalesce(at_us, epoch_us(try_cast(v[1] AS TIMESTAMPTZ))), CASE type
        WHEN 'platform.initStart' THEN 'INIT_START' WHEN 'platform.initReport' THEN 'INIT_REPORT'
        ELSE 'RESTORE_REPORT' END,
    coalesce(v[2] IN ('error', 'failure', 'timeout'), false),
    nullif(regexp_extract(v[3], '(\w+:[\d.]+\d)', 1), ''),
    nullif(regexp_extract(v[4], 'arn:[\w-]+:lambda:([\w-]+):', 1), '')
FROM (
    SELECT *, json_extract_string(message, ['$.time', '$.record.status', '$.record.runtimeVersion',
        '$.record.runtimeVersionArn']) AS v
    FROM batch
    WHERE type IN ('platform.initStart', 'platform.initReport', 'platform.restoreReport')
)
"""

_UNITS = """
INSERT INTO units
SELECT DISTINCT unit, stream, log_group, file FROM batch
ANTI JOIN units AS known ON known.unit = batch.unit AND known.file = batch.file
    AND known.log_group IS NOT DISTINCT FROM batch.log_group
"""

_DAMAGED = r"""
INSERT INTO damaged
SELECT file, place FROM batch
WHERE json AND NOT json_valid(message) OR NOT json AND starts_with(message, 'REPORT ')
    AND NOT regexp_matches(message, '^REPORT RequestId: \S+\s+Duration: [\d.]+ ms')
"""


@contextmanager
def database() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database with empty tables, and a folder for passing files; both are gone afterwards."""
    with TemporaryDirectory(prefix="coldstart-") as name:
        folder = Path(name)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": str(folder / "spilled"),
            "threads": min(4, os.cpu_count() or 1),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            connection.execute(_TABLES)
            yield connection, folder


def load(connection: duckdb.DuckDBPyConnection, folder: Path, rows: Iterable[bytes]) -> None:
    """Put rows into the tables.

    Args:
        connection: the database.
        folder: where to put them on the way.
        rows: as in log_rows.
    """
    passing = folder / "rows"
    rest = iter(rows)
    more = True
    while more:
        size = 0
        with passing.open("wb") as file:
            for some in rest:
                file.write(some)
                size += len(some)
                if size >= _BATCH:
                    break
            else:
                more = False
        if size:
            connection.execute(_SPLIT, {"rows": str(passing), "line": _LINE})
            for statement in (_FROM_TEXT, _FROM_JSON, _STARTS, _PHASES, _UNITS, _DAMAGED):
                connection.execute(statement)
            connection.execute("DROP TABLE batch")
    passing.unlink()
