"""AWS's Runtime Interface Emulator (RIE), from the aws-sam-cli package, in Lambda's file layout."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import subprocess
import uuid
from dataclasses import dataclass

import aiohttp
from coldstart_cli.local_lambda.sandbox import new_trace_header
from coldstart_cli.local_lambda.xray_daemon import XrayDaemon
from conftest import ROOT, until
from lambda_layout import Layout

_MACHINE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
(_BINARY,) = (ROOT / "build/sam").glob(
    f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{_MACHINE}"
)


@dataclass(frozen=True)
class Answer:
    """What a caller gets."""

    status: int
    body: bytes


class Emulator:
    """Async context manager: the emulator, with one environment, in a layout.

    Its default mode starts the runtime at the first request, and again after one that it had to
    kill. Where ``workers`` is given it is the one for managed instances, which starts the runtime
    at once and sends requests to that many workers at a time.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        wrapper: str | None = "/opt/coldstart-wrapper",
        initialization_type: str = "on-demand",
        workers: int | None = None,
        timeout: int = 60,
        **environment: str,
    ) -> None:
        """Describe it; ``timeout`` is the function's, in seconds."""
        self.xray = XrayDaemon()
        self._layout = layout
        self._environment = {
            **layout.environment(),
            "AWS_LAMBDA_FUNCTION_NAME": "emulated",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
            "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/11/24/[$LATEST]{uuid.uuid4().hex}",
            "AWS_XRAY_DAEMON_ADDRESS": self.xray.address,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": "app.handler",
            **environment,
        }
        if wrapper is not None:
            self._environment["AWS_LAMBDA_EXEC_WRAPPER"] = wrapper
        if workers is not None:
            self._environment["AWS_LAMBDA_MAX_CONCURRENCY"] = str(workers)
        self._output = layout.scratch / "output"
        self._url = ""

    async def __aenter__(self) -> Emulator:
        address, runtime_api_address = _free_addresses()
        self._url = f"http://{address}/2015-03-31/functions/function/invocations"
        command = self._layout.command(
            f"/emulator/{_BINARY.name}",
            f"--runtime-interface-emulator-address={address}",
            f"--runtime-api-address={runtime_api_address}",
            "/var/runtime/bootstrap",
            also={_BINARY.parent: "/emulator"},
        )
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._session = aiohttp.ClientSession()
        await until(lambda: _listens(address) or self._process.poll() is not None)
        assert self._process.poll() is None, self.output
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        await self._session.close()
        self.xray.close()

    @property
    def output(self) -> str:
        """What the function and the emulator have written."""
        return self._output.read_text(errors="replace")

    async def invoke(self, event: bytes = b"{}", trace_header: str | None = None) -> Answer:
        """Send an event. By default its trace is a new, sampled one."""
        headers = {
            "Content-Type": "application/json",
            "X-Amzn-Trace-Id": trace_header or new_trace_header(),
        }
        while True:
            async with self._session.post(self._url, data=event, headers=headers) as response:
                answer = Answer(response.status, await response.read())
            if b"Runtime.Unavailable" not in answer.body:
                return answer
            await asyncio.sleep(0.01)  # no worker asks for a request yet


def _free_addresses() -> tuple[str, str]:
    """Two for it to take: with port 0 it would not tell which it took.

    They are on a loopback address of this process's own, so nobody else takes them meanwhile.
    """
    pid = os.getpid()
    host = f"127.{1 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind((host, 0))
        return tuple(f"{host}:{free.getsockname()[1]}" for free in (one, other))


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
