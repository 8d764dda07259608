"""Annotates the trace of a sampled invocation with the verdict.

Through the X-Ray SDK where the function has loaded it; else with a datagram of our own: importing
the SDK costs tens of milliseconds of init, a datagram costs microseconds.

Formats: "X-Ray segment documents" and "X-Ray daemon" in the AWS X-Ray developer guide.
"""

import os
import sys

from coldstart_layer.guard import attempt
from coldstart_layer.metrics import dumps, time
from coldstart_layer.settings import Settings
from coldstart_layer.start import Start

NAME = "coldstart"
_DATAGRAM_HEADER = '{"format":"json","version":1}\n'


def annotate(settings: Settings, start: Start) -> None:
    """Add a leaf with the verdict to the trace of a sampled invocation.

    Raises:
        ValueError: ``AWS_XRAY_DAEMON_ADDRESS`` is not an address.
        OSError: the datagram could not be sent.
    """
    address: str | None = None
    sdk = sys.modules.get("aws_xray_sdk.core")
    if sdk is not None:
        from coldstart_layer import xray_sdk

        if attempt("aws_xray_sdk", xray_sdk.annotate, sdk, start):
            return
        address = attempt("aws_xray_sdk", xray_sdk.daemon_address, sdk)
    send(address or settings.daemon_address, subsegment(start))


def annotations(start: Start) -> "dict[str, object]":
    """The annotations that carry the verdict."""
    return {
        "ColdStart": start.cold_start,
        "InitializationType": start.initialization_type,
        "StartType": start.start_type,
    }


def span(start: Start) -> "tuple[float, float]":
    """Begin and end of the leaf: the init the request waited for, else this instant."""
    now = time()
    return start.init_span or (now, now)


def modules(start: Start) -> "list[tuple[int, str, float, float]]":
    """What the leaf shows of a profiled init: depth, name, begin and end of each."""
    return [
        (depth, name if name.startswith("client ") else f"import {name}", began, ended)
        for depth, name, began, ended in start.init_modules
    ]


def subsegment(start: Start) -> "dict[str, object]":
    """The leaf as a document of its own, field for field what the X-Ray SDK would send."""
    began, ended = span(start)
    leaf: dict[str, object] = {
        "id": os.urandom(8).hex(),
        "name": NAME,
        "start_time": began,
        "parent_id": start.trace_header.parent,
        "in_progress": False,
        "annotations": annotations(start),
        "trace_id": start.trace_header.root,
        "type": "subsegment",
        "namespace": "local",
        "end_time": ended,
    }
    # What lies in a subsegment is part of its document.
    path = [leaf]
    for depth, name, module_began, module_ended in modules(start):
        del path[depth + 1 :]
        part: dict[str, object] = {
            "id": os.urandom(8).hex(),
            "name": name,
            "start_time": module_began,
            "end_time": module_ended,
        }
        path[-1].setdefault("subsegments", []).append(part)  # type: ignore[attr-defined]
        path.append(part)
    return leaf


def udp_address(text: str) -> "tuple[str, int]":
    """Where the X-Ray daemon listens.

    Args:
        text: ``AWS_XRAY_DAEMON_ADDRESS``: ``ip:port``, or ``tcp:ip:port udp:ip:port``. A host name
            is refused, because looking it up could hold back the function.

    Raises:
        ValueError: it is neither.
    """
    import _socket

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


def send(daemon_address: str, document: "dict[str, object]") -> None:
    """Send one document to the X-Ray daemon as one UDP datagram; never waits.

    The socket is opened anew each time, for microseconds: one that is kept could be closed by the
    function, and its number belong to a file of the function's by the next invocation.

    Raises:
        ValueError: ``daemon_address`` is not an address.
        OSError: the datagram could not be sent.
    """
    import _socket  # the part of `socket` that costs 0.3 ms instead of 4, and only where sampled

    address = udp_address(daemon_address)
    family = _socket.AF_INET6 if ":" in address[0] else _socket.AF_INET
    kind = _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
    udp = _socket.socket(family, kind)
    try:
        udp.sendto((_DATAGRAM_HEADER + dumps(document)).encode(), address)
    finally:
        udp.close()
