"""Which functions the commands about the account are about."""

from __future__ import annotations

import json

import pytest
from aws_server import ACCOUNT, REGION

ORDERS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"


@pytest.fixture
def fleet(account):
    account.layer()
    account.function("orders", Tags={"team": "shop", "stage": "prod"})
    account.function("orders-test", Tags={"team": "shop", "stage": "test"})
    account.function("payments", Tags={"team": "money"})
    account.function("web", Runtime="nodejs22.x", Tags={"team": "shop"})
    return account


def found(account, *arguments: str) -> list[str]:
    run = account.run("attach", *arguments, "--dry-run", "--json")
    assert run.exit_code in (0, 1), run.output
    plans = json.loads(run.stdout)["functions"]
    return [plan["function"] for plan in plans if plan["action"] != "skip"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["orders"], ["orders"]),
        ([ORDERS], ["orders"]),
        ([f"{ORDERS}:$LATEST"], ["orders"]),
        (["payments", "orders", "orders"], ["orders", "payments"]),
        (["--all"], ["orders", "orders-test", "payments"]),
        (["--prefix", "orders"], ["orders", "orders-test"]),
        (["--tag", "team=shop"], ["orders", "orders-test"]),
        (["--tag", "team=shop", "--tag", "stage=prod"], ["orders"]),
        (["--tag", "team=shop", "--prefix", "orders-"], ["orders-test"]),
        (["payments", "--prefix", "orders-"], ["orders-test", "payments"]),
        (["orders", ORDERS], ["orders"]),
        (["--all", "--exclude", f"{ORDERS}:$LATEST"], ["orders-test", "payments"]),
        (["--all", "--exclude", " orders "], ["orders-test", "payments"]),
        (["--all", "--exclude", "orders"], ["orders-test", "payments"]),
        (["--all", "--exclude", "*-test", "--exclude", ORDERS], ["payments"]),
        (["orders", "payments", "--exclude", "pay*"], ["orders"]),
    ],
    ids=" ".join,
)
def test_found(fleet, arguments: list[str], expected: list[str]) -> None:
    assert found(fleet, *arguments) == expected


def test_from_a_file(fleet, tmp_path) -> None:
    listed = tmp_path / "list"
    listed.write_text(f"\ufeff# ours\n{ORDERS}  # the first\n\n  payments\n", encoding="utf-8")
    assert found(fleet, "--from", str(listed)) == ["orders", "payments"]


def test_a_function_of_another_account(fleet) -> None:
    """One of ours has the same name."""
    run = fleet.run("attach", ORDERS.replace(ACCOUNT, "999999999999"), "--yes")
    assert run.exit_code == 3
    assert not fleet.server.operations("UpdateFunctionConfiguration")


def test_more_than_one_page(fleet) -> None:
    for number in range(60):
        fleet.function(f"many-{number}")
    assert len(found(fleet, "--prefix", "many-")) == 60


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ([], 2, "which functions? Name them, or give --prefix, --tag or --all"),
        (["or ders"], 2, "'or ders' is no name or ARN of a function"),
        (["orders:live"], 2, "orders:live is one version or alias: leave out what is behind"),
        ([f"{ORDERS}:live"], 2, "is one version or alias: leave out ':live'"),
        (["--all", "--prefix", "o"], 2, "--all is all"),
        (["--tag", "team"], 2, "'team' is not KEY=VALUE"),
        (["--prefix", ""], 2, "--prefix is empty: --all means all"),
        (["--all", "--exclude", f"{ORDERS}:live"], 2, "is one version or alias"),
        (["--all", "--exclude", "a b"], 2, "--exclude 'a b' is no name, ARN or pattern"),
        (["--all", "--exclude", "Orders"], 1, "--exclude Orders is none of the functions"),
        (["--from", "/nowhere"], 2, "'/nowhere' does not exist"),
        (["nobody"], 3, "there is no function nobody in eu-west-1"),
        (["--prefix", "x"], 3, "no function matches"),
        (["--tag", "team=x"], 3, "no function matches"),
        (
            ["--prefix", "web"],
            3,
            "no function to work on matches (1 function: nodejs22.x, not Python)",
        ),
        (["orders", "nobody"], 1, "there is no function nobody in eu-west-1"),
        (["--region", "us-east-1", ORDERS], 1, "give --region eu-west-1"),
    ],
)
def test_exit_codes(fleet, arguments: list[str], exit_code: int, message: str) -> None:
    run = fleet.run("attach", *arguments, "--yes")
    assert run.exit_code == exit_code, run.output
    assert message in run.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"orders\nor ders\n", "line 2: 'or ders' is no name or ARN"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"# nothing\n", "names no function"),
    ],
)
def test_a_file_that_is_no_list(fleet, tmp_path, content: bytes, message: str) -> None:
    (tmp_path / "list").write_bytes(content)
    run = fleet.run("attach", "--from", str(tmp_path / "list"), "--yes")
    assert run.exit_code in (2, 3)
    assert message in run.stderr
