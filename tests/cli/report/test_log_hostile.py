"""Files made to take all memory or all time, and odd values: one line is lost, and named."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from coldstart_cli.report.figures import Report
from coldstart_cli.report.log_files import bounded
from coldstart_cli.report.log_files.report import report_of_log_files
from coldstart_cli.report.log_files.rows import lines_that_count
from log_exports import BEGIN, emf, iso, json_report, report

GOOD = f"{iso(BEGIN)} {report('good')}\n"


def read(folder: Path, content: bytes) -> Report:
    """The content as one file, beside a good one of one request."""
    (folder / "a.log").write_text(GOOD)
    (folder / "b").write_bytes(content)
    return report_of_log_files([folder], functions=["orders"])


def lost(result: Report, said: str) -> None:
    (function,) = result.functions
    assert (function.invocations, function.partial) == (1, True)
    assert [gap for gap in result.gaps if said in gap], result.gaps


@pytest.mark.parametrize("value", ["NaN", "-5.00", "1e300", "99999999999999999999", "1.2.3", "inf"])
@pytest.mark.parametrize("of", ["Duration: 10.00", "Billed Duration: 10", "Init Duration: 7.00"])
def test_odd_durations(of: str, value: str, tmp_path: Path) -> None:
    line = report("odd", 10.0, init=7.0, init_billed=False)
    line = line.replace(f"\t{of} ms", f"\t{of.rpartition(' ')[0]} {value} ms")
    assert value in line
    lost(read(tmp_path, f"{iso(BEGIN)} {line}\n".encode()), "byte 0: a line that is cut off or dam")


@pytest.mark.parametrize("value", ["-5", "1e300", "99999999999999999999", '"x"', "[1]", "NaN"])
@pytest.mark.parametrize("of", ["durationMs", "billedDurationMs", "initDurationMs"])
def test_odd_durations_in_json(of: str, value: str, tmp_path: Path) -> None:
    line = json_report("odd", BEGIN, initDurationMs=5.0)
    document = json.loads(line)
    document["record"]["metrics"][of] = "HERE"
    line = json.dumps(document).replace('"HERE"', value)
    lost(read(tmp_path, f"{iso(BEGIN)} {line}\n".encode()), "byte 0: a line that is cut off or dam")


@pytest.mark.parametrize("value", [2**63 - 1, -1, 1e300, "then"])
def test_odd_times_of_the_layer(value: object, tmp_path: Path) -> None:
    document = json.loads(emf("odd", BEGIN))
    document["_aws"]["Timestamp"] = value
    text = f"{iso(BEGIN)} {json.dumps(document)}\n"
    lost(read(tmp_path, text.encode()), "byte 0: a line that is cut off or damaged")


def test_an_odd_time_of_the_platform(tmp_path: Path) -> None:
    line = json_report("odd", BEGIN).replace(iso(BEGIN), "infinity")
    result = read(tmp_path, line.encode())
    assert result.functions[0].invocations == 2
    assert [gap for gap in result.gaps if "without a time: 1 of 2" in gap]


@pytest.mark.parametrize(
    "text",
    ['{"events":' + "[" * 20_000, '{"events":[' + '{"a":' * 20_000,
     '[{"@timestamp":"2026-11-25 10:00:00.000","@message":' + '{"a":' * 20_000 + "}" * 20_000],
    ids=["lists", "objects", "message"],
)  # fmt: skip
def test_deep_documents(text: str, tmp_path: Path) -> None:
    lost(read(tmp_path, text.encode()), "b: JSON nested more than 200 levels deep")


def test_a_string_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "_LONGEST_STRING", 1 << 21)
    text = '{"events":[{"message":"' + '[\\"{' * (2 << 20)
    lost(read(tmp_path, text.encode()), "b: a string does not end within 2 MB")


def test_brackets_and_quotes_in_strings_are_no_structure(tmp_path: Path) -> None:
    event = {"timestamp": round(BEGIN * 1000), "message": '[{"\\' * 1000}
    events = [event, event, {**event, "message": report("last")}]
    result = read(tmp_path, json.dumps({"events": events}).encode())
    assert (result.functions[0].invocations, result.functions[0].partial) == (2, False)


@pytest.mark.parametrize("cell", ['{"field":["a"],"value":"x"}', '{"field":{},"value":1}', "1"])
def test_odd_cells(cell: str, tmp_path: Path) -> None:
    result = read(tmp_path, f'{{"results":[[{cell}]]}}'.encode())
    assert result.functions[0].invocations == 1


def test_packed_many_times(tmp_path: Path) -> None:
    content = GOOD.encode()
    for _ in range(1500):
        content = gzip.compress(content, 1)
    lost(read(tmp_path, content), "b: left out: it is packed more than 4 times")


def test_a_long_line_full_of_marks_takes_no_longer() -> None:
    begin = time.process_time()
    assert lines_that_count(b'"platform.' * 500_000) == []
    lines_that_count(b'"platform.report"' * 300_000)
    assert time.process_time() - begin < 2


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    lost(read(tmp_path, b""), f"{tmp_path}/loop: not read: ")


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.log"
    text = GOOD.encode() + b"2026-11-25T10:00:00.000Z REPORT RequestId: 1\n"
    Path(os.fsdecode(name)).write_bytes(text)
    command = [sys.executable, "-m", "coldstart_cli", "report", "--json", "--logs"]
    done = subprocess.run([*map(os.fsencode, command), name], capture_output=True)
    assert done.returncode == 1
    assert b"\\xff.log: byte" in done.stderr
    assert json.loads(done.stdout)["functions"][0]["invocations"] == 1


def test_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "idle")
    result = report_of_log_files([tmp_path / "idle"])  # nobody writes to it, nobody waits
    assert result.gaps[0] == f"{tmp_path}/idle: not read: nothing comes out of this pipe"
    reader, writer = os.pipe()

    def write() -> None:
        time.sleep(0.2)
        os.write(writer, GOOD.encode())
        os.close(writer)

    thread = Thread(target=write)
    thread.start()
    (function,) = report_of_log_files([Path(f"/dev/fd/{reader}")]).functions
    thread.join()
    os.close(reader)
    assert (function.invocations, function.partial) == (1, False)
