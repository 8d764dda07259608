"""`coldstart attach` and `coldstart detach`: parses them, calls the logic, prints."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from coldstart_cli.exits import DONE, FAILED, complain, nothing_matched
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.attach import output
from coldstart_cli.fleet.attach.changing import Outcome
from coldstart_cli.fleet.attach.fleet import Fleet, carry_out_all, plan_attaching, plan_detaching
from coldstart_cli.fleet.attach.state import StateFolder, default_folder
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME
from coldstart_cli.fleet.options import (
    account_options,
    progress_bar,
    selection_options,
    some,
)
from coldstart_cli.fleet.selection import Selection


@dataclass(frozen=True)
class _Asked:
    """What the options of attach and detach say."""

    layer: str
    alias: str | None
    force: bool
    yes: bool
    dry_run: bool
    state: StateFolder
    json_output: bool


def _change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What attach and detach have in common; the command is given ``asked``."""

    @functools.wraps(command)
    def with_asked(
        *arguments: Any,
        layer: str,
        publish: bool,
        alias: str | None,
        force: bool,
        yes: bool,
        dry_run: bool,
        state_folder: Path,
        json_output: bool,
        **options: Any,
    ) -> Any:
        _check(publish, alias, yes, dry_run, json_output)
        state = StateFolder(state_folder)
        asked = _Asked(layer, alias, force, yes, dry_run, state, json_output)
        return command(*arguments, asked=asked, **options)

    with_options: Callable[..., Any] = with_asked
    for option in reversed(
        (
            click.option(
                "--layer",
                default=DEFAULT_NAME,
                show_default=True,
                metavar="LAYER",
                help="The layer's name, whose newest version is meant, or one version: NAME:3, or"
                " its ARN.",
            ),
            click.option(
                "--publish",
                is_flag=True,
                help="Publish a version afterwards, and point --alias at it: provisioned"
                " concurrency and SnapStart never see $LATEST.",
            ),
            click.option("--alias", metavar="NAME", help="The alias to move, with --publish."),
            click.option(
                "--force",
                is_flag=True,
                help="Also functions that CloudFormation, SAM, the CDK, Serverless or Terraform"
                " deploys; and with --publish, also where $LATEST has other changes.",
            ),
            click.option("--yes", is_flag=True, help="Do it without asking."),
            click.option("--dry-run", is_flag=True, help="Only show what would be done."),
            click.option(
                "--state",
                "state_folder",
                type=click.Path(file_okay=False, path_type=Path),
                default=default_folder,
                help="The folder with notes of what functions were like before, to restore it"
                f" exactly.  [default: {default_folder()}]",
            ),
            click.option("--json", "json_output", is_flag=True, help="JSON instead of a table."),
        )
    ):
        with_options = option(with_options)
    return with_options


@click.command(
    "attach",
    short_help="Attach the layer to functions.",
    epilog="\b\nExamples:\n  coldstart attach orders --yes\n"
    "  coldstart attach --tag team=shop --exclude 'orders-test-*' --dry-run",
)
@selection_options
@_change_options
@account_options
def attach_command(access: Access, selection: Selection, asked: _Asked) -> None:
    """Attach the layer to functions: shows what will be done, asks, and does it.

    The newest version of the layer is added, or an older one replaced in its place, and its exec
    wrapper set; another tool's wrapper that is there goes on running, inside that one. Doing it
    again changes nothing, and completes what was cut short.

    Permissions: lambda:GetFunctionConfiguration, lambda:ListFunctions, lambda:ListLayerVersions,
    lambda:GetLayerVersion, lambda:UpdateFunctionConfiguration and tag:GetResources; with --publish
    also lambda:PublishVersion, lambda:GetAlias, lambda:UpdateAlias and
    lambda:GetProvisionedConcurrencyConfig.
    """
    some(selection)
    with progress_bar() as tell:
        fleet = plan_attaching(access, selection, asked.layer, asked.alias, asked.force, tell)
    _change(access, fleet, asked, "attach")


@click.command(
    "detach",
    short_help="Detach the layer from functions, and leave them as they were.",
    epilog="Example: coldstart detach orders payments --yes",
)
@selection_options
@_change_options
@account_options
def detach_command(access: Access, selection: Selection, asked: _Asked) -> None:
    """Detach the layer from functions, and leave them as they were before.

    What attach noted is restored exactly, aliases included; the layer goes in any case, also an
    older version that was there before. Of a function without notes, or one that was changed since,
    only the layer and its wrapper are removed. Permissions: those of attach, and
    lambda:ListAliases.
    """
    some(selection)
    with progress_bar() as tell:
        fleet = plan_detaching(
            access, selection, asked.layer, asked.state, asked.alias, asked.force, tell
        )
    _change(access, fleet, asked, "detach")


def _check(publish: bool, alias: str | None, yes: bool, dry_run: bool, json_output: bool) -> None:
    if alias is not None and not re.fullmatch(r"(?!\d+$)[\w-]{1,128}", alias, re.ASCII):
        raise click.UsageError(f"--alias {alias!r} is no name of an alias")
    if publish != (alias is not None):
        raise click.UsageError("--publish and --alias go together")
    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run contradict each other")
    if not (yes or dry_run) and (json_output or not _somebody_is_there()):
        why = "--json" if json_output else "where nobody can be asked"
        raise click.UsageError(
            f"{why}: give --yes to do it, or --dry-run to see what would be done"
        )


def _somebody_is_there() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _change(access: Access, fleet: Fleet, asked: _Asked, verb: str) -> None:
    """Show what is planned, ask, do it, show what came of it."""
    for name in fleet.selected.missing:
        complain(f"there is no function {name} in {', '.join(access.regions)}")
    if not any(plan.action != "skip" for plan in fleet.plans):
        nothing_matched(output.nothing(fleet.plans))
    acting = [plan for plan in fleet.plans if plan.acts]
    if not asked.json_output:
        output.show_plans(fleet.plans, Console(), several_regions=len(access.regions) > 1)
    outcomes: list[Outcome] = []
    if not asked.dry_run:
        if acting and not asked.yes:
            count = output.functions(len(acting))
            click.confirm(f"{verb.capitalize()}: change {count}?", abort=True, err=True)
        # All plans, also those without a change: notes that are of no use any more are removed.
        outcomes = _carry_out(access, fleet, asked.state, len(acting))
        if acting and not asked.json_output:
            output.show_outcomes(fleet.plans, outcomes, asked.state, Console())
    if asked.json_output:
        click.echo(output.as_json(fleet, outcomes))
    refused = any(plan.action == "refuse" for plan in fleet.plans)
    failed = any(outcome.result in ("failed", "refused") for outcome in outcomes)
    stopped = not asked.dry_run and len(outcomes) < len(fleet.plans)
    sys.exit(FAILED if refused or failed or stopped or fleet.selected.missing else DONE)


def _carry_out(access: Access, fleet: Fleet, state: StateFolder, acting: int) -> list[Outcome]:
    """What came of the plans; when interrupted, of those that were begun."""
    outcomes: list[Outcome] = []
    done = 0
    with progress_bar() as tell:

        def add(outcome: Outcome) -> None:
            nonlocal done
            outcomes.append(outcome)
            done += outcome.plan.acts
            tell("changing functions", done, acting)

        try:
            if not carry_out_all(access, fleet, state, add):
                complain("stopped: what was begun has been brought to its end; run it again")
        except KeyboardInterrupt:
            complain("stopped at once: what was begun may be done or not; run it again")
    return outcomes
