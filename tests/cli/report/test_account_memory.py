"""Memory sizes, of which a function may have several: each line says its own."""

from __future__ import annotations

import math

import pytest
from function_logs import FunctionLog
from reported_account import BEGIN, Account


def sized(log: FunctionLog, memory_size_mb: int) -> None:
    """Have the last request's REPORT say that it had this memory size; else they say 512."""
    at, stream, message = log.events[-1]
    for name in ("Memory Size: ", '"memorySizeMB":'):
        message = message.replace(f"{name}512", f"{name}{memory_size_mb}")
    log.events[-1] = (at, stream, message)


@pytest.mark.parametrize("json_format", [False, True], ids=["text", "json"])
def test_a_size_that_changed(of: Account, json_format: bool) -> None:
    log = FunctionLog(f"grown-{json_format}", json_format)
    log.request(BEGIN + 1, "cold", init_ms=400.0, duration_ms=599.5, memory_mb=500)
    for number in range(2):
        log.request(BEGIN + 1_800 + number, duration_ms=2_000, memory_mb=700)
        sized(log, 2_048)
    log.request(BEGIN + 1_830, duration_ms=1_000, memory_mb=900)  # an older version still
    of.add(log, MemorySize=256)
    figures = of.figures()
    assert (figures.memory_mb, figures.max_memory_used_mb) == (2_048, 700)
    assert figures.billed_ms == 6_000
    assert figures.billed_gb_seconds is not None
    assert math.isclose(figures.billed_gb_seconds, 2 * 0.5 + 4 * 2)
    assert figures.billed_init_gb_seconds == pytest.approx(0.4 * 0.5)


def test_lines_that_do_not_say_it(of: Account) -> None:
    log = FunctionLog("silent-of-size")
    log.request(BEGIN + 1, "cold", init_ms=400.0)
    at, stream, message = log.events[-1]
    log.events[-1] = (at, stream, message.replace("Memory Size: 512 MB\t", ""))
    of.add(log, MemorySize=256)
    figures = of.figures()
    assert (figures.memory_mb, figures.max_memory_used_mb) == (256, 90)
    assert (figures.billed_gb_seconds, figures.billed_init_gb_seconds) == (None, None)


def test_without_any_request(of: Account) -> None:
    of.add(FunctionLog("idle-of-size"), MemorySize=256)
    assert of.figures().memory_mb == 256
