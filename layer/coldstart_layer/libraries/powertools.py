"""Powertools for AWS Lambda (Python): its cold start flags say what the verdict is.

Its logger, its tracer and its metrics have a global flag each, which is true until it has first
been asked for. With the flag set before each invocation, ``inject_lambda_context``,
``capture_lambda_handler`` and ``capture_cold_start_metric`` report our verdict as their own.
"""

import sys

from coldstart_layer.guard import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from coldstart_layer.start import Start

# As of versions 2.43 to 3.37; a function has loaded those that it uses.
_MODULES_WITH_FLAG = (
    "aws_lambda_powertools.logging.logger",
    "aws_lambda_powertools.metrics.base",
    "aws_lambda_powertools.metrics.provider.cold_start",
    "aws_lambda_powertools.tracing.tracer",
)


def attach() -> "Callable[[Start], None]":
    """What sets the flags before each invocation."""
    return _agree


def _agree(start: "Start") -> None:
    for name in _MODULES_WITH_FLAG:
        module = sys.modules.get(name)
        if module is not None:
            attempt(f"verdict in {name}", _set_flag, module, start.cold_start)


def _set_flag(module: "Any", cold_start: bool) -> None:
    if not hasattr(module, "is_cold_start"):
        raise AttributeError("this version has no is_cold_start there")
    module.is_cold_start = cold_start
