"""What the sinks write with: the process's own stdout, JSON, the clock, Lambda's level filter.

Each is taken before the function could replace it. Libraries that freeze the time replace
``time.time`` in every module that has it as an attribute; a default argument is out of their reach.
"""

import os
import sys
from time import gmtime, strftime, time

from coldstart_layer import __version__
from coldstart_layer.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDOUT = 1


def now(clock: "Callable[[], float]" = time) -> float:
    """Return the wall clock, in epoch seconds."""
    return clock()


class Output:
    """The process's own stdout, which is what Lambda reads, and what goes into a line of ours.

    To be made once the runtime has been imported, which brings ``json``, and before the handler's
    module is: a function may later replace its encoder, and the stream.

    Attributes:
        settings: the configuration of the layer and of the function.
        encode: makes one line of JSON of an object.
        decode: reads the JSON value that begins at an index of a text.
    """

    def __init__(self, settings: Settings) -> None:
        from json import JSONDecoder, JSONEncoder

        self.settings = settings
        self.encode = JSONEncoder().encode
        self.decode = JSONDecoder().raw_decode
        self._stream = sys.__stdout__
        self.note_file()

    def note_file(self) -> None:
        """Remember which file descriptor 1 is: workers of managed instances each have another."""
        self._file = _identity()

    def write_line(self, line: str) -> None:
        """Write one line, past the stream if the function has closed or detached that.

        Raises:
            OSError: stdout is closed, or by now is a file or a socket of the function's.
        """
        if self._file is None or self._file != _identity():
            raise OSError("descriptor 1 is not what Lambda reads any more")
        try:
            if self._stream is not None:
                self._stream.write(f"{line}\n")
                self._stream.flush()
                return
        except ValueError:
            pass
        left = f"{line}\n".encode()
        while left:
            left = left[os.write(_STDOUT, left) :]

    def level_fields(self, seconds: float) -> "dict[str, object]":
        """Return what a JSON line of ours, written at an epoch second, needs to pass every filter.

        Without these two fields Lambda takes the line for INFO, and drops it where the function
        logs at WARN and above ("Log-level filtering" in the Lambda developer guide). Text lines are
        not filtered.
        """
        if self.settings.json_level is None:
            return {}
        return {"timestamp": _iso(seconds), "level": self.settings.json_level}

    def function_fields(self) -> "dict[str, object | None]":
        """Return what tells which function it was, and what it ran with."""
        settings, size = self.settings, self.settings.memory_size
        return {
            "initialization_type": settings.initialization_type,
            "function_version": settings.function_version,
            "memory_size": int(size) if size and size.isdecimal() else size,
            "runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
            "layer_version": __version__,
        }


def _iso(seconds: float, utc: "Any" = gmtime, text: "Any" = strftime) -> str:
    whole = text("%Y-%m-%dT%H:%M:%S", utc(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


def _identity() -> "tuple[int, int] | None":
    try:
        status = os.fstat(_STDOUT)
    except OSError:
        return None  # it is closed
    return status.st_dev, status.st_ino
