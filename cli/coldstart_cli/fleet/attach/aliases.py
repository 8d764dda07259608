"""Provisioned concurrency and SnapStart work on published versions: aliases are moved to one.

"Lambda function versions", "Lambda function aliases" and "Configuring provisioned concurrency" in
the Lambda developer guide.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from coldstart_cli.fleet.attach.plans import AliasStep
from coldstart_cli.fleet.attach.state import AliasMove
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.wiring import (
    EXEC_WRAPPER,
    NEXT_WRAPPER,
    NotPossible,
    Wiring,
    is_wired,
    wiring_of,
)

# Of FunctionConfiguration: what each version has of its own, and what says how its update goes.
_OWN = {
    "FunctionArn",
    "Version",
    "RevisionId",
    "ConfigSha256",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "State",
    "StateReason",
    "StateReasonCode",
    "Description",
    "MasterArn",
    "ResponseMetadata",
    "RuntimeVersionConfig",
    "SigningJobArn",
    "SigningProfileVersionArn",
}


def publishing_step(
    client: Any, function: FleetFunction, target: Wiring, alias: str, force: bool
) -> AliasStep | None:
    """How an alias gets to a version with the wiring that $LATEST shall have.

    Args:
        client: of Lambda.
        function: $LATEST, with all that GetFunctionConfiguration tells.
        target: how it shall be wired.
        alias: its name.
        force: also where publishing would deploy more than the wiring.

    Returns:
        None where it points at such a version, and that is ready.

    Raises:
        NotPossible: there is no such alias, or moving it would do more than was asked for.
    """
    found = _get_alias(client, function, alias)
    if found is None:
        raise NotPossible(f"it has no alias {alias}")
    if _is_split(found):
        raise NotPossible(f"alias {alias} is split between versions: a deployment is under way")
    now = found["FunctionVersion"]
    if now == "$LATEST":
        raise NotPossible(f"alias {alias} points at $LATEST, which needs no version")
    version = _version(client, function, now)
    if version is None:
        raise NotPossible(f"version {now} of alias {alias} is gone")
    differing = differences(function, version)
    if differing and not force:
        raise NotPossible(
            f"$LATEST and version {now} of alias {alias} differ in {', '.join(differing)}:"
            " publishing would deploy that too; deploy it yourself first, or --force"
        )
    provisioned, is_ready = _provisioned(client, function, alias)
    if _provisioned(client, function, now)[0]:
        raise NotPossible(
            f"provisioned concurrency is set on version {now} itself, and a new version would have"
            f" none: set it on alias {alias}"
        )
    if wiring_of(version) == target and not differing:
        if is_ready:
            return None
        return AliasStep(alias, now, found["RevisionId"], now, provisioned)
    return AliasStep(alias, now, found["RevisionId"], None, provisioned)


def returning_step(
    client: Any,
    function: FleetFunction,
    target: Wiring,
    name: str,
    alias: str,
    move: AliasMove,
    force: bool,
) -> tuple[AliasStep | None, str | None]:
    """How an alias that we moved gets rid of the layer: back to where it was, if that is the same.

    Where the version before has other code by now, or the layer too, a new one is published.

    Args:
        client: of Lambda.
        function: $LATEST of the function that has the alias.
        target: how $LATEST shall be wired.
        name: of our layer.
        alias: its name.
        move: what was noted of it.
        force: also where publishing would deploy more than the wiring.

    Returns:
        The step, if one is to be taken; and what to warn of, if anything.
    """
    found = _get_alias(client, function, alias)
    if found is None:
        return None, f"alias {alias}, which was moved, is gone"
    now = found["FunctionVersion"]
    provisioned, is_ready = _provisioned(client, function, alias)
    version = _version(client, function, now)
    if version is None or not is_wired(wiring_of(version), name):
        wait = None if is_ready else AliasStep(alias, now, found["RevisionId"], now, provisioned)
        return wait, None
    stays = f"alias {alias} stays at version {now}, which has the layer"
    if now != move.before and now not in move.after:
        publish = f"--publish --alias {alias} publishes a version without it"
        return None, f"{stays}: it was moved there after attaching; {publish}"
    if _is_split(found):
        return None, f"{stays}: it is split between versions, a deployment is under way"
    before = _version(client, function, move.before)
    if (
        before is not None
        and not is_wired(wiring_of(before), name)
        and not differences(before, version)
    ):
        return AliasStep(alias, now, found["RevisionId"], move.before, provisioned), None
    try:
        return publishing_step(client, function, target, alias, force), None
    except NotPossible as reason:
        return None, f"{stays}: {reason}"


def serves_layer(client: Any, function: FleetFunction, alias: str, name: str) -> bool:
    """Whether an alias points at a version with our layer.

    Raises:
        NotPossible: there is no such alias.
    """
    found = _get_alias(client, function, alias)
    if found is None:
        raise NotPossible(f"it has no alias {alias}")
    version = _version(client, function, found["FunctionVersion"])
    return version is not None and is_wired(wiring_of(version), name)


def left_wired(
    client: Any, function: FleetFunction, name: str, known: Container[str | None]
) -> list[str]:
    """What to warn of: aliases that nobody has noted, and that serve a version with the layer.

    Args:
        client: of Lambda.
        function: which is being detached.
        name: of our layer.
        known: aliases that are taken care of.
    """
    found = [
        alias
        for page in client.get_paginator("list_aliases").paginate(FunctionName=function.arn)
        for alias in page["Aliases"]
        if alias["Name"] not in known and alias["FunctionVersion"] != "$LATEST"
    ]
    warnings = []
    for alias in found:
        version = _version(client, function, alias["FunctionVersion"])
        if version is not None and is_wired(wiring_of(version), name):
            warnings.append(
                f"alias {alias['Name']} stays at version {alias['FunctionVersion']}, which has the"
                f" layer: --publish --alias {alias['Name']} publishes a version without it"
            )
    return warnings


def differences(function: FleetFunction, version: FleetFunction) -> list[str]:
    """What a version has otherwise than $LATEST, beside what attaching changes; by API names."""
    latest, published = _comparable(function), _comparable(version)
    found = [
        name for name in sorted({*latest, *published}) if latest.get(name) != published.get(name)
    ]
    return ["code" if name == "CodeSha256" else name for name in found if name != "CodeSize"]


def _comparable(function: FleetFunction) -> dict[str, Any]:
    rest = {
        name: value
        for name, value in function.configuration.items()
        if name not in _OWN and value not in (None, "", [], {})
    }
    rest.pop("Layers", None)
    rest.pop("Environment", None)
    if "SnapStart" in rest:
        rest["SnapStart"] = rest["SnapStart"].get("ApplyOn")
    others = {
        name: value
        for name, value in function.variables.items()
        if name not in (EXEC_WRAPPER, NEXT_WRAPPER)
    }
    return rest | ({"Environment": others} if others else {})


def _get_alias(client: Any, function: FleetFunction, alias: str) -> Mapping[str, Any] | None:
    try:
        return dict(client.get_alias(FunctionName=function.arn, Name=alias))
    except client.exceptions.ResourceNotFoundException:
        return None


def _is_split(alias: Mapping[str, Any]) -> bool:
    return bool((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))


def _version(client: Any, function: FleetFunction, version: str) -> FleetFunction | None:
    try:
        configuration = client.get_function_configuration(
            FunctionName=function.arn, Qualifier=version
        )
    except client.exceptions.ResourceNotFoundException:
        return None
    return FleetFunction(function.region, configuration)


def _provisioned(client: Any, function: FleetFunction, qualifier: str) -> tuple[int | None, bool]:
    """How many environments a version or alias keeps ready, if any; and whether they are."""
    try:
        found = client.get_provisioned_concurrency_config(
            FunctionName=function.arn, Qualifier=qualifier
        )
    except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        return None, True
    wanted = int(found["RequestedProvisionedConcurrentExecutions"])
    return wanted, found["Status"] == "READY"
