"""The local Lambda itself, by its wire: what any runtime may send it."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from coldstart_cli.local_lambda.runtime_api import RuntimeApi
from coldstart_cli.local_lambda.xray_daemon import XrayDaemon


@pytest.fixture
async def api() -> AsyncIterator[tuple[RuntimeApi, aiohttp.ClientSession, list[None]]]:
    runtime_api = RuntimeApi()
    address = await runtime_api.open()
    opened: list[None] = []

    async def count(*_: object) -> None:
        opened.append(None)

    connections = aiohttp.TraceConfig()
    connections.on_connection_create_end.append(count)
    base = f"http://{address}/2018-06-01/runtime/"
    async with aiohttp.ClientSession(base, trace_configs=[connections]) as session:
        yield runtime_api, session, opened
    await runtime_api.close()


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """In pieces of unknown number, so that the client has to send them chunked."""
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


async def test_a_round_trip_over_one_connection(api) -> None:
    runtime_api, session, opened = api
    for number in range(3):
        request = runtime_api.send(f"id-{number}", b'{"n": 1}', {"Lambda-Runtime-Trace-Id": "x"})
        async with session.get("invocation/next") as response:
            assert response.headers["Lambda-Runtime-Aws-Request-Id"] == f"id-{number}"
            assert response.headers["Lambda-Runtime-Trace-Id"] == "x"
            assert response.content_type == "application/json"
            assert await response.read() == b'{"n": 1}'
        body = b"x" * 5_000_000
        async with session.post(f"invocation/id-{number}/response", data=chunks(body)) as response:
            assert response.request_info.headers["Transfer-Encoding"] == "chunked"
            assert response.status == 202
        outcome = await request.outcome
        assert (outcome.kind, outcome.body) == ("response", body)
    assert len(opened) == 1
    assert (await runtime_api.initialized).kind == "ready"


async def test_errors(api) -> None:
    runtime_api, session, _ = api
    request = runtime_api.send("id", b"{}", {})
    headers = {"Lambda-Runtime-Function-Error-Type": "Some.Error"}
    async with session.get("invocation/next") as response:
        await response.read()
    async with session.post("invocation/id/error", data=b"{}", headers=headers) as response:
        assert response.status == 202
    outcome = await request.outcome
    assert outcome.kind == "error"
    assert outcome.headers["lambda-runtime-function-error-type"] == "Some.Error"
    async with session.post("invocation/id/response", data=b"{}") as response:
        assert response.status == 400  # answered already


async def test_init_error(api) -> None:
    runtime_api, session, _ = api
    async with session.post("init/error", data=b'{"errorType": "x"}') as response:
        assert response.status == 202
    outcome = await runtime_api.initialized
    assert (outcome.kind, outcome.body) == ("init error", b'{"errorType": "x"}')


async def test_restore_error(api) -> None:
    runtime_api, session, _ = api
    async with session.post("restore/error", data=b"{}") as response:
        assert response.status == 202
    assert (await runtime_api.restored).kind == "restore error"


async def test_restore_next_waits_for_the_restore(api) -> None:
    runtime_api, session, _ = api
    waiting = asyncio.create_task(session.get("restore/next"))
    assert (await runtime_api.initialized).kind == "ready"
    await asyncio.sleep(0.05)
    assert not waiting.done()
    runtime_api.restore()
    async with await waiting as response:
        assert response.status == 200


async def test_a_response_that_is_too_large(api) -> None:
    """6 MB is Lambda's limit for a response."""
    runtime_api, session, _ = api
    runtime_api.send("id", b"{}", {})
    async with session.post(
        "invocation/id/response", data=io.BytesIO(bytes(7_000_000))
    ) as response:
        assert response.status == 413


def test_xray_daemon() -> None:
    daemon = XrayDaemon()
    host, port = daemon.address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(b'{"format":"json","version":1}\n{"a": 1}', (host, int(port)))
        assert daemon.read() == [{"a": 1}] * 3
        assert daemon.read() == []
        for wrong in (b'{"a": 1}', b'{"format":"xml","version":1}\n{}'):
            sender.sendto(wrong, (host, int(port)))
            with pytest.raises(ValueError, match="X-Ray daemon"):
                daemon.read()
    daemon.close()
