"""Makes of all lines read the facts to count: each line once, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

# No function can have this name: those have letters, digits, - and _ ("CreateFunction").
UNKNOWN = "(unknown)"

# An execution environment is a log stream. What a unit's lines are of: the function that the
# layer's lines name, if it is one; or that of the log group, /aws/lambda/NAME; or that of the
# stream, which has the name where the log group is a custom one ("Working with Lambda log groups").
# A stream without it is of a group that has one function: the one that the layer's lines name in
# another stream of the same export. The version is in the stream's name, in brackets.
_ENVIRONMENTS = r"""
CREATE TABLE environments AS
WITH told AS (
    SELECT unit, CASE WHEN count(DISTINCT function) = 1 THEN any_value(function) END AS function,
        CASE WHEN count(DISTINCT version) = 1 THEN any_value(version) END AS version,
        CASE WHEN count(DISTINCT initialization_type) = 1 THEN any_value(initialization_type) END
            AS initialization_type
    FROM starts GROUP BY unit
), named AS (
    SELECT unit, any_value(stream) AS stream,
        max(nullif(regexp_extract(log_group, '(?:^|:)/aws/lambda/([\w-]+)$', 1), '')) AS of_group
    FROM units GROUP BY unit
), sources AS (
    SELECT source, any_value(function) AS function FROM starts JOIN files USING (file)
    GROUP BY source HAVING count(DISTINCT function) = 1
), exported AS (
    SELECT unit, min(sources.function) AS of_source
    FROM units JOIN files USING (file) JOIN sources USING (source)
    GROUP BY unit HAVING count(DISTINCT sources.function) = 1
), platform AS (
    SELECT unit, max(region) AS region, max(runtime) AS runtime FROM phases GROUP BY unit
)
SELECT unit, stream, initialization_type, region, replace(platform.runtime, ':', '') AS runtime,
    coalesce(
        function, of_group, nullif(regexp_extract(stream, '/([\w-]+)\[', 1), ''), of_source
    ) AS function,
    coalesce(version, nullif(regexp_extract(stream, '\[([^\]]+)\]', 1), '')) AS version
FROM named LEFT JOIN told USING (unit) LEFT JOIN exported USING (unit)
LEFT JOIN platform USING (unit)
"""

# Two files may have the same line. Retries have the request id of the first try, so that the id
# alone does not make it the same; nor does the duration, which is the timeout if it timed out.
# Where one of the files has whole seconds (`aws logs tail --format short`), those are the same.
# A line without a time is the same as one of that id and duration which has one.
# Least of the units: a stream before a file, see table.py.
_REQUESTS = """
CREATE TABLE requests AS
WITH once AS (
    SELECT request_id, duration, at_us // 1000000 AS second, min(unit) AS unit, min(file) AS file,
        max(at_us) AS at_us, bool_and(coarse) AS coarse, max(billed) AS billed,
        max(memory) AS memory, max(used) AS used, max(init) AS init, max(restore) AS restore
    FROM reports WHERE at_us IS NOT NULL OR (request_id, duration) NOT IN (
        SELECT (request_id, duration) FROM reports WHERE at_us IS NOT NULL
            AND request_id IN (SELECT request_id FROM reports WHERE at_us IS NULL)
    )
    GROUP BY request_id, duration, second
), named AS (
    SELECT request_id, min(function) AS function FROM starts
    WHERE request_id IS NOT NULL GROUP BY request_id
)
SELECT once.* EXCLUDE (second), environments.version,
    coalesce(named.function, environments.function, $unnamed) AS function,
    coalesce(at_us >= $begin AND at_us < $end, $whole) AS counted
FROM once LEFT JOIN named USING (request_id) LEFT JOIN environments USING (unit)
WHERE $all OR list_contains(
    $functions, coalesce(named.function, environments.function, $unnamed))
"""

_VERDICTS = """
CREATE TABLE verdicts AS
SELECT request_id, at_us, start_type, function, min(unit) AS unit, min(file) AS file,
    any_value(version) AS version, any_value(initialization_type) AS initialization_type,
    any_value(cold) AS cold, any_value(runtime) AS runtime, any_value(memory) AS memory,
    coalesce(at_us >= $begin AND at_us < $end, $whole) AS counted
FROM starts
WHERE $all OR list_contains($functions, function)
GROUP BY request_id, at_us, start_type, function
"""

# Functions of one name in several regions are several functions: INIT_START tells the region of an
# environment. Their key has the region behind the name, empty where it is not known.
_REGIONS = """
CREATE TEMP TABLE several AS
SELECT unit, environments.function, environments.function || chr(31) || coalesce(region, '') AS key
FROM environments SEMI JOIN (
    SELECT function FROM environments GROUP BY function HAVING count(DISTINCT region) > 1
) AS spread ON environments.function = spread.function;
UPDATE requests SET function = key FROM several
WHERE requests.unit = several.unit AND requests.function = several.function;
UPDATE verdicts SET function = key FROM several
WHERE verdicts.unit = several.unit AND verdicts.function = several.function;
"""
_BETWEEN = chr(31)

# Later than any line, in µs.
EVER = 1 << 60


def gather(
    connection: duckdb.DuckDBPyConnection,
    begin: float | None,
    end: float | None,
    functions: Sequence[str],
) -> None:
    """Make the tables ``environments``, ``requests`` and ``verdicts`` of what was loaded.

    Requests and verdicts of all times are there, so that those at the edge of the window find each
    other; ``counted`` are those in it. Lines without a time are in no window.

    Args:
        connection: the database, loaded.
        begin: of the window, epoch seconds.
        end: the first moment after it, epoch seconds.
        functions: only these, and UNKNOWN; none: all. If it is one, lines that name no function are
            its.
    """
    window = {
        "begin": -EVER if begin is None else round(begin * 1e6),
        "end": EVER if end is None else round(end * 1e6),
        "whole": begin is None and end is None,
        "all": not functions,
        "functions": [*functions, UNKNOWN],
    }
    connection.execute(_ENVIRONMENTS)
    unnamed = functions[0] if len(functions) == 1 else UNKNOWN
    connection.execute(_REQUESTS, {**window, "unnamed": unnamed})
    connection.execute(_VERDICTS, window)
    connection.execute(_REGIONS)
    connection.execute("DROP TABLE reports; DROP TABLE starts")


def name_of(function: str) -> tuple[str, bool]:
    """A function's name without the region, and whether there are others of that name.

    Args:
        function: as it is in the tables ``requests`` and ``verdicts``.
    """
    name, several, _ = function.partition(_BETWEEN)
    return name, bool(several)
