"""Carries out what was planned for one function: notes first, then the change, then aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from coldstart_cli.fleet.attach import publishing
from coldstart_cli.fleet.attach.plans import AliasStep, Plan
from coldstart_cli.fleet.attach.polling import poll
from coldstart_cli.fleet.attach.state import AliasMove, Record, StateFolder
from coldstart_cli.fleet.aws_errors import FleetError, code_of, explain
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.wiring import Wiring, changes, wiring_of

Result = Literal["done", "unchanged", "refused", "skipped", "failed"]

# 409: an update of the function is under way. 412: it was changed since we read it.
_CONFLICTS = {"ResourceConflictException", "PreconditionFailedException"}
_TRIES = 8


@dataclass(frozen=True)
class Outcome:
    """What came of a plan: the plan that was carried out in the end, and how it went."""

    plan: Plan
    result: Result
    error: str | None = None  # with "failed"
    # What was changed, also where it then failed: $LATEST, and aliases with their new versions.
    changed: bool = False
    versions: tuple[tuple[str, str], ...] = ()


def carry_out(
    client: Any, plan: Plan, plan_again: Callable[[FleetFunction], Plan], state: StateFolder
) -> Outcome:
    """Do what was planned; where somebody else was faster, look again and plan anew.

    Whatever goes wrong is in the outcome.

    Args:
        client: of Lambda, in the function's region.
        plan: what is to be done.
        plan_again: makes a plan of the function as it is now.
        state: where notes are kept; they are written before anything is changed.
    """
    planned, change = plan, _Change(client, state)
    result: Result
    error = None
    try:
        for attempt in Retrying(
            retry=retry_if_exception(lambda error: code_of(error) in _CONFLICTS),
            wait=wait_random_exponential(multiplier=0.5, max=15),
            stop=stop_after_attempt(_TRIES),
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    plan = plan_again(_settled(client, plan.function))
                if plan.action not in ("refuse", "skip"):
                    change.make(plan)
    except Exception as raised:
        result, error = "failed", explain(raised)
    else:
        if plan.action in ("refuse", "skip"):
            result = "refused" if plan.action == "refuse" else "skipped"
        else:
            # Planned anew there may be nothing left to do, since an answer to us was lost.
            result = "done" if planned.acts or plan.acts else "unchanged"
    return Outcome(plan, result, error, change.changed, tuple(change.versions.items()))


class _Change:
    """The change of one function, over all attempts."""

    def __init__(self, client: Any, state: StateFolder) -> None:
        self._client, self._state = client, state
        self.changed = False
        self.versions: dict[str, str] = {}

    def make(self, plan: Plan) -> None:
        """Carry out a plan: notes, $LATEST, aliases."""
        if plan.target is None:
            raise FleetError("a plan without a target")
        noted = self._state.read(plan.function.arn)
        record = _record(plan, plan.target, noted)
        if plan.acts and not plan.detaching:
            self._state.write(record)
        latest = self._wire(plan.function, plan.target)
        for step in plan.aliases:
            if step.moves:
                version = step.to or publishing.publish(self._client, latest)
                if not plan.detaching:
                    record = _with_move(record, step, version)
                    self._state.write(record)
                self._move(plan.function, step, version)
            if step.provisioned:
                publishing.wait_until_ready(self._client, plan.function, step.alias)
        if plan.detaching and noted is not None:
            self._state.remove(noted)

    def _wire(self, function: FleetFunction, target: Wiring) -> FleetFunction:
        """Change $LATEST, where that is needed, and wait until it is done."""
        update = changes(function, target)
        if not update:
            return function
        answer = self._client.update_function_configuration(
            FunctionName=function.arn, RevisionId=function.configuration["RevisionId"], **update
        )
        self.changed = True
        latest = _settled(self._client, function, answer)
        if latest.configuration.get("LastUpdateStatus") == "Failed":
            reason = latest.configuration.get("LastUpdateStatusReason")
            raise FleetError(f"its update did not succeed: {reason}")
        if wiring_of(latest) != target:
            raise FleetError("its update was accepted, but it is not as it should be: look at it")
        return latest

    def _move(self, function: FleetFunction, step: AliasStep, version: str) -> None:
        answer = self._client.update_alias(
            FunctionName=function.arn,
            Name=step.alias,
            FunctionVersion=version,
            RevisionId=step.revision_id,
        )
        if answer["FunctionVersion"] != version:
            raise FleetError(f"alias {step.alias} was to point at version {version}: look at it")
        self.versions[step.alias] = version


def _settled(
    client: Any, function: FleetFunction, answer: Mapping[str, Any] | None = None
) -> FleetFunction:
    """The function once no update of it is under way any more.

    ``answer`` is what the request answered that began one.
    """
    if answer is None or answer.get("LastUpdateStatus") != "Successful":
        answer = poll(
            lambda: client.get_function_configuration(FunctionName=function.arn),
            lambda configuration: configuration.get("LastUpdateStatus") == "InProgress",
            "its update",
        )
    return replace(function, configuration=answer)


def _record(plan: Plan, target: Wiring, noted: Record | None) -> Record:
    """What to note of a function before it is changed.

    What it was like before the layer came is kept, however often the layer is replaced.
    """
    now = wiring_of(plan.function)
    if noted is None:
        return Record(plan.function.arn, now, (target,))
    if now not in noted.after:
        return Record(plan.function.arn, now, (target,), noted.aliases)
    return replace(noted, after=tuple(dict.fromkeys([now, target])))


def _with_move(record: Record, step: AliasStep, version: str) -> Record:
    """With an alias's move. Moved twice, it still goes back to where it first was."""
    earlier = record.aliases.get(step.alias)
    if earlier is None or step.now not in earlier.after:
        move = AliasMove(step.now, (version,))
    else:
        move = AliasMove(earlier.before, (step.now, version))
    return replace(record, aliases={**record.aliases, step.alias: move})
