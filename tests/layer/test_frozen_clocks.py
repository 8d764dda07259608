"""Functions that freeze the time with the libraries for that: our times are the true ones."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import pytest
from conftest import library_environment
from with_and_without import Seen, same, see

RUNTIME = library_environment("clocks")
FROZEN_AT = 1709164800  # 2024-02-29
TICKED = re.compile(r"(?<=2024-02-29T00:00:)\d\d\.\d{3}Z")  # where the clock runs on from there

AT_IMPORT = """
    import logging, time
    import freezegun
    log = logging.getLogger()
    log.setLevel("INFO")
    freezer = freezegun.freeze_time("2024-02-29", tick=TICK)
    freezer.start()
    log.info("loading")
    def handler(event, context):
        if event == "stop":
            freezer.stop()
        log.info("handling")
        return int(time.time()) // 86400 == 1709164800 // 86400
"""
IN_THE_HANDLER = """
    import logging, time
    import freezegun
    log = logging.getLogger()
    log.setLevel("INFO")
    log.info("loading")
    def answer():
        log.info("handling")
        return time.time() == 1709164800
    @freezegun.freeze_time("2024-02-29")
    def decorated():
        return answer()
    def handler(event, context):
        if event == "decorated":
            return decorated()
        if event == "with":
            with freezegun.freeze_time("2024-02-29"):
                return answer()
        if event == "for good":
            freezegun.freeze_time("2024-02-29").start()
        return answer()
"""
FUNCTIONS = {
    "from the import on": (
        AT_IMPORT.replace("TICK", "False"),
        ("frozen", "frozen", "stop", "later"),
        [True, True, False, False],
    ),
    "from the import on, ticking": (
        AT_IMPORT.replace("TICK", "True"),
        ("frozen", "later"),
        [True, True],
    ),
    "in the handler": (
        IN_THE_HANDLER,
        ("decorated", "none", "with", "none", "for good", "later"),
        [True, False, True, False, True, True],
    ),
}


def assert_true_times(seen: Seen) -> None:
    """All that is the layer's has the time of now, and the verdict is right."""
    now = time.time()
    (metric,) = seen.metrics
    assert 0 <= now - metric["_aws"]["Timestamp"] / 1000 < 60
    assert 10 < metric["InitDuration"] < 30_000
    # Ready for longer than a waiting request takes to arrive, with a trace as old as the process.
    assert metric["start_type"] == "proactive"
    assert 1_200 <= metric["idle_ms"] < 30_000
    if "timestamp" in metric:
        assert metric["timestamp"].startswith(time.strftime("20%y-%m-", time.gmtime()))
    leaves = seen.leaves
    assert all(0 <= now - leaf["start_time"] < 60 for leaf in leaves)
    assert all(0 <= leaf["end_time"] - leaf["start_time"] < 60 for leaf in leaves)
    types = [leaf["annotations"]["StartType"] for leaf in leaves]
    assert types == ["proactive", *["warm"] * (len(leaves) - 1)]


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_freezegun(wrapper, make_function, name: str) -> None:
    code, events, answers = FUNCTIONS[name]
    function = make_function(RUNTIME, code)
    options = {"events": events, "delay": 1.2}
    runs = await asyncio.gather(
        *(
            see(function, which, json_logs=json_logs, **options)
            for json_logs in (False, True)
            for which in (None, wrapper)
        )
    )
    for bare, layered in (runs[:2], runs[2:]):
        assert bare.answers == answers
        for seen in (bare, layered):
            seen.stdout = [[TICKED.sub("Z", line) for line in part] for part in seen.stdout]
        same(bare, layered)
        frozen = [line for part in layered.stdout for line in part if "2024-02-29T0" in line]
        # The lines of the function have its own time, as without us.
        assert len(frozen) == sum(answers) + ("import" in name)
        assert_true_times(layered)
        assert len(layered.leaves) == len(events)


async def test_freezegun_under_the_profile(wrapper, make_function) -> None:
    code, events, answers = FUNCTIONS["from the import on"]
    function = make_function(RUNTIME, code, COLDSTART_PROFILE="on")
    seen = await see(function, wrapper, events=events, delay=1.2, json_logs=True)
    assert seen.answers == answers
    assert seen.stderr == ""
    assert_true_times(seen)
    (line,) = [
        json.loads(line)
        for part in seen.raw
        for line in part
        if line.startswith("{") and "coldstart_profile" in line
    ]
    assert line["coldstart_profile"] == "init"
    assert 10 < line["init_ms"] < 30_000
    parts: dict[str, Any] = line["parts_ms"]
    assert all(0 <= value < 30_000 for value in parts.values())
    assert sum(parts.values()) == pytest.approx(line["init_ms"], rel=0.2)
    modules = {module["name"]: module for module in line["modules"]}
    assert 0 < modules["freezegun.api"]["total_ms"] <= modules["app"]["total_ms"] < 30_000
    assert "2024-02-29" not in line.get("timestamp", "")


async def test_time_machine(wrapper, make_function) -> None:
    """It changes the C functions themselves, so that nothing in the process can have the true time.

    The function must not notice us for that, and the verdict must not be taken for a wait.
    """
    function = make_function(
        RUNTIME,
        """
        import logging, time
        import time_machine
        log = logging.getLogger()
        log.setLevel("INFO")
        traveller = time_machine.travel(1709164800, tick=False)
        traveller.start()
        log.info("loading")
        def handler(event, context):
            log.info("handling")
            if event == "stop":
                traveller.stop()
            return time.time() == 1709164800
        """,
    )
    events = ("travelling", "stop", "later")
    bare, layered = await asyncio.gather(
        see(function, None, events=events), see(function, wrapper, events=events)
    )
    assert bare.answers == [True, False, False]
    same(bare, layered)
    (metric,) = layered.metrics
    assert metric["start_type"] == "cold"
    assert "InitDuration" not in metric  # begin and end are on two clocks
    assert metric["_aws"]["Timestamp"] == FROZEN_AT * 1000
    assert [leaf["annotations"]["StartType"] for leaf in layered.leaves] == ["cold", "warm", "warm"]
    assert layered.leaves[-1]["start_time"] > FROZEN_AT + 86400
