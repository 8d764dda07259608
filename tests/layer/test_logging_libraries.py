"""structlog, loguru and python-json-logger: the two fields on every line, and nothing else new."""

from __future__ import annotations

import json
import re

import pytest
from conftest import library_environment
from start_scenarios import SCENARIOS, run

ENVIRONMENT = library_environment("logging")
FIELDS = {"cold_start", "initialization_type"}
PROVISIONED = next(it for it in SCENARIOS if it.expected == "provisioned")


def fields(line: dict) -> tuple:
    return line.get("cold_start"), line.get("initialization_type")


# structlog: each sets up `logger`, which then logs one JSON line for each `logger.info(...)`.
STRUCTLOG = {
    "JSON": """
        import structlog
        structlog.configure(processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(),
        ])
        logger = structlog.get_logger()
    """,
    "without context variables": """
        import structlog
        structlog.configure(processors=[structlog.processors.JSONRenderer()])
        logger = structlog.get_logger()
    """,
    "a tuple of processors": """
        import structlog
        structlog.configure(processors=(structlog.processors.JSONRenderer(),))
        logger = structlog.get_logger()
    """,
    "cached on first use": """
        import structlog
        structlog.configure(
            processors=[structlog.processors.JSONRenderer()], cache_logger_on_first_use=True
        )
        logger = structlog.get_logger()
        logger.info("loading")
    """,
    "bound while loading": """
        import structlog
        structlog.configure(processors=[structlog.processors.JSONRenderer()])
        logger = structlog.get_logger().bind(component="orders").new(other=1)
    """,
    "wrapped": """
        import sys
        import structlog
        logger = structlog.wrap_logger(
            structlog.PrintLogger(sys.stdout), processors=[structlog.processors.JSONRenderer()]
        )
    """,
    "on top of logging": """
        import logging, sys
        import structlog
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, structlog.processors.JSONRenderer()],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        logging.basicConfig(force=True, stream=sys.stdout, format="%(message)s", level="INFO")
        logger = structlog.get_logger()
    """,
    "with logging's formatter": """
        import logging, sys
        import structlog
        formatter = structlog.stdlib.ProcessorFormatter(processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ])
        out = logging.StreamHandler(sys.stdout)
        out.setFormatter(formatter)
        logging.basicConfig(force=True, handlers=[out], level="INFO")
        structlog.configure(
            processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
        )
        logger = structlog.get_logger()
    """,
}
HANDLER = """
        def handler(event, context):
            structlog.contextvars.clear_contextvars()
            logger.info("handling", own=1)
            logger.bind(more=2).info("handling", own=1)
"""


@pytest.mark.parametrize("scenario", [SCENARIOS[0], PROVISIONED], ids=lambda it: it.expected)
@pytest.mark.parametrize("configuration", STRUCTLOG)
async def test_structlog(wrapper, make_function, configuration: str, scenario) -> None:
    function = make_function(ENVIRONMENT, STRUCTLOG[configuration] + HANDLER)
    bare, *layered = [
        [line for line in told.logs if line["event"] == "handling"]
        for which, events in ((None, ({},)), (wrapper, ({}, {})))
        for told in await run(function, which, scenario, events=events, json_logs=False)
    ]
    cold = scenario.expected == "cold"
    for lines, expected in zip(layered, (cold, False), strict=True):
        assert [fields(line) for line in lines] == [(expected, scenario.initialization_type)] * 2
        # But for the two fields it says what it says without us.
        kept = [{key: line[key] for key in line if key not in FIELDS} for line in lines]
        assert kept == bare


async def test_structlog_in_its_default_configuration(wrapper, make_function) -> None:
    code = """
        import structlog
        logger = structlog.get_logger()
        def handler(event, context):
            logger.info("handling", own=1)
    """
    first, second = await run(make_function(ENVIRONMENT, code), wrapper, json_logs=False)
    for told, expected in ((first, "True"), (second, "False")):
        (line,) = [line for line in told.stdout.splitlines() if "handling" in line]
        shown = dict(re.findall(r"(\w+)=(\S+)", re.sub(r"\x1b\[[\d;]*m", "", line)))
        assert shown == {"cold_start": expected, "initialization_type": "on-demand", "own": "1"}


async def test_structlog_and_the_functions_own_values(wrapper, make_function) -> None:
    code = """
        import structlog
        structlog.configure(processors=[
            structlog.contextvars.merge_contextvars, structlog.processors.JSONRenderer(),
        ])
        logger = structlog.get_logger()
        def handler(event, context):
            logger.info("given", cold_start="mine")
            logger.bind(initialization_type="mine").info("bound")
            with structlog.contextvars.bound_contextvars(cold_start="mine"):
                logger.info("context")
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    assert [fields(line) for line in told.logs] == [
        ("mine", "on-demand"),
        (True, "mine"),
        ("mine", "on-demand"),
    ]


async def test_structlog_reconfigured_in_the_handler(wrapper, make_function) -> None:
    code = """
        import structlog
        def handler(event, context):
            structlog.configure(processors=[structlog.processors.JSONRenderer()])
            structlog.get_logger().info("handling")
    """
    first, second = await run(make_function(ENVIRONMENT, code), wrapper)
    assert [fields(*told.logs) for told in (first, second)] == [
        (True, "on-demand"),
        (False, "on-demand"),
    ]


async def test_structlog_shows_the_right_caller(wrapper, make_function) -> None:
    """No frame of ours is between the call and a processor that looks for it."""
    code = """
        import asyncio
        import structlog
        from structlog.processors import CallsiteParameter
        structlog.configure(
            processors=[
                structlog.processors.CallsiteParameterAdder(
                    {CallsiteParameter.FUNC_NAME, CallsiteParameter.MODULE}
                ),
                structlog.processors.JSONRenderer(),
            ],
        )
        logger = structlog.get_logger()
        def handler(event, context):
            logger.info("handling")
            asyncio.run(answer())
        async def answer():
            logger.info("answering")
            await logger.ainfo("waiting")
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    lines = [line for line in told.logs if "event" in line]  # asyncio logs too
    assert [(line["module"], line["func_name"]) for line in lines] == [
        ("app", "handler"),
        ("app", "answer"),
        ("app", "answer"),
    ]
    assert [fields(line) for line in lines] == [(True, "on-demand")] * 3


async def test_structlogs_loggers_stay_what_they_were(wrapper, make_function) -> None:
    """They can be copied and pickled, and tests can capture what they log."""
    code = """
        import copy, pickle
        import structlog
        from structlog.testing import capture_logs
        structlog.configure(processors=[structlog.contextvars.merge_contextvars])
        bound = structlog.get_logger().bind(a=1)
        def handler(event, context):
            again = pickle.loads(pickle.dumps(bound.bind(b=2)))
            copied = copy.deepcopy(bound)
            assert again._processors == copied._processors == bound._processors, again
            assert len(bound.bind().bind().bind()._processors) == 2
            with capture_logs() as captured:
                structlog.get_logger().info("captured")
            return captured
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    (captured,) = json.loads(told.outcome.body)
    assert captured["event"] == "captured"


# What agents and functions do with a logger's list of processors, each event or each `bind`.
MEDDLING = {
    "a copy put back": "logger._processors = list(logger._processors)",
    "a logger made from a copy": "logger = type(logger)(logger._logger, [*logger._processors], {})",
    "appended to": "logger._processors.insert(0, count); logger._processors.remove(count)",
}


@pytest.mark.parametrize("meddling", MEDDLING)
async def test_structlogs_processors_do_not_multiply(wrapper, make_function, meddling: str) -> None:
    code = f"""
        import structlog
        count = lambda logger, name, event: event
        structlog.configure(processors=[structlog.processors.JSONRenderer()])
        logger = structlog.get_logger().bind()
        def handler(event, context):
            global logger
            for _ in range(20):
                {MEDDLING[meddling]}
                logger.info("handling")
            return len(logger._processors)
    """
    for told in await run(make_function(ENVIRONMENT, code), wrapper):
        assert told.outcome.body == b"2"


async def test_a_processor_added_to_a_logger_later(wrapper, make_function) -> None:
    code = """
        import structlog
        structlog.configure(processors=[structlog.processors.JSONRenderer()])
        logger = structlog.get_logger().bind()
        def handler(event, context):
            def add(logger, name, event):
                return {**event, "added": 1}
            logger._processors.insert(0, add)
            logger.info("handling")
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    (line,) = told.logs
    assert (line["added"], *fields(line)) == (1, True, "on-demand")


# Loggers of the function's own make: each works as it does without us.
OWN_LOGGERS = {
    "no processors": """
        class Sink:
            def info(self, event, user):
                print(event, user)
        logger = structlog.wrap_logger(Sink(), processors=[])
    """,
    "a delegating class": """
        class Delegating(structlog.BoundLoggerBase):
            def __init__(self, inner):
                self._inner = inner
            def __getattr__(self, name):
                return getattr(self.__dict__["_inner"], name)
            def info(self, event, **values):
                return self._proxy_to_logger("info", event, **values)
        logger = Delegating(structlog.get_logger().bind())
    """,
}


@pytest.mark.parametrize("own", OWN_LOGGERS)
async def test_structlog_loggers_of_the_functions_own(wrapper, make_function, own: str) -> None:
    handler = '\n        def handler(event, context):\n            logger.info("hi", user=1)\n'
    function = make_function(ENVIRONMENT, "\n        import structlog" + OWN_LOGGERS[own] + handler)
    for told in await run(function, wrapper):
        assert "hi" in told.stdout


async def test_structlog_thread_local_values(wrapper, make_function) -> None:
    code = """
        import warnings
        warnings.simplefilter("ignore")
        import structlog
        from structlog.threadlocal import bind_threadlocal, merge_threadlocal
        structlog.configure(processors=[merge_threadlocal, structlog.processors.JSONRenderer()])
        def handler(event, context):
            bind_threadlocal(cold_start="mine")
            structlog.get_logger().info("handling")
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    assert fields(*told.logs) == ("mine", "on-demand")


LOGURU = """
    import sys
    from loguru import logger
    logger.remove()
    logger.add(sys.stdout, serialize=True)
    {setup}
    def handler(event, context):
        logger.info("handling")
        logger.bind(own=1).info("handling")
        {more}
"""


def extras(told) -> list[dict]:
    return [line["record"]["extra"] for line in told.logs]


@pytest.mark.parametrize("scenario", [SCENARIOS[0], PROVISIONED], ids=lambda it: it.expected)
async def test_loguru(wrapper, make_function, scenario) -> None:
    function = make_function(ENVIRONMENT, LOGURU.format(setup="", more=""))
    for told, expected in zip(
        await run(function, wrapper, scenario), (scenario.expected == "cold", False), strict=True
    ):
        ours = {"cold_start": expected, "initialization_type": scenario.initialization_type}
        assert extras(told) == [ours, {**ours, "own": 1}]


OWN = {"cold_start": True, "initialization_type": "on-demand"}
MINE = {**OWN, "cold_start": "mine"}


@pytest.mark.parametrize(
    ("setup", "more", "expected"),
    [
        (
            "logger = logger.patch(lambda record: record['extra'].update(patched=1))",
            "",
            [{**OWN, "patched": 1}, {**OWN, "patched": 1, "own": 1}],
        ),
        (
            "logger.configure(patcher=lambda record: record['extra'].update(cold_start='mine'))",
            "",
            [MINE, {**MINE, "own": 1}],
        ),
        (
            "logger.configure(extra={'a': 1, 'cold_start': 'mine'})",
            "",
            [{**MINE, "a": 1}, {**MINE, "a": 1, "own": 1}],
        ),
        (
            "",
            "logger.configure(extra={'b': 2}); logger.info('configured')",
            [OWN, {**OWN, "own": 1}, {**OWN, "b": 2}],
        ),
        (
            "",
            "logger.bind(cold_start='mine').info('bound')",
            [OWN, {**OWN, "own": 1}, MINE],
        ),
        (
            "",
            "\n        with logger.contextualize(cold_start='mine'): logger.info('context')",
            [OWN, {**OWN, "own": 1}, MINE],
        ),
    ],
    ids=["patch", "patcher", "extra", "extra later", "bind", "contextualize"],
)  # fmt: skip
async def test_loguru_and_the_functions_own(
    wrapper, make_function, setup: str, more: str, expected: list[dict]
) -> None:
    function = make_function(ENVIRONMENT, LOGURU.format(setup=setup, more=more))
    (told,) = await run(function, wrapper, events=({},))
    assert extras(told) == expected


async def test_loguru_sent_to_another_process(wrapper, make_function) -> None:
    code = """
        import pickle
        from loguru import logger
        logger.remove()
        def handler(event, context):
            extra = pickle.loads(pickle.dumps(logger))._core.extra
            return [type(extra).__name__, extra]
    """
    (told,) = await run(make_function(ENVIRONMENT, code), wrapper, events=({},))
    assert json.loads(told.outcome.body) == ["dict", {}]


async def test_a_copy_of_the_loguru_logger_tells_nothing_stale(wrapper, make_function) -> None:
    code = """
        import copy, sys
        from loguru import logger
        logger.remove()
        own = None
        def handler(event, context):
            global own
            if own is None:
                own = copy.deepcopy(logger)
                own.add(sys.stdout, serialize=True)
            own.info("handling")
    """
    for told in await run(make_function(ENVIRONMENT, code), wrapper):
        assert extras(told) == [{}]


JSON_LOGGER = """
    import logging, sys
    from pythonjsonlogger.json import JsonFormatter
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(JsonFormatter({form}))
    logging.basicConfig(force=True, handlers=[out], level="INFO")
    logger = logging.getLogger("own")
    def handler(event, context):
        logger.info("handling")
        logger.info("given", extra={{"cold_start": "mine", "other": 1}})
"""


@pytest.mark.parametrize("form", ["", "'%(levelname)s %(message)s %(cold_start)s'"])
async def test_python_json_logger(wrapper, make_function, form: str) -> None:
    function = make_function(ENVIRONMENT, JSON_LOGGER.format(form=form))
    for told, expected in zip(await run(function, wrapper), (True, False), strict=True):
        assert [fields(line) for line in told.logs] == [
            (expected, "on-demand"),
            ("mine", "on-demand"),
        ]


@pytest.mark.parametrize("library", ["structlog", "loguru", "python-json-logger"])
async def test_switched_off(wrapper, make_function, library: str) -> None:
    code = {
        "structlog": STRUCTLOG["JSON"] + HANDLER,
        "loguru": LOGURU.format(setup="", more=""),
        "python-json-logger": JSON_LOGGER.format(form=""),
    }[library]
    function = make_function(ENVIRONMENT, code, COLDSTART_LOGS="off")
    (told,) = await run(function, wrapper, events=({},))
    assert len(told.logs) == 2
    assert not any(set(line.get("record", {}).get("extra", line)) & FIELDS - {"cold_start"}
                   for line in told.logs)  # fmt: skip
