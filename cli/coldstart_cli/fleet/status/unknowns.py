"""Keeps what could not be found out, so that the rest can be told without it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from coldstart_cli.fleet.aws_errors import explain, is_denied

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class NotKnown:
    """One thing that could not be found out, of one or more functions or other subjects."""

    what: str
    of: tuple[str, ...]
    why: str


class Unknowns:
    """Collects them; may be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], set[str]] = {}

    def note(self, what: str, subject: str, why: str) -> None:
        """Something is not known of a subject, and why."""
        with self._lock:
            self._found.setdefault((what, why), set()).add(subject)

    def ask(
        self, what: str, subject: str, permission: str, do: Callable[[], Answer]
    ) -> Answer | None:
        """What a request answers; None where it failed, or answered something odd: that is noted.

        Args:
            what: is asked for, in words.
            subject: of what it is asked.
            permission: the IAM action that the request needs.
            do: makes the request, and reads the answer.
        """
        try:
            return do()
        except Exception as error:  # of one question of many, that the rest does not hang on
            why = explain(error)
            if is_denied(error):
                why = f"the permission {permission} is needed"
            self.note(what, subject, why)
            return None

    def all(self) -> tuple[NotKnown, ...]:
        """All that were noted, in a fixed order."""
        return tuple(
            NotKnown(what, tuple(sorted(subjects)), why)
            for (what, why), subjects in sorted(self._found.items())
        )
