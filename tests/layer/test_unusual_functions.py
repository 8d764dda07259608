"""Functions that do unusual things around us: what is theirs stays theirs."""

from __future__ import annotations

import json
import subprocess

import pytest
from coldstart_cli import signals
from coldstart_cli.local_lambda import Sandbox
from conftest import answers, ready

pytestmark = pytest.mark.each_end


async def test_a_timeout_of_the_functions_own_gets_through(wrapper, runtime, make_function) -> None:
    """A signal handler may raise in the middle of our lines: that exception is the user's."""
    function = make_function(
        runtime,
        """
        import logging, signal
        class Late(Exception):
            pass
        def late(*args):
            raise Late("late")
        def handler(event, context):
            signal.signal(signal.SIGALRM, late)
            caught = 0
            for _ in range(100):
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.003)
                    while True:
                        logging.getLogger().debug("nothing")
                        record = logging.getLogger().makeRecord("n", 20, "f", 1, "m", (), None)
                        for log_handler in logging.getLogger().handlers:
                            log_handler.filter(record)
                            log_handler.format(record)
                except Late:
                    caught += 1
            return caught
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke(timeout=30)
        assert invocation.outcome.body == b"100"
        assert sandbox.stderr == ""


async def test_hostile_log_records(wrapper, runtime, make_function) -> None:
    """No code of the user's runs in our lines, and nothing is asked of a record that it has not."""
    function = make_function(
        runtime,
        """
        import logging
        class Hostile:
            def __str__(self):
                raise SystemExit("never called without the layer")
            __repr__ = __format__ = __str__
        class Slotted:
            __slots__ = ("levelno", "exc_info")
            def __init__(self, name, level, *args, **kwargs):
                self.levelno = level
        class Silent(logging.Handler):
            def emit(self, record):
                pass
        def handler(event, context):
            logging.getLogger().error("x", extra={"cold_start": Hostile()})
            own = logging.getLogger("own")
            own.propagate = False
            own.addHandler(Silent())
            logging.setLogRecordFactory(Slotted)
            own.error("y")
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox, times=1) == []
        assert "cold_start=Hostile initialization_type=on-demand\tx" in sandbox.stdout


async def test_a_tool_that_looks_at_the_handler(wrapper, runtime, make_function) -> None:
    """Others patch the runtime too. A look, or a second call, is no second invocation."""
    function = make_function(
        runtime,
        """
        import inspect, logging
        import awslambdaric.bootstrap as runtime
        original = runtime.handle_event_request
        def patched(client, request_handler, *args, **kwargs):
            looks.append([
                str(inspect.signature(request_handler)), request_handler.__name__,
                request_handler.__doc__, request_handler.__module__, request_handler.mine,
                callable(request_handler), callable(request_handler.__call__),
            ])
            return original(client, request_handler, *args, **kwargs)
        runtime.handle_event_request = patched
        looks = []
        def handler(event, context):
            "documented"
            logging.getLogger().error("handling")
            return looks
        handler.mine = "yes"
        """,
    )
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        await ready(sandbox)
        first = await sandbox.invoke()
        told = signals.read(first.stdout, sandbox.xray.read())
        second = await sandbox.invoke()
        later = signals.read(second.stdout, sandbox.xray.read())
        assert sandbox.stderr == ""
    look = ["(event, context)", "handler", "documented", "app", "yes", True, True]
    assert json.loads(second.outcome.body) == [look, look]
    assert (told.log, told.emf, told.xray, told.start_type) == ({True}, True, True, "cold")
    assert (later.log, later.emf, later.xray) == ({False}, None, False)


async def test_a_function_that_replaces_os_environ(wrapper, runtime, make_function) -> None:
    """Each leaf goes to the trace of its own invocation."""
    function = make_function(
        runtime,
        """
        import os
        os.environ = dict(os.environ)
        def handler(event, context):
            os.environ = dict(os.environ)
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []
        assert len({leaf["trace_id"] for leaf in sandbox.xray.read()}) == 3


@pytest.mark.parametrize("script", ["1/0\n", "this is no Python\n", "print(__file__)\n"])
def test_a_script_that_is_not_the_runtime(wrapper, runtime, tmp_path, script: str) -> None:
    """It runs under its own name, as far as its errors tell."""
    (tmp_path / "script.py").write_text(script)
    runs = []
    for launcher in ([], [wrapper]):
        command = [*launcher, runtime / "bin/python", "./script.py"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        runs.append((run.returncode, run.stdout, run.stderr.splitlines()[-3:]))
    assert runs[0] == runs[1]


async def test_an_exit_is_never_swallowed(wrapper, newest_runtime, make_function) -> None:
    """The guard stops Exceptions. SystemExit from within what we call is the user's."""
    function = make_function(
        newest_runtime,
        """
        import sys
        import coldstart_layer.sinks.emf
        def handler(event, context):
            return "answer"
        def leave(*args):
            sys.exit(5)
        coldstart_layer.sinks.emf.write = leave
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
    assert (invocation.outcome.kind, invocation.outcome.exit_code) == ("exit", 5)


async def test_a_record_that_shows_nobody_its_attributes(wrapper, runtime, make_function) -> None:
    """Logging it is the function's affair: nothing of its class is run by us."""
    function = make_function(
        runtime,
        """
        import logging
        class Closed(logging.LogRecord):
            def __getattribute__(self, name):
                if name == "__dict__":
                    raise RuntimeError("closed")
                return super().__getattribute__(name)
        class Drop(logging.Handler):
            def handle(self, record):
                return True
        logging.setLogRecordFactory(Closed)
        log = logging.getLogger("shop")
        log.propagate = False
        log.addHandler(Drop())
        def handler(event, context):
            log.error("handling")
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []


async def test_a_finder_of_the_old_kind(wrapper, runtime, make_function) -> None:
    """The interpreter passes over what has no find_spec, and so do we."""
    old = "class Old:\n    def find_module(self, name, path=None): pass\n"
    files = {"sitecustomize.py": f"import sys\n{old}sys.meta_path.insert(0, Old())\n"}
    code = "def handler(event, context):\n    return 'answer'\n"
    function = make_function(runtime, code, files=files)
    function.environment["PYTHONPATH"] = str(function.task_root)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []
        assert '"_aws"' in sandbox.stdout
