"""How we get in: the one place that touches the runtime, ``awslambdaric``.

The runtime loads the handler with ``awslambdaric.bootstrap._get_handler`` and then calls what that
returned once for each event. We wrap the loader as soon as the runtime has been imported, wherever
from, and give the runtime a callable that takes the verdict before it becomes the user's handler.
"""

import os
import sys
from functools import update_wrapper
from time import time

from coldstart_layer import logs, metrics, trace_header
from coldstart_layer.environment import Environment, sandbox_was_used_before
from coldstart_layer.guard import attempt, warn
from coldstart_layer.libraries import Libraries
from coldstart_layer.settings import TRACE_HEADER, Settings
from coldstart_layer.start import set_current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from coldstart_layer.import_times import ImportTimes
    from coldstart_layer.profile import Profile
    from coldstart_layer.start import Start

    Loader = Callable[..., object]
    Times = tuple[float, float | None, float, ImportTimes | None]
    WrapLoader = Callable[[Loader, Callable[[], None], Callable[[Loader], object]], Loader]

_RUNTIME = "awslambdaric.bootstrap"
_LOADERS = ("_get_handler", "get_handler")  # the second one in versions 4.1.0 and 4.2.0 only


class Handler:
    """The user's handler, with the verdict taken just before each call.

    ``__call__`` is a property: to call this object, the interpreter first reads it, which is where
    our code runs, and then calls what it got, which is the user's handler itself. So no frame of
    ours is on the stack while the user's code runs, and none shows in its stack traces.

    To whoever looks at it (a tool that patches the runtime as well), it has the handler's name,
    documentation, attributes and signature.
    """

    def __init__(self, handler: "Loader", invoked: "Callable[[], None]") -> None:
        self.__handler = handler
        self.__invoked = invoked
        attempt("handler's name", update_wrapper, self, handler)

    @property
    def __call__(self) -> "Loader":
        """The user's handler; reading it takes the verdict on the invocation that follows."""
        attempt("signals", self.__invoked)
        return self.__handler


class Instrument:
    """Follows one runtime process from its start through its invocations."""

    def __init__(self, environ: "Mapping[str, str]", times: "Times") -> None:
        """Read the settings, and what can be known before the handler loads.

        Args:
            environ: the environment variables.
            times: when the wrapper was started, when it was done (or None), and when the shim was
                started, in epoch seconds; and those of imports, if they are noted.
        """
        self._request_id: object = None
        self._settings = settings = Settings(environ)
        for warning in settings.warnings:
            warn(warning)
        self._profile: Profile | None = None
        began_at, _, _, imports = times
        if imports is not None:
            if settings.profile:
                self._profile = attempt("profile", _start_profile, settings, times)
            else:
                attempt("profile", imports.stop)
        restarted = attempt("restart detection", sandbox_was_used_before, settings.log_stream)
        self._environment = Environment(settings.initialization_type, began_at, bool(restarted))
        self._libraries = Libraries(settings)

    def attach(self, runtime: "ModuleType", wrap_loader: "WrapLoader") -> None:
        """Wrap the loader of the runtime.

        Args:
            runtime: the module ``awslambdaric.bootstrap``.
            wrap_loader: makes a loader from the original one and what to do before and after it.
        """
        for name in _LOADERS:
            loader = getattr(runtime, name, None)
            if loader is not None:
                break
        else:
            warn(f"not started: this version of awslambdaric has no {_LOADERS[0]}")
            return
        self._runtime = runtime
        setattr(runtime, name, wrap_loader(loader, self._loading, self._loaded))
        if self._settings.logs:
            logs.add_fields(self._settings.initialization_type)
        if self._profile is not None:
            attempt("profile of the first invocation", self._watch_first_invocation, self._profile)

    def _watch_first_invocation(self, profile: "Profile") -> None:
        """Tell ``profile`` when the runtime asks for the second event."""
        name = "wait_next_invocation"
        # Where it is defined: on managed instances another class inherits it.
        client = next(it for it in self._runtime.LambdaRuntimeClient.__mro__ if name in vars(it))
        original = vars(client)[name]

        def wait_next_invocation(*args: object, **kwargs: object) -> object:
            if self._request_id is not None and self._profile is not None:
                self._profile = None
                if vars(client).get(name) is wait_next_invocation:  # and not the function's own
                    setattr(client, name, original)
                attempt("profile", profile.first_invocation_over)
            return original(*args, **kwargs)

        setattr(client, name, wait_next_invocation)

    def installed(self) -> None:
        """The shim is done, and hands over to the runtime."""
        if self._profile is not None:
            attempt("profile", self._profile.installed)

    def _loading(self) -> None:
        """The runtime has set up logging and is about to import the handler's module."""
        if self._settings.logs:
            attempt("log column", logs.add_column)
        if self._profile is not None:
            attempt("profile", self._profile.loading)

    def _loaded(self, handler: "Loader") -> "Loader":
        """The handler's module has been imported: returns what the runtime shall call."""
        attempt("libraries", self._libraries.look)
        attempt("readiness", self._note_loaded)
        return Handler(handler, self._invoked)

    def _note_loaded(self) -> None:
        now = time()
        modules = self._profile and attempt("profile", self._profile.loaded)
        self._environment.handler_loaded(now, modules or ())
        if self._settings.initialization_type == "snap-start":
            from snapshot_restore_py import register_after_restore

            # Registered after all that the module registered while it loaded, so it runs last.
            register_after_restore(attempt, "restore", self._note_restored)

    def _note_restored(self) -> None:
        self._environment.restored(time())

    def _invoked(self) -> None:
        """An event is about to reach the handler: take the verdict, tell the sinks."""
        request_id = getattr(self._runtime, "_GLOBAL_AWS_REQUEST_ID", None)
        # The same object, not an equal one, which a retry has: the same event. Then somebody has
        # only looked at the handler, or called it again.
        if request_id is not None and request_id is self._request_id:
            return
        self._request_id = request_id
        start = attempt("verdict", self._verdict, request_id)
        set_current(start)
        if start is None:
            return
        self._libraries.tell(start)
        settings = self._settings
        if settings.metrics and start.sequence == 1:
            attempt("metrics", metrics.write, settings, start)
        trace = start.trace_header
        if settings.tracing and trace.sampled and trace.parent and trace.root:
            attempt("tracing", _annotate, settings, start)
        if self._profile is not None and start.sequence == 1:
            attempt("profile", self._profile.invoked, start)

    def _verdict(self, request_id: "str | None") -> "Start":
        environment = self._environment
        # Looked up anew each time: the function may have put another mapping there.
        text = os.environ.get(TRACE_HEADER)
        header = trace_header.parse(text, only_if_sampled=environment.sequence > 0)
        return environment.invoked(time(), request_id, header)


def _annotate(settings: Settings, start: "Start") -> None:
    from coldstart_layer import tracing

    tracing.annotate(settings, start)


def _start_profile(settings: Settings, times: "Any") -> "Profile":
    from coldstart_layer.profile import Profile

    return Profile(settings, *times)


class RuntimeFinder:
    """Import hook that sees the runtime module once, when it is imported, and then is gone.

    The runtime's own script decides where ``awslambdaric`` comes from; importing it before that
    script has run could find another copy.
    """

    def __init__(self, imported: "Callable[[ModuleType], None]") -> None:
        self._imported = imported

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "ModuleSpec | None":
        """Part of the import protocol: finds nothing itself but ``awslambdaric.bootstrap``."""
        if name != _RUNTIME:
            return None
        return attempt("instrumentation", self._find_runtime, path, target)

    def _find_runtime(self, path: object, target: object) -> "ModuleSpec | None":
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(_RUNTIME, path, target)  # type: ignore[arg-type]
            if spec is not None:
                self._watch(spec.loader)
                return spec
        return None

    def _watch(self, loader: "Any") -> None:
        exec_module = loader.exec_module

        def exec_and_tell(module: "ModuleType") -> None:
            del loader.exec_module  # ours, on the instance: the class's shows again
            exec_module(module)
            attempt("instrumentation", self._imported, module)

        loader.exec_module = exec_and_tell


def install(environ: "Mapping[str, str]", times: "Times", wrap_loader: "WrapLoader") -> None:
    """Get ready for the runtime to be imported. Arguments as for ``Instrument``."""
    instrument = Instrument(environ, times)

    def imported(runtime: "ModuleType") -> None:
        instrument.attach(runtime, wrap_loader)

    if _RUNTIME in sys.modules:
        imported(sys.modules[_RUNTIME])
    else:
        sys.meta_path.insert(0, RuntimeFinder(imported))
    instrument.installed()
