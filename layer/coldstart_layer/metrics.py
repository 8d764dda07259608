"""Writes one CloudWatch EMF document to stdout for each start.

Format: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

import sys
from json import JSONEncoder
from time import gmtime, strftime
from time import time as time

from coldstart_layer import __version__
from coldstart_layer.settings import Settings
from coldstart_layer.start import Start

# Other modules have these two from here, where they are from before the function could replace
# them, or change how they encode.
dumps = JSONEncoder().encode


def write(settings: Settings, start: Start) -> None:
    """Write the EMF document of a process's first invocation to stdout.

    Raises:
        OSError, ValueError: stdout is closed.
    """
    write_line(dumps(document(settings, start, time())))


def write_line(line: str) -> None:
    """Write a line to the process's own stdout, which is what Lambda reads.

    Raises:
        OSError, ValueError: stdout is closed.
    """
    stream = sys.__stdout__  # not what the function may have put in its place
    if stream is None:
        raise OSError("stdout is closed")
    stream.write(f"{line}\n")
    stream.flush()


def past_level_filter(settings: Settings, now: float) -> "dict[str, object]":
    """The fields that a JSON line of ours needs to reach CloudWatch at every log level.

    Without these two Lambda takes the line for INFO, and drops it where the function logs at WARN
    and above ("Log-level filtering" in the Lambda developer guide). Text lines are not filtered.
    """
    if settings.json_log_level is None:
        return {}
    seconds = strftime("%Y-%m-%dT%H:%M:%S", gmtime(now))
    timestamp = f"{seconds}.{int(now * 1000) % 1000:03d}Z"
    return {"timestamp": timestamp, "level": settings.json_log_level}


def function_fields(settings: Settings) -> "dict[str, object | None]":
    """What tells which function it was, and what it ran with."""
    memory_size = settings.memory_size
    return {
        "initialization_type": settings.initialization_type,
        "function_version": settings.function_version,
        "memory_size": int(memory_size) if memory_size and memory_size.isdecimal() else memory_size,
        "runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "layer_version": __version__,
    }


def document(settings: Settings, start: Start, now: float) -> "dict[str, object]":
    """The EMF document of one start.

    Args:
        settings: the configuration of the layer and of the function.
        start: the verdict.
        now: epoch seconds.
    """
    metrics = [{"Name": "ColdStart", "Unit": "Count"}]
    values: dict[str, object] = {"ColdStart": int(start.cold_start)}
    if start.init_duration_ms is not None:
        metrics.append({"Name": "InitDuration", "Unit": "Milliseconds"})
        values["InitDuration"] = start.init_duration_ms

    properties = {
        **function_fields(settings),
        "request_id": start.request_id,
        "xray_trace_id": start.trace_header.root,
        "idle_ms": start.idle_ms,
        **past_level_filter(settings, now),
    }

    return {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": settings.namespace,
                    "Dimensions": [["function_name"], ["function_name", "start_type"]],
                    "Metrics": metrics,
                }
            ],
        },
        "function_name": settings.function_name or "unknown",
        "start_type": start.start_type,
        **values,
        **{name: value for name, value in properties.items() if value is not None},
    }
