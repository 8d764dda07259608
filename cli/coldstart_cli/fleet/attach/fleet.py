"""Attaching and detaching for all functions that were asked for: plan them, then carry it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from coldstart_cli.fleet import layer_versions
from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.attach.attaching import Attaching
from coldstart_cli.fleet.attach.changing import Outcome, carry_out
from coldstart_cli.fleet.attach.detaching import Detaching
from coldstart_cli.fleet.attach.plans import Plan
from coldstart_cli.fleet.attach.state import StateFolder
from coldstart_cli.fleet.aws_errors import explain
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.parallel import Progress, answers_of, in_parallel, no_progress
from coldstart_cli.fleet.selection import Selected, Selection, select


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
    # Where there is nothing to attach it to, nobody needs the layer.
    regions = {
        function.region
        for function in selected.functions
        if function.arn in selected.named or function.is_python
    }
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


def carry_out_all(
    access: Access, fleet: Fleet, state: StateFolder, each: Callable[[Outcome], None]
) -> bool:
    """Carry out all plans, several at a time; ``each`` gets what came of each, as it comes.

    Returns:
        Whether all were carried out; if not, it was interrupted.
    """

    def do(plan: Plan) -> Outcome:
        named = plan.function.arn in fleet.selected.named
        tags = plan.function.tags
        return carry_out(
            access.client("lambda", plan.function.region),
            plan,
            lambda function: fleet.planners[plan.function.region].plan(
                replace(function, tags=tags), named
            ),
            state,
        )

    return in_parallel(do, fleet.plans, each)


def _plan(selected: Selected, planners: dict[str, _Planner], progress: Progress) -> Fleet:
    def plan(function: FleetFunction) -> Plan:
        named = function.arn in selected.named
        try:
            if function.region not in planners:
                return Plan(function, "skip", reasons=(f"{function.runtime}, not Python",))
            return planners[function.region].plan(function, named)
        except Exception as error:
            return Plan(function, "refuse", reasons=(explain(error),))

    plans = answers_of(plan, selected.functions, progress, "looking at functions")
    plans.sort(key=lambda plan: (plan.function.region, plan.function.name))
    return Fleet(selected, planners, tuple(plans))
