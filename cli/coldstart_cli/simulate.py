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
    """The function cannot be run, or failed; the message says so in one line.

    Attributes:
        written: what it has written to its stdout until then.
    """

    written = ""


@dataclass(frozen=True)
class Scenario:
    """One way to start.

    Attributes:
        initialization_type: as Lambda names it, or ``unset``.
        before: what happens before the first request, for people.
        expected: the start type that is right for that request.
        idle: whether the environment stands ready before that request is made.
        restart: whether the runtime process is killed and started again in its sandbox.
    """

    initialization_type: str
    before: str
    expected: str
    idle: bool = False
    restart: bool = False


SCENARIOS = (
    Scenario(ON_DEMAND, "init", "cold"),
    Scenario(ON_DEMAND, "init, gap", "proactive", idle=True),
    Scenario(ON_DEMAND, "restart", "reinit", restart=True),
    Scenario(PROVISIONED, "init, gap", "provisioned", idle=True),
    Scenario(PROVISIONED, "restart", "reinit", restart=True),
    Scenario(SNAP_START, "restore", "restore"),
    Scenario(SNAP_START, "restore, gap", "proactive", idle=True),
    Scenario(MANAGED, "init, gap", "managed", idle=True),
    Scenario(UNSET, "init", "cold"),
)


@dataclass(frozen=True)
class Row:
    """What one invocation of one scenario told; ``stdout`` is from before it, too."""

    scenario: Scenario
    invocation: int
    signals: signals.Signals
    stdout: str = ""

    @property
    def right(self) -> bool:
        """Whether the signals agree, and say what is right for this invocation."""
        expected = self.scenario.expected if self.invocation == 1 else "warm"
        return self.signals.agree and self.signals.start_types <= {expected}


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
    warn: Callable[[str], None],
) -> list[Row]:
    """Run the scenarios one after the other, so that they don't slow each other down.

    Args:
        function: what to run.
        layer: the layer's zip file.
        event: the event of each invocation, as JSON.
        initialization_types: which scenarios to run.
        timeout: how long an init or an invocation may take, in seconds.
        progress: is told what runs next.
        warn: is told each line that the layer writes to stderr, once.

    Raises:
        SimulationError: the layer is none, the function did not load, or an invocation failed.
    """
    rows = []
    warned: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="coldstart-layer-") as folder:
        try:
            wrapper = unpack_layer(layer, Path(folder))
        except (OSError, zipfile.BadZipFile) as error:
            raise SimulationError(f"{layer} is not the layer's zip file: {error}") from None
        for scenario in SCENARIOS:
            if scenario.initialization_type in initialization_types:
                progress(f"{scenario.initialization_type}: {scenario.before}")
                async with _sandbox(scenario, function, wrapper) as sandbox:
                    try:
                        rows += [row async for row in _run(scenario, sandbox, event, timeout)]
                    except SimulationError as error:
                        error.written = "".join(row.stdout for row in rows) + sandbox.stdout
                        raise
                    for line in sandbox.stderr.splitlines():
                        if line.startswith("coldstart-layer:") and line not in warned:
                            warned.add(line)
                            warn(line)
    return rows


def profile_lines(written: str) -> list[str]:
    """The log lines that profiled starts wrote, of which `coldstart profile` makes something."""
    mark = '{"coldstart_profile"'
    # A function may have left half a line before it.
    return [line[line.index(mark) :] for line in written.splitlines() if mark in line]


def _sandbox(scenario: Scenario, function: Function, wrapper: Path) -> Sandbox:
    kind = scenario.initialization_type
    return Sandbox(
        function,
        wrapper=wrapper,
        initialization_type=None if kind == UNSET else kind,
        json_logs=True,
        log_level="INFO",
        workers=1 if kind == MANAGED else None,
    )


async def _run(
    scenario: Scenario, sandbox: Sandbox, event: bytes, timeout: float
) -> AsyncIterator[Row]:
    where = f"{scenario.initialization_type}, {scenario.before}"
    seen = 0
    try:
        _check(sandbox, await sandbox.start(timeout), where)
        if scenario.restart:
            await sandbox.kill()
            _check(sandbox, await sandbox.start(timeout), where)
        if scenario.initialization_type == SNAP_START:
            _check(sandbox, await sandbox.restore(timeout), where)
        if scenario.idle:
            # A trace id counts in seconds: let a whole one begin before the request does.
            await asyncio.sleep(1.05)
        for number in (1, 2):
            header = new_trace_header() if scenario.idle else None
            invocation = await sandbox.invoke(event, header, timeout)
            _check(sandbox, invocation.outcome, f"{where}, request {number}")
            told = signals.read(invocation.stdout, sandbox.xray.read())
            written = sandbox.stdout
            yield Row(scenario, number, told, written[seen:])
            seen = len(written)
    except SandboxError as error:
        raise SimulationError(f"{error} ({where})") from None


def _check(sandbox: Sandbox, outcome: Outcome, where: str) -> None:
    """Turn an outcome that is a failure into one line that says what to look at."""
    if outcome.kind in ("ready", "response"):
        return
    handler = sandbox.function.handler
    if outcome.kind == "exit":
        written = [line for line in sandbox.stderr.splitlines() if line.strip()]
        last = f'; its last line on stderr: "{written[-1].strip()}"' if written else ""
        raise SimulationError(
            f"{handler} ended its process with exit code {outcome.exit_code} ({where}){last}"
        )
    error = json.loads(outcome.body)
    what = "failed to load" if outcome.kind == "init error" else "raised"
    message = " ".join(str(error.get("errorMessage", "")).split())
    kind = error.get("errorType")
    hint = ""
    if kind == "Runtime.ImportModuleError":
        hint = "; --python names an interpreter that has what it imports, and awslambdaric"
    place = _place(error.get("stackTrace") or [], str(sandbox.function.task_root))
    raise SimulationError(f"{handler} {what}: {kind}: {message}{place} ({where}){hint}")


def _place(trace: list[str], task_root: str) -> str:
    """Where in the function's own code it happened: the last frame there, else the last."""
    frames = [frame for frame in trace if task_root in frame] or trace
    return f", at {' '.join(frames[-1].splitlines()[0].split())}" if frames else ""
