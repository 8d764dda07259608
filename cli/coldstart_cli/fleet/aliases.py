"""Provisioned concurrency and SnapStart work on published versions: aliases are moved to one.

"Lambda function versions", "Lambda function aliases" and "Configuring provisioned concurrency" in
the Lambda developer guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.plans import AliasStep
from coldstart_cli.fleet.wiring import EXEC_WRAPPER, NEXT_WRAPPER, NotPossible, Wiring, wiring_of

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
_READY_WITHIN_SECONDS = 20 * 60


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
    if (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        raise NotPossible(f"alias {alias} is split between versions: a deployment is under way")
    now = found["FunctionVersion"]
    if now == "$LATEST":
        raise NotPossible(f"alias {alias} points at $LATEST, which needs no version")
    version = FleetFunction(
        function.region,
        client.get_function_configuration(FunctionName=function.arn, Qualifier=now),
    )
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
    client: Any, function: FleetFunction, alias: str, before: str, after: tuple[str, ...]
) -> tuple[AliasStep | None, str | None]:
    """How an alias gets back to the version that it pointed at before we moved it.

    Args:
        client: of Lambda.
        function: which has the alias.
        alias: its name.
        before: the version to get back to.
        after: the versions that we moved it to, the last one last.

    Returns:
        The step, if one is to be taken; and what to warn of, if anything.
    """
    found = _get_alias(client, function, alias)
    if found is None:
        return None, f"alias {alias}, which was moved, is gone"
    now = found["FunctionVersion"]
    provisioned, is_ready = _provisioned(client, function, alias)
    if now == before:
        wait = None if is_ready else AliasStep(alias, now, found["RevisionId"], now, provisioned)
        return wait, None
    if now not in after:
        return None, (
            f"alias {alias} points at version {now}, not at {after[-1]} where attaching had left"
            f" it: it stays; --publish --alias {alias} publishes a version without the layer"
        )
    try:
        client.get_function_configuration(FunctionName=function.arn, Qualifier=before)
    except client.exceptions.ResourceNotFoundException:
        return None, (
            f"version {before}, where alias {alias} pointed before, is gone: the alias stays at"
            f" {now}; --publish --alias {alias} publishes a version without the layer"
        )
    return AliasStep(alias, now, found["RevisionId"], before, provisioned), None


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


def publish(client: Any, function: FleetFunction) -> str:
    """Publish $LATEST as it is, and wait until the version can be invoked.

    With SnapStart its snapshot is made in that time. If $LATEST is what the last version is, Lambda
    answers with that one (PublishVersion).

    Args:
        client: of Lambda.
        function: $LATEST as GetFunctionConfiguration describes it now.

    Returns:
        The version.

    Raises:
        FleetError: the version could not be made ready.
    """
    published = client.publish_version(
        FunctionName=function.arn,
        CodeSha256=function.configuration["CodeSha256"],
        RevisionId=function.configuration["RevisionId"],
    )
    version = str(published["Version"])
    state = _poll(
        lambda: client.get_function_configuration(FunctionName=function.arn, Qualifier=version),
        lambda state: state.get("State") == "Pending",
        f"version {version}",
    )
    if state.get("State") == "Failed":
        raise FleetError(f"version {version} did not become active: {state.get('StateReason')}")
    return version


def wait_until_ready(client: Any, function: FleetFunction, alias: str) -> None:
    """Wait until the provisioned concurrency of an alias is ready.

    Raises:
        FleetError: it is not to be had, or takes longer than twenty minutes.
    """
    config = _poll(
        lambda: client.get_provisioned_concurrency_config(
            FunctionName=function.arn, Qualifier=alias
        ),
        lambda config: config["Status"] == "IN_PROGRESS",
        f"the provisioned concurrency of alias {alias}",
    )
    if config["Status"] == "FAILED":
        raise FleetError(
            f"alias {alias} has moved, but its provisioned concurrency is not ready:"
            f" {config.get('StatusReason')}"
        )


def _poll(
    ask: Callable[[], Mapping[str, Any]], undecided: Callable[[Mapping[str, Any]], bool], what: str
) -> Mapping[str, Any]:
    """Ask until it is decided."""
    try:
        return Retrying(
            retry=retry_if_result(undecided),
            wait=wait_exponential(multiplier=0.5, max=10),
            stop=stop_after_delay(_READY_WITHIN_SECONDS),
        )(ask)
    except RetryError:
        minutes = _READY_WITHIN_SECONDS // 60
        raise FleetError(f"{what} was not ready after {minutes} minutes: run it again") from None


def _get_alias(client: Any, function: FleetFunction, alias: str) -> Mapping[str, Any] | None:
    try:
        return dict(client.get_alias(FunctionName=function.arn, Name=alias))
    except client.exceptions.ResourceNotFoundException:
        return None


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
