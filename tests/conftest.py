"""What the tests share: the built layer, the CPythons it runs on, and functions to run under it."""

from __future__ import annotations

import asyncio
import itertools
import os
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import lambda_layout
import pytest
from coldstart_cli.local_lambda import Function, Sandbox, unpack_layer
from coldstart_cli.local_lambda.layer import default_layer
from coldstart_layer.start import set_current
from hypothesis import settings
from lambda_layout import Layout

if TYPE_CHECKING:
    from account import Account
    from aws_server import AwsServer

settings.register_profile("soak")  # tests/layer/test_fuzz.py says what that is

ROOT = Path(__file__).resolve().parent.parent
# An environment for each CPython to run functions on: `make test-arm64` has others.
_RUNTIMES = ROOT / os.environ.get("COLDSTART_TEST_RUNTIMES", "build/runtimes")
RUNTIMES = sorted(
    (path for path in _RUNTIMES.iterdir() if path.is_dir()),
    key=lambda path: int(path.name.partition(".")[2]),
)
if not RUNTIMES:
    raise RuntimeError("no CPython to run functions on: start the tests with `make test`")


@pytest.fixture(scope="session")
def layer_zip() -> Path:
    return default_layer()


@pytest.fixture(scope="session")
def wrapper(layer_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wrapper of the built layer, unpacked as under /opt. Not to be written to."""
    return unpack_layer(layer_zip, tmp_path_factory.mktemp("opt"))


@pytest.fixture
def own_wrapper(layer_zip: Path, tmp_path: Path) -> Path:
    """The same in a copy of this test's own, to break."""
    return unpack_layer(layer_zip, tmp_path / "opt")


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Path:
    """The environment of each CPython found on this machine, one after the other."""
    return request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes ``runtime`` on each CPython, or as ``each_end`` says."""
    names = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "runtime" in metafunc.fixturenames and "runtime" not in names:
        at_the_ends = metafunc.definition.get_closest_marker("each_end") is not None
        chosen = list(dict.fromkeys((RUNTIMES[0], RUNTIMES[-1]))) if at_the_ends else RUNTIMES
        metafunc.parametrize("runtime", chosen, ids=lambda path: path.name, indirect=True)


@pytest.fixture(scope="session")
def newest_runtime() -> Path:
    return RUNTIMES[-1]


# The layer's modules about single libraries, imported only where the function has loaded those; and
# those that only COLDSTART_PROFILE=on asks for.
LIBRARIES = ("aws_xray_sdk", "datadog", "loguru", "opentelemetry", "powertools", "structlog")
SELDOM_IMPORTED = {f"libraries.{name}" for name in LIBRARIES}
SELDOM_IMPORTED |= {"profiling", "profiling.import_times", "profiling.profile"}


def library_environment(name: str) -> Path:
    """An environment with libraries that the layer agrees with, on the newest CPython for them."""
    return ROOT / "build/libraries" / name


def python_version(environment: Path) -> str:
    """The CPython that an environment is on, as in ``3.12``."""
    (library,) = environment.glob("lib/python3.*")
    return library.name.removeprefix("python")


MakeFunction = Callable[..., Function]


@pytest.fixture
def make_function(tmp_path: Path) -> MakeFunction:
    """Writes a function's module and describes it."""

    def make(
        runtime: Path,
        code: str,
        handler: str = "app.handler",
        files: dict[str, str] | None = None,
        **environment: str,
    ) -> Function:
        task_root = tmp_path / "task"
        task_root.mkdir(exist_ok=True)
        (task_root / "app.py").write_text(textwrap.dedent(code))
        for name, content in (files or {}).items():
            path = task_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        return Function(
            handler=handler,
            task_root=task_root,
            python=runtime / "bin/python",
            python_version=python_version(runtime),
            # On a runtime that AWS calls a preview, 3.15, it logs a warning at init.
            environment={"LAMBDA_DISABLE_PREVIEW_WARN": "1", **environment},
        )

    return make


@pytest.fixture
def make_layout(wrapper: Path, tmp_path: Path) -> Callable[..., Layout]:
    """Puts a function into Lambda's file layout, with a /tmp of its own."""
    lambda_layout.require()
    count = itertools.count()

    def make(
        function: Function, site_customization: str = "", opt: Path = wrapper.parent
    ) -> Layout:
        scratch = tmp_path / f"layout-{next(count)}"
        scratch.mkdir()
        return Layout(
            opt=opt,
            task_root=function.task_root,
            runtime=function.python.parent.parent,
            version=function.python_version,
            scratch=scratch,
            site_customization=site_customization,
        )

    return make


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AwsServer]:
    from aws_server import AwsServer  # moto takes a second to load

    server = AwsServer()
    yield server
    server.stop()


@pytest.fixture
def account(aws_server: AwsServer, tmp_path: Path) -> Account:
    """An empty account of AWS, over HTTP."""
    from account import Account

    aws_server.reset()
    return Account(aws_server, tmp_path)


LOGGING_HANDLER = """
    import logging
    logger = logging.getLogger()
    logger.setLevel("INFO")
    logger.info("loading")

    def handler(event, context):
        logger.info("handling")
        return {"answer": event.get("question")}
"""


@pytest.fixture
def logging_function(make_function: MakeFunction) -> Callable[[Path], Function]:
    """A function that logs one line while it loads and one in each invocation."""
    return lambda runtime, **environment: make_function(runtime, LOGGING_HANDLER, **environment)


@pytest.fixture(autouse=True)
def no_current_start() -> None:
    """Each test begins like a process that has not been invoked."""
    set_current(None)


@pytest.fixture(autouse=True)
def no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("COLDSTART_", "_COLDSTART_")):
            monkeypatch.delenv(name)


async def ready(sandbox: Sandbox) -> None:
    """Start the sandbox's process; it must come up."""
    outcome = await sandbox.start()
    assert outcome.kind == "ready", (outcome, sandbox.stdout, sandbox.stderr)


async def until(condition: Callable[[], bool], timeout: float = 30) -> None:
    """Wait until ``condition()`` holds; ``timeout`` in seconds."""
    give_up_at = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come to pass"
        await asyncio.sleep(0.01)


async def answers(sandbox: Sandbox, times: int = 3) -> list[str]:
    """Invoke a few times; the answer must come. Returns the lines on stderr."""
    await ready(sandbox)
    for _ in range(times):
        invocation = await sandbox.invoke()
        assert invocation.outcome.body == b'"answer"', (invocation, sandbox.stderr)
    return sandbox.stderr.splitlines()
