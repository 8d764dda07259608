"""Functions with the layer, and what `coldstart status` tells of them."""

from __future__ import annotations

from typing import Any

from account import OURS, Account
from aws_server import ACCOUNT, REGION

WIRED = {"AWS_LAMBDA_EXEC_WRAPPER": OURS}
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:coldstart-layer"


def prepared(account: Account) -> Account:
    """With the layer, and a role that may send all signals."""
    account.allow("logs:*", "xray:*")
    account.layer()
    return account


def attached(account: Account, name: str = "orders", **fields: Any) -> None:
    """Create a function that has all that is needed, but for the fields that say otherwise."""
    variables = {**WIRED, **fields.pop("variables", {})}
    layer = f"{LAYER}:{fields.pop('layer', 1)}"
    fields = {"Layers": [layer], "TracingConfig": {"Mode": "Active"}, **fields}
    account.function(name, variables=variables, **fields)
    account.server.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")


def problems(account: Account, name: str = "orders") -> dict[str, tuple[str, str]]:
    """What is told of a function, and its cure, by kind."""
    found = account.json("status", name)[name]["problems"]
    assert all(one["source"] for one in found)
    return {one["kind"]: (one["what"], one["cure"]) for one in found}


def only(account: Account, kind: str, name: str = "orders") -> tuple[str, str]:
    """What and cure of the one problem that there is."""
    found = problems(account, name)
    assert list(found) == [kind], found
    return found[kind]


def of_all(account: Account) -> dict[str, list[str]]:
    """What is told of each function."""
    found = account.json("status", "--all")
    return {name: [problem["what"] for problem in one["problems"]] for name, one in found.items()}
