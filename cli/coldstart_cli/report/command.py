"""`coldstart report`: parses the command line, calls the logic, prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from coldstart_cli.report.as_json import as_json
from coldstart_cli.report.window import parse_time

# Exit codes; 2 is click's, for a command line that cannot be.
_FAILED = 1
_NOTHING = 3


def _time(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_time(value, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    "report",
    epilog="Example: coldstart report --logs export/ --since 2026-11-25T10:00:00Z --json."
    " Exit codes: 0 done, 1 something failed, 2 a wrong command line, 3 nothing found.",
)
@click.option(
    "--logs",
    "logs",
    multiple=True,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A log file or a folder of them, packed or not; may be given more than once.",
)
@click.option(
    "--function",
    "functions",
    multiple=True,
    metavar="NAME",
    help="Only this function; may be given more than once. If it is one, it is the function of"
    " lines that do not say whose they are.",
)
@click.option(
    "--since",
    callback=_time,
    metavar="TIME",
    help="From when on: 24h, 7d, or 2026-11-25T10:00:00Z.  [default: the first line]",
)
@click.option(
    "--until", callback=_time, metavar="TIME", help="Before when.  [default: after the last line]"
)
@click.option("--json", "json_output", is_flag=True, help="JSON instead of a table.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page of its own.",
)
def report_command(
    logs: tuple[Path, ...],
    functions: tuple[str, ...],
    since: float | None,
    until: float | None,
    json_output: bool,
    html: Path | None,
) -> None:
    """Show how often functions started cold, how long that took, and what it cost.

    Of log files: CloudWatch Logs' export to S3, what `aws logs tail`, `filter-log-events` and
    `get-log-events` print, a subscription filter's records, or what a function wrote to stdout.
    """
    # Here, since DuckDB takes long to import and the other commands have no use for it.
    import duckdb

    from coldstart_cli.report.log_report import report_of_log_files

    errors = Console(stderr=True)
    if html is not None:
        raise click.UsageError("--html: not there yet")
    if since is not None and until is not None and since >= until:
        raise click.BadParameter("--until has to be later than --since", param_hint="--until")
    try:
        with _progress(errors) as progress:
            report = report_of_log_files(logs, since, until, functions, progress)
    except (OSError, duckdb.Error) as error:
        _say(errors, f"coldstart: {str(error).partition(chr(10))[0]}")
        sys.exit(_FAILED)
    for gap in report.gaps:
        _say(errors, f"coldstart: {gap}")
    if report.functions or json_output:
        click.echo(as_json(report))
    sys.exit(0 if report.functions else _NOTHING)


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[int, int], None]]:
    """A bar of the bytes read, where somebody sees it."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True, highlight=False)
