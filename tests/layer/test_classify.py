"""The decision table, row by row, and that nothing else can come out of it."""

from __future__ import annotations

import pytest
from coldstart_layer.classify import classify
from hypothesis import given
from hypothesis import strategies as st

READY = 1_000_000.5
FACTS = {
    "sequence": 1,
    "initialization_type": "on-demand",
    "restarted": False,
    "ready_at": READY,
    "invoked_at": READY + 0.02,
    "trace_epoch": None,
}

TABLE = [
    # warm comes before everything
    pytest.param({"sequence": 2}, ("warm", False), id="second-invocation"),
    pytest.param({"sequence": 2, "restarted": True}, ("warm", False), id="second-after-restart"),
    pytest.param(
        {"sequence": 9, "initialization_type": "lambda-managed-instances"},
        ("warm", False),
        id="later-on-managed-instance",
    ),
    # managed
    pytest.param(
        {"initialization_type": "lambda-managed-instances"}, ("managed", False), id="managed"
    ),
    pytest.param(
        {"initialization_type": "lambda-managed-instances", "restarted": True},
        ("managed", False),
        id="managed-restarted",
    ),
    # reinit
    pytest.param({"restarted": True}, ("reinit", True), id="restart"),
    pytest.param(
        {"restarted": True, "invoked_at": READY + 3600}, ("reinit", True), id="restart-and-gap"
    ),
    pytest.param(
        {"restarted": True, "initialization_type": "provisioned-concurrency"},
        ("reinit", False),
        id="restart-under-provisioned-concurrency",
    ),
    pytest.param(
        {"restarted": True, "initialization_type": "snap-start"},
        ("reinit", True),
        id="restart-under-snap-start",
    ),
    # provisioned
    pytest.param(
        {"initialization_type": "provisioned-concurrency"},
        ("provisioned", False),
        id="provisioned",
    ),
    pytest.param(
        {"initialization_type": "provisioned-concurrency", "invoked_at": READY + 3600},
        ("provisioned", False),
        id="provisioned-long-ago",
    ),
    # proactive, by the trace
    pytest.param(
        {"trace_epoch": 1_000_001, "invoked_at": READY + 0.7}, ("proactive", False), id="trace"
    ),
    pytest.param(
        {"trace_epoch": 1_000_002, "invoked_at": READY + 0.5},
        ("proactive", False),
        id="trace-a-second-ahead-of-our-clock",
    ),
    pytest.param(
        {"trace_epoch": 1_000_003, "invoked_at": READY + 0.5}, ("cold", True), id="trace-random"
    ),
    pytest.param(
        {"trace_epoch": 999_000, "invoked_at": READY + 0.5}, ("cold", True), id="trace-upstream"
    ),
    pytest.param({"trace_epoch": 1_000_000}, ("cold", True), id="trace-of-the-request-that-waits"),
    pytest.param({"trace_epoch": 0x7FFFFFFF}, ("cold", True), id="trace-far-future"),
    # proactive, by the gap
    pytest.param({"invoked_at": READY + 10.1}, ("proactive", False), id="gap"),
    pytest.param({"invoked_at": READY + 10.0}, ("cold", True), id="gap-an-extension-can-cause"),
    pytest.param(
        {"invoked_at": READY + 10.1, "trace_epoch": 999_000},
        ("proactive", False),
        id="gap-with-a-trace-that-does-not-tell",
    ),
    pytest.param({"invoked_at": READY - 5}, ("cold", True), id="clock-set-back"),
    pytest.param(
        {"ready_at": None, "invoked_at": READY + 3600}, ("cold", True), id="readiness-unknown"
    ),
    pytest.param(
        {"initialization_type": "snap-start", "invoked_at": READY + 11},
        ("proactive", False),
        id="restored-and-gap",
    ),
    # restore
    pytest.param({"initialization_type": "snap-start"}, ("restore", True), id="restore"),
    pytest.param(
        {"initialization_type": "snap-start", "ready_at": None},
        ("restore", True),
        id="restore-without-hook",
    ),
    # cold
    pytest.param({}, ("cold", True), id="on-demand"),
    pytest.param({"initialization_type": "unknown"}, ("cold", True), id="type-unset"),
    pytest.param({"initialization_type": "of-the-future"}, ("cold", True), id="type-new"),
]


@pytest.mark.parametrize(("facts", "verdict"), TABLE)
def test_row(facts: dict, verdict: tuple[str, bool]) -> None:
    assert classify(**{**FACTS, **facts}) == verdict


INITIALIZATION_TYPES = st.sampled_from(
    [
        "on-demand",
        "provisioned-concurrency",
        "snap-start",
        "lambda-managed-instances",
        "unknown",
    ]
)
TIMES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(min_value=0, max_value=4e9)
ANY_FACTS = st.fixed_dictionaries(
    {
        "sequence": st.integers(min_value=1, max_value=3),
        "initialization_type": INITIALIZATION_TYPES | st.text(),
        "restarted": st.booleans(),
        "ready_at": st.none() | TIMES,
        "invoked_at": TIMES,
        "trace_epoch": st.none() | st.integers(min_value=0, max_value=2**32 - 1),
    }
)
COLD = {
    "warm": {False},
    "managed": {False},
    "reinit": {False, True},
    "provisioned": {False},
    "proactive": {False},
    "restore": {True},
    "cold": {True},
}


@given(facts=ANY_FACTS)
def test_any_facts_give_a_row(facts: dict) -> None:
    start_type, cold_start = classify(**facts)
    assert cold_start in COLD[start_type]


@given(facts=ANY_FACTS)
def test_provisioned_concurrency_is_never_cold(facts: dict) -> None:
    facts["initialization_type"] = "provisioned-concurrency"
    start_type, cold_start = classify(**facts)
    assert cold_start is False
    assert start_type in {"warm", "reinit", "provisioned"}


@given(facts=ANY_FACTS)
def test_first_row_that_matches(facts: dict) -> None:
    """The table again, written the other way round: what each start type presupposes."""
    start_type, _ = classify(**facts)
    kind = facts["initialization_type"]
    assert (start_type == "warm") == (facts["sequence"] > 1)
    if start_type != "warm":
        assert (start_type == "managed") == (kind == "lambda-managed-instances")
    if start_type == "reinit":
        assert facts["restarted"]
    if start_type in {"provisioned", "proactive", "restore", "cold"}:
        assert not facts["restarted"]
        assert (start_type == "provisioned") == (kind == "provisioned-concurrency")
    if start_type == "restore":
        assert kind == "snap-start"
