"""The EMF document: within the specification's limits, once for each start, never filtered out."""

from __future__ import annotations

import json

import coldstart_layer
import emf_specification
import pytest
from coldstart_cli.local_lambda import Sandbox
from coldstart_layer.output import Output
from coldstart_layer.settings import Settings
from coldstart_layer.sinks import emf
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader
from conftest import ready

LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


def emf_lines(stdout: str) -> list[str]:
    return [line for line in stdout.splitlines() if '"_aws"' in line]


def passes_filter(line: str, level: str) -> bool:
    """Whether Lambda keeps a JSON line at an application log level.

    "Log-level filtering" in the Lambda developer guide: lines without a level, or without a valid
    RFC 3339 timestamp, count as INFO.
    """
    document = json.loads(line)
    has_both = "timestamp" in document and document.get("level") in LEVELS
    return LEVELS.index(document["level"] if has_both else "INFO") >= LEVELS.index(level)


async def test_document(wrapper, runtime, logging_function) -> None:
    async with Sandbox(logging_function(runtime), wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert emf_lines(sandbox.stdout) == []
        invocation = await sandbox.invoke()
        await sandbox.invoke()
        (line,) = emf_lines(sandbox.stdout)
        (leaf,) = [leaf for leaf in sandbox.xray.read() if leaf["annotations"]["ColdStart"]]
    document = emf_specification.check(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "ColdStart",
        "Dimensions": [["function_name"], ["function_name", "start_type"]],
        "Metrics": [
            {"Name": "ColdStart", "Unit": "Count"},
            {"Name": "InitDuration", "Unit": "Milliseconds"},
        ],
    }
    assert document["idle_ms"] < 5000
    init_ms = document["InitDuration"]
    assert init_ms == pytest.approx((leaf["end_time"] - leaf["start_time"]) * 1000, abs=0.01)
    del document["_aws"], document["idle_ms"], document["InitDuration"]
    assert document == {
        "ColdStart": 1,
        "function_name": "simulated",
        "function_version": "$LATEST",
        "initialization_type": "on-demand",
        "layer_version": coldstart_layer.__version__,
        "memory_size": 512,
        "request_id": invocation.request_id,
        "runtime": f"python{runtime.name}",
        "start_type": "cold",
        "xray_trace_id": leaf["trace_id"],
    }
    # Before the handler's own lines: a crash does not take it along.
    assert invocation.stdout.startswith(line)


async def test_restore_has_no_init_duration(wrapper, newest_runtime, logging_function) -> None:
    async with Sandbox(
        logging_function(newest_runtime), wrapper=wrapper, initialization_type="snap-start"
    ) as sandbox:
        await ready(sandbox)
        await sandbox.restore()
        (line,) = emf_lines((await sandbox.invoke()).stdout)
    document = emf_specification.check(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "ColdStart", "Unit": "Count"}]
    assert "InitDuration" not in document


async def check_level(wrapper, function, level: str) -> None:
    async with Sandbox(function, wrapper=wrapper, json_logs=True, log_level=level) as sandbox:
        await ready(sandbox)
        (line,) = emf_lines((await sandbox.invoke()).stdout)
    document = emf_specification.check(line)
    assert passes_filter(line, level)
    # At ERROR one that no line of Python's logging has: alarms count those.
    assert document["level"] == ("FATAL" if level == "ERROR" else level)
    assert document["timestamp"].endswith("Z")


@pytest.mark.parametrize("level", LEVELS)
async def test_level_filter(wrapper, newest_runtime, logging_function, level: str) -> None:
    """At any application log level the metric survives Lambda's filter."""
    await check_level(wrapper, logging_function(newest_runtime), level)


async def test_level_filter_on_each_cpython(wrapper, runtime, logging_function) -> None:
    await check_level(wrapper, logging_function(runtime), "WARN")


async def test_text_format_has_no_level(wrapper, newest_runtime, logging_function) -> None:
    function = logging_function(newest_runtime)
    async with Sandbox(function, wrapper=wrapper, log_level="ERROR") as sandbox:
        await ready(sandbox)
        (line,) = emf_lines((await sandbox.invoke()).stdout)
    assert not {"level", "timestamp"} & set(json.loads(line))


async def test_namespace_and_switch(wrapper, newest_runtime, logging_function) -> None:
    function = logging_function(newest_runtime, COLDSTART_METRICS_NAMESPACE="Team/Cold Starts")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        (line,) = emf_lines((await sandbox.invoke()).stdout)
        document = emf_specification.check(line)
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Team/Cold Starts"
    function = logging_function(newest_runtime, COLDSTART_METRICS="off")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert emf_lines((await sandbox.invoke()).stdout) == []
        assert len(sandbox.xray.read()) == 1


async def test_a_function_that_replaced_stdout(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        import io, sys
        sys.stdout = io.StringIO()
        def handler(event, context):
            return sys.stdout.getvalue()
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        invocation = await sandbox.invoke()
    assert invocation.outcome.body == b'""'
    assert len(emf_lines(invocation.stdout)) == 1


def document_of(environ: dict[str, str]) -> dict[str, object]:
    start = Start(True, "cold", "on-demand", 250.0)
    return emf.document(Output(Settings(environ)), start, TraceHeader(), 10.0, 1795456043.688)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_LAMBDA_FUNCTION_NAME": "f" * 64, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "10240"},
        {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much", "AWS_LAMBDA_LOG_FORMAT": "JSON"},
        {"AWS_LAMBDA_FUNCTION_VERSION": "ü\n"},
    ],
)
def test_odd_environments(environ: dict[str, str]) -> None:
    document = document_of(environ)
    checked = emf_specification.check(json.dumps(document))
    assert checked["function_name"] == environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
    assert "request_id" not in checked
    if "AWS_LAMBDA_LOG_FORMAT" in environ:
        assert checked["timestamp"] == "2026-11-23T17:47:23.688Z"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d["_aws"].pop("Timestamp"),
        lambda d: d["_aws"].update(Timestamp=1795456043),
        lambda d: d.pop("start_type"),
        lambda d: d.update(ColdStart=True),
        lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Namespace="AWS/Lambda"),
        lambda d: d["_aws"]["CloudWatchMetrics"][0]["Metrics"][0].update(Unit="Counts"),
    ],
)
def test_the_check_can_fail(break_it) -> None:
    document = document_of({})
    break_it(document)
    with pytest.raises((AssertionError, KeyError)):
        emf_specification.check(json.dumps(document))
