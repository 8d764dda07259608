"""Puts each arm into Lambda's file layout, and starts its processes there."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coldstart_cli.local_lambda import Function, Sandbox, unpack_layer
from coldstart_cli.local_lambda.layer import default_layer
from lambda_layout import Layout

from benchmarks.arms import HANDLERS, Arm

_HERE = Path(__file__).resolve().parent
BUILD = _HERE.parent / "build"
# What Lambda's managed runtime has in its site-packages, on the CPython that functions run on.
MANAGED_RUNTIME = BUILD / "benchmarks/managed-runtime"


def cpython_version() -> str:
    """Of the CPython that functions run on, as in ``3.13``."""
    (library,) = MANAGED_RUNTIME.glob("lib/python3.*")
    return library.name.removeprefix("python")


def site_packages(environment: Path) -> Path:
    """Where the packages of an environment on that CPython are."""
    return environment / "lib" / f"python{cpython_version()}" / "site-packages"


def is_installed(arm: Arm) -> bool:
    """Whether the arm's packages are there: `make test` needs few of them."""
    return arm.packages is None or any(site_packages(BUILD / arm.packages).glob("*.dist-info"))


@functools.cache  # before this process is confined to the former
def cores() -> tuple[int, int]:
    """The cores for the server and for the function, apart where there is more than one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Meanwhile this process, which is the server, keeps to its core and collects no garbage."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores()[0]})
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.sched_setaffinity(0, allowed)


@dataclass(frozen=True)
class Process:
    """A function's process.

    Attributes:
        place: where it runs.
        started: what ``benchmarks/spawner.py`` says of it.
    """

    place: Place
    started: dict[str, int]

    @property
    def began_ns(self) -> int:
        """Right before its start, on the monotonic clock."""
        return self.started["began_ns"]

    def look(self) -> tuple[int, int]:
        """The peak of its resident memory in kB, and the bytes it has written."""
        seen = self.place.ask("look", pid=self.started["pid"], output=self.started["output"])
        return seen["peak_kb"], seen["output_bytes"]

    def tail(self) -> str:
        """The end of what it has written."""
        text: str = self.place.ask("tail", output=self.started["output"])
        return text

    def freeze(self) -> None:
        """Let it stand still, as Lambda does between invocations: with any threads it has."""
        self.place.ask("send", pid=self.started["pid"], name="SIGSTOP")

    def thaw(self) -> None:
        """Let it go on."""
        self.place.ask("send", pid=self.started["pid"], name="SIGCONT")


class Place:
    """An arm in a Lambda file layout of its own, which is there until it is closed."""

    def __init__(self, arm: Arm, folder: Path) -> None:
        """Lay it out.

        Args:
            arm: what to run there.
            folder: an empty folder for its files.
        """
        self.arm = arm
        self._folder = folder
        self._layout, self._mounts = _lay_out(arm, folder)
        self._environment = _lambda_environment() | self._layout.environment()
        self._spawner = subprocess.Popen(
            self.command("/var/lang/bin/python3", "-I", "/benchmarks/spawner.py"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._layout.environment(),
        )

    def command(self, *command: str) -> list[str]:
        """The command line that runs ``command`` in the layout, with an empty /tmp."""
        scratch = Path(tempfile.mkdtemp(dir=self._folder))
        return replace(self._layout, scratch=scratch).command(*command, also=self._mounts)

    def environment(self, handler: str, runtime_api: str, xray: str) -> dict[str, str]:
        """The environment variables of a new sandbox's process.

        Args:
            handler: one of ``HANDLERS``.
            runtime_api: the address of the Runtime API.
            xray: that of the X-Ray daemon.
        """
        changing = {
            "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/11/25/[$LATEST]{uuid.uuid4().hex}",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_XRAY_DAEMON_ADDRESS": xray,
            "_HANDLER": f"app_{handler}.handler",
        }
        own = {
            name: it.replace("{module}", f"app_{handler}")
            for name, it in self.arm.variables.items()
        }
        return self._environment | changing | own

    @contextlib.contextmanager
    def process(self, environment: dict[str, str]) -> Iterator[Process]:
        """A process in this layout, which is ended when the block is left."""
        started = self.ask("start", environment=environment, core=cores()[1])
        try:
            yield Process(self, started)
        finally:
            self.ask("end", pid=started["pid"], output=started["output"])

    def ask(self, function: str, **arguments: Any) -> Any:
        """Let the spawner call one of its functions."""
        assert self._spawner.stdin is not None
        assert self._spawner.stdout is not None
        print(json.dumps([function, arguments]), file=self._spawner.stdin, flush=True)
        return json.loads(self._spawner.stdout.readline())

    def close(self) -> None:
        """End the spawner, and with it the layout and all that runs there."""
        with self._spawner:  # closes its stdin, which is what it waits for
            pass


def _lay_out(arm: Arm, folder: Path) -> tuple[Layout, dict[Path, str]]:
    """The layout, and what is to be mounted in it besides."""
    opt, task = folder / "opt", folder / "task"
    task.mkdir(parents=True)
    if arm.layer:
        unpack_layer(default_layer(), opt)
    elif arm.opt is not None:
        shutil.copytree(_HERE / "opt" / arm.opt, opt)
    else:
        opt.mkdir()
    # In place of what Layout copies of the runtime's packages: Lambda's has boto3 as well.
    inside = f"/var/lang/lib/python{cpython_version()}/site-packages"
    mounts = {site_packages(MANAGED_RUNTIME): inside, _HERE: "/benchmarks"}
    if arm.packages is not None:
        (opt / "python").mkdir()
        mounts[site_packages(BUILD / arm.packages)] = "/opt/python"
    for name in HANDLERS:
        (task / f"app_{name}.py").write_text(arm.module(name))
    for name, text in arm.files.items():
        (task / name).write_text(text)
    return Layout(opt, task, MANAGED_RUNTIME, cpython_version(), folder), mounts


def _lambda_environment() -> dict[str, str]:
    """Lambda's environment variables, as the project's own local Lambda sets them."""

    async def ask() -> dict[str, str]:
        python = MANAGED_RUNTIME / "bin/python"
        function = Function("", Path("/var/task"), python, cpython_version(), name="benchmark")
        async with Sandbox(function, json_logs=True) as sandbox:
            return sandbox.environment("")

    return asyncio.run(ask())
