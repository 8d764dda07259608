"""`coldstart status` where a service answers something odd: the rest is told without it."""

from __future__ import annotations

import json

import pytest
from account import Account
from aws_server import error
from status_account import attached, prepared
from werkzeug.wrappers import Response


@pytest.fixture
def orders(account: Account) -> Account:
    attached(prepared(account))
    return account


@pytest.mark.parametrize(
    ("operation", "answer", "what"),
    [
        ("ListAliases", {"Aliases": [{"Name": "live"}]}, "aliases"),
        ("ListAliases", {}, "aliases"),
        ("ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": [{}]},
         "provisioned concurrency"),
        ("DescribeLogGroups", {"logGroups": [{"logGroupClass": "STANDARD"}]},
         "classes of log groups"),
        ("GET /2018-10-31/layers/coldstart-layer/versions",
         {"LayerVersions": [{"LayerVersionArn": "garbage"}]}, "versions of the layer"),
        ("SimulatePrincipalPolicy", None, "what roles may do"),
    ],
)  # fmt: skip
def test_an_answer(orders, operation: str, answer: object, what: str) -> None:
    def odd(asked, request):
        if asked.operation != operation:
            return None
        text = "<html>proxy</html>" if answer is None else json.dumps(answer)
        return Response(text, 200, content_type="application/json")

    orders.server.service.before = odd
    run = orders.run("status", "orders")
    assert run.exit_code == 1
    assert run.stdout.splitlines()[-1] == "1 function: 1 with the layer."
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"coldstart: not known: {what} (")


def test_a_version_without_a_name(orders) -> None:
    client = orders.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")

    def odd(asked, request):
        if asked.operation != "GetFunctionConfiguration" or "Qualifier" not in request.args:
            return None
        return Response(json.dumps({"Version": "1"}), 200, content_type="application/json")

    orders.server.service.before = odd
    run = orders.run("status", "--all")
    assert run.exit_code == 1
    assert (
        "versions that aliases point at (orders): a version was answered without Fu" in run.stderr
    )


@pytest.mark.parametrize(
    "arn",
    ["garbage", "", None, "arn:aws:lambda:eu-west-1:123456789012:layer:coldstart-layer",
     "arn:aws:lambda:eu-west-1:123456789012:layer:coldstart-layer:x"],
)  # fmt: skip
def test_an_odd_layer(orders, arn: str | None) -> None:
    """It is none of ours, as far as can be seen."""
    ours = "arn:aws:lambda:eu-west-1:123456789012:layer:coldstart-layer:1"
    orders.server.service.more["orders"] = {"Layers": [{"Arn": ours}, {"Arn": arn}]}
    assert orders.run("status", "orders").exit_code == 0
    assert orders.json("status", "orders")["orders"]["layer"] == ours
    orders.server.service.more["orders"] = {"Layers": [{"Arn": arn}]}
    one = orders.json("status", "orders")["orders"]
    assert (one["layer"], [each["kind"] for each in one["problems"]]) == (
        None, ["wrapper-without-layer"],
    )  # fmt: skip


def test_fields_that_are_null(orders) -> None:
    names = ("SnapStart", "LoggingConfig", "TracingConfig", "Architectures")
    orders.server.service.more["orders"] = dict.fromkeys(names)
    assert orders.run("status", "orders").exit_code == 0


def test_an_error_with_a_code_of_nobody(orders) -> None:
    orders.server.service.before = lambda asked, request: (
        error(400, "Odd", "no\nreason") if asked.operation == "ListAliases" else None
    )
    run = orders.run("status", "orders")
    assert (run.exit_code, len(run.stderr.splitlines())) == (1, 1)
