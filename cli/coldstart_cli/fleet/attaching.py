"""Plans the attaching of the layer to one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coldstart_cli.fleet import aliases, exec_wrappers, preflight
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import LayerVersion
from coldstart_cli.fleet.managers import manager_of
from coldstart_cli.fleet.plans import Action, Plan
from coldstart_cli.fleet.wiring import NotPossible, attached, ours, wiring_of


@dataclass(frozen=True)
class Attaching:
    """What was asked for, the same for all functions of a region."""

    client: Any  # of Lambda
    layer: LayerVersion
    alias: str | None = None  # to publish a version for
    force: bool = False

    def plan(self, function: FleetFunction, named: bool) -> Plan:
        """What is to be done with a function.

        Args:
            function: as it is now.
            named: whether it was asked for by name; then nothing about it is passed over.

        Raises:
            botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
        """
        if not named and not preflight.is_python(function):
            runtime = function.configuration.get("Runtime", "unknown")
            return Plan(function, "skip", reasons=(f"its runtime is {runtime}, not Python",))
        if preflight.is_image(function):
            reason = "it is a container image, which has no layers: build the layer into it"
            return Plan(function, "refuse", reasons=(reason,), image=True)
        unreadable = preflight.unreadable(function)
        if unreadable:
            return Plan(function, "refuse", reasons=(unreadable,))
        now = wiring_of(function)
        try:
            target = attached(now, self.layer.arn)
        except NotPossible as reason:
            return Plan(function, "refuse", reasons=(str(reason),))
        action: Action = "none"
        if target != now:
            action = "update" if ours(now.layers, self.layer.name) else "attach"
        reasons = preflight.objections(function, self.layer, target)
        manager = manager_of(function.tags)
        if manager and action != "none" and not self.force:
            reasons.append(f"{manager} deploys it, and would undo this: add it there, or --force")
        try:
            step = self.alias and aliases.publishing_step(
                self.client, function, target, self.alias, self.force
            )
        except NotPossible as reason:
            reasons.append(str(reason))
            step = None
        if reasons:
            return Plan(function, "refuse", reasons=tuple(reasons), manager=manager)
        return Plan(
            function,
            action,
            target,
            aliases=(step,) if step else (),
            warnings=tuple(self._warnings(function, action, target.next_wrapper)),
            manager=manager,
        )

    def _warnings(self, function: FleetFunction, action: Action, inner: str | None) -> list[str]:
        warnings = []
        about_inner = exec_wrappers.warning(inner) if inner and action == "attach" else None
        if about_inner:
            warnings.append(about_inner)
        if function.variables.get("COLDSTART_ENABLED", "").lower() in ("off", "false", "no", "0"):
            warnings.append("COLDSTART_ENABLED is off: the layer stays silent")
        return warnings
