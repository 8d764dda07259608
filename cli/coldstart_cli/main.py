"""The command line. Each command is in a module of its own, loaded when it is asked for."""

from __future__ import annotations

import importlib

import click
import coldstart_layer

_COMMANDS = {
    "attach": "coldstart_cli.fleet.attach.commands:attach_command",
    "detach": "coldstart_cli.fleet.attach.commands:detach_command",
    "profile": "coldstart_cli.profile_command:profile_command",
    "report": "coldstart_cli.report.command:report_command",
    "simulate": "coldstart_cli.simulate_command:simulate_command",
    "status": "coldstart_cli.fleet.status.command:status_command",
}


class _LoadedWhenAskedFor(click.Group):
    """As "Complex Applications" in click's documentation: boto3, aiohttp and the like take long."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_LoadedWhenAskedFor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(coldstart_layer.__version__, prog_name="coldstart")
def main() -> None:
    """One true cold start verdict for Python on AWS Lambda."""
