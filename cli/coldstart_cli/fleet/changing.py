"""Carries out what was planned for one function: notes first, then the change, then aliases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from coldstart_cli.fleet import aliases
from coldstart_cli.fleet.aws_errors import FleetError, code_of
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.plans import AliasStep, Plan
from coldstart_cli.fleet.state import AliasMove, Record, StateFolder
from coldstart_cli.fleet.wiring import Wiring, changes, wiring_of

Result = Literal["done", "unchanged", "refused", "skipped", "failed"]

# 409: an update of the function is under way. 412: it was changed since we read it.
_CONFLICTS = {"ResourceConflictException", "PreconditionFailedException"}
_TRIES = 8
_WAIT_SECONDS = 2  # between looks at an update that is under way; ten minutes in all
_WAITS = 300


@dataclass(frozen=True)
class Outcome:
    """What came of a plan: the plan that was carried out in the end, and how it went."""

    plan: Plan
    result: Result
    error: str | None = None  # with "failed"
    versions: tuple[tuple[str, str], ...] = ()  # aliases that were moved, and to which version


def carry_out(
    client: Any, plan: Plan, plan_again: Callable[[FleetFunction], Plan], state: StateFolder
) -> Outcome:
    """Do what was planned; where somebody else was faster, look again and plan anew.

    Args:
        client: of Lambda, in the function's region.
        plan: which acts.
        plan_again: makes a plan of the function as it is now.
        state: where notes are kept; they are written before anything is changed.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: AWS refused, or could not be reached.
        FleetError: it could not be completed, or notes could not be written.
    """
    outcome = Outcome(plan, "unchanged")
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: code_of(error) in _CONFLICTS),
        wait=wait_random_exponential(multiplier=0.5, max=15),
        stop=stop_after_attempt(_TRIES),
        reraise=True,
    ):
        with attempt:
            if attempt.retry_state.attempt_number > 1:
                plan = plan_again(_settled(client, plan.function))
            outcome = _try(client, plan, state)
    return outcome


def _try(client: Any, plan: Plan, state: StateFolder) -> Outcome:
    if plan.action in ("refuse", "skip"):
        return Outcome(plan, "refused" if plan.action == "refuse" else "skipped")
    if plan.target is None:
        raise FleetError("a plan without a target")
    record = _record(plan, plan.target, state)
    if plan.acts and not plan.detaching:
        state.write(record)
    update = changes(plan.function, plan.target)
    if update:
        client.update_function_configuration(
            FunctionName=plan.function.arn,
            RevisionId=plan.function.configuration["RevisionId"],
            **update,
        )
    latest = plan.function
    if update or any(step.to is None for step in plan.aliases):
        latest = _settled(client, plan.function)
    versions = []
    for step in plan.aliases:
        if step.moves:
            version = step.to or aliases.publish(client, latest)
            if not plan.detaching:
                record = _with_move(record, step, version)
                state.write(record)
            client.update_alias(
                FunctionName=plan.function.arn,
                Name=step.alias,
                FunctionVersion=version,
                RevisionId=step.revision_id,
            )
            versions.append((step.alias, version))
        if step.provisioned:
            aliases.wait_until_ready(client, plan.function, step.alias)
    if plan.detaching:
        state.remove(plan.function.arn)
    return Outcome(plan, "done" if plan.acts else "unchanged", versions=tuple(versions))


def _settled(client: Any, function: FleetFunction) -> FleetFunction:
    """The function once no update of it is under way any more."""
    waiter = client.get_waiter("function_updated")
    waiter.wait(
        FunctionName=function.arn,
        WaiterConfig={"Delay": _WAIT_SECONDS, "MaxAttempts": _WAITS},
    )
    return replace(
        function, configuration=client.get_function_configuration(FunctionName=function.arn)
    )


def _record(plan: Plan, target: Wiring, state: StateFolder) -> Record:
    """What to note of a function before it is changed.

    What it was like before the layer came is kept, however often the layer is replaced.
    """
    arn, now = plan.function.arn, wiring_of(plan.function)
    existing = state.read(arn)
    if existing is None:
        return Record(arn, now, (target,))
    if now not in existing.after:
        return Record(arn, now, (target,), existing.aliases)
    return replace(existing, after=tuple(dict.fromkeys([now, target])))


def _with_move(record: Record, step: AliasStep, version: str) -> Record:
    """With an alias's move. Moved twice, it still goes back to where it first was."""
    earlier = record.aliases.get(step.alias)
    if earlier is None or step.now not in earlier.after:
        move = AliasMove(step.now, (version,))
    else:
        move = AliasMove(earlier.before, (step.now, version))
    return replace(record, aliases={**record.aliases, step.alias: move})
