"""structlog: the two fields on every event.

They go in by a processor among the function's own. Loggers hold on to the list of processors that
they were made with, so ours is put into a logger's list when that is read, whenever it was made: no
frame of ours is on the stack while the processors run, some of which look there for the caller.
"""

import sys

from coldstart_layer.start import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

_ATTRIBUTE = "_processors"


def attach() -> None:
    """Make all loggers of structlog find our processor among their own.

    Raises:
        AttributeError: this version's loggers are made otherwise.
    """
    structlog: Any = sys.modules["structlog"]
    logger_class = structlog.BoundLoggerBase
    if _ATTRIBUTE not in logger_class.__init__.__code__.co_names:
        raise AttributeError(f"this version's loggers have no {_ATTRIBUTE}")
    # What the function has bound to its context goes first: its own values stay.
    merging = [structlog.contextvars.merge_contextvars]
    threadlocal = sys.modules.get("structlog.threadlocal")
    if threadlocal is not None:
        merging.append(threadlocal.merge_threadlocal)

    # As in logs.py no guard here, but code that does not fail.
    def read(logger: object) -> object:
        try:
            given = logger.__dict__[_ATTRIBUTE]
        except KeyError:
            raise AttributeError(_ATTRIBUTE) from None
        # An empty list hands the event to the underlying logger as keyword arguments.
        if not given or type(given) not in (list, tuple):
            return given
        first = 0
        for index, processor in enumerate(given, 1):
            if processor is _add_fields:
                return given
            for merge in merging:
                if processor is merge:
                    first = index
        if type(given) is tuple:
            given = logger.__dict__[_ATTRIBUTE] = (*given[:first], _add_fields, *given[first:])
        else:
            given.insert(first, _add_fields)  # in place: it is the function's to change, too
        return given

    def write(logger: object, processors: object) -> None:
        logger.__dict__[_ATTRIBUTE] = processors

    setattr(logger_class, _ATTRIBUTE, property(read, write))


def _add_fields(
    _logger: object, _method: str, event: "MutableMapping[str, Any]"
) -> "MutableMapping[str, Any]":
    start = current()
    if start is not None and isinstance(event, dict):
        event.setdefault("cold_start", start.cold_start)
        event.setdefault("initialization_type", start.initialization_type)
    return event
