"""SIGKILL at every step of a change: run again, it ends as if it had never been killed."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from account import Account
from aws_server import error

CHANGING = {"UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"}
ALIAS = ["--publish", "--alias", "live"]


def prepare(account: Account) -> None:
    """A function with a layer and a wrapper, behind an alias with provisioned concurrency."""
    account.server.reset()
    account.__init__(account.server, account.home)  # type: ignore[misc]
    for file in account.state.rglob("*.json"):
        file.unlink()
    account.layer()
    account.function(
        "orders",
        Layers=[account.layer("other")],
        variables={"A": "1", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/mine"},
    )
    client = account.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    account.server.service.provisioned = {("orders", "live"): 5}


def attach_before(account: Account) -> None:
    assert account.run("attach", "orders", "--yes", *ALIAS).exit_code == 0


def attach_before_and_update(account: Account) -> None:
    attach_before(account)
    account.layer()


def seen(account: Account) -> dict[str, Any]:
    """All there is: the function, its versions, the alias, what is noted."""
    client = account.server.client("lambda")
    versions = client.list_versions_by_function(FunctionName="orders")["Versions"]
    alias = client.get_alias(FunctionName="orders", Name="live")
    noted = {}
    for file in account.state.rglob("*"):
        if file.is_file():
            content = json.loads(file.read_text())
            noted[file.name] = (
                content["before"],
                {name: move["before"] for name, move in content["aliases"].items()},
            )
    return {
        "versions": {one["Version"]: account.wired("orders", Qualifier=one["Version"])
                     for one in versions},
        "alias": alias["FunctionVersion"],
        "noted": noted,
    }  # fmt: skip


def killed_at(account: Account, step: int, command: list[str]) -> tuple[bool, str]:
    """Run the command, and kill it at a step: before each request, and after each change.

    Returns whether it was killed, and at what.
    """
    steps = itertools.count(1)
    process = None
    at = ""

    def kill(what: str) -> None:
        nonlocal at
        if next(steps) == step:
            at = what
            process.kill()
            process.join()

    def before(asked, request) -> None:
        kill(f"before {asked.operation}")
        if at:  # a request of the dead, which may have come or not
            return error(500, "ServiceException")
        return None

    def after(asked) -> None:
        if asked.operation in CHANGING and not at:
            kill(f"after {asked.operation}")

    account.server.service.before, account.server.service.after = before, after
    process = account.forked(*command)
    process.join(60)
    assert at or process.exitcode == 0
    account.server.service.before = lambda asked, request: None
    account.server.service.after = lambda asked: None
    return bool(at), at


@pytest.mark.parametrize(
    ("begin", "command", "fewest"),
    [
        (lambda account: None, ["attach", "orders", "--yes", *ALIAS], 16),
        (attach_before_and_update, ["attach", "orders", "--yes", *ALIAS], 16),
        (attach_before, ["detach", "orders", "--yes"], 9),
    ],
    ids=["attach", "update", "detach"],
)
def test_killed(account: Account, begin, command: list[str], fewest: int) -> None:
    prepare(account)
    before = seen(account)
    begin(account)
    assert account.run(*command).exit_code == 0
    expected = seen(account)
    for step in itertools.count(1):
        prepare(account)
        begin(account)
        killed, at = killed_at(account, step, command)
        if killed:
            assert account.run(*command).exit_code == 0, at
        assert seen(account) == expected, at
        assert account.run("detach", "orders", "--yes").exit_code == 0
        after = seen(account)
        assert (after["versions"]["$LATEST"], after["alias"], after["noted"]) == (
            before["versions"]["$LATEST"], before["alias"], {},
        ), at  # fmt: skip
        if not killed:
            break
    assert step > fewest
