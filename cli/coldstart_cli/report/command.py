"""`coldstart report`: parses it, calls the logic, prints."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from coldstart_cli.exits import DONE, FAILED, NOTHING_MATCHED, complain, fail, nothing_matched, say
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.options import account_options, progress_bar, selection_options, some
from coldstart_cli.fleet.selection import Selection, select
from coldstart_cli.report.advice.advise import advise
from coldstart_cli.report.as_json import as_json
from coldstart_cli.report.figures import Report
from coldstart_cli.report.shown.page import page
from coldstart_cli.report.shown.table import show
from coldstart_cli.report.window import parse_time

_DAY = 24 * 3600


def _time(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_time(value, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    "report",
    short_help="Show what cold starts there were, what they cost, and what to do.",
    epilog="\b\nExamples:\n  coldstart report --tag team=shop --since 7d --html report.html\n"
    "  coldstart report --logs export/ --since 2026-11-25T10:00:00Z --json",
)
@selection_options
@click.option(
    "--since",
    callback=_time,
    metavar="TIME",
    help="From when on: 24h or 7d before now, or 2026-11-25T10:00:00Z.  [default: 24h; with --logs"
    " the first line]",
)
@click.option(
    "--until",
    callback=_time,
    metavar="TIME",
    help="Before when.  [default: now; with --logs after the last line]",
)
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
    help="Read files instead of an account: a log file, a folder of them, or - for standard input;"
    " may be given more than once.",
)
@click.option("--json", "json_output", is_flag=True, help="JSON instead of a table.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the report as one HTML page, with charts.",
)
@account_options
def report_command(
    access: Access,
    selection: Selection,
    since: float | None,
    until: float | None,
    logs: tuple[Path, ...],
    json_output: bool,
    html: Path | None,
) -> None:
    """Show how often functions started cold, how long that took, what it cost, and what to do.

    From CloudWatch: metrics, and by Logs Insights the layer's lines and Lambda's own; AWS charges
    for that, and the report says how much. Or with --logs from files: CloudWatch Logs' export to
    S3, what `aws logs tail`, `filter-log-events` and `get-log-events` print, a subscription
    filter's records, or what a function wrote to stdout; then FUNCTION leaves out all others.

    Permissions: those to select functions (see attach), logs:StartQuery, logs:GetQueryResults,
    logs:StopQuery, logs:DescribeLogGroups, cloudwatch:GetMetricData, cloudwatch:ListMetrics and
    lambda:ListProvisionedConcurrencyConfigs.
    """
    if since is not None and until is not None and since >= until:
        raise click.BadParameter("--until has to be later than --since", param_hint="--until")
    if html is not None and not html.parent.is_dir():
        raise click.BadParameter(f"there is no folder {html.parent}", param_hint="--html")
    _printable()
    missing: tuple[str, ...] = ()
    if logs:
        report = _of_files(logs, selection, since, until)
    else:
        some(selection)
        report, missing = _of_account(access, selection, since, until)
    advice = advise(report)
    if json_output or not report.functions:
        for gap in report.gaps:
            complain(gap)
    if json_output:
        click.echo(as_json(report, advice))
    elif report.functions:
        show(report, advice, Console())
    if not report.functions:
        sys.exit(NOTHING_MATCHED)
    if html is not None:
        try:
            html.write_text(page(report, advice), encoding="utf-8")
        except OSError as error:
            fail(str(error))
        say(f"wrote {html}")
    # Whoever goes by the exit code must not take a part for the whole.
    sys.exit(FAILED if missing or any(one.partial for one in report.functions) else DONE)


def _printable() -> None:
    """Whatever the terminal's encoding lacks is shown as ?, where it would end the report."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _of_account(
    access: Access, selection: Selection, since: float | None, until: float | None
) -> tuple[Report, tuple[str, ...]]:
    """The report, and the functions that were asked for and are not there."""
    from coldstart_cli.report.account.errors import ReportError
    from coldstart_cli.report.account.report import report_of_account

    end = time.time() if until is None else until
    with progress_bar() as tell:
        selected = select(access, selection, progress=tell)
        for name in selected.missing:
            complain(f"there is no function {name} in {', '.join(access.regions)}")
        functions = [
            one for one in selected.functions if one.arn in selected.named or one.is_python
        ]
        if not functions:
            nothing_matched("no Python function matches")
        try:
            report = report_of_account(
                access.client,
                functions,
                end - _DAY if since is None else since,
                end,
                lambda what: tell(what, 0, 0),
            )
        except ReportError as error:
            fail(str(error))
    return report, selected.missing


def _of_files(
    logs: Sequence[Path], selection: Selection, since: float | None, until: float | None
) -> Report:
    # Here, since DuckDB takes long to import.
    import duckdb

    from coldstart_cli.report.log_files.report import report_of_log_files

    if selection.searches or selection.exclude:
        raise click.UsageError(
            "--logs reads what the files have: name functions, or none for all of them; not"
            " --prefix, --tag, --all or --exclude"
        )
    names = [one.name for one in selection.named]
    try:
        with _bytes_read() as progress, _with_stdin(logs) as paths:
            return report_of_log_files(paths, since, until, names, progress)
    except (OSError, duckdb.Error) as error:
        fail(str(error).partition("\n")[0])


@contextmanager
def _with_stdin(logs: Sequence[Path]) -> Iterator[list[Path]]:
    """The files to read; standard input is kept in one of its own until then."""
    with TemporaryDirectory() as folder:
        paths = []
        for path in logs:
            if path == Path("-"):
                path = Path(folder) / "standard-input"
                with path.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
            paths.append(path)
        yield paths


@contextmanager
def _bytes_read() -> Iterator[Callable[[int, int], None]]:
    """A bar of the bytes read, where somebody sees it."""
    errors = Console(stderr=True)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)
