"""`coldstart report`: options, JSON, exit codes, errors in a line."""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from coldstart_cli.main import main
from coldstart_cli.report.figures import Contradiction, FunctionFigures, Period, Report
from coldstart_cli.report.window import parse_time
from log_exports import BEGIN, emf, iso, report


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    lines = [
        (BEGIN, emf("a", BEGIN)),
        (BEGIN + 0.1, report("a", 100.0, init=300.0)),
        (BEGIN + 60, report("b", 100.0)),
        (BEGIN + 120, report("c", 100.0)),
    ]
    path = tmp_path / "logs"
    path.write_text("".join(f"{iso(at)} {message}\n" for at, message in lines))
    return path


def test_json(logs: Path) -> None:
    """All of the report, by the names that its data classes have."""
    result = run("--logs", str(logs), "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert set(document) == {
        "version",
        "advice",
        *(field.name for field in dataclasses.fields(Report)),
    }
    assert (document["version"], document["begin"], document["end"]) == (1, BEGIN, BEGIN + 120)
    (function,) = document["functions"]
    names = {field.name for field in dataclasses.fields(FunctionFigures)}
    assert set(function) == {"cold_start_rate", *names}
    assert function["cold_start_rate"] == pytest.approx(1 / 3)
    assert function["starts"] == {"cold": 1}
    assert function["init"]["p50"] == 300.0
    assert function["architecture"] is None
    assert set(function["periods"][0]) == {field.name for field in dataclasses.fields(Period)}


def test_json_lists_contradictions(tmp_path: Path) -> None:
    path = tmp_path / "logs"
    path.write_text(f"{iso(BEGIN)} {emf('a', BEGIN)}\n{iso(BEGIN)} {report('a', 1.0)}\n")
    (function,) = json.loads(run("--logs", str(path), "--json").stdout)["functions"]
    (listed,) = function["contradictions_listed"]
    assert set(listed) == {field.name for field in dataclasses.fields(Contradiction)}
    assert function["contradictions"] == {"cold-without-init": 1}


def test_standard_input(logs: Path) -> None:
    arguments = ["report", "--logs", "-", "--json"]
    result = CliRunner().invoke(main, arguments, input=logs.read_bytes())
    assert json.loads(result.stdout)["functions"][0]["invocations"] == 3


def test_window(logs: Path) -> None:
    result = run(
        "--logs", str(logs), "--json", "--since", iso(BEGIN + 60), "--until", iso(BEGIN + 120)
    )
    document = json.loads(result.stdout)
    assert document["functions"][0]["invocations"] == 1
    assert (document["begin"], document["end"]) == (BEGIN + 60, BEGIN + 120)


def test_gaps_are_said_beside_the_result(logs: Path) -> None:
    (logs.parent / "binary").write_bytes(b"\0")
    result = run("--logs", str(logs), "--logs", str(logs.parent / "binary"), "--json")
    assert result.exit_code == 0
    assert result.stderr == f"coldstart: {logs.parent}/binary: left out: it is not text\n"
    assert json.loads(result.stdout)["functions"][0]["invocations"] == 3


@pytest.mark.parametrize("arguments", [["other"], ["--since", "1m"]])
def test_nothing_found(logs: Path, arguments: list[str]) -> None:
    result = run("--logs", str(logs), "--json", *arguments)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["functions"] == []
    assert "nothing " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which functions? Name them, or give --prefix, --tag or --all"),
        (["--logs", ".", "--all"], "--logs reads what the files have: name functions"),
        (["--logs", ".", "--html", "no/such/page"], "there is no folder no/such"),
        (["--logs", "no/such"], "'no/such' does not exist"),
        (["--logs", ".", "--since", "soon"], "'soon' is neither so long ago (15m, 24h, 7d) nor"),
        (["--logs", ".", "--since", "1h", "--until", "2h"], "--until has to be later than --since"),
    ],
)
def test_wrong_command_lines(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_times() -> None:
    now = 1_800_000_000.0
    assert parse_time("90s", now) == now - 90
    assert parse_time("2w", now) == now - 14 * 86400
    assert parse_time("2026-11-25T10:00:00Z", now) == BEGIN
    assert parse_time("2026-11-25T10:00:00", now) == BEGIN
    assert parse_time("2026-11-25T11:00:00+01:00", now) == BEGIN
    for wrong in ("", "h", "1y", "-1h", "2026-13-01"):
        with pytest.raises(ValueError, match="neither"):
            parse_time(wrong, now)


def test_no_room_for_the_database(logs: Path) -> None:
    command = [sys.executable, "-m", "coldstart_cli", "report", "--logs", str(logs), "--json"]
    limited = f"ulimit -f 0; exec {shlex.join(command)}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("coldstart: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_where_somebody_sees_it(logs: Path, terminal: bool) -> None:
    command = [sys.executable, "-m", "coldstart_cli", "report", "--logs", str(logs), "--json"]
    reader, writer = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, env=environment)
    os.close(writer)
    try:
        shown = os.read(reader, 1 << 16)
    except OSError:  # a terminal without anything on it
        shown = b""
    os.close(reader)
    assert done.returncode == 0
    assert json.loads(done.stdout)["functions"]
    assert (b"reading" in shown) == terminal
