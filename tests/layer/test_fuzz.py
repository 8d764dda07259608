"""Every text that comes from outside, made at random: nothing is raised, no answer is changed.

A hundred inputs each by default, or fewer where each starts a process; `make soak` tries many more.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

from coldstart_cli.local_lambda import Function, Sandbox
from coldstart_layer import classify, current, process, trace_header
from coldstart_layer.invocations import Invocations, born_at
from coldstart_layer.process import marker_path
from coldstart_layer.settings import Settings
from coldstart_layer.sinks import xray
from conftest import ready
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

LONG = settings.get_current_profile_name() == "soak"


def tries(usual: int, soak: int) -> settings:
    return settings(
        max_examples=soak if LONG else usual,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# What an environment variable or an argument can be: any bytes but NUL.
system_text = st.binary(max_size=200).filter(lambda it: b"\0" not in it).map(os.fsdecode) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200
)


def near(*examples: str) -> st.SearchStrategy[str]:
    """Texts that are nearly right: pieces of right ones, cut up, doubled and mixed with others."""
    pieces = st.sampled_from([piece for it in examples for piece in (it, *it, *it.split(";"))])
    return st.lists(pieces | system_text, max_size=12).map("".join)


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
trace_text = near(TRACE) | system_text
address_text = near("127.0.0.1:2000", "tcp:127.0.0.1:2000 udp:[::1]:2001") | system_text
NAMES = (
    "COLDSTART_LOGS", "COLDSTART_METRICS", "COLDSTART_TRACING", "COLDSTART_METRICS_NAMESPACE",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_LOG_STREAM_NAME",
)  # fmt: skip
environments = st.dictionaries(
    st.sampled_from(NAMES),
    near("on", "off", "JSON", "WARN", "2026/11/24/[$LATEST]a", "snap-start") | system_text,
)


@tries(200, 100_000)
@given(trace_text)
@example(TRACE)
def test_trace_headers(header: str) -> None:
    parsed = trace_header.parse(header)
    assert (parsed.epoch is None) == (parsed.root is None)
    start_type, cold_start = classify.classify(
        sequence=1,
        initialization_type="on-demand",
        restarted=False,
        ready_at=1.7e9,
        invoked_at=1.7e9,
        root=parsed.epoch,
    )
    assert (start_type, cold_start) in (("cold", True), ("proactive", False))


@tries(200, 100_000)
@given(address_text)
def test_daemon_addresses(address: str) -> None:
    try:
        host, port = xray.udp_address(address)
    except ValueError as error:
        assert "AWS_XRAY_DAEMON_ADDRESS" in str(error)
    else:
        assert set(host) <= set("0123456789abcdefABCDEF.:")
        assert 0 < port < 65536


@tries(200, 100_000)
@given(system_text)
def test_log_stream_names(name: str) -> None:
    path = Path(marker_path(name))
    assert path.parent == Path("/tmp")
    assert len(path.name) == len(".coldstart-") + 32


@tries(200, 100_000)
@given(
    near("1795529499.909 1795529499.910", "1795529499,909 1795529499,910") | system_text,
    near("PWD=/\x1f", "_=a\x1f"),
)
def test_messages_of_the_wrapper(started: str, before_bash: str) -> None:
    assume("_COLDSTART" not in before_bash)  # which the wrapper never writes
    environ = {"_COLDSTART_STARTED": started, "_COLDSTART_BEFORE_BASH": before_bash}
    began_at, done_at, shim_at = process.take_message(environ, 1795529500.0)
    assert 1795529500.0 - 3600 < began_at <= (done_at or began_at) <= shim_at == 1795529500.0
    assert {"_COLDSTART_STARTED", "_COLDSTART_BEFORE_BASH"}.isdisjoint(environ)


event_text = near('{"requestContext": {"timeEpoch": 1795529499909}}') | st.text()


@tries(100, 50_000)
@given(
    environments,
    trace_text | st.none() | st.integers(),
    event_text.map(lambda it: it.encode(errors="replace")),
)
def test_settings_a_header_and_an_event_together(
    environ: dict[str, str], header: object, event: bytes
) -> None:
    """All that stands between the runtime and the handler, in this process."""
    # No files are left, no log record is changed, nothing is sent.
    environ = {**environ, "COLDSTART_LOGS": "off", "COLDSTART_TRACING": "off"}
    request = SimpleNamespace(invoke_id="id", x_amzn_trace_id=header, event_body=event)
    invocations = Invocations(Settings(environ), 1.7e9, False, None)
    invocations.attached()
    lines: list[str] = []
    invocations._output.write_line = lines.append
    for sequence in (1, 2):
        invocations.awaited()
        invocations.invoked(request)
        start = current()
        assert start is not None
        assert start.sequence == sequence
    assert vars(request) == {"invoke_id": "id", "x_amzn_trace_id": header, "event_body": event}
    assert len(lines) == Settings(environ).metrics
    born = born_at(event, invocations._output.decode)
    assert born is None or 0 <= born < 1e10


# In place of Python, so that no text is run: says what it was given.
STUB = """#!/bin/sh
[ $# -eq 0 ] || printf '%s\\0' "$@"
exit 7
"""
argument = near("-m", "-X", "-c", "runtime.py", "--", "awslambdaric") | system_text


@tries(60, 20_000)
@given(st.lists(argument, max_size=6), environments, argument, system_text)
@example(["-m", "awslambdaric", "app.handler"], {}, "", "")
def test_command_lines_of_the_wrapper(
    wrapper,
    tmp_path_factory,
    arguments: list[str],
    environ: dict[str, str],
    enabled: str,
    then: str,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "stub"
    folder.mkdir(exist_ok=True)
    stub = folder / "python3"
    stub.write_text(STUB)
    stub.chmod(0o755)
    (folder / "runtime.py").touch()
    assume(not os.access(folder / then, os.X_OK))  # nothing at random is run
    environ = {**environ, "COLDSTART_ENABLED": enabled, "COLDSTART_NEXT_WRAPPER": then}
    run = subprocess.run(
        [wrapper, stub, *arguments], env=environ, cwd=folder, capture_output=True, timeout=60
    )
    assert run.returncode == 7
    seen = run.stdout.split(b"\0")[:-1]
    shim = os.fsencode(wrapper.parent / "coldstart/bootstrap.py")
    if shim in seen:
        seen.remove(shim)
    assert seen == [os.fsencode(it) for it in arguments]
    assert all(line.startswith(b"coldstart-layer: ") for line in run.stderr.split(b"\n") if line)


def is_address(text: str) -> bool:
    try:
        xray.udp_address(text)
    except ValueError:
        return False
    return True


async def answers_the_same(function: Function, wrapper: Path, header: str) -> None:
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        for _ in range(2):
            invocation = await sandbox.invoke(trace_header=header)
            assert invocation.outcome.body == b'"answer"', (invocation, function.environment)
        lines = sandbox.stderr.split("\n")
        assert all(line.startswith("coldstart-layer: ") for line in lines if line), lines


@tries(20, 2_000)
@given(environments, address_text, st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_whole_starts(
    wrapper, newest_runtime, make_function, environ: dict[str, str], address: str, header: str
) -> None:
    assume(not is_address(address))  # nothing is sent there
    environ = {**environ, "AWS_XRAY_DAEMON_ADDRESS": address or "x"}
    assume(environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start")  # would wait
    code = "def handler(event, context):\n    return 'answer'\n"
    function = make_function(newest_runtime, code, **environ)
    asyncio.run(answers_the_same(function, wrapper, header))
