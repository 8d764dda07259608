"""The options that all commands about the account have, and what they have in common when run."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from coldstart_cli.exits import fail, nothing_matched
from coldstart_cli.fleet import parallel
from coldstart_cli.fleet.access import REQUESTS_PER_SECOND, Access
from coldstart_cli.fleet.aws_errors import FleetError, explain
from coldstart_cli.fleet.selection import Selection, excluded, named, names_in

Command = Callable[..., Any]


def account_options(command: Command) -> Command:
    """--profile, --region, --endpoint-url, --rate: the command is given ``access``."""

    @click.option("--profile", metavar="NAME", help="A profile of your AWS configuration.")
    @click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="REGION",
        help="Where to work; may be given more than once.  [default: AWS_REGION, or that of your"
        " AWS configuration]",
    )
    @click.option("--endpoint-url", metavar="URL", help="Send requests there instead of to AWS.")
    @click.option(
        "--rate",
        type=click.IntRange(1, 100),
        default=REQUESTS_PER_SECOND,
        show_default=True,
        help="Requests a second at most, in each region.",
    )
    @functools.wraps(command)
    def with_access(
        *arguments: Any,
        profile: str | None,
        regions: tuple[str, ...],
        endpoint_url: str | None,
        rate: int,
        **options: Any,
    ) -> Any:
        with one_line_errors():
            access = Access(profile, regions, endpoint_url, rate)
            return command(*arguments, access=access, **options)

    return with_access


def selection_options(command: Command) -> Command:
    """FUNCTION..., --from, --prefix, --tag, --all, --exclude: it is given ``selection``."""

    @click.argument("functions", nargs=-1, metavar="[FUNCTION]...")
    @click.option(
        "--from",
        "files",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file with a name or ARN on each line; # begins a comment.",
    )
    @click.option("--prefix", metavar="TEXT", help="Those whose names begin with it.")
    @click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="KEY=VALUE",
        help="Those that have it; of several, all. With --prefix, those that fit both.",
    )
    @click.option("--all", "everything", is_flag=True, help="All Python functions.")
    @click.option(
        "--exclude",
        multiple=True,
        metavar="NAME",
        help="But not these: a name, an ARN, or a pattern with * and ?.",
    )
    @functools.wraps(command)
    def with_selection(
        *arguments: Any,
        functions: tuple[str, ...],
        files: tuple[Path, ...],
        prefix: str | None,
        tags: tuple[str, ...],
        everything: bool,
        exclude: tuple[str, ...],
        **options: Any,
    ) -> Any:
        try:
            asked_for = [named(text) for text in functions]
            for file in files:
                asked_for += names_in(file)
            left_out = tuple(excluded(text) for text in exclude)
        except FleetError as error:
            raise click.UsageError(str(error)) from None
        if prefix == "":
            raise click.UsageError("--prefix is empty: --all means all")
        if everything and (prefix is not None or tags):
            raise click.UsageError("--all is all: not with --prefix or --tag")
        selection = Selection(
            named=tuple(dict.fromkeys(asked_for)),
            prefix=prefix,
            tags=dict(_tag(text) for text in tags),
            everything=everything,
            exclude=left_out,
        )
        if files and not (selection.named or selection.searches):
            nothing_matched(f"{files[0]} names no function")
        return command(*arguments, selection=selection, **options)

    return with_selection


def some(selection: Selection) -> None:
    """Raises click's UsageError where nobody has said which functions."""
    if not (selection.named or selection.searches):
        raise click.UsageError("which functions? Name them, or give --prefix, --tag or --all")


def _tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--tag")
    return key, value


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Errors end the command with one line on stderr, whatever they are."""
    try:
        yield
        sys.stdout.flush()
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise  # click's own, and it knows what to do about them
    except Exception as error:
        fail(explain(error))


@contextlib.contextmanager
def progress_bar() -> Iterator[parallel.Progress]:
    """A progress bar on stderr, gone when it is done; where that is no terminal, nothing."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of or None)

        yield tell
