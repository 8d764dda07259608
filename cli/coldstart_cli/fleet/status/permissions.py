"""What the role of a function may do, asked of IAM's policy simulator.

It knows the policies of the role, its permissions boundary and service control policies
("SimulatePrincipalPolicy" in the IAM API reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from coldstart_cli.fleet.aws_errors import code_of
from coldstart_cli.fleet.functions import FleetFunction

# What Lambda needs of the role to hand on traces ("Visualize Lambda function invocations using AWS
# X-Ray") and log lines ("Sending Lambda function logs to CloudWatch Logs", both in the Lambda
# developer guide).
TRACING = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")


def log_resources(function: FleetFunction) -> tuple[str, ...]:
    """ARNs under which a policy may allow a function to write to its log group.

    Policies name the log group with ``:*`` behind it, which is its streams, or without.
    """
    _, partition, _, region, account, *_ = function.arn.split(":")
    group = f"arn:{partition}:logs:{region}:{account}:log-group:{function.log_group}"
    return f"{group}:log-stream:any", group


def allowed(
    client: Any, role: str, actions: Sequence[str], resources: Sequence[str] = ()
) -> dict[str, bool | None]:
    """Whether a role may do something.

    Args:
        client: of IAM.
        role: its ARN.
        actions: names of IAM actions.
        resources: ARNs; what is allowed on one of them counts as allowed. Without: on all.

    Returns:
        By action; None where it hangs on a condition that the simulator is not told of.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
    """
    try:
        results = _simulate(client, role, actions, resources)
    except ClientError as error:
        # Some actions it takes only one at a time: they "require different authorization
        # information", as it says then.
        if code_of(error) not in ("InvalidInput", "InvalidInputException") or len(actions) == 1:
            raise
        results = [
            result for action in actions for result in _simulate(client, role, [action], resources)
        ]
    return {
        action: _any(_decisions(result for result in results if result["EvalActionName"] == action))
        for action in actions
    }


def _simulate(
    client: Any, role: str, actions: Sequence[str], resources: Sequence[str]
) -> list[Mapping[str, Any]]:
    on = {"ResourceArns": list(resources)} if resources else {}
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role, ActionNames=list(actions), **on
    )
    return [result for page in pages for result in page["EvaluationResults"]]


def _decisions(results: Iterable[Mapping[str, Any]]) -> list[bool | None]:
    """One for each resource; that of all resources together is the strictest of them."""
    found = []
    for result in results:
        for one in result.get("ResourceSpecificResults") or [result]:
            decision = one.get("EvalResourceDecision") or one["EvalDecision"]
            conditions = one.get("MissingContextValues")
            found.append(decision == "allowed" or (None if conditions else False))
    return found


def _any(decisions: Sequence[bool | None]) -> bool | None:
    if True in decisions:
        return True
    return None if None in decisions or not decisions else False
