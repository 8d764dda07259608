"""The command line: parses it, calls the logic, prints. Nothing else is done here."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO

import click
import coldstart_layer
from rich.console import Console

from coldstart_cli import profile, profile_output, simulate_output
from coldstart_cli.fleet.commands import attach_command, detach_command
from coldstart_cli.fleet.status_command import status_command
from coldstart_cli.local_lambda.layer import default_layer
from coldstart_cli.profile_advice import advice
from coldstart_cli.simulate import (
    INITIALIZATION_TYPES,
    ON_DEMAND,
    SimulationError,
    describe_function,
    profile_lines,
    simulate,
)

# On stderr, of damaged lines.
_MOST_COMPLAINTS = 5


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(coldstart_layer.__version__, prog_name="coldstart")
def main() -> None:
    """One true cold start verdict for Python on AWS Lambda."""


main.add_command(attach_command)
main.add_command(detach_command)
main.add_command(status_command)


@main.command(
    "simulate",
    epilog="Example: coldstart simulate --handler app.handler --task-root src --event event.json",
)
@click.option("--handler", required=True, metavar="MODULE.FUNCTION", help="As in Lambda.")
@click.option(
    "--task-root",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code.",
)
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=sys.executable,
    help="The interpreter to run it with; it needs awslambdaric.  [default: this one]",
)
@click.option(
    "--init-type",
    "initialization_types",
    multiple=True,
    type=click.Choice(INITIALIZATION_TYPES),
    help="Only this initialization type; may be given more than once.  [default: all]",
)
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the event, as JSON.  [default: {}]",
)
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    help="An environment variable of the function; may be given more than once.",
)
@click.option(
    "--layer",
    type=click.Path(dir_okay=False, path_type=Path),
    default=default_layer(),
    help="The built layer.  [default: dist/coldstart-layer.zip]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long one init or invocation may take.",
)
@click.option("--json", "json_output", is_flag=True, help="JSON instead of a table.")
@click.option(
    "--profile",
    "profiled",
    is_flag=True,
    help="Print the log lines of COLDSTART_PROFILE=on instead, for `coldstart profile`; on-demand"
    " only, unless --init-type says otherwise.",
)
def simulate_command(
    handler: str,
    task_root: Path,
    python: Path,
    initialization_types: tuple[str, ...],
    event: Path | None,
    environment: tuple[str, ...],
    layer: Path,
    timeout: float,
    json_output: bool,
    profiled: bool,
) -> None:
    """Run a function in every way Lambda can start it, and show what the layer tells.

    The function really runs on this machine, twice for each way to start: what it does to the
    network and to files, it does. Its credentials are made up.
    """
    errors = Console(stderr=True)
    if profiled and json_output:
        raise click.UsageError("--profile prints log lines as they are: not with --json")
    try:
        if not layer.is_file():
            raise SimulationError(f"{layer} is not there; build the layer first: make build")
        variables = _environment(environment)
        if profiled:
            # Bytecode that the first start writes would not be there on Lambda.
            variables |= {"COLDSTART_PROFILE": "on", "PYTHONDONTWRITEBYTECODE": "1"}
            initialization_types = initialization_types or (ON_DEMAND,)
        function = describe_function(handler, task_root, python, variables)
        with errors.status("starting") as status:
            rows = asyncio.run(
                simulate(
                    function,
                    layer,
                    _event(event),
                    initialization_types or INITIALIZATION_TYPES,
                    timeout,
                    progress=lambda text: status.update(text),
                    warn=lambda line: errors.print(line, markup=False, soft_wrap=True),
                )
            )
    except SimulationError as error:
        if profiled:  # that of the init is there, whatever a request did
            click.echo("".join(f"{line}\n" for line in profile_lines(error.written)), nl=False)
        _fail(errors, str(error))
    if profiled:
        lines = profile_lines("".join(row.stdout for row in rows))
        if not lines:
            _fail(errors, "the function has written no profile to its stdout")
        click.echo("\n".join(lines))
    elif json_output:
        click.echo(simulate_output.as_json(rows))
    else:
        simulate_output.show(rows, Console())
    sys.exit(0 if simulate_output.is_right(rows) else 1)


@main.command(
    "profile",
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
            _say(errors, f"coldstart: {line}")
        more = len(found.unreadable) - _MOST_COMPLAINTS
        if more > 0:
            _say(errors, f"coldstart: and {more} more that cannot be read")
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
            _say(errors, f"wrote {html}")
        if speedscope is not None:
            speedscope.write_text(profile_output.speedscope(start), encoding="utf-8")
            _say(errors, f"wrote {speedscope}")
    except BrokenPipeError:
        raise  # click ends quietly
    except (profile.ProfileError, OSError, EOFError, zlib.error, UnicodeError) as error:
        _fail(errors, str(error))


def _text(file: BinaryIO) -> TextIO:
    """A file of log lines as text; as CloudWatch exports it to S3 it is compressed."""
    compressed = isinstance(file, io.BufferedReader) and file.peek(2)[:2] == b"\x1f\x8b"
    opened = gzip.GzipFile(fileobj=file) if compressed else file
    return io.TextIOWrapper(opened, "utf-8-sig", errors="replace")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True, highlight=False)


def _fail(errors: Console, message: str) -> NoReturn:
    errors.print(
        f"coldstart: {message}", style="red", markup=False, soft_wrap=True, highlight=False
    )
    sys.exit(1)


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    environment = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not name or not separator:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--env")
        environment[name] = value
    return environment


def _event(path: Path | None) -> bytes:
    if path is None:
        return b"{}"
    event = path.read_bytes()
    try:
        json.loads(event)
    except ValueError as error:
        raise SimulationError(f"{path} is not JSON: {error}") from None
    return event
