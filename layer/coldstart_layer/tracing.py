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
from coldstart_layer.metrics import dumps, time
from coldstart_layer.settings import Settings
from coldstart_layer.start import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def annotations(start: Start) -> "tuple[tuple[str, object], ...]":
    """The annotations that carry the verdict: names and values."""
    return (
        ("ColdStart", start.cold_start),
        ("InitializationType", start.initialization_type),
        ("StartType", start.start_type),
    )


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


def subsegment(start: Start) -> str:
    """The leaf as a document of its own, with the fields that the X-Ray SDK would send, as JSON."""
    began, ended = span(start)
    header = start.trace_header
    # The ids are known to need no escapes.
    document = (
        f'{{"id": "{_id()}", "trace_id": "{header.root}", "parent_id": "{header.parent}",'
        f' "start_time": {began!r}, "end_time": {ended!r}, '
    )
    if start.init_modules:
        document += f'"subsegments": {dumps(_nested(start))}, '
    return document + _annotated(annotations(start))


@lru_cache(maxsize=4)
def _annotated(annotations: "tuple[tuple[str, object], ...]") -> str:
    """The end of the document, encoded once: it stays the same from the second invocation on."""
    fields = {
        "name": NAME,
        "type": "subsegment",
        "namespace": "local",
        "in_progress": False,
        "annotations": dict(annotations),
    }
    return dumps(fields)[1:]


def _nested(start: Start) -> "list[dict[str, object]]":
    """What lies in the leaf, which is part of its document."""
    leaf: dict[str, Any] = {"subsegments": []}
    path = [leaf]
    for depth, name, began, ended in modules(start):
        del path[depth + 1 :]
        part = {"id": _id(), "name": name, "start_time": began, "end_time": ended}
        path[-1].setdefault("subsegments", []).append(part)
        path.append(part)
    return leaf["subsegments"]  # type: ignore[no-any-return]


def _id() -> str:
    return os.urandom(8).hex()


@lru_cache(maxsize=1)
def udp_address(text: str) -> "tuple[str, int]":
    """Where the X-Ray daemon listens.

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


def send(daemon_address: str, document: str) -> None:
    """Send one document, as JSON, to the X-Ray daemon as one UDP datagram; never waits.

    The socket is opened anew each time, for microseconds: one that is kept could be closed by the
    function, and its number belong to a file of the function's by the next invocation.

    Raises:
        ValueError: ``daemon_address`` is not an address.
        OSError: the datagram could not be sent.
    """
    address = udp_address(daemon_address)
    family = _socket.AF_INET6 if ":" in address[0] else _socket.AF_INET
    kind = _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
    udp = _socket.socket(family, kind)
    try:
        udp.sendto((_DATAGRAM_HEADER + document).encode(), address)
    finally:
        udp.close()
