"""The decision table: facts in, verdict out. No clock and no environment of its own.

docs/design.md has the table with its reasons and sources.
"""

# The bound of Lambda's Init phase: a slow extension can hold back the first event for that long
# in a true cold start ("Init phase" in the Lambda developer guide, "Execution environment
# lifecycle").
_INIT_PHASE_SECONDS = 10.0

# How far the clock of whoever made the trace id may run ahead of ours.
_CLOCK_SKEW_SECONDS = 1.0


def classify(
    *,
    sequence: int,
    initialization_type: str,
    restarted: bool,
    ready_at: "float | None",
    invoked_at: float,
    trace_epoch: "int | None",
) -> "tuple[str, bool]":
    """Decide how one invocation was started.

    Args:
        sequence: 1 for the first invocation since the process started, or was restored.
        initialization_type: ``AWS_LAMBDA_INITIALIZATION_TYPE``.
        restarted: whether another runtime process ran in this sandbox before.
        ready_at: when the handler was loaded, or the restore completed (wall clock, epoch
            seconds); None where it is not known.
        invoked_at: when the event reached us (wall clock, epoch seconds).
        trace_epoch: the second in which the request's trace began, or None.

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
    if ready_at is not None and _was_ready_before(ready_at, invoked_at, trace_epoch):
        return "proactive", False
    if initialization_type == "snap-start":
        return "restore", True
    return "cold", True


def _was_ready_before(ready_at: float, invoked_at: float, trace_epoch: "int | None") -> bool:
    """Whether the environment was ready before the request existed."""
    # A trace that began while we stood ready: so did the request. One that began later than now is
    # a random id in W3C style, an older one may come from upstream: neither tells.
    if trace_epoch is not None and ready_at < trace_epoch <= invoked_at + _CLOCK_SKEW_SECONDS:
        return True
    return invoked_at - ready_at > _INIT_PHASE_SECONDS
