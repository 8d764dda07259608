"""Keeps our failures out of the user's function, and reports each of them once."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

_LONGEST = 400
_reported: "set[str]" = set()


def attempt(site: str, function: "Callable[..., Result]", *arguments: object) -> "Result | None":
    """Call ``function(*arguments)``: the guard around what is ours while the function runs.

    Args:
        site: what is skipped if it fails, as the report on stderr names it. Reported once.
        function: what to call.
        *arguments: what to call it with.

    Returns:
        What the function returned; None where it raised an ``Exception``. ``SystemExit``,
        ``KeyboardInterrupt`` and the like pass: they are not ours to stop.
    """
    try:
        return function(*arguments)
    except Exception as error:
        if site not in _reported:
            _reported.add(site)
            warn(f"{site} skipped: {described(error)}")
        return None


def described(error: Exception) -> str:
    """Say what an error is, even if it cannot say so itself."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def warn(message: str) -> None:
    """Write one line to stderr, if there is one to write to."""
    try:
        stream = sys.__stderr__
        if stream is not None:
            line = " ".join(message.splitlines())[:_LONGEST]
            stream.write(f"coldstart-layer: {line}\n")
            stream.flush()
    except Exception:
        pass  # there is nowhere left to say it
