"""Whose lines there are: none of those asked for, none named, the same ones twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from coldstart_cli.report.log_files.report import report_of_log_files
from coldstart_cli.report.window import parse_time
from log_exports import BEGIN, emf, init_start, iso, report, stream_name


def log(folder: Path, function: str = "orders") -> Path:
    file = folder / f"{function}.log"
    file.write_text(
        f"{iso(BEGIN)} {emf('a', BEGIN, function=function)}\n"
        f"{iso(BEGIN + 0.1)} {report('a', 100.0, init=200.0)}\n"
        f"{iso(BEGIN + 60)} {report('b', 30.0)}\n"
    )
    return file


def test_lines_outside_the_window_are_not_none(tmp_path: Path) -> None:
    (gap,) = report_of_log_files([log(tmp_path)], begin=BEGIN + 3600).gaps
    assert gap == (
        "nothing found: the lines there are lie outside of the window, from 2026-11-25 10:00:00"
        " to 2026-11-25 10:01:00 UTC; files read: 1"
    )


def test_lines_of_other_functions_are_not_none(tmp_path: Path) -> None:
    (gap,) = report_of_log_files([log(tmp_path, "stock")], functions=["orders"]).gaps
    assert gap == "nothing found: no line is of orders; there are lines of stock; files read: 1"


def test_one_name_in_two_regions(tmp_path: Path) -> None:
    def environment(number: int, region: str | None, requests: int) -> None:
        file = tmp_path / f"t{number}" / stream_name(number).replace("/", "-") / "000000"
        file.parent.mkdir(parents=True)
        arn = init_start().replace("eu-west-1", region or "")
        lines = [(BEGIN, arn)] if region else []
        lines.append((BEGIN + 1, emf(f"{number}-0", BEGIN + 1)))
        lines += [
            (BEGIN + 2 + n, report(f"{number}-{n}", 10.0, init=None if n else 200.0))
            for n in range(requests)
        ]
        file.write_text("".join(f"{iso(at)} {message}\n" for at, message in lines))

    environment(1, "eu-west-1", 3)
    environment(2, "us-east-1", 4)

    def found() -> list[tuple[str, str | None, int, int, dict[str, int]]]:
        return [
            (one.function, one.region, one.invocations, one.cold_starts, dict(one.contradictions))
            for one in report_of_log_files([tmp_path], functions=["orders"]).functions
        ]

    two = [("orders", "eu-west-1", 3, 1, {}), ("orders", "us-east-1", 4, 1, {})]
    assert found() == two
    environment(3, None, 5)
    assert found() == [("orders", None, 5, 1, {}), *two]
    (gap,) = report_of_log_files([tmp_path]).gaps
    assert gap.startswith("orders: there are functions of that name in several regions")


def test_a_function_that_is_named_unknown(tmp_path: Path) -> None:
    log(tmp_path, "unknown")
    (tmp_path / "other.log").write_text(f"{iso(BEGIN)} {report('c', 10.0)}\n")
    result = report_of_log_files([tmp_path])
    assert [(one.function, one.invocations) for one in result.functions] == [
        ("(unknown)", 1),
        ("unknown", 2),
    ]


def test_the_same_lines_without_times_are_the_same(tmp_path: Path) -> None:
    text = log(tmp_path).read_text()
    (tmp_path / "bare").write_text("".join(f"{line[25:]}\n" for line in text.splitlines()))
    (tmp_path / "more").write_text(f"{report('b', 31.0)}\n")  # another try of that request
    (function,) = report_of_log_files([tmp_path], functions=["orders"]).functions
    assert (function.invocations, function.starts, function.contradictions) == (3, {"cold": 1}, {})


@pytest.mark.parametrize(
    "text", ["999999999w", "99999d", "9999-12-31T23:59:59-14:00", "0001-01-01", "1969-12-31"]
)
def test_times_in_no_year_that_counts(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time in the years 1970 to 9999"):
        parse_time(text, 1_800_000_000.0)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_terminals_without_the_tables_characters(encoding: str, tmp_path: Path) -> None:
    log(tmp_path, "a-function")
    command = [sys.executable, "-m", "coldstart_cli", "report", "--logs", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert b"a-function" in done.stdout
