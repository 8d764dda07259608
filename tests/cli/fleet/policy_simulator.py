"""What IAM's policy simulator answers, of the policies that a role has in moto.

Identity policies and a permissions boundary; a condition is one that it is not told of.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_STRICTEST = ("explicitDeny", "implicitDeny", "allowed")


def answer(iam: Any, form: Mapping[str, str]) -> Response:
    """The answer to SimulatePrincipalPolicy, as XML."""
    role = form["PolicySourceArn"].rpartition("/")[2]
    policies = list(_identity_policies(iam, role))
    boundary = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary")
    bounds = [_managed(iam, boundary["PermissionsBoundaryArn"])] if boundary else None
    resources = _members(form, "ResourceArns")
    results = []
    for action in _members(form, "ActionNames"):
        decisions = []
        for resource in resources or ["*"]:
            decision, missing = _decide(policies, action, resource)
            if bounds is not None and decision == "allowed":
                decision, missing = _decide(bounds, action, resource)
            decisions.append((resource, decision, missing))
        results.append(_result(action, decisions, bool(resources)))
    return Response(
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}"
        "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
        content_type="text/xml",
    )


def _result(action: str, decisions: list[tuple[str, str, list[str]]], by_resource: bool) -> str:
    strictest = min((decision for _, decision, _ in decisions), key=_STRICTEST.index)
    missing = sorted({key for _, _, keys in decisions for key in keys})
    specific = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{decision}</EvalResourceDecision>{_missing(keys)}</member>"
        for resource, decision, keys in decisions
    )
    return (
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>"
        f"<EvalDecision>{strictest}</EvalDecision>{_missing(missing)}"
        f"<ResourceSpecificResults>{specific if by_resource else ''}</ResourceSpecificResults>"
        "</member>"
    )


def _missing(keys: list[str]) -> str:
    members = "".join(f"<member>{escape(key)}</member>" for key in keys)
    return f"<MissingContextValues>{members}</MissingContextValues>"


def _decide(policies: list[dict[str, Any]], action: str, resource: str) -> tuple[str, list[str]]:
    effects, missing = set(), []
    for policy in policies:
        for statement in policy["Statement"]:
            if not _matches(statement["Action"], action):
                continue
            if resource != "*" and not _matches(statement["Resource"], resource):
                continue
            if "Condition" in statement:
                missing += [key for keys in statement["Condition"].values() for key in keys]
            else:
                effects.add(statement["Effect"])
    if "Deny" in effects:
        return "explicitDeny", []
    return ("allowed", []) if "Allow" in effects else ("implicitDeny", missing)


def _matches(patterns: str | list[str], text: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in listed)


def _members(form: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}.member.")]


def _identity_policies(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield json.loads(unquote(document)) if isinstance(document, str) else document
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        yield _managed(iam, policy["PolicyArn"])


def _managed(iam: Any, arn: str) -> dict[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
