"""What the layer said against what REPORT lines say: contradictions, and what is none."""

from __future__ import annotations

import pytest
from coldstart_cli.report.account.audit import Audit, audit, reported_otherwise
from coldstart_cli.report.account.log_rows import LayerLine, PhaseLine, ReportLine

BEGIN = 1_000.0


def said(start_type: str, at: float = 2_000, request: str = "r", stream: str = "s") -> LayerLine:
    cold = start_type in ("cold", "restore", "reinit")
    return LayerLine("g", stream, None, at, request, "f", start_type, cold)


def reported(
    init: float | None = None,
    restore: float | None = None,
    at: float = 2_001,
    request: str = "r",
    stream: str = "s",
    duration_ms: float = 10,
) -> ReportLine:
    return ReportLine("g", stream, None, at, request, duration_ms, 10, init, restore)


# A start before, so that the layer is known to be attached.
EARLIER = [said("cold", 1_500, "earlier")], [reported(300, at=1_501, request="earlier")]


def compare(
    layer: list[LayerLine], reports: list[ReportLine], phases: list[PhaseLine] | None = None
) -> Audit:
    return audit(EARLIER[0] + layer, EARLIER[1] + reports, phases or [], BEGIN)


def init_start(at: float, stream: str = "s") -> PhaseLine:
    return PhaseLine("g", stream, None, at, failed=False)


def init_failed(at: float, stream: str = "s") -> PhaseLine:
    return PhaseLine("g", stream, None, at, failed=True)


def test_agreement() -> None:
    layer = [said("cold"), said("restore", request="r2"), said("reinit", request="r3")]
    result = compare(layer, [reported(300), reported(restore=600, request="r2")])
    assert result == Audit((), (), 0)


@pytest.mark.parametrize(
    ("start_type", "report"),
    [
        *((start_type, None) for start_type in ("provisioned", "proactive", "managed")),
        *((start_type, reported(300)) for start_type in ("provisioned", "proactive", "managed")),
        ("proactive", reported(restore=600)),
        ("reinit", reported(300)),
    ],
)
def test_an_environment_that_was_ready_may_report_its_init(
    start_type: str, report: ReportLine | None
) -> None:
    result = compare([said(start_type)], [report] if report else [])
    assert result == Audit((), (), 0)


@pytest.mark.parametrize(
    ("layer", "report", "kind"),
    [
        ([], reported(300), "init-without-line"),
        ([], reported(restore=600), "restored-without-restore"),
        ([said("cold")], reported(restore=600), "cold-without-init"),
        ([said("restore")], reported(300), "restore-without-restore"),
        ([said("provisioned")], reported(restore=600), "restored-without-restore"),
        ([said("cold", stream="other")], reported(300), "init-without-line"),
        (
            [LayerLine("g", "s", None, 2_000, "r", "f", "dormant", False)],
            reported(300),
            "init-without-cold",
        ),
    ],
)
def test_contradictions(layer: list[LayerLine], report: ReportLine, kind: str) -> None:
    (one,) = compare(layer, [report]).contradictions
    assert (one.kind, one.request_id, one.log_stream, one.at) == (kind, "r", "s", 2_001)
    of_this = [line for line in layer if line.stream == "s"]
    assert one.start_type == (of_this[0].start_type if of_this else None)


@pytest.mark.parametrize(
    ("start_type", "kind"), [("cold", "cold-without-init"), ("restore", "restore-without-restore")]
)
def test_a_start_without_its_report_counts_if_there_is_another(start_type: str, kind: str) -> None:
    result = compare([said(start_type)], [])
    assert result.contradictions == ()
    assert reported_otherwise(result.unconfirmed, set()) == []
    assert reported_otherwise(result.unconfirmed, {("g", "other", "r")}) == []
    (one,) = reported_otherwise(result.unconfirmed, {("g", "s", "r")})
    assert (one.kind, one.start_type, one.at) == (kind, start_type, 2_000)


def test_an_asynchronous_request_that_was_tried_twice() -> None:
    """Cold where it failed, and warm or a start of another kind where it was tried again."""
    layer = [said("cold", stream="a"), said("proactive", stream="b")]
    assert compare(layer, [reported(300, stream="a")]) == Audit((), (), 0)
    layer = [said("cold"), said("reinit", at=2_010)]
    assert compare(layer, [reported(300)]) == Audit((), (), 0)


def test_a_request_that_began_before_the_window() -> None:
    edge = reported(300, at=BEGIN + 4, duration_ms=5_000)
    assert compare([], [edge]) == Audit((), (), 0)
    within = reported(300, at=2_006, duration_ms=5_000)
    assert len(compare([], [within]).contradictions) == 1


def test_starts_before_the_layer_was_attached() -> None:
    before = [reported(300, at=1_200, request="x"), reported(restore=9, at=1_300, request="y")]
    assert compare([], before) == Audit((), (), 2)


def test_versions_with_and_without_the_layer() -> None:
    """$LATEST may get it at any time; a published version has it from the start, or never."""
    latest, published = "2026/11/25/[$LATEST]a", "2026/11/25/orders[7]b"
    before = [
        reported(300, at=1_200, request="x", stream=latest),
        reported(300, at=1_200, request="y", stream=published),
        reported(300, at=2_900, request="z", stream="2026/11/25/[6]c"),
    ]
    layer = [said("provisioned", stream=latest), said("provisioned", stream=published)]
    result = compare(layer, before)
    assert [one.request_id for one in result.contradictions] == ["y"]
    assert result.not_compared == 2


def test_a_start_after_a_failed_init() -> None:
    """The init runs again in the invocation, and REPORT has no Init Duration."""
    for at in (1_990, 2_000.5):
        assert compare([said("cold")], [], [init_failed(at)]) == Audit((), (), 0)
    for phase in (init_failed(1_980), init_failed(1_990, "other"), init_start(1_990)):
        assert len(compare([said("cold")], [], [phase]).unconfirmed) == 1


def test_an_init_that_never_succeeds_has_no_line_of_the_layer() -> None:
    assert compare([], [reported(300)], [init_failed(1_999)]) == Audit((), (), 0)
    for phase in (init_failed(1_980), init_failed(1_999, "other"), init_start(1_999)):
        assert len(compare([], [reported(300)], [phase]).contradictions) == 1


@pytest.mark.parametrize(
    ("began", "contradicted"), [(2_000.69, True), (2_000.65, True), (2_000.4, False)]
)
def test_an_init_that_was_waited_for_is_not_proactive(began: float, contradicted: bool) -> None:
    report = reported(300)  # of a request from 2000.99 to 2001
    result = compare([said("proactive")], [report], [init_start(began)])
    kinds = [one.kind for one in result.contradictions]
    assert kinds == (["init-without-cold"] if contradicted else [])
    assert compare([said("provisioned")], [report], [init_start(began)]).contradictions == ()


def test_start_types_of_later_versions_are_not_judged() -> None:
    assert compare([said("hibernated", request="r9")], []) == Audit((), (), 0)
