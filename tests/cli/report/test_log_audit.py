"""What the layer said against what the platform's lines say: contradictions, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from coldstart_cli.report.figures import CONTRADICTIONS, FunctionFigures, Report
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, init_start, iso, report, stream_name

AT = BEGIN + 3600


def write(folder: Path, streams: list[list[tuple[float, str]]], version: str = "$LATEST") -> None:
    """Streams of messages, as CloudWatch Logs exports them; before them one start without fault."""
    whole = [
        (BEGIN, init_start()),
        (BEGIN + 0.2, emf("ok", BEGIN + 0.2, version=version)),
        (BEGIN + 0.3, report("ok", 10.0, init=200.0)),
    ]
    for number, messages in enumerate([whole, *streams]):
        target = folder / "0a1b" / stream_name(number, version).replace("/", "-") / "000000"
        target.parent.mkdir(parents=True)
        target.write_text("".join(f"{iso(at)} {message}\n" for at, message in messages))


def read(folder: Path, **window: float) -> tuple[FunctionFigures, Report]:
    result = report_of_log_files([folder], **window)
    (function,) = result.functions
    return function, result


def start(
    start_type: str | None,
    init: float | None = None,
    restore: float | None = None,
    gap: float = 0.0,
    initialization_type: str = "on-demand",
) -> list[tuple[float, str]]:
    """An environment that gets ready at AT, and has its first request ``gap`` seconds later."""
    messages = [(AT - (init or 0.0) / 1000, init_start())] if restore is None else []
    at = AT + gap
    if start_type is not None:
        messages.append((at, emf("r", at, start_type, initialization_type=initialization_type)))
    return [*messages, (at + 0.1, report("r", 100.0, init=init, restore=restore))]


CONTRADICTED = {
    "cold-without-init": start("cold"),
    "init-without-cold": start("proactive", init=200.0),
    "init-without-line": start(None, init=200.0),
    "restore-without-restore": start("restore"),
    "restored-without-restore": start("cold", restore=300.0, init=200.0),
}


def test_each_kind_has_a_case() -> None:
    assert set(CONTRADICTED) == set(CONTRADICTIONS)


@pytest.mark.parametrize("kind", CONTRADICTED)
def test_contradiction(kind: str, tmp_path: Path) -> None:
    write(tmp_path, [CONTRADICTED[kind]])
    function, result = read(tmp_path)
    assert (function.contradictions, result.gaps) == ({kind: 1}, ())
    (listed,) = function.contradictions_listed
    assert (listed.kind, listed.request_id, listed.log_stream) == (kind, "r", stream_name(1))
    assert listed.at == pytest.approx(AT + 0.1)
    said = {"init-without-cold": "proactive", "restore-without-restore": "restore"}
    expected = None if kind == "init-without-line" else said.get(kind, "cold")
    assert listed.start_type == expected


def test_a_restore_without_a_line_of_the_layer(tmp_path: Path) -> None:
    write(tmp_path, [start(None, restore=300.0)])
    assert read(tmp_path)[0].contradictions == {"restored-without-restore": 1}


LEGITIMATE = {
    "cold": start("cold", init=200.0),
    "restore": start("restore", restore=300.0),
    # The first REPORT has the Init Duration whenever the init ran.
    "proactive": start("proactive", init=200.0, gap=30.0),
    "proactive under SnapStart": start("proactive", restore=300.0, gap=30.0),
    "provisioned": start(
        "provisioned", init=200.0, gap=600.0, initialization_type="provisioned-concurrency"
    ),
    "provisioned, with a request at once": start(
        "provisioned", init=200.0, initialization_type="provisioned-concurrency"
    ),
    "provisioned, without Init Duration": start(
        "provisioned", initialization_type="provisioned-concurrency"
    ),
    "managed": start(
        "managed", init=200.0, initialization_type="lambda-managed-instances"
    ),
    "reinit": start("reinit"),
    "reinit under provisioned concurrency": start(
        "reinit", initialization_type="provisioned-concurrency"
    ),
    "the init timed out, and was part of the invocation": [
        (AT - 10.0, init_start()),
        (AT, "INIT_REPORT Init Duration: 10000.09 ms\tPhase: init\tStatus: timeout"),
        (AT + 3.0, emf("r", AT + 3.0, "cold")),
        (AT + 3.1, report("r", 3100.0)),
    ],
    "the init failed, as JSON": [
        (AT, '{"time":"2026-11-25T11:00:00.000Z","type":"platform.initReport","record":'
             '{"initializationType":"on-demand","phase":"init","status":"error",'
             '"metrics":{"durationMs":125.33}}}'),
        (AT + 3.0, emf("r", AT + 3.0, "cold")),
        (AT + 3.1, report("r", 3100.0)),
    ],
    "the module cannot be imported": [
        (AT, init_start()),
        (AT + 0.2, "INIT_REPORT Init Duration: 229.04 ms\tPhase: init\tStatus: error\tError Type: "
                   "Runtime.ImportModuleError"),
        (AT + 0.4, report("r", 180.0, init=229.04, status="error")),
    ],
    "timed out": [
        (AT, emf("r", AT, "cold")),
        (AT + 3.0, report("r", 3000.0, init=402.04, status="timeout")),
    ],
    "the request has not ended": [
        (AT, emf("r", AT, "cold")), (AT, report("w", 9.0))
    ],
    "the layer's clock is behind": [
        (AT - 2.5, emf("r", AT - 2.5, "cold")), (AT + 0.1, report("r", 100.0, init=200.0))
    ],
    "the request had begun before the logs": [(BEGIN + 0.4, report("r", 900.0, init=200.0))],
    "warm": [(AT, report("r", 10.0))],
}  # fmt: skip


@pytest.mark.parametrize("case", LEGITIMATE)
def test_legitimate(case: str, tmp_path: Path) -> None:
    write(tmp_path, [LEGITIMATE[case]])
    function, result = read(tmp_path)
    assert (function.contradictions, function.contradictions_listed, result.gaps) == ({}, (), ())


def test_another_tries_verdict_does_not_count(tmp_path: Path) -> None:
    """A retry has the same request id, here in an environment that was warm by then."""
    retry = [(AT + 60, emf("s", AT + 60)), (AT + 60.2, report("s", 200.0, init=200.0)),
             (AT + 120, report("r", 100.0))]  # fmt: skip
    write(tmp_path, [start("cold", init=200.0), retry])
    assert read(tmp_path)[0].contradictions == {}


def test_a_window_between_the_layers_line_and_the_report(tmp_path: Path) -> None:
    write(tmp_path, [start("cold", init=200.0)])
    function, _ = read(tmp_path, begin=AT + 0.05)
    assert (function.invocations, function.starts, function.contradictions) == (1, {}, {})
    function, _ = read(tmp_path, begin=AT - 60, end=AT + 0.05)
    assert (function.invocations, function.starts, function.contradictions) == (0, {"cold": 1}, {})


def test_contradictions_outside_the_window_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, [start("cold")])
    assert read(tmp_path, end=AT)[0].contradictions == {}
    assert read(tmp_path, begin=AT)[0].contradictions == {"cold-without-init": 1}


def test_the_layer_was_attached_later(tmp_path: Path) -> None:
    write(tmp_path, [])
    before = tmp_path / "0a1b" / stream_name(9).replace("/", "-") / "000000"
    before.parent.mkdir()
    before.write_text(
        f"{iso(BEGIN - 60)} {init_start()}\n{iso(BEGIN - 30)} {report('r', 10.0, init=200.0)}\n"
    )
    function, result = read(tmp_path)
    assert function.contradictions == {}
    (gap,) = result.gaps
    assert gap.startswith("orders: starts not compared with the layer's lines, ")
    assert gap.endswith(": 1")
    assert (function.platform_inits, function.cold_starts) == (2, 1)


def test_a_published_version_cannot_get_it_later(tmp_path: Path) -> None:
    write(tmp_path, [], version="7")
    for version in ("7", "6"):  # 6 never had it
        before = tmp_path / "0a1b" / stream_name(9, version).replace("/", "-") / "000000"
        before.parent.mkdir()
        before.write_text(
            f"{iso(BEGIN - 60)} {init_start()}\n"
            f"{iso(BEGIN - 30)} {report('r' + version, 10.0, init=200.0)}\n"
        )
    result = report_of_log_files([tmp_path], functions=["orders"])
    (function,) = result.functions
    assert function.contradictions == {"init-without-line": 1}
    assert [one.request_id for one in function.contradictions_listed] == ["r7"]
    assert [gap for gap in result.gaps if "not compared" in gap and gap.endswith(": 1")]


def test_without_the_layer(tmp_path: Path) -> None:
    lines = [
        (BEGIN, init_start()),
        (BEGIN + 1, report("a", 10.0, init=200.0)),
        (BEGIN + 2, report("b", 10.0)),
        (BEGIN + 3, report("c", 10.0, restore=100.0)),
    ]
    (tmp_path / "tail").write_text("".join(f"{iso(at)} {text}\n" for at, text in lines))
    result = report_of_log_files([tmp_path], functions=["plain"])
    (function,) = result.functions
    assert (function.function, function.layer, function.starts) == ("plain", False, {})
    assert (function.cold_starts, function.contradictions) == (2, {})
    assert [period.cold_starts for period in function.periods] == [2]
    assert [gap for gap in result.gaps if "no line of the layer from plain" in gap]
    assert function.runtime == "python3.13"


def test_all_are_counted_and_the_first_listed(tmp_path: Path) -> None:
    lines = []
    for number in range(120):
        at = AT + number
        lines += [(at, emf(f"r{number}", at)), (at + 0.1, report(f"r{number}", 100.0))]
    write(tmp_path, [lines])
    function, _ = read(tmp_path)
    assert function.contradictions == {"cold-without-init": 120}
    assert [one.request_id for one in function.contradictions_listed] == [
        f"r{number}" for number in range(50)
    ]
