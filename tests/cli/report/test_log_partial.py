"""A part of the logs is never shown as the whole: who is marked, and what is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from coldstart_cli.main import main
from coldstart_cli.report.as_json import as_json
from coldstart_cli.report.figures import FunctionFigures, Report
from coldstart_cli.report.log_files import lines as log_lines
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, iso, report, stream_name


def text_of(function: str = "orders", requests: int = 5, version: str = "$LATEST") -> bytes:
    """One environment's lines, the first request of which started cold."""
    messages = [(BEGIN, emf(f"{function}0", BEGIN, function=function, version=version))]
    messages += [
        (BEGIN + 10 * n + 0.1, report(f"{function}{n}", 20.0, init=None if n else 300.0))
        for n in range(requests)
    ]
    return "".join(f"{iso(at)} {message}\n" for at, message in messages).encode()


def export(folder: Path, function: str, number: int, text: bytes) -> Path:
    """A stream as CloudWatch Logs exports it, each function's group by a task of its own."""
    file = folder / function / stream_name(number).replace("/", "-") / "000000.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(gzip.compress(text))
    return file


def partial(result: Report) -> dict[str, bool]:
    return {one.function: one.partial for one in result.functions}


def test_a_file_that_is_cut_concerns_the_function_of_its_lines(tmp_path: Path) -> None:
    export(tmp_path, "orders", 1, text_of("orders"))
    file = export(tmp_path, "stock", 2, text_of("stock", 3000))
    assert partial(report_of_log_files([tmp_path])) == {"orders": False, "stock": False}
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    result = report_of_log_files([tmp_path])
    assert partial(result) == {"orders": False, "stock": True}
    assert [one.cold_start_rate is None for one in result.functions] == [False, True]
    run = CliRunner().invoke(main, ["report", "--logs", str(tmp_path), "--json"])
    assert run.exit_code == 1


@pytest.mark.parametrize(
    "other",
    [b"\x28\xb5\x2f\xfd\x04\x58", "REPORT".encode("utf-16"), b"\x1f\x8b\x08 not gzip"],
    ids=["zstd", "utf-16", "no-gzip"],
)
def test_a_file_of_which_nothing_is_known_concerns_all(other: bytes, tmp_path: Path) -> None:
    export(tmp_path, "orders", 1, text_of("orders"))
    export(tmp_path, "stock", 2, text_of("stock"))
    (tmp_path / "other").write_bytes(other)
    assert partial(report_of_log_files([tmp_path])) == {"orders": True, "stock": True}


def test_what_cannot_be_read_at_all_concerns_all(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(text_of())
    (tmp_path / "gone").symlink_to("nowhere")
    assert partial(report_of_log_files([tmp_path])) == {"orders": True}


def test_a_picture_among_them_concerns_none(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(text_of())
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    result = report_of_log_files([tmp_path])
    assert partial(result) == {"orders": False}
    assert [gap for gap in result.gaps if "a.png: left out" in gap]


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "_LONGEST_LINE", 1 << 20)
    (tmp_path / "a.log").write_bytes(text_of() + b"x" * (5 << 20) + text_of())
    assert partial(report_of_log_files([tmp_path])) == {"orders": True}


def test_a_damaged_line_counts_in_its_window_only(tmp_path: Path) -> None:
    damaged = f"{iso(BEGIN + 5)} REPORT RequestId: 12\n".encode()
    (tmp_path / "a.log").write_bytes(text_of() + damaged)
    assert partial(report_of_log_files([tmp_path])) == {"orders": True}
    result = report_of_log_files([tmp_path], begin=BEGIN + 6)
    assert (partial(result), len(result.gaps)) == ({"orders": False}, 0)


WHOLE = report("cut", 20.0, init=300.0)


@pytest.mark.parametrize(
    "end",
    ["Req", "RequestId:", "Billed Dura", "320 ms", "Memory Size: 51", "Max Memory Used: 9", "\tIn",
     "Init Duration:", "Init Duration: 300.0", "Init Duration: 300.00 m"],
)  # fmt: skip
def test_a_report_that_is_cut_accuses_nobody(end: str, tmp_path: Path) -> None:
    cut = WHOLE[: WHOLE.index(end) + len(end)]
    last = f"{iso(BEGIN + 60)} {emf('cut', BEGIN + 60)}\n{iso(BEGIN + 61)} {cut}".encode()
    (tmp_path / "a.log").write_bytes(text_of() + last)
    result = report_of_log_files([tmp_path])
    (function,) = result.functions
    assert (function.invocations, function.partial, function.contradictions) == (5, True, {})
    assert [gap for gap in result.gaps if "cut off or damaged" in gap]


def only(folder: Path, text: bytes) -> tuple[FunctionFigures, Report]:
    (folder / "a.log").write_bytes(text)
    result = report_of_log_files([folder])
    (function,) = result.functions
    return function, result


def test_more_starts_than_reports(tmp_path: Path) -> None:
    starts = "".join(f"{iso(BEGIN + n)} {emf(f's{n}', BEGIN + n)}\n" for n in range(50))
    function, result = only(tmp_path, starts.encode() + text_of(requests=1))
    assert (function.partial, function.cold_start_rate) == (True, None)
    assert [gap for gap in result.gaps if "51 starts in the layer's lines, and 1 REPORT" in gap]


def test_without_reports_nothing_is_zero(tmp_path: Path) -> None:
    function, result = only(tmp_path, f"{iso(BEGIN)} {emf('a', BEGIN)}\n".encode())
    assert function.partial
    (shown,) = json.loads(as_json(result, []))["functions"]
    unknown = ("invocations", "platform_inits", "platform_restores", "billed_ms", "billed_init_ms")
    assert {shown[name] for name in unknown} == {None}
    assert shown["cold_starts"] == 1


def test_a_version_without_the_layer(tmp_path: Path) -> None:
    old = tmp_path / "group" / stream_name(2, "6").replace("/", "-") / "000000"
    new = tmp_path / "group" / stream_name(1, "7").replace("/", "-") / "000000"
    for file in (old, new):
        file.parent.mkdir(parents=True)
    old.write_text(f"{iso(BEGIN + 40)} {report('old', 10.0, init=200.0)}\n")
    new.write_bytes(text_of(version="7"))
    result = report_of_log_files([tmp_path])
    assert partial(result) == {"orders": True}
    assert [gap for gap in result.gaps if "nor counted as cold" in gap and gap.endswith(": 1")]


def test_a_window_wider_than_the_logs(tmp_path: Path) -> None:
    """Sums of 40 seconds are not those of a month."""
    (tmp_path / "a.log").write_bytes(text_of())
    result = report_of_log_files([tmp_path], begin=BEGIN - 30 * 86400, end=BEGIN + 30 * 86400)
    assert result.begin == pytest.approx(BEGIN)
    assert result.end == pytest.approx(BEGIN + 40.1, abs=0.01)
    assert result.functions[0].invocations == 5
    assert [gap for gap in result.gaps if "the window is wider than the logs" in gap]
    near = report_of_log_files([tmp_path], begin=BEGIN - 30, end=BEGIN + 60)
    assert (near.begin, near.end, near.gaps) == (BEGIN - 30, BEGIN + 60, ())
