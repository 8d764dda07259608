"""Times every import, of whatever kind of module, while it is switched on.

The interpreter holds a lock for each module that it imports, with a class of importlib's. A class
of ours in its place notes when the lock is taken and given back: so it sees namespace packages,
extensions and built-in modules too, and no frame of ours is on the stack while a module runs.
"""

import sys
from _thread import get_ident
from time import perf_counter

from coldstart_layer.guard import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LOCK = "_ModuleLockManager"
_CLIENT_MAKER = "botocore.session"
_MODULE = type(sys)
_MODULE_DICT = vars(_MODULE)["__dict__"].__get__


class Import:
    """One module's import, or what else took its time in the middle of one.

    Attributes:
        name: of the module.
        began: in seconds of ``perf_counter``.
        ended: the same.
        spec: the ``__spec__`` of the module; None where it has none, or is no plain module; False
            where there was no such module in the end.
        parent: the import that it is a part of, or None. A parent package, which is imported on the
            way to its module, stands beside that and not below it.
        total: how long it took with all its parts, but without parent packages, in seconds.
        own: without its parts. Never less than nothing, as it would be where greenlets import by
            turns.
        longest: the ``total`` of the longest part.
    """

    __slots__ = ("began", "ended", "longest", "name", "own", "parent", "spec", "total")

    def __init__(self, name: str, began: float, ended: float, spec: "Any", total: float) -> None:
        self.name = name
        self.began = began
        self.ended = ended
        self.spec = spec
        self.total = self.own = total
        self.parent: Import | None = None
        self.longest = 0.0


class ImportTimes:
    """Notes the imports of one thread, the one that loads the handler, from ``start`` to ``stop``.

    Attributes:
        compiled: how many modules were compiled, for want of bytecode that fits.
        compile_seconds: how long that took.
        overhead: how long the noting took, in seconds.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.compile_seconds = 0.0
        self.overhead = 0.0
        self._stopped = False
        self._thread = get_ident()
        # Of each import the name, begin, end and spec, in the order they ended. In a row, because
        # the garbage collector looks at each object that it may have to follow, and it runs dozens
        # of times while a large library is imported.
        self._notes: list[Any] = []
        self._put_back: list[tuple[Any, str, object, object]] = []

    def start(self) -> None:
        """Begin to note.

        Raises:
            AttributeError: this Python imports in another way.
        """
        importlib: Any = sys.modules["_frozen_importlib"]
        external: Any = sys.modules["_frozen_importlib_external"]
        # Our code in the middle of an import goes by the name of importlib's, whose frames are left
        # out of the traces of failed imports.
        path = importlib._find_and_load.__code__.co_filename
        _rename(ImportTimes._note, path)
        lock = self._lock_class(getattr(importlib, _LOCK))
        _rename(lock.__enter__, path)
        _rename(lock.__exit__, path)
        self._replace(importlib, _LOCK, lock)
        loader = external.SourceLoader
        compiles = self._timed_compile(loader.source_to_code)
        _rename(compiles, loader.get_code.__code__.co_filename)
        self._replace(loader, "source_to_code", compiles)

    def stop(self) -> None:
        """Put back what was there, where it is still ours; where it is not, ours does nothing."""
        self._stopped = True
        for owner, name, original, ours in self._put_back:
            if getattr(owner, name) is ours:
                setattr(owner, name, original)
        self._put_back.clear()
        self._notes.clear()

    def mark(self) -> int:
        """Where the imports begin that are done from now on."""
        return len(self._notes)

    def done(self, mark: int) -> "list[Import]":
        """The imports that are done since ``mark``, in the order they ended: parts come first."""
        done: list[Import] = []
        latest: dict[str, float] = {}
        outermost: list[Import] = []
        notes = iter(self._notes[mark:])
        for name, began, ended, spec in zip(notes, notes, notes, notes, strict=True):
            within = len(outermost)
            while within and outermost[within - 1].began > began:
                within -= 1
            parts = outermost[within:]
            elsewhere = 0.0
            # What it has imported first, if that is its parent packages.
            while parts and name.startswith(f"{parts[0].name}."):
                package = parts.pop(0)
                elsewhere = package.ended - package.began  # the later one has the former in it
                within += 1
            # They have imported it meanwhile: that was it, and this nothing.
            if elsewhere and latest.get(name, began) > began:
                continue
            if spec is not False:
                latest[name] = began
            noted = Import(name, began, ended, spec, max(ended - began - elsewhere, 0.0))
            for part in parts:
                part.parent = noted
                noted.own = max(noted.own - part.total, 0.0)
                noted.longest = max(noted.longest, part.total)
            outermost[within:] = [noted]
            done.append(noted)
        return done

    def _replace(self, owner: "Any", name: str, ours: object) -> None:
        self._put_back.append((owner, name, getattr(owner, name), ours))
        setattr(owner, name, ours)

    # As in logs.py no guard in what follows, but code that does not fail.

    def _note(self, name: str, began: float) -> None:
        if self._stopped or get_ident() != self._thread:
            return
        ended = perf_counter()
        module = sys.modules.get(name)
        spec: object = False
        if module is not None:
            # Past whatever its class has in its place: some import more when looked at.
            spec = _MODULE_DICT(module).get("__spec__") if isinstance(module, _MODULE) else None
        self._notes += name, began, ended, spec
        if name == _CLIENT_MAKER and module is not None:
            attempt("profile of clients", self._time_clients)
        self.overhead += perf_counter() - ended

    def _lock_class(self, original: "Any") -> "Any":
        note = self._note
        enter, leave = original.__enter__, original.__exit__

        class TimedLock(original):  # type: ignore[misc]
            """The lock of a module that is imported."""

            _began = 0.0

            def __enter__(self) -> None:
                enter(self)
                if self._name not in sys.modules:
                    self._began = perf_counter()

            def __exit__(self, kind: object, error: object, trace: object) -> None:
                try:
                    if self._began:
                        note(self._name, self._began)
                finally:
                    leave(self, kind, error, trace)

        return TimedLock

    def _timed_compile(self, original: "Callable[..., object]") -> "Callable[..., object]":
        times = self

        def source_to_code(*arguments: "Any", **options: "Any") -> object:
            began = perf_counter()
            try:
                return original(*arguments, **options)
            finally:
                times.compiled += 1
                times.compile_seconds += perf_counter() - began

        return source_to_code

    def _time_clients(self) -> None:
        """A client of boto3's reads the description of its service, which takes its time."""
        sessions: Any = sys.modules[_CLIENT_MAKER].Session
        original = sessions.create_client
        times = self

        def create_client(*arguments: "Any", **options: "Any") -> object:
            service = arguments[1] if len(arguments) > 1 else options.get("service_name")
            name = f"client {service if type(service) is str else ''}"
            began = perf_counter()
            try:
                return original(*arguments, **options)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise
            finally:
                times._note(name, began)

        self._replace(sessions, "create_client", create_client)


def _rename(function: "Any", path: str) -> None:
    function.__code__ = function.__code__.replace(co_filename=path)
