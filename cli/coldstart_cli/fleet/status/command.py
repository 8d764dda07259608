"""`coldstart status`: parses it, calls the logic, prints."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from coldstart_cli.exits import DONE, FAILED, complain, nothing_matched
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME
from coldstart_cli.fleet.options import (
    account_options,
    progress_bar,
    selection_options,
    some,
)
from coldstart_cli.fleet.selection import Selection
from coldstart_cli.fleet.status import output
from coldstart_cli.fleet.status.as_json import as_json
from coldstart_cli.fleet.status.status import status


@click.command(
    "status",
    short_help="Show who has the layer, and what keeps its signals from arriving.",
    epilog="Example: coldstart status --all --region eu-west-1",
)
@selection_options
@click.option(
    "--layer", default=DEFAULT_NAME, show_default=True, metavar="NAME", help="The layer's name."
)
@click.option("--json", "json_output", is_flag=True, help="JSON instead of a table.")
@account_options
def status_command(access: Access, selection: Selection, layer: str, json_output: bool) -> None:
    """Show which functions have the layer, and what keeps its signals from arriving.

    Each problem has its cure beside it; nothing is changed. What could not be found out is told at
    the end, and the exit code is 1 then. Permissions: lambda:ListFunctions,
    lambda:GetFunctionConfiguration, lambda:ListLayerVersions, lambda:ListAliases,
    lambda:ListProvisionedConcurrencyConfigs, lambda:ListVersionsByFunction, logs:DescribeLogGroups
    and iam:SimulatePrincipalPolicy; with --tag also tag:GetResources.
    """
    some(selection)
    with progress_bar() as tell:
        found = status(access, selection, layer, tell)
    for name in found.selected.missing:
        complain(f"there is no function {name} in {', '.join(access.regions)}")
    if not found.functions:
        nothing_matched(output.nothing(found))
    if json_output:
        click.echo(as_json(found))
    else:
        output.show(found, Console(), several_regions=len(access.regions) > 1)
    for one in found.not_known:
        complain(output.not_known(one))
    sys.exit(FAILED if found.not_known or found.selected.missing else DONE)
