"""A report out of log files alone, without an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import duckdb

from coldstart_cli.report.figures import Report
from coldstart_cli.report.log_files import facts, lines, periods, table
from coldstart_cli.report.log_files.figures_of import figures
from coldstart_cli.report.log_files.files import find, shown
from coldstart_cli.report.log_files.incomplete import concerned, marked

_MOST_GAPS = 20  # of one kind; the others are counted
_LEEWAY = 60  # seconds that a window may be wider than short logs


def _no_progress(_done: int, _whole: int) -> None:
    pass


def report_of_log_files(
    paths: Sequence[Path],
    begin: float | None = None,
    end: float | None = None,
    functions: Sequence[str] = (),
    progress: Callable[[int, int], None] = _no_progress,
) -> Report:
    """What log files tell of the functions in them.

    Those are files as they come, packed with gzip or not: of CloudWatch Logs' export to S3; of `aws
    logs tail`, `filter-log-events` and `get-log-events`, and of `sam logs`; of Logs Insights as
    JSON; records of a subscription filter, as Firehose writes them; and what a function wrote to
    stdout. The function's log format may be text or JSON.

    They may be larger than memory: what the lines that count say is kept in the folder for
    temporary files where it is much, and is gone afterwards.

    Args:
        paths: files, and folders with all that is in them.
        begin: of the window, epoch seconds; None: from the first line on.
        end: of the window, epoch seconds, which is the first moment after it; None: to the last.
        functions: only these; none: all. If it is one, it is the function of those lines that do
            not tell whose they are.
        progress: is told how many bytes of how many have been read.
    """
    files, gaps = find(paths)
    missing = bool(gaps)  # whose lines are in what cannot be read is not known
    readings = [lines.Reading() for _ in files]
    whole = sum(file.size for file in files)

    def rows() -> Iterator[bytes]:
        done = 0
        for number, (file, reading) in enumerate(zip(files, readings, strict=True)):
            for some in lines.rows(file, number, reading):
                progress(done + reading.bytes_read, whole)
                yield some
            done += file.size
            progress(done, whole)

    with table.database() as (connection, folder):
        table.load(connection, folder, rows())
        firsts = [None if one.first_at is None else one.first_at * 1e6 for one in readings]
        connection.execute(
            "INSERT INTO files SELECT unnest(?::INTEGER[]), unnest(?::VARCHAR[]),"
            " unnest(?::DOUBLE[])::BIGINT",
            [list(range(len(files))), [shown(file.source) for file in files], firsts],
        )
        gaps += _first([reading.gap for reading in readings if reading.gap is not None], "files")
        names = [shown(file.path) for file in files]
        damaged = _damaged(connection, begin, end)
        gaps += _first(
            [
                f"{names[number]}: {readings[number].counted_in} {place}: a line that is cut off or"
                " damaged" + (f", and {count - 1} more in this file" if count > 1 else "")
                for number, (count, place) in damaged.items()
            ],
            "files with damaged lines",
        )
        unread = _unread(connection)
        gaps += _first(
            [
                f"{names[number]}: lines that look like Lambda's reports: {count}, none of"
                " which could be read; see coldstart report --help for what can"
                for number, count in unread.items()
            ],
            "files with lines that could not be read",
        )
        facts.gather(connection, begin, end, functions)
        logged = _logged(connection)
        begin, end, narrowed = _within(begin, end, *logged)
        found, unknown = figures(connection, begin, end, functions)
        incomplete = {number for number, one in enumerate(readings) if one.partial}
        maybe_more = concerned(connection, {*incomplete, *damaged, *unread})
        found = marked(found, None if missing else maybe_more)
        gaps += unknown
        gaps += _not_counted(connection, functions, window=begin is not None or end is not None)
        first, last = periods.span(connection)
        why_none = "" if found else _why_none(connection, functions, logged)
    if narrowed:
        gaps.append(narrowed)
    if not found:
        gaps.append(f"nothing found: {why_none}; files read: {len(files)}")
    return Report(
        begin=first if begin is None else begin,
        end=last if end is None else end,
        functions=tuple(found),
        source="log files: " + ", ".join(map(shown, paths)),
        gaps=tuple(gaps),
    )


def _first(gaps: list[str], what: str) -> list[str]:
    more = len(gaps) - _MOST_GAPS
    return [*gaps[:_MOST_GAPS], f"and {more} more {what}"] if more > 0 else gaps


def _damaged(
    connection: duckdb.DuckDBPyConnection, begin: float | None, end: float | None
) -> dict[int, tuple[int, int]]:
    """How many damaged lines each file has that may be of the window, and where the first is."""
    window = [
        -facts.EVER if begin is None else begin * 1e6,
        facts.EVER if end is None else end * 1e6,
    ]
    rows = connection.execute(
        "SELECT file, count(*), min(place) FROM damaged"
        " WHERE at_us IS NULL OR at_us >= ? AND at_us < ? GROUP BY file ORDER BY file",
        window,
    ).fetchall()
    return {number: (count, place) for number, count, place in rows}


def _unread(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """How many lines each file has that look like reports, where none of them could be read."""
    rows = connection.execute(
        "SELECT file, sum(lines)::BIGINT FROM unread WHERE file NOT IN (SELECT file FROM reports)"
        " AND file NOT IN (SELECT file FROM damaged) GROUP BY file ORDER BY file"
    ).fetchall()
    return dict(rows)


def _logged(connection: duckdb.DuckDBPyConnection) -> tuple[float | None, float | None]:
    """From when to when there are lines, in the window or not, in epoch seconds."""
    row = connection.execute(
        "SELECT min(us) / 1e6, max(us) / 1e6 FROM ("
        "SELECT unnest([at_us, at_us - (duration * 1000)::BIGINT]) AS us FROM requests"
        " UNION ALL SELECT at_us FROM verdicts UNION ALL SELECT first_us FROM files)"
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def _why_none(
    connection: duckdb.DuckDBPyConnection,
    functions: Sequence[str],
    logged: tuple[float | None, float | None],
) -> str:
    """Why there is no function to report on: what lines there are, if there are any."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT function FROM requests UNION ALL SELECT function"
        " FROM verdicts) WHERE ? OR list_contains(?, split_part(function, chr(31), 1))",
        [not functions, list(functions)],
    ).fetchone()
    if row is not None and row[0]:
        return f"the lines there are lie outside of the window, {_said(*logged)}"
    others = [
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT function FROM environments WHERE function IS NOT NULL ORDER BY ALL"
        ).fetchall()
    ]
    if functions and others:
        named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        return f"no line is of {', '.join(functions)}; there are lines of {named}"
    what = f" of {', '.join(functions)}" if functions else ""
    return f"no line{what} begins with REPORT, or with a time and REPORT, and none is the layer's"


def _said(first: float | None, last: float | None) -> str:
    if first is None or last is None:
        return "or have no time"
    times = [datetime.fromtimestamp(at, timezone.utc) for at in (first, last)]
    return "from {:%Y-%m-%d %H:%M:%S} to {:%Y-%m-%d %H:%M:%S} UTC".format(*times)


def _within(
    begin: float | None, end: float | None, first: float | None, last: float | None
) -> tuple[float | None, float | None, str | None]:
    """The window, no more than a tenth wider on either side than the logs; and what to say of it.

    Sums of an hour would be those of a month otherwise.
    """
    if first is None or last is None:
        return begin, end, None
    leeway = max(_LEEWAY, (last - first) * 0.1)
    before = begin is not None and begin < first - leeway
    after = end is not None and end > last + leeway
    if not before and not after:
        return begin, end, None
    # The end is the first moment after the window, the last line is in it.
    narrowed = (first if before else begin, last + 0.001 if after else end)
    return (
        *narrowed,
        f"the window is wider than the logs, which go {_said(first, last)}; it is taken to be that",
    )


def _not_counted(
    connection: duckdb.DuckDBPyConnection, functions: Sequence[str], window: bool
) -> list[str]:
    """What is left out for want of a function's name or of a time."""
    gaps = []
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE function = ? AND counted),"
        " count(*) FILTER (WHERE at_us IS NULL) FROM requests",
        [facts.UNKNOWN],
    ).fetchone()
    unnamed, timeless = row if row is not None else (0, 0)
    if unnamed:
        where = "left out" if functions else f"under {facts.UNKNOWN}"
        gaps.append(
            f"invocations that do not tell of which function they are: {unnamed}, {where}; name the"
            " function behind `coldstart report`, and they are its"
        )
    if timeless and window:
        gaps.append(f"invocations without a time, so that no window has them: {timeless}, left out")
    return gaps
