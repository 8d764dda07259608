"""`coldstart status`, against an account over HTTP: each problem, and its cure."""

from __future__ import annotations

import json

import pytest
from account import OURS, Account
from status_account import WIRED, attached, of_all, only, prepared, problems


@pytest.fixture
def healthy(account: Account) -> Account:
    """An account in which a function that is `attached` tells all."""
    return prepared(account)


def test_a_healthy_function(healthy) -> None:
    attached(healthy)
    run = healthy.run("status", "orders")
    assert run.exit_code == 0, run.output
    assert run.stdout.splitlines() == [
        "function runtime    layer wrappers  init type tracing logs",
        "orders   python3.13 1     coldstart on-demand Active  Text",
        "",
        "1 function: 1 with the layer.",
    ]
    assert run.stderr == ""


def test_without_the_layer(healthy) -> None:
    healthy.function("orders", variables={"COLDSTART_METRICS": "off"})
    one = healthy.json("status", "orders")["orders"]
    assert (one["attached"], one["layer"], one["problems"]) == (False, None, [])
    assert "SimulatePrincipalPolicy" not in {asked.operation for asked in healthy.server.asked}


def test_a_wrapper_and_no_layer(healthy) -> None:
    healthy.function("orders", variables=WIRED)
    what, cure = only(healthy, "wrapper-without-layer")
    assert what.endswith("there is no layer: no start succeeds")
    assert cure == "coldstart attach orders, or coldstart detach orders"


def test_a_wrapper_and_perhaps_the_layer_by_another_name(healthy) -> None:
    other = healthy.layer("platform-coldstart")
    attached(healthy, Layers=[other])
    what, _ = only(healthy, "wrapper-without-layer")
    assert "unless ours has another name" in what
    one = healthy.json("status", "orders", "--layer", "platform-coldstart")["orders"]
    assert (one["attached"], one["problems"]) == (True, [])


def test_a_layer_and_no_wrapper(healthy) -> None:
    attached(healthy, variables={"AWS_LAMBDA_EXEC_WRAPPER": ""})
    what, cure = only(healthy, "layer-idle")
    assert what.endswith("AWS_LAMBDA_EXEC_WRAPPER is not set: the layer does not run")
    assert cure == "coldstart attach orders"


@pytest.mark.parametrize("path", ["/opt//coldstart-wrapper", "/opt/./coldstart-wrapper"])
def test_the_wrapper_however_its_path_is_written(healthy, path: str) -> None:
    attached(healthy, variables={"AWS_LAMBDA_EXEC_WRAPPER": path})
    run = healthy.run("status", "orders")
    assert " coldstart " in run.stdout
    assert "!" not in run.stdout
    one = healthy.json("status", "orders")["orders"]
    assert (one["attached"], one["wrappers"]) == (True, [path])
    assert "SimulatePrincipalPolicy" in {asked.operation for asked in healthy.server.asked}


def test_a_layer_and_another_wrapper(healthy) -> None:
    attached(healthy, variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/a"})
    what, _ = only(healthy, "layer-idle")
    assert what.endswith("not /opt/coldstart-wrapper: the layer does not run, unless that wrapper"
                         " runs it")  # fmt: skip


def test_the_layer_is_behind(healthy) -> None:
    attached(healthy)
    healthy.layer()
    what, cure = only(healthy, "layer-behind")
    assert what == "version 1 of coldstart-layer is behind: 2 is the newest"
    assert cure == "coldstart attach orders"
    assert "1 (2 is newest)" in healthy.run("status", "orders").stdout


def test_the_layer_of_another_account(healthy) -> None:
    """Its number says nothing beside those of this account."""
    healthy.layer()
    attached(healthy)
    theirs = "arn:aws:lambda:eu-west-1:999999999999:layer:coldstart-layer:1"
    healthy.server.service.more["orders"] = {"Layers": [{"Arn": theirs}]}
    what, cure = only(healthy, "layer-of-another-account")
    assert "is of account 999999999999" in what
    assert cure.endswith("attach that: coldstart attach orders --layer ARN")
    assert healthy.json("status", "orders")["orders"]["newest_version"] is None


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("COLDSTART_ENABLED", "nothing of the layer runs"),
        ("COLDSTART_LOGS", "log lines have no fields of ours"),
        ("COLDSTART_METRICS", "no metrics, and no starts in a report"),
        ("COLDSTART_TRACING", "no annotations in X-Ray"),
    ],
)
def test_a_switch(healthy, name: str, lost: str) -> None:
    off, on = ["off", " FALSE ", "no", "0"], ["on", "True", "yes", "1"]
    for number, value in enumerate([*off, *on, "perhaps"]):
        attached(healthy, f"f-{number}", variables={name: value})
    found = list(of_all(healthy).values())
    assert found[:4] == [[f"{name} is off: {lost}"]] * 4
    assert found[4:8] == [[]] * 4
    assert found[8] == [f"{name}='perhaps' is neither on nor off; using on"]


def test_the_cure_of_a_switch(healthy) -> None:
    attached(healthy, variables={"COLDSTART_METRICS": "off"})
    assert only(healthy, "metrics-off")[1] == "remove COLDSTART_METRICS"


def test_passive_tracing(healthy) -> None:
    attached(healthy, TracingConfig={"Mode": "PassThrough"})
    what, cure = only(healthy, "tracing-passive")
    assert "only where the caller samples" in what
    assert cure == "switch active tracing on"


@pytest.mark.parametrize("config", [{}, None])
def test_tracing_that_is_not_known(healthy, config: dict[str, str] | None) -> None:
    attached(healthy)
    healthy.server.service.more["orders"] = {"TracingConfig": config}
    assert healthy.run("status", "orders").stdout.splitlines()[1].split()[-2:] == ["-", "Text"]
    assert healthy.json("status", "orders")["orders"]["tracing"] is None
    assert problems(healthy) == {}


def test_passive_tracing_where_nothing_is_traced(healthy) -> None:
    attached(healthy, TracingConfig={"Mode": "PassThrough"}, variables={"COLDSTART_TRACING": "0"})
    only(healthy, "tracing-off")


def test_a_log_class_without_metrics(healthy) -> None:
    attached(healthy)
    healthy.server.service.log_classes["/aws/lambda/orders"] = "INFREQUENT_ACCESS"
    what, cure = only(healthy, "metrics-not-extracted")
    assert "no metrics are made of EMF lines" in what
    assert "STANDARD" in cure


def test_a_log_class_of_which_that_is_not_known(healthy) -> None:
    attached(healthy)
    healthy.server.service.log_classes["/aws/lambda/orders"] = "ESSENTIALS"
    what, _ = only(healthy, "metrics-not-extracted")
    assert "only STANDARD is said to support all" in what


def test_a_log_group_that_is_not_there_yet(healthy) -> None:
    attached(healthy)
    healthy.server.client("logs").delete_log_group(logGroupName="/aws/lambda/orders")
    assert problems(healthy) == {}
    assert healthy.json("status", "orders")["orders"]["logs"]["class"] is None


def test_no_application_log_level_drops_our_line(healthy) -> None:
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
        attached(healthy, level)
        config = {"LogFormat": "JSON", "ApplicationLogLevel": level, "SystemLogLevel": "INFO"}
        healthy.server.service.more[level] = {"LoggingConfig": config}
    run = healthy.run("status", "--all")
    assert "!" not in run.stdout
    assert "JSON FATAL/INFO" in run.stdout


def test_a_system_log_level_that_drops_the_platforms_lines(healthy) -> None:
    attached(healthy)
    config = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    healthy.server.service.more["orders"] = {"LoggingConfig": config}
    what, _ = only(healthy, "platform-lines-filtered")
    assert "`coldstart report` misses them" in what


def test_a_runtime_that_the_layer_version_is_not_for(healthy) -> None:
    healthy.layer(CompatibleRuntimes=["python3.12"])
    attached(healthy, layer=2)
    what, _ = only(healthy, "runtime-not-supported")
    assert what == "coldstart-layer:2 is not for python3.13, but for python3.12"


def test_a_runtime_that_the_layer_is_not_for(healthy) -> None:
    for name, runtime in (("node", "nodejs22.x"), ("old", "python3.9"), ("oldest", "python3.10")):
        attached(healthy, name, Runtime=runtime)
    assert of_all(healthy) == {
        "node": ["its runtime is nodejs22.x, not Python"],
        "old": ["the layer is made for Python 3.10 or newer, not python3.9"],
        "oldest": [],
    }


def test_the_web_adapter(healthy) -> None:
    """Whether it runs inside ours, or in its place."""
    for name in ("AWS_LAMBDA_EXEC_WRAPPER", "COLDSTART_NEXT_WRAPPER"):
        attached(healthy, name, variables={name: "/opt/bootstrap"})
        what, cure = only(healthy, "wrapper-replaces-runtime", name)
        assert what.startswith("the Lambda Web Adapter's wrapper")
        assert cure == f"coldstart detach {name}"


def test_our_wrapper_inside_itself(healthy) -> None:
    attached(healthy, variables={"COLDSTART_NEXT_WRAPPER": OURS})
    assert only(healthy, "wrapper-calls-itself")[1] == "remove COLDSTART_NEXT_WRAPPER"


def test_another_wrapper_inside_ours(healthy) -> None:
    attached(healthy, variables={"COLDSTART_NEXT_WRAPPER": "/opt/datadog_wrapper"})
    run = healthy.run("status", "orders")
    assert "coldstart > datadog_wrapper" in run.stdout
    assert "!" not in run.stdout


def test_variables_that_cannot_be_read(healthy) -> None:
    """Whether it is attached is not known then: neither yes nor no."""
    attached(healthy)
    hidden = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "not allowed to decrypt"}}
    healthy.server.service.more["orders"] = {"Environment": hidden}
    one = healthy.json("status", "orders")["orders"]
    assert (one["attached"], one["wrappers"]) == (None, None)
    what, _ = only(healthy, "variables-unreadable")
    assert "kms:Decrypt on its key is needed to tell whether" in what
    run = healthy.run("status", "orders")
    assert run.exit_code == 1
    assert "not known: variables (orders): kms:Decrypt" in run.stderr
    told = json.loads(healthy.run("status", "orders", "--json").stdout)["not_known"]
    assert [(one["what"], one["of"]) for one in told] == [("variables", ["orders"])]


def test_a_container_image(healthy) -> None:
    attached(healthy, Layers=[])
    healthy.server.service.more["orders"] = {"PackageType": "Image", "Runtime": ""}
    run = healthy.run("status", "orders")
    assert "its layers cannot be seen from outside" in run.stdout
    assert "!" not in run.stdout
    one = healthy.json("status", "orders")["orders"]
    assert (one["attached"], one["package"], one["runtime"]) == (None, "Image", None)
