"""A problem with its cure, and what is known around a function where problems are looked for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.layer_versions import DEFAULT_NAME, LayerVersion
from coldstart_cli.fleet.wiring import is_our_wrapper, ours, wiring_of

# These keep no signal from arriving, or it is not known whether they do.
_HARMLESS = {
    "layer-behind",
    "layer-of-another-account",
    "provisioned-failed",
    "provisioned-not-ready",
    "setting-not-usable",
    "variables-unreadable",
    "wrapper-calls-itself",
}


@dataclass(frozen=True)
class Problem:
    """Something to be put right; most of them keep a signal from arriving."""

    kind: str  # for programs, stays as it is
    what: str
    cure: str
    source: str  # the document that the fact is from
    where: tuple[str, ...] = ("$LATEST",)  # and aliases, "alias live (version 7)"

    @property
    def keeps_signal(self) -> bool:
        """Whether a signal does not arrive because of it."""
        return self.kind not in _HARMLESS


@dataclass(frozen=True)
class Surroundings:
    """What is known beside a function's configuration."""

    layer: str = DEFAULT_NAME  # the name of ours
    # Of that layer in the function's account and region; None: not known.
    layer_versions: tuple[LayerVersion, ...] | None = None
    log_class: str | None = None  # of its log group; None: not known, or there is no such group
    # What its role may do, by IAM action; None, or not in it: not known.
    allowed: Mapping[str, bool | None] | None = None
    options: tuple[str, ...] = ()  # that a command in a cure needs, such as --region

    def command(self, verb: str, function: FleetFunction, alias: str | None = None) -> str:
        """`coldstart attach` or `coldstart detach` for a function, and an alias of it."""
        layer = () if self.layer == DEFAULT_NAME else ("--layer", self.layer)
        publish = ("--publish", "--alias", alias) if alias else ()
        return shlex.join(["coldstart", verb, function.name, *publish, *layer, *self.options])


def our_layer(function: FleetFunction, name: str) -> str | None:
    """The version ARN of our layer that a function has; of several, that which is unpacked last."""
    found = ours(function.layers, name)
    return found[-1] if found else None


def is_ours(function: FleetFunction, name: str) -> bool:
    """Whether anything of ours is there, as far as can be seen."""
    exec_wrapper = wiring_of(function).exec_wrapper
    return our_layer(function, name) is not None or is_our_wrapper(exec_wrapper)


def newest(around: Surroundings) -> LayerVersion | None:
    """The newest version of our layer; None: not known, or there is none."""
    return max(around.layer_versions or (), key=lambda one: one.version, default=None)


def change(what: str, alias: str | None) -> str:
    """A cure that changes the configuration: a published version keeps what it has."""
    return f"{what}, publish a version, and point alias {alias} at it" if alias else what
