"""aws-xray-sdk: through its recorder, so that what the function configured there holds."""

from coldstart_layer import tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from coldstart_layer.start import Start


def annotate(sdk: "ModuleType", start: "Start") -> bool:
    """Add the leaf through the recorder of ``aws_xray_sdk.core``.

    Returns:
        False where the recorder is not the one for Lambda, so that it has no segment for the leaf.
        True where the leaf was added, or the function has switched the SDK off.
    """
    from aws_xray_sdk import global_sdk_config
    from aws_xray_sdk.core.lambda_launcher import LambdaContext

    if not global_sdk_config.sdk_enabled():
        return True
    recorder = sdk.xray_recorder
    if not isinstance(recorder.context, LambdaContext):
        return False
    began, ended = tracing.span(start)
    leaf = recorder.begin_subsegment(tracing.NAME)
    try:
        leaf.start_time = began
        for name, value in tracing.annotations(start).items():
            leaf.put_annotation(name, value)
    finally:
        recorder.end_subsegment(ended)
    return True
