"""Whether the layer runs in a function, and if not, why: its list of layers and two variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from coldstart_cli.fleet import exec_wrappers
from coldstart_cli.fleet.attach import preflight
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME, LayerVersion
from coldstart_cli.fleet.status.problems import Problem, Surroundings, change, newest, our_layer
from coldstart_cli.fleet.wiring import (
    EXEC_WRAPPER,
    NEXT_WRAPPER,
    OUR_WRAPPER,
    is_our_wrapper,
    layer_version,
    switched_off,
    wiring_of,
)

_WRAPPERS = 'Lambda developer guide, "Modifying the runtime environment"'
_LAYERS = 'Lambda API reference, "ListLayerVersions"'
_VARIABLES = 'Lambda API reference, "EnvironmentResponse"'
_LIMITS = "README.md, Limits"
_SETTINGS = "README.md, Settings"


def runs(function: FleetFunction, name: str) -> bool:
    """Whether the layer runs when the function starts: it is there, called, and not switched off.

    Of a container image only the variables can be seen. False too where they cannot be read.
    """
    if function.unreadable or switched_off(function.variables):
        return False
    there = function.is_image or our_layer(function, name) is not None
    wiring = wiring_of(function)
    replaced = exec_wrappers.objection(wiring.next_wrapper or "")
    return there and is_our_wrapper(wiring.exec_wrapper) and replaced is None


def wiring_problems(
    function: FleetFunction, around: Surroundings, alias: str | None
) -> Iterator[Problem]:
    """What keeps the layer from running; arguments as those of ``signals.problems``."""
    layer, wiring = our_layer(function, around.layer), wiring_of(function)
    attach = around.command("attach", function, alias)
    detach = around.command("detach", function, alias)
    unreadable = function.unreadable
    if unreadable:
        what = f"{unreadable} to tell whether {EXEC_WRAPPER} is set"
        cure = "run it with a role that may use the key"
        yield Problem("variables-unreadable", what, cure, _VARIABLES)
    elif layer is None and is_our_wrapper(wiring.exec_wrapper) and not function.is_image:
        what = f"{EXEC_WRAPPER} is {OUR_WRAPPER} and there is no layer: no start succeeds"
        if function.layers:
            what = (
                f"{EXEC_WRAPPER} is {OUR_WRAPPER} and no layer is called {around.layer}: no start"
                " succeeds, unless ours has another name (then give it with --layer)"
            )
        yield Problem("wrapper-without-layer", what, f"{attach}, or {detach}", _WRAPPERS)
    elif layer is not None and not is_our_wrapper(wiring.exec_wrapper):
        replaced = exec_wrappers.objection(wiring.exec_wrapper or "")
        if replaced:
            yield Problem("wrapper-replaces-runtime", replaced, detach, _LIMITS)
        elif wiring.exec_wrapper:
            what = (
                f"{EXEC_WRAPPER} is {wiring.exec_wrapper}, not {OUR_WRAPPER}: the layer does not"
                " run, unless that wrapper runs it"
            )
            yield Problem("layer-idle", what, attach, _WRAPPERS)
        else:
            what = f"the layer is attached, but {EXEC_WRAPPER} is not set: the layer does not run"
            yield Problem("layer-idle", what, attach, _WRAPPERS)
    elif is_our_wrapper(wiring.exec_wrapper):
        replaced = exec_wrappers.objection(wiring.next_wrapper or "")
        if replaced:
            yield Problem("wrapper-replaces-runtime", replaced, detach, _LIMITS)
        if is_our_wrapper(wiring.next_wrapper):
            what = f"{NEXT_WRAPPER} is our own wrapper: each start warns, and leaves it out"
            cure = change(f"remove {NEXT_WRAPPER}", alias)
            yield Problem("wrapper-calls-itself", what, cure, _SETTINGS)
    if switched_off(function.variables) and (
        layer is not None or is_our_wrapper(wiring.exec_wrapper)
    ):
        what = "COLDSTART_ENABLED is off: nothing of the layer runs"
        yield Problem("layer-off", what, change("remove COLDSTART_ENABLED", alias), _SETTINGS)
    if layer is not None:
        yield from _version(function, around, layer, alias)


def _version(
    function: FleetFunction, around: Surroundings, layer: str, alias: str | None
) -> Iterator[Problem]:
    """The version of the layer: its age, and what it is for."""
    account, number = layer.split(":")[4], layer_version(layer)
    known = LayerVersion(layer)
    if account != function.arn.split(":")[4]:
        what = (
            f"version {number} of {around.layer} is of account {account}: whether there is a newer"
            " one cannot be seen from here"
        )
        by_arn = replace(around, layer=DEFAULT_NAME).command("attach", function, alias)
        cure = f"ask there for the newest, and attach that: {by_arn} --layer ARN"
        yield Problem("layer-of-another-account", what, cure, _LAYERS)
    else:
        for version in around.layer_versions or ():
            known = version if version.arn == layer else known
        latest = newest(around)
        if latest is not None and latest.version > number:
            what = f"version {number} of {around.layer} is behind: {latest.version} is the newest"
            cure = around.command("attach", function, alias)
            yield Problem("layer-behind", what, cure, _LAYERS)
    for objection in preflight.objections(function, known, wiring_of(function)):
        cure = around.command("detach", function, alias)
        yield Problem("runtime-not-supported", objection, cure, _LIMITS)
