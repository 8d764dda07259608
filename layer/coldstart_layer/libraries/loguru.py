"""loguru: the two fields in the ``extra`` of every record.

The logger has a dictionary of values for all records, which its ``configure(extra=...)`` sets, and
which what the function binds goes before. There ours stay, beside the function's own.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from coldstart_layer.start import Start


class _Extra(dict):  # type: ignore[type-arg]
    """The function's values and ours, which stay when the function replaces its own."""

    def __init__(self, given: "dict[str, object]") -> None:
        super().__init__(given)
        self.ours: dict[str, object] = {}

    def clear(self) -> None:
        super().clear()
        self.update(self.ours)

    def __reduce__(self) -> "tuple[type, tuple[dict[str, object]]]":
        # A copy of the logger, here or in another process, is not told of later verdicts.
        return dict, ({name: value for name, value in self.items() if name not in self.ours},)


def attach() -> "Callable[[Start], None]":
    """What sets the values before each invocation.

    Raises:
        AttributeError: this version's logger is made otherwise.
    """
    logger: Any = sys.modules["loguru"].logger
    given = logger._core.extra
    own = dict(given)
    extra = logger._core.extra = _Extra(given)

    def agree(start: "Start") -> None:
        fields = {
            "cold_start": start.cold_start,
            "initialization_type": start.initialization_type,
        }
        extra.ours = {name: value for name, value in fields.items() if name not in own}
        extra.update(extra.ours)

    return agree
