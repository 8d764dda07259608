"""How we get in: the one file that knows ``awslambdaric``, Lambda's runtime.

Its loop loads the handler (``_get_handler``), then asks for one event after the other
(``wait_next_invocation``) and calls the handler with each. These two are patched, as soon as the
runtime has been imported, wherever from. The handler itself is never touched.
"""

import sys

from coldstart_layer.guard import attempt, warn
from coldstart_layer.invocations import Invocations
from coldstart_layer.process import is_restarted
from coldstart_layer.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from coldstart_layer.process import Times

_RUNTIME = "awslambdaric.bootstrap"
_WAIT = "wait_next_invocation"
_LOADERS = ("_get_handler", "get_handler")  # the second one in versions 4.1.0 and 4.2.0 only


def install(environ: "Mapping[str, str]", times: "Times") -> None:
    """Read the settings, and get ready for the runtime to be imported.

    Args:
        environ: the environment variables.
        times: of the start so far.
    """
    settings = Settings(environ)
    for warning in settings.warnings:
        warn(warning)
    profile: Any = None
    if settings.profile:
        profile = attempt("profile", _start_profile, settings, times)
    restarted = attempt("restart detection", is_restarted, settings.log_stream)
    invocations = Invocations(settings, times[0], bool(restarted), profile)

    def imported(runtime: "ModuleType") -> None:
        invocations.attached()
        is_managed = settings.initialization_type == "lambda-managed-instances"
        watch_loading(runtime, invocations.loading, in_each_worker=is_managed)
        watch_events(runtime, invocations)

    if _RUNTIME in sys.modules:
        imported(sys.modules[_RUNTIME])
    else:
        sys.meta_path.insert(0, RuntimeFinder(imported))
    if profile is not None:
        attempt("profile", profile.installed)


def _start_profile(settings: Settings, times: "Times") -> object:
    from coldstart_layer.profiling.profile import Profile

    return Profile(settings, times)


def watch_events(runtime: "Any", invocations: Invocations) -> None:
    """Have ``invocations`` told when the runtime asks for an event, and when it has one.

    Patched in the class that defines the method: from version 4.0.0 on the client for managed
    instances inherits it from the same one.
    """
    client = getattr(runtime, "LambdaRuntimeClient", None)
    owner = next((it for it in getattr(client, "__mro__", ()) if _WAIT in vars(it)), None)
    if owner is None:
        warn(f"not started: this version of awslambdaric has no {_WAIT}")
        return
    original = vars(owner)[_WAIT]

    def wait_next_invocation(*args: object, **kwargs: object) -> object:
        if invocations.sequence < 2:
            attempt("readiness", invocations.awaited)
        try:
            request = original(*args, **kwargs)
        except BaseException as error:
            # The runtime reports it, with a stack trace that we are to be left out of.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        attempt("signals", invocations.invoked, request)
        return request

    setattr(owner, _WAIT, wait_next_invocation)


def watch_loading(runtime: "Any", loading: "Callable[[], None]", in_each_worker: bool) -> None:
    """Have ``loading()`` called when the runtime is about to load the handler's module.

    Args:
        runtime: the module ``awslambdaric.bootstrap``.
        loading: what to call.
        in_each_worker: whether the runtime forks workers, each of which sets up logging and asks
            for the handler anew. Elsewhere it has its loader back before the module loads.
    """
    name = next((it for it in _LOADERS if hasattr(runtime, it)), None)
    if name is None:
        warn(f"log column skipped: this version of awslambdaric has no {_LOADERS[0]}")
        return
    loader = getattr(runtime, name)

    def before() -> None:
        if not in_each_worker and getattr(runtime, name) is watched:
            setattr(runtime, name, loader)
        loading()

    watched = WatchedLoader(loader, before)
    setattr(runtime, name, watched)


class WatchedLoader:
    """Stands in for the runtime's loader.

    ``__call__`` is a property: to call this object, the interpreter first reads it, which is where
    our code runs, and then calls what it got: the runtime's own loader. So no frame of ours is on
    the stack while the user's module is imported.
    """

    def __init__(self, loader: "Callable[..., object]", before: "Callable[[], None]") -> None:
        self._loader = loader
        self._before = before

    @property
    def __call__(self) -> "Callable[..., object]":
        """The runtime's loader."""
        attempt("loading", self._before)
        return self._loader


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
            find = getattr(finder, "find_spec", None)  # the interpreter passes over those without
            spec: ModuleSpec | None = find and find(_RUNTIME, path, target)
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
