"""structlog: the two fields on every event.

They go in by a processor in front of the function's own. Loggers keep the list of processors that
they were made with, so each logger's list is extended when it is read, whenever it was made; no
frame of ours is on the stack while the processors run, some of which look there for the caller.
"""

import sys

from coldstart_layer.start import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

_ATTRIBUTE = "_processors"


class _Extended(list):  # type: ignore[type-arg]
    """A logger's processors and ours. ``given`` is the logger's own list."""

    given: object


def attach() -> None:
    """Make all loggers of structlog find our processor among their own.

    Raises:
        AttributeError: this version's loggers are made otherwise.
    """
    structlog: Any = sys.modules["structlog"]
    logger_class = structlog.BoundLoggerBase
    if _ATTRIBUTE not in logger_class.__init__.__code__.co_names:
        raise AttributeError(f"this version's loggers have no {_ATTRIBUTE}")
    merge_contextvars = structlog.contextvars.merge_contextvars

    # As in logs.py no guard here, but code that does not fail.
    def read(logger: object) -> object:
        given = logger.__dict__.get(_ATTRIBUTE)
        if type(given) is not list and type(given) is not tuple:
            return given
        extended = _Extended(given)
        extended.given = given
        # What the function has bound to the context is merged first: its own values stay.
        first = 0
        for index, processor in enumerate(given):
            if processor is merge_contextvars:
                first = index + 1
        extended.insert(first, _add_fields)
        return extended

    def write(logger: object, processors: object) -> None:
        # A logger that is made from another gets what was read there.
        given = processors.given if type(processors) is _Extended else processors
        logger.__dict__[_ATTRIBUTE] = given

    setattr(logger_class, _ATTRIBUTE, property(read, write))


def _add_fields(
    _logger: object, _method: str, event: "MutableMapping[str, Any]"
) -> "MutableMapping[str, Any]":
    start = current()
    if start is not None and isinstance(event, dict):
        event.setdefault("cold_start", start.cold_start)
        event.setdefault("initialization_type", start.initialization_type)
    return event
