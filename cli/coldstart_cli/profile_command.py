"""`coldstart profile`: parses it, calls the logic, prints."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, TextIO

import click
from rich.console import Console

from coldstart_cli import profile, profile_output
from coldstart_cli.exits import fail, say
from coldstart_cli.profile_advice import advice

# On stderr, of damaged lines.
_MOST_COMPLAINTS = 5


@click.command(
    "profile",
    short_help="Show why a start was slow, module by module.",
    epilog="Example: coldstart simulate --handler app.handler --task-root src --profile |"
    " coldstart profile --source src --html start.html",
)
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--function", metavar="NAME", help="Of which function, if there are several.")
@click.option("--slowest", is_flag=True, help="The slowest start instead of the median one.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code, to find imports that only one function uses.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a flame graph, as a page of its own.",
)
@click.option(
    "--speedscope",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a file for speedscope (https://www.speedscope.app).",
)
@click.option("--json", "json_output", is_flag=True, help="JSON instead of tables.")
def profile_command(
    file: BinaryIO,
    function: str | None,
    slowest: bool,
    source: Path | None,
    html: Path | None,
    speedscope: Path | None,
    json_output: bool,
) -> None:
    """Show why a start was slow: what its init went to, module by module.

    FILE has log lines of a function with COLDSTART_PROFILE=on, others may be between them: what
    `aws logs tail` prints, or an export. By default standard input is read.
    """
    errors = Console(stderr=True)
    if file.isatty():
        errors.print("reading log lines from standard input; --help says more", style="dim")
    try:
        with _text(file) as lines:
            found = profile.read(lines)
        for line in found.unreadable[:_MOST_COMPLAINTS]:
            say(f"coldstart: {line}")
        more = len(found.unreadable) - _MOST_COMPLAINTS
        if more > 0:
            say(f"coldstart: and {more} more that cannot be read")
        starts = profile.of_function(found, function)
        start = profile.pick(starts, slowest)
        given = advice(start, source)
        with_source = source is not None
        if json_output:
            click.echo(profile_output.as_json(start, starts, given))
        else:
            profile_output.show(start, starts, given, with_source, Console())
        sys.stdout.flush()
        if html is not None:
            page = profile_output.html(start, starts, given, with_source)
            html.write_text(page, encoding="utf-8")
            say(f"wrote {html}")
        if speedscope is not None:
            speedscope.write_text(profile_output.speedscope(start), encoding="utf-8")
            say(f"wrote {speedscope}")
    except BrokenPipeError:
        raise  # click ends quietly
    except (profile.ProfileError, OSError, EOFError, zlib.error, UnicodeError) as error:
        fail(str(error))


def _text(file: BinaryIO) -> TextIO:
    """A file of log lines as text; as CloudWatch exports it to S3 it is compressed."""
    compressed = isinstance(file, io.BufferedReader) and file.peek(2)[:2] == b"\x1f\x8b"
    opened = gzip.GzipFile(fileobj=file) if compressed else file
    return io.TextIOWrapper(opened, "utf-8-sig", errors="replace")
