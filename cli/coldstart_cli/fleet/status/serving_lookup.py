"""Asks the account what serves a function's requests: aliases, versions, what is kept ready."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status.problems import is_ours
from coldstart_cli.fleet.status.served import (
    LATEST,
    Alias,
    Provisioned,
    Serving,
    qualifiers,
    snap_start,
)
from coldstart_cli.fleet.status.unknowns import Unknowns


def look_up(access: Access, function: FleetFunction, layer: str, unknowns: Unknowns) -> Serving:
    """What serves a function beside $LATEST: two requests, and one for each version in use.

    Args:
        access: to the account.
        function: $LATEST.
        layer: the name of our layer.
        unknowns: what could not be asked is noted there.
    """
    client, name = access.client("lambda", function.region), function.name
    aliases = unknowns.ask(
        "aliases", name, "lambda:ListAliases", lambda: _aliases(client, function)
    )
    provisioned = unknowns.ask(
        "provisioned concurrency",
        name,
        "lambda:ListProvisionedConcurrencyConfigs",
        lambda: _provisioned(client, function),
    )
    serving = Serving(aliases, provisioned)
    versions = {}
    for number in dict.fromkeys(number for _, number, _ in qualifiers(serving)):
        version = unknowns.ask(
            "versions that aliases point at",
            name,
            "lambda:GetFunctionConfiguration",
            functools.partial(_version, client, function, number),
        )
        if version is not None:
            versions[number] = version
    published = None
    if snap_start(function) and aliases == () and is_ours(function, layer):
        published = unknowns.ask(
            "published versions",
            name,
            "lambda:ListVersionsByFunction",
            lambda: _published(client, function),
        )
    return Serving(aliases, provisioned, versions, published)


def _aliases(client: Any, function: FleetFunction) -> tuple[Alias, ...]:
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function.arn)
    return tuple(_alias(alias) for page in pages for alias in page["Aliases"])


def _alias(found: Mapping[str, Any]) -> Alias:
    split = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(found["Name"], tuple(dict.fromkeys([found["FunctionVersion"], *split])))


def _provisioned(client: Any, function: FleetFunction) -> tuple[Provisioned, ...]:
    paginator = client.get_paginator("list_provisioned_concurrency_configs")
    return tuple(
        Provisioned(
            one["FunctionArn"].split(":")[7],
            int(one["RequestedProvisionedConcurrentExecutions"]),
            one.get("AllocatedProvisionedConcurrentExecutions"),
            one["Status"],
            one.get("StatusReason") or "",
        )
        for page in paginator.paginate(FunctionName=function.arn)
        for one in page["ProvisionedConcurrencyConfigs"]
    )


def _version(client: Any, function: FleetFunction, number: str) -> FleetFunction:
    found = client.get_function_configuration(FunctionName=function.arn, Qualifier=number)
    return _readable(FleetFunction(function.region, found))


def _readable(version: FleetFunction) -> FleetFunction:
    """The same.

    Raises:
        FleetError: it lacks what no version is without.
    """
    missing = {"FunctionName", "FunctionArn", "Version"} - set(version.configuration)
    if missing:
        raise FleetError(f"a version was answered without {', '.join(sorted(missing))}")
    return version


def _published(client: Any, function: FleetFunction) -> tuple[FleetFunction, ...]:
    paginator = client.get_paginator("list_versions_by_function")
    return tuple(
        _readable(FleetFunction(function.region, version))
        for page in paginator.paginate(FunctionName=function.name)
        for version in page["Versions"]
        if version["Version"] != LATEST
    )
