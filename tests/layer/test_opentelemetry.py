"""OpenTelemetry: the span of the invocation says what the layer says, and no other span does."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, library_environment
from start_scenarios import every_scenario, is_cold_start, run

ATTRIBUTES = ("faas.coldstart", "aws.lambda.initialization_type", "aws.lambda.start_type")
ENVIRONMENT = library_environment("opentelemetry")

# What OpenTelemetry's layer has in place of the function's handler. Older ones rely on
# `opentelemetry-instrument` having wrapped the function's handler before, newer ones do it here.
LAYERS = {
    "older layer": "",
    "newer layer": "from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor\n"
    "AwsLambdaInstrumentor().instrument()\n",
}
WRAPPED = """
import os
from importlib import import_module
module, _, name = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(import_module(module), name)
"""


def layered(make_function, code: str, layer: str = "newer layer", **environment: str):
    """A function with OpenTelemetry's layer beside ours."""
    return make_function(
        ENVIRONMENT,
        code,
        files={"otel_wrapper.py": LAYERS[layer] + WRAPPED},
        OTEL_PYTHON=str(ENVIRONMENT / "bin/python"),
        COLDSTART_NEXT_WRAPPER=str(ROOT / "tests/support/exec_wrappers/opentelemetry"),
        **environment,
    )


def spans(stdout: str) -> list[dict]:
    """What OpenTelemetry's console exporter wrote: objects over many lines."""
    found, at = [], stdout.find("{\n")
    while at >= 0:
        span, end = json.JSONDecoder().raw_decode(stdout, at)
        found.append(span)
        at = stdout.find("{\n", end)
    return found


def verdict(span: dict) -> tuple | None:
    """The three attributes; None where the span has none of them."""
    given = {name: value for name, value in span["attributes"].items() if name in ATTRIBUTES}
    return tuple(given[name] for name in ATTRIBUTES) if given else None


ANSWERS = "def handler(event, context):\n    return 'answer'\n"


@pytest.mark.parametrize("layer", LAYERS)
@every_scenario
async def test_beside_its_layer(wrapper, make_function, scenario, layer: str) -> None:
    first, second = await run(layered(make_function, ANSWERS, layer), wrapper, scenario)
    kind = "unknown" if scenario.initialization_type == "unset" else scenario.initialization_type
    (span,) = spans(first.stdout)
    assert verdict(span) == (is_cold_start(scenario), kind, scenario.expected)
    assert span["kind"] == "SpanKind.SERVER"
    leaf = first.subsegment("coldstart")["annotations"]
    assert tuple(leaf.values()) == verdict(span)
    (span,) = spans(second.stdout)
    assert verdict(span) == (False, kind, "warm")
    assert first.outcome.body == second.outcome.body == b'"answer"'


EVENTS = {
    "http with a caller's trace": {
        "version": "2.0",
        "requestContext": {"http": {"method": "GET", "path": "/"}},
        "headers": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    },
    "sqs": {
        "Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "{}", "attributes": {},
                     "messageAttributes": {}, "eventSourceARN": "arn:aws:sqs:us-east-1:1:queue"}]
    },
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
async def test_events(wrapper, make_function, event: str) -> None:
    """Of all spans of an invocation only the one that stands for it has the verdict."""
    code = """
        from opentelemetry import trace
        def handler(event, context):
            tracer = trace.get_tracer("own")
            with tracer.start_as_current_span("inner"):
                with tracer.start_as_current_span("nested server", kind=trace.SpanKind.SERVER):
                    return {"statusCode": 200}
    """
    function = layered(make_function, code)
    for number, told in enumerate(await run(function, wrapper, events=(EVENTS[event],) * 2)):
        told_spans = {span["name"]: verdict(span) for span in spans(told.stdout)}
        assert {"inner", "nested server"} < set(told_spans)
        start_type = "warm" if number else "cold"
        assert told_spans.pop("simulated") == (not number, "on-demand", start_type)
        assert set(told_spans.values()) == {None}


async def test_equal_but_for_the_attributes(wrapper, make_function) -> None:
    function = layered(make_function, ANSWERS)
    bare_wrapper = ROOT / "tests/support/exec_wrappers/opentelemetry"
    shapes = []
    for which in (bare_wrapper, wrapper):
        (told,) = await run(function, which, events=({},))
        (span,) = spans(told.stdout)
        assert (verdict(span) is not None) == (which == wrapper)
        attributes = set(span.pop("attributes")) - set(ATTRIBUTES)
        shapes.append((set(span), attributes, span["resource"]["attributes"].keys()))
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "settings", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_SAMPLER": "always_off"}], ids=str
)
async def test_no_spans(wrapper, make_function, settings: dict[str, str]) -> None:
    (told,) = await run(layered(make_function, ANSWERS, **settings), wrapper, events=({},))
    assert told.outcome.body == b'"answer"'
    assert spans(told.stdout) == []


async def test_switched_off(wrapper, make_function) -> None:
    function = layered(make_function, ANSWERS, COLDSTART_TRACING="off")
    (told,) = await run(function, wrapper, events=({},))
    assert [verdict(span) for span in spans(told.stdout)] == [None]


OWN_PROVIDER = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    exporter = InMemorySpanExporter()

    def set_up():
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
    {when_loaded}

    def handler(event, context):
        {when_invoked}
        exporter.clear()
        tracer = trace.get_tracer("own")
        for kind in (trace.SpanKind.INTERNAL, trace.SpanKind.SERVER, trace.SpanKind.SERVER):
            with tracer.start_as_current_span("span", kind=kind):
                pass
        processors = getattr(trace.get_tracer_provider(), "_active_span_processor", None)
        assert processors is None or len(processors._span_processors) <= 2
        return [span.attributes.get("faas.coldstart") for span in exporter.get_finished_spans()]
"""


async def test_a_provider_of_the_functions_own(wrapper, make_function) -> None:
    code = OWN_PROVIDER.format(when_loaded="set_up()", when_invoked="")
    told = await run(make_function(ENVIRONMENT, code), wrapper)
    assert [json.loads(each.outcome.body) for each in told] == [
        [None, True, None],
        [None, False, None],
    ]


async def test_a_provider_set_up_in_the_handler(wrapper, make_function) -> None:
    """After the verdict on that invocation was told: from the next one on."""
    code = OWN_PROVIDER.format(when_loaded="", when_invoked="set_up() if event else None")
    told = await run(make_function(ENVIRONMENT, code), wrapper, events=({}, {"set": 1}, {}))
    assert [json.loads(each.outcome.body) for each in told] == [
        [],
        [None, None, None],
        [None, False, None],
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": 1, "b": 2, "c": 3}, ["a", "b", "c"]),
        ({"faas.coldstart": "mine"}, ["faas.coldstart"]),
    ],
    ids=["at its limit", "given"],
)
async def test_attributes_of_the_functions_own(
    wrapper, make_function, given: dict, expected: list[str]
) -> None:
    code = f"""
        from opentelemetry import trace
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider
        trace.set_tracer_provider(TracerProvider(span_limits=SpanLimits(max_span_attributes=4)))
        def handler(event, context):
            tracer = trace.get_tracer("own")
            span = tracer.start_span("span", kind=trace.SpanKind.SERVER, attributes={given})
            return dict(span.attributes)
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    seen = json.loads(told.outcome.body)
    assert {name: seen[name] for name in expected} == given
    assert told.logs == []


async def test_no_provider_is_set_up(wrapper, make_function) -> None:
    """Not even where the API would make one for whoever asks for it."""
    code = """
        from opentelemetry import trace
        import opentelemetry.sdk.trace
        def handler(event, context):
            return trace._TRACER_PROVIDER is None
    """
    function = make_function(ENVIRONMENT, code, OTEL_PYTHON_TRACER_PROVIDER="sdk_tracer_provider")
    told = await run(function, wrapper)
    assert [each.outcome.body for each in told] == [b"true", b"true"]
