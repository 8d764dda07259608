"""Datadog's Lambda library: its spans and enhanced metrics carry our verdict.

On its first invocation it compares the clock with when it was loaded: within ten seconds it calls
the invocation a cold start, later a proactive initialization. Told that it was loaded in the
future, or long ago, it comes to the verdict that is ours, whatever its clock says. What else it
does in a new execution environment, such as to start its profiler, it does in both cases.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from coldstart_layer.start import Start

_FAR_FUTURE = 1 << 63


def attach() -> "Callable[[Start], None]":
    """What sets the time before each invocation."""
    return _agree


def _agree(start: "Start") -> None:
    wrapper: Any = sys.modules["datadog_lambda.wrapper"]
    if not hasattr(wrapper, "init_timestamp_ns"):
        raise AttributeError("this version has no init_timestamp_ns")
    wrapper.init_timestamp_ns = _FAR_FUTURE if start.cold_start else 0
