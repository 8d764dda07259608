"""Cuts the window into the bars of a chart."""

from __future__ import annotations

from collections import defaultdict

import duckdb

from coldstart_cli.report.figures import Period

_MOST_BARS = 60
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LENGTHS = (
    _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR,
    3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 7 * _DAY, 28 * _DAY, 364 * _DAY, 3640 * _DAY,
)  # fmt: skip

_INVOCATIONS = """
SELECT function, at_us // $us AS bar, count(*), count(init) + count(restore)
FROM requests WHERE counted AND at_us IS NOT NULL GROUP BY function, bar
"""

_STARTS = """
SELECT function, at_us // $us AS bar, start_type, count(*), count(*) FILTER (WHERE cold)
FROM verdicts WHERE counted AND at_us IS NOT NULL GROUP BY function, bar, start_type
ORDER BY function, bar, start_type
"""


def length(begin: float, end: float) -> int:
    """How long a bar is, in seconds: a round time, such that there are 60 bars or fewer.

    Args:
        begin: of the window, epoch seconds.
        end: of the window, epoch seconds.
    """
    for seconds in _LENGTHS:
        if end // seconds - begin // seconds < _MOST_BARS:
            return seconds
    return _LENGTHS[-1]


def periods(
    connection: duckdb.DuckDBPyConnection, begin: float | None, end: float | None
) -> dict[str, tuple[Period, ...]]:
    """The bars of each function; all have the same ones, the empty ones too.

    Cold starts are those of the layer's lines; of a function that has none of these, those of the
    platform's lines.

    Args:
        connection: the database, after facts.gather.
        begin: of the window, epoch seconds; None: with the first line that has a time.
        end: of the window, epoch seconds; None: with the last one.
    """
    first, last = span(connection)
    begin = first if begin is None else begin
    # The window's end is the first moment after it; a last line is in it.
    end = last if end is None else end - 1e-6
    if begin is None or end is None or end < begin:
        return {}
    seconds = length(begin, end)
    parameters = {"us": seconds * 1_000_000}
    invocations: dict[tuple[str, int], tuple[int, int]] = {}
    for function, bar, count, of_platform in connection.execute(
        _INVOCATIONS, parameters
    ).fetchall():
        invocations[function, bar] = (count, of_platform)
    starts: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    cold: dict[tuple[str, int], int] = defaultdict(int)
    for function, bar, start_type, count, waited in connection.execute(
        _STARTS, parameters
    ).fetchall():
        starts[function, bar][start_type] = count
        cold[function, bar] += waited
    with_layer = {
        function
        for (function,) in connection.execute("SELECT DISTINCT function FROM verdicts").fetchall()
    }
    bars = range(int(begin // seconds), int(end // seconds) + 1)
    return {
        function: tuple(
            Period(
                bar * seconds,
                seconds,
                invocations.get((function, bar), (0, 0))[0],
                cold.get((function, bar), 0)
                if function in with_layer
                else invocations.get((function, bar), (0, 0))[1],
                starts.get((function, bar), {}),
            )
            for bar in bars
        )
        for function in {function for function, _ in [*invocations, *starts]}
    }


def span(connection: duckdb.DuckDBPyConnection) -> tuple[float | None, float | None]:
    """When the first and the last line that counts were written, epoch seconds."""
    row = connection.execute(
        "SELECT min(at_us) / 1e6, max(at_us) / 1e6 FROM ("
        "SELECT at_us FROM requests WHERE counted UNION ALL"
        " SELECT at_us FROM verdicts WHERE counted)"
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])
