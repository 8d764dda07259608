"""`coldstart status` over many functions: what they share is told once, and the summary counts."""

from __future__ import annotations

import pytest
from account import Account
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status.problems import Problem
from coldstart_cli.fleet.status.served import Serving
from coldstart_cli.fleet.status.shared_problems import nameless, shared_problems
from coldstart_cli.fleet.status.status import FunctionStatus
from status_account import attached, prepared

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


def having(name: str, *problems: Problem) -> FunctionStatus:
    function = FleetFunction("eu-west-1", {"FunctionName": name, "FunctionArn": ARN + name})
    return FunctionStatus(function, None, None, (), Serving(), None, problems)


def idle(name: str) -> Problem:
    return Problem(
        "layer-idle", f"/aws/lambda/{name} hears nothing", f"coldstart attach {name}", ""
    )


def test_alike_but_for_the_name() -> None:
    names = ["a", "b-a", "c", "d"]
    (shared,) = shared_problems([having(name, idle(name)) for name in names])
    assert [one.name for one in shared.functions] == names
    assert shared.problem.what == "/aws/lambda/NAME hears nothing"
    assert shared.problem.cure == "coldstart attach NAME"
    assert shared_problems([having(name, idle(name)) for name in names[:3]]) == ()


def test_a_name_within_another_word_stays() -> None:
    problem = nameless(idle("layer-a"), having("layer").function)
    assert problem == idle("layer-a")


def test_the_same_in_other_places_is_another(account: Account) -> None:
    alias = Problem("layer-idle", "what", "cure", "", ("alias live (version 1)",))
    latest = Problem("layer-idle", "what", "cure", "")
    some = [having(str(number), alias if number % 2 else latest) for number in range(6)]
    assert shared_problems(some) == ()


@pytest.mark.parametrize("columns", [80, 200])
def test_in_the_table(account: Account, columns: int) -> None:
    prepared(account)
    for number in range(5):
        attached(account, f"f{number}", TracingConfig={"Mode": "PassThrough"})
    attached(account, "g", variables={"COLDSTART_LOGS": "off"})
    lines = account.run("status", "--all", columns=columns).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    words = " ".join(" ".join(lines).split())
    assert words.count("tracing is PassThrough") == 1
    assert "! 5 functions (f0, f1, f2 and 2 more): tracing is PassThrough: annotations" in words
    assert "- switch active tracing on" in words
    g = next(number for number, line in enumerate(lines) if line.startswith("g "))
    assert lines[g + 1].startswith("  ! COLDSTART_LOGS is off")
    assert words.endswith("with the layer, 6 with something that keeps a signal from arriving.")
    for one in account.json("status", "--all").values():
        assert len(one["problems"]) == 1  # for programs, each has its own


def test_what_keeps_no_signal_from_arriving_is_not_counted_as_if_it_did(account: Account) -> None:
    prepared(account).layer()
    for number in range(4):
        attached(account, f"f{number}")  # which is behind
    attached(account, "quiet", layer=2, variables={"COLDSTART_METRICS": "off"})
    attached(account, "hidden", layer=2)
    hidden = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no"}}
    account.server.service.more["hidden"] = {"Environment": hidden}
    attached(account, "slow", layer=2)
    account.server.service.provisioned["slow", "1"] = 4
    account.server.service.allocated["slow", "1"] = 1
    theirs = "arn:aws:lambda:eu-west-1:999999999999:layer:coldstart-layer:1"
    attached(account, "foreign")
    account.server.service.more["foreign"] = {"Layers": [{"Arn": theirs}]}
    run = account.run("status", "--all")
    assert run.stdout.splitlines()[-1] == (
        "8 functions: 8 with the layer, 1 with something that keeps a signal from arriving,"
        " 7 with something else to look at."
    )
    assert "4 functions (f0, f1, f2 and 1 more): version 1 of coldstart-layer is beh" in run.stdout
    assert "coldstart attach NAME" in run.stdout
    told = account.json("status", "foreign", "quiet")
    keeps = {name: one["problems"][0]["keeps_signal"] for name, one in told.items()}
    assert keeps == {"foreign": False, "quiet": True}
