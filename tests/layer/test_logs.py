"""The fields on log lines, in the runtime's two formats."""

from __future__ import annotations

import json
import re

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import ready


def log_lines(stdout: str) -> list[str]:
    return [line for line in stdout.splitlines() if '"_aws"' not in line]


async def test_text_format(wrapper, runtime, logging_function) -> None:
    async with Sandbox(logging_function(runtime), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        first = await sandbox.invoke()
        second = await sandbox.invoke()
        (loading, *_) = log_lines(sandbox.stdout)
    time_column = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(
        rf"\[INFO\]\t{time_column}\t\tinitialization_type=on-demand\tloading", loading
    )
    (line,) = log_lines(first.stdout)
    assert re.fullmatch(
        rf"\[INFO\]\t{time_column}\t{first.request_id}"
        r"\tcold_start=true initialization_type=on-demand\thandling",
        line,
    )
    (line,) = log_lines(second.stdout)
    assert line.split("\t")[3:] == ["cold_start=false initialization_type=on-demand", "handling"]


async def test_json_format(wrapper, runtime, logging_function) -> None:
    async with Sandbox(
        logging_function(runtime), wrapper=wrapper, json_logs=True, log_level="INFO"
    ) as sandbox:
        await ready(sandbox)
        (loading,) = map(json.loads, log_lines(sandbox.stdout))
        invocation = await sandbox.invoke()
        (line,) = map(json.loads, log_lines(invocation.stdout))
    assert loading["initialization_type"] == "on-demand"
    assert "cold_start" not in loading
    assert isinstance(line["cold_start"], bool)
    assert line["initialization_type"] == "on-demand"
    added = {"cold_start", "initialization_type"}
    assert set(line) - added == {"timestamp", "level", "message", "logger", "requestId"}


async def test_unset_type_is_unknown(wrapper, newest_runtime, logging_function) -> None:
    async with Sandbox(
        logging_function(newest_runtime), wrapper=wrapper, initialization_type=None
    ) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
    assert "cold_start=true initialization_type=unknown" in invocation.stdout


@pytest.mark.parametrize("json_logs", [False, True], ids=["text", "json"])
async def test_switched_off(wrapper, newest_runtime, logging_function, json_logs: bool) -> None:
    function = logging_function(newest_runtime, COLDSTART_LOGS="off")
    async with Sandbox(function, wrapper=wrapper, json_logs=json_logs) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
        (line,) = log_lines(invocation.stdout)
    assert "cold_start" not in line
    assert '"_aws"' in invocation.stdout


async def test_what_the_function_says_itself_stays(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        import logging
        logger = logging.getLogger("own")
        def handler(event, context):
            logger.warning("100%% %s", "sure", extra={"cold_start": "mine"})
            logger.warning("dict", extra={"initialization_type": 7, "other": 1})
            try:
                1 / 0
            except ZeroDivisionError:
                logger.exception("failed")
        """,
    )
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
        first, second, third = map(json.loads, log_lines(invocation.stdout))
    assert invocation.outcome.kind == "response"
    assert (first["cold_start"], first["initialization_type"]) == ("mine", "on-demand")
    assert (second["cold_start"], second["initialization_type"]) == (True, 7)
    assert (third["errorType"], third["cold_start"]) == ("ZeroDivisionError", True)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        lines = log_lines((await sandbox.invoke()).stdout)
    assert lines[0].endswith("\tcold_start=mine initialization_type=on-demand\t100% sure")
    assert lines[1].endswith("\tcold_start=true initialization_type=7\tdict")
    assert lines[2].endswith("\tcold_start=true initialization_type=on-demand\tfailed")
    assert lines[3] == "Traceback (most recent call last):"


async def test_a_functions_own_format_and_factory(wrapper, runtime, make_function) -> None:
    """Whoever replaces the runtime's format has the fields on the record."""
    function = make_function(
        runtime,
        """
        import logging, sys
        factory = logging.getLogRecordFactory()
        def own_factory(*args, **kwargs):
            record = factory(*args, **kwargs)
            record.cold_start = "factory"
            return record
        form = "%(cold_start)s %(initialization_type)s %(message)s"
        logging.basicConfig(force=True, stream=sys.stdout, format=form)
        def handler(event, context):
            logging.getLogger("a.b").warning("plain")
            logging.setLogRecordFactory(own_factory)
            logging.getLogger("a.b").warning("factory")
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
    assert log_lines(invocation.stdout) == [
        "True on-demand plain",
        "factory on-demand factory",
    ]


async def test_a_line_of_another_process_is_left_as_it_is(wrapper, runtime, make_function) -> None:
    """Records that no logger of this process made carry no verdict of this process."""
    function = make_function(
        runtime,
        """
        import logging
        def handler(event, context):
            fields = {"msg": "from elsewhere", "levelname": "INFO", "levelno": 20}
            record = logging.makeLogRecord(fields)
            logging.getLogger().handle(record)
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
    (line,) = log_lines(invocation.stdout)
    assert line.split("\t")[2:] == [invocation.request_id, "from elsewhere"]


# As on Lambda, where the runtime's log lines go to a descriptor of their own.
FRAMED = """#!/bin/bash
exec 9>>"$0.frames"
export _LAMBDA_TELEMETRY_LOG_FD=9
exec "$@"
"""


@pytest.mark.parametrize("json_logs", [False, True], ids=["text", "JSON"])
async def test_where_lambda_reads_log_lines(
    wrapper, runtime, logging_function, json_logs: bool
) -> None:
    """In frames of a type, a length, a time and the line. The metric goes to stdout."""
    function = logging_function(runtime)
    launcher = function.task_root / "launcher"
    launcher.write_text(FRAMED)
    launcher.chmod(0o755)
    frames = []
    for inner in ((), (str(wrapper),)):
        written = launcher.with_name("launcher.frames")
        written.unlink(missing_ok=True)
        command = (str(launcher), *inner, str(function.python), "-m", "awslambdaric", "app.handler")
        async with Sandbox(function, command=command, json_logs=json_logs) as sandbox:
            await ready(sandbox)
            await sandbox.invoke()
            metrics = [line for line in sandbox.stdout.splitlines() if line]
            assert sandbox.stderr == ""
        data = written.read_bytes()
        frames.append([])
        while data:
            size = int.from_bytes(data[4:8], "big")
            frames[-1].append((data[:4], data[16 : 16 + size].decode()))
            data = data[16 + size :]
    bare, layered = frames
    assert [kind for kind, _ in layered] == [kind for kind, _ in bare]
    assert [json.loads(line)["start_type"] for line in metrics] == ["cold"]
    loading, handling = (line for _, line in layered)
    if json_logs:
        assert json.loads(handling)["cold_start"] is True
        assert json.loads(loading)["initialization_type"] == "on-demand"
    else:
        assert "\tcold_start=true initialization_type=on-demand\thandling" in handling
        assert "\tinitialization_type=on-demand\tloading" in loading
