"""Functions found in the field that an exec wrapper can break: ten of them, on each CPython.

Each runs under the bare runtime and under the layer, in each kind of environment that it is about.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import python_version
from with_and_without import same, see


@dataclass
class Case:
    """A function, and what is to come of it.

    Attributes:
        code: the module ``app``.
        answers: the responses to as many events.
        kinds: the initialization types to run it under.
        json_logs: whether the log format is JSON.
        delay: how long it stands ready before the first event, in seconds.
        start_type: of its first invocation on demand.
        own_lines: among the lines that the function writes.
        asks_for_fields: its lines carry the fields, so that the bare runtime's are others.
        since: the oldest CPython that it is about.
    """

    code: str
    answers: list[Any] = field(default_factory=lambda: ["answer", "answer"])
    kinds: tuple[str, ...] = ("on-demand", "provisioned-concurrency")
    json_logs: bool = True
    handler: str = "app.handler"
    files: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    start_type: str = "cold"
    own_lines: tuple[str, ...] = ()
    asks_for_fields: bool = False
    since: str = "3.10"


CASES = {
    "an object that guards a private attribute called __handler": Case(
        """
        class Guarded:
            def __init__(self, inner):
                self.__handler = inner
                self.__calls = 0
            def __call__(self, event, context):
                self.__calls += 1
                if "key" not in event:
                    return ["refused", self.__calls]
                return ["let in", self.__handler(event, context)]
        handler = Guarded(lambda event, context: "confidential")
        """,
        answers=[["refused", 1], ["refused", 2]],
    ),
    "an object that lets go of memory in its first call": Case(
        """
        import gc, weakref
        class Model:
            def __init__(self):
                self.weights = bytearray(50 << 20)
        class Predict:
            def __init__(self):
                self.model = Model()
                self.dropped = weakref.ref(self.model)
            def __call__(self, event, context):
                before = resident()
                had, self.model = self.model is not None, None
                gc.collect()
                return [self.dropped() is None, not had or before - resident() > 45 << 20]
        def resident():
            with open("/proc/self/statm") as statm:
                return int(statm.read().split()[1]) * 4096
        handler = Predict()
        handler.model.weights[:] = b"x" * (50 << 20)
        """,
        answers=[[True, True], [True, True]],
    ),
    "a stand-in that makes its handler on first use": Case(
        """
        import awslambdaric.bootstrap as runtime
        class OnFirstUse:
            def __init__(self, make):
                vars(self).update(make=make)
            def __getattr__(self, name):
                if name != "made":
                    return getattr(self.made, name)
                vars(self)["made"] = self.make()
                return self.made
            def __call__(self, event, context):
                return self.made(event, context)
        def make():
            made = "while handling" if runtime._GLOBAL_AWS_REQUEST_ID else "too early"
            return lambda event, context: made
        handler = OnFirstUse(make)
        """,
        answers=["while handling", "while handling"],
        kinds=("on-demand", "snap-start"),
    ),
    "a coroutine that an add-on runs": Case(
        """
        import asyncio, inspect
        import awslambdaric.bootstrap as runtime
        original = runtime.handle_event_request
        def with_a_loop(client, request_handler, *args, **kw):
            if inspect.iscoroutinefunction(request_handler):
                def run(event, context):
                    return asyncio.run(request_handler(event, context))
                return original(client, run, *args, **kw)
            return original(client, request_handler, *args, **kw)
        runtime.handle_event_request = with_a_loop
        async def handler(event, context):
            await asyncio.sleep(0)
            return "answer"
        """
    ),
    "a tool that asks the loader in each invocation": Case(
        """
        import logging
        log = logging.getLogger()
        log.setLevel("INFO")
        own = logging.Formatter('{"severity": "%(levelname)s", "text": "%(message)s"}\\n')
        log.handlers[0].setFormatter(own)
        def handler(event, context):
            log.info("ordered")
            return [log.handlers[0].formatter is own, len(log.handlers), len(log.filters)]
        """,
        files={
            "tool.py": """
                import awslambdaric.bootstrap as runtime
                name = "_get_handler" if hasattr(runtime, "_get_handler") else "get_handler"
                load = getattr(runtime, name)
                def handler(event, context):
                    first, second = load("app.handler"), getattr(runtime, name)("app.handler")
                    return [first is second, *first(event, context)]
            """
        },
        handler="tool.handler",
        answers=[[True, True, 1, 0]] * 3,
        kinds=("on-demand", "provisioned-concurrency", "snap-start"),
        json_logs=False,
        own_lines=('{"severity": "INFO", "text": "ordered"}',),
    ),
    "the runtime's format changed in place": Case(
        """
        import json, logging
        log = logging.getLogger()
        log.setLevel("INFO")
        def handler(event, context):
            log.handlers[0].formatter._style._fmt = "%(message)s\\n"
            log.info(json.dumps({"order": 7}))
            return "answer"
        """,
        json_logs=False,
        own_lines=('{"order": 7}',),
    ),
    "a format that asks for the fields": Case(
        """
        import logging, sys
        logging.basicConfig(
            force=True, stream=sys.stdout, level="INFO",
            format="%(levelname)s %(cold_start)s %(initialization_type)s: %(message)s",
        )
        logging.info("reading the configuration")
        def handler(event, context):
            logging.info("at work")
            return "answer"
        """,
        json_logs=False,
        own_lines=("INFO None KIND: reading the configuration", "INFO FLAG KIND: at work"),
        asks_for_fields=True,
    ),
    "stdout wrapped anew around its detached buffer": Case(
        """
        import io, sys
        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", line_buffering=True)
        def handler(event, context):
            print("at work")
            return "answer"
        """,
        own_lines=("at work",),
    ),
    "a clock frozen in every module that has it": Case(
        """
        import sys, time
        clock = time.time
        for module in list(sys.modules.values()):
            for name, value in list(getattr(module, "__dict__", {}).items()):
                if value is clock and module is not sys.modules[__name__]:
                    setattr(module, name, lambda: 1709164800.0)
        def handler(event, context):
            return "answer"
        """,
        delay=1.2,
        start_type="proactive",
    ),
    "modules of the standard library in a sub-interpreter": Case(
        """
        import os, sys
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
        else:
            import _xxsubinterpreters as interpreters
        CODE = '''
        import importlib.util, os, profile
        names = ["settings", "metrics", "logs", "start", "profile", "process", "guard", "output"]
        names += ["classify", "runtime", "invocations", "sinks", "libraries", "structlog"]
        found = [name for name in names if importlib.util.find_spec(name)]
        os.write(PIPE, repr([found, hasattr(profile, "run")]).encode())
        '''
        def handler(event, context):
            reading, writing = os.pipe()
            code = CODE.replace("PIPE", str(writing))
            failed = interpreters.run_string(interpreters.create(), code)
            return str(failed) if failed else os.read(reading, 1000).decode()
        """,
        answers=["[['profile'], True]"] * 2,
        since="3.12",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_as_without_the_layer(wrapper, runtime, make_function, name: str) -> None:
    case = CASES[name]
    if python_version(runtime).split(".") < case.since.split("."):
        pytest.skip(f"about CPython {case.since} and later")
    function = make_function(runtime, case.code, case.handler, case.files)
    events = ({},) * len(case.answers)
    options = {"events": events, "json_logs": case.json_logs}
    bare, *runs = await asyncio.gather(
        see(function, None, **options),
        *(
            see(function, wrapper, initialization_type=kind, delay=case.delay, **options)
            for kind in case.kinds
        ),
    )
    assert bare.answers == case.answers
    for kind, run in zip(case.kinds, runs, strict=True):
        if case.asks_for_fields:  # without the layer such a line is lost, which stderr says
            assert run.outcomes == bare.outcomes
            assert run.stderr == ""
        else:
            same(bare, run)
        (metric,) = run.metrics
        lines = {line for part in run.raw for line in part}
        flag = str(metric["ColdStart"] == 1)
        assert {it.replace("KIND", kind).replace("FLAG", flag) for it in case.own_lines} <= lines
        expected = {"provisioned-concurrency": "provisioned", "snap-start": "restore"}
        assert metric["start_type"] == expected.get(kind, case.start_type)
        assert abs(metric["_aws"]["Timestamp"] / 1000 - time.time()) < 60
        assert [leaf["annotations"]["StartType"] for leaf in run.leaves] == [
            metric["start_type"],
            *["warm"] * (len(events) - 1),
        ]
        assert all(abs(leaf["start_time"] - time.time()) < 60 for leaf in run.leaves)
