"""Plans the detaching of the layer from one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coldstart_cli.fleet.attach import aliases
from coldstart_cli.fleet.attach.managers import manager_of
from coldstart_cli.fleet.attach.plans import Action, AliasStep, Plan
from coldstart_cli.fleet.attach.state import Record, StateFolder
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME
from coldstart_cli.fleet.wiring import NotPossible, Wiring, detached, is_our_wrapper, wiring_of


@dataclass(frozen=True)
class Detaching:
    """What was asked for, the same for all functions of a region."""

    client: Any  # of Lambda
    layer_name: str
    state: StateFolder
    alias: str | None = None  # to publish a version for
    force: bool = False

    def plan(self, function: FleetFunction, named: bool) -> Plan:
        """What is to be done with a function.

        Args:
            function: as it is now.
            named: whether it was asked for by name; then nothing about it is passed over.

        Raises:
            botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
            FleetError: what was noted of it cannot be read.
        """
        if function.is_image:
            why = "it is a container image: take the layer out of its Dockerfile"
            return Plan(function, "refuse" if named else "skip", reasons=(why,))
        if function.unreadable:
            return Plan(function, "refuse", reasons=(function.unreadable,))
        record = self.state.read(function.arn)
        now = wiring_of(function)
        target, warnings = _target(now, record, self.layer_name)
        action: Action = "detach" if target != now else "none"
        if action == "none" and record is None and not (named or function.is_python):
            return Plan(function, "skip", reasons=(f"{function.runtime}, not Python",))
        steps: list[AliasStep] = []
        for name, move in (record.aliases if record else {}).items():
            step, warning = aliases.returning_step(
                self.client, function, target, self.layer_name, name, move, self.force
            )
            # With --publish, an alias that cannot go back gets a new version: nothing to warn of.
            if warning and name != self.alias:
                warnings.append(warning)
            steps += [step] if step else []
        if action != "none":
            known = {self.alias, *(record.aliases if record else ())}
            warnings += aliases.left_wired(self.client, function, self.layer_name, known)
        try:
            steps += self._published(function, target, steps)
        except NotPossible as reason:
            return Plan(function, "refuse", reasons=(str(reason),))
        manager = manager_of(function.tags)
        changes = action != "none" or any(step.moves for step in steps)
        if manager and changes and not self.force:
            why = f"{manager} deploys it, and would undo this: take it out there, or --force"
            return Plan(function, "refuse", reasons=(why,), manager=manager)
        return Plan(
            function,
            action,
            target,
            tuple(steps),
            tuple(warnings),
            manager=manager,
            detaching=True,
        )

    def _published(
        self, function: FleetFunction, target: Wiring, steps: list[AliasStep]
    ) -> list[AliasStep]:
        """The step for --alias, where the alias does not simply go back."""
        if self.alias is None or any(step.alias == self.alias for step in steps):
            return []
        if not aliases.serves_layer(self.client, function, self.alias, self.layer_name):
            return []
        step = aliases.publishing_step(self.client, function, target, self.alias, self.force)
        return [step] if step else []


def _target(now: Wiring, record: Record | None, name: str) -> tuple[Wiring, list[str]]:
    """How the function shall be wired, and what to warn of."""
    if record is not None and now in record.after:
        # Where it had our layer before we noted anything, that goes as well.
        return detached(record.before, name), []
    if record is not None and now == record.before:
        return now, []
    if name != DEFAULT_NAME and record is None and not is_our_wrapper(now.exec_wrapper):
        return now, []  # a layer of that name, but nothing says that it is ours
    target = detached(now, name)
    warnings = []
    if target != now and record is not None:
        warnings.append("it was changed after attaching: only what is ours is removed")
    if target.exec_wrapper and target.exec_wrapper != now.exec_wrapper:
        warnings.append(f"make sure that the layer with {target.exec_wrapper} is still there")
    return target, warnings
