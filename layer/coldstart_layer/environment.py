"""What is known of the execution environment that this process runs in."""

import os

from coldstart_layer.classify import classify
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A Mersenne prime: the remainder of the name is its hash, with no module to import for it.
_PRIME = 2**127 - 1


def marker_path(log_stream: str) -> str:
    """The file that stands for the sandbox which writes to ``log_stream``."""
    digest = int.from_bytes(os.fsencode(log_stream), "big") % _PRIME
    return f"/tmp/.coldstart-{digest:032x}"


def sandbox_was_used_before(log_stream: "str | None") -> bool:
    """Whether an earlier runtime process ran in this sandbox. Leaves a marker for later ones.

    Lambda starts the runtime again in the same sandbox after a crash, a timeout or a failed init,
    and does not clear /tmp in between ("Failures during the invoke phase" in the Lambda developer
    guide, "Execution environment lifecycle").

    Args:
        log_stream: the name of the log stream, which is unique to a sandbox. Where there is none
            (SnapStart), or one that every sandbox shares (local emulators), the answer is no.

    Raises:
        OSError: the marker can neither be made nor found.
    """
    if not log_stream or log_stream == "$LATEST":
        return False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(marker_path(log_stream), flags, 0o600))
    except FileExistsError:
        return True
    return False


class Environment:
    """Collects the facts of one runtime process and turns each invocation into a ``Start``.

    All times are wall clock, in epoch seconds: an environment may be frozen between its init and
    its first invocation, and the clock that keeps counting then is the wall's.

    Attributes:
        sequence: how many invocations there have been since the start, or the restore.
    """

    __slots__ = (
        "_init_began_at",
        "_init_ended_at",
        "_init_modules",
        "_initialization_type",
        "_ready_at",
        "_restarted",
        "sequence",
    )

    def __init__(self, initialization_type: str, began_at: float, restarted: bool) -> None:
        """Start with what is known before the handler loads.

        Args:
            initialization_type: ``AWS_LAMBDA_INITIALIZATION_TYPE``.
            began_at: when the wrapper was started.
            restarted: whether another runtime process ran in this sandbox before.
        """
        self._initialization_type = initialization_type
        self._restarted = restarted
        self._init_began_at = began_at
        self._init_ended_at: float | None = None
        self._init_modules: Sequence[tuple[int, str, float, float]] = ()
        self._ready_at: float | None = None
        self.sequence = 0

    def handler_loaded(
        self, now: float, modules: "Sequence[tuple[int, str, float, float]]" = ()
    ) -> None:
        """The handler's module has been imported; ``modules`` as for ``Start.init_modules``."""
        self._init_ended_at = now
        self._init_modules = modules
        # Between here and its restore a SnapStart process is a file: it is ready after that.
        if self._initialization_type != "snap-start":
            self._ready_at = now

    def restored(self, now: float) -> None:
        """The process has come back from a SnapStart snapshot."""
        self._ready_at = now
        self.sequence = 0

    def invoked(self, now: float, request_id: "str | None", trace_header: TraceHeader) -> Start:
        """An event has reached the runtime: the verdict on it."""
        self.sequence += 1
        start_type, cold_start = classify(
            sequence=self.sequence,
            initialization_type=self._initialization_type,
            restarted=self._restarted,
            ready_at=self._ready_at,
            invoked_at=now,
            trace_epoch=trace_header.epoch,
        )
        start = Start(
            cold_start,
            start_type,
            self._initialization_type,
            request_id,
            self.sequence,
            trace_header,
        )
        if start_type != "warm":
            self._add_init(start, now)
        return start

    def _add_init(self, start: Start, now: float) -> None:
        began, ended, ready = self._init_began_at, self._init_ended_at, self._ready_at
        from_snapshot = self._initialization_type == "snap-start" and start.start_type != "reinit"
        # A clock that was set back in between makes a negative duration: better none.
        if not from_snapshot and ended is not None and ended >= began:
            start.init_duration_ms = round((ended - began) * 1000, 3)
            # The init belongs to this request only if the request waited for it. That of a
            # provisioned or proactive environment may have been hours ago.
            if start.start_type in ("cold", "reinit"):
                start.init_span = (began, ended)
                start.init_modules = self._init_modules
        if ready is not None and now >= ready:
            start.idle_ms = round((now - ready) * 1000, 3)
