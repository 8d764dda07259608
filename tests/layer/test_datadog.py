"""Datadog's Lambda library: its spans and metrics say what the layer says; its reports stay."""

from __future__ import annotations

import json

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import ROOT, library_environment
from start_scenarios import Told, every_scenario, is_cold_start, run

ENVIRONMENT = library_environment("datadog")
ITS_WRAPPER = ROOT / "tests/support/exec_wrappers/datadog"
QUIET = {
    "DD_COLD_START_TRACING": "false",  # a span for each module imported
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
}
ANSWERS = "def handler(event, context):\n    return 'answer'\n"
FAILS = "def handler(event, context):\n    raise KeyError('order')\n"
DOES_NOT_LOAD = "import no_such_module\n"


@pytest.fixture
def beside_its_layer(make_function):
    return lambda code: make_function(
        ENVIRONMENT, code, COLDSTART_NEXT_WRAPPER=str(ITS_WRAPPER), **QUIET
    )


def span(lines: list[dict]) -> dict:
    """The span of the invocation, as it was written to the log."""
    (found,) = [
        found
        for line in lines
        for trace in line.get("traces", [])
        for found in trace
        if found["name"] == "aws.lambda"
    ]
    return found


def metrics(lines: list[dict]) -> dict[str, list[str]]:
    """Its enhanced metrics, and their tags about the start."""
    return {
        line["m"].removeprefix("aws.lambda.enhanced."): [
            tag for tag in line["t"] if tag.startswith(("cold_start:", "proactive_"))
        ]
        for line in lines
        if "m" in line
    }


def flags(told: Told) -> tuple[str, str | None, list[str]]:
    meta = span(told.lines)["meta"]
    return (
        meta["cold_start"],
        meta.get("proactive_initialization"),
        metrics(told.lines)["invocations"],
    )


@every_scenario
async def test_every_start(wrapper, beside_its_layer, scenario) -> None:
    first, second = await run(beside_its_layer(ANSWERS), wrapper, scenario)
    assert first.outcome.body == second.outcome.body == b'"answer"'
    if is_cold_start(scenario):
        assert flags(first) == ("true", None, ["cold_start:true"])
    else:
        assert flags(first)[:2] == ("false", "true")
        assert flags(first)[2][0] == "cold_start:false"
    assert flags(second) == ("false", None, ["cold_start:false"])
    leaf = first.subsegment("coldstart")["annotations"]
    assert leaf["ColdStart"] == is_cold_start(scenario)


async def test_an_error_in_the_handler(wrapper, beside_its_layer) -> None:
    """Datadog reports it, and Lambda gets it, as without us."""
    seen = []
    for which in (ITS_WRAPPER, wrapper):
        (told,) = await run(beside_its_layer(FAILS), which, events=({},), outcome="error")
        failed = span(told.lines)
        assert failed["error"] == 1
        error = json.loads(told.outcome.body)
        error.pop("requestId")
        meta = {name: value for name, value in failed["meta"].items() if "error" in name}
        seen.append((error, meta, metrics(told.lines).keys()))
    assert seen[0] == seen[1]
    assert seen[0][1]["error.type"] == "builtins.KeyError"
    assert {"errors", "invocations"} <= seen[0][2]


async def test_a_handler_that_does_not_load(wrapper, beside_its_layer) -> None:
    seen = []
    for which in (ITS_WRAPPER, wrapper):
        async with Sandbox(
            beside_its_layer(DOES_NOT_LOAD), wrapper=which, json_logs=True
        ) as sandbox:
            outcome = await sandbox.start()
            assert outcome.kind == "init error"
            lines = [json.loads(it) for it in sandbox.stdout.splitlines() if it.startswith("{")]
            assert "coldstart" not in sandbox.stderr
            failed = span(lines)
            meta = {name: value for name, value in failed["meta"].items() if "error" in name}
            stack = meta.pop("error.stack")
            assert "coldstart_layer" not in stack
        error = json.loads(outcome.body)
        error.pop("requestId")
        seen.append((error, meta, metrics(lines)))
    assert seen[0] == seen[1]
    assert "errors" in seen[0][2]
