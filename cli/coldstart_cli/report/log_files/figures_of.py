"""The figures of each function, out of the facts of its log lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import duckdb

from coldstart_cli.report.distribution import bucket_edges
from coldstart_cli.report.figures import Distribution, FunctionFigures, Provisioned
from coldstart_cli.report.log_files.audit import audit
from coldstart_cli.report.log_files.concurrency import concurrency
from coldstart_cli.report.log_files.facts import name_of
from coldstart_cli.report.log_files.incomplete import reports_missing
from coldstart_cli.report.log_files.periods import periods

_MOST_BUCKETS = 30

# Init is billed where a line's Billed Duration covers it beside the Duration; so each line says it
# itself. Since 1 August 2025 that is so for every on-demand function, with Zip packages on managed
# runtimes as well ("AWS Lambda standardizes billing for INIT Phase", AWS Compute Blog, 2025-04-29).
# The init of a provisioned environment is billed whether or not a request ever reaches it: where
# its line does not bill it, it is in neither sum. The memory size may change within the window:
# each line is paid at its own, and what was used at most is that of the newest size.
_BASE = """
SELECT function, count(*) AS invocations, count(init) AS platform_inits,
    count(restore) AS platform_restores, coalesce(sum(billed), 0) AS billed_ms,
    coalesce(sum(init) FILTER (WHERE billed >= duration + init - 0.01), 0) AS billed_init_ms,
    CASE WHEN count(*) FILTER (WHERE billed IS NOT NULL AND requests.memory IS NULL) = 0
        THEN sum(billed * requests.memory) / 1024000 END AS billed_gb_seconds,
    CASE WHEN count(*) FILTER (WHERE billed IS NOT NULL AND requests.memory IS NULL) = 0
        THEN coalesce(
            sum(init * requests.memory) FILTER (WHERE billed >= duration + init - 0.01), 0
        ) / 1024000 END AS billed_init_gb_seconds,
    current.memory AS memory_mb, max(used) FILTER (WHERE requests.memory = current.memory
        OR current.memory IS NULL) AS max_memory_used_mb,
    count(*) - count(billed) AS unbilled, count(*) - count(at_us) AS timeless,
    bool_or(coarse) AS coarse
FROM requests LEFT JOIN (
    SELECT function, arg_max(memory, coalesce(at_us, 0)) AS memory
    FROM requests WHERE counted GROUP BY function
) AS current USING (function)
WHERE counted GROUP BY function, current.memory
"""

_STARTS = """
SELECT function, start_type, count(*) AS starts, count(*) FILTER (WHERE cold) AS cold
FROM verdicts WHERE counted GROUP BY function, start_type ORDER BY function, start_type
"""

_TRAITS = """
SELECT function, max(runtime) AS runtime, max(memory) AS memory,
    nullif(bool_or(initialization_type = 'snap-start'), false) AS snap_start
FROM verdicts GROUP BY function
"""

_PLACES = """
SELECT used.function, CASE WHEN count(DISTINCT region) = 1 THEN any_value(region) END AS region,
    max(environments.runtime) AS runtime
FROM (SELECT DISTINCT function, unit FROM requests) AS used
JOIN environments USING (unit) GROUP BY used.function
"""

# quantile_disc: the smallest value that, with those below it, makes up that share of all values
# (nearest rank).
_DURATIONS = """
SELECT function, count({0}), quantile_disc({0}, [0.5, 0.95, 0.99]), min({0}), max({0}), sum({0})
FROM requests WHERE counted AND {0} IS NOT NULL GROUP BY function
"""

_BUCKETS = """
SELECT len(list_filter($edges, lambda edge: edge <= {0})) AS bucket, count(*)
FROM requests WHERE counted AND function = $function AND {0} IS NOT NULL GROUP BY bucket
"""

# An environment of provisioned concurrency says so in the layer's lines, and of which version it
# is. A request that an on-demand environment of that version had, found none of them free, if it
# came after the first of them: before that there may have been none.
_SPILLOVER = """
WITH provisioned AS (
    SELECT function, version, min(at_us) AS since_us FROM verdicts
    WHERE initialization_type = 'provisioned-concurrency' GROUP BY function, version
)
SELECT requests.function, count(*) FILTER (WHERE initialization_type = 'on-demand'
        AND (at_us IS NULL OR since_us IS NULL OR at_us >= since_us)),
    count(*) FILTER (WHERE initialization_type IS NULL OR stream IS NULL), count(*)
FROM requests JOIN environments USING (unit) JOIN provisioned
    ON requests.function = provisioned.function
    AND (requests.version IS NULL OR requests.version = provisioned.version)
WHERE counted GROUP BY requests.function
"""


def figures(
    connection: duckdb.DuckDBPyConnection,
    begin: float | None,
    end: float | None,
    functions: Sequence[str] = (),
) -> tuple[list[FunctionFigures], list[str]]:
    """The figures of each function, by name; and a line for each thing that is not known.

    Percentiles are values that were measured, by nearest rank.

    Args:
        connection: the database, after facts.gather.
        begin: of the window, epoch seconds; None: with the first line.
        end: of the window, epoch seconds; None: with the last line.
        functions: only these; none: all.
    """
    base = _by_function(connection, _BASE)
    starts: dict[str, dict[str, int]] = defaultdict(dict)
    cold: dict[str, int] = defaultdict(int)
    for function, start_type, count, waited in connection.execute(_STARTS).fetchall():
        starts[function][start_type] = count
        cold[function] += waited
    traits = _by_function(connection, _TRAITS)
    places = _by_function(connection, _PLACES)
    inits, restores = distributions(connection, "init"), distributions(connection, "restore")
    levels = concurrency(connection, begin)
    spilled, gaps = _spillover(connection)
    bars = periods(connection, begin, end)
    audited = audit(connection)
    found = []
    for key in sorted({*base, *starts}):
        name, several = name_of(key)
        if functions and name not in functions:
            continue
        row, told, place = base.get(key, {}), traits.get(key, {}), places.get(key, {})
        if several and place.get("region") is None:
            gaps.append(
                f"{name}: there are functions of that name in several regions, and of which one"
                " some lines are is not known; they are in a row of their own"
            )
        one = FunctionFigures(
            function=name,
            region=place.get("region"),
            invocations=row.get("invocations", 0),
            starts=starts.get(key, {}),
            cold_starts=cold.get(key, 0),
            platform_inits=row.get("platform_inits", 0),
            platform_restores=row.get("platform_restores", 0),
            init=inits.get(key),
            restore=restores.get(key),
            billed_ms=row.get("billed_ms", 0.0),
            billed_init_ms=row.get("billed_init_ms", 0.0),
            memory_mb=row.get("memory_mb") or told.get("memory"),
            max_memory_used_mb=row.get("max_memory_used_mb"),
            runtime=told.get("runtime") or place.get("runtime"),
            concurrency=None if row.get("coarse") or row.get("timeless") else levels.get(key),
            provisioned=spilled.get(key),
            periods=bars.get(key, ()),
            snap_start=told.get("snap_start"),
            layer=key in audited,
            billed_gb_seconds=row.get("billed_gb_seconds"),
            billed_init_gb_seconds=row.get("billed_init_gb_seconds"),
            # Lines tell of environments that had a request; how many are allocated they do not.
            provisioned_known=key not in spilled,
        )
        if key in audited:
            result = audited[key]
            one = replace(one, contradictions=result.counts, contradictions_listed=result.listed)
            if result.not_compared:
                one = replace(one, partial=True)
                gaps.append(
                    f"{name}: starts not compared with the layer's lines, nor counted as cold, of a"
                    f" version without any, before its first one or without a time:"
                    f" {result.not_compared}"
                )
        else:
            one = replace(one, cold_starts=one.platform_inits + one.platform_restores)
        missing = reports_missing(one)
        if missing is not None:
            gaps.append(f"{name}: {missing}")
        found.append(replace(one, partial=one.partial or missing is not None))
        gaps += _gaps(one, row)
    without = [one.function for one in found if not one.layer]
    if without:
        gaps.append(
            f"no line of the layer from {', '.join(without)}: cold starts are those with an Init or"
            " Restore Duration, environments that were ready before the request among them"
        )
    return found, gaps


def _gaps(one: FunctionFigures, row: dict[str, Any]) -> list[str]:
    gaps = []
    if row.get("timeless"):
        gaps.append(
            f"{one.function}: REPORT lines without a time: {row['timeless']} of {one.invocations};"
            " they are not in the chart, and concurrency is not known"
        )
    elif row.get("coarse"):
        gaps.append(
            f"{one.function}: times in whole seconds, from which concurrency cannot be told; aws"
            " logs tail --format detailed has milliseconds"
        )
    if row.get("unbilled"):
        gaps.append(
            f"{one.function}: REPORT lines without Billed Duration: {row['unbilled']} of"
            f" {one.invocations}; the sum is that of the others"
        )
    return gaps


def _by_function(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def distributions(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, Distribution]:
    """Of ``init`` or ``restore`` durations in ms, by function; percentiles by nearest rank.

    Args:
        connection: the database, after facts.gather.
        column: of the table ``requests``.
    """
    found = {}
    for function, count, (p50, p95, p99), least, most, total in connection.execute(
        _DURATIONS.format(column)
    ).fetchall():
        edges = bucket_edges(least, most)
        parameters = {"edges": edges, "function": function}
        counts = dict(connection.execute(_BUCKETS.format(column), parameters).fetchall())
        histogram = tuple(
            (begin, end, counts.get(number, 0))
            for number, (begin, end) in enumerate(pairwise(edges), 1)
        )
        found[function] = Distribution(count, p50, p95, p99, most, total, histogram)
    return found


def _spillover(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[dict[str, Provisioned], list[str]]:
    found, gaps = {}, []
    for function, spilled, unknown, requests in connection.execute(_SPILLOVER).fetchall():
        known = unknown < requests
        found[function] = Provisioned(None, None, spilled if known else None)
        if unknown:
            gaps.append(
                f"{name_of(function)[0]}: invocations of versions with provisioned concurrency, but"
                f" in which environment is not known: {unknown} of {requests}; not in the"
                " spill-over"
            )
    return found, gaps
