"""Versions of awslambdaric: the oldest that runs on each CPython, and one with another loader.

The newest is what all other tests run under.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import ROOT, ready
from start_scenarios import every_scenario, is_cold_start, json_lines, run

OLDEST = sorted((ROOT / "build/runtimes-oldest").glob("3.*"))
OTHER_LOADER = sorted((ROOT / "build/runtimes-other-loader").glob("3.*"))
# From 3.14 on, multiprocessing starts this version's managed workers afresh, without the wrapper:
# the layer is not in there. The newest version forks them on every CPython.
FORKING = [path for path in OTHER_LOADER if path.name in ("3.10", "3.11", "3.12", "3.13")]
versions = pytest.mark.parametrize(
    "runtime", OLDEST + OTHER_LOADER, ids=lambda path: f"{path.parent.name[9:]}-{path.name}"
)

HANDLER = """
    import logging
    def handler(event, context):
        logging.getLogger().warning("handling")
        if "fail" in event:
            raise ValueError(event["fail"])
        return "answer"
"""


@versions
@pytest.mark.parametrize(
    ("initialization_type", "start_type", "cold"),
    [("on-demand", "cold", True), ("provisioned-concurrency", "provisioned", False)],
)
async def test_the_signals(
    wrapper, runtime, make_function, initialization_type: str, start_type: str, cold: bool
) -> None:
    function = make_function(runtime, HANDLER)
    async with Sandbox(function, wrapper=wrapper, initialization_type=initialization_type) as it:
        await ready(it)
        for expected in (cold, False):
            told = await it.invoke()
            assert told.outcome.body == b'"answer"'
            column = (
                f"\tcold_start={str(expected).lower()} initialization_type={initialization_type}\t"
            )
            assert column + "handling" in told.stdout
            (leaf,) = it.xray.read()
            assert leaf["annotations"]["ColdStart"] == expected
        (metric,) = [json.loads(line) for line in it.stdout.splitlines() if line.startswith("{")]
        assert (metric["start_type"], metric["ColdStart"]) == (start_type, cold)
        await it.kill()
        await ready(it)
        assert '"start_type": "reinit"' in (await it.invoke()).stdout
        assert it.stderr == ""


@versions
async def test_errors_are_the_same_to_the_byte(wrapper, runtime, make_function) -> None:
    bodies = []
    for which in (None, wrapper):
        async with Sandbox(make_function(runtime, HANDLER), wrapper=which) as sandbox:
            await ready(sandbox)
            error = await sandbox.invoke(b'{"fail": "why"}')
            assert error.outcome.kind == "error"
            bodies.append(error.outcome.body.replace(error.request_id.encode(), b""))
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("runtime", OTHER_LOADER, ids=lambda path: path.name)
@every_scenario
async def test_every_way_to_start(wrapper, runtime, make_function, scenario) -> None:
    """This version has all that the newest one has, and loads the handler before it forks, too."""
    first, second = await run(make_function(runtime, HANDLER), wrapper, scenario)
    if scenario.expected == "managed" and runtime not in FORKING:
        assert "cold_start" not in first.logs[0]
        return
    for told, cold in ((first, is_cold_start(scenario)), (second, False)):
        assert [line["cold_start"] for line in told.logs] == [cold]
    assert first.metrics[0]["start_type"] == scenario.expected


TELLS_ITS_WORKER = """
    import os, time
    def handler(event, context):
        time.sleep(event["sleep"])
        return [os.getpid(), os.getppid()]
"""


async def test_workers_of_the_version_that_loads_before_it_forks(wrapper, make_function) -> None:
    """Each worker is told for itself that its first invocation is the first."""
    managed = {"initialization_type": "lambda-managed-instances", "workers": 2}
    function = make_function(FORKING[-1], TELLS_ITS_WORKER)
    async with Sandbox(function, wrapper=wrapper, **managed) as sandbox:
        await ready(sandbox)
        for _ in range(2):  # two at a time, so that each worker gets one
            sent = [sandbox.send(b'{"sleep": 1}') for _ in range(2)]
            answers = await asyncio.gather(*(request.outcome for request in sent))
        (first, parent), (second, other_parent) = (json.loads(it.body) for it in answers)
        assert first != second
        assert parent == other_parent
        starts = [line["start_type"] for line in json_lines(sandbox.stdout) if "_aws" in line]
        assert starts == ["managed", "managed"]
        assert sandbox.stderr == ""
