"""Writes one CloudWatch EMF document to stdout for each start.

Format: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from coldstart_layer.output import Output, now
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader


def write(output: Output, start: Start, trace: TraceHeader, idle_ms: "float | None") -> None:
    """Write the EMF document of a process's first invocation. Arguments as for ``document``.

    Raises:
        OSError: stdout is closed, or by now is a file or a socket of the function's.
    """
    output.write_line(output.encode(document(output, start, trace, idle_ms, now())))


def document(
    output: Output, start: Start, trace: TraceHeader, idle_ms: "float | None", written_at: float
) -> "dict[str, object]":
    """Make the EMF document of one start.

    Args:
        output: knows the function.
        start: the verdict.
        trace: the X-Ray tracing header.
        idle_ms: how long the environment had been ready when the event came, in milliseconds.
        written_at: epoch seconds.
    """
    metrics = [{"Name": "ColdStart", "Unit": "Count"}]
    values: dict[str, object] = {"ColdStart": int(start.cold_start)}
    if start.init_duration_ms is not None:
        metrics.append({"Name": "InitDuration", "Unit": "Milliseconds"})
        values["InitDuration"] = start.init_duration_ms
    properties = {
        **output.function_fields(),
        "request_id": start.request_id,
        "xray_trace_id": trace.root,
        "idle_ms": idle_ms,
        **output.level_fields(written_at),
    }
    directive = {
        "Namespace": output.settings.namespace,
        "Dimensions": [["function_name"], ["function_name", "start_type"]],
        "Metrics": metrics,
    }
    return {
        "_aws": {"Timestamp": int(written_at * 1000), "CloudWatchMetrics": [directive]},
        "function_name": output.settings.function_name or "unknown",
        "start_type": start.start_type,
        **values,
        **{name: value for name, value in properties.items() if value is not None},
    }
