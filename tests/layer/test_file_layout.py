"""The built layer where Lambda puts it, under our own local Lambda: every way to start."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from coldstart_cli.local_lambda import Sandbox
from coldstart_cli.simulate import Scenario
from conftest import ready
from lambda_layout import in_layout
from start_scenarios import every_scenario, is_cold_start, run

ANSWERS = """
    import logging
    def handler(event, context):
        logging.getLogger().warning("handling")
        return "answer"
"""


@every_scenario
async def test_every_way_to_start(runtime, make_function, make_layout, scenario: Scenario) -> None:
    function = make_function(runtime, ANSWERS)
    layout = make_layout(function)
    command = tuple(layout.command("/var/runtime/bootstrap"))
    first, second = await run(in_layout(function, layout), None, scenario, command=command)
    for told, cold, metrics in ((first, is_cold_start(scenario), 1), (second, False, 0)):
        assert told.outcome.body == b'"answer"'
        assert [line["cold_start"] for line in told.logs] == [cold]
        assert told.subsegment("coldstart")["annotations"]["ColdStart"] == cold
        assert len(told.metrics) == metrics
    assert first.metrics[0]["start_type"] == scenario.expected


TRIES_TO_WRITE = """
    import os
    def handler(event, context):
        refused = []
        for folder in ("/", "/opt", "/opt/python/coldstart_layer", "/var/lang", "/var/runtime",
                       "/var/task", "/usr", "/tmp"):
            try:
                open(folder + "/written", "w").close()
            except OSError:
                refused.append(folder)
        return [refused, os.getpid()]
"""


async def test_only_tmp_can_be_written(newest_runtime, make_function, make_layout) -> None:
    """That the layout is as read-only as it says: no pyc file can be written to /opt."""
    function = make_function(newest_runtime, TRIES_TO_WRITE)
    layout = make_layout(function)
    command = tuple(layout.command("/var/runtime/bootstrap"))
    async with Sandbox(in_layout(function, layout), command=command) as sandbox:
        await ready(sandbox)
        refused, pid = json.loads((await sandbox.invoke()).outcome.body)
    assert refused == [
        "/", "/opt", "/opt/python/coldstart_layer", "/var/lang", "/var/runtime", "/var/task", "/usr"
    ]  # fmt: skip
    assert pid < 20  # in a namespace of its own


# Written into site-packages: Python runs it before our shim.
NOTES_WHAT_IS_COMPILED = """
import sys
sys.compiled = []
def note(event, arguments):
    if event == "compile":
        sys.compiled.append(str(arguments[1]))
sys.addaudithook(note)
"""
NOTES_WHAT_IS_OPENED = """
import sys
sys.opened = []
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        sys.opened.append(arguments[0])
sys.addaudithook(note)
"""
TELLS_WHAT_WAS_COMPILED = """
    import sys
    from aws_xray_sdk.core import xray_recorder  # one of the libraries that we have a file for
    def handler(event, context):
        return [name for name in sys.compiled if "coldstart" in name]
"""


@pytest.mark.parametrize("bytecode", [True, False], ids=["as built", "without its bytecode"])
async def test_none_of_our_modules_is_compiled(
    own_wrapper, runtime, make_function, make_layout, bytecode: bool
) -> None:
    """But for the shim, which is what Python is given to run."""
    if not bytecode:
        for path in (own_wrapper.parent / "python/coldstart_layer").glob("*.bytecode"):
            path.unlink()
    files = {"aws_xray_sdk/__init__.py": "", "aws_xray_sdk/core.py": "xray_recorder = None"}
    function = make_function(runtime, TELLS_WHAT_WAS_COMPILED, files=files)
    layout = make_layout(function, NOTES_WHAT_IS_COMPILED, opt=own_wrapper.parent)
    command = tuple(layout.command("/var/runtime/bootstrap"))
    async with Sandbox(in_layout(function, layout), command=command) as sandbox:
        await ready(sandbox)
        compiled = json.loads((await sandbox.invoke()).outcome.body)
    compiled = [name for name in compiled if name != "/opt/coldstart/bootstrap.py"]
    assert (compiled == []) == bytecode, compiled
    assert bytecode or len(compiled) > 12


@pytest.mark.parametrize("profile", ["", "on"])
async def test_files_that_a_start_opens(runtime, make_function, make_layout, profile: str) -> None:
    """Two of ours, of which Python opens the script twice; the runtime's then only once."""
    code = "import sys\ndef handler(event, context):\n    return sys.opened\n"
    function = make_function(runtime, code, COLDSTART_PROFILE=profile)
    opened = []
    for exec_wrapper in ("/opt/coldstart-wrapper", ""):
        layout = make_layout(function, NOTES_WHAT_IS_OPENED)
        command = tuple(layout.command("/var/runtime/bootstrap"))
        described = in_layout(function, layout)
        environment = {**described.environment, "AWS_LAMBDA_EXEC_WRAPPER": exec_wrapper}
        described = replace(described, environment=environment)
        async with Sandbox(described, command=command) as sandbox:
            await ready(sandbox)
            invocation = await sandbox.invoke(trace_header="")
            opened.append(json.loads(invocation.outcome.body))
    layered, bare = opened
    tag = "cpython-" + runtime.name.replace(".", "")
    marker = next(path for path in layered if path.startswith("/tmp/.coldstart-"))
    assert {path for path in layered if path not in bare} == {
        "/opt/coldstart/bootstrap.py",
        f"/opt/python/coldstart_layer/{tag}.bytecode",
        marker,
    }
    assert len(layered) == len(bare) + 3


LOOKS_AROUND = """
    import os, sys, traceback
    import __main__

    def handler(event, context):
        if event == "fail":
            raise ValueError("failed")
        described = {}
        for name, value in vars(__main__).items():
            described[name] = value if isinstance(value, str) else type(value).__name__
        left_out = {"AWS_LAMBDA_EXEC_WRAPPER", "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS",
                    "AWS_LAMBDA_LOG_STREAM_NAME", "COLDSTART_ENABLED", "COLDSTART_PROFILE",
                    "_X_AMZN_TRACE_ID"}
        return {
            "main": described,
            "loader": [__main__.__loader__.name, __main__.__loader__.path],
            "path": sys.path,
            "arguments": [sys.argv, sys.orig_argv],
            "flags": repr(sys.flags),
            "environment": {k: v for k, v in os.environ.items() if k not in left_out},
            "stack": traceback.format_stack()[-1],
        }
"""


SETTINGS = {
    "none": {},
    "profiled": {"COLDSTART_PROFILE": "on"},
    # What has the wrapper read all of its script.
    "enabled": {"COLDSTART_ENABLED": "on"},
}


@pytest.mark.parametrize("settings", SETTINGS)
async def test_the_function_sees_what_it_would_without_us(
    runtime, make_function, make_layout, settings: str
) -> None:
    layout = make_layout(make_function(runtime, LOOKS_AROUND))
    command = tuple(layout.command("/var/runtime/bootstrap"))
    seen = []
    for wrapper in ("", "/opt/coldstart-wrapper"):
        function = make_function(runtime, LOOKS_AROUND, **SETTINGS[settings])
        function = in_layout(function, layout)
        environment = {**function.environment, "AWS_LAMBDA_EXEC_WRAPPER": wrapper}
        if not wrapper:
            del environment["AWS_LAMBDA_EXEC_WRAPPER"]
        async with Sandbox(replace(function, environment=environment), command=command) as sandbox:
            await ready(sandbox)
            looked = await sandbox.invoke()
            failed = json.loads((await sandbox.invoke(b'"fail"')).outcome.body)
            assert sandbox.stderr.count("coldstart-layer") == 0, sandbox.stderr
        del failed["requestId"]
        seen.append((json.loads(looked.outcome.body), failed))
    assert seen[0] == seen[1]
