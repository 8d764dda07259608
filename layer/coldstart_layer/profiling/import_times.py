"""Times every import, of whatever kind of module, while it is switched on.

The interpreter holds a lock for each module that it imports, with a class of importlib's. A class
of ours in its place notes when the lock is taken and given back: so it sees namespace packages,
extensions and built-in modules too, and no frame of ours is on the stack while a module runs.
"""

import sys
from _thread import get_ident
from functools import update_wrapper
from time import perf_counter

from coldstart_layer.guard import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The second one from Python 3.15 on, for modules in packages.
_LOCKS = ("_ModuleLockManager", "_HierarchicalLockManager")
_CLIENT_MAKER = "botocore.session"
# Far beyond any function: a process that it forks in its init notes without end.
_MOST_NOTES = 200_000
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
        clock: what the imports are timed by.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.compile_seconds = 0.0
        self.overhead = 0.0
        # Not a module's attribute, which a library that freezes the time would replace.
        self.clock = perf_counter
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
        for name in _LOCKS:
            if name == _LOCKS[0] or hasattr(importlib, name):
                self._replace(importlib, name, self._lock_class(getattr(importlib, name)))
        loader = external.SourceLoader
        compiles: Any = self._timed_compile(loader.source_to_code)
        # It is on the stack while a module fails to compile, and goes by the name of importlib's
        # own code there, whose frames are left out of the trace.
        path = loader.get_code.__code__.co_filename
        compiles.__code__ = compiles.__code__.replace(co_filename=path)
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
        latest: dict[str, tuple[float, object]] = {}
        outermost: list[Import] = []
        notes = iter(self._notes[mark:])
        for name, began, ended, spec in zip(notes, notes, notes, notes, strict=True):
            within = len(outermost)
            while within and outermost[within - 1].began > began:
                within -= 1
            parts = outermost[within:]
            elsewhere = 0.0
            # What it has imported first, if that is its parent packages: one within the other.
            first = ended
            while parts and parts[0].began < first and name.startswith(f"{parts[0].name}."):
                package = parts.pop(0)
                first = package.began
                elsewhere = package.ended - first
                within += 1
            # They have imported it meanwhile: that was it, and this nothing.
            before = latest.get(name)
            if elsewhere and before is not None and before[0] > began and before[1] is spec:
                continue
            if spec is not False:
                latest[name] = began, spec
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
        ended = self.clock()
        if self._stopped:
            return
        module = sys.modules.get(name)
        if name == _CLIENT_MAKER and type(module) is _MODULE:
            attempt("profile of clients", self._time_clients, module)
        if not self._is_ours():
            return
        spec: object = False
        if module is not None:
            # Past whatever stands in its place, or its class has there: some import more when
            # looked at, and some only say that they are modules.
            fields = _MODULE_DICT(module) if issubclass(type(module), _MODULE) else None
            spec = fields.get("__spec__") if fields else None
        self._notes += name, began, ended, spec
        self.overhead += self.clock() - ended

    def _is_ours(self) -> bool:
        return get_ident() == self._thread and len(self._notes) < _MOST_NOTES

    def _lock_class(self, original: "Any") -> "Any":
        note, clock = self._note, self.clock
        enter, leave = original.__enter__, original.__exit__

        class TimedLock(original):  # type: ignore[misc]
            """The lock of a module that is imported."""

            _began = 0.0

            def __enter__(self) -> object:
                entered: object = enter(self)
                if self._name not in sys.modules:
                    self._began = clock()
                return entered

            def __exit__(self, *arguments: object) -> None:
                try:
                    if self._began:
                        note(self._name, self._began)
                finally:
                    leave(self, *arguments)

        return TimedLock

    def _timed_compile(self, original: "Callable[..., object]") -> "Callable[..., object]":
        times, clock = self, self.clock

        def source_to_code(*arguments: "Any", **options: "Any") -> object:
            began = clock()
            try:
                return original(*arguments, **options)
            finally:
                if times._is_ours():
                    times.compiled += 1
                    times.compile_seconds += clock() - began

        return source_to_code

    def _time_clients(self, botocore_session: "Any") -> None:
        """A client of boto3's reads the description of its service, which takes its time."""
        sessions = getattr(botocore_session, "Session", None)
        original = getattr(sessions, "create_client", None)
        times = self
        if original is None:
            return  # another module of that name

        def create_client(*arguments: "Any", **options: "Any") -> object:
            service = arguments[1] if len(arguments) > 1 else options.get("service_name")
            name = f"client {str.__str__(service) if issubclass(type(service), str) else ''}"
            began = times.clock()
            try:
                return original(*arguments, **options)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise
            finally:
                times._note(name, began)

        self._replace(sessions, "create_client", update_wrapper(create_client, original))
