"""Publishes a version, and waits until it, and the provisioned concurrency of an alias, is ready.

"Lambda function versions" and "Configuring provisioned concurrency" in the Lambda developer guide.
"""

from __future__ import annotations

from typing import Any

from coldstart_cli.fleet.attach.polling import poll
from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.functions import FleetFunction


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
    state = poll(
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
    config = poll(
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
