"""The figures of log files, against another way to come by them."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from coldstart_cli.report.distribution import bucket_edges
from coldstart_cli.report.figures import Concurrency, FunctionFigures
from coldstart_cli.report.log_files.periods import length
from coldstart_cli.report.log_files.report import report_of_log_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_exports import BEGIN, emf, init_start, iso, report, stream_name


def of_lines(folder: Path, lines: list[tuple[float, str]], **window: float) -> FunctionFigures:
    text = "".join(f"{iso(at)} {stream_name(1)} {message}\n" for at, message in lines)
    (folder / "tail.log").write_text(text)
    (function,) = report_of_log_files(
        [folder / "tail.log"], functions=["orders"], **window
    ).functions
    return function


durations = st.integers(1, 90_000_000).map(lambda hundredths: hundredths / 100)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    requests=st.lists(
        st.tuples(durations, st.none() | durations, st.none() | durations), min_size=1, max_size=60
    )
)
def test_report_lines_there_and_back(
    requests: list[tuple[float, float | None, float | None]], tmp_path: Path
) -> None:
    """Percentiles as numpy has them by nearest rank; every value in one bucket."""
    lines = [
        (BEGIN + 1000 * number, report(f"r{number}", duration, init, restore))
        for number, (duration, init, restore) in enumerate(requests)
    ]
    function = of_lines(tmp_path, lines)
    assert function.invocations == len(requests)
    for column, found in ((1, function.init), (2, function.restore)):
        values = [row[column] for row in requests if row[column] is not None]
        if not values:
            assert found is None
            continue
        assert found is not None
        expected = np.percentile(values, [50, 95, 99], method="inverted_cdf")
        assert [found.p50, found.p95, found.p99] == expected.tolist()
        assert (found.count, found.max) == (len(values), max(values))
        assert found.total == pytest.approx(math.fsum(values))
        assert sum(count for _, _, count in found.histogram) == len(values)
        assert 1 <= len(found.histogram) <= 30
        for begin, end, count in found.histogram:
            assert count == sum(begin <= value < end for value in values)
        assert all(one[1] == two[0] for one, two in pairwise(found.histogram))


@pytest.mark.parametrize(
    ("least", "most"), [(0.0, 0.0), (0.01, 15000.0), (250.0, 250.0), (180.0, 900.0), (99.9, 1000.0)]
)
def test_buckets_hold_all(least: float, most: float) -> None:
    edges = bucket_edges(least, most)
    assert edges[0] <= least <= most < edges[-1]
    assert all(begin < end for begin, end in pairwise(edges))
    assert len(edges) <= 31


def test_concurrency(tmp_path: Path) -> None:
    """Two at once for one of ten seconds, three for half of one, and nothing for the others."""
    lines = [
        (BEGIN + 10.0, report("a", 4000.0)),  # 6 to 10
        (BEGIN + 11.0, report("b", 2000.0)),  # 9 to 11
        (BEGIN + 10.5, report("c", 1000.0)),  # 9.5 to 10.5
        (BEGIN + 60.0, report("d", 5000.0)),  # 55 to 60
        (BEGIN + 61.0, report("e", 1000.0)),  # 60 to 61: not together with d
    ]
    # One at a time for 3 + 0.5 + 6 s, two for 0.5 + 0.5, three for 0.5.
    concurrency = of_lines(tmp_path, lines).concurrency
    assert concurrency == Concurrency(
        mean=pytest.approx(13 / 11), p50=1, p95=2, p99=3, max=3, over="busy"
    )


def test_what_a_request_took_before_the_window_is_not_busy_time(tmp_path: Path) -> None:
    lines = [(BEGIN + 10.0, report("a", 9000.0)), (BEGIN + 10.0, report("b", 1000.0))]
    concurrency = of_lines(tmp_path, lines, begin=BEGIN + 9).concurrency
    assert concurrency is not None
    assert (concurrency.mean, concurrency.max) == (2.0, 2.0)


def test_fields_in_another_order(tmp_path: Path) -> None:
    line = (
        "REPORT RequestId: a\tDuration: 1.50 ms\tBilled Restore Duration: 80 ms\tStatus: error\t"
        "Restore Duration: 300.25 ms\tMax Memory Used: 40 MB\tMemory Size: 128 MB\t"
        "Billed Duration: 82 ms\tError Type: Runtime.ExitError"
    )
    function = of_lines(tmp_path, [(BEGIN, line)])
    assert function.restore is not None
    assert (function.restore.max, function.billed_ms) == (300.25, 82)
    assert (function.memory_mb, function.max_memory_used_mb, function.init) == (128, 40, None)


def test_billed_init_is_what_the_lines_bill(tmp_path: Path) -> None:
    lines = [
        (BEGIN, report("a", 100.5, init=300.25)),
        (BEGIN + 1, report("b", 100.5, init=300.25, init_billed=False)),
        (BEGIN + 2, report("c", 100.5)),
    ]
    function = of_lines(tmp_path, lines)
    assert (function.billed_ms, function.billed_init_ms) == (401 + 101 + 101, 300.25)
    assert function.platform_inits == 2


def test_bars_are_cut_at_round_times_and_none_is_left_out(tmp_path: Path) -> None:
    lines = [
        (BEGIN + 30, emf("a", BEGIN + 29.5)),
        (BEGIN + 30, report("a", 10.0, init=200.0)),
        (BEGIN + 150, report("b", 10.0)),
    ]
    bars = of_lines(tmp_path, lines).periods
    assert [(bar.at - BEGIN, bar.seconds, bar.invocations, bar.cold_starts) for bar in bars] == [
        (0, 60, 1, 1), (60, 60, 0, 0), (120, 60, 1, 0)]  # fmt: skip
    assert [bar.starts for bar in bars] == [{"cold": 1}, {}, {}]
    lines.append((BEGIN + 3600, report("c", 10.0)))  # not in it, but the logs go on to there
    function = of_lines(tmp_path, lines, begin=BEGIN, end=BEGIN + 3600)
    assert (function.invocations, len(function.periods)) == (2, 60)


@pytest.mark.parametrize("window", [1, 3600, 86400, 7 * 86400, 60 * 86400, 400 * 86400])
def test_sixty_bars_at_most(window: float) -> None:
    seconds = length(BEGIN + 17, BEGIN + 17 + window)
    assert (BEGIN + 17 + window) // seconds - (BEGIN + 17) // seconds + 1 <= 60


def test_spill_over(tmp_path: Path) -> None:
    """Of version 7 alone is there provisioned concurrency; $LATEST has on-demand environments."""
    folder = tmp_path / "exported"

    def environment(number: int, kind: str | None, version: str, requests: int) -> None:
        start_type = "provisioned" if kind == "provisioned-concurrency" else "cold"
        lines = [(BEGIN + n, report(f"{number}-{n}", 10.0)) for n in range(requests)]
        if kind is not None:
            first = emf(f"{number}-0", BEGIN, start_type, "orders", kind, version)
            lines = [(BEGIN, init_start()), (BEGIN, first), *lines]
        target = folder / stream_name(number, version).replace("/", "-") / "000000.gz"
        target.parent.mkdir(parents=True)
        target.write_text("".join(f"{iso(at)} {message}\n" for at, message in lines))

    environment(1, "provisioned-concurrency", "7", 8)
    environment(2, "on-demand", "7", 5)
    environment(3, "on-demand", "$LATEST", 3)
    (function,) = report_of_log_files([tmp_path]).functions
    assert function.provisioned is not None
    assert function.provisioned.spillover_invocations == 5
    assert function.provisioned.allocated_gb_seconds is None
    environment(4, None, "7", 2)  # started before the logs begin
    result = report_of_log_files([tmp_path])
    assert result.functions[0].provisioned == function.provisioned
    assert result.functions[0].invocations == 18
    assert [gap for gap in result.gaps if "environment is not known: 2 of 15" in gap]


def test_no_provisioned_concurrency(tmp_path: Path) -> None:
    lines = [(BEGIN, emf("a", BEGIN)), (BEGIN + 1, report("a", 10.0, init=200.0))]
    assert of_lines(tmp_path, lines).provisioned is None


def test_streams_of_an_export_are_of_one_function(tmp_path: Path) -> None:
    """One log group; a custom one, which may have several, has their names in its streams."""
    for number, name in enumerate(["", "", "payments"]):
        stream = stream_name(number).replace("25/[", f"25/{name}[").replace("/", "-")
        target = tmp_path / "exported" / stream / "000000"
        target.parent.mkdir(parents=True)
        first = f"{iso(BEGIN)} {emf('0', BEGIN)}\n" if number == 0 else ""
        target.write_text(f"{first}{iso(BEGIN + 1)} {report(str(number), 10.0)}\n")
    result = report_of_log_files([tmp_path])
    assert {one.function: one.invocations for one in result.functions} == {
        "orders": 2, "payments": 1}  # fmt: skip


def test_a_function_that_nothing_names(tmp_path: Path) -> None:
    (tmp_path / "out").write_text(report("a", 10.0) + "\n")
    result = report_of_log_files([tmp_path])
    assert [(one.function, one.invocations) for one in result.functions] == [("(unknown)", 1)]
    assert any("which function they are: 1, under (unknown)" in gap for gap in result.gaps)
    named = report_of_log_files([tmp_path], functions=["mine"])
    assert [(one.function, one.invocations) for one in named.functions] == [("mine", 1)]
    assert not any("which function" in gap for gap in named.gaps)
    two = report_of_log_files([tmp_path], functions=["mine", "other"])
    assert two.functions == ()
    assert [gap for gap in two.gaps if "(unknown)" in gap] == []
    assert any("which function they are: 1, left out" in gap for gap in two.gaps)


def test_only_these_functions(tmp_path: Path) -> None:
    events = [
        {"timestamp": round(BEGIN * 1000), "message": report(name, 10.0)}
        for name in ("a", "b", "b2")
    ]
    records = [
        {"messageType": "DATA_MESSAGE", "logGroup": f"/aws/lambda/{name[0]}", "logStream":
         stream_name(number), "logEvents": [event]}
        for number, (name, event) in enumerate(zip(("a", "b", "b2"), events, strict=True))
    ]  # fmt: skip
    (tmp_path / "records").write_text("".join(map(json.dumps, records)))
    result = report_of_log_files([tmp_path], functions=["b"])
    assert [(one.function, one.invocations) for one in result.functions] == [("b", 2)]
    assert len(report_of_log_files([tmp_path]).functions) == 2


def test_lines_without_a_time_are_in_no_window(tmp_path: Path) -> None:
    (tmp_path / "out").write_text(f"{emf('a', BEGIN)}\n{report('a', 10.0, init=1.0)}\n")
    result = report_of_log_files([tmp_path], begin=BEGIN - 1)
    assert [(one.invocations, one.starts) for one in result.functions] == [(0, {"cold": 1})]
    assert any("no window has them: 1, left out" in gap for gap in result.gaps)
    assert any("orders: no REPORT line" in gap for gap in result.gaps)
