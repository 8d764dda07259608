"""What cannot be read is named in a line; nothing else is lost."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from tempfile import gettempdir

import pytest
from coldstart_cli.report.figures import Report
from coldstart_cli.report.log_files import lines
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, iso, report

LINES = [
    f"{iso(BEGIN + number)} {report(f'r{number}', 10.0 + number)}\n".encode()
    for number in range(2000)
]


def read(folder: Path, whole: bool = False) -> tuple[int, list[str]]:
    """How many invocations there are, and what is said beside that nothing names their function."""
    result: Report = report_of_log_files([folder], functions=["orders"])
    assert not [gap for gap in result.gaps if "\n" in gap]
    gaps = [gap for gap in result.gaps if "no line of the layer" not in gap]
    return sum(one.invocations for one in result.functions), gaps


def test_a_truncated_file(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(LINES))
    (tmp_path / "a.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "b.gz").write_bytes(gzip.compress(LINES[0].replace(b"r0", b"other")))
    count, (gap,) = read(tmp_path)
    # All that zlib can make of the half that is there.
    there = zlib.decompressobj(31).decompress(packed[: len(packed) // 2]).count(b"\n")
    assert count == there + 1 > 500
    assert gap.startswith(f"{tmp_path}/a.gz: cut off or damaged: ")


def test_a_damaged_file(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(LINES)))
    packed[-6] ^= 0xFF  # the checksum
    (tmp_path / "a.gz").write_bytes(packed)
    count, (gap,) = read(tmp_path)
    assert (count, "a.gz: cut off or damaged: CRC check failed" in gap) == (2000, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x7fELF\x02\x01\x01\0\0\0", "left out: it is not text"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "left out: it is packed with zstd; unpack it first: zstd -d"),
        ("REPORT".encode("utf-16"), "left out: it is UTF-16; write it as UTF-8"),
        (b"\x1f\x8b\x08 not gzip at all", "cut off or damaged: "),
        (gzip.compress(b"\0\1\2", mtime=0), "left out: it is not text"),
    ],
    ids=["elf", "zstd", "utf-16", "no-gzip", "binary-in-gzip"],
)
def test_files_that_are_something_else(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "b").write_bytes(LINES[0])
    count, (gap,) = read(tmp_path)
    assert count == 1
    assert gap.startswith(f"{tmp_path}/a: {said}")


def test_odd_bytes_in_between(tmp_path: Path) -> None:
    odd = [b"\0\n", b"\xff\xfe\xfd REPORT \n", b"\x1f\x1f\x1f\n", b"a\rb\n", b"\n", b'"\n', b"{\n"]
    text = (
        LINES[0] + b"".join(odd) + b"".join(line[:-1] + b" \xff\x1f\0\r\n" for line in LINES[1:10])
    )
    (tmp_path / "a").write_bytes(b"x" * 5000 + b"\n" + text)
    assert read(tmp_path) == (10, [])


def test_damaged_lines_are_counted_and_the_first_is_placed(tmp_path: Path) -> None:
    cut = emf("r1", BEGIN)[:200] + '"layer_version"'
    text = LINES[0] + f"{iso(BEGIN)} {cut}\n".encode() + LINES[1]
    text += f"{iso(BEGIN)} REPORT RequestId: 12\n".encode()
    (tmp_path / "a").write_bytes(text)
    count, (gap,) = read(tmp_path)
    assert count == 2
    place = len(LINES[0])
    assert gap == (
        f"{tmp_path}/a: byte {place}: a line that is cut off or damaged, and 1 more in this file"
    )


def test_broken_json(tmp_path: Path) -> None:
    events = [
        {"timestamp": round(BEGIN * 1000) + number, "message": report(f"r{number}", 10.0)}
        for number in range(10)
    ]
    text = json.dumps({"events": events})
    (tmp_path / "cut").write_text(text[: text.index("r7")])
    (tmp_path / "odd").write_text('{"events": [{"timestamp": 1, "message": nonsense}]}')
    (tmp_path / "other").write_text('{"events": "none", "more": [1, {}]}')
    (tmp_path / "empty").write_text("")
    count, gaps = read(tmp_path)
    assert count == 7
    assert len(gaps) == 2
    assert gaps[0].startswith(f"{tmp_path}/cut: what follows event 7 is not JSON (")
    assert gaps[1].startswith(f"{tmp_path}/odd: what follows event 0 is not JSON (")


def test_events_of_odd_types(tmp_path: Path) -> None:
    events = [
        None, 1, [], {"message": None}, {"message": 5}, {"timestamp": {}, "message": "REPORT "},
        {"timestamp": "never", "message": report("a", 1.0), "logStreamName": 5},
        {"timestamp": 1e300, "message": report("b", 1.0)},
    ]  # fmt: skip
    (tmp_path / "a").write_text(json.dumps({"events": events}))
    count, gaps = read(tmp_path)
    assert count == 2
    assert [gap for gap in gaps if "without a time" in gap]


def test_json_over_several_lines(tmp_path: Path) -> None:
    message = json.dumps(json.loads(emf("a", BEGIN)), indent=4)
    (tmp_path / "a").write_bytes(LINES[0] + f"{iso(BEGIN)} stream \n{message}\n".encode())
    count, (gap,) = read(tmp_path)
    assert count == 1
    assert "JSON over several lines is not read; with aws logs tail use --format detailed" in gap


def test_no_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_LONGEST_LINE", 1 << 20)
    (tmp_path / "a").write_bytes(b"".join(LINES) + b"x" * (5 << 20))
    count, (gap,) = read(tmp_path)
    assert (count, "a: no line ends within 1 MB" in gap) == (2000, True)


def test_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")  # would be waited for
    (tmp_path / "b").write_bytes(LINES[0])
    count, (gap,) = read(tmp_path)
    assert (count, gap) == (1, f"{tmp_path}/gone: not read: No such file or directory")
    result = report_of_log_files([tmp_path / "none"])
    assert result.gaps[0] == f"{tmp_path}/none: not read: No such file or directory"


def test_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("START\nEND\n")
    (tmp_path / "aws-logs-write-test").write_text("Permission Check Successful")
    result = report_of_log_files([tmp_path])
    assert (result.functions, result.begin, result.end) == ((), None, None)
    assert result.gaps == (
        "nothing found: no line begins with REPORT, or with a time and REPORT, and none is the"
        " layer's; files read: 1",
    )


def test_many_files_that_cannot_be_read_do_not_fill_the_screen(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02}").write_bytes(b"\0")
    gaps = report_of_log_files([tmp_path]).gaps
    assert len(gaps) == 22
    assert gaps[20] == "and 30 more files"


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "a").write_bytes(LINES[0])
    assert gettempdir() == str(tmp_path / "temporary")
    report_of_log_files([tmp_path / "a"])

    def stop(_done: int, _whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report_of_log_files([tmp_path / "a"], progress=stop)
    assert list((tmp_path / "temporary").iterdir()) == []
