"""Lumigo's tracer and Sentry: what they tell of a start beside us, and what they take from us."""

from __future__ import annotations

import json

import pytest
from conftest import library_environment
from start_scenarios import every_scenario, is_cold_start, run

ENVIRONMENT = library_environment("tracers")

# Lumigo says "cold" for the first invocation of a process, but under provisioned concurrency.
LUMIGO = """
    from lumigo_tracer import lumigo_tracer
    from lumigo_tracer.lambda_tracer.spans_container import SpansContainer

    @lumigo_tracer(should_report=False, token="t_1")
    def handler(event, context):
        return SpansContainer.get_span().function_span["readiness"]
"""
# Where we say that nothing was cold.
NOT_TOLD_BY_LUMIGO = {"proactive", "managed"}

SENTRY = """
    import logging
    import sentry_sdk
    from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

    class Kept(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            kept.extend(item.payload.json for item in envelope.items if item.type == "event")

    kept = []
    sentry_sdk.init(
        "http://key@localhost/1", transport=Kept, integrations=[AwsLambdaIntegration()]
    )

    def handler(event, context):
        kept.clear()
        logging.getLogger("orders").error("refused", extra={"order": 1})
        try:
            raise KeyError("order")
        except KeyError:
            sentry_sdk.capture_exception()
        return [event["extra"] for event in kept]
"""


@every_scenario
async def test_lumigo(wrapper, make_function, scenario) -> None:
    first, second = await run(make_function(ENVIRONMENT, LUMIGO), wrapper, scenario)
    cold = is_cold_start(scenario) or scenario.expected in NOT_TOLD_BY_LUMIGO
    assert json.loads(first.outcome.body) == ("cold" if cold else "warm")
    assert json.loads(second.outcome.body) == "warm"
    leaf = first.subsegment("coldstart")["annotations"]
    assert leaf["ColdStart"] == is_cold_start(scenario)


@pytest.mark.parametrize("json_logs", [False, True], ids=["text", "JSON"])
async def test_sentry(wrapper, make_function, json_logs: bool) -> None:
    """What it reports of a log record has the two fields, and of an exception what it had."""
    (bare, first, second) = [
        json.loads(told.outcome.body)
        for which, events in ((None, ({},)), (wrapper, ({}, {})))
        for told in await run(
            make_function(ENVIRONMENT, SENTRY), which, events=events, json_logs=json_logs
        )
    ]
    for (record, exception), cold_start in ((first, True), (second, False)):
        ours = {name: record.pop(name) for name in ("cold_start", "initialization_type")}
        assert ours == {"cold_start": cold_start, "initialization_type": "on-demand"}
        assert [record.keys(), exception.keys()] == [extra.keys() for extra in bare]
        assert record["order"] == 1
