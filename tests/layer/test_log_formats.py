"""Functions with log formats of their own, or with the runtime's after they have changed it.

The column belongs to the runtime's text format and to no other; the fields are on every record.
"""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from with_and_without import compare, see

OWN = '"%(levelname)s own %(message)s\\n"'
# What a function does to the runtime's log handler (`h`) or its formatter (`f`), by whether the
# runtime's own format is still what a line is made by; None: the layer may see it either way.
CHANGES: dict[str, bool | None] = {
    "pass": True,
    f"f._style._fmt = {OWN}": False,
    "f._style._fmt = f._style._fmt.replace('%(message)s', '[shop] %(message)s')": False,
    "f._style._fmt = f._style._fmt[:-1] + ' %(message)s\\n'": False,
    "f._style._fmt = f._style._fmt.replace('\\t', ' ')": False,
    f"f._fmt = {OWN}": True,  # which logging itself does not look at any more
    "f.datefmt = 'at %Y-%m-%dT%H:%M:%S'": True,
    "f.converter = time.localtime": True,
    f"f._style = logging.PercentStyle({OWN})": False,
    "f._style = logging.StrFormatStyle('{levelname} own {message}\\n')": False,
    "f._style = logging.StringTemplateStyle('$levelname own $message\\n')": False,
    f"f.__init__({OWN})": False,
    "f.__init__('{levelname} own {message}\\n', style='{')": False,
    "f.__init__(f._fmt, f.datefmt)": None,
    f"h.setFormatter(logging.Formatter({OWN}))": False,
    "h.setFormatter(logging.Formatter(f._fmt, f.datefmt))": False,
    "h.setFormatter(None)": False,
    "h.setFormatter(Marking(f._fmt, f.datefmt))": False,
    "f.__class__ = Marking": None,
    "h.setFormatter(copy.copy(f))": None,
    "h.setFormatter(copy.deepcopy(f))": False,
    "h.setFormatter(pickle.loads(pickle.dumps(f)))": False,
    "h.setFormatter(copy.copy(f)); h.formatter._style = copy.deepcopy(f._style)": False,
    "h.format = lambda record: record.getMessage().upper() + '\\n'": False,
    "f.format = lambda record: record.getMessage().upper() + '\\n'": False,
    "f.formatMessage = lambda record: record.message.upper() + '\\n'": False,
    "f._style.format = lambda record: record.message.upper() + '\\n'": False,
    "own.setFormatter(f); logging.getLogger().addHandler(own)": True,
    "logging.getLogger().addHandler(own)": True,
}
CHANGING = """
    import copy, logging, pickle, sys, time

    class Marking(logging.Formatter):
        def format(self, record):
            return "! " + super().format(record)

    log = logging.getLogger()
    log.setLevel("INFO")
    h, = log.handlers
    f = h.formatter
    h_before, f_before, style_before = dict(vars(h)), dict(vars(f)), dict(vars(f._style))
    style = f._style

    def restore():
        log.handlers[:] = [h]
        f.__class__ = logging.Formatter
        for it, before in ((h, h_before), (f, f_before), (style, style_before)):
            vars(it).clear()
            vars(it).update(before)

    def handler(event, context):
        own = logging.StreamHandler(sys.stdout)
        own.setFormatter(logging.Formatter("by another handler: %(message)s"))
        exec(event, {**globals(), "own": own})
        log.info("first\\nof two lines")
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("%s", "failed")
        log.info(42)
        restore()
        log.info("afterwards")
        f = log.handlers[0].formatter
        return [type(f).__name__, isinstance(f._style, logging.PercentStyle), f.usesTime(), f._fmt,
                f._style._fmt, f._style.default_format, f._style.asctime_search]
"""
COLUMN = re.compile(r"\t(cold_start=(?:true|false) )?initialization_type=on-demand(?=\t)", re.I)


@pytest.mark.each_end
async def test_the_column_is_that_of_the_runtimes_format(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, CHANGING)
    events = tuple(CHANGES)
    bare, layered = await asyncio.gather(
        see(function, None, events=events), see(function, wrapper, events=events)
    )
    assert layered.answers == bare.answers
    assert layered.stderr == bare.stderr == ""
    for change, theirs, ours, own in zip(
        CHANGES, bare.stdout[1:], layered.stdout[1:], layered.raw[1:], strict=True
    ):
        assert [COLUMN.sub("", line) for line in ours] == theirs, change
        expected = CHANGES[change]
        # All the runtime's lines have it or none has; what an exception adds are no such lines.
        logged = [line for line in own if re.search(r"\b(first|failed|42)$", line, re.I)]
        logged = [line for line in logged if "by another handler" not in line]
        assert logged, change
        have = {COLUMN.search(line) is not None for line in logged}
        assert have == {expected} or (expected is None and len(have) == 1), (change, own)
        (afterwards,) = [line for line in own if re.search("\tafterwards$", line)]
        assert "initialization_type=on-demand\tafterwards" in afterwards


ASKS = """
    import logging, sys
    log = logging.getLogger()
    log.setLevel("INFO")
    form = "%(cold_start)s|%(initialization_type)s|%(message)s"
    own = logging.StreamHandler(sys.stdout)
    own.setFormatter(logging.Formatter(form))
    log.addHandler(own)
    brace = logging.StreamHandler(sys.stdout)
    brace.setFormatter(logging.Formatter("{cold_start!s:>6} {message}", style="{"))
    log.addHandler(brace)
    log.info("loading")
    logging.getLogger("other.place").error("elsewhere")
    def handler(event, context):
        log.info("handling")
        return "answer"
"""


@pytest.mark.each_end
@pytest.mark.parametrize("json_logs", [False, True], ids=["text", "json"])
async def test_lines_of_a_loading_module_have_the_fields(
    wrapper, runtime, make_function, json_logs: bool
) -> None:
    """There is no verdict yet: the flag is None. No line is lost for it."""
    function = make_function(runtime, ASKS)
    seen = await see(function, wrapper, json_logs=json_logs)
    assert seen.answers == ["answer", "answer"]
    assert seen.stderr == ""
    init, first, second = seen.raw
    assert "None|on-demand|loading" in init
    assert "  None loading" in init
    assert "None|on-demand|elsewhere" in init
    assert "True|on-demand|handling" in first
    assert "False|on-demand|handling" in second
    assert " False handling" in second
    own = [line for line in [*init, *first, *second] if line.startswith(("[", "{"))][-4:]
    if json_logs:
        assert [json.loads(line)["initialization_type"] for line in own] == ["on-demand"] * 4
    else:
        columns = [line.split("\t")[3] for line in own]
        assert columns[:2] == ["initialization_type=on-demand"] * 2
        assert columns[2:] == [
            f"cold_start={flag} initialization_type=on-demand" for flag in ("true", "false")
        ]


@pytest.mark.each_end
async def test_json_lines_of_a_loading_module(wrapper, runtime, make_function) -> None:
    """The runtime's JSON format leaves out what is None; a function's own has it as null."""
    function = make_function(
        runtime,
        """
        import json, logging, sys
        class Json(logging.Formatter):
            def format(self, record):
                names = ("cold_start", "initialization_type")
                return "own " + json.dumps({name: vars(record).get(name) for name in names})
        own = logging.StreamHandler(sys.stdout)
        own.setFormatter(Json())
        logging.getLogger().addHandler(own)
        logging.getLogger().error("loading")
        def handler(event, context):
            return "answer"
        """,
    )
    seen = await see(function, wrapper, json_logs=True)
    *_, line, own, _ = seen.raw[0]
    fields = json.loads(line)
    assert "cold_start" not in fields
    assert fields["initialization_type"] == "on-demand"
    assert own == 'own {"cold_start": null, "initialization_type": "on-demand"}'


@pytest.mark.each_end
async def test_a_loader_that_is_asked_while_the_module_loads(
    wrapper, runtime, make_function
) -> None:
    """By then the format may be the function's own: it gets no column, and keeps its defaults."""
    function = make_function(
        runtime,
        """
        import logging
        import awslambdaric.bootstrap as runtime
        log = logging.getLogger()
        form = '{"severity": "%(levelname)s", "text": "%(message)s", "team": "%(team)s"}\\n'
        log.handlers[0].setFormatter(logging.Formatter(form, defaults={"team": "shop"}))
        runtime._get_handler("json.dumps")
        def handler(event, context):
            log.error("handling")
            return type(log.handlers[0].formatter._style).__name__
        """,
    )
    bare, layered = await compare(function, wrapper)
    assert bare.answers == ["PercentStyle"] * 2
    assert '{"severity": "ERROR", "text": "handling", "team": "shop"}' in layered.raw[1]


EXTRAS = """
    import decimal, logging
    log = logging.getLogger()
    log.setLevel("INFO")
    class Text(str):
        def __str__(self):
            raise RuntimeError("never called")
        isprintable = __repr__ = __format__ = __str__
    class Number(int):
        def __str__(self):
            return "a\\nb"
        __repr__ = __format__ = __str__
    VALUES = [
        "a\\nb", "a\\tb", "\\r", "\\x1b[2J", "\\x85", "\\u2028\\u2029", "\\ud800", "", " ",
        "x" * 5000, None, True, 7, 1.5, float("nan"), b"a\\nb", ["a\\nb"], {"a": "\\n"}, Number(3),
        decimal.Decimal("1.5"), type, Ellipsis, "%s %(message)s {0}", 10 ** 100,
    ]
    def handler(event, context):
        values = VALUES
        if event == "text":
            values = [*VALUES, Text("a\\nb")]
        for number, value in enumerate(values):
            log.info("line %d", number, extra={"cold_start": value, "initialization_type": value})
        return len(values)
"""


@pytest.mark.each_end
async def test_values_of_the_functions_own_stay_on_one_line(
    wrapper, runtime, make_function
) -> None:
    function = make_function(runtime, EXTRAS)
    told = await see(function, wrapper, events=("text",))
    (count,) = told.answers
    assert told.stderr == ""
    # Split as CloudWatch and as Python's own splitlines do, which knows more kinds of line breaks.
    lines = "\n".join(told.raw[1]).splitlines()
    assert len(lines) == count == 25
    for number, line in enumerate(lines):
        columns = line.split("\t")
        assert len(columns) == 5, line
        assert columns[4] == f"line {number}"
        assert " initialization_type=" in columns[3] or columns[3].startswith("initialization_type")


@pytest.mark.each_end
async def test_values_of_the_functions_own_stay_in_json(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, EXTRAS.replace('"\\ud800", ', ""))
    bare, layered = await asyncio.gather(
        see(function, None, events=("json",), json_logs=True),
        see(function, wrapper, events=("json",), json_logs=True),
    )
    assert layered.answers == bare.answers
    assert layered.stderr == bare.stderr
    theirs, ours = (
        [json.loads(line, parse_constant=str) for line in seen.raw[1] if line]
        for seen in (bare, layered)
    )
    assert len(theirs) == len(ours) == 23
    for before, after in zip(theirs, ours, strict=True):
        for line in (before, after):
            del line["timestamp"], line["requestId"]
        assert {**after, **before} == after
        assert set(after) - set(before) <= {"cold_start", "initialization_type"}


LEVELS = {"TRACE": "TRACE", "DEBUG": "DEBUG", "INFO": "INFO", "WARN": "WARN", "ERROR": "FATAL"}
LEVELS |= {"FATAL": "FATAL", "": "INFO"}


async def test_the_metric_is_no_error(wrapper, newest_runtime, make_function) -> None:
    """It has a level that Lambda lets through, and above ERROR one that no other line has."""
    function = make_function(
        newest_runtime,
        """
        import logging
        log = logging.getLogger("shop")
        def handler(event, context):
            for level in (5, 10, 20, 30, 40, 50, 60):
                log.log(level, "at %d", level)
            raise ValueError("failed")
        """,
    )
    runs = await asyncio.gather(
        *(
            compare(function, wrapper, json_logs=True, log_level=level or None, events=({},))
            for level in LEVELS
        )
    )
    for (level, passes), (bare, layered) in zip(LEVELS.items(), runs, strict=True):
        (metric,) = layered.metrics
        assert metric["level"] == passes, level
        levels = [
            [json.loads(line)["level"] for part in seen.raw for line in part if line]
            for seen in (bare, layered)
        ]
        assert levels[0] == levels[1], level
        assert "FATAL" not in levels[0]


async def test_no_other_call_of_logging_is_changed(wrapper, newest_runtime, make_function) -> None:
    """What a function can find out about its records, beside the two fields."""
    function = make_function(
        newest_runtime,
        """
        import inspect, logging
        log = logging.getLogger()
        log.setLevel("INFO")
        class Keep(logging.Handler):
            records = []
            def emit(self, record):
                self.records.append(record)
        def handler(event, context):
            handlers = log.handlers[:]
            log.handlers[:] = [Keep()]
            log.info("a %s", "b", stack_info=True)
            record = Keep.records.pop()
            log.handlers[:] = handlers
            own = {n: v for n, v in vars(record).items() if n not in ("cold_start",
                   "initialization_type")}
            varying = ("created", "msecs", "relativeCreated", "asctime", "process", "thread")
            frames = [line.strip() for line in own.pop("stack_info").splitlines()
                      if "/coldstart_layer/" not in line][-2:]
            failures = []
            for extra in ({"message": 1}, {"asctime": 1}, {"name": 1}, "no mapping", [1]):
                try:
                    log.info("x", extra=extra)
                except Exception as error:
                    failures.append([type(error).__name__, str(error)])
            return [{n: repr(v) for n, v in own.items() if n not in varying}, frames, failures]
        """,
    )
    bare, _ = await compare(function, wrapper)
    assert bare.answers[0][0]["funcName"] == "'handler'"
