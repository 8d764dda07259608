"""`coldstart status`: versions that aliases point at, provisioned concurrency, SnapStart."""

from __future__ import annotations

import pytest
from account import Account
from status_account import LAYER, WIRED, attached, only, prepared, problems


@pytest.fixture
def live(account: Account) -> Account:
    """A function without the layer, and alias live at version 1 of it."""
    prepared(account).function("orders", TracingConfig={"Mode": "Active"})
    client = account.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    return account


def attach(account: Account, **fields: object) -> None:
    """To $LATEST alone."""
    fields = {"Layers": [f"{LAYER}:1"], "Environment": {"Variables": WIRED}, **fields}
    client = account.server.client("lambda")
    client.update_function_configuration(FunctionName="orders", **fields)


def test_an_alias_at_a_version_without_the_layer(live) -> None:
    attach(live)
    one = live.json("status", "orders")["orders"]["problems"][0]
    assert one["where"] == ["alias live (version 1)"]
    assert one["what"] == "this version has no layer, $LATEST has one"
    assert one["cure"] == "coldstart attach orders --publish --alias live"
    assert live.run(*one["cure"].split()[1:], "--yes").exit_code == 0
    assert problems(live) == {}


def test_only_a_version_has_the_layer(live) -> None:
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    attach(live, Layers=[], Environment={"Variables": {}})
    _, cure = only(live, "latest-without-layer")
    assert cure == "coldstart attach orders"


def test_neither_has_the_layer(live) -> None:
    assert problems(live) == {}


def test_an_alias_at_latest_needs_no_look(account) -> None:
    attached(prepared(account))
    client = account.server.client("lambda")
    client.create_alias(FunctionName="orders", Name="test", FunctionVersion="$LATEST")
    assert problems(account) == {}
    assert account.server.operations("GetFunctionConfiguration") == ["GetFunctionConfiguration"]


def test_both_versions_of_a_split_alias(live) -> None:
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    live.server.client("lambda").update_alias(
        FunctionName="orders", Name="live", FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )  # fmt: skip
    one = live.json("status", "orders")["orders"]
    assert [problem["where"] for problem in one["problems"]] == [["alias live (version 1)"]]
    assert one["aliases"] == {"live": ["2", "1"]}


def test_the_same_problem_of_both_is_told_once(live) -> None:
    """With the cure that cures both."""
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    live.layer()
    problem, *rest = live.json("status", "orders")["orders"]["problems"]
    assert not rest
    assert (problem["kind"], problem["where"]) == (
        "layer-behind", ["$LATEST", "alias live (version 2)"],
    )  # fmt: skip
    assert problem["cure"] == "coldstart attach orders --publish --alias live"


def test_a_problem_of_the_version_alone(live) -> None:
    off = {"Environment": {"Variables": {**WIRED, "COLDSTART_METRICS": "off"}}}
    attach(live, **off)
    client = live.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="2")
    attach(live)
    run = live.run("status", "orders")
    assert (
        "  ! alias live (version 2): COLDSTART_METRICS is off: no metrics, and no starts in a"
        " report - remove COLDSTART_METRICS, publish a version, and point alias live at it"
    ) in run.stdout


def test_provisioned_concurrency(live) -> None:
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    live.server.service.provisioned[("orders", "live")] = 5
    run = live.run("status", "orders")
    assert "provisioned 5 (live) " in run.stdout
    assert "!" not in run.stdout


def test_provisioned_concurrency_that_is_not_ready(live) -> None:
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    live.server.service.provisioned[("orders", "live")] = 5
    live.server.service.provisioned_status = "IN_PROGRESS"
    live.server.service.allocated[("orders", "live")] = 0
    run = live.run("status", "orders")
    assert "provisioned 5 (live, 0 ready)" in run.stdout
    assert "! 0 of 5 provisioned environments of alias live are ready (IN_PROGRESS)" in run.stdout


def test_provisioned_concurrency_that_failed(live) -> None:
    live.run("attach", "orders", "--publish", "--alias", "live", "--yes")
    live.server.service.provisioned[("orders", "live")] = 5
    live.server.service.provisioned_status = "FAILED"
    what, _ = only(live, "provisioned-failed")
    assert what.endswith("of alias live failed (FUNCTION_ERROR_INIT_FAILURE)")


def test_provisioned_concurrency_of_a_version_without_the_layer(live) -> None:
    attach(live)
    client = live.server.client("lambda")
    client.delete_alias(FunctionName="orders", Name="live")
    live.server.service.provisioned[("orders", "1")] = 2
    one = live.json("status", "orders")["orders"]["problems"][0]
    assert (one["kind"], one["where"]) == ("version-without-layer", ["version 1"])
    assert one["cure"].startswith("publish a version, and set provisioned concurrency on")


def test_snap_start_where_only_latest_has_the_layer(live) -> None:
    attach(live)
    live.server.client("lambda").delete_alias(FunctionName="orders", Name="live")
    live.server.service.more["orders"] = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
    only(live, "snap-start-without-layer")
    live.server.client("lambda").publish_version(FunctionName="orders")
    run = live.run("status", "orders")
    assert "SnapStart" in run.stdout
    assert "!" not in run.stdout


def test_managed_instances(account) -> None:
    attached(prepared(account))
    account.server.service.more["orders"] = {
        "CapacityProviderConfig": {
            "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn"}
        }
    }
    assert "managed instances" in account.run("status", "orders").stdout
