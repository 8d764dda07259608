"""The decision table: each row, each boundary, and that nothing else can come out of it."""

from __future__ import annotations

from typing import Any

import pytest
from coldstart_layer.classify import classify
from hypothesis import assume, example, given
from hypothesis import strategies as st

READY = 1_000_000.5
FACTS: dict[str, Any] = {
    "sequence": 1,
    "initialization_type": "on-demand",
    "restarted": False,
    "ready_at": READY,
    "invoked_at": READY + 0.02,
    "born_at": None,
    "root": None,
    "has_extension": False,
}
MANAGED = {"initialization_type": "lambda-managed-instances"}
PROVISIONED = {"initialization_type": "provisioned-concurrency"}
SNAP_START = {"initialization_type": "snap-start"}
# Handed over 3.5 seconds after the environment was ready, by which time an extension alone could
# have held it back.
LATE = {"invoked_at": READY + 3.5, "has_extension": True}

WARM = ("warm", False)
COLD = ("cold", True)
PROACTIVE = ("proactive", False)
RESTORE = ("restore", True)


def case(name: str, verdict: tuple[str, bool], *facts: dict[str, Any], **more: Any) -> Any:
    """Make a row of the table. Later facts override earlier ones."""
    row = {name: value for some in (*facts, more) for name, value in some.items()}
    return pytest.param(row, verdict, id=name)


TABLE = [
    # The rows in their order, and that each one comes before those below it.
    case("second-invocation", WARM, sequence=2),
    case("second-after-restart", WARM, sequence=2, restarted=True),
    case("second-on-a-managed-instance", WARM, MANAGED, sequence=2),
    case("second-under-provisioned-concurrency", WARM, PROVISIONED, sequence=2),
    case("second-after-restore", WARM, SNAP_START, sequence=2),
    case("second-after-a-long-gap", WARM, sequence=2, invoked_at=READY + 3600),
    case("managed-instance", ("managed", False), MANAGED),
    case("managed-instance-restarted", ("managed", False), MANAGED, restarted=True),
    case("managed-instance-ready-before", ("managed", False), MANAGED, invoked_at=READY + 3600),
    case("restarted", ("reinit", True), restarted=True),
    case("restarted-and-ready-before", ("reinit", True), restarted=True, invoked_at=READY + 3600),
    case("restarted-provisioned-concurrency", ("reinit", False), PROVISIONED, restarted=True),
    case("restarted-snap-start", ("reinit", True), SNAP_START, restarted=True),
    case("provisioned-concurrency", ("provisioned", False), PROVISIONED),
    case("provisioned-ready-before", ("provisioned", False), PROVISIONED, invoked_at=READY + 3600),
    case("snap-start", RESTORE, SNAP_START),
    case("snap-start-ready-before", PROACTIVE, SNAP_START, LATE, born_at=READY + 3.4),
    case("snap-start-readiness-unknown", RESTORE, SNAP_START, ready_at=None),
    case("on-demand", COLD),
    case("type-unset", COLD, initialization_type="unknown"),
    case("type-of-the-future", COLD, initialization_type="of-the-future"),
    case("type-of-the-future-ready-before", PROACTIVE, LATE, initialization_type="of-the-future",
         born_at=READY + 3.4),
    case("readiness-unknown", COLD, LATE, ready_at=None, born_at=READY + 3.4, root=1_000_003),
    # 1. When API Gateway or a function URL received the request.
    case("born-before-ready", COLD, born_at=READY - 0.2),
    case("born-when-ready", COLD, born_at=READY),
    case("born-a-millisecond-after-ready", PROACTIVE, born_at=READY + 0.001),
    case("born-when-invoked", PROACTIVE, born_at=READY + 0.02),
    case("born-later-than-invoked-is-none", COLD, born_at=READY + 0.021),
    case("born-after-ready-with-an-extension", PROACTIVE, LATE, born_at=READY + 3.4),
    case("born-before-ready-and-held-back-by-an-extension", COLD, LATE, born_at=READY - 0.2),
    case("born-before-ready-its-root-does-not-count", COLD, LATE, born_at=READY - 0.2,
         root=1_000_003),
    case("born-when-ready-its-root-does-not-count", COLD, LATE, born_at=READY, root=1_000_003),
    case("born-later-than-invoked-the-root-counts", PROACTIVE, LATE, born_at=READY + 9,
         root=1_000_003),
    case("born-before-ready-and-waited-for-an-authorizer", PROACTIVE, born_at=READY - 0.2,
         invoked_at=READY + 1.1),
    case("born-before-ready-and-a-short-authorizer", COLD, born_at=READY - 0.2,
         invoked_at=READY + 1.0),
    case("born-before-ready-and-an-authorizer-and-an-extension", PROACTIVE, LATE,
         born_at=READY - 0.2, invoked_at=READY + 10.1),
    case("born-in-seconds-instead-of-milliseconds", COLD, born_at=1_000.001),
    # 2. The second in which the trace began.
    case("root-after-ready", PROACTIVE, LATE, root=1_000_003),
    case("root-of-the-next-second", PROACTIVE, LATE, root=1_000_001, invoked_at=READY + 9),
    case("root-of-the-second-in-which-we-became-ready", COLD, LATE, root=1_000_000),
    case("root-when-ready", COLD, LATE, ready_at=1_000_001.0, root=1_000_001),
    case("root-when-invoked", PROACTIVE, LATE, invoked_at=1_000_003.0, root=1_000_003),
    case("root-from-upstream", COLD, LATE, root=999_000),
    case("root-a-second-ahead-of-our-clock", COLD, LATE, root=1_000_005),
    case("root-a-second-ahead-of-our-clock-at-once", COLD, root=1_000_001),
    case("root-at-random", COLD, LATE, root=0x7FFFFFFF),
    case("root-from-upstream-and-a-gap", PROACTIVE, root=999_000, invoked_at=READY + 1.1),
    # 3. How long the environment stood ready.
    case("gap-of-1-s", COLD, invoked_at=READY + 1.0),
    case("gap-above-1-s", PROACTIVE, invoked_at=READY + 1.001),
    case("gap-of-10-s-with-an-extension", COLD, invoked_at=READY + 10.0, has_extension=True),
    case("gap-above-10-s-with-an-extension", PROACTIVE, invoked_at=READY + 10.001,
         has_extension=True),
    case("gap-of-an-hour", PROACTIVE, invoked_at=READY + 3600),
    case("gap-of-an-hour-with-an-extension", PROACTIVE, invoked_at=READY + 3600,
         has_extension=True),
    case("gap-under-snap-start", PROACTIVE, SNAP_START, invoked_at=READY + 1.001),
    case("clock-set-back", COLD, invoked_at=READY - 5),
    case("clock-set-back-and-born", COLD, invoked_at=READY - 5, born_at=READY - 5.1),
    case("clock-set-back-and-root", COLD, invoked_at=READY - 5, root=999_995),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "verdict"), TABLE)
def test_row(facts: dict[str, Any], verdict: tuple[str, bool]) -> None:
    assert classify(**{**FACTS, **facts}) == verdict


def test_where_it_is_not_known_whether_there_is_an_extension_there_is_one() -> None:
    """And no ``born_at`` or root where none is given."""
    facts = {name: FACTS[name] for name in ("sequence", "initialization_type", "restarted")}
    assert classify(**facts, ready_at=READY, invoked_at=READY + 10.0) == COLD
    assert classify(**facts, ready_at=READY, invoked_at=READY + 10.1) == PROACTIVE


INITIALIZATION_TYPES = st.sampled_from(
    ["on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances", "unknown"]
)
# Quarters of a second around readiness, so that equal times and both bounds come up; and any time.
QUARTERS = st.integers(min_value=-60, max_value=60).map(lambda quarters: READY + quarters / 4)
TIMES = QUARTERS | st.floats(allow_nan=True, allow_infinity=True)
ROOTS = st.integers(min_value=999_985, max_value=1_000_015) | st.integers(0, 2**32 - 1)


def facts_with(times: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "sequence": st.integers(min_value=1, max_value=3),
            "initialization_type": INITIALIZATION_TYPES | st.text(),
            "restarted": st.booleans(),
            "ready_at": st.none() | times,
            "invoked_at": times,
            "born_at": st.none() | times,
            "root": st.none() | ROOTS,
            "has_extension": st.booleans(),
        }
    )


ANY_FACTS = facts_with(TIMES)
# Those of a start that can be `proactive`, if the times say so.
UNDECIDED = facts_with(QUARTERS).map(
    lambda facts: facts | {"sequence": 1, "restarted": False, "initialization_type": "on-demand"}
)
COLD_BY_START_TYPE = {
    "warm": {False},
    "managed": {False},
    "reinit": {False, True},
    "provisioned": {False},
    "proactive": {False},
    "restore": {True},
    "cold": {True},
}


@given(facts=ANY_FACTS)
def test_any_facts_give_a_row(facts: dict[str, Any]) -> None:
    """No time raises anything: not even infinite ones, or those that are not a number."""
    start_type, cold_start = classify(**facts)
    assert cold_start in COLD_BY_START_TYPE[start_type]


@given(facts=ANY_FACTS)
def test_provisioned_concurrency_is_never_cold(facts: dict[str, Any]) -> None:
    facts["initialization_type"] = "provisioned-concurrency"
    start_type, cold_start = classify(**facts)
    assert cold_start is False
    assert start_type in {"warm", "reinit", "provisioned"}


@given(facts=ANY_FACTS)
def test_what_each_start_type_presupposes(facts: dict[str, Any]) -> None:
    """The table again, written the other way round."""
    start_type, _ = classify(**facts)
    initialization_type = facts["initialization_type"]
    assert (start_type == "warm") == (facts["sequence"] > 1)
    if start_type == "warm":
        return
    assert (start_type == "managed") == (initialization_type == "lambda-managed-instances")
    if start_type == "managed":
        return
    assert (start_type == "reinit") == facts["restarted"]
    if start_type == "reinit":
        return
    assert (start_type == "provisioned") == (initialization_type == "provisioned-concurrency")
    if start_type == "restore":
        assert initialization_type == "snap-start"
    if start_type == "cold":
        assert initialization_type != "snap-start"


@given(facts=UNDECIDED)
def test_what_proactive_presupposes(facts: dict[str, Any]) -> None:
    ready_at, invoked_at = facts["ready_at"], facts["invoked_at"]
    if classify(**facts) == PROACTIVE:
        assert ready_at is not None
        assert (
            any(
                time is not None and ready_at < time <= invoked_at
                for time in (facts["born_at"], facts["root"])
            )
            or invoked_at - ready_at > 1
        )


@given(facts=UNDECIDED, seconds=st.integers(min_value=0, max_value=200).map(lambda n: n / 8))
def test_a_longer_gap_never_makes_it_cold(facts: dict[str, Any], seconds: float) -> None:
    later = facts | {"invoked_at": facts["invoked_at"] + seconds}
    if classify(**facts) == PROACTIVE:
        assert classify(**later) == PROACTIVE


@given(facts=UNDECIDED)
def test_an_extension_never_makes_it_proactive(facts: dict[str, Any]) -> None:
    if classify(**facts | {"has_extension": True}) == PROACTIVE:
        assert classify(**facts | {"has_extension": False}) == PROACTIVE


@given(facts=ANY_FACTS)
@example(facts=FACTS | {"root": 1_000_001})
def test_a_root_later_than_now_is_as_good_as_none(facts: dict[str, Any]) -> None:
    assume(facts["root"] is not None and facts["root"] > facts["invoked_at"])
    assert classify(**facts) == classify(**facts | {"root": None})


@given(facts=ANY_FACTS)
@example(facts=FACTS | {"born_at": READY + 1})
def test_a_birth_later_than_now_is_as_good_as_none(facts: dict[str, Any]) -> None:
    assume(facts["born_at"] is not None and facts["born_at"] > facts["invoked_at"])
    assert classify(**facts) == classify(**facts | {"born_at": None})


@given(facts=UNDECIDED)
def test_a_root_changes_only_what_lies_between_ready_and_now(facts: dict[str, Any]) -> None:
    assume(facts["root"] is not None and facts["ready_at"] is not None)
    if classify(**facts) != classify(**facts | {"root": None}):
        assert classify(**facts) == PROACTIVE
        assert facts["ready_at"] < facts["root"] <= facts["invoked_at"]


@given(facts=UNDECIDED, root=ROOTS)
def test_no_root_changes_what_api_gateway_says(facts: dict[str, Any], root: int) -> None:
    assume(facts["born_at"] is not None and facts["born_at"] <= facts["invoked_at"])
    assert classify(**facts | {"root": root}) == classify(**facts | {"root": None})
