"""Follows one runtime process through its invocations: facts, verdict, ``Start``, sinks.

``runtime.py`` calls in: when the handler's module is about to load, when the runtime asks for an
event, and when it has one. All times are wall clock, in epoch seconds: an environment may be frozen
between its init and its first invocation, and the clock that keeps counting then is the wall's.
"""

import os

from coldstart_layer.classify import classify
from coldstart_layer.guard import attempt
from coldstart_layer.libraries import Libraries
from coldstart_layer.output import Output, now
from coldstart_layer.sinks import emf, logs
from coldstart_layer.start import Start, set_current
from coldstart_layer.trace_header import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from coldstart_layer.profiling.profile import Profile
    from coldstart_layer.settings import Settings
    from coldstart_layer.trace_header import TraceHeader

_EXTENSIONS = "/opt/extensions"
_CONTEXT = b'"requestContext"'
_SEARCHED = 65536


class Invocations:
    """The invocations of this process.

    Attributes:
        sequence: how many there have been since the start, or the restore.
    """

    def __init__(
        self, settings: "Settings", began_at: float, restarted: bool, profile: "Profile | None"
    ) -> None:
        """Start with what is known before the runtime is imported.

        Args:
            settings: the configuration of the layer and of the function.
            began_at: when the wrapper was started.
            restarted: whether another runtime process ran in this execution environment before.
            profile: follows the same process, under COLDSTART_PROFILE.
        """
        self._settings = settings
        self._began_at = began_at
        self._restarted = restarted
        self._profile = profile
        self._loading_in: int | None = None
        self._is_initialized = False
        self._ready_at: float | None = None
        self.sequence = 0

    def attached(self) -> None:
        """The runtime has been imported, and with it what the sinks need."""
        self._output = Output(self._settings)
        self._libraries = Libraries(self._settings)
        if self._settings.logs:
            logs.add_fields(self._settings.initialization_type)

    def loading(self) -> None:
        """The runtime has set up logging and is about to import the handler's module.

        Once in each process: what a tool asks the loader for meanwhile finds what the function made
        of the log format and of stdout.
        """
        if self._loading_in == os.getpid() or self._ready_at is not None:
            return
        self._loading_in = os.getpid()
        self._output.note_file()
        if self._settings.logs:
            attempt("log column", logs.add_column)
        if self._settings.initialization_type == "snap-start":
            attempt("snapshot", _before_snapshot, self.initialized)
        if self._profile is not None:
            attempt("profile", self._profile.loading, self._output)

    def initialized(self) -> None:
        """The handler's module has been imported."""
        if self._is_initialized:
            return
        self._is_initialized = True
        attempt("libraries", self._libraries.look)
        if self._profile is not None:
            attempt("profile", self._profile.initialized)

    def awaited(self) -> None:
        """The runtime asks for its first event, or for its second."""
        if self.sequence == 0:
            self._ready_at = self._ready_at or now()
            self.initialized()
        elif self._profile is not None:
            attempt("profile", self._profile.first_invocation_over)

    def invoked(self, request: "Any") -> None:
        """An event is about to go on to the handler: take the verdict, tell the sinks."""
        set_current(None)
        self.sequence += 1
        first = self.sequence == 1
        trace = parse(request.x_amzn_trace_id, only_if_sampled=not first)
        idle_ms = init_span = None
        if first:
            start, idle_ms, init_span = self._first_start(request, trace)
        else:
            start_type, cold_start = classify(sequence=self.sequence)
            start = Start(
                cold_start,
                start_type,
                self._settings.initialization_type,
                None,
                request.invoke_id,
                self.sequence,
            )
        set_current(start)
        self._libraries.tell(start)
        if first and self._settings.metrics:
            attempt("metrics", emf.write, self._output, start, trace, idle_ms)
        leaf = None
        if trace.sampled and trace.parent and trace.root and self._settings.tracing:
            leaf = attempt("tracing", self._annotate, start, trace, init_span)
        if first and self._profile is not None:
            attempt("profile", self._profile.invoked, start, trace, init_span, leaf)

    def _first_start(
        self, request: "Any", trace: "TraceHeader"
    ) -> "tuple[Start, float | None, tuple[float, float] | None]":
        """Take the verdict on the first event.

        Returns:
            The start; how long the environment had been ready, in milliseconds; begin and end of
            the init that the request waited for. The last two are None where there are none.
        """
        invoked_at = now()
        settings, began, ready = self._settings, self._began_at, self._ready_at
        start_type, cold_start = classify(
            sequence=self.sequence,
            initialization_type=settings.initialization_type,
            restarted=self._restarted,
            ready_at=ready,
            invoked_at=invoked_at,
            born_at=born_at(request.event_body, self._output.decode),
            root=trace.epoch,
            has_extension=attempt("extensions", has_extension) is not False,
        )
        duration_ms = idle_ms = init_span = None
        if ready is not None:
            # The init of a snapshot ran when the version was published; and a clock that was set
            # back in between makes a negative duration: better none.
            restored = settings.initialization_type == "snap-start" and not self._restarted
            if not restored and ready >= began:
                duration_ms = round((ready - began) * 1000, 3)
                # The init belongs to this request only if the request waited for it. That of a
                # provisioned or proactive environment may have been hours ago.
                if start_type in ("cold", "reinit"):
                    init_span = (began, ready)
            if invoked_at >= ready:
                idle_ms = round((invoked_at - ready) * 1000, 3)
        start = Start(
            cold_start,
            start_type,
            settings.initialization_type,
            duration_ms,
            request.invoke_id,
            self.sequence,
        )
        return start, idle_ms, init_span

    def _annotate(
        self, start: Start, trace: "TraceHeader", init_span: "tuple[float, float] | None"
    ) -> str:
        from coldstart_layer.sinks.xray import annotate  # 0.3 ms: only where a request is traced

        return annotate(self._output, start, trace, init_span)


def _before_snapshot(initialized: "Callable[[], None]") -> None:
    """Have it called before SnapStart's snapshot is taken: what it does, no request then waits for.

    "Implement code before or after Lambda function snapshots" in the Lambda developer guide.
    """
    from snapshot_restore_py import register_before_snapshot

    register_before_snapshot(initialized)  # the first one to be registered is the last one to run


def born_at(event: object, decode: "Callable[[str, int], tuple[Any, int]]") -> "float | None":
    """Find when API Gateway or a function URL received the request.

    ``requestContext.timeEpoch`` (HTTP API, function URL) or ``requestContext.requestTimeEpoch``
    (REST API, WebSocket API): "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda
    proxy integrations" in the API Gateway developer guide. What a client sends stands in JSON
    strings, where each quote is escaped: none of it can be taken for this object.

    Args:
        event: the event's bytes; only their beginning is looked at, and only the object is parsed.
        decode: reads the JSON value that begins at an index of a text.

    Returns:
        Epoch seconds, or None.
    """
    if type(event) is not bytes:
        return None
    at = event.find(_CONTEXT, 0, _SEARCHED)
    while at >= 0:
        at += len(_CONTEXT)
        if b"".join(event[at : at + 16].split())[:2] == b":{":
            context = event[event.index(b"{", at) : _SEARCHED]
            return _received_at(context.decode(errors="replace"), decode)
        at = event.find(_CONTEXT, at, _SEARCHED)
    return None


def _received_at(text: str, decode: "Callable[[str, int], tuple[Any, int]]") -> "float | None":
    try:
        context, _ = decode(text, 0)
    except (ValueError, RecursionError):
        return None  # longer than what is looked at, or no JSON
    for name in ("requestTimeEpoch", "timeEpoch"):
        milliseconds = context.get(name)
        # Of thirteen digits: some emulators have seconds there.
        if type(milliseconds) is int and 10**12 <= milliseconds < 10**13:
            return milliseconds / 1000
    return None


def has_extension() -> bool:
    """Tell whether an extension may run beside the function: a file in ``/opt/extensions``.

    Lambda runs those as processes of their own ("Using the Lambda Extensions API", Lambda developer
    guide). One that registers from within the function's process does not show there.
    """
    try:
        with os.scandir(_EXTENSIONS) as entries:
            return any(entry.is_file() for entry in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # there is something that cannot be looked into
