"""The built layer in Lambda's file layout, under AWS's own emulator."""

from __future__ import annotations

import asyncio
import json
import os
import re

import lambda_layout
import pytest
from conftest import until
from emulator import Emulator
from start_scenarios import json_lines

HANDLER = """
    import json, logging, os, sys, time
    logger = logging.getLogger()
    logger.setLevel("INFO")
    logger.info("loading")

    def handler(event, context):
        logger.info("handling")
        if "sleep" in event:
            time.sleep(event["sleep"])
        if "exit" in event:
            os._exit(event["exit"])
        if "fail" in event:
            raise ValueError(event["fail"])
        return [sys.argv, sys.path, dict(os.environ), os.getcwd(), os.getuid(), __name__]
"""


def verdicts(output: str) -> list[tuple[object, ...]]:
    """What the log lines of the handler say, and the metrics, in their order."""
    told = []
    for line in json_lines(output):
        if line.get("message") == "handling":
            told.append(("log", line["cold_start"], line["initialization_type"]))
        elif "_aws" in line:
            told.append((line["start_type"], bool(line["ColdStart"]), line["initialization_type"]))
    return told


@pytest.mark.parametrize("initialization_type", ["on-demand", "provisioned-concurrency"])
async def test_the_first_invocation_and_later_ones(
    runtime, make_function, make_layout, initialization_type: str
) -> None:
    cold = initialization_type == "on-demand"
    layout = make_layout(make_function(runtime, HANDLER))
    async with Emulator(layout, initialization_type=initialization_type) as emulator:
        for _ in range(3):
            assert (await emulator.invoke()).status == 200, emulator.output
        assert verdicts(emulator.output) == [
            ("cold" if cold else "provisioned", cold, initialization_type),
            ("log", cold, initialization_type),
            ("log", False, initialization_type),
            ("log", False, initialization_type),
        ]
        assert emulator.xray.read() == []  # this one hands on no trace header
        assert "coldstart-layer:" not in emulator.output


async def test_answers_and_errors_are_the_same_to_the_byte(
    runtime, make_function, make_layout
) -> None:
    function = make_function(runtime, HANDLER)
    answers = []
    # A file that is not there would be an error: so without us it has a wrapper, too.
    plain = function.task_root / "plain-wrapper"
    plain.write_text('#!/bin/bash\nexec "$@"\n')
    plain.chmod(0o755)
    for wrapper in ("/var/task/plain-wrapper", "/opt/coldstart-wrapper"):
        async with Emulator(
            make_layout(function),
            wrapper=wrapper,
            AWS_XRAY_DAEMON_ADDRESS="127.0.0.1:2000",
            AWS_LAMBDA_LOG_STREAM_NAME="stream",
        ) as emulator:
            bodies = []
            for event in (b"{}", b'{"fail": "why"}', b"null", b"no JSON"):
                body = (await emulator.invoke(event)).body.decode()
                # What is new each time.
                bodies.append(re.sub(rf"[-0-9a-f]{{36}}|127[.0-9]+:\d+|{wrapper}", "", body))
            answers.append(bodies)
    assert answers[0] == answers[1]
    argv, path, environment, folder, _, name = json.loads(answers[1][0])
    assert argv == ["/var/runtime/bootstrap.py"]
    assert path.index("/var/task") < path.index("/opt/python") < path.index("/var/runtime")
    assert environment["LAMBDA_TASK_ROOT"] == folder == "/var/task"
    assert name == "app"
    (frame,) = json.loads(answers[1][1])["stackTrace"]
    assert frame.startswith('  File "/var/task/app.py", line ')


@pytest.mark.parametrize(
    ("event", "status", "body"),
    [
        (b'{"sleep": 30}', 200, "Task timed out after 3.00 seconds"),
        (b'{"exit": 3}', 502, "Runtime exited with error: exit status 3"),
    ],
    ids=["timeout", "exit"],
)
async def test_what_follows_a_killed_invocation(
    runtime, make_function, make_layout, event: bytes, status: int, body: str
) -> None:
    """The emulator ends the runtime and starts it anew in the same environment."""
    async with Emulator(make_layout(make_function(runtime, HANDLER)), timeout=3) as emulator:
        assert (await emulator.invoke()).status == 200
        answer = await emulator.invoke(event)
        assert (answer.status, body in answer.body.decode()) == (status, True), answer
        assert (await emulator.invoke()).status == 200
        assert verdicts(emulator.output) == [
            ("cold", True, "on-demand"),
            ("log", True, "on-demand"),
            ("log", False, "on-demand"),
            ("reinit", True, "on-demand"),
            ("log", True, "on-demand"),
        ]


async def test_managed_instance(runtime, make_function, make_layout) -> None:
    """Its workers are told each for itself, and no request was held up by a cold start."""
    if os.geteuid() != 0:
        lambda_layout.unavailable("the emulator for managed instances wants to change its user")
    layout = make_layout(make_function(runtime, HANDLER))
    async with Emulator(layout, workers=3) as emulator:
        slow = b'{"sleep": 0.5}'
        for _ in range(2):
            sent = await asyncio.gather(*(emulator.invoke(slow) for _ in range(3)))
            assert [answer.status for answer in sent] == [200] * 3, (sent, emulator.output)
        uid = json.loads(sent[0].body)[4]
        assert uid not in (0, os.getuid())
        managed = "lambda-managed-instances"
        await until(lambda: len(verdicts(emulator.output)) == 9)
        assert [leaf["annotations"]["ColdStart"] for leaf in emulator.xray.read()] == [False] * 6
        assert sorted(verdicts(emulator.output)) == [
            *[("log", False, managed)] * 6,
            *[("managed", False, managed)] * 3,
        ]
