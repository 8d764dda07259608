"""`coldstart attach`, against an account over HTTP: what it does to a function."""

from __future__ import annotations

import pytest
from account import OURS
from aws_server import REGION, error

LWA = "/opt/bootstrap"


def test_a_bare_function(account) -> None:
    layer = account.layer()
    account.function("orders")
    run = account.run("attach", "orders", "--yes")
    assert run.exit_code == 0, run.output
    assert account.wired("orders") == ([layer], {"AWS_LAMBDA_EXEC_WRAPPER": OURS})


def test_what_it_has_stays(account) -> None:
    other, layer = account.layer("other"), account.layer()
    account.function("orders", Layers=[other], variables={"TABLE": "t", "ÖÄ": "ü"})
    assert account.run("attach", "orders", "--yes").exit_code == 0
    expected = {"TABLE": "t", "ÖÄ": "ü", "AWS_LAMBDA_EXEC_WRAPPER": OURS}
    assert account.wired("orders") == ([other, layer], expected)


def test_an_older_version_is_replaced_in_its_place(account) -> None:
    old, other = account.layer(), account.layer("other")
    account.function("orders", Layers=[old, other], variables={"AWS_LAMBDA_EXEC_WRAPPER": OURS})
    new = account.layer()
    run = account.run("attach", "orders", "--yes")
    assert "coldstart-layer:2 in place of :1" in run.stdout
    assert account.wired("orders")[0] == [new, other]


def test_one_version_by_its_arn(account) -> None:
    old, new = account.layer(), account.layer()
    account.function("orders")
    assert account.run("attach", "orders", "--yes", "--layer", old).exit_code == 0
    assert account.wired("orders")[0] == [old]
    assert new != old


def test_the_same_layer_by_another_name(account) -> None:
    layer = account.layer("platform-coldstart")
    account.function("orders")
    assert account.run("attach", "orders", "--yes", "--layer", "platform-coldstart").exit_code == 0
    assert account.wired("orders")[0] == [layer]


def test_twice_changes_nothing_and_says_so(account) -> None:
    account.layer()
    account.function("orders")
    account.run("attach", "orders", "--yes")
    account.server.asked.clear()
    run = account.run("attach", "orders", "--yes")
    assert run.exit_code == 0
    assert "nothing to do" in run.stdout
    assert not account.server.operations("UpdateFunctionConfiguration")


@pytest.mark.parametrize(
    ("wrapper", "warning"),
    [
        ("/opt/datadog_wrapper", None),
        ("/opt/otel-instrument", None),
        (LWA, "the Lambda Web Adapter's wrapper runs the handler as a program of its own"),
        ("/opt/mine", "/opt/mine has not been tried with ours"),
    ],
)
def test_another_wrapper_runs_inside_ours(account, wrapper: str, warning: str | None) -> None:
    account.layer()
    account.function("orders", variables={"AWS_LAMBDA_EXEC_WRAPPER": wrapper})
    one = account.json("attach", "orders", "--yes")["orders"]
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": OURS, "COLDSTART_NEXT_WRAPPER": wrapper}
    assert account.wired("orders")[1] == variables
    assert [text.startswith(warning or "-") for text in one["warnings"]] == [True] * bool(warning)


def test_two_other_wrappers(account) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/a", "COLDSTART_NEXT_WRAPPER": "/opt/b"}
    layer = account.layer()
    account.function("orders", variables=variables)
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["result"] == "refused"
    assert "/opt/a" in one["reasons"][0]
    assert "/opt/b" in one["reasons"][0]
    assert account.wired("orders") == ([], variables)
    assert layer


def test_one_version_by_name_and_number(account) -> None:
    old, _ = account.layer(), account.layer()
    account.function("orders")
    run = account.run("attach", "orders", "--yes", "--layer", "coldstart-layer:1")
    assert run.exit_code == 0, run.output
    assert account.wired("orders")[0] == [old]
    run = account.run("attach", "orders", "--yes", "--layer", "coldstart-layer:7")
    assert "eu-west-1 has no version 7 of layer coldstart-layer" in run.stderr


def test_snap_start(account) -> None:
    account.layer()
    account.function("orders")
    account.server.service.more["orders"] = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["warnings"] == [
        "SnapStart never sees $LATEST: --publish --alias moves an alias to it"
    ]


def test_switched_off(account) -> None:
    account.layer()
    account.function("orders", variables={"COLDSTART_ENABLED": "Off"})
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["warnings"] == ["COLDSTART_ENABLED is off: the layer stays silent"]


def test_the_change_is_made_to_the_revision_that_was_read(account) -> None:
    bodies = []
    account.server.service.before = lambda asked, request: (
        bodies.append(request.get_json()) if asked.operation == "UpdateFunctionConfiguration"
        else None
    )  # fmt: skip
    account.layer()
    account.function("orders")
    account.run("attach", "orders", "--yes")
    assert [sorted(body) for body in bodies] == [["Environment", "Layers", "RevisionId"]]


def test_somebody_else_changes_it_meanwhile(account) -> None:
    """412: read again, and what the other one has set is kept."""
    other, layer = account.layer("other"), account.layer()
    account.function("orders", variables={"A": "1"})
    times = []

    def change_first(asked, request) -> None:
        if asked.operation == "UpdateFunctionConfiguration" and not times:
            times.append(1)
            account.server.client("lambda").update_function_configuration(
                FunctionName="orders", Layers=[other], Environment={"Variables": {"B": "2"}}
            )

    account.server.service.before = change_first
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["result"] == "done"
    expected = {"B": "2", "AWS_LAMBDA_EXEC_WRAPPER": OURS}
    assert account.wired("orders") == ([other, layer], expected)
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([other], {"B": "2"})


def test_an_update_is_under_way(account) -> None:
    """409: waits for it."""
    account.layer()
    account.function("orders")
    account.server.service.update_looks = 2
    account.server.client("lambda").update_function_configuration(FunctionName="orders", Timeout=5)
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["result"] == "done"
    assert len(account.server.operations("UpdateFunctionConfiguration")) == 2


def test_it_waits_until_the_update_is_done(account) -> None:
    account.layer()
    account.function("orders")
    account.server.service.update_looks = 1
    assert account.run("attach", "orders", "--yes").exit_code == 0
    # One for the plan, two until it is done.
    assert len(account.server.operations("GetFunctionConfiguration")) == 3


def test_an_update_that_fails(account) -> None:
    account.layer()
    account.function("orders")
    account.server.service.update_looks = 1
    failing = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role is gone"}

    def fail_from_now_on(asked) -> None:
        if asked.operation == "UpdateFunctionConfiguration":
            account.server.service.more["orders"] = failing

    account.server.service.after = fail_from_now_on
    run = account.run("attach", "orders", "--yes")
    assert run.exit_code == 1
    said = "failed: orders ($LATEST was changed): its update did not succeed: The role is gone"
    assert said in run.stdout
    again = account.json("attach", "orders", "--yes")["orders"]
    assert again["warnings"] == ["its last update did not succeed: The role is gone"]


def test_an_answer_that_was_lost(account) -> None:
    """The update took effect, and what came back was an error: tried again it is a conflict."""
    account.layer()
    account.function("orders")
    client = account.server.client("lambda")

    def lose(asked, request):
        if asked.operation != "UpdateFunctionConfiguration":
            return None
        account.server.service.before = lambda asked, request: None
        body = request.get_json()
        client.update_function_configuration(
            FunctionName="orders", Layers=body["Layers"], Environment=body["Environment"]
        )
        return error(500, "ServiceException")

    account.server.service.before = lose
    assert account.json("attach", "orders", "--yes")["orders"]["result"] == "done"


def test_what_is_planned_anew_is_said(account) -> None:
    account.layer()
    account.function("orders")
    times = []

    def change_first(asked, request) -> None:
        if asked.operation == "UpdateFunctionConfiguration" and not times:
            times.append(1)
            account.server.client("lambda").update_function_configuration(
                FunctionName="orders", Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": LWA}}
            )

    account.server.service.before = change_first
    run = account.run("attach", "orders", "--yes")
    assert "orders: the Lambda Web Adapter's wrapper runs the handler as" in run.stdout


def test_lambda_repeats_variables_and_we_do_not(account) -> None:
    account.layer()
    account.function("orders")
    message = 'variables exceeded the 4KB limit. String measured: {"PASSWORD":"hunter2"}'
    account.server.service.before = lambda asked, _: (
        error(400, "InvalidParameterValueException", message)
        if asked.operation == "UpdateFunctionConfiguration"
        else None
    )
    run = account.run("attach", "orders", "--yes", "--json")
    assert "exceeded the 4KB limit" in run.output
    assert "hunter2" not in run.output


def test_throttled(account) -> None:
    account.layer()
    account.function("orders")
    answers = [error(429, "TooManyRequestsException", "Rate exceeded")] * 3

    def throttle(asked, request):
        return answers.pop() if asked.operation.startswith("Update") and answers else None

    account.server.service.before = throttle
    assert account.json("attach", "orders", "--yes")["orders"]["result"] == "done"
    assert len(account.server.operations("UpdateFunctionConfiguration")) == 4


def test_one_that_fails_does_not_stop_the_others(account) -> None:
    account.layer()
    for name in ("a", "b", "c"):
        account.function(name)

    def deny(asked, request):
        if asked.operation == "UpdateFunctionConfiguration" and asked.subject == "b":
            return error(403, "AccessDeniedException", "User: u is not authorized to perform:"
                         " lambda:UpdateFunctionConfiguration on resource: b")  # fmt: skip
        return None

    account.server.service.before = deny
    run = account.run("attach", "--all", "--yes")
    assert run.exit_code == 1
    expected = "failed: b: not allowed: the permission lambda:UpdateFunctionConfiguration is needed"
    assert expected in run.stdout
    assert "2 functions done, 1 failed." in run.stdout
    assert account.wired("c")[1] == {"AWS_LAMBDA_EXEC_WRAPPER": OURS}


def test_in_several_regions(account) -> None:
    layers = {region: account.layer(region=region) for region in (REGION, "us-east-1")}
    for region in layers:
        account.function("orders", region)
    run = account.run("attach", "orders", "--yes", "--region", REGION, "--region", "us-east-1")
    assert run.exit_code == 0, run.output
    for region, layer in layers.items():
        assert account.wired("orders", region)[0] == [layer]
