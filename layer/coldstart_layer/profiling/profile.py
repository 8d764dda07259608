"""Tells why a start was slow: what its init went to, module by module.

One JSON line on stdout when the handler has been loaded, a second one after the first invocation if
that imported anything; and the modules that took longest for the trace of a cold start.
"""

import os
import sys
from gc import disable, enable, isenabled  # before the function could replace them
from os import stat as _stat  # the same
from stat import S_ISREG

from coldstart_layer.output import Output, now
from coldstart_layer.profiling.import_times import Import, ImportTimes
from coldstart_layer.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from coldstart_layer.process import Times
    from coldstart_layer.start import Start
    from coldstart_layer.trace_header import TraceHeader

    _Method = Callable[..., None]

_SPEC = type(__spec__)
_STANDARD_LIBRARY = os.__file__.rpartition("/")[0]
_MOST_MODULES = 20
_LONGEST_LINE = 8000
_LONGEST_NAME = 190  # X-Ray takes 200 characters ("X-Ray segment documents"), with what it is
# A module is worth a subsegment if it took this part of the init, or this long.
_SPAN_SHARE = 0.05
_SPAN_SECONDS = 0.010
# X-Ray takes documents of 64 kB; a subsegment has so many bytes beside its name.
_DATAGRAM, _SPAN = 55_000, 120


def _uncollected(method: "_Method") -> "_Method":
    """Have the garbage collector off while ``method`` runs, and on again if it was.

    What we make in between is gone by then; meanwhile it could set the collector off, which takes
    longer than all of ours where a function has imported much.
    """

    def run(*arguments: "Any") -> None:
        enabled = isenabled()
        disable()
        try:
            method(*arguments)
        finally:
            if enabled:
                enable()

    return run


class Profile:
    """Follows one process from the shim to the end of its first invocation.

    Times are wall clock, in epoch seconds, except for those of imports.
    """

    def __init__(self, settings: Settings, times: "Times") -> None:
        """Begin to note imports.

        Args:
            settings: the configuration of the layer and of the function.
            times: of the start so far.

        Raises:
            AttributeError: this Python imports in another way.
        """
        self._settings = settings
        self._began_at, wrapper_done_at, shim_at = times
        self._parts: dict[str, float] = {}
        self._part_from = self._began_at
        if wrapper_done_at is not None:
            self._end_part("wrapper", wrapper_done_at)
            self._end_part("interpreter", shim_at)
        self._imports = imports = ImportTimes()
        # Between the clock of imports and the wall's. From here on the former counts: it is never
        # set.
        self._offset = now() - imports.clock()
        imports.start()

    def _end_part(self, name: str, at: float) -> None:
        """The part of the init that is called ``name`` ended, and the next one began."""
        self._parts[name] = self._parts.get(name, 0.0) + at - self._part_from
        self._part_from = at

    def installed(self) -> None:
        """The layer's own part is done: what follows is the runtime's."""
        self._end_part("layer", self._imports.clock() + self._offset)

    @_uncollected
    def loading(self, output: Output) -> None:
        """The runtime is about to import the handler's module."""
        self._output = output
        self._end_part("runtime", self._imports.clock() + self._offset)
        self._mark_imports()

    def _mark_imports(self) -> None:
        self._mark = self._imports.mark()
        self._compiled_before = self._imports.compiled, self._imports.compile_seconds

    @_uncollected
    def initialized(self) -> None:
        """The handler's module has been imported: write the line of the init."""
        self._end_part("handler", self._imports.clock() + self._offset)
        init = self._part_from - self._began_at
        imports = self._imports.done(self._mark)
        self._write(
            {
                "coldstart_profile": "init",
                "init_ms": _ms(init),
                "parts_ms": {name: _ms(seconds) for name, seconds in self._parts.items()},
            },
            imports,
        )
        long = min(_SPAN_SHARE * init, _SPAN_SECONDS)
        slow = [noted for noted in imports if noted.total > long]
        space = _DATAGRAM
        self._slow: list[Import] = []
        for noted in sorted(slow, key=lambda noted: noted.total, reverse=True):
            space -= len(self._output.encode(noted.name[:_LONGEST_NAME])) + _SPAN
            if space < 0:
                break
            self._slow.append(noted)

    @_uncollected
    def invoked(
        self,
        start: "Start",
        trace: "TraceHeader",
        init_span: "tuple[float, float] | None",
        leaf: "str | None",
    ) -> None:
        """The event of the first invocation is about to reach the handler.

        Args:
            start: the verdict.
            trace: the tracing header.
            init_span: begin and end of the init that this request waited for, if it did.
            leaf: the id of the layer's subsegment, if there is one.

        Raises:
            OSError, ValueError: what took long could not be sent to X-Ray.
        """
        self._start = start
        self._mark_imports()
        if leaf and init_span and self._slow:
            self._send_slow(trace, leaf)

    def _send_slow(self, trace: "TraceHeader", leaf: str) -> None:
        """Send the modules that took long to X-Ray, as parts of the leaf."""
        from coldstart_layer.sinks import xray

        outermost: dict[str, object] = {"id": leaf}
        path: list[dict[str, object]] = [outermost]
        for depth, noted in _tree(self._slow):
            del path[depth + 1 :]
            name = noted.name[:_LONGEST_NAME]
            part: dict[str, object] = {
                "id": xray.new_id(),
                "name": name if name.startswith("client ") else f"import {name}",
                "start_time": self._offset + noted.ended - noted.total,
                "end_time": self._offset + noted.ended,
            }
            path[-1].setdefault("subsegments", []).append(part)  # type: ignore[attr-defined]
            path.append(part)
        for part in outermost["subsegments"]:  # type: ignore[attr-defined]
            part.update(trace_id=trace.root, parent_id=leaf, type="subsegment")
            xray.send(self._output, self._output.encode(part))

    @_uncollected
    def first_invocation_over(self) -> None:
        """The first response has been sent: stop, and tell of what was imported meanwhile."""
        imports = self._imports.done(self._mark)
        self._imports.stop()
        if imports:
            self._write(
                {
                    "coldstart_profile": "first invocation",
                    "start_type": self._start.start_type,
                    "request_id": self._start.request_id,
                },
                imports,
            )

    def _write(self, about: "dict[str, object]", imports: "list[Import]") -> None:
        settings, times, output = self._settings, self._imports, self._output
        origin_of = _Origins().of
        origins: dict[str, float] = {}
        for noted in imports:
            origin, _ = origin_of(noted)
            origins[origin] = origins.get(origin, 0.0) + noted.own
        own = sum(origins.values())
        compiled, compile_seconds = self._compiled_before
        document = {
            **about,
            **output.level_fields(now()),
            "function_name": settings.function_name or "unknown",
            "handler": settings.handler,
            "log_stream": settings.log_stream,
            **output.function_fields(),
            "imports_ms": _ms(own),
            "origins_ms": {origin: _ms(seconds) for origin, seconds in origins.items()},
            "compiled": {
                "modules": times.compiled - compiled,
                "ms": _ms(times.compile_seconds - compile_seconds),
            },
            "profiler_ms": _ms(times.overhead),
        }
        for most in range(_MOST_MODULES, -1, -1):
            listed = longest(imports, most)
            document["modules"] = [
                _listed(depth, noted, *origin_of(noted)) for depth, noted in _tree(listed)
            ]
            document["remainder"] = {
                "modules": len(imports) - len(listed),
                "own_ms": _ms(max(own - sum(noted.own for noted in listed), 0.0)),
            }
            line = output.encode(document)
            if len(line) <= _LONGEST_LINE:
                break
        output.write_line(line)


def _listed(depth: int, noted: Import, origin: str, path: "str | None") -> "dict[str, object]":
    size = None
    try:
        if path is not None:
            status = _stat(path)
            size = status.st_size if S_ISREG(status.st_mode) else None
    except Exception:
        pass  # it was there a moment ago
    return {
        "name": noted.name[:_LONGEST_NAME],
        "depth": depth,
        "own_ms": _ms(noted.own),
        "total_ms": _ms(noted.total),
        "bytes": size,
        "origin": origin,
    }


def longest(imports: "Sequence[Import]", most: int) -> "list[Import]":
    """Half of them by what they took with all that they import, half of them by their own time.

    The former show what to leave out, the latter where the time goes. Of a chain where each module
    imports the next one, the last counts: the longest part of a module is not taken for its own.
    """
    by_branches = sorted(imports, key=lambda noted: noted.longest - noted.total)
    half = most // 2
    others = sorted(by_branches[half:], key=lambda noted: noted.own, reverse=True)
    return by_branches[:half] + others[: most - half]


def _tree(imports: "Sequence[Import]") -> "list[tuple[int, Import]]":
    """Each with its depth among these, behind what it lies in, in the order they were done."""
    below: dict[Import | None, list[Import]] = {}
    for noted in sorted(imports, key=lambda noted: noted.ended):
        parent = noted.parent
        while parent is not None and parent not in imports:
            parent = parent.parent
        below.setdefault(parent, []).append(noted)
    found: list[tuple[int, Import]] = []
    pending: list[tuple[int, Import]] = [(0, noted) for noted in reversed(below.get(None, []))]
    while pending:
        depth, noted = pending.pop()
        found.append((depth, noted))
        pending += [(depth + 1, part) for part in reversed(below.get(noted, []))]
    return found


class _Origins:
    """Finds out where modules come from."""

    def __init__(self) -> None:
        # "Working with Lambda environment variables" in the developer guide names these two.
        task_root = os.environ.get("LAMBDA_TASK_ROOT") or "/var/task"
        runtime = os.environ.get("LAMBDA_RUNTIME_DIR") or "/var/runtime"
        layers = __file__.rpartition("/python/coldstart_layer/")[0]
        # The most special one first.
        self._roots = (
            (f"{task_root}/", "function"),
            (f"{layers}/", "layer"),
            (f"{runtime}/", "runtime"),
            (f"{_STANDARD_LIBRARY}/site-packages/", "runtime"),
            (f"{_STANDARD_LIBRARY}/", "standard library"),
            # Those of a virtual environment lie apart from the standard library.
            (f"{sys.prefix}/", "runtime"),
            ("", "other"),
        )
        self._folders: dict[str, str] = {}

    def of(self, noted: Import) -> "tuple[str, str | None]":
        """The class of origin of a module, and its path if it has one."""
        spec = noted.spec
        if spec is False:
            return "client" if noted.name.startswith("client ") else "not imported", None
        if type(spec) is not _SPEC:
            return "other", None
        path = None
        try:
            path = spec.origin
            if path in ("built-in", "frozen"):
                return "standard library", None
            if path is None:
                # A namespace package's look for its parent again when they are asked.
                folders = spec.submodule_search_locations
                path = next(iter(getattr(folders, "_path", folders) or ()), None)
        except Exception:
            pass  # the function has changed it
        if type(path) is not str:
            return "other", None
        folder = path.rpartition("/")[0]
        origin = self._folders.get(folder)
        if origin is None:
            origin = next(it for root, it in self._roots if path.startswith(root))
            self._folders[folder] = origin
        return origin, path


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
