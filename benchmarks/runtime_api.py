"""The Lambda Runtime API for one process at a time, with a clock.

A plain socket in place of the local Lambda's aiohttp server, which takes longer to answer than the
differences of a few microseconds that are to be seen here. It knows the requests that
``awslambdaric`` makes of an on-demand environment, and no others. Specification: "Using the Lambda
runtime API for custom runtimes" in the Lambda developer guide.

It asks for what is there over and over, instead of sleeping until something is: waking up takes
tens of microseconds on a virtual machine, now more and now less.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

_TIMEOUT_S = 600  # under valgrind all takes fifty times as long
_T = TypeVar("_T")
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"


class FunctionError(Exception):
    """The process did not do what was waited for; the message says what it did instead."""


class RuntimeApi:
    """Listens on a free loopback port. Times are of ``time.monotonic_ns``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._connection: socket.socket | None = None

    @property
    def address(self) -> str:
        """For ``AWS_LAMBDA_RUNTIME_API``."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def wait_until_ready(self) -> int:
        """Wait until the process asks for an event.

        Returns:
            When it did.

        Raises:
            FunctionError: it reported an error or did something else.
        """
        line, body, at = self._receive()
        if not (line.startswith(b"GET ") and line.endswith(b"/invocation/next HTTP/1.1")):
            raise FunctionError(f"{line.decode()}: {body.decode(errors='replace')}")
        return at

    def invoke(self, event: bytes, *, sampled: bool) -> int:
        """Hand the process that waits for it an event, and wait until it asks for the next one.

        Args:
            event: the event, as JSON.
            sampled: whether the trace that the event belongs to is.

        Returns:
            The time from sending the event to having received the response, in nanoseconds.

        Raises:
            FunctionError: the response is an error, or there is none.
        """
        now = time.time()
        request_id = str(uuid.uuid4())
        trace = f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]}"
        message = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + f"Lambda-Runtime-Aws-Request-Id: {request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(now * 1000) + 900_000}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {_ARN}\r\n"
            f"Lambda-Runtime-Trace-Id: {trace};Sampled={int(sampled)}\r\n"
            f"Content-Length: {len(event)}\r\n\r\n".encode()
            + event
        )
        sent = self._send(message)
        line, body, answered = self._receive()
        if not line.endswith(f"/invocation/{request_id}/response HTTP/1.1".encode()):
            raise FunctionError(f"{line.decode()}: {body.decode(errors='replace')}")
        self._send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self.wait_until_ready()
        return answered - sent

    def hang_up(self) -> None:
        """Drop the connection of a process that has been ended."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Stop listening."""
        self.hang_up()
        self._listener.close()

    def _send(self, message: bytes) -> int:
        assert self._connection is not None, "nobody is connected"
        began = time.monotonic_ns()
        self._connection.sendall(message)
        return began

    def _receive(self) -> tuple[bytes, bytes, int]:
        """The next request: its first line, its body, and when the last of it arrived."""
        request = b""
        while True:
            if self._connection is None:
                self._connection, _ = _poll(self._listener.accept)
                self._connection.setblocking(False)
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._connection
            received = _poll(lambda: connection.recv(1 << 20))  # noqa: B023 # called at once
            at = time.monotonic_ns()
            if not received:
                self.hang_up()  # the next request comes over a new connection
                continue
            request += received
            head, complete, body = request.partition(b"\r\n\r\n")
            if complete and len(body) == _content_length(head):
                return head.partition(b"\r\n")[0], body, at


def _poll(receive: Callable[[], _T]) -> _T:
    """What ``receive`` returns as soon as it does not raise ``BlockingIOError``."""
    give_up_at = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return receive()
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise FunctionError(f"no request within {_TIMEOUT_S} s") from None
            os.sched_yield()  # to the function, on a machine with one core


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0
