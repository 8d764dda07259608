"""The verdict on one invocation, as the sinks and the user's code see it."""

from coldstart_layer.trace_header import TraceHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Start:
    """How the execution environment came to serve one invocation.

    Attributes:
        cold_start: whether this request waited for its environment to start.
        start_type: ``warm``, ``managed``, ``reinit``, ``provisioned``, ``proactive``, ``restore``
            or ``cold``.
        initialization_type: ``AWS_LAMBDA_INITIALIZATION_TYPE`` as it is; ``unknown`` where unset.
        init_duration_ms: from the start of the wrapper until the handler was loaded, in
            milliseconds. None for a warm start, and for an environment restored from a SnapStart
            snapshot: its init ran when the version was published.
        request_id: the request id of the invocation; None where the runtime does not tell.
        sequence: 1 for the first invocation since the process started or was restored, then 2, …
        idle_ms: how long the environment had been ready when the request came, in milliseconds;
            None for a warm start, or where it is not known.
        init_span: begin and end of the init this request waited for, in epoch seconds, or None.
        trace_header: the X-Ray tracing header of the invocation.
        init_modules: depth, name, begin and end of the modules that took long in that init, if it
            was profiled; each one follows what it lies in.
    """

    # On the class, since that is what they are for all but a process's first invocation.
    init_duration_ms: "float | None" = None
    idle_ms: "float | None" = None
    init_span: "tuple[float, float] | None" = None
    init_modules: "Sequence[tuple[int, str, float, float]]" = ()

    def __init__(
        self,
        cold_start: bool,
        start_type: str,
        initialization_type: str,
        request_id: "str | None",
        sequence: int,
        trace_header: TraceHeader,
    ) -> None:
        self.cold_start = cold_start
        self.start_type = start_type
        self.initialization_type = initialization_type
        self.request_id = request_id
        self.sequence = sequence
        self.trace_header = trace_header

    def __repr__(self) -> str:
        return (
            f"Start(cold_start={self.cold_start!r}, start_type={self.start_type!r},"
            f" initialization_type={self.initialization_type!r},"
            f" init_duration_ms={self.init_duration_ms!r}, request_id={self.request_id!r},"
            f" sequence={self.sequence!r})"
        )


class _Current:
    """Holds the one ``Start`` that is current in this process."""

    __slots__ = ("start",)

    def __init__(self) -> None:
        self.start: Start | None = None


_current = _Current()


def current() -> "Start | None":
    """The start behind the invocation that runs now.

    Returns:
        The ``Start``, or None where there is none: while the handler's module loads, where the
        layer is switched off, and outside Lambda, so that a handler which asks still runs in its
        own unit tests. Between two invocations it is that of the last one.
    """
    return _current.start


def set_current(start: "Start | None") -> None:
    """Make ``start`` what ``current()`` answers."""
    _current.start = start
