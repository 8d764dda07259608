"""An export of any size: figures as the generator's own books have them, memory that stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from log_exports import Expected, write_export

# MB of lines; `make soak` has more.
SIZE = int(os.environ.get("COLDSTART_TEST_EXPORT_MB", "150"))
# Python with its libraries is about 100 MB of it, and DuckDB may take 192.
MOST_MEMORY = 340 << 20

# Not getrusage: its maximum begins with that of the process that this one was started by.
RUN = """
import json, sys
from pathlib import Path
from coldstart_cli.report.as_json import as_json
from coldstart_cli.report.log_files.report import report_of_log_files
report = json.loads(as_json(report_of_log_files([Path(sys.argv[1])]), ()))
status = Path("/proc/self/status").read_text()
print(json.dumps([report, int(status.split("VmHWM:")[1].split()[0]) * 1024]))
"""


def concurrency(requests: list[tuple[int, int]]) -> list[float]:
    """Mean, percentiles and maximum, by numpy: how many had begun less how many had ended."""
    begins, ends = (np.sort(np.array(column)) for column in zip(*requests, strict=True))
    moments = np.unique(np.concatenate([begins, ends]))
    levels = np.searchsorted(begins, moments, "right") - np.searchsorted(ends, moments, "right")
    levels, took = levels[:-1], np.diff(moments)
    busy = levels > 0
    levels, took = levels[busy], took[busy]
    percentiles = np.percentile(levels, [50, 95, 99], method="inverted_cdf", weights=took)
    return [float(np.average(levels, weights=took)), *percentiles.tolist(), float(levels.max())]


def check_durations(found: dict | None, values: list[float]) -> None:
    if not values:
        assert found is None
        return
    expected = np.percentile(values, [50, 95, 99], method="inverted_cdf")
    assert [found["p50"], found["p95"], found["p99"]] == expected.tolist()
    assert (found["count"], found["max"]) == (len(values), max(values))
    assert found["total"] == pytest.approx(sum(values))
    counts = [sum(begin <= value < end for value in values) for begin, end, _ in found["histogram"]]
    assert [count for _, _, count in found["histogram"]] == counts
    assert sum(counts) == len(values)


def check(found: dict, expected: Expected) -> None:
    assert found["invocations"] == expected.invocations
    assert found["starts"] == dict(expected.starts)
    assert found["cold_starts"] == expected.starts["cold"] + expected.starts["restore"]
    check_durations(found["init"], expected.inits)
    check_durations(found["restore"], expected.restores)
    assert found["billed_ms"] == expected.billed_ms
    assert found["billed_init_ms"] == pytest.approx(expected.billed_init_ms)
    assert found["contradictions"] == dict(expected.contradictions)
    provisioned = found["provisioned"]
    if expected.starts["provisioned"]:
        assert provisioned["spillover_invocations"] == expected.spillover
    else:
        assert provisioned is None
    level = found["concurrency"]
    assert [level[name] for name in ("mean", "p50", "p95", "p99", "max")] == pytest.approx(
        concurrency(expected.requests)
    )
    assert sum(bar["invocations"] for bar in found["periods"]) == expected.invocations


def test_a_large_export(tmp_path: Path) -> None:
    expected = write_export(tmp_path / "export", SIZE * 1_000_000, contradicted=0.05)
    began = time.perf_counter()
    command = [sys.executable, "-c", RUN, str(tmp_path / "export")]
    done = subprocess.run(command, capture_output=True, check=True)
    report, memory = json.loads(done.stdout)
    count = sum(one.invocations for one in expected.values())
    print(
        f"\n{SIZE} MB of lines, {count:,} invocations: {time.perf_counter() - began:.1f} s, at most"
        f" {memory >> 20} MB of memory"
    )
    assert report["gaps"] == []
    assert sum(sum(one.contradictions.values()) for one in expected.values()) > 0
    assert {one["function"] for one in report["functions"]} == set(expected)
    for found in report["functions"]:
        check(found, expected[found["function"]])
    assert memory < MOST_MEMORY
