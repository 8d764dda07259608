"""aws-xray-sdk: through its recorder, so that what the function configured there holds."""

import os

from coldstart_layer.sinks import xray
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from coldstart_layer.sinks.xray import Span

_TRACE_HEADER = "_X_AMZN_TRACE_ID"


def annotate(core: "Any", start: Start, trace: TraceHeader, span: "Span") -> "str | None":
    """Add the leaf through the recorder of ``aws_xray_sdk.core``.

    Args:
        core: that module.
        start: the verdict.
        trace: the tracing header, with a root and a parent.
        span: begin and end of the leaf, in epoch seconds.

    Returns:
        The leaf's id; an empty one where the function has switched the SDK off, and there is to be
        no leaf. None where the recorder has no segment for this invocation, because its context is
        not the one for Lambda, or still that of an earlier invocation in the same trace; and where
        it does not send subsegments one by one.
    """
    from aws_xray_sdk import global_sdk_config
    from aws_xray_sdk.core.lambda_launcher import LambdaContext

    if not global_sdk_config.sdk_enabled():
        return ""
    recorder = core.xray_recorder
    if not isinstance(recorder.context, LambdaContext):
        return None
    if recorder.streaming_threshold:
        return None  # the leaf would wait there for others to go with
    # Where it reads the header. The runtime sets it to the same value a moment later.
    os.environ[_TRACE_HEADER] = trace.text or ""
    if recorder.current_segment().id != trace.parent:
        return None
    leaf = recorder.begin_subsegment(xray.NAME)
    if leaf is None:
        return None
    try:
        leaf.start_time = span[0]
        for name, value in xray.annotations(start):
            leaf.put_annotation(name, value)
    finally:
        recorder.end_subsegment(span[1])
    return str(leaf.id)


def daemon_address(core: "Any") -> "str | None":
    """Return where the recorder of ``aws_xray_sdk.core`` sends to; None if that is not known."""
    emitter = core.xray_recorder.emitter
    if not hasattr(emitter, "ip") or not hasattr(emitter, "port"):
        return None
    return f"{emitter.ip}:{emitter.port}"
