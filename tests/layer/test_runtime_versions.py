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
AFRESH = [path for path in OTHER_LOADER if path not in FORKING]
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


@pytest.mark.parametrize("runtime", [OTHER_LOADER[0], OTHER_LOADER[-1]], ids=lambda path: path.name)
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


# The handler is looked up in each process, wherever the module is loaded.
TELLS_ITS_PROCESS = """
    import logging, os, time
    logger = logging.getLogger()
    logger.warning("loading in %d", os.getpid())
    def __getattr__(name):
        if name != "handler":
            raise AttributeError(name)
        logger.warning("looked up in %d", os.getpid())
        return answer
    def answer(event, context):
        logger.warning("handling in %d", os.getpid())
        time.sleep(0.5)
        return os.getpid()
"""
MANAGED = "initialization_type=lambda-managed-instances"


async def text_lines_of_two_workers(function, wrapper) -> tuple[dict, dict]:
    """What the parent and what each worker logged, with what stands before the message."""
    kind = "lambda-managed-instances"
    async with Sandbox(function, wrapper=wrapper, initialization_type=kind, workers=2) as sandbox:
        await ready(sandbox)
        workers = set()
        for _ in range(20):  # two at a time, until each worker has had one
            sent = [sandbox.send() for _ in range(2)]
            workers |= {int((await request.outcome).body) for request in sent}
            if len(workers) == 2:
                break
        lines: dict[int, dict[str, set[str]]] = {}
        for line in sandbox.stdout.splitlines():
            if line.startswith("[WARNING]"):
                *_, before, message = line.split("\t")
                what, _, process = message.rpartition(" in ")
                lines.setdefault(int(process), {}).setdefault(what, set()).add(before)
        assert sandbox.stderr == ""
    (parent,) = lines.keys() - workers
    return lines.pop(parent), lines


@pytest.mark.parametrize("runtime", FORKING, ids=lambda path: path.name)
async def test_text_lines_of_forked_workers(wrapper, runtime, make_function) -> None:
    """In each process that looks for the handler the column is there, first without a verdict."""
    function = make_function(runtime, TELLS_ITS_PROCESS)
    parent, workers = await text_lines_of_two_workers(function, wrapper)
    assert parent == {"loading": {MANAGED}, "looked up": {MANAGED}}
    expected = {"looked up": {MANAGED}, "handling": {f"cold_start=false {MANAGED}"}}
    assert list(workers.values()) == [expected] * 2


@pytest.mark.parametrize("runtime", AFRESH, ids=lambda path: path.name)
async def test_text_lines_of_workers_started_afresh(wrapper, runtime, make_function) -> None:
    """The layer is in their parent alone. They load the module themselves, and run without us."""
    function = make_function(runtime, TELLS_ITS_PROCESS)
    parent, workers = await text_lines_of_two_workers(function, wrapper)
    assert parent == {"loading": {MANAGED}, "looked up": {MANAGED}}
    for lines in workers.values():
        assert lines.keys() == {"loading", "looked up", "handling"}
        assert not [before for found in lines.values() for before in found if "=" in before]
