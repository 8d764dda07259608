"""Every start type, in real processes: the built layer under awslambdaric, on each CPython.

The three signals must say the same, and say it of the right invocation.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest
from coldstart_cli import signals
from coldstart_cli.local_lambda import Invocation, Sandbox
from coldstart_cli.local_lambda.sandbox import new_trace_header
from conftest import RUNTIMES, ready, until
from lambda_layout import in_layout

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"
SNAP_START = "snap-start"
MANAGED = "lambda-managed-instances"


@pytest.fixture
def make_sandbox(wrapper, runtime, logging_function):
    def make(initialization_type: str | None, **options) -> Sandbox:
        options = {"json_logs": True, "log_level": "INFO", **options}
        function = logging_function(runtime)
        return Sandbox(
            function, wrapper=wrapper, initialization_type=initialization_type, **options
        )

    return make


async def told(sandbox: Sandbox, invocation: Invocation) -> signals.Signals:
    """What the invocation told; all three signals must be there and agree."""
    assert invocation.outcome.kind == "response", invocation
    assert sandbox.stderr == ""
    told = signals.read(invocation.stdout, sandbox.xray.read())
    assert len(told.log) == 1
    assert told.xray is not None
    assert told.agree
    return told


async def first_and_second(sandbox: Sandbox, trace_header: str | None = None) -> signals.Signals:
    """Invoke twice: returns what the first told; the second must be warm."""
    first = await told(sandbox, await sandbox.invoke(trace_header=trace_header))
    assert first.emf is not None
    second = await told(sandbox, await sandbox.invoke())
    assert (second.start_type, second.xray, second.emf) == ("warm", False, None)
    return first


@pytest.mark.parametrize("initialization_type", [ON_DEMAND, None, "type-of-the-future"])
async def test_cold(make_sandbox, initialization_type: str | None) -> None:
    async with make_sandbox(initialization_type) as sandbox:
        await ready(sandbox)
        first = await first_and_second(sandbox)
    assert (first.start_type, first.xray) == ("cold", True)
    assert first.init_ms is not None
    assert 5 < first.init_ms < 30_000


async def test_provisioned(make_sandbox) -> None:
    async with make_sandbox(PROVISIONED) as sandbox:
        await ready(sandbox)
        first = await first_and_second(sandbox)
    assert (first.start_type, first.xray) == ("provisioned", False)
    assert first.init_ms is not None


async def test_proactive_told_by_the_trace(make_sandbox) -> None:
    """The request was born while the environment stood ready, if only for a moment."""
    async with make_sandbox(ON_DEMAND) as sandbox:
        await ready(sandbox)
        await asyncio.sleep(1.05)  # into the next second, which is how finely a trace id tells
        first = await first_and_second(sandbox, new_trace_header())
    assert (first.start_type, first.xray) == ("proactive", False)


LONG_AGO = "Root=1-00000001-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.mark.parametrize("header", ["", LONG_AGO])
async def test_proactive_told_by_the_gap(make_sandbox, header: str) -> None:
    """Without a trace that tells: without an extension a request that waits comes at once."""
    async with make_sandbox(ON_DEMAND) as sandbox:
        await ready(sandbox)
        await asyncio.sleep(1.1)
        invocation = await sandbox.invoke(trace_header=header)
        first = signals.read(invocation.stdout, sandbox.xray.read())
    assert (first.start_type, first.emf, first.log) == ("proactive", False, {False})
    assert first.xray is (False if header else None)


async def test_a_gap_that_no_extension_can_cause(wrapper, logging_function, make_layout) -> None:
    """With a file in /opt/extensions it is 10 s. All CPythons side by side: that takes long."""

    async def start(runtime: Path, gap: float) -> str | None:
        function = logging_function(runtime)
        opt = function.task_root.parent / f"opt-{runtime.name}-{gap}"
        shutil.copytree(wrapper.parent, opt)
        (opt / "extensions").mkdir()
        (opt / "extensions/agent").touch()
        layout = make_layout(function, opt=opt)
        command = tuple(layout.command("/var/runtime/bootstrap"))
        function = in_layout(function, layout)
        async with Sandbox(function, command=command, json_logs=True) as sandbox:
            await ready(sandbox)
            await asyncio.sleep(gap)
            invocation = await sandbox.invoke(trace_header=LONG_AGO)
            assert sandbox.stderr == ""
            return signals.read(invocation.stdout, sandbox.xray.read()).start_type

    gaps = [(runtime, gap) for runtime in RUNTIMES for gap in (3.0, 10.2)]
    started = await asyncio.gather(*(start(*each) for each in gaps))
    assert started == [("cold" if gap < 10 else "proactive") for _, gap in gaps]


@pytest.mark.parametrize(
    ("field", "born", "start_type"),
    [("timeEpoch", "before", "cold"), ("requestTimeEpoch", "after", "proactive")],
)
async def test_an_event_that_says_when_the_request_was_received(
    make_sandbox, field: str, born: str, start_type: str
) -> None:
    """To the millisecond: a gap within a second, which a trace cannot tell."""
    async with make_sandbox(ON_DEMAND) as sandbox:
        before = time.time()
        await ready(sandbox)
        await asyncio.sleep(0.05)
        received = int((before if born == "before" else time.time()) * 1000)
        event = json.dumps({"requestContext": {field: received}}).encode()
        # What a client's own clock says of the trace does not matter beside it.
        header = new_trace_header(time.time() - 3600)
        first = await told(sandbox, await sandbox.invoke(event, header))
    assert first.start_type == start_type


async def test_a_caller_whose_clock_runs_ahead(make_sandbox) -> None:
    """A trace from the future is no sign that the environment was there first."""
    async with make_sandbox(ON_DEMAND) as sandbox:
        await ready(sandbox)
        first = await first_and_second(sandbox, new_trace_header(time.time() + 2))
    assert (first.start_type, first.xray) == ("cold", True)


@pytest.mark.parametrize(
    ("initialization_type", "cold_start"), [(ON_DEMAND, True), (None, True), (PROVISIONED, False)]
)
async def test_reinit_after_a_kill_in_mid_invocation(
    wrapper, runtime, make_function, initialization_type: str | None, cold_start: bool
) -> None:
    function = make_function(
        runtime,
        """
        import logging, time
        def handler(event, context):
            logging.getLogger().warning("handling")
            if event.get("hang"):
                time.sleep(600)
        """,
    )
    async with Sandbox(
        function, wrapper=wrapper, initialization_type=initialization_type, json_logs=True
    ) as sandbox:
        await ready(sandbox)
        request = sandbox.send(json.dumps({"hang": True}).encode())
        await until(lambda: "handling" in sandbox.stdout)
        killed = signals.read(sandbox.stdout, sandbox.xray.read())
        await sandbox.kill()
        assert request.outcome.result().kind == "exit"
        # It had told its start before the handler ran: the crash did not take that with it.
        assert killed.emf is not None

        await ready(sandbox)
        first = await first_and_second(sandbox)
    assert (first.start_type, first.xray) == ("reinit", cold_start)
    assert first.init_ms is not None


async def test_reinit_after_a_failed_init(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        import logging, pathlib
        flag = pathlib.Path(__file__).with_name("failed")
        if not flag.exists():
            flag.touch()
            raise RuntimeError("the first time")
        def handler(event, context):
            logging.getLogger().warning("handling")
        """,
    )
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        assert (await sandbox.start()).kind == "init error"
        await sandbox.kill()
        await ready(sandbox)
        first = await told(sandbox, await sandbox.invoke())
    assert (first.start_type, first.xray) == ("reinit", True)


async def test_two_sandboxes_do_not_take_each_other_for_a_restart(make_sandbox) -> None:
    async with make_sandbox(ON_DEMAND) as one, make_sandbox(ON_DEMAND) as other:
        for sandbox in (one, other):
            await ready(sandbox)
            first = await first_and_second(sandbox)
            assert first.start_type == "cold"


async def test_restore_after_a_delay(make_sandbox) -> None:
    """The snapshot was taken long before: that it lay there is no gap."""
    async with make_sandbox(SNAP_START) as sandbox:
        await ready(sandbox)
        await asyncio.sleep(1.5)
        assert (await sandbox.restore()).kind == "ready"
        first = await first_and_second(sandbox)
    assert (first.start_type, first.xray) == ("restore", True)
    assert first.init_ms is None  # its init ran when the version was published


async def test_proactive_restore(make_sandbox) -> None:
    async with make_sandbox(SNAP_START) as sandbox:
        await ready(sandbox)
        await sandbox.restore()
        await asyncio.sleep(1.05)
        first = await first_and_second(sandbox, new_trace_header())
    assert (first.start_type, first.xray) == ("proactive", False)
    assert first.init_ms is None


async def test_snap_start_keeps_the_functions_own_hooks(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        from snapshot_restore_py import register_after_restore, register_before_snapshot
        ran = []
        register_before_snapshot(ran.append, "before")
        register_after_restore(ran.append, "after")
        def handler(event, context):
            return ran
        """,
    )
    async with Sandbox(function, wrapper=wrapper, initialization_type=SNAP_START) as sandbox:
        await ready(sandbox)
        await sandbox.restore()
        invocation = await sandbox.invoke()
    assert json.loads(invocation.outcome.body) == ["before", "after"]


async def test_managed_instance_with_its_workers(wrapper, runtime, make_function) -> None:
    """Each worker process has a first invocation; none of them is a cold start."""
    function = make_function(
        runtime,
        """
        import logging, os
        def handler(event, context):
            logging.getLogger().warning("handling")
            return os.getpid()
        """,
    )
    start_types: dict[bytes, list[str]] = {}
    async with Sandbox(
        function, wrapper=wrapper, initialization_type=MANAGED, workers=3, json_logs=True
    ) as sandbox:
        await ready(sandbox)
        give_up_at = time.monotonic() + 60
        while len(start_types) < 3 or min(map(len, start_types.values())) < 2:
            assert time.monotonic() < give_up_at, start_types
            invocation = await sandbox.invoke()
            start_type = (await told(sandbox, invocation)).start_type
            start_types.setdefault(invocation.outcome.body, []).append(start_type)
            await asyncio.sleep(0.01)  # the workers come up one after the other
    for first, *later in start_types.values():
        assert first == "managed"
        assert set(later) == {"warm"}


async def test_managed_instance_with_concurrent_requests(make_sandbox) -> None:
    async with make_sandbox(MANAGED, workers=2) as sandbox:
        await ready(sandbox)
        requests = [sandbox.send() for _ in range(20)]
        outcomes = await asyncio.gather(*(request.outcome for request in requests))
        assert {outcome.kind for outcome in outcomes} == {"response"}
        leaves = sandbox.xray.read()
    assert len(leaves) == 20
    assert {leaf["annotations"]["ColdStart"] for leaf in leaves} == {False}


async def test_container_image(wrapper, runtime, logging_function) -> None:
    """``coldstart-wrapper python -m awslambdaric app.handler``."""
    function = logging_function(runtime)
    command = (str(function.python), "-m", "awslambdaric", "app.handler")
    async with Sandbox(function, wrapper=wrapper, json_logs=True, command=command) as sandbox:
        await ready(sandbox)
        first = await first_and_second(sandbox)
    assert (first.start_type, first.xray) == ("cold", True)


async def test_current_is_what_the_signals_say(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        import coldstart_layer
        at_import = coldstart_layer.current()
        def handler(event, context):
            start = coldstart_layer.current()
            return [
                at_import, start.cold_start, start.start_type, start.initialization_type,
                start.init_duration_ms, start.request_id == context.aws_request_id, start.sequence,
            ]
        """,
    )
    async with Sandbox(function, wrapper=wrapper, json_logs=True) as sandbox:
        await ready(sandbox)
        first = await sandbox.invoke()
        second = await sandbox.invoke()
    (emf,) = (line for line in signals.json_lines(first.stdout) if "_aws" in line)
    assert json.loads(first.outcome.body) == [
        None, True, "cold", ON_DEMAND, emf["InitDuration"], True, 1,
    ]  # fmt: skip
    assert json.loads(second.outcome.body) == [None, False, "warm", ON_DEMAND, None, True, 2]
