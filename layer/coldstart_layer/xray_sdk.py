"""aws-xray-sdk: through its recorder, so that what the function configured there holds."""

from coldstart_layer import tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from coldstart_layer.start import Start


def annotate(core: "Any", start: "Start") -> bool:
    """Add the leaf through the recorder of ``aws_xray_sdk.core``.

    Returns:
        False where the recorder has no segment for this invocation, because its context is not the
        one for Lambda, or still that of an earlier invocation in the same trace; and where it does
        not send subsegments one by one. True where the leaf was added, or the function has
        switched the SDK off.
    """
    from aws_xray_sdk import global_sdk_config
    from aws_xray_sdk.core.lambda_launcher import LambdaContext

    if not global_sdk_config.sdk_enabled():
        return True
    recorder = core.xray_recorder
    if not isinstance(recorder.context, LambdaContext):
        return False
    if recorder.streaming_threshold:
        return False  # the leaf would wait there for others to go with
    if recorder.current_segment().id != start.trace_header.parent:
        return False
    began, ended = tracing.span(start)
    leaf = recorder.begin_subsegment(tracing.NAME)
    if leaf is None:
        return False
    try:
        leaf.start_time = began
        for name, value in tracing.annotations(start):
            leaf.put_annotation(name, value)
        _add_modules(recorder, start)
    finally:
        recorder.end_subsegment(ended)
    return True


def _add_modules(recorder: "Any", start: "Start") -> None:
    """What lies in the leaf, each one begun when it is and ended when the next one is no part."""
    open_ends: list[float] = []
    try:
        for depth, name, began, ended in tracing.modules(start):
            while len(open_ends) > depth:
                recorder.end_subsegment(open_ends.pop())
            recorder.begin_subsegment(name).start_time = began
            open_ends.append(ended)
    finally:
        while open_ends:
            recorder.end_subsegment(open_ends.pop())


def daemon_address(core: "Any") -> "str | None":
    """Where the recorder of ``aws_xray_sdk.core`` sends to; None if its emitter does not tell."""
    emitter = core.xray_recorder.emitter
    if not hasattr(emitter, "ip") or not hasattr(emitter, "port"):
        return None
    return f"{emitter.ip}:{emitter.port}"
