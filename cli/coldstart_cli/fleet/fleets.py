"""Attaching and detaching for all functions that were asked for: plan them, then carry it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from coldstart_cli.fleet import layer_versions
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.attaching import Attaching
from coldstart_cli.fleet.aws_errors import AWS_ERRORS, explain
from coldstart_cli.fleet.changing import Outcome, carry_out
from coldstart_cli.fleet.detaching import Detaching
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.parallel import Progress, in_parallel, no_progress
from coldstart_cli.fleet.plans import Plan
from coldstart_cli.fleet.selection import Selected, Selection, select
from coldstart_cli.fleet.state import StateFolder


class _Planner(Protocol):
    def plan(self, function: FleetFunction, named: bool) -> Plan: ...


@dataclass(frozen=True)
class Fleet:
    """The functions that were asked for, and what is to be done with each."""

    selected: Selected
    planners: dict[str, _Planner]  # by region
    plans: tuple[Plan, ...]  # by region and name


def plan_attaching(
    access: Access,
    selection: Selection,
    layer: str,
    alias: str | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Fleet:
    """Find the functions and decide what attaching means for each.

    Args:
        access: to the account.
        selection: which functions.
        layer: the name of the layer, or the ARN of a version of it.
        alias: to publish a version for, and move to it; None: only $LATEST is changed.
        force: also functions that a deployment tool manages, or whose alias is behind $LATEST.
        progress: is told what is being done.

    Raises:
        FleetError: there is no such layer, or an ARN is of another region.
        botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
    """
    selected = select(access, selection, with_tags=True, progress=progress)
    regions = {function.region for function in selected.functions}
    planners: dict[str, _Planner] = {
        region: Attaching(
            access.client("lambda", region),
            layer_versions.find(access, region, layer),
            alias,
            force,
        )
        for region in sorted(regions)
    }
    return _plan(selected, planners, progress)


def plan_detaching(
    access: Access,
    selection: Selection,
    layer: str,
    state: StateFolder,
    alias: str | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Fleet:
    """Find the functions and decide what detaching means for each; else as plan_attaching."""
    selected = select(access, selection, with_tags=True, progress=progress)
    name = layer_versions.name_in(layer)
    planners: dict[str, _Planner] = {
        region: Detaching(access.client("lambda", region), name, state, alias, force)
        for region in access.regions
    }
    return _plan(selected, planners, progress)


def carry_out_all(access: Access, fleet: Fleet, state: StateFolder) -> Iterator[Outcome]:
    """Carry out all plans, several at a time; yields what came of each, as it comes."""

    def do(plan: Plan) -> Outcome:
        named = plan.function.arn in fleet.selected.named
        planner = fleet.planners[plan.function.region]
        tags = plan.function.tags
        try:
            return carry_out(
                access.client("lambda", plan.function.region),
                plan,
                lambda function: planner.plan(replace(function, tags=tags), named),
                state,
            )
        except (*AWS_ERRORS, OSError) as error:
            return Outcome(plan, "failed", explain(error))

    return in_parallel(do, fleet.plans)


def _plan(selected: Selected, planners: dict[str, _Planner], progress: Progress) -> Fleet:
    def plan(function: FleetFunction) -> Plan:
        named = function.arn in selected.named
        try:
            return planners[function.region].plan(function, named)
        except AWS_ERRORS as error:
            return Plan(function, "refuse", reasons=(explain(error),))

    plans = []
    for done, one in enumerate(in_parallel(plan, selected.functions), 1):
        plans.append(one)
        progress("looking at functions", done, len(selected.functions))
    plans.sort(key=lambda plan: (plan.function.region, plan.function.name))
    return Fleet(selected, planners, tuple(plans))
