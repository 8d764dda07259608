"""One sandbox: a log stream, a /tmp, and in it one runtime process after the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from coldstart_layer.process import marker_path

from coldstart_cli.local_lambda.runtime_api import Outcome, Request, RuntimeApi
from coldstart_cli.local_lambda.xray_daemon import XrayDaemon

# Stands for /var/runtime/bootstrap.py.
BOOTSTRAP = Path(__file__).parent / "runtime/bootstrap.py"


class SandboxError(Exception):
    """The runtime process did not do what was waited for; the message says what and why."""


@dataclass(frozen=True)
class Function:
    """The function's configuration, as far as the sandbox needs it.

    Attributes:
        handler: as in Lambda, ``module.function``.
        task_root: the folder with the function's code.
        python: an interpreter that has awslambdaric.
        python_version: its version, as in ``3.12``.
        environment: the function's own environment variables.
    """

    handler: str
    task_root: Path
    python: Path
    python_version: str
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = "simulated"
    memory_mb: int = 512


@dataclass(frozen=True)
class Invocation:
    """One invocation: what the caller got, and what the function wrote meanwhile."""

    request_id: str
    outcome: Outcome
    stdout: str
    stderr: str


class Sandbox:
    """Async context manager. Everything it starts is gone when it is left."""

    def __init__(
        self,
        function: Function,
        *,
        wrapper: Path | None = None,
        initialization_type: str | None = "on-demand",
        json_logs: bool = False,
        log_level: str | None = None,
        workers: int | None = None,
        command: tuple[str, ...] | None = None,
    ) -> None:
        """Describe the sandbox; ``start`` starts the first process in it.

        Args:
            function: what to run.
            wrapper: the exec wrapper; None runs the function without one.
            initialization_type: for ``AWS_LAMBDA_INITIALIZATION_TYPE``; None leaves it unset.
            json_logs: whether the log format is JSON.
            log_level: the application log level; None leaves it unset.
            workers: how many invocations an environment of a managed instance takes at a time;
                None is any other environment.
            command: what runs the runtime; by default the interpreter on a script like Lambda's.
        """
        self.function = function
        self.xray = XrayDaemon()
        self._wrapper = wrapper
        self._initialization_type = initialization_type
        self._json_logs = json_logs
        self._log_level = log_level
        self._workers = workers
        self._command = command or (str(function.python), str(BOOTSTRAP))
        self._folder = tempfile.TemporaryDirectory(prefix="coldstart-sandbox-")
        self._stdout = Path(self._folder.name) / "stdout"
        self._stderr = Path(self._folder.name) / "stderr"
        self.log_stream: str | None = None
        if initialization_type != "snap-start":
            self.log_stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self._awaited_since: float | None = None
        self._api: RuntimeApi | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.kill()
        self.xray.close()
        self._folder.cleanup()
        if self.log_stream is not None:
            # On Lambda /tmp goes with the sandbox; here the layer's marker has to be taken away.
            Path(marker_path(self.log_stream)).unlink(missing_ok=True)

    @property
    def stdout(self) -> str:
        """All that was written to stdout so far."""
        return _text(self._stdout)

    @property
    def stderr(self) -> str:
        """All that was written to stderr so far."""
        return _text(self._stderr)

    def environment(self, runtime_api: str) -> dict[str, str]:
        """The environment variables of the runtime process, named and set as on Lambda."""
        function = self.function
        environment = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{function.python_version}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_FORMAT": "JSON" if self._json_logs else "Text",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": self.xray.address,
            "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP.parent),
            "LAMBDA_TASK_ROOT": str(function.task_root),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "TZ": ":UTC",
            "_HANDLER": function.handler,
        }
        optional = {
            "AWS_LAMBDA_EXEC_WRAPPER": self._wrapper and str(self._wrapper),
            "AWS_LAMBDA_INITIALIZATION_TYPE": self._initialization_type,
            "AWS_LAMBDA_LOG_LEVEL": self._log_level,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_MAX_CONCURRENCY": self._workers and str(self._workers),
        }
        environment.update({name: value for name, value in optional.items() if value})
        return environment | dict(function.environment)

    async def start(self, timeout: float = 60) -> Outcome:
        """Start a runtime process and wait for its init to end.

        Args:
            timeout: in seconds.

        Returns:
            ``ready`` (with SnapStart: ready for its snapshot), ``init error``, or ``exit``.
        """
        self._awaited_since = time.time()
        self._api = RuntimeApi()
        address = await self._api.open()
        command = (str(self._wrapper), *self._command) if self._wrapper else self._command
        with self._stdout.open("ab") as stdout, self._stderr.open("ab") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.function.task_root,
                env=self.environment(address),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,  # so that the workers it forks can be ended with it
            )
        self._watcher = asyncio.create_task(_watch(self._process, self._api))
        return await self._outcome(self._api.initialized, "its init", timeout)

    async def restore(self, timeout: float = 60) -> Outcome:
        """Restore the process that waits for it and run its hooks; ``timeout`` in seconds."""
        self._awaited_since = time.time()
        api = self._running_api()
        api.restore()
        return await self._outcome(api.restored, "its restore", timeout)

    def send(self, event: bytes = b"{}", trace_header: str | None = None) -> Request:
        """Send an event without waiting for what comes of it.

        Args:
            event: the event, as JSON.
            trace_header: the X-Ray header; empty is none. By default that of a new, sampled trace:
                for the first event it began before the process was started or restored, as that of
                a request does which waits for it; for later ones it begins now.
        """
        request_id = str(uuid.uuid4())
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function.name}"
        headers = {
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 900_000),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
        }
        if trace_header is None:
            trace_header = new_trace_header(self._awaited_since)
        self._awaited_since = None
        if trace_header:
            headers["Lambda-Runtime-Trace-Id"] = trace_header
        return self._running_api().send(request_id, event, headers)

    async def invoke(
        self, event: bytes = b"{}", trace_header: str | None = None, timeout: float = 60
    ) -> Invocation:
        """Send an event and wait for what comes of it. Arguments as for ``send``."""
        stdout, stderr = len(self.stdout), len(self.stderr)
        request = self.send(event, trace_header)
        outcome = await self._outcome(request.outcome, "an event", timeout)
        return Invocation(request.request_id, outcome, self.stdout[stdout:], self.stderr[stderr:])

    async def kill(self) -> None:
        """End the runtime process the hard way, as Lambda does at a timeout."""
        if self._process is not None and self._watcher is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._watcher
        if self._api is not None:
            await self._api.close()
        self._process = self._watcher = self._api = None

    async def wait(self, timeout: float = 60) -> int:
        """Wait for the process to end by itself; returns its exit code."""
        process = self._process
        if process is None:
            raise SandboxError("no runtime process was started")
        return await asyncio.wait_for(process.wait(), timeout)

    def _running_api(self) -> RuntimeApi:
        if self._api is None:
            raise SandboxError("no runtime process was started")
        return self._api

    async def _outcome(self, future: asyncio.Future[Outcome], what: str, timeout: float) -> Outcome:
        try:
            return await asyncio.wait_for(asyncio.shield(future), timeout)
        except asyncio.TimeoutError:
            message = f"{self.function.handler} was not done with {what} within {timeout:g} s"
            raise SandboxError(message) from None


def new_trace_header(began_at: float | None = None, sampled: bool = True) -> str:
    """An X-Ray tracing header of a trace that began at ``began_at`` (epoch seconds; None: now)."""
    epoch = int(time.time() if began_at is None else began_at)
    root = f"1-{epoch:08x}-{uuid.uuid4().hex[:24]}"
    return f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled={int(sampled)}"


async def _watch(process: asyncio.subprocess.Process, api: RuntimeApi) -> None:
    api.exited(await process.wait())


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.exists() else ""
