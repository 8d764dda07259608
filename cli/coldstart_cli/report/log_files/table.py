"""What the lines of log files say, as tables of DuckDB.

The tables: ``reports``, one row for each invocation; ``starts``, one for each EMF line of the
layer; ``phases``, what the platform says of an environment beside that; ``units``, the log groups
and streams that were named; ``damaged``, lines that say nothing; ``unread``, how many lines
of a file look like REPORT lines in a shape that is not read; ``files``, when the first line of
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

from coldstart_cli.report.log_files import statements

# For all tables and queries; what does not fit goes to temporary files.
_MEMORY = "192MB"
_BATCH = 1 << 24  # bytes of rows

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
CREATE TABLE damaged (file INTEGER, place BIGINT, at_us BIGINT);
CREATE TABLE unread (file INTEGER, lines BIGINT);
CREATE TABLE files (file INTEGER, source VARCHAR, first_us BIGINT);
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
            connection.execute(_TABLES + statements.MACROS)
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
            connection.execute(statements.SPLIT, {"rows": str(passing), "line": statements.LINE})
            for statement in statements.ALL:
                connection.execute(statement)
    passing.unlink()
