"""The verdict on one invocation, as the user's code sees it."""


class Start:
    """How the execution environment came to serve one invocation.

    A unit test can make one: only the first three arguments are needed.

    Attributes:
        cold_start: whether this request waited for its environment to start; always false under
            provisioned concurrency.
        start_type: ``warm``, ``managed``, ``reinit``, ``provisioned``, ``proactive``, ``restore``
            or ``cold``.
        initialization_type: ``AWS_LAMBDA_INITIALIZATION_TYPE`` as it is; ``unknown`` where unset.
        init_duration_ms: from the start of the wrapper until the runtime asked for its first event,
            in milliseconds. None for a warm start; for an environment restored from a SnapStart
            snapshot, whose init ran when the version was published; and where the clock was set
            back meanwhile.
        request_id: the request id of the invocation; None where the runtime does not tell.
        sequence: 1 for the first invocation since the process started or was restored, then 2, …
    """

    def __init__(
        self,
        cold_start: bool,
        start_type: str,
        initialization_type: str,
        init_duration_ms: "float | None" = None,
        request_id: "str | None" = None,
        sequence: int = 1,
    ) -> None:
        self.cold_start = cold_start
        self.start_type = start_type
        self.initialization_type = initialization_type
        self.init_duration_ms = init_duration_ms
        self.request_id = request_id
        self.sequence = sequence

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Start({fields})"


# The one that is current in this process.
_current: "list[Start | None]" = [None]


def current() -> "Start | None":
    """Return the start behind the invocation that runs now.

    Returns:
        The ``Start``, or None where there is none: while the handler's module loads, where the
        layer is switched off, and outside Lambda, so that a handler which asks still runs in its
        own unit tests. Between two invocations it is that of the last one.
    """
    return _current[0]


def set_current(start: "Start | None") -> None:
    """Make ``start`` what ``current()`` answers."""
    _current[0] = start
