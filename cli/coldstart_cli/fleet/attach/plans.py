"""What is to be done with one function, decided before anything is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coldstart_cli.fleet.attach.managers import Manager
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.wiring import Wiring

Action = Literal["attach", "update", "detach", "none", "refuse", "skip"]


@dataclass(frozen=True)
class AliasStep:
    """What is to be done with one alias."""

    alias: str
    now: str  # the version that it points at
    revision_id: str
    to: str | None  # the version it shall point at; None: one that is yet to be published
    provisioned: int | None = None  # environments that it keeps ready, if it does

    @property
    def moves(self) -> bool:
        """Whether it is to point at another version; if not, only readiness is waited for."""
        return self.to != self.now


@dataclass(frozen=True)
class Plan:
    """What is to be done with one function."""

    function: FleetFunction
    action: Action
    # How $LATEST shall be wired; None with "refuse" and "skip".
    target: Wiring | None = None
    aliases: tuple[AliasStep, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # for "refuse" and "skip"
    manager: Manager | None = None  # the tool that a refused function belongs to
    # With "refuse": what to add to the function's own code base, as it is said there.
    instead: str | None = None
    detaching: bool = False  # what was noted of the function is to be forgotten in the end

    @property
    def acts(self) -> bool:
        """Whether anything is to be changed, or waited for."""
        return self.action in ("attach", "update", "detach") or bool(self.aliases)
