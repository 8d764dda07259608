"""`coldstart simulate`: parses it, calls the logic, prints."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from coldstart_cli import simulate_output
from coldstart_cli.exits import fail
from coldstart_cli.local_lambda.layer import default_layer
from coldstart_cli.simulate import (
    INITIALIZATION_TYPES,
    ON_DEMAND,
    SimulationError,
    describe_function,
    profile_lines,
    simulate,
)


@click.command(
    "simulate",
    short_help="Run a function in every way Lambda can start it, on this machine.",
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
        fail(str(error))
    if profiled:
        lines = profile_lines("".join(row.stdout for row in rows))
        if not lines:
            fail("the function has written no profile to its stdout")
        click.echo("\n".join(lines))
    elif json_output:
        click.echo(simulate_output.as_json(rows))
    else:
        simulate_output.show(rows, Console())
    sys.exit(0 if simulate_output.is_right(rows) else 1)


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
