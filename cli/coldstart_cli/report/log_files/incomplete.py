"""Which functions are not all there, because something of their files was not read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import duckdb

from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.log_files.facts import name_of

# The functions that a file's lines are of; None: of one that is not known.
_OF_FILES = """
SELECT DISTINCT file, function FROM units JOIN environments USING (unit)
UNION SELECT DISTINCT file, function FROM verdicts
"""


def concerned(connection: duckdb.DuckDBPyConnection, files: Collection[int]) -> set[str] | None:
    """The functions that may have more lines in these files than were read; None: all of them.

    A file whose other lines are of one function is taken for that one's; any other may hold lines
    of every function.

    Args:
        connection: the database, after facts.gather.
        files: those of which something was not read, by number.
    """
    of: dict[int, set[str | None]] = {number: set() for number in files}
    for number, function in connection.execute(_OF_FILES).fetchall():
        if number in of:
            of[number].add(None if function is None else name_of(function)[0])
    found: set[str] = set()
    for functions in of.values():
        known = functions - {None}
        if len(known) != 1:
            return None
        found.update(name for name in known if name is not None)
    return found


def marked(
    functions: Sequence[FunctionFigures], incomplete: Collection[str] | None
) -> list[FunctionFigures]:
    """The functions, those that are incomplete as partial; None: all of them are."""
    return [
        replace(one, partial=one.partial or incomplete is None or one.function in incomplete)
        for one in functions
    ]


def reports_missing(one: FunctionFigures) -> str | None:
    """What shows that REPORT lines are missing; None if nothing does.

    The layer writes a line for the first request of an environment, and Lambda a REPORT line for
    every request: there cannot be more of the first.
    """
    starts = sum(one.starts.values())
    if not one.invocations:
        return "no REPORT line; how many invocations there were is not known"
    if starts > one.invocations:
        return (
            f"{starts} starts in the layer's lines, and {one.invocations} REPORT lines: some of"
            " those are missing"
        )
    return None
