"""Plans the detaching of the layer from one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coldstart_cli.fleet import aliases, preflight
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.managers import manager_of
from coldstart_cli.fleet.plans import Action, AliasStep, Plan
from coldstart_cli.fleet.state import Record, StateFolder
from coldstart_cli.fleet.wiring import NotPossible, Wiring, detached, is_wired, wiring_of


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
        if preflight.is_image(function) or not (named or preflight.is_python(function)):
            return Plan(function, "skip", reasons=("it cannot have the layer",))
        unreadable = preflight.unreadable(function)
        if unreadable:
            return Plan(function, "refuse", reasons=(unreadable,))
        record = self.state.read(function.arn)
        now = wiring_of(function)
        target, warnings = _target(now, record, self.layer_name)
        action: Action = "detach" if target != now else "none"
        manager = manager_of(function.tags)
        if manager and action != "none" and not self.force:
            reason = f"{manager} deploys it, and would undo this: take it out there, or --force"
            return Plan(function, "refuse", reasons=(reason,), manager=manager)
        steps = []
        for name, move in (record.aliases if record else {}).items():
            step, warning = aliases.returning_step(
                self.client, function, name, move.before, move.after
            )
            # With --publish, an alias that cannot go back gets a new version: nothing to warn of.
            if warning and name != self.alias:
                warnings.append(warning)
            steps += [step] if step else []
        try:
            steps += self._published(function, target, steps)
        except NotPossible as reason:
            return Plan(function, "refuse", reasons=(str(reason),))
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
        step = aliases.publishing_step(self.client, function, target, self.alias, self.force)
        return [step] if step else []


def _target(now: Wiring, record: Record | None, name: str) -> tuple[Wiring, list[str]]:
    """How the function shall be wired, and what to warn of."""
    stripped = detached(now, name)
    if stripped == now or record is None:
        return stripped, []
    if now in record.after:
        # Where it had our layer before we noted anything, that goes as well.
        before = record.before
        return detached(before, name) if is_wired(before, name) else before, []
    return stripped, ["it was changed after attaching: only what is ours is removed"]
