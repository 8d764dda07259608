"""`coldstart status`: what a function's role may not do, and what we may not ask."""

from __future__ import annotations

import json

import pytest
from account import Account
from aws_server import error
from status_account import attached, only, prepared, problems


@pytest.fixture
def orders(account: Account) -> Account:
    attached(prepared(account))
    return account


def test_a_role_that_may_send_nothing(orders) -> None:
    orders.allow("s3:*")
    found = problems(orders)
    assert list(found) == ["tracing-not-allowed", "logging-not-allowed"]
    what, cure = found["tracing-not-allowed"]
    assert what == (
        "its role functions may not xray:PutTraceSegments and xray:PutTelemetryRecords: nothing"
        " arrives in X-Ray"
    )
    assert cure.startswith("attach the policy AWSXRayDaemonWriteAccess to the role")
    what, cure = found["logging-not-allowed"]
    assert "may not logs:CreateLogStream and logs:PutLogEvents on log group /aws/la" in what
    assert cure.startswith("attach the policy AWSLambdaBasicExecutionRole to the role")


def test_signals_that_are_off_need_no_permission(account) -> None:
    variables = dict.fromkeys(["COLDSTART_LOGS", "COLDSTART_METRICS", "COLDSTART_TRACING"], "off")
    attached(prepared(account), variables=variables)
    account.allow("s3:*")
    assert list(problems(account)) == ["logs-off", "metrics-off", "tracing-off"]
    assert not account.server.operations("SimulatePrincipalPolicy")


@pytest.mark.parametrize("end", ["*", ":*", ":log-stream:*"])
def test_a_policy_for_the_log_group_alone(orders, end: str) -> None:
    """As AWS's tools write it; X-Ray's actions know no resources."""
    group = f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/orders{end}"
    orders.allow("logs:*", resource=group)
    only(orders, "tracing-not-allowed")


def test_a_policy_for_another_log_group(orders) -> None:
    orders.allow("logs:*", "xray:*", resource="arn:aws:logs:*:*:log-group:/aws/lambda/other:*")
    only(orders, "logging-not-allowed")


def test_a_permissions_boundary(orders) -> None:
    iam = orders.server.client("iam")
    statement = {"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}
    boundary = iam.create_policy(
        PolicyName="boundary",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="functions", PermissionsBoundary=boundary)
    _, cure = only(orders, "tracing-not-allowed")
    assert "a permissions boundary or an organization's policy has to allow it too" in cure


def test_a_condition_is_no_denial(orders) -> None:
    orders.allow("logs:*", "xray:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    run = orders.run("status", "orders")
    assert run.exit_code == 1
    assert "!" not in run.stdout
    assert run.stderr == (
        "coldstart: not known: what roles may do (functions): its policies have conditions that"
        " the policy simulator is not told of\n"
    )


def test_actions_that_are_simulated_one_by_one(orders) -> None:
    def refuse(asked, request):
        if asked.operation == "SimulatePrincipalPolicy" and "ActionNames.member.2" in request.form:
            return xml_error(
                400, "InvalidInput", "they require different authorization information"
            )
        return None

    orders.server.service.before = refuse
    run = orders.run("status", "orders")
    assert (run.exit_code, "!" in run.stdout) == (0, False), run.output


def test_each_role_is_asked_about_once(orders) -> None:
    attached(orders, "payments")
    orders.server.asked.clear()
    orders.run("status", "--all")
    # Tracing once, and each of the two log groups.
    assert len(orders.server.operations("SimulatePrincipalPolicy")) == 3
    assert len(orders.server.operations("DescribeLogGroups")) == 1


@pytest.mark.parametrize(
    ("operation", "permission", "told"),
    [
        ("ListAliases", "lambda:ListAliases", "aliases (orders)"),
        ("ListProvisionedConcurrencyConfigs", "lambda:ListProvisionedConcurrencyConfigs",
         "provisioned concurrency (orders)"),
        ("SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy", "what roles may do (functions)"),
        ("DescribeLogGroups", "logs:DescribeLogGroups", "classes of log groups (eu-west-1)"),
        ("GET /2018-10-31/layers/coldstart-layer/versions", "lambda:ListLayerVersions",
         "versions of the layer (coldstart-layer in eu-west-1)"),
    ],
    ids=lambda value: value.rpartition("/")[2],
)  # fmt: skip
def test_what_we_may_not_ask(orders, operation: str, permission: str, told: str) -> None:
    """Nothing is concluded, though something would be found; one line tells what is needed."""
    orders.server.client("lambda").publish_version(FunctionName="orders")
    orders.server.service.more["orders:1"] = {"Layers": []}

    def deny(asked, request):
        if asked.operation != operation:
            return None
        if operation == "SimulatePrincipalPolicy":
            return xml_error(403, "AccessDenied", "no")
        return error(403, "AccessDeniedException", "no")

    if operation == "ListAliases":
        orders.server.client("lambda").create_alias(
            FunctionName="orders", Name="live", FunctionVersion="1"
        )
    elif operation == "ListProvisionedConcurrencyConfigs":
        orders.server.service.provisioned[("orders", "1")] = 2
    elif operation == "SimulatePrincipalPolicy":
        orders.allow("s3:*")
    elif operation == "DescribeLogGroups":
        orders.server.service.log_classes["/aws/lambda/orders"] = "INFREQUENT_ACCESS"
    else:
        orders.layer()
    orders.server.service.before = deny
    run = orders.run("status", "orders")
    assert run.exit_code == 1
    assert run.stderr == f"coldstart: not known: {told}: the permission {permission} is needed\n"
    assert "!" not in run.stdout
    orders.server.service.before = lambda asked, request: None
    assert "!" in orders.run("status", "orders").stdout


def xml_error(status: int, code: str, message: str):
    from werkzeug.wrappers import Response

    return Response(
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        "</Error></ErrorResponse>",
        status,
        content_type="text/xml",
    )
