"""The leaf in the trace: within the schema, equal to the SDK's, and nobody's parent."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import xray_segment_schema
from coldstart_cli.local_lambda import Sandbox
from coldstart_cli.local_lambda.sandbox import new_trace_header
from coldstart_cli.local_lambda.xray_daemon import XrayDaemon
from coldstart_layer.sinks import xray
from conftest import answers, ready
from hypothesis import given
from hypothesis import strategies as st

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"

WITH_SDK = """
    from aws_xray_sdk.core import xray_recorder

    def handler(event, context):
        with xray_recorder.in_subsegment("own") as own:
            own.put_annotation("answer", 42)
"""
WITHOUT_SDK = "def handler(event, context):\n    pass\n"


async def test_leaf_of_our_own(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, WITHOUT_SDK)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        began_at = time.time()
        await ready(sandbox)
        ready_at = time.time()
        await sandbox.invoke(trace_header=f"Root={ROOT};Parent={PARENT};Sampled=1")
        await sandbox.invoke(trace_header=f"Root={ROOT};Parent={PARENT};Sampled=1")
        first, second = sandbox.xray.read()
    for leaf in (first, second):
        xray_segment_schema.check(leaf)
        assert (leaf["name"], leaf["trace_id"], leaf["parent_id"]) == ("coldstart", ROOT, PARENT)
    assert first["annotations"] == {
        "ColdStart": True,
        "InitializationType": "on-demand",
        "StartType": "cold",
    }
    assert second["annotations"] == {
        "ColdStart": False,
        "InitializationType": "on-demand",
        "StartType": "warm",
    }
    assert first["id"] != second["id"]
    # The first spans the init the request waited for, the second is an instant.
    assert began_at <= first["start_time"] < first["end_time"] <= ready_at
    assert second["start_time"] == second["end_time"] > ready_at


@pytest.mark.parametrize("initialization_type", ["provisioned-concurrency", "snap-start"])
async def test_an_init_that_nobody_waited_for_is_not_in_the_trace(
    wrapper, newest_runtime, make_function, initialization_type: str
) -> None:
    function = make_function(newest_runtime, WITHOUT_SDK)
    async with Sandbox(
        function, wrapper=wrapper, initialization_type=initialization_type
    ) as sandbox:
        await ready(sandbox)
        if initialization_type == "snap-start":
            await sandbox.restore()
        before = time.time()
        await sandbox.invoke()
        (leaf,) = sandbox.xray.read()
    assert before <= leaf["start_time"] == leaf["end_time"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"Root={ROOT};Parent={PARENT};Sampled=0",
        f"Root={ROOT};Parent={PARENT}",
        f"Root={ROOT};Sampled=1",
        f"Root=nonsense;Parent={PARENT};Sampled=1",
    ],
)
async def test_not_traced(wrapper, newest_runtime, make_function, header: str) -> None:
    function = make_function(newest_runtime, WITHOUT_SDK)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert (await sandbox.invoke(trace_header=header)).outcome.kind == "response"
        assert sandbox.xray.read() == []
        assert sandbox.stderr == ""


async def test_switched_off(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, WITHOUT_SDK, COLDSTART_TRACING="off")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        assert sandbox.xray.read() == []


async def test_equal_to_what_the_sdk_sends(wrapper, runtime, make_function) -> None:
    """Field for field, but for ids and times; and the user's own subsegment keeps its parent."""
    leaves = []
    for code in (WITHOUT_SDK, WITH_SDK):
        async with Sandbox(make_function(runtime, code), wrapper=wrapper) as sandbox:
            await ready(sandbox)
            header = new_trace_header(time.time() - 1)
            assert (await sandbox.invoke(trace_header=header)).outcome.kind == "response"
            assert sandbox.stderr == ""
            documents = {document["name"]: document for document in sandbox.xray.read()}
        leaf = documents.pop("coldstart")
        xray_segment_schema.check(leaf)
        assert f"Root={leaf['trace_id']};Parent={leaf['parent_id']};Sampled=1" == header
        leaves.append(leaf)
        if code == WITH_SDK:
            assert documents["own"]["parent_id"] == leaf["parent_id"]
            assert documents["own"]["annotations"] == {"answer": 42}
    ours, sdks = leaves
    assert ours["end_time"] > ours["start_time"]
    assert sdks["end_time"] > sdks["start_time"]
    for name in ("id", "trace_id", "parent_id", "start_time", "end_time"):
        assert type(ours.pop(name)) is type(sdks.pop(name))
    assert ours == sdks


@pytest.mark.parametrize("context", ["", "context=AsyncContext()"], ids=["lambda", "async"])
async def test_sdk_switched_off_by_the_function(
    wrapper, newest_runtime, make_function, context: str
) -> None:
    code = f"""
        from aws_xray_sdk.core import xray_recorder
        import asyncio
        from aws_xray_sdk.core.async_context import AsyncContext
        asyncio.set_event_loop(asyncio.new_event_loop())  # which AsyncContext wants to be there
        xray_recorder.configure({context})
        def handler(event, context):
            pass
    """
    function = make_function(newest_runtime, code, AWS_XRAY_SDK_ENABLED="false")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert (await sandbox.invoke()).outcome.kind == "response"
        assert sandbox.xray.read() == []
        assert sandbox.stderr == ""


@pytest.mark.parametrize("context", ["", ", context=AsyncContext()"], ids=["lambda", "async"])
async def test_sdk_with_another_daemon(
    wrapper, newest_runtime, make_function, context: str
) -> None:
    code = f"""
        import os
        from aws_xray_sdk.core import xray_recorder
        import asyncio
        from aws_xray_sdk.core.async_context import AsyncContext
        asyncio.set_event_loop(asyncio.new_event_loop())  # which AsyncContext wants to be there
        del os.environ["AWS_XRAY_DAEMON_ADDRESS"]  # which the SDK would prefer
        xray_recorder.configure(daemon_address=os.environ["OTHER_DAEMON"]{context})
        def handler(event, context):
            pass
    """
    other = XrayDaemon()
    try:
        function = make_function(newest_runtime, code, OTHER_DAEMON=other.address)
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            await ready(sandbox)
            assert (await sandbox.invoke()).outcome.kind == "response"
            assert sandbox.xray.read() == []
            assert sandbox.stderr == ""
            (leaf,) = other.read()
    finally:
        other.close()
    assert leaf["name"] == "coldstart"
    xray_segment_schema.check(leaf)


async def test_sdk_that_collects_subsegments(wrapper, newest_runtime, make_function) -> None:
    """The leaf comes, and what the SDK does with the function's own is what it does without us."""
    code = """
        from aws_xray_sdk.core import xray_recorder
        xray_recorder.configure(streaming_threshold=2)
        def handler(event, context):
            with xray_recorder.in_subsegment("own"):
                pass
    """
    function = make_function(newest_runtime, code)
    seen = []
    for which in (None, wrapper):
        async with Sandbox(function, wrapper=which) as sandbox:
            await ready(sandbox)
            await sandbox.invoke()
            seen.append([document["name"] for document in sandbox.xray.read()])
    assert seen == [[], ["coldstart"]]


async def test_sdk_with_an_emitter_of_the_functions_own(
    wrapper, newest_runtime, make_function
) -> None:
    """Where it sends to does not show: our own document goes to the daemon, without a word."""
    code = """
        from aws_xray_sdk.core import xray_recorder
        import asyncio
        from aws_xray_sdk.core.async_context import AsyncContext
        asyncio.set_event_loop(asyncio.new_event_loop())  # which AsyncContext wants to be there
        class Emitter:
            def send_entity(self, entity):
                pass
        xray_recorder.configure(emitter=Emitter(), context=AsyncContext())
        def handler(event, context):
            pass
    """
    async with Sandbox(make_function(newest_runtime, code), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        assert [document["name"] for document in sandbox.xray.read()] == ["coldstart"]
        assert sandbox.stderr == ""


async def test_sdk_and_two_invocations_of_one_trace(wrapper, newest_runtime, make_function) -> None:
    """The SDK holds on to the first one's segment (as it does for the function's own)."""
    async with Sandbox(make_function(newest_runtime, WITH_SDK), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        parents = []
        for parent in (PARENT, PARENT[::-1]):
            await sandbox.invoke(trace_header=f"Root={ROOT};Parent={parent};Sampled=1")
            documents = {document["name"]: document for document in sandbox.xray.read()}
            parents.append(documents["coldstart"]["parent_id"])
        assert sandbox.stderr == ""
    assert parents == [PARENT, PARENT[::-1]]


async def test_the_functions_subsegments_keep_their_parents(
    wrapper, newest_runtime, make_function
) -> None:
    code = """
        from aws_xray_sdk.core import xray_recorder
        def handler(event, context):
            with xray_recorder.in_subsegment("outer"):
                with xray_recorder.in_subsegment("inner"):
                    pass
    """
    function = make_function(newest_runtime, code)
    for which in (None, wrapper):
        async with Sandbox(function, wrapper=which) as sandbox:
            await ready(sandbox)
            for _ in range(2):
                header = new_trace_header()
                await sandbox.invoke(trace_header=header)
                documents = {document["name"]: document for document in sandbox.xray.read()}
                segment = header.partition("Parent=")[2][:16]
                assert documents["outer"]["parent_id"] == segment
                assert documents["inner"]["parent_id"] == documents["outer"]["id"]
                assert set(documents) - {"outer", "inner"} == ({"coldstart"} if which else set())


BROKEN_SDKS = {
    "no recorder": "",
    "raises": "class Raises:\n    def __getattr__(self, name):\n"
    "        raise RuntimeError('broken')\nxray_recorder = Raises()\n",
}


@pytest.mark.parametrize("broken", BROKEN_SDKS)
async def test_a_broken_sdk(wrapper, newest_runtime, make_function, broken: str) -> None:
    """The leaf comes all the same, and there is one line about it."""
    files = {"aws_xray_sdk/__init__.py": "", "aws_xray_sdk/core.py": BROKEN_SDKS[broken]}
    code = "import aws_xray_sdk.core\ndef handler(event, context):\n    return 'answer'\n"
    function = make_function(newest_runtime, code, files=files)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        (line,) = await answers(sandbox)
        assert [leaf["name"] for leaf in sandbox.xray.read()] == ["coldstart"] * 3
    assert line.startswith("coldstart-layer: aws_xray_sdk skipped: ")


async def test_ids_are_made_after_the_restore(wrapper, newest_runtime, make_function) -> None:
    """Two environments from one snapshot must not share an id: nothing random is made before."""
    function = make_function(
        newest_runtime,
        """
        import os
        urandom, calls = os.urandom, []
        os.urandom = lambda size: calls.append(size) or urandom(size)
        def handler(event, context):
            return calls
        """,
    )
    async with Sandbox(function, wrapper=wrapper, initialization_type="snap-start") as sandbox:
        await ready(sandbox)
        await sandbox.restore()
        invocation = await sandbox.invoke()
    assert json.loads(invocation.outcome.body) == [8]


async def test_no_descriptor_is_kept(wrapper, runtime, make_function) -> None:
    code = "import os\ndef handler(event, context):\n    return len(os.listdir('/proc/self/fd'))\n"
    async with Sandbox(make_function(runtime, code), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        untraced = (await sandbox.invoke(trace_header="")).outcome.body
        counts = [(await sandbox.invoke()).outcome.body for _ in range(5)]
        assert len(sandbox.xray.read()) == 5
    assert counts == [untraced] * 5


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("169.254.79.129:2000", ("169.254.79.129", 2000)),
        ("localhost:2000", ("127.0.0.1", 2000)),
        ("[::1]:2000", ("::1", 2000)),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("udp:127.0.0.2:2001 tcp:127.0.0.1:2000", ("127.0.0.2", 2001)),
    ],
)
def test_daemon_address(text: str, address: tuple[str, int]) -> None:
    assert xray.udp_address(text) == address


BAD_ADDRESSES = ["", ":", "xray:2000", "1.2.3:2000", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536",
                 "127.0.0.1:２０", "127.0.0.1:x", "\0:1", "::1:2000:"]  # fmt: skip


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_bad_daemon_address(text: str) -> None:
    with pytest.raises(ValueError, match="AWS_XRAY_DAEMON_ADDRESS="):
        xray.udp_address(text)


@given(st.text())
def test_any_daemon_address(text: str) -> None:
    try:
        host, port = xray.udp_address(text)
    except ValueError as error:
        assert "AWS_XRAY_DAEMON_ADDRESS" in str(error)
    else:
        assert host
        assert 0 < port < 65536


def test_the_check_can_fail() -> None:
    leaf = {
        "id": PARENT, "name": "coldstart", "start_time": 2e9, "parent_id": PARENT,
        "in_progress": False, "annotations": {}, "trace_id": ROOT, "type": "subsegment",
        "namespace": "local", "end_time": 2e9 + 1,
    }  # fmt: skip
    xray_segment_schema.check(leaf)
    for wrong in (
        {"id": "x"},
        {"end_time": 1e9},
        {"trace_id": PARENT},
        {"annotations": {"with space": 1}},
        {"annotations": {"list": [1]}},
        {"unknown": 1},
    ):
        with pytest.raises(AssertionError):
            xray_segment_schema.check({**leaf, **wrong})


async def test_a_silent_daemon_holds_nothing_back(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, WITHOUT_SDK, AWS_XRAY_DAEMON_ADDRESS="127.0.0.1:9")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        outcomes = [(await sandbox.invoke(timeout=5)).outcome.kind for _ in range(3)]
        await asyncio.sleep(0)
        assert sandbox.stderr == ""
    assert outcomes == ["response"] * 3
