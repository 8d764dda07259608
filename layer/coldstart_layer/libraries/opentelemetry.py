"""OpenTelemetry: the invocation's server span carries the verdict.

``faas.coldstart`` is an attribute of the semantic conventions for FaaS spans, which Python's
instrumentation does not set; the other two are named like it.
"""

import sys

from coldstart_layer.guard import attempt
from coldstart_layer.start import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from coldstart_layer.start import Start


def attach() -> "Callable[[Start], None]":
    """What adds a span processor to the function's tracer provider, once there is one."""
    attached = False

    def agree(_start: "Start") -> None:
        nonlocal attached
        if attached:
            return
        # Asked by its public getter, the API could set up a provider that the function never did.
        provider = sys.modules["opentelemetry.trace"]._TRACER_PROVIDER
        if provider is None:
            return
        attached = True
        sdk: Any = sys.modules["opentelemetry.sdk.trace"]
        if isinstance(provider, sdk.TracerProvider):
            provider.add_span_processor(_processor(sdk))

    return agree


def _processor(sdk: "Any") -> object:
    told: Start | None = None

    def annotate(span: "Any") -> None:
        nonlocal told
        start = current()
        if start is None or start is told:
            return
        if getattr(span.kind, "name", None) not in ("SERVER", "CONSUMER"):
            return
        if span.parent is not None and not span.parent.is_remote:
            return  # what the function itself serves while it handles the invocation
        told = start
        given = span.attributes or {}
        ours = {
            "faas.coldstart": start.cold_start,
            "aws.lambda.initialization_type": start.initialization_type,
            "aws.lambda.start_type": start.start_type,
        }
        # Over its limit a span drops the attributes that it had first: better none of ours.
        limit = span._limits.max_span_attributes
        if limit is not None and len(given) + len(ours) > limit:
            return
        for name, value in ours.items():
            if name not in given:
                span.set_attribute(name, value)

    class StartAttributes(sdk.SpanProcessor):  # type: ignore[misc]
        """Puts the verdict on the first span of each invocation that stands for it."""

        def on_start(self, span: "Any", parent_context: object = None) -> None:  # noqa: ARG002
            attempt("verdict in opentelemetry", annotate, span)

    return StartAttributes()
