"""Annotates the trace of a sampled invocation with the verdict.

Through the X-Ray SDK where the function has loaded it; else with a datagram of our own: importing
the SDK costs tens of milliseconds of init, a datagram costs microseconds.

Formats: "X-Ray segment documents" and "X-Ray daemon" in the AWS X-Ray developer guide.
"""

import _socket  # the part of `socket` that takes 0.3 ms instead of 4, and only where one is sampled
import os
import sys
from functools import lru_cache

from coldstart_layer.guard import attempt
from coldstart_layer.output import Output, now
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    Span = tuple[float, float]

NAME = "coldstart"
_DATAGRAM_HEADER = '{"format":"json","version":1}\n'


def annotate(output: Output, start: Start, trace: TraceHeader, init_span: "Span | None") -> str:
    """Add a leaf with the verdict to the trace of a sampled invocation.

    Args:
        output: makes JSON.
        start: the verdict.
        trace: the tracing header, with a root and a parent.
        init_span: begin and end of the init that this request waited for, in epoch seconds.

    Returns:
        The leaf's id; empty where the function has switched its tracing off.

    Raises:
        ValueError: ``AWS_XRAY_DAEMON_ADDRESS`` is not an address.
        OSError: the datagram could not be sent.
    """
    span = init_span or (now(),) * 2  # an instant, where it waited for none
    sdk = sys.modules.get("aws_xray_sdk.core")
    if sdk is not None:
        from coldstart_layer.libraries import aws_xray_sdk

        added = attempt("aws_xray_sdk", aws_xray_sdk.annotate, sdk, start, trace, span)
        if added is not None:
            return added
    leaf = new_id()
    # The ids are known to need no escapes.
    document = (
        f'{{"id": "{leaf}", "trace_id": "{trace.root}", "parent_id": "{trace.parent}",'
        f' "start_time": {span[0]!r}, "end_time": {span[1]!r}, '
    )
    send(output, document + _annotated(output, annotations(start)))
    return leaf


def annotations(start: Start) -> "tuple[tuple[str, object], ...]":
    """Return the annotations that carry the verdict: names and values."""
    return (
        ("ColdStart", start.cold_start),
        ("InitializationType", start.initialization_type),
        ("StartType", start.start_type),
    )


@lru_cache(maxsize=4)
def _annotated(output: Output, annotations: "tuple[tuple[str, object], ...]") -> str:
    """Encode the end of the document once: it is the same from the second invocation on.

    The fields are those that the X-Ray SDK would send.
    """
    fields = {
        "name": NAME,
        "type": "subsegment",
        "namespace": "local",
        "in_progress": False,
        "annotations": dict(annotations),
    }
    return output.encode(fields)[1:]


def new_id() -> str:
    """Draw the id of a subsegment."""
    return os.urandom(8).hex()


@lru_cache(maxsize=1)
def udp_address(text: str) -> "tuple[str, int]":
    """Read where the X-Ray daemon listens.

    Args:
        text: ``AWS_XRAY_DAEMON_ADDRESS``: ``ip:port``, or ``tcp:ip:port udp:ip:port``. A host name
            is refused, because looking it up could hold back the function.

    Raises:
        ValueError: it is neither.
    """
    address = text.strip()
    for part in address.split():
        if part.startswith("udp:"):
            address = part[4:]
    host, _, port = address.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        _socket.inet_pton(_socket.AF_INET6 if ":" in host else _socket.AF_INET, host)
        if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
            return host, int(port)
    except (OSError, ValueError):
        pass
    raise ValueError(f"AWS_XRAY_DAEMON_ADDRESS={text[:80]!r} is not an IP address and a port")


def send(output: Output, document: str) -> None:
    """Send one document, as JSON, to the X-Ray daemon as one UDP datagram; never waits.

    The daemon is the one that the X-Ray SDK sends to, if the function has loaded that. The socket
    is opened anew each time, for microseconds: one that is kept could be closed by the function,
    and its number belong to a file of the function's by the next invocation.

    Raises:
        ValueError: ``AWS_XRAY_DAEMON_ADDRESS`` is not an address.
        OSError: the datagram could not be sent.
    """
    daemon = None
    sdk = sys.modules.get("aws_xray_sdk.core")
    if sdk is not None:
        from coldstart_layer.libraries import aws_xray_sdk

        daemon = attempt("aws_xray_sdk", aws_xray_sdk.daemon_address, sdk)
    address = udp_address(daemon or output.settings.daemon_address)
    family = _socket.AF_INET6 if ":" in address[0] else _socket.AF_INET
    kind = _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
    udp = _socket.socket(family, kind)
    try:
        udp.sendto((_DATAGRAM_HEADER + document).encode(), address)
    finally:
        udp.close()
