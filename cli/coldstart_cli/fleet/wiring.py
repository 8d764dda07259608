"""How the layer is wired into a function: pure functions from what is there to what shall be.

Three things of a function's configuration: its list of layers, and two environment variables.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldstart_cli.fleet.functions import FleetFunction

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
NEXT_WRAPPER = "COLDSTART_NEXT_WRAPPER"
OUR_WRAPPER = "/opt/coldstart-wrapper"
# Values of COLDSTART_ENABLED.
ON = ("", "on", "true", "yes", "1")
OFF = ("off", "false", "no", "0")
_VERSION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:[\w-]+:\d+")


@dataclass(frozen=True)
class Wiring:
    """What attaching changes. A variable that is not there is None."""

    layers: tuple[str, ...]  # version ARNs, in the order that they are unpacked
    exec_wrapper: str | None = None
    next_wrapper: str | None = None


class NotPossible(Exception):  # noqa: N818 - it is an answer
    """The function cannot be wired as asked, and why."""


def wiring_of(function: FleetFunction) -> Wiring:
    """How a function is wired now."""
    variables = function.variables
    return Wiring(function.layers, variables.get(EXEC_WRAPPER), variables.get(NEXT_WRAPPER))


def enabled(variables: Mapping[str, str]) -> str:
    """COLDSTART_ENABLED as the wrapper compares it."""
    return "".join(variables.get("COLDSTART_ENABLED", "").split()).lower()


def switched_off(variables: Mapping[str, str]) -> bool:
    """Whether the wrapper steps aside, by the rules that it reads COLDSTART_ENABLED by."""
    return enabled(variables) in OFF


def is_version_arn(text: object) -> bool:
    """Whether it is the ARN of a version of a layer."""
    return isinstance(text, str) and bool(_VERSION_ARN.fullmatch(text))


def layer_name(version_arn: str) -> str:
    """The name of a layer, out of the ARN of a version of it; of anything else, nothing."""
    return version_arn.split(":")[6] if is_version_arn(version_arn) else ""


def layer_version(version_arn: str) -> int:
    """The number of a layer version."""
    return int(version_arn.split(":")[7])


def ours(layers: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Those of the layers that have the name of ours, from whichever account."""
    return tuple(arn for arn in layers if layer_name(arn) == name)


def is_wired(wiring: Wiring, name: str) -> bool:
    """Whether anything of ours is there; ``name`` is that of our layer."""
    return bool(ours(wiring.layers, name)) or is_our_wrapper(wiring.exec_wrapper)


def is_our_wrapper(path: str | None) -> bool:
    """Whether a path is that of our wrapper, however it is written."""
    return bool(path) and posixpath.normpath(str(path)) == OUR_WRAPPER


def attached(wiring: Wiring, version_arn: str) -> Wiring:
    """With the layer: a version of it is replaced in its place, else it comes last.

    Raises:
        NotPossible: two other exec wrappers are there already.
    """
    layers = []
    for arn in wiring.layers:
        if layer_name(arn) != layer_name(version_arn):
            layers.append(arn)
        elif version_arn not in layers:
            layers.append(version_arn)
    if version_arn not in layers:
        layers.append(version_arn)
    inner = None if is_our_wrapper(wiring.next_wrapper) else wiring.next_wrapper
    if not wiring.exec_wrapper or is_our_wrapper(wiring.exec_wrapper):
        return Wiring(tuple(layers), OUR_WRAPPER, inner)
    if inner not in (None, "", wiring.exec_wrapper):
        raise NotPossible(
            f"{EXEC_WRAPPER} is {wiring.exec_wrapper} and {NEXT_WRAPPER} is {wiring.next_wrapper}:"
            " only one of them can run inside ours; remove the other"
        )
    return Wiring(tuple(layers), OUR_WRAPPER, wiring.exec_wrapper)


def detached(wiring: Wiring, name: str) -> Wiring:
    """Without what is ours; a wrapper that ran inside ours gets its place back.

    Args:
        wiring: how it is.
        name: of our layer.
    """
    if not is_wired(wiring, name):
        return wiring
    layers = tuple(arn for arn in wiring.layers if layer_name(arn) != name)
    if is_our_wrapper(wiring.exec_wrapper):
        inner = None if is_our_wrapper(wiring.next_wrapper) else wiring.next_wrapper
        return Wiring(layers, inner or None)
    # Somebody has put another wrapper into our place: that one stays, and what ran inside ours
    # has not run since.
    return Wiring(layers, wiring.exec_wrapper)


def changes(function: FleetFunction, target: Wiring) -> dict[str, Any]:
    """What UpdateFunctionConfiguration is to be given: only what differs.

    The environment is replaced as a whole by that request, so all variables are in it.
    """
    now, result = wiring_of(function), dict[str, Any]()
    if target.layers != now.layers:
        result["Layers"] = list(target.layers)
    variables = wired_variables(function.variables, target)
    if variables != function.variables:
        result["Environment"] = {"Variables": variables}
    return result


def wired_variables(variables: Mapping[str, str], target: Wiring) -> dict[str, str]:
    """All variables of a function, with the two as they shall be."""
    two = {EXEC_WRAPPER: target.exec_wrapper, NEXT_WRAPPER: target.next_wrapper}
    rest = {name: value for name, value in variables.items() if name not in two}
    return rest | {name: value for name, value in two.items() if value is not None}
