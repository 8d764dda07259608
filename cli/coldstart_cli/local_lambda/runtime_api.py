"""The Lambda Runtime API, version 2018-06-01, for one runtime process.

Specification: "Using the Lambda runtime API for custom runtimes" in the Lambda developer guide;
the restore calls are those of "Runtime hooks for Lambda SnapStart" there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

_PREFIX = "/2018-06-01/runtime"
# What Lambda takes for a response; its error answer is the same 413.
_MAX_BODY = 6 * 1024 * 1024 + 100
_MAX_HEADER = 2 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """What the runtime process made of its init, its restore or an invocation.

    Attributes:
        kind: ``ready`` (init or restore went well), ``response``, ``error``, ``init error``,
            ``restore error`` or ``exit`` (the process ended).
        body: what the runtime posted.
        headers: the headers it posted that with, names in lower case.
        exit_code: of the process, where it ended; negative for a signal.
    """

    kind: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None


@dataclass
class Request:
    """An event on its way to the runtime."""

    request_id: str
    event: bytes
    headers: dict[str, str]
    outcome: asyncio.Future[Outcome]
    delivered: asyncio.Event = field(default_factory=asyncio.Event)


class RuntimeApi:
    """Serves one runtime process, on a free loopback port."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.initialized: asyncio.Future[Outcome] = loop.create_future()
        self.restored: asyncio.Future[Outcome] = loop.create_future()
        self._restore = asyncio.Event()
        # None ends the wait of whoever gets it.
        self._queue: asyncio.Queue[Request | None] = asyncio.Queue()
        self._requests: dict[str, Request] = {}
        application = web.Application(client_max_size=_MAX_BODY)
        application.add_routes(
            [
                web.get(f"{_PREFIX}/invocation/next", self._next),
                web.post(f"{_PREFIX}/invocation/{{id}}/response", self._response),
                web.post(f"{_PREFIX}/invocation/{{id}}/error", self._error),
                web.post(f"{_PREFIX}/init/error", self._init_error),
                web.get(f"{_PREFIX}/restore/next", self._restore_next),
                web.post(f"{_PREFIX}/restore/error", self._restore_error),
            ]
        )
        # The runtime reports the X-Ray cause of an error in a header of up to 1 MB.
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=1,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
        )

    async def open(self) -> str:
        """Start to listen; returns the address for ``AWS_LAMBDA_RUNTIME_API``."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def close(self) -> None:
        """Stop listening and drop all connections."""
        self._restore.set()
        self._queue.put_nowait(None)
        await self._runner.cleanup()

    def send(self, request_id: str, event: bytes, headers: dict[str, str]) -> Request:
        """Queue an event for whichever worker asks next."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        request = Request(request_id, event, headers, outcome)
        self._requests[request_id] = request
        self._queue.put_nowait(request)
        return request

    def restore(self) -> None:
        """Let the process that waits in ``restore/next`` go on."""
        self._restore.set()

    def exited(self, exit_code: int) -> None:
        """The process has ended: so has whatever was under way."""
        outcome = Outcome("exit", exit_code=exit_code)
        for future in (
            self.initialized,
            self.restored,
            *(request.outcome for request in self._requests.values()),
        ):
            _settle(future, outcome)

    async def _next(self, _: web.Request) -> web.Response:
        _settle(self.initialized, Outcome("ready"))
        _settle(self.restored, Outcome("ready"))
        request = await self._queue.get()
        if request is None:
            self._queue.put_nowait(None)  # for the next one that waits
            return web.Response(status=410)
        request.delivered.set()
        return web.Response(
            body=request.event,
            content_type="application/json",
            headers={"Lambda-Runtime-Aws-Request-Id": request.request_id, **request.headers},
        )

    async def _response(self, request: web.Request) -> web.Response:
        return await self._finish(request, "response")

    async def _error(self, request: web.Request) -> web.Response:
        return await self._finish(request, "error")

    async def _finish(self, request: web.Request, kind: str) -> web.Response:
        outcome = await _posted(request, kind)
        known = self._requests.pop(request.match_info["id"], None)
        if known is None:
            return web.json_response({"errorType": "InvalidRequestID"}, status=400)
        _settle(known.outcome, outcome)
        return _accepted()

    async def _init_error(self, request: web.Request) -> web.Response:
        _settle(self.initialized, await _posted(request, "init error"))
        return _accepted()

    async def _restore_next(self, _: web.Request) -> web.Response:
        _settle(self.initialized, Outcome("ready"))
        await self._restore.wait()
        return web.Response()

    async def _restore_error(self, request: web.Request) -> web.Response:
        _settle(self.restored, await _posted(request, "restore error"))
        return _accepted()


async def _posted(request: web.Request, kind: str) -> Outcome:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Outcome(kind, await request.read(), headers)


def _accepted() -> web.Response:
    return web.json_response({"status": "OK"}, status=202)


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
