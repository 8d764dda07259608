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
        parent: the import in the middle of which it was asked for, or None. A parent package, which
            is imported on the way to its module, stands beside that and not below it.
        thread: which imported it.
        began: in seconds of ``perf_counter``.
        ended: the same; None while it is under way.
        elsewhere: how much of that went to parent packages, in seconds.
        parts: how much went to imports below it, in seconds; known once ``done`` has been asked.
        imported: whether there is such a module now.
        spec: its ``__spec__``; None where it has none, or is no plain module.
    """

    __slots__ = (
        "began",
        "elsewhere",
        "ended",
        "imported",
        "inside",
        "name",
        "parent",
        "parts",
        "spec",
        "surrounding",
        "thread",
    )

    def __init__(self, name: str, surrounding: "Import | None", thread: int) -> None:
        self.name = name
        self.surrounding = self.parent = surrounding
        self.inside = False  # whether it has begun to import what lies below it
        if surrounding is not None:
            if not surrounding.inside and surrounding.name.startswith(f"{name}."):
                self.parent = surrounding.parent
            else:
                surrounding.inside = True
        self.thread = thread
        self.elsewhere = self.parts = 0.0
        self.ended: float | None = None
        self.imported = False
        self.spec: Any = None
        self.began = perf_counter()

    @property
    def total(self) -> float:
        """How long it took with all below it, in seconds."""
        return 0.0 if self.ended is None else self.ended - self.began - self.elsewhere

    @property
    def own(self) -> float:
        """How long it took without what is below it, in seconds.

        Never less than nothing, as it would be where greenlets import by turns.
        """
        return max(self.total - self.parts, 0.0)


class ImportTimes:
    """Notes the imports of this process from ``start`` to ``stop``.

    Attributes:
        imports: in the order they began. Those of other threads are among them.
        compiled: how many modules were compiled, for want of bytecode that fits.
        compile_seconds: how long that took.
        overhead: how long the noting took, in seconds.
        thread: the one that began to note, which is the one that loads the handler.
    """

    def __init__(self) -> None:
        self.imports: list[Import] = []
        self.compiled = 0
        self.compile_seconds = 0.0
        self.overhead = 0.0
        self.thread = get_ident()
        self._stopped = False
        self._under_way: dict[int, Import | None] = {}
        self._imported_at: dict[str, float] = {}
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
        for function in (Import.__init__, ImportTimes._begin, ImportTimes._end):
            _rename(function, path)
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

    def done(self, first: int) -> "list[Import]":
        """What the thread that loads the handler has imported, from number ``first`` on.

        Not known before that: what an import is part of, which it is not if that ended earlier, as
        where an exception leaves an import and is caught further out.
        """
        done = [it for it in self.imports[first:] if it.ended and it.thread == self.thread]
        for noted in done:
            noted.parts = 0.0
        for noted in done:
            parent = noted.parent
            while parent is not None and (parent.ended or 0.0) < (noted.ended or 0.0):
                parent = parent.parent
            noted.parent = parent
            if parent is not None:
                parent.parts += noted.total
        return done

    def _replace(self, owner: "Any", name: str, ours: object) -> None:
        self._put_back.append((owner, name, getattr(owner, name), ours))
        setattr(owner, name, ours)

    def _begin(self, name: str) -> Import:
        thread = get_ident()
        surrounding = self._under_way.get(thread)
        while surrounding is not None and surrounding.ended:
            surrounding = surrounding.surrounding
        noted = Import(name, surrounding, thread)
        self._under_way[thread] = noted
        self.imports.append(noted)
        return noted

    def _end(self, noted: Import) -> None:
        ended = perf_counter()
        outer = noted.surrounding
        self._under_way[noted.thread] = outer
        if outer is not None and outer is not noted.parent:
            outer.elsewhere += ended - noted.began
        # Its parent package has imported it meanwhile: that was it, and this nothing.
        if noted.elsewhere and self._imported_at.get(noted.name, 0.0) > noted.began:
            return
        noted.ended = ended
        module = sys.modules.get(noted.name)
        if module is not None:
            noted.imported = True
            self._imported_at[noted.name] = ended
            if isinstance(module, _MODULE):
                # Past whatever its class has in its place: some import more when looked at.
                noted.spec = _MODULE_DICT(module).get("__spec__")
            if noted.name == _CLIENT_MAKER and not self._stopped:
                attempt("profile of clients", self._time_clients)

    def _lock_class(self, original: "Any") -> "Any":
        times = self

        class TimedLock(original):  # type: ignore[misc]
            """The lock of a module that is imported."""

            _noted: "Import | None" = None

            # As in logs.py no guard here, but code that does not fail.
            def __enter__(self) -> None:
                original.__enter__(self)
                if self._name not in sys.modules and not times._stopped:
                    entered = perf_counter()
                    noted = self._noted = times._begin(self._name)
                    times.overhead += noted.began - entered

            def __exit__(self, *arguments: object, **more: object) -> None:
                try:
                    if self._noted is not None:
                        entered = perf_counter()
                        times._end(self._noted)
                        times.overhead += perf_counter() - entered
                finally:
                    original.__exit__(self, *arguments, **more)

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
            noted = None
            if not times._stopped:
                service = arguments[1] if len(arguments) > 1 else options.get("service_name")
                noted = times._begin(f"client {service if type(service) is str else ''}")
            try:
                return original(*arguments, **options)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise
            finally:
                if noted is not None:
                    times._end(noted)

        self._replace(sessions, "create_client", create_client)


def _rename(function: "Any", path: str) -> None:
    function.__code__ = function.__code__.replace(co_filename=path)
