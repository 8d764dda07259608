"""What has to hold before the layer is attached: nothing is written where it does not."""

from __future__ import annotations

import json

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import LayerVersion
from coldstart_cli.fleet.wiring import Wiring, wired_variables

# "Lambda quotas" in the Lambda developer guide: layers, environment variables in aggregate.
MOST_LAYERS = 5
MOST_ENVIRONMENT_BYTES = 4096
OLDEST_PYTHON = 10  # 3.10: what the layer is made for


def objections(function: FleetFunction, layer: LayerVersion, target: Wiring) -> list[str]:
    """Why Lambda would refuse the layer, or the function would not run under it.

    Args:
        function: which is to get it.
        layer: the version to attach.
        target: how the function is to be wired.
    """
    found = []
    runtime = function.runtime
    if not runtime.startswith("python"):
        found.append(f"its runtime is {runtime}, not Python")
    elif not layer.runtimes and int(runtime.partition(".")[2] or 0) < OLDEST_PYTHON:
        found.append(f"the layer is made for Python 3.{OLDEST_PYTHON} or newer, not {runtime}")
    elif layer.runtimes and runtime not in layer.runtimes:
        found.append(f"{layer.label} is not for {runtime}, but for {', '.join(layer.runtimes)}")
    if layer.architectures and function.architecture not in layer.architectures:
        found.append(
            f"{layer.label} is not for {function.architecture},"
            f" but for {', '.join(layer.architectures)}"
        )
    if len(target.layers) > MOST_LAYERS:
        found.append(f"it has {MOST_LAYERS} layers already, the most that Lambda allows")
    size = environment_bytes(wired_variables(function.variables, target))
    if size > MOST_ENVIRONMENT_BYTES:
        found.append(
            f"its variables would take {size} bytes, and Lambda allows {MOST_ENVIRONMENT_BYTES}"
        )
    return found


def environment_bytes(variables: dict[str, str]) -> int:
    """What Lambda counts against its 4 KB: it measures them as JSON, and says so when it refuses
    ("String measured: {...}" in the message of its InvalidParameterValueException).
    """
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
