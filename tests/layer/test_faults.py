"""What goes wrong in functions and under them: the answer stays the same, the verdict stays right.

What a caller gets is compared with what the bare runtime gives. docs/reliability.md has the table.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Function, Sandbox, SandboxError
from conftest import ROOT, ready
from start_scenarios import Told, json_lines, run

pytestmark = pytest.mark.each_end


async def same_answers(
    function: Function, wrapper: Path, events: tuple[object, ...], outcome: str = "response"
) -> list[Told]:
    """Send the events without the layer and with it; the answers must be the same to the byte."""
    bare = await run(function, None, events=events, outcome=outcome)
    layered = await run(function, wrapper, events=events, outcome=outcome)
    assert [answer(told) for told in layered] == [answer(told) for told in bare]
    return layered


def answer(told: Told) -> bytes:
    return re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"", told.outcome.body)


def verdicts(told: list[Told]) -> list[bool]:
    """What the traces say; the metric is there once and says the same as the first of them."""
    assert all(it.subsegment("coldstart")["end_time"] > 1.7e9 for it in told)
    starts = [line["ColdStart"] for it in told for line in json_lines(it.stdout) if "_aws" in line]
    leaves = [it.subsegment("coldstart")["annotations"]["ColdStart"] for it in told]
    assert starts == [int(leaves[0])]
    return leaves


# Handlers that change what we stand on. Each logs a line after that.
MEDDLING = {
    "replaces sys.stdout": "sys.stdout = sys.stderr = io.StringIO()",
    "basicConfig": "logging.basicConfig(force=True, stream=sys.__stdout__, level=10)",
    "dictConfig": """logging.config.dictConfig({
            "version": 1, "disable_existing_loggers": True,
            "handlers": {"none": {"class": "logging.NullHandler"}},
            "root": {"level": "INFO", "handlers": ["none"]}})""",
    "shuts logging down": "logging.shutdown(); logging.disable(logging.CRITICAL)",
    "replaces the log handlers": "logging.getLogger().handlers[:] = [logging.NullHandler()]",
    "chdir": "os.chdir('/')",
    "signals": "[signal.signal(n, signal.SIG_IGN) for n in (15, signal.SIGCHLD, signal.SIGALRM)]",
    "gc": "gc.disable(); gc.freeze(); gc.set_debug(0)",
    "a low recursion limit": "sys.setrecursionlimit(len(inspect.stack(0)) + 40)",
    "patches makeRecord": """logging.Logger.makeRecord = (
            lambda self, *args, **kwargs: logging.makeLogRecord({"msg": "mine", "levelno": 30}))""",
    "patches the record factory": """logging.setLogRecordFactory(
            lambda *args, **kwargs: logging.LogRecord(*args, **kwargs))""",
    "patches Logger.handle": "logging.Logger.handle = lambda self, record: None",
    "patches json": "json.dumps = json.loads = json.JSONEncoder.default = lambda *a, **k: 1 / 0",
    "patches json's encoder": "json.JSONEncoder.encode = lambda *a, **k: 1 / 0",
    "patches time": "time.time = time.monotonic = lambda: 0.0",
    "deletes the trace header": "os.environ.pop('_X_AMZN_TRACE_ID', None)",
    "clears the environment": "os.environ.clear()",
    "a trace function": "sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)",
    "an audit hook": "sys.addaudithook(lambda *a: None)",
    "a locale": "locale.setlocale(locale.LC_ALL, 'C')",
    "a default encoding": "sys.__stdout__.reconfigure(encoding='ascii', errors='replace')",
    "warnings": "warnings.simplefilter('error')",
    "a umask": "os.umask(0o777)",
}
# Where it leaves nothing to stand on: the signal that needs it is lost, with one line.
WRECKING = {
    "json": "json.JSONEncoder.iterencode = lambda *a, **k: 1 / 0",
    "our modules": "[sys.modules.pop(name) for name in list(sys.modules) if 'coldstart' in name]",
    "imports": "sys.meta_path.clear()",
}
FUNCTION = """
    import gc, inspect, io, json, locale, logging, logging.config, os, resource, signal, sys, time
    import warnings
    logger = logging.getLogger()
    {module}
    def handler(event, context):
        {handler}
        logger.warning("handling")
        return event
"""


@pytest.mark.parametrize("where", ["handler", "module"])
@pytest.mark.parametrize("meddling", MEDDLING)
async def test_a_function_that_changes_what_we_stand_on(
    wrapper, newest_runtime, make_function, meddling: str, where: str
) -> None:
    places = {"module": "pass", "handler": "pass", where: MEDDLING[meddling].strip()}
    code = FUNCTION.format(**places)
    told = await same_answers(make_function(newest_runtime, code), wrapper, ({}, [1], "x"))
    assert verdicts(told) == [True, False, False]


@pytest.mark.parametrize("lost", WRECKING)
async def test_a_function_that_leaves_nothing_to_stand_on(
    wrapper, newest_runtime, make_function, lost: str
) -> None:
    code = FUNCTION.format(module=WRECKING[lost], handler="pass")
    async with Sandbox(make_function(newest_runtime, code), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        for _ in range(3):
            assert (await sandbox.invoke(b"[1]")).outcome.body == b"[1]"
        lines = sandbox.stderr.splitlines()
    sites = ["metrics", "tracing"] if lost == "json" else ["tracing"]
    assert len(lines) == len(sites)
    for site, line in zip(sites, lines, strict=True):
        assert line.startswith(f"coldstart-layer: {site} skipped: ")


async def test_memory_runs_out_in_the_handler(wrapper, runtime, make_function) -> None:
    code = """
        import logging, resource
        def handler(event, context):
            logging.getLogger().warning("handling")
            with open("/proc/self/statm") as statm:
                used = int(statm.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), resource.RLIM_INFINITY))
            bytearray(1 << 30)
    """
    told = await same_answers(make_function(runtime, code), wrapper, ({}, {}), outcome="error")
    assert json.loads(told[0].outcome.body)["errorType"] == "MemoryError"
    assert verdicts(told) == [True, False]
    logged = [[line["cold_start"] for line in it.logs if "message" in line] for it in told]
    assert logged == [[True], [False]]


# What the module does the first time that it is loaded in a sandbox, and never again.
ONCE = """
    import logging, os, pathlib, time
    flag = pathlib.Path(__file__).with_name("loaded")
    if not flag.exists():
        flag.touch()
        {fault}
    def handler(event, context):
        logging.getLogger().warning("handling")
        return "answer"
"""


async def test_memory_runs_out_while_loading(wrapper, runtime, make_function) -> None:
    fault = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28,) * 2)"
        "; bytearray(1 << 30)"
    )
    bodies = []
    for which in (None, wrapper):
        function = make_function(runtime, ONCE.format(fault=fault))
        (function.task_root / "loaded").unlink(missing_ok=True)
        async with Sandbox(function, wrapper=which, json_logs=True) as sandbox:
            outcome = await sandbox.start()
            assert outcome.kind == "init error"
            bodies.append(outcome.body)
            await sandbox.kill()
            await ready(sandbox)
            assert (await sandbox.invoke()).outcome.body == b'"answer"'
            starts = [line for line in json_lines(sandbox.stdout) if "_aws" in line]
    assert json.loads(bodies[0])["errorType"] == "MemoryError"
    assert bodies[0] == bodies[1]
    assert [(start["start_type"], start["ColdStart"]) for start in starts] == [("reinit", 1)]


async def test_killed_for_its_memory(wrapper, runtime, make_function) -> None:
    """As the kernel does it: no line of anybody's runs any more."""
    code = """
        import os, signal
        def handler(event, context):
            if "kill" in event:
                os.kill(os.getpid(), signal.SIGKILL)
            return "answer"
    """
    async with Sandbox(make_function(runtime, code), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        killed = (await sandbox.invoke(b'{"kill": 1}')).outcome
        assert (killed.kind, killed.exit_code) == ("exit", -9)
        await sandbox.kill()
        await ready(sandbox)
        assert (await sandbox.invoke()).outcome.body == b'"answer"'
        starts = [line["start_type"] for line in json_lines(sandbox.stdout) if "_aws" in line]
        leaves = [leaf["annotations"]["StartType"] for leaf in sandbox.xray.read()]
    # Both had told their start before the handler ran.
    assert starts == leaves == ["cold", "reinit"]


async def test_an_init_of_more_than_ten_seconds(wrapper, newest_runtime, make_function) -> None:
    """Lambda ends it after ten and starts again, with the request waiting."""
    function = make_function(newest_runtime, ONCE.format(fault="time.sleep(60)"))
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        with pytest.raises(SandboxError):
            await sandbox.start(timeout=10)
        await sandbox.kill()
        await ready(sandbox)
        invocation = await sandbox.invoke()
        assert invocation.outcome.body == b'"answer"'
        start, log = json_lines(invocation.stdout)
        assert (start["start_type"], start["ColdStart"]) == ("reinit", 1)
        assert start["InitDuration"] < 10_000  # of the init that it waited for at last
        assert log["cold_start"] is True
        assert sandbox.stderr == ""


async def test_logging_from_forks_and_threads(wrapper, runtime, make_function) -> None:
    code = """
        import logging, multiprocessing, os, threading, warnings
        warnings.simplefilter("ignore")
        logger = logging.getLogger()
        def log(who):
            logger.warning(who)
        def handler(event, context):
            child = os.fork()
            if not child:
                log("fork")
                os._exit(0)
            os.waitpid(child, 0)
            workers = [threading.Thread(target=log, args=("thread",)),
                       multiprocessing.get_context("fork").Process(target=log, args=("process",))]
            for worker in workers:
                worker.start()
                worker.join()
            log("handler")
            return [getattr(worker, "exitcode", None) for worker in workers]
    """
    told = await same_answers(make_function(runtime, code), wrapper, ({}, {}))
    for it, cold in zip(told, (True, False), strict=True):
        seen = [(line["message"], line["cold_start"]) for line in it.logs]
        assert seen == [(who, cold) for who in ("fork", "thread", "process", "handler")]
    assert verdicts(told) == [True, False]


async def test_the_daemon_does_not_read(wrapper, newest_runtime, make_function) -> None:
    """Its buffer is full: what does not fit is lost, the function does not wait and is not told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        daemon.bind(("127.0.0.1", 0))
        host, port = daemon.getsockname()
        function = make_function(
            newest_runtime,
            "def handler(event, context):\n    return event\n",
            AWS_XRAY_DAEMON_ADDRESS=f"{host}:{port}",
        )
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            await ready(sandbox)
            for number in range(200):
                body = str(number).encode()
                assert (await sandbox.invoke(body)).outcome.body == body
            assert sandbox.stderr == ""
        daemon.setblocking(False)
        received = 0
        while True:
            try:
                daemon.recv(65536)
            except BlockingIOError:
                break
            received += 1
    assert 0 < received < 100


async def test_the_disk_is_full(runtime, make_function, make_layout) -> None:
    """No marker can be made in /tmp: no restart is ever told, and all else works."""
    if ROOT.is_relative_to("/tmp") and str(ROOT) in (runtime / "pyvenv.cfg").read_text():
        pytest.skip("what is mounted there would hide the loader of a CPython of this checkout")
    function = make_function(runtime, ONCE.format(fault="pass"))
    (function.task_root / "loaded").touch()
    layout = make_layout(function)
    full = "mount -t tmpfs -o nr_inodes=1 full /tmp && exec /var/runtime/bootstrap"
    command = tuple(layout.command("/bin/bash", "-c", full))
    environment = {**layout.environment(), "AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper"}
    function = replace(function, environment=environment)
    async with Sandbox(function, command=command, json_logs=True) as sandbox:
        for _ in range(2):
            await ready(sandbox)
            invocation = await sandbox.invoke()
            assert invocation.outcome.body == b'"answer"'
            start, log = json_lines(invocation.stdout)
            assert (start["start_type"], log["cold_start"]) == ("cold", True)
            await sandbox.kill()
        lines = sandbox.stderr.splitlines()
    assert len(lines) == 2
    assert all("restart detection skipped: OSError: [Errno 28] No space" in it for it in lines)


async def test_many_lines(wrapper, newest_runtime, make_function) -> None:
    code = """
        import logging
        def handler(event, context):
            for number in range(10_000):
                logging.getLogger().warning("line %d", number)
    """
    told = await same_answers(make_function(newest_runtime, code), wrapper, ({}, {}))
    for it, cold in zip(told, (True, False), strict=True):
        assert [(line["message"], line["cold_start"]) for line in it.logs] == [
            (f"line {number}", cold) for number in range(10_000)
        ]


async def test_events_and_responses_of_six_megabytes(wrapper, runtime, make_function) -> None:
    code = "def handler(event, context):\n    return event if event else 'y' * (6 * 1024 * 1024)\n"
    told = await same_answers(make_function(runtime, code), wrapper, ("é" * 1_000_000, ""))
    assert [len(json.loads(it.outcome.body)) for it in told] == [1_000_000, 6 * 1024 * 1024]
    big = "x" * (6 * 1024 * 1024 - 2)
    (it,) = await same_answers(make_function(runtime, code), wrapper, (big,))
    assert it.outcome.body == json.dumps(big).encode()


UNICODE = (
    "plain",
    "äöü ß",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "e\u0301 \u202e rtl \u0627\u0644\u0639",
    "\u0000\u0001\u001b[31m\u007f\u0085",
    "line\u2028separators\u2029and\r\nbreaks\x0b\x0c\x1c",
    "\ud800 alone \udfff",
    "\ufeff\ufffe\uffff\U0010ffff",
    '"quoted" \\ \t',
)


@pytest.mark.parametrize("json_logs", [True, False], ids=["json", "text"])
async def test_unicode_of_all_kinds(wrapper, runtime, make_function, json_logs: bool) -> None:
    code = """
        import logging
        def handler(event, context):
            logging.getLogger().warning(event.encode(errors="replace").decode())
            return event.encode(errors="replace").decode()
    """
    function = make_function(runtime, code, LANG="C")
    bare = await run(function, None, events=UNICODE, json_logs=json_logs)
    layered = await run(function, wrapper, events=UNICODE, json_logs=json_logs)
    assert [answer(it) for it in layered] == [answer(it) for it in bare]
    assert verdicts(layered) == [True] + [False] * (len(UNICODE) - 1)
    for number, it in enumerate(layered):
        cold = str(number == 0).lower()
        field = f'"cold_start": {cold}' if json_logs else f"\tcold_start={cold} "
        assert field in it.stdout


# The clock that our code reads, moved once the runtime has asked for its first event.
MOVED_CLOCK = """
    import sys, time
    invocations = sys.modules["coldstart_layer.invocations"]
    shifts = iter([0])
    invocations.now = lambda: time.time() + next(shifts, {shift})
    def handler(event, context):
        return event
"""


@pytest.mark.parametrize(
    ("shift", "start_type", "trace"),
    [(-3600, "cold", True), (3600, "proactive", True), (-3600, "cold", False)],
    ids=["back", "forward", "back, no trace"],
)
async def test_the_clock_is_set(
    wrapper, runtime, make_function, shift: int, start_type: str, trace: bool
) -> None:
    """Between init and first invocation. Forward it looks like a freeze, which it is told as."""
    function = make_function(runtime, MOVED_CLOCK.format(shift=shift))
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        await ready(sandbox)
        header = None if trace else ""
        invocation = await sandbox.invoke(trace_header=header)
        assert invocation.outcome.body == b"{}"
        (start,) = json_lines(invocation.stdout)
        assert start["start_type"] == start_type
        assert 0 < start["InitDuration"] < 60_000
        assert start.get("idle_ms", 0) >= 0
        await sandbox.invoke(trace_header=header)
        assert sandbox.stderr == ""
