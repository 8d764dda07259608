"""Powertools for AWS Lambda: its logger, its tracer and its metrics say what the layer says."""

from __future__ import annotations

import pytest
from coldstart_cli.simulate import SCENARIOS
from conftest import library_environment
from start_scenarios import every_scenario, is_cold_start, run

VERSIONS = ["powertools-2", "powertools-3-before-9", "powertools-3"]

DECORATED = """
    from aws_lambda_powertools import Logger, Metrics, Tracer
    logger = Logger(service="orders")
    other = Logger(service="other")
    metrics = Metrics(namespace="own", service="orders")
    tracer = Tracer(service="orders")

    @metrics.log_metrics(capture_cold_start_metric=True)
    @tracer.capture_lambda_handler
    @logger.inject_lambda_context
    @other.inject_lambda_context
    def decorated(event, context):
        logger.info("handling")
        other.info("handling")
        metrics.add_metric(name="Orders", unit="Count", value=1)
        return "answer"

    def handler(event, context):
        return decorated(event, context) if event.get("decorated", True) else "answer"
"""


@pytest.fixture(params=VERSIONS)
def powertools(request):
    return library_environment(request.param)


def flags(told) -> tuple[list[bool], bool, bool, bool]:
    """The flag on log lines, as metric and as annotation of Powertools, and in our own leaf."""
    assert [line["message"] for line in told.logs] == ["handling"] * 2
    metrics = [line for line in told.metrics if "ColdStart" in line and "start_type" not in line]
    assert all(line["ColdStart"] == [1.0] for line in metrics)
    return (
        [line["cold_start"] for line in told.logs],
        len(metrics) == 1,
        told.subsegment("## decorated")["annotations"]["ColdStart"],
        told.subsegment("coldstart")["annotations"]["ColdStart"],
    )


@every_scenario
async def test_every_start(wrapper, powertools, make_function, scenario) -> None:
    first, second = await run(make_function(powertools, DECORATED), wrapper, scenario)
    cold = is_cold_start(scenario)
    assert flags(first) == ([cold, cold], cold, cold, cold)
    assert flags(second) == ([False, False], False, False, False)
    kind = "unknown" if scenario.initialization_type == "unset" else scenario.initialization_type
    assert {line["initialization_type"] for line in first.logs + second.logs} == {kind}


async def test_a_decorator_first_reached_later(wrapper, powertools, make_function) -> None:
    function = make_function(powertools, DECORATED)
    _, second = await run(function, wrapper, events=({"decorated": False}, {}))
    assert flags(second) == ([False, False], False, False, False)


@pytest.mark.parametrize("switch", ["COLDSTART_LOGS", "COLDSTART_TRACING", "COLDSTART_METRICS"])
async def test_our_own_signals_switched_off(wrapper, powertools, make_function, switch) -> None:
    """Powertools is right all the same: its signals are the function's own."""
    function = make_function(powertools, DECORATED, **{switch: "off"})
    managed = next(it for it in SCENARIOS if it.expected == "managed")
    (first,) = await run(function, wrapper, managed, events=({},))
    assert [line["cold_start"] for line in first.logs] == [False, False]
    assert not [line for line in first.metrics if "ColdStart" in line and "start_type" not in line]
    assert first.subsegment("## decorated")["annotations"]["ColdStart"] is False


async def test_imported_in_the_handler(wrapper, powertools, make_function) -> None:
    """The verdict reaches it with the next invocation."""
    code = """
        def handler(event, context):
            from aws_lambda_powertools import Logger
            logger = Logger(service="orders")
            decorated = logger.inject_lambda_context(lambda event, context: logger.info("handling"))
            if event:
                decorated(event, context)
    """
    _, second = await run(make_function(powertools, code), wrapper, events=({}, {"a": 1}))
    assert [line["cold_start"] for line in second.logs] == [False]


async def test_the_log_keys_of_powertools_stay(wrapper, powertools, make_function) -> None:
    """With and without the layer: the same keys in the same order, with ours behind."""
    function = make_function(powertools, DECORATED)
    bare, layered = [
        (await run(function, which, events=({},)))[0].logs[0] for which in (None, wrapper)
    ]
    assert [key for key in layered if key != "initialization_type"] == list(bare)


async def test_buffered_logs(wrapper, make_function) -> None:
    code = """
        from aws_lambda_powertools import Logger
        from aws_lambda_powertools.logging.buffer import LoggerBufferConfig
        logger = Logger(service="orders", level="INFO", buffer_config=LoggerBufferConfig())

        @logger.inject_lambda_context
        def handler(event, context):
            logger.debug("buffered")
            logger.flush_buffer()
    """
    function = make_function(library_environment("powertools-3"), code)
    first, second = await run(function, wrapper)
    assert [line["cold_start"] for line in first.logs] == [True]
    assert [line["cold_start"] for line in second.logs] == [False]
