"""Brings a function into each way to start that `coldstart simulate` knows, for tests of others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coldstart_cli.local_lambda import Function, Sandbox
from coldstart_cli.local_lambda.sandbox import new_trace_header
from coldstart_cli.simulate import MANAGED, SCENARIOS, SNAP_START, UNSET, Scenario
from conftest import ready

COLD = SCENARIOS[0]
every_scenario = pytest.mark.parametrize(
    "scenario", SCENARIOS, ids=lambda it: f"{it.initialization_type}-{it.expected}"
)
# Whether the first request waited: what docs/design.md says, put down anew.
COLD_STARTS = {
    ("on-demand", "cold"),
    ("on-demand", "reinit"),
    ("snap-start", "restore"),
    ("unset", "cold"),
}


def is_cold_start(scenario: Scenario) -> bool:
    return (scenario.initialization_type, scenario.expected) in COLD_STARTS


@dataclass
class Told:
    """What one invocation answered and told: the JSON lines of its stdout, its X-Ray documents."""

    outcome: Any
    stdout: str
    stderr: str
    documents: list[dict[str, Any]]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return json_lines(self.stdout)

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "_aws" not in line]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "_aws" in line]

    def subsegment(self, name: str) -> dict[str, Any]:
        (found,) = [document for document in self.documents if document["name"] == name]
        return found


def json_lines(output: str) -> list[dict[str, Any]]:
    """The lines of ``output`` that are JSON objects; no name may be in one of them twice."""
    return [
        json.loads(line, object_pairs_hook=_once)
        for line in output.split("\n")  # and not where Unicode has line breaks
        if line.startswith("{")
    ]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"twice in one line: {names}"
    return dict(pairs)


async def run(
    function: Function,
    wrapper: Path | None,
    scenario: Scenario = COLD,
    events: tuple[object, ...] = ({}, {}),
    outcome: str = "response",
    **options,
) -> list[Told]:
    """Start as in the scenario and invoke with each event; nothing may be on stderr."""
    kind = scenario.initialization_type
    options = {"json_logs": True, "workers": 1 if kind == MANAGED else None, **options}
    if kind == UNSET:
        kind = None
    async with Sandbox(function, wrapper=wrapper, initialization_type=kind, **options) as sandbox:
        await ready(sandbox)
        if scenario.restart:
            await sandbox.kill()
            await ready(sandbox)
        if kind == SNAP_START:
            await sandbox.restore()
        if scenario.idle:
            await asyncio.sleep(1.05)  # a trace id counts in seconds
        told = []
        for event in events:
            header = new_trace_header() if scenario.idle else None
            done = await sandbox.invoke(json.dumps(event).encode(), header)
            assert done.outcome.kind == outcome, done
            told.append(Told(done.outcome, done.stdout, done.stderr, sandbox.xray.read()))
        assert sandbox.stderr == "", sandbox.stderr
    return told
