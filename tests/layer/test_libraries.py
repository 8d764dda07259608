"""The libraries that the layer agrees with: what is done without them, and with broken ones.

With real ones: test_powertools, test_opentelemetry, test_logging_libraries, test_datadog and, for
aws-xray-sdk, test_tracing.
"""

from __future__ import annotations

import json
import re
import sys

import pytest
from coldstart_cli.local_lambda import Sandbox
from coldstart_layer.libraries import Libraries
from coldstart_layer.settings import Settings
from coldstart_layer.start import Start
from conftest import ROOT, SELDOM_IMPORTED, answers, ready
from start_scenarios import run

pytestmark = pytest.mark.each_end


async def test_without_any_nothing_is_imported(wrapper, runtime, make_function) -> None:
    code = """
        import sys
        def handler(event, context):
            return [name for name in sys.modules if name.startswith("coldstart_layer.")]
    """
    for told in await run(make_function(runtime, code), wrapper):
        loaded = {name.partition(".")[2] for name in json.loads(told.outcome.body)}
        assert "libraries" in loaded
        assert not loaded & SELDOM_IMPORTED


async def test_those_loaded_with_the_module_are_dealt_with_in_the_init(
    wrapper, newest_runtime, make_function
) -> None:
    """No request waits for it, and it is in the snapshot."""
    code = """
        import sys
        import loguru
        from snapshot_restore_py import register_after_restore
        register_after_restore(lambda: print(type(loguru.logger._core.extra).__name__))
        def handler(event, context): pass
    """
    files = {"loguru.py": "class logger:\n    class _core:\n        extra = {}\n"}
    function = make_function(newest_runtime, code, files=files)
    async with Sandbox(function, wrapper=wrapper, initialization_type="snap-start") as sandbox:
        await ready(sandbox)
        await sandbox.restore()
        assert (sandbox.stdout, sandbox.stderr) == ("_Extra\n", "")


def test_what_an_invocation_costs_without_any() -> None:
    """Two calls of ours, and one of ``len``."""
    libraries = Libraries(Settings({}))
    start = Start(True, "cold", "on-demand")
    libraries.tell(start)
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append((event, frame.f_code.co_name)))
    try:
        libraries.tell(start)
    finally:
        sys.setprofile(None)
    ours = [call for call in calls if call[1] in ("tell", "look")]
    assert [event for event, _ in ours].count("call") == 2
    assert [event for event, _ in ours].count("c_call") == 1
    assert len(ours) == 6


RAISES = """
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise RuntimeError("broken")
"""
READ_ONLY = """
import sys
import types
class ReadOnly(types.ModuleType):
    def __setattr__(self, name, value):
        raise RuntimeError("broken")
sys.modules[__name__].__class__ = ReadOnly
"""
SPANS = """
class TracerProvider:
    def add_span_processor(self, processor):
        {add}
class SpanProcessor:
    pass
class Span:
    {span}
"""
# The modules of a broken version of each library. All are imported.
BROKEN = {
    "powertools-missing": {
        "aws_lambda_powertools.logging.logger": "",
        "aws_lambda_powertools.tracing.tracer": "is_cold_start = True",
    },
    "powertools-raises": {"aws_lambda_powertools.logging.logger": RAISES},
    "powertools-read-only": {
        "aws_lambda_powertools.logging.logger": "is_cold_start = True" + READ_ONLY,
    },
    "datadog-missing": {"datadog_lambda.wrapper": ""},
    "datadog-raises": {"datadog_lambda.wrapper": RAISES},
    "structlog-missing": {"structlog": ""},
    "structlog-raises": {"structlog": RAISES},
    "structlog-other": {
        "structlog": "class BoundLoggerBase:\n    def __init__(self): self._steps = []\n"
    },
    "loguru-missing": {"loguru": ""},
    "loguru-raises": {"loguru": RAISES},
    "loguru-other": {"loguru": "class logger:\n    class _core:\n        extra = None\n"},
    "opentelemetry-missing": {"opentelemetry.trace": "", "opentelemetry.sdk.trace": ""},
    "opentelemetry-raises": {"opentelemetry.trace": RAISES, "opentelemetry.sdk.trace": RAISES},
    "opentelemetry-add": {
        "opentelemetry.sdk.trace": SPANS.format(add="raise RuntimeError('broken')", span="pass"),
        "opentelemetry.trace": "from opentelemetry.sdk.trace import TracerProvider\n"
        "_TRACER_PROVIDER = TracerProvider()\n",
    },
    "opentelemetry-span": {
        "opentelemetry.sdk.trace": SPANS.format(
            add="self.start = processor.on_start", span="kind = property(lambda self: 1 / 0)"
        ),
        "opentelemetry.trace": "from opentelemetry.sdk.trace import Span, TracerProvider\n"
        "_TRACER_PROVIDER = TracerProvider()\n"
        "def called(): _TRACER_PROVIDER.start(Span())\n",
    },
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_version(wrapper, runtime, make_function, broken: str) -> None:
    """The function answers, our own signals are there, and one line says what is not."""
    files = {}
    for module, content in BROKEN[broken].items():
        *packages, name = module.split(".")
        for depth in range(len(packages)):
            files.setdefault("/".join(packages[: depth + 1]) + "/__init__.py", "")
        files["/".join([*packages, name]) + ".py"] = content
    code = f"""
        import {", ".join(BROKEN[broken])}
        def handler(event, context):
            if "{broken}" == "opentelemetry-span":
                opentelemetry.trace.called()
            return "answer"
    """
    function = make_function(runtime, code, files=files)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        (line,) = await answers(sandbox)
        assert '"_aws"' in sandbox.stdout
        assert len(sandbox.xray.read()) == 3
    library = next(iter(BROKEN[broken])).partition(".")[0]
    assert re.match(rf"coldstart-layer: verdict in {library}[.\w]* skipped: \w+Error: .", line)


async def test_a_lazy_import_stays_lazy(wrapper, newest_runtime, make_function) -> None:
    """Nothing of it runs, and there is no word about it, nor about one that is not there."""
    code = """
        import sys
        from importlib.util import LazyLoader, find_spec, module_from_spec
        spec = find_spec("loguru")
        spec.loader = LazyLoader(spec.loader)
        module = sys.modules["loguru"] = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["structlog"] = None
        def handler(event, context):
            return type(module).__name__
    """
    function = make_function(newest_runtime, code, files={"loguru.py": "1 / 0"})
    for told in await run(function, wrapper):
        assert told.outcome.body == b'"_LazyModule"'
        assert "ColdStart" in told.stdout or told.subsegment("coldstart")


async def test_one_broken_part_of_powertools(wrapper, newest_runtime, make_function) -> None:
    """The flags that are there are set."""
    files = {
        "aws_lambda_powertools/__init__.py": "",
        "aws_lambda_powertools/logging/__init__.py": "",
        "aws_lambda_powertools/logging/logger.py": "",
        "aws_lambda_powertools/tracing/__init__.py": "",
        "aws_lambda_powertools/tracing/tracer.py": "is_cold_start = None",
    }
    code = """
        from aws_lambda_powertools.logging import logger
        from aws_lambda_powertools.tracing import tracer
        def handler(event, context):
            return tracer.is_cold_start
    """
    function = make_function(newest_runtime, code, files=files)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await sandbox.start()
        assert [(await sandbox.invoke()).outcome.body for _ in range(2)] == [b"true", b"false"]
        assert len(sandbox.stderr.splitlines()) == 1


async def test_a_library_that_a_thread_is_still_importing(
    wrapper, newest_runtime, make_function
) -> None:
    """It is left alone until it is complete."""
    code = """
        import sys, threading, time
        finish = threading.Event()
        def import_it():
            import loguru
        thread = threading.Thread(target=import_it)
        thread.start()
        while "loguru" not in sys.modules:
            time.sleep(0.01)
        def handler(event, context):
            if event.get("finish"):
                finish.set()
                thread.join()
            logger = getattr(sys.modules["loguru"], "logger", None)
            return logger and type(logger._core.extra).__name__
    """
    files = {
        "loguru.py": """
            import app
            app.finish.wait(60)
            class Core: pass
            class Logger: pass
            logger = Logger()
            logger._core = Core()
            logger._core.extra = {}
        """
    }
    function = make_function(newest_runtime, code, files=files)
    told = await run(function, wrapper, events=({}, {"finish": 1}, {}))
    assert [json.loads(each.outcome.body) for each in told] == [None, "dict", "_Extra"]


def test_the_versions_in_the_readme_are_those_tested() -> None:
    """As they are pinned in requirements/."""
    pinned: dict[str, list[str]] = {}
    for lock in (
        *(ROOT / "requirements/libraries").glob("*.txt"),
        ROOT / "requirements/runtimes.txt",
    ):
        for name, version in re.findall(r"^([\w-]+)==([\w.]+)", lock.read_text(), re.MULTILINE):
            pinned.setdefault(name, []).append(version)
    table = (ROOT / "README.md").read_text().partition("| package |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d.b, ]+) \|", table, re.MULTILINE)
    assert len(rows) >= 8
    for name, versions in rows:
        assert sorted(versions.split(", ")) == sorted(set(pinned[name])), name
