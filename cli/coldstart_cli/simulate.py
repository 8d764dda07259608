"""Runs a function through every way an execution environment can start, on the local Lambda."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from coldstart_cli import signals
from coldstart_cli.local_lambda import Function, Outcome, Sandbox, SandboxError, unpack_layer
from coldstart_cli.local_lambda.sandbox import new_trace_header

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"
SNAP_START = "snap-start"
MANAGED = "lambda-managed-instances"
UNSET = "unset"
INITIALIZATION_TYPES = (ON_DEMAND, PROVISIONED, SNAP_START, MANAGED, UNSET)


class SimulationError(Exception):
    """The function cannot be run, or failed; the message says so in one line."""


@dataclass(frozen=True)
class Scenario:
    """One way to start.

    Attributes:
        initialization_type: as Lambda names it, or ``unset``.
        before: what happens before the first request, for people.
        idle: whether the environment stands ready before that request is made.
        restart: whether the runtime process is killed and started again in its sandbox.
    """

    initialization_type: str
    before: str
    idle: bool = False
    restart: bool = False


SCENARIOS = (
    Scenario(ON_DEMAND, "init"),
    Scenario(ON_DEMAND, "init, gap", idle=True),
    Scenario(ON_DEMAND, "restart", restart=True),
    Scenario(PROVISIONED, "init, gap", idle=True),
    Scenario(PROVISIONED, "restart", restart=True),
    Scenario(SNAP_START, "restore"),
    Scenario(SNAP_START, "restore, gap", idle=True),
    Scenario(MANAGED, "init, gap", idle=True),
    Scenario(UNSET, "init"),
)


@dataclass(frozen=True)
class Row:
    """What one invocation of one scenario told."""

    scenario: Scenario
    invocation: int
    signals: signals.Signals


def describe_function(
    handler: str, task_root: Path, python: Path, environment: Mapping[str, str]
) -> Function:
    """The function to run, once it is clear that it can be.

    Raises:
        SimulationError: the interpreter does not run, or has no awslambdaric.
    """
    ask = "import sys; print('%d.%d' % sys.version_info[:2]); import awslambdaric.bootstrap"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SimulationError(f"{python} does not run as a Python interpreter: {error}") from None
    version = answer.stdout.strip()
    if not version:
        raise SimulationError(f"{python} does not run as a Python interpreter")
    if answer.returncode != 0:
        raise SimulationError(
            f"{python} has no awslambdaric that works; install it: "
            f"{python} -m pip install awslambdaric"
        )
    return Function(
        handler=handler,
        task_root=task_root.resolve(),
        python=python.absolute(),
        python_version=version,
        environment=environment,
    )


async def simulate(
    function: Function,
    layer: Path,
    event: bytes,
    initialization_types: Collection[str],
    timeout: float,
    progress: Callable[[str], None],
) -> list[Row]:
    """Run the scenarios one after the other, so that they don't slow each other down.

    Args:
        function: what to run.
        layer: the layer's zip file.
        event: the event of each invocation, as JSON.
        initialization_types: which scenarios to run.
        timeout: how long an init or an invocation may take, in seconds.
        progress: is told what runs next.

    Raises:
        SimulationError: the layer is none, the function did not load, or an invocation failed.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="coldstart-layer-") as folder:
        try:
            wrapper = unpack_layer(layer, Path(folder))
        except (OSError, zipfile.BadZipFile) as error:
            raise SimulationError(f"{layer} is not the layer's zip file: {error}") from None
        for scenario in SCENARIOS:
            if scenario.initialization_type in initialization_types:
                progress(f"{scenario.initialization_type}: {scenario.before}")
                rows += [row async for row in _run(scenario, function, wrapper, event, timeout)]
    return rows


async def _run(
    scenario: Scenario, function: Function, wrapper: Path, event: bytes, timeout: float
) -> AsyncIterator[Row]:
    kind = scenario.initialization_type
    async with Sandbox(
        function,
        wrapper=wrapper,
        initialization_type=None if kind == UNSET else kind,
        json_logs=True,
        log_level="INFO",
        workers=1 if kind == MANAGED else None,
    ) as sandbox:
        try:
            _check(function, await sandbox.start(timeout))
            if scenario.restart:
                await sandbox.kill()
                _check(function, await sandbox.start(timeout))
            if kind == SNAP_START:
                _check(function, await sandbox.restore(timeout))
            if scenario.idle:
                # A trace id counts in seconds: let a whole one begin before the request does.
                await asyncio.sleep(1.05)
            for number in (1, 2):
                header = new_trace_header() if scenario.idle else None
                invocation = await sandbox.invoke(event, header, timeout)
                _check(function, invocation.outcome)
                told = signals.read(invocation.stdout, sandbox.xray.read())
                yield Row(scenario, number, told)
        except SandboxError as error:
            raise SimulationError(str(error)) from None


def _check(function: Function, outcome: Outcome) -> None:
    """Turn an outcome that is a failure into one line."""
    if outcome.kind in ("ready", "response"):
        return
    if outcome.kind == "exit":
        raise SimulationError(
            f"{function.handler} ended its process with exit code {outcome.exit_code}"
        )
    error = json.loads(outcome.body)
    what = "failed to load" if outcome.kind == "init error" else "raised"
    message = " ".join(str(error.get("errorMessage", "")).split())
    trace = error.get("stackTrace") or []
    where = " ".join(str(trace[-1]).split()) if trace else ""
    raise SimulationError(
        f"{function.handler} {what}: {error.get('errorType')}: {message}"
        + (f" ({where})" if where else "")
    )
