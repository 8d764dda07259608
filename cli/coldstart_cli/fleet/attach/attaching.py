"""Plans the attaching of the layer to one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coldstart_cli.fleet import exec_wrappers
from coldstart_cli.fleet.attach import aliases, preflight, snippets
from coldstart_cli.fleet.attach.managers import manager_of
from coldstart_cli.fleet.attach.plans import Action, Plan
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import LayerVersion
from coldstart_cli.fleet.wiring import (
    EXEC_WRAPPER,
    NotPossible,
    Wiring,
    attached,
    is_our_wrapper,
    ours,
    switched_off,
    wiring_of,
)


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
        if not named and not function.is_python:
            return Plan(function, "skip", reasons=(f"{function.runtime}, not Python",))
        if function.is_image:
            reason = "it is a container image, which has no layers: build the layer into it"
            return Plan(function, "refuse", reasons=(reason,), instead=self._dockerfile(function))
        if function.unreadable:
            return Plan(function, "refuse", reasons=(function.unreadable,))
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
        step = None
        try:
            if self.alias:
                step = aliases.publishing_step(
                    self.client, function, target, self.alias, self.force
                )
        except NotPossible as reason:
            reasons.append(str(reason))
        changes = action != "none" or (step is not None and step.moves)
        if manager and changes and not self.force:
            reasons.append(f"{manager} deploys it, and would undo this: add it there, or --force")
        if reasons:
            instead = None
            if manager:
                instead = snippets.snippet(manager.tool, self.layer.arn, target.next_wrapper)
            return Plan(
                function, "refuse", reasons=tuple(reasons), manager=manager, instead=instead
            )
        return Plan(
            function,
            action,
            target,
            aliases=(step,) if step else (),
            warnings=tuple(_warnings(function, target, published=self.alias is not None)),
            manager=manager,
        )

    def _dockerfile(self, function: FleetFunction) -> str:
        wrapper = function.variables.get(EXEC_WRAPPER)
        inner = wrapper if wrapper and not is_our_wrapper(wrapper) else None
        return snippets.dockerfile(self.layer.arn, inner)


def _warnings(function: FleetFunction, target: Wiring, published: bool) -> list[str]:
    warnings = []
    about = exec_wrappers.warning(target.next_wrapper) if target.next_wrapper else None
    if about and target != wiring_of(function):
        warnings.append(about)
    if switched_off(function.variables):
        warnings.append("COLDSTART_ENABLED is off: the layer stays silent")
    snap_start = function.configuration.get("SnapStart") or {}
    if snap_start.get("ApplyOn") == "PublishedVersions" and not published:
        warnings.append("SnapStart never sees $LATEST: --publish --alias moves an alias to it")
    if function.configuration.get("LastUpdateStatus") == "Failed":
        reason = function.configuration.get("LastUpdateStatusReason")
        warnings.append(f"its last update did not succeed: {reason}")
    return warnings
