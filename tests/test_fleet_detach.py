"""`coldstart detach`: what attach noted is restored, and without notes only what is ours goes."""

from __future__ import annotations

import json
import stat

import pytest
from fleet import OURS, account, aws_server  # noqa: F401

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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', "\udcff"])
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
