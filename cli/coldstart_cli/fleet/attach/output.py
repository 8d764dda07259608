"""Shows what is planned for functions and what came of it: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coldstart_cli.fleet.attach.changing import Outcome
from coldstart_cli.fleet.attach.fleet import Fleet
from coldstart_cli.fleet.attach.plans import AliasStep, Plan
from coldstart_cli.fleet.attach.state import StateFolder
from coldstart_cli.fleet.wiring import (
    OUR_WRAPPER,
    Wiring,
    is_our_wrapper,
    layer_name,
    layer_version,
    wiring_of,
)

# Of functions with nothing to do, if there are more of them they are only counted.
_MOST_UNCHANGED = 10
_MOST_NAMES = 5


def functions(count: int) -> str:
    """So many functions."""
    return "1 function" if count == 1 else f"{count:,} functions"


def nothing(plans: Sequence[Plan]) -> str:
    """Why there is nothing to look at."""
    if plans:
        return f"no function to work on matches ({functions(len(plans))}: {_why(plans)})"
    return "no function matches"


def _why(plans: Iterable[Plan]) -> str:
    return ", ".join(sorted({reason for plan in plans for reason in plan.reasons}))


def show_plans(plans: Sequence[Plan], console: Console, several_regions: bool) -> None:
    """Print what is planned: changes, refusals, and the rest if it is little."""
    unchanged = [plan for plan in plans if plan.action == "none" and not plan.aliases]
    hidden = unchanged if len(unchanged) > _MOST_UNCHANGED else []
    shown = [plan for plan in plans if plan.action != "skip" and plan not in hidden]
    if shown:
        table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
        table.add_column("function", overflow="fold")
        if several_regions:
            table.add_column("region", no_wrap=True)
        table.add_column("plan", overflow="fold")
        for plan in shown:
            region = [plan.function.region] if several_regions else []
            table.add_row(plan.function.name, *region, _plan(plan))
        console.print(table)
        console.print()
    for text, names in _instead(plans).items():
        console.print(f"To add to {names}:\n", highlight=False, markup=False)
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    console.print(_summary(plans), highlight=False)


def _instead(plans: Iterable[Plan]) -> dict[str, str]:
    """What is to be added elsewhere, and for which functions."""
    names: dict[str, list[str]] = {}
    for plan in plans:
        if plan.instead:
            names.setdefault(plan.instead, []).append(plan.function.name)
    return {
        text: ", ".join(of[:_MOST_NAMES])
        + (f" and {len(of) - _MOST_NAMES} more" * (len(of) > _MOST_NAMES))
        for text, of in names.items()
    }


def _plan(plan: Plan) -> Text:
    if plan.action == "refuse":
        return Text("no: " + "; ".join(plan.reasons), style="red")
    steps = [*_wiring_steps(plan), *(_alias_step(step) for step in plan.aliases)]
    text = Text("; ".join(steps) or "nothing to do", style="" if steps else "dim")
    for warning in plan.warnings:
        text.append(f"\n! {warning}", style="yellow")
    return text


def _wiring_steps(plan: Plan) -> list[str]:
    """What is to be done to $LATEST, in words."""
    if plan.target is None or plan.action == "none":
        return []
    now, target = wiring_of(plan.function), plan.target
    said = _layers(now, target)
    if now.exec_wrapper != target.exec_wrapper:
        if target.exec_wrapper == OUR_WRAPPER:
            said.append(f"{'and its' if said else 'set our'} wrapper")
        elif is_our_wrapper(now.exec_wrapper):
            said.append(f"{'and its' if said else 'remove our'} wrapper")
    steps = [" ".join(said)] if said else []
    if now.next_wrapper and now.next_wrapper == target.exec_wrapper:
        steps.append(f"{target.exec_wrapper} gets its place back")
    elif target.next_wrapper and (now.exec_wrapper, now.next_wrapper) != (
        target.exec_wrapper,
        target.next_wrapper,
    ):
        steps.append(f"{target.next_wrapper} runs inside it")
    return steps or ["put its variables back"]


def _layers(now: Wiring, target: Wiring) -> list[str]:
    """What becomes of the layers: nothing, one thing, or several in one text."""
    added = [arn for arn in target.layers if arn not in now.layers]
    removed = {layer_name(arn): arn for arn in now.layers if arn not in target.layers}
    said = []
    for arn in added:
        label = f"{layer_name(arn)}:{layer_version(arn)}"
        old = removed.pop(layer_name(arn), None)
        said.append(f"{label} in place of :{layer_version(old)}" if old else f"add {label}")
    left = {layer_name(arn) for arn in target.layers}
    said += [
        f"remove {name}" + (f":{layer_version(arn)}" if name in left else "")
        for name, arn in removed.items()
    ]
    if not said and now.layers != target.layers:
        said = ["put its layers back into their order"]
    return [", ".join(said)] if said else []


def _alias_step(step: AliasStep) -> str:
    if not step.moves:
        return f"wait for the provisioned concurrency of alias {step.alias}"
    to = f"version {step.to}" if step.to else "a new version"
    said = f"alias {step.alias} from version {step.now} to {to}"
    if step.provisioned:
        said += f", where {step.provisioned} provisioned environments are made ready anew"
    return said


def _summary(plans: Sequence[Plan]) -> str:
    counts = Counter(
        "alias" if plan.action == "none" and plan.aliases else plan.action for plan in plans
    )
    words = {
        "attach": "to attach",
        "update": "to update",
        "detach": "to detach",
        "alias": "with an alias to move or wait for",
        "none": "with nothing to do",
        "refuse": "refused",
        "skip": "left out, not Python",
    }
    said = [f"{counts[name]:,} {text}" for name, text in words.items() if counts[name]]
    return f"{functions(len(plans))}: {', '.join(said)}."


def show_outcomes(
    plans: Sequence[Plan], outcomes: Sequence[Outcome], state: StateFolder, console: Console
) -> None:
    """Print what failed or had changed since it was planned, and how many did not."""
    planned = {plan.function.arn: plan for plan in plans}
    refused = {arn for arn, plan in planned.items() if plan.action == "refuse"}
    for outcome in outcomes:
        name = outcome.plan.function.name
        done = "".join(
            [" ($LATEST was changed)"] * outcome.changed
            + [f" (alias {alias} was moved to version {to})" for alias, to in outcome.versions]
        )
        if outcome.result == "failed":
            told = f"failed: {name}{done}: {outcome.error}"
            console.print(Text(told, style="red"), soft_wrap=True)
        elif outcome.result == "refused" and outcome.plan.function.arn not in refused:
            reasons = "; ".join(outcome.plan.reasons)
            told = f"not completed: {name}{done}: {reasons}"
            console.print(Text(told, style="red"), soft_wrap=True)
        for warning in outcome.plan.warnings:
            if warning not in planned[outcome.plan.function.arn].warnings:
                console.print(Text(f"{name}: {warning}", style="yellow"), soft_wrap=True)
    counts = Counter(outcome.result for outcome in outcomes)
    said = [f"{functions(counts['done'])} done"]
    said += [f"{counts[name]:,} {name}" for name in ("failed", "refused") if counts[name]]
    console.print(f"{', '.join(said)}.", highlight=False)
    attached = [one for one in outcomes if one.changed and not one.plan.detaching]
    if any(not one.versions for one in attached):
        console.print(
            "Published versions, and aliases that point at them, are as they were: `coldstart"
            " status` shows which have the layer, --publish --alias moves an alias.",
            highlight=False,
            soft_wrap=True,
        )
    if attached:
        told = (
            f"What they were like before is noted in {state.path}; `coldstart detach` restores it."
        )
        console.print(told, highlight=False, markup=False, soft_wrap=True)


def as_json(fleet: Fleet, outcomes: Iterable[Outcome]) -> str:
    """Plans and outcomes as a JSON object."""
    by_arn = {outcome.plan.function.arn: outcome for outcome in outcomes}
    return json.dumps(
        {
            "functions": [_as_dict(plan, by_arn.get(plan.function.arn)) for plan in fleet.plans],
            "missing": list(fleet.selected.missing),
        },
        indent=2,
    )


def _as_dict(plan: Plan, outcome: Outcome | None) -> dict[str, Any]:
    carried_out = outcome.plan if outcome else plan
    return {
        "function": plan.function.name,
        "arn": plan.function.arn,
        "region": plan.function.region,
        "action": carried_out.action,
        "before": _wiring(wiring_of(carried_out.function)),
        "after": _wiring(carried_out.target) if carried_out.target else None,
        "aliases": [
            {"alias": step.alias, "from": step.now, "to": step.to} for step in carried_out.aliases
        ],
        "warnings": list(carried_out.warnings),
        "reasons": list(carried_out.reasons),
        "instead": carried_out.instead,
        "managed_by": str(plan.manager) if plan.manager else None,
        "result": outcome.result if outcome else None,
        "error": outcome.error if outcome else None,
        "changed": outcome.changed if outcome else False,
        "published": dict(outcome.versions) if outcome else {},
    }


def _wiring(wiring: Wiring) -> dict[str, Any]:
    return {
        "layers": list(wiring.layers),
        "AWS_LAMBDA_EXEC_WRAPPER": wiring.exec_wrapper,
        "COLDSTART_NEXT_WRAPPER": wiring.next_wrapper,
    }
