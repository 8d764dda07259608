"""How many requests were handled at once, out of when each one ended and how long it took."""

from __future__ import annotations

from collections import defaultdict

import duckdb

from coldstart_cli.report.figures import Concurrency

# A line swept over time: up where a request begins, down where it ends. A REPORT line is written
# when its request has ended. Times in whole seconds would pile up all requests of a second.
_LEVELS = """
WITH steps AS (
    SELECT function, greatest(at_us - round(duration * 1000)::BIGINT, $begin) AS us, 1 AS step
    FROM requests WHERE counted AND at_us IS NOT NULL
    UNION ALL
    SELECT function, at_us, -1 FROM requests WHERE counted AND at_us IS NOT NULL
), moments AS (
    SELECT function, us, sum(step) AS step FROM steps GROUP BY function, us
), levels AS (
    SELECT function, sum(step) OVER sweep AS level, lead(us) OVER sweep - us AS took
    FROM moments WINDOW sweep AS (PARTITION BY function ORDER BY us)
)
SELECT function, level::INTEGER, sum(took)::DOUBLE AS took FROM levels
WHERE level > 0 AND took > 0 GROUP BY function, level ORDER BY function, level
"""


def concurrency(
    connection: duckdb.DuckDBPyConnection, begin: float | None
) -> dict[str, Concurrency]:
    """The concurrency of each function over the time in which it had at least one request.

    Percentiles are levels that were reached: the smallest one which, with those below it, makes up
    that share of the busy time.

    Args:
        connection: the database, after facts.gather.
        begin: of the window, epoch seconds: what a request took before that does not count.
    """
    start = -(1 << 60) if begin is None else round(begin * 1e6)
    levels: dict[str, list[tuple[int, float]]] = defaultdict(list)
    cursor = connection.execute(_LEVELS, {"begin": start})
    while rows := cursor.fetchmany(10_000):
        for function, level, took in rows:
            levels[function].append((level, took))
    return {function: _weighted(found) for function, found in levels.items()}


def _weighted(levels: list[tuple[int, float]]) -> Concurrency:
    whole = sum(took for _, took in levels)

    def percentile(share: float) -> float:
        passed = 0.0
        for level, took in levels:
            passed += took
            if passed >= share * whole * (1 - 1e-12):
                return float(level)
        return float(levels[-1][0])

    return Concurrency(
        mean=sum(level * took for level, took in levels) / whole,
        p50=percentile(0.5),
        p95=percentile(0.95),
        p99=percentile(0.99),
        max=float(levels[-1][0]),
        over="busy",
    )
