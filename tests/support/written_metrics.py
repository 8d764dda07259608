"""The metrics of a start, as the layer writes them; for tests of what reads them."""

from __future__ import annotations

from typing import Any

from coldstart_layer.classify import classify
from coldstart_layer.output import Output
from coldstart_layer.settings import Settings
from coldstart_layer.sinks import emf
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader


def document(
    function: str, initialization_type: str, at: float, restarted: bool = False
) -> dict[str, Any]:
    """The EMF document of a start at an epoch second, whose init took 250 ms."""
    start_type, cold_start = classify(
        sequence=1,
        initialization_type=initialization_type,
        restarted=restarted,
        ready_at=at,
        invoked_at=at,
    )
    restored = start_type == "restore"
    start = Start(cold_start, start_type, initialization_type, None if restored else 250.0)
    settings = Settings({"AWS_LAMBDA_FUNCTION_NAME": function})
    return emf.document(Output(settings), start, TraceHeader(), 0.0, at)


def series(document: dict[str, Any]) -> list[tuple[str, str, dict[str, str], float]]:
    """What CloudWatch makes of it: namespace, name, dimensions and value of each metric."""
    return [
        (
            directive["Namespace"],
            metric["Name"],
            {dimension: document[dimension] for dimension in dimensions},
            document[metric["Name"]],
        )
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    ]


def is_written(namespace: str, name: str, dimensions: set[str]) -> bool:
    """Whether the layer or Lambda writes such a metric.

    Of Lambda's own: "Types of metrics for Lambda functions" in the Lambda developer guide.
    """
    if namespace == "AWS/Lambda":
        return name in {"Invocations", "ConcurrentExecutions"} and dimensions == {"FunctionName"}
    written = series(document("any", "on-demand", 1_800_000_000.0))
    return (namespace, name, dimensions) in [(n, m, set(d)) for n, m, d, _ in written]
