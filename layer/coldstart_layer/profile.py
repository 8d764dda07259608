"""Tells why a start was slow: what its init went to, module by module.

One JSON line on stdout when the handler has been loaded, a second one after the first invocation if
that imported anything; and the modules that took longest for the trace of a cold start.
"""

import os
import sys
from time import perf_counter

from coldstart_layer.import_times import Import, ImportTimes
from coldstart_layer.metrics import dumps, function_fields, past_level_filter, time, write_line
from coldstart_layer.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from coldstart_layer.start import Start

_OURS = "coldstart_layer"
_MOST_MODULES = 20
_LONGEST_LINE = 8000
_LONGEST_NAME = 200
# A module is worth a subsegment if it took this part of the init, or this long.
_SPAN_SHARE = 0.05
_SPAN_SECONDS = 0.010
_MOST_SPANS = 100  # fit into a datagram


class Profile:
    """Follows one process from the shim to the end of its first invocation.

    Times are wall clock, in epoch seconds, except for those of imports.
    """

    def __init__(
        self,
        settings: Settings,
        began_at: float,
        exec_at: "float | None",
        shim_at: float,
        times: ImportTimes,
    ) -> None:
        """Take what is known of the start so far.

        Args:
            settings: the configuration of the layer and of the function.
            began_at: when the wrapper was started.
            exec_at: when it was done; None where bash has no clock.
            shim_at: when Python began to run the shim.
            times: of imports, noted since.
        """
        self._settings = settings
        self._began_at = began_at
        self._times = times
        self._before: dict[str, float] = {}
        self._layer_from = began_at
        if exec_at is not None and began_at <= exec_at <= shim_at:
            self._before = {"wrapper": exec_at - began_at, "interpreter": shim_at - exec_at}
            self._layer_from = shim_at
        # Between the clock of imports and the wall's.
        self._offset = time() - perf_counter()

    def installed(self) -> None:
        """The shim is done: what follows is the runtime's."""
        now = time()
        # What it imported that the runtime needs as well is the runtime's, too.
        shared = [noted for noted in self._times.imports if not noted.name.startswith(_OURS)]
        self._layer = now - self._layer_from - sum(noted.own for noted in shared)
        self._runtime_from = self._layer_from + self._layer

    def loading(self) -> None:
        """The runtime is about to import the handler's module."""
        self._loading_at = time()
        self._imports_before = len(self._times.imports)
        self._compiled_before = self._times.compiled, self._times.compile_seconds

    def loaded(self, loaded_at: float) -> "list[tuple[int, str, float, float]]":
        """The handler's module has been imported: write the line of the init.

        Returns:
            For the trace: depth, name, begin and end of the modules that took long, in an order in
            which each one follows what it lies in.
        """
        init = loaded_at - self._began_at
        parts = {
            **self._before,
            "layer": self._layer,
            "runtime": self._loading_at - self._runtime_from,
            "handler": loaded_at - self._loading_at,
        }
        imports = self._imports(self._imports_before)
        self._write(
            {
                "coldstart_profile": "init",
                "init_ms": _ms(init),
                "parts_ms": {name: _ms(seconds) for name, seconds in parts.items()},
            },
            imports,
        )
        long = min(_SPAN_SHARE * init, _SPAN_SECONDS)
        spans = [noted for noted in imports if noted.total > long]
        return [
            (
                depth,
                noted.name[:_LONGEST_NAME],
                self._offset + noted.began + noted.elsewhere,
                self._offset + (noted.ended or noted.began),
            )
            for depth, noted in _tree(_by_total(spans)[:_MOST_SPANS])
        ]

    def invoked(self, start: "Start") -> None:
        """The event of the first invocation is about to reach the handler."""
        self._start = start
        self.loading()

    def first_invocation_over(self) -> None:
        """The first response has been sent: stop, and tell of what was imported meanwhile."""
        self._times.stop()
        imports = self._imports(self._imports_before)
        if imports:
            self._write(
                {
                    "coldstart_profile": "first invocation",
                    "start_type": self._start.start_type,
                    "request_id": self._start.request_id,
                },
                imports,
            )
        self._times.imports.clear()

    def _imports(self, first: int) -> "list[Import]":
        """What this thread has imported from number ``first`` on."""
        times = self._times
        return [it for it in times.imports[first:] if it.ended and it.thread == times.thread]

    def _write(self, about: "dict[str, object]", imports: "list[Import]") -> None:
        settings, times = self._settings, self._times
        folders = _folders()
        origins: dict[str, float] = {}
        for noted in imports:
            origin, _ = _origin(noted, folders)
            origins[origin] = origins.get(origin, 0.0) + noted.own
        compiled, compile_seconds = self._compiled_before
        document = {
            **about,
            **past_level_filter(settings, time()),
            "function_name": settings.function_name or "unknown",
            "handler": settings.handler,
            "log_stream": settings.log_stream,
            **function_fields(settings),
            "imports_ms": _ms(sum(noted.own for noted in imports)),
            "origins_ms": {origin: _ms(seconds) for origin, seconds in origins.items()},
            "compiled": {
                "modules": times.compiled - compiled,
                "ms": _ms(times.compile_seconds - compile_seconds),
            },
            "profiler_ms": _ms(times.overhead),
        }
        for most in range(_MOST_MODULES, -1, -1):
            listed = _longest(imports, most)
            document["modules"] = [
                _told(depth, noted, *_origin(noted, folders)) for depth, noted in _tree(listed)
            ]
            document["remainder"] = {
                "modules": len(imports) - len(listed),
                "own_ms": _ms(sum(noted.own for noted in imports if noted not in listed)),
            }
            line = dumps(document)
            if len(line) <= _LONGEST_LINE:
                break
        write_line(line)


def _told(depth: int, noted: Import, origin: str, path: "str | None") -> "dict[str, object]":
    size = None
    try:
        if path is not None and os.path.isfile(path):
            size = os.stat(path).st_size
    except OSError:
        pass
    return {
        "name": noted.name[:_LONGEST_NAME],
        "depth": depth,
        "own_ms": _ms(noted.own),
        "total_ms": _ms(noted.total),
        "bytes": size,
        "origin": origin,
    }


def _by_total(imports: "Iterable[Import]") -> "list[Import]":
    return sorted(imports, key=lambda noted: noted.total, reverse=True)


def _longest(imports: "Sequence[Import]", most: int) -> "list[Import]":
    """Half of them by what they took with all that they import, half of them by their own time.

    The former show what to leave out, the latter where the time goes. Of a chain where each module
    imports the next one, the last counts: the longest part of a module is not taken for its own.
    """
    longest_part: dict[Import | None, float] = {}
    for noted in imports:
        longest_part[noted.parent] = max(noted.total, longest_part.get(noted.parent, 0.0))
    by_branches = sorted(imports, key=lambda noted: longest_part.get(noted, 0.0) - noted.total)
    listed = by_branches[: most // 2]
    others = [noted for noted in imports if noted not in listed]
    others.sort(key=lambda noted: noted.own, reverse=True)
    return listed + others[: most - len(listed)]


def _tree(imports: "Sequence[Import]") -> "list[tuple[int, Import]]":
    """Each with its depth among these, behind what it lies in, in the order they were done."""
    below: dict[Import | None, list[Import]] = {}
    for noted in sorted(imports, key=lambda noted: noted.ended or 0.0):
        parent = noted.parent
        while parent is not None and parent not in imports:
            parent = parent.parent
        below.setdefault(parent, []).append(noted)
    found: list[tuple[int, Import]] = []

    def add(depth: int, parent: "Import | None") -> None:
        for noted in below.get(parent, ()):
            found.append((depth, noted))
            add(depth + 1, noted)

    add(0, None)
    return found


def _folders() -> "list[tuple[str, str]]":
    """Which origin the modules in each of these folders have, the most special folder first."""
    # "Working with Lambda environment variables" in the developer guide names these two.
    task_root = os.environ.get("LAMBDA_TASK_ROOT") or "/var/task"
    runtime = os.environ.get("LAMBDA_RUNTIME_DIR") or "/var/runtime"
    layers = __file__.rpartition("/python/coldstart_layer/")[0]
    standard = os.path.dirname(os.__file__)
    return [
        (f"{task_root}/", "function"),
        (f"{layers}/", "layer"),
        (f"{runtime}/", "runtime"),
        (f"{standard}/site-packages/", "runtime"),
        (f"{standard}/", "standard library"),
    ]


def _origin(noted: Import, folders: "list[tuple[str, str]]") -> "tuple[str, str | None]":
    """The class of origin, and the path if there is one."""
    if noted.name.startswith("client "):
        return "client", None
    module = sys.modules.get(noted.name)
    if module is None:
        return "not found", None
    # Past a class of the module's own: some import more when they are looked at.
    spec: Any = object.__getattribute__(module, "__dict__").get("__spec__")
    path = getattr(spec, "origin", None)
    if path in ("built-in", "frozen"):
        return "standard library", None
    if path is None:
        path = next(iter(getattr(spec, "submodule_search_locations", None) or ()), None)
    if type(path) is not str:
        return "other", None
    for folder, origin in folders:
        if path.startswith(folder):
            return origin, path
    # Those of a virtual environment lie apart from the standard library.
    return "runtime" if "/site-packages/" in path else "other", path


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
