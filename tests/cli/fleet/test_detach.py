"""`coldstart detach`: what attach noted is restored, and without notes only what is ours goes."""

from __future__ import annotations

import json
import stat

import pytest
from account import OURS

BEFORE = [
    pytest.param(0, {}, id="bare"),
    pytest.param(2, {"A": "1"}, id="layers-and-variables"),
    pytest.param(1, {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}, id="another-wrapper"),
    pytest.param(1, {"AWS_LAMBDA_EXEC_WRAPPER": ""}, id="an-empty-wrapper"),
    pytest.param(0, {"COLDSTART_NEXT_WRAPPER": "/opt/x"}, id="a-forgotten-next-wrapper"),
    pytest.param(0, {"COLDSTART_LOGS": "off"}, id="settings"),
]


def state_files(account) -> list:
    return [path for path in account.state.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("layers", "variables"), BEFORE)
def test_back_to_what_it_was(account, layers: int, variables: dict[str, str]) -> None:
    account.layer()
    account.function(
        "orders", variables=variables, Layers=[account.layer(f"other-{n}") for n in range(layers)]
    )
    before = account.wired("orders")
    account.run("attach", "orders", "--yes")
    account.layer()
    account.run("attach", "orders", "--yes")  # the newer version
    assert account.wired("orders") != before
    run = account.run("detach", "orders", "--yes")
    assert run.exit_code == 0, run.output
    assert account.wired("orders") == before
    assert state_files(account) == []


def test_notes_have_no_secrets_and_are_ours_alone(account) -> None:
    account.layer()
    account.function("orders", variables={"PASSWORD": "hunter2"})
    account.run("attach", "orders", "--yes")
    (file,) = state_files(account)
    assert file.name == "orders.json"
    assert "hunter2" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    noted = json.loads(file.read_text())
    assert noted["before"] == {"layers": [], "exec_wrapper": None, "next_wrapper": None}


def test_variables_set_since_stay(account) -> None:
    account.layer()
    account.function("orders", variables={"A": "1"})
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders",
        Environment={"Variables": {"A": "2", "B": "3", "AWS_LAMBDA_EXEC_WRAPPER": OURS}},
    )
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([], {"A": "2", "B": "3"})


def test_layers_changed_since_stay(account) -> None:
    layer, other = account.layer(), account.layer("other")
    account.function("orders")
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders", Layers=[layer, other]
    )
    one = account.json("detach", "orders", "--yes")["orders"]
    assert one["warnings"] == ["it was changed after attaching: only what is ours is removed"]
    assert account.wired("orders") == ([other], {})


def test_changed_since_and_attached_again(account) -> None:
    layer, other = account.layer(), account.layer("other")
    account.function("orders", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"})
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders", Layers=[layer, other]
    )
    account.layer()
    account.run("attach", "orders", "--yes")
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([other], {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"})


def test_another_tool_has_taken_the_wrapper_since(account) -> None:
    account.layer()
    account.function("orders", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"})
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders",
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/theirs"}},
    )
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([], {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/theirs"})


def test_without_notes(account) -> None:
    """Attached by hand, or from another machine."""
    layer, other = account.layer(), account.layer("other")
    account.function(
        "orders",
        Layers=[layer, other],
        variables={
            "A": "1",
            "AWS_LAMBDA_EXEC_WRAPPER": OURS,
            "COLDSTART_NEXT_WRAPPER": "/opt/mine",
        },
    )
    account.run("detach", "orders", "--yes")
    expected = {"A": "1", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"}
    assert account.wired("orders") == ([other], expected)


@pytest.mark.parametrize("inner", [OURS, "/opt//coldstart-wrapper"])
def test_our_wrapper_inside_ours(account, inner: str) -> None:
    """It must not stay without the layer: no start would succeed."""
    layer = account.layer()
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": OURS, "COLDSTART_NEXT_WRAPPER": inner}
    account.function("orders", Layers=[layer], variables=variables)
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([], {})


def test_a_wrapper_whose_layer_may_be_gone(account) -> None:
    layer, datadog = account.layer(), account.layer("datadog")
    account.function(
        "orders", Layers=[datadog], variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}
    )
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders", Layers=[layer]
    )
    one = account.json("detach", "orders", "--yes")["orders"]
    said = "make sure that the layer with /opt/datadog_wrapper is still there"
    assert said in one["warnings"]


def test_twice(account) -> None:
    account.layer()
    account.function("orders", variables={"COLDSTART_NEXT_WRAPPER": "/opt/x"})
    account.run("attach", "orders", "--yes")
    for _ in range(2):
        account.run("detach", "orders", "--yes")
        assert account.wired("orders") == ([], {"COLDSTART_NEXT_WRAPPER": "/opt/x"})


def test_another_layer_by_name(account) -> None:
    pandas = account.layer("pandas")
    account.function("orders", Layers=[pandas])
    account.run("detach", "orders", "--yes", "--layer", "pandas")
    assert account.wired("orders") == ([pandas], {})


def test_not_python_any_more(account) -> None:
    layer = account.layer()
    account.function("orders", Layers=[layer], Runtime="nodejs22.x")
    account.run("detach", "--all", "--yes")
    assert account.wired("orders") == ([], {})


def test_a_container_image(account) -> None:
    account.function("orders")
    account.server.service.more["orders"] = {"PackageType": "Image", "Runtime": ""}
    one = account.json("detach", "orders", "--yes")["orders"]
    assert one["reasons"] == ["it is a container image: take the layer out of its Dockerfile"]


def test_attached_again_before_the_notes_are_gone(account, monkeypatch) -> None:
    """By another process: its notes stay."""
    account.layer()
    account.function("orders")
    account.run("attach", "orders", "--yes")
    times = []

    def attach_meanwhile(asked) -> None:
        if asked.operation == "UpdateFunctionConfiguration" and not times:
            times.append(1)
            account.layer()
            account.process("attach", "orders", "--yes", "--rate", "100").communicate(timeout=30)

    account.server.service.after = attach_meanwhile
    account.run("detach", "orders", "--yes")
    assert len(state_files(account)) == 1
    account.server.service.after = lambda asked: None
    account.run("detach", "orders", "--yes")
    assert account.wired("orders") == ([], {})


def test_without_notes_an_alias_is_told_of(account) -> None:
    account.layer()
    account.function("orders")
    client = account.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    account.run("attach", "orders", "--yes", "--publish", "--alias", "live")
    elsewhere = ["--state", str(account.home / "elsewhere")]
    one = account.json("detach", "orders", "--yes", *elsewhere)["orders"]
    assert one["warnings"] == [
        "alias live stays at version 2, which has the layer: --publish --alias live publishes a"
        " version without it"
    ]


def test_never_attached(account) -> None:
    account.function("orders", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"})
    run = account.run("detach", "orders", "--yes")
    assert run.exit_code == 0
    assert "nothing to do" in run.stdout
    assert not account.server.operations("UpdateFunctionConfiguration")


def test_notes_that_are_of_no_use_any_more(account) -> None:
    """Its deployment has taken the layer away since."""
    account.layer()
    account.function("orders")
    account.run("attach", "orders", "--yes")
    account.server.client("lambda").update_function_configuration(
        FunctionName="orders", Layers=[], Environment={"Variables": {}}
    )
    account.run("detach", "orders", "--yes")
    assert state_files(account) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format": 2}',
        "\udcff",
        '{"format": 1, "function_arn": "x", "before": {}, "after": [], "aliases": {}}',
    ],
)
def test_notes_that_cannot_be_read(account, content: str) -> None:
    account.layer()
    account.function("orders")
    account.run("attach", "orders", "--yes")
    (file,) = state_files(account)
    file.write_bytes(content.encode(errors="surrogateescape"))
    attached = account.wired("orders")
    for command in ("attach", "detach"):
        account.layer()  # something to do
        one = account.json(command, "orders", "--yes")["orders"]
        assert str(file) in (one["error"] or one["reasons"][0]), one
    assert account.wired("orders") == attached
    assert file.read_bytes() == content.encode(errors="surrogateescape")


def test_notes_that_cannot_be_written(account) -> None:
    """Then nothing is changed."""
    account.layer()
    account.function("orders")
    account.state.write_text("a file where the folder should be")
    one = account.json("attach", "orders", "--yes")["orders"]
    assert one["result"] == "failed"
    assert account.wired("orders") == ([], {})
