"""What is known of other tools' exec wrappers: whether they run the command that they are given."""

from __future__ import annotations

# Tested with ours inside, or around, them (tests/layer/test_exec_wrappers.py).
_CHAIN = {"/opt/datadog_wrapper", "/opt/otel-instrument"}
# https://github.com/awslabs/aws-lambda-web-adapter: runs the handler as a program of its own.
_DO_NOT_CHAIN = {
    "/opt/bootstrap": "the Lambda Web Adapter's wrapper runs the handler as a program of its own,"
    " not under Lambda's Python runtime: the layer will tell nothing there",
}


def warning(wrapper: str) -> str | None:
    """What to say where this wrapper is to run inside ours; None where it is known to work.

    Args:
        wrapper: its path.
    """
    if wrapper in _CHAIN:
        return None
    return objection(wrapper) or (
        f"{wrapper} has not been tried with ours: it works if it ends by running the command"
        " that it is given, as AWS's examples do"
    )


def objection(wrapper: str) -> str | None:
    """Why the layer cannot work together with this wrapper; None where that is not known of it.

    Args:
        wrapper: its path.
    """
    return _DO_NOT_CHAIN.get(wrapper)
