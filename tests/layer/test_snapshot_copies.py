"""SnapStart restores many environments from one snapshot: what is each one's own, has to differ."""

from __future__ import annotations

import asyncio
import json

from coldstart_cli.local_lambda import Sandbox
from conftest import ready
from start_scenarios import json_lines

# The hook is the last of the function's code before the snapshot: from there on there are two of
# this process, with the same memory, and both ask to be restored. One takes a second for it.
TWICE = """
    import logging, os, time
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    original = os.getpid()
    register_before_snapshot(os.fork)
    register_after_restore(lambda: time.sleep(0 if os.getpid() == original else 1))

    def handler(event, context):
        logging.getLogger().warning("handling")
        time.sleep(event.get("sleep", 0))
        return os.getpid()
"""


async def test_two_restored_from_one_snapshot(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, TWICE)
    snap_start = {"initialization_type": "snap-start", "json_logs": True}
    async with Sandbox(function, wrapper=wrapper, **snap_start) as sandbox:
        await ready(sandbox)
        await asyncio.sleep(1.1)  # the snapshot lies there
        await sandbox.restore()
        sent = [sandbox.send(b'{"sleep": 1.6}') for _ in range(2)]
        answers = await asyncio.gather(*(request.outcome for request in sent))
        first, second = (json.loads(answer.body) for answer in answers)
        assert first != second
        documents = sandbox.xray.read()
        lines = json_lines(sandbox.stdout)
        later = [await sandbox.invoke() for _ in range(2)]
        assert sandbox.stderr == ""

    starts = [line for line in lines if "_aws" in line]
    assert [(start["start_type"], start["ColdStart"]) for start in starts] == [("restore", 1)] * 2
    assert {start["request_id"] for start in starts} == {request.request_id for request in sent}
    assert [line["cold_start"] for line in lines if "message" in line] == [True, True]

    # Each with an id and a clock of its own.
    assert len({document["id"] for document in documents}) == 2
    assert len({document["trace_id"] for document in documents}) == 2
    began = [document["start_time"] for document in documents]
    assert began[1] - began[0] > 0.9
    assert all(start["idle_ms"] < 1000 for start in starts), starts  # and not since the snapshot

    for invocation in later:
        (line,) = json_lines(invocation.stdout)
        assert line["cold_start"] is False
