"""What each line says: the statements of DuckDB that take a batch of rows apart.

Lines of the platform: "Monitoring function invocations using Lambda logs" and "Understanding the
Lambda execution environment lifecycle" in the Lambda developer guide (text); "Lambda Telemetry API
Event schema reference" there (JSON). Those of the layer: coldstart_layer.metrics.
"""

from __future__ import annotations

from coldstart_cli.report.log_files.rows import TIME

# "Working with Lambda log groups": YYYY/MM/DD/[version]environment, or with the function's name
# before the version where the log group is a custom one.
_STREAM = r"\d{4}/\d\d/\d\d/\S*\[[^\]\s]+\]\S+"
# A REPORT line that is cut before its request id.
_CUT_REPORT = "REPORT (?:" + "|".join("RequestId:"[:n] for n in range(10, 0, -1)) + ")?$"
# Of `aws logs tail` (time, stream, message; in the short format without the stream), CloudWatch
# Logs' export (time, message), `sam logs` (stream, time, message), and of nothing but messages.
LINE = (
    rf"^((?:({TIME})[ \t](?:({_STREAM})[ \t])?|({_STREAM})[ \t]({TIME})[ \t])?)"
    r"(REPORT RequestId: |" + _CUT_REPORT + r"|INIT_REPORT |RESTORE_REPORT |INIT_START |\{)"
)

# The rows of a file.
SPLIT = """
CREATE TEMP TABLE unsplit AS
SELECT *, regexp_extract(line, $line, ['before', 't1', 's1', 's2', 't2', 'kind']) AS p
FROM read_csv($rows, delim = chr(31), quote = '', escape = '', header = false,
    auto_detect = false, max_line_size = 262144, columns = {
        file: 'INTEGER', place: 'BIGINT', stamped: 'BOOLEAN', at_ms: 'BIGINT',
        log_group: 'VARCHAR', stream: 'VARCHAR', line: 'VARCHAR'
    })
"""

# A stream's slashes are dashes in exports to S3, so that it is the same one in either.
BATCH = """
CREATE TEMP TABLE batch AS
WITH named AS (
    SELECT file, place, log_group, at_ms,
        rtrim(line[length(p.before) + 1:], chr(13) || chr(9) || ' ') AS message,
        coalesce(nullif(p.t1, ''), nullif(p.t2, '')) AS time,
        coalesce(nullif(p.s1, ''), nullif(p.s2, ''), stream) AS stream
    FROM unsplit
    -- Where all messages begin with a time, a line that does not goes on with another message.
    WHERE p.kind <> '' AND (NOT stamped OR p.t1 <> '' OR p.t2 <> '')
)
SELECT file, place, message, log_group, stream, message[1] = '{' AS json,
    coalesce(replace(stream, '/', '-'), 'file ' || file) AS unit,
    coalesce(at_ms * 1000, us(time)) AS at_us,
    at_ms IS NULL AND time IS NOT NULL AND length(time) = 19 AS coarse,
    CASE WHEN json AND json_valid(message) THEN json_extract_string(message, '$.type') END AS type,
    CASE WHEN json AND json_valid(message) AND contains(message, '"_aws"') THEN list_contains(
        json_extract_string(message, '$._aws.CloudWatchMetrics[*].Metrics[*].Name'), 'ColdStart'
    ) END AS metric
FROM named
"""

# What is out of range would overflow further on. Invocations take 15 minutes at most ("Lambda
# quotas"); the bound is far above that.
MACROS = f"""
CREATE MACRO us(said) AS
    CASE WHEN regexp_full_match(said, '{TIME}') THEN epoch_us(try_cast(said AS TIMESTAMPTZ)) END;
CREATE MACRO ms(said) AS
    CASE WHEN try_cast(said AS DOUBLE) BETWEEN 0 AND 1e9 THEN try_cast(said AS DOUBLE) END;
CREATE MACRO mb(said) AS
    CASE WHEN try_cast(said AS DOUBLE) BETWEEN 1 AND 1e6 THEN try_cast(said AS INTEGER) END;
"""

# Every REPORT in text has Max Memory Used, and what may follow comes as `Key: value`, durations in
# ms: one that ends in the middle of that was cut. What a cut line has says nothing of what it had.
SAID = r"""
CREATE TEMP TABLE said AS
SELECT file, place, unit, at_us, coarse, p.request_id AS request_id, p.duration AS duration,
    nullif(regexp_extract(message, 'Billed Duration: (\S+) ms', 1), '') AS billed,
    nullif(regexp_extract(message, 'Memory Size: (\d+) MB', 1), '') AS memory,
    nullif(regexp_extract(message, 'Max Memory Used: (\d+) MB', 1), '') AS used,
    CASE WHEN contains(message, 'Init Duration: ')
        THEN nullif(regexp_extract(message, 'Init Duration: (\S+) ms', 1), '') END AS init,
    CASE WHEN contains(message, 'Restore Duration: ') THEN nullif(
        regexp_extract(message, '[^d]\sRestore Duration: (\S+) ms', 1), '') END AS restore,
    p.duration = '' OR used IS NULL OR regexp_matches(
        message, '\t[A-Z][A-Za-z ]*:?$|Duration: [\d.-]*( m?)?$|Duration: -') AS cut
FROM (
    SELECT *, regexp_extract(message, '^REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms',
        ['request_id', 'duration']) AS p
    FROM batch WHERE NOT json AND regexp_matches(message, '^REPORT( |$)')
)
UNION ALL BY NAME
SELECT file, place, unit, coalesce(at_us, us(v[2])) AS at_us, coarse, v[1] AS request_id,
    v[3] AS duration, v[4] AS billed, v[5] AS memory, v[6] AS used, v[7] AS init, v[8] AS restore,
    v[1] IS NULL OR v[3] IS NULL AS cut
FROM (
    SELECT *, json_extract_string(message, ['$.record.requestId', '$.time',
        '$.record.metrics.durationMs', '$.record.metrics.billedDurationMs',
        '$.record.metrics.memorySizeMB', '$.record.metrics.maxMemoryUsedMB',
        '$.record.metrics.initDurationMs', '$.record.metrics.restoreDurationMs']) AS v
    FROM batch WHERE type = 'platform.report'
)
"""

FLAWED = """
ALTER TABLE said ADD COLUMN odd BOOLEAN;
UPDATE said SET odd = (cut OR ms(duration) IS NULL OR ms(billed) IS NULL AND billed IS NOT NULL
    OR ms(init) IS NULL AND init IS NOT NULL OR ms(restore) IS NULL AND restore IS NOT NULL)
"""

REPORTS = """
INSERT INTO reports
SELECT request_id, unit, file, at_us, coarse, ms(duration), ms(billed), mb(memory), mb(used),
    ms(init), ms(restore)
FROM said WHERE NOT odd
"""

VERDICTS = """
CREATE TEMP TABLE verdict AS
SELECT *, v[2] IS NOT NULL
    AND coalesce(try_cast(v[2] AS DOUBLE) NOT BETWEEN 0 AND 253402300799999, true) AS odd
FROM (
    SELECT *, json_extract_string(message, ['$.request_id', '$._aws.Timestamp', '$.function_name',
        '$.function_version', '$.initialization_type', '$.start_type', '$.ColdStart', '$.runtime',
        '$.memory_size', '$.layer_version']) AS v
    FROM batch WHERE metric
) WHERE v[3] IS NOT NULL AND v[6] IS NOT NULL AND v[7] IS NOT NULL AND v[10] IS NOT NULL
"""

STARTS = """
INSERT INTO starts
SELECT v[1], unit, file, coalesce(try_cast(v[2] AS BIGINT) * 1000, at_us), v[3], v[4], v[5], v[6],
    try_cast(v[7] AS DOUBLE) = 1, v[8], mb(v[9])
FROM verdict WHERE NOT odd
"""

# In the text an INIT_REPORT of a success has no status.
PHASES = r"""
INSERT INTO phases
SELECT unit, at_us, split_part(message, ' ', 1), regexp_matches(message, 'Status: (error|timeout)'),
    nullif(regexp_extract(message, 'Runtime Version: (\w+:[\d.]+\d)', 1), ''),
    nullif(regexp_extract(message, 'Runtime Version ARN: arn:[\w-]+:lambda:([\w-]+):', 1), '')
FROM batch
WHERE NOT json AND regexp_matches(message, '^(INIT_START|INIT_REPORT|RESTORE_REPORT) ')
UNION ALL
SELECT unit, coalesce(at_us, us(v[1])), CASE type
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

UNITS = """
INSERT INTO units
SELECT DISTINCT unit, stream, log_group, file FROM batch
ANTI JOIN units AS known ON known.unit = batch.unit AND known.file = batch.file
    AND known.log_group IS NOT DISTINCT FROM batch.log_group
"""

# Of lines that are not whole JSON only those that say they are the layer's or the platform's.
DAMAGED = """
INSERT INTO damaged
SELECT file, place, at_us FROM said WHERE odd
UNION ALL SELECT file, place, at_us FROM verdict WHERE odd
UNION ALL SELECT file, place, at_us FROM batch WHERE json AND NOT json_valid(message)
    AND (contains(message, '"layer_version"') OR contains(message, '"platform.'))
"""

# In a shape that is not read here, such as CSV or behind another program's prefix.
UNREAD = """
INSERT INTO unread
SELECT file, count(*) FROM unsplit
WHERE p.kind IN ('', '{') AND contains(line, 'REPORT RequestId: ')
    OR p.kind = '' AND contains(line, '"platform.report"')
GROUP BY file
"""

# In this order, after SPLIT.
ALL = (
    BATCH, UNREAD, SAID, FLAWED, REPORTS, VERDICTS, STARTS, PHASES, UNITS, DAMAGED,
    "DROP TABLE batch; DROP TABLE said; DROP TABLE verdict; DROP TABLE unsplit",
)  # fmt: skip
