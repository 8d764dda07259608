"""`coldstart status`: JSON, exit codes, and a table that keeps to the terminal's width."""

from __future__ import annotations

import json

import pytest
from status_account import LAYER, attached, prepared

LONG = "payments-authorization-handler-production-eu-west-1-canary-blue"


def test_json(account) -> None:
    attached(prepared(account), variables={"COLDSTART_NEXT_WRAPPER": "/opt/datadog_wrapper"})
    assert account.json("status", "orders")["orders"] == {
        "function": "orders",
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        "region": "eu-west-1",
        "runtime": "python3.13",
        "package": "Zip",
        "attached": True,
        "layer": f"{LAYER}:1",
        "layer_version": 1,
        "newest_version": 1,
        "wrappers": ["/opt/coldstart-wrapper", "/opt/datadog_wrapper"],
        "managed_instances": False,
        "snap_start": False,
        "provisioned": [],
        "aliases": {},
        "tracing": "Active",
        "logs": {
            "group": "/aws/lambda/orders",
            "class": "STANDARD",
            "format": "Text",
            "level": None,
            "system_level": None,
        },
        "problems": [],
    }


EXIT_CODES = [
    (["orders"], 0, ""),
    (["--all"], 0, ""),
    (["orders", "nobody"], 1, "there is no function nobody in eu-west-1"),
    (["orders", "--layer", "no name"], 1, "'no name' is no name of a layer"),
    ([], 2, "which functions?"),
    (["nobody"], 3, "there is no function nobody in eu-west-1"),
    (["--prefix", "web"], 3, "no Python function matches (1 function with other runtimes)"),
]


def test_exit_codes(account) -> None:
    """Problems are what was asked for: 0."""
    account.layer()
    attached(account)
    account.function("web", Runtime="nodejs22.x")
    for arguments, exit_code, message in EXIT_CODES:
        run = account.run("status", *arguments)
        assert run.exit_code == exit_code, run.output
        assert message in run.stderr


def test_another_runtime_by_its_name(account) -> None:
    account.function("web", Runtime="nodejs22.x")
    assert "nodejs22.x -     -" in account.run("status", "web").stdout


def test_nothing_is_changed(account) -> None:
    attached(prepared(account))
    account.server.asked.clear()
    account.run("status", "--all")
    assert {asked.operation for asked in account.server.asked} == {
        "ListFunctions",
        "GET /2018-10-31/layers/coldstart-layer/versions",
        "ListAliases",
        "ListProvisionedConcurrencyConfigs",
        "SimulatePrincipalPolicy",
        "DescribeLogGroups",
    }


@pytest.fixture
def many(account):
    """All that widens a column."""
    prepared(account).layer()
    other = {"COLDSTART_NEXT_WRAPPER": "/opt/datadog_wrapper", "COLDSTART_LOGS": "off"}
    attached(account)
    attached(account, LONG, variables=other, TracingConfig={"Mode": "PassThrough"})
    config = {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN"}
    account.server.service.more[LONG] = {"LoggingConfig": config}
    account.server.service.provisioned[(LONG, "live")] = 100
    account.server.service.allocated[(LONG, "live")] = 97
    account.function("web")
    return account


@pytest.mark.parametrize("columns", [80, 120])
def test_width(many, columns: int) -> None:
    run = many.run("status", "--all", columns=columns)
    lines = run.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert LONG in lines  # not broken, so that it can be copied and searched for
    words = " ".join(run.stdout.split())
    assert "! COLDSTART_LOGS is off: log lines have no fields of ours - remove COLDST" in words
    for word in ("datadog_wrapper", "PassThrough", "python3.13", "provisioned"):
        assert word in words


def test_in_two_regions(many) -> None:
    many.layer(region="us-east-1")
    many.layer(region="us-east-1")
    there = LAYER.replace("eu-west-1", "us-east-1")
    many.function("orders", region="us-east-1", Layers=[f"{there}:1"])
    run = many.run("status", "orders", "--region", "us-east-1", "--region", "eu-west-1")
    lines = run.stdout.splitlines()
    assert "orders (eu-west-1)" in lines[1]
    assert "orders (us-east-1)" in run.stdout
    assert "coldstart attach orders --region us-east-1" in run.stdout
    found = json.loads(many.run("status", "orders", "--region", "us-east-1", "--json").stdout)[
        "functions"
    ]
    assert [one["newest_version"] for one in found] == [2]
