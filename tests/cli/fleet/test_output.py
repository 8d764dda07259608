"""What `coldstart attach` and `detach` say: the plan, what came of it, JSON, a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time

import pytest
from account import COLDSTART, OURS
from coldstart_cli.fleet.attach.snippets import dockerfile, snippet

OURS_SET = {"AWS_LAMBDA_EXEC_WRAPPER": OURS}


def plan_of(account, *arguments: str) -> str:
    """The line about the function orders."""
    stdout = account.run(*arguments, "--dry-run").stdout
    (line,) = re.findall(r"^orders +(.*?) *$", stdout, re.MULTILINE)
    return line


@pytest.mark.parametrize(
    ("has_layer", "variables", "attach", "detach"),
    [
        (False, {}, "add coldstart-layer:2 and its wrapper", "nothing to do"),
        (True, OURS_SET, "coldstart-layer:2 in place of :1",
         "remove coldstart-layer and its wrapper"),
        (True, {}, "coldstart-layer:2 in place of :1 and its wrapper", "remove coldstart-layer"),
        (False, OURS_SET, "add coldstart-layer:2", "remove our wrapper"),
        (
            False,
            {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"},
            "add coldstart-layer:2 and its wrapper; /opt/otel-instrument runs inside it",
            "nothing to do",
        ),
        (
            True,
            {**OURS_SET, "COLDSTART_NEXT_WRAPPER": "/opt/otel-instrument"},
            "coldstart-layer:2 in place of :1",
            "remove coldstart-layer and its wrapper; /opt/otel-instrument gets its place back",
        ),
        (False, {"COLDSTART_NEXT_WRAPPER": "/x"},
         "add coldstart-layer:2 and its wrapper; /x runs inside it", "nothing to do"),
    ],
    ids=["bare", "attached", "without-wrapper", "without-layer", "other", "both", "forgotten"],
)  # fmt: skip
def test_the_plan(account, has_layer: bool, variables, attach: str, detach: str) -> None:
    old = account.layer()
    account.function("orders", variables=variables, Layers=[old] * has_layer)
    account.layer()
    assert plan_of(account, "attach", "orders") == attach
    assert plan_of(account, "detach", "orders") == detach


def test_a_dry_run_changes_nothing(account) -> None:
    account.layer()
    account.function("orders")
    run = account.run("attach", "orders", "--dry-run")
    assert run.exit_code == 0
    assert account.wired("orders") == ([], {})
    assert not account.state.exists()


def test_many_that_need_nothing_are_counted(account) -> None:
    layer = account.layer()
    for number in range(11):
        account.function(f"f-{number}", Layers=[layer], variables=OURS_SET)
    account.function("orders")
    stdout = account.run("attach", "--all", "--dry-run").stdout
    assert "f-1" not in stdout
    assert "12 functions: 1 to attach, 11 with nothing to do." in stdout


def test_what_to_add_elsewhere_is_said_once(account) -> None:
    layer = account.layer()
    for name in ("a", "b"):
        account.function(name, Tags={"aws:cloudformation:stack-name": "shop"})
    account.function("c", Tags={"x": "terraform"}, variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/o"})
    account.function("d")
    account.server.service.more["d"] = {"PackageType": "Image"}
    stdout = account.run("attach", "--all", "--dry-run").stdout
    assert stdout.count(snippet("cloudformation", layer, None)) == 1
    assert "To add to a, b:\n" in stdout
    assert snippet("terraform", layer, "/opt/o") in stdout
    assert dockerfile(layer, None) in stdout


def test_json(account) -> None:
    layer = account.layer()
    arn = account.function("orders", variables={"A": "secret"})
    run = account.run("attach", "orders", "nobody", "--yes", "--json")
    assert "secret" not in run.stdout
    assert json.loads(run.stdout) == {
        "functions": [
            {
                "function": "orders",
                "arn": arn,
                "region": "eu-west-1",
                "action": "attach",
                "before": {
                    "layers": [],
                    "AWS_LAMBDA_EXEC_WRAPPER": None,
                    "COLDSTART_NEXT_WRAPPER": None,
                },
                "after": {
                    "layers": [layer],
                    "AWS_LAMBDA_EXEC_WRAPPER": OURS,
                    "COLDSTART_NEXT_WRAPPER": None,
                },
                "aliases": [],
                "warnings": [],
                "reasons": [],
                "instead": None,
                "managed_by": None,
                "result": "done",
                "error": None,
                "changed": True,
                "published": {},
            }
        ],
        "missing": ["nobody"],
    }


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--yes", "--dry-run"]])
def test_nobody_can_be_asked(account, arguments: list[str]) -> None:
    run = account.run("attach", "orders", *arguments)
    assert run.exit_code == 2
    assert "--dry-run" in run.stderr
    assert account.server.asked == []


def in_a_terminal(account, answer: str, *arguments: str) -> tuple[int, str]:
    """The command at a terminal where somebody answers its question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COLDSTART, *arguments, "--endpoint-url", account.server.url, "--rate", "100"],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "80", **account.environment},
    )  # fmt: skip
    os.close(theirs)
    seen, answered, give_up_at = b"", False, time.monotonic() + 60
    while time.monotonic() < give_up_at:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            seen += os.read(ours, 4096)
        except OSError:  # it has ended
            break
        if b"[y/N]" in seen and not answered:
            answered = True
            os.write(ours, answer.encode())
    os.close(ours)
    return process.wait(timeout=10), seen.decode()


def test_yes(account) -> None:
    account.layer()
    account.function("orders")
    exit_code, seen = in_a_terminal(account, "y\n", "attach", "orders")
    assert exit_code == 0, seen
    assert "Attach: change 1 function?" in seen
    assert "looking for functions in eu-west-1" in seen  # the progress bar
    assert "1 function done." in seen
    assert account.wired("orders")[1] == OURS_SET


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["n", "enter", "eof"])
def test_no(account, answer: str) -> None:
    account.layer()
    account.function("orders")
    exit_code, seen = in_a_terminal(account, answer, "attach", "orders")
    assert exit_code == 1, seen
    assert "Traceback" not in seen
    assert account.wired("orders") == ([], {})


def test_nothing_to_ask(account) -> None:
    account.function("orders")
    exit_code, seen = in_a_terminal(account, "", "detach", "orders")
    assert exit_code == 0, seen
    assert "[y/N]" not in seen
