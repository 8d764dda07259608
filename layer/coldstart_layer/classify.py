"""The decision table: facts in, verdict out. No clock and no environment of its own.

docs/design.md has the table with its reasons and sources.
"""

# How long the first event of a true cold start can be held back after the runtime asked for it.
# With an extension: until that is ready, for as long as the Init phase may take ("Init phase" in
# the Lambda developer guide, "Execution environment lifecycle"). Without one the Init phase is over
# as soon as the runtime asks, and a request that waits is handed over at once.
_HELD_BACK_WITH_EXTENSION = 10.0
_HELD_BACK = 1.0


def classify(
    *,
    sequence: int,
    initialization_type: str = "unknown",
    restarted: bool = False,
    ready_at: "float | None" = None,
    invoked_at: float = 0.0,
    born_at: "float | None" = None,
    root: "int | None" = None,
    has_extension: bool = True,
) -> "tuple[str, bool]":
    """Decide how one invocation was started. All times are wall clock, in epoch seconds.

    Args:
        sequence: 1 for the first invocation since the process started, or was restored.
        initialization_type: ``AWS_LAMBDA_INITIALIZATION_TYPE``.
        restarted: whether another runtime process ran in this execution environment before.
        ready_at: when the runtime first asked for an event; None where that is not known.
        invoked_at: when the event reached us.
        born_at: when API Gateway or a function URL received the request, if the event says so.
        root: the second in which the request's trace began, if it has one.
        has_extension: whether an extension runs beside the function.

    Returns:
        The start type, and whether it was a cold start.
    """
    if sequence != 1:
        return "warm", False
    if initialization_type == "lambda-managed-instances":
        return "managed", False
    provisioned = initialization_type == "provisioned-concurrency"
    if restarted:
        return "reinit", not provisioned
    if provisioned:
        return "provisioned", False
    if ready_at is not None:
        held_back = _HELD_BACK_WITH_EXTENSION if has_extension else _HELD_BACK
        if _existed_later(ready_at, invoked_at, born_at, root) or invoked_at - ready_at > held_back:
            return "proactive", False
    if initialization_type == "snap-start":
        return "restore", True
    return "cold", True


def _existed_later(
    ready_at: float, invoked_at: float, born_at: "float | None", root: "int | None"
) -> bool:
    """Whether the request is known to have come into being after the environment was ready."""
    if born_at is not None and born_at <= invoked_at:
        return ready_at < born_at
    # A caller that sends the trace header fills it by a clock of its own, or at random: a root
    # later than now proves nothing. An older one may come from upstream: nor does that.
    return root is not None and ready_at < root <= invoked_at
