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
        parts: how much went to imports below it, in seconds.
        imported: whether there is such a module now.
    """

    __slots__ = (
        "began",
        "elsewhere",
        "ended",
        "imported",
        "name",
        "parent",
        "parts",
        "surrounding",
        "thread",
    )

    def __init__(self, name: str, surrounding: "Import | None", thread: int) -> None:
        self.name = name
        self.surrounding = self.parent = surrounding
        if surrounding is not None and surrounding.name.startswith(f"{name}."):
            self.parent = surrounding.parent
        self.thread = thread
        self.elsewhere = self.parts = 0.0
        self.ended: float | None = None
        self.imported = False
        self.began = perf_counter()

    @property
    def total(self) -> float:
        """How long it took with all below it, in seconds."""
        return 0.0 if self.ended is None else self.ended - self.began - self.elsewhere

    @property
    def own(self) -> float:
        """How long it took without what is below it, in seconds."""
        return self.total - self.parts


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
        self._under_way: dict[int, Import | None] = {}
        self._imported_at: dict[str, float] = {}
        self._put_back: list[tuple[Any, str, object, object]] = []

    def start(self) -> None:
        """Begin to note.

        Raises:
            AttributeError: this Python imports in another way.
        """
        importlib: Any = sys.modules["_frozen_importlib"]
        self._replace(importlib, _LOCK, self._lock_class(getattr(importlib, _LOCK)))
        external: Any = sys.modules["_frozen_importlib_external"]
        loader = external.SourceLoader
        compiles = self._timed_compile(loader.source_to_code)
        # Frames of importlib's files are left out of the traces of a failed import.
        path = external.SourceLoader.get_code.__code__.co_filename
        compiles.__code__ = compiles.__code__.replace(co_filename=path)
        self._replace(loader, "source_to_code", compiles)

    def stop(self) -> None:
        """Put back what was there, where it is still ours."""
        for owner, name, original, ours in self._put_back:
            if getattr(owner, name) is ours:
                setattr(owner, name, original)
        self._put_back.clear()

    def _replace(self, owner: "Any", name: str, ours: object) -> None:
        self._put_back.append((owner, name, getattr(owner, name), ours))
        setattr(owner, name, ours)

    def _begin(self, name: str) -> Import:
        thread = get_ident()
        noted = Import(name, self._under_way.get(thread), thread)
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
        if self._imported_at.get(noted.name, 0.0) > noted.began:
            return
        noted.ended = ended
        if noted.parent is not None:
            noted.parent.parts += noted.total
        if noted.name in sys.modules:
            noted.imported = True
            self._imported_at[noted.name] = ended
            if noted.name == _CLIENT_MAKER:
                attempt("profile of clients", self._time_clients)

    def _lock_class(self, original: "Any") -> type:
        times = self

        class TimedLock(original):  # type: ignore[misc]
            """The lock of a module that is imported."""

            _noted: "Import | None" = None

            # As in logs.py no guard here, but code that does not fail.
            def __enter__(self) -> None:
                original.__enter__(self)
                if self._name not in sys.modules:
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
            service = arguments[1] if len(arguments) > 1 else options.get("service_name")
            noted = times._begin(f"client {service if type(service) is str else ''}")
            try:
                return original(*arguments, **options)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise
            finally:
                times._end(noted)

        self._replace(sessions, "create_client", create_client)
