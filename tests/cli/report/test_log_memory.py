"""Memory and provisioned concurrency that change within the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, iso, report, stream_name


def test_each_line_is_paid_at_its_own_memory(tmp_path: Path) -> None:
    lines = [
        report("a", 1000.0, init=500.0, memory=2048, used=1500),
        report("b", 1000.0, memory=2048, used=1400),
        report("c", 2000.0, init=200.0, memory=512, used=300),
    ]
    text = "".join(f"{iso(BEGIN + n)} {line}\n" for n, line in enumerate(lines))
    (tmp_path / "a.log").write_text(text)
    (function,) = report_of_log_files([tmp_path]).functions
    assert function.billed_gb_seconds == pytest.approx(2.5 * 2 + 2.2 * 0.5)
    assert function.billed_init_gb_seconds == pytest.approx(0.5 * 2 + 0.2 * 0.5)
    # What the larger size used says nothing of the one it has now.
    assert (function.memory_mb, function.max_memory_used_mb) == (512, 300)


def test_requests_before_provisioned_concurrency_found_it_not_missing(tmp_path: Path) -> None:
    def environment(number: int, start_type: str, kind: str, at: float) -> None:
        file = tmp_path / "group" / stream_name(number, "7").replace("/", "-") / "000000"
        file.parent.mkdir(parents=True)
        file.write_text(
            f"{iso(at)} {emf(f'r{number}', at, start_type, 'orders', kind, '7')}\n"
            f"{iso(at)} {report(f'r{number}', 10.0, init=200.0)}\n"
        )

    environment(1, "cold", "on-demand", BEGIN)
    environment(2, "provisioned", "provisioned-concurrency", BEGIN + 3600)
    environment(3, "cold", "on-demand", BEGIN + 7200)
    (function,) = report_of_log_files([tmp_path]).functions
    assert function.provisioned is not None
    assert function.provisioned.spillover_invocations == 1
    # How many environments are allocated is not in the lines.
    assert (function.provisioned.allocated, function.provisioned_known) == (None, False)
