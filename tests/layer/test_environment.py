"""From the facts of a process to the ``Start`` of an invocation, without a process."""

from __future__ import annotations

import pytest
from coldstart_layer.environment import Environment
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader

BEGAN = 1_000_000.0


def first_start(
    initialization_type: str,
    *,
    restarted: bool = False,
    loaded_after: float = 0.25,
    gap: float = 0.01,
) -> Start:
    environment = Environment(initialization_type, BEGAN, restarted)
    environment.handler_loaded(BEGAN + loaded_after)
    return environment.invoked(BEGAN + loaded_after + gap, "request", TraceHeader())


def test_cold_start_spans_its_init() -> None:
    start = first_start("on-demand")
    assert (start.start_type, start.init_duration_ms, start.idle_ms) == ("cold", 250.0, 10.0)
    assert start.init_span == (BEGAN, BEGAN + 0.25)


@pytest.mark.parametrize(
    ("initialization_type", "gap", "start_type"),
    [
        ("provisioned-concurrency", 3600, "provisioned"),
        ("lambda-managed-instances", 3600, "managed"),
        ("on-demand", 3600, "proactive"),
    ],
)
def test_an_init_that_was_before_the_request(initialization_type, gap, start_type) -> None:
    start = first_start(initialization_type, gap=gap)
    assert (start.start_type, start.cold_start) == (start_type, False)
    assert (start.init_duration_ms, start.idle_ms) == (250.0, 3_600_000.0)
    assert start.init_span is None


def test_restore_whose_hook_did_not_run() -> None:
    """Then readiness is not known: that the process was loaded long ago says nothing."""
    start = first_start("snap-start", gap=3600)
    assert (start.start_type, start.cold_start) == ("restore", True)
    assert (start.init_duration_ms, start.idle_ms, start.init_span) == (None, None, None)


def test_restore_starts_the_count_anew() -> None:
    environment = Environment("snap-start", BEGAN, restarted=False)
    environment.handler_loaded(BEGAN + 1)
    for _ in range(2):
        environment.restored(BEGAN + 100)
        start = environment.invoked(BEGAN + 100.5, None, TraceHeader())
        assert (start.start_type, start.sequence, start.idle_ms) == ("restore", 1, 500.0)
        start = environment.invoked(BEGAN + 101, None, TraceHeader())
        assert (start.start_type, start.sequence) == ("warm", 2)


def test_reinit_under_snap_start_has_an_init_of_its_own() -> None:
    start = first_start("snap-start", restarted=True)
    assert (start.start_type, start.init_duration_ms) == ("reinit", 250.0)
    assert start.init_span == (BEGAN, BEGAN + 0.25)


def test_a_clock_that_was_set_back() -> None:
    """No duration is better than a negative one."""
    start = first_start("on-demand", loaded_after=-5, gap=-5)
    assert (start.start_type, start.init_duration_ms, start.idle_ms) == ("cold", None, None)
    assert start.init_span is None
