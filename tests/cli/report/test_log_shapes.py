"""Log lines come out the same in whatever shape they were exported."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from coldstart_cli.report.figures import FunctionFigures
from coldstart_cli.report.log_files.report import report_of_log_files
from log_exports import BEGIN, emf, init_start, iso, json_report, report, stream_name

STREAM = stream_name(1)
Event = tuple[float, str, str]  # epoch seconds, log stream, message
EVENTS: list[Event] = [
    (BEGIN, STREAM, init_start()),
    (BEGIN + 0.4, STREAM, "START RequestId: one Version: $LATEST\n"),
    (BEGIN + 0.4, STREAM, emf("one", BEGIN + 0.4)),
    (BEGIN + 0.45, STREAM, "Traceback\n  in two lines"),
    (BEGIN + 0.5, STREAM, report("one", 100.0, init=350.25) + "\nXRAY TraceId: 1-2-3\t"),
    (BEGIN + 60.25, STREAM, report("two", 50.5) + "\n"),
]


def export_to_s3(folder: Path, events: list[Event]) -> None:
    """ "Export log data to Amazon S3": PREFIX/TASK/STREAM/000000.gz."""
    (folder / "exported").mkdir()
    (folder / "exported/aws-logs-write-test").write_text("Permission Check Successful")
    target = folder / "exported/0a1b-2c3d" / STREAM.replace("/", "-") / "000000.gz"
    target.parent.mkdir(parents=True)
    lines = [f"{iso(at)} {message.rstrip()}\n" for at, _, message in events]
    target.write_bytes(gzip.compress("".join(lines).encode()))


def tail_detailed(folder: Path, events: list[Event]) -> None:
    """awscli/customizations/logs/tail.py."""
    lines = []
    for at, stream, message in events:
        time = iso(at).replace("Z", "000+00:00")
        lines.append(f"{time} {stream} {message.rstrip()}\n")
    (folder / "tail.log").write_text("".join(lines))


def tail_short(folder: Path, events: list[Event]) -> None:
    lines = [f"{iso(at)[:19]} {message.rstrip()}\n" for at, _, message in events]
    (folder / "tail.log").write_text("".join(lines))


def sam_logs(folder: Path, events: list[Event]) -> None:
    lines = [f"{stream} {iso(at)[:23]}000 {message.rstrip()}\n" for at, stream, message in events]
    (folder / "sam.log").write_text("".join(lines))


def stdout(folder: Path, events: list[Event]) -> None:
    (folder / "out").write_text("".join(f"{message.rstrip()}\n" for _, _, message in events))


def windows_lines(folder: Path, events: list[Event]) -> None:
    text = "".join(f"{iso(at)} {message.rstrip()}\r\n" for at, _, message in events)
    (folder / "saved.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())


def api_events(events: list[Event]) -> list[dict[str, object]]:
    return [
        {
            "logStreamName": stream,
            "timestamp": round(at * 1000),
            "message": message,
            "ingestionTime": round(at * 1000) + 900,
            "eventId": str(number),
        }
        for number, (at, stream, message) in enumerate(events)
    ]


def filter_log_events(folder: Path, events: list[Event]) -> None:
    document = {"events": api_events(events), "searchedLogStreams": []}
    (folder / "events.json").write_text(json.dumps(document, indent=4))


def get_log_events(folder: Path, events: list[Event]) -> None:
    """Tells no stream; beside it lies what tells it: nothing. One stream, one file."""
    found = [{key: event[key] for key in ("timestamp", "message")} for event in api_events(events)]
    document = {"events": found, "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}
    (folder / "events.json").write_text(json.dumps(document))


def filter_log_events_on_windows(folder: Path, events: list[Event]) -> None:
    text = json.dumps({"events": api_events(events)}, indent=4).replace("\n", "\r\n")
    (folder / "events.json").write_bytes(b"\xef\xbb\xbf" + text.encode())


def tail_none(folder: Path, events: list[Event]) -> None:
    (folder / "tail.json").write_text("\n".join(map(json.dumps, api_events(events))))


def subscription_records(folder: Path, events: list[Event]) -> None:
    """ "Log group-level subscription filters"; Firehose puts them one behind the other."""
    control = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logEvents": []}
    records = [control]
    for some in (events[:4], events[4:]):
        records.append(
            {
                "messageType": "DATA_MESSAGE",
                "owner": "123456789012",
                "logGroup": "/aws/lambda/orders",
                "logStream": STREAM,
                "subscriptionFilters": ["all"],
                "logEvents": [
                    {"id": str(at), "timestamp": round(at * 1000), "message": message}
                    for at, _, message in some
                ],
            }
        )
    packed = b"".join(gzip.compress(json.dumps(record).encode()) for record in records)
    (folder / "firehose-1-2026-11-25").write_bytes(gzip.compress(packed))


def insights_results(folder: Path, events: list[Event]) -> None:
    rows = [
        [
            {"field": "@timestamp", "value": iso(at).replace("T", " ")[:-1]},
            {"field": "@message", "value": message},
            {"field": "@logStream", "value": stream},
            {"field": "@ptr", "value": "abc"},
        ]
        for at, stream, message in events
    ]
    (folder / "query.json").write_text(json.dumps({"results": rows, "status": "Complete"}))


def insights_export(folder: Path, events: list[Event]) -> None:
    rows = [
        {
            "@timestamp": iso(at).replace("T", " ")[:-1],
            "@message": json.loads(message) if message.startswith("{") else message,
            "@logStream": stream,
            "@log": "123456789012:/aws/lambda/orders",
        }
        for at, stream, message in events
    ]
    (folder / "insights.json").write_text(json.dumps(rows))


EXACT = [
    export_to_s3, tail_detailed, sam_logs, windows_lines, filter_log_events, get_log_events,
    filter_log_events_on_windows, tail_none, subscription_records, insights_results,
    insights_export,
]  # fmt: skip


def only(folder: Path, **window: float) -> FunctionFigures:
    result = report_of_log_files([folder], **window)
    (function,) = result.functions
    return function


@pytest.mark.parametrize("write", EXACT, ids=lambda write: write.__name__)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_shapes_that_tell_all(
    write: Callable[[Path, list[Event]], None], packed: bool, tmp_path: Path
) -> None:
    write(tmp_path, EVENTS)
    if packed:  # its name says nothing
        for file in [path for path in tmp_path.rglob("*") if path.is_file()]:
            file.write_bytes(gzip.compress(file.read_bytes()))
    result = report_of_log_files([tmp_path])
    assert result.gaps == ()
    (function,) = result.functions
    assert (function.function, function.invocations, function.cold_starts) == ("orders", 2, 1)
    assert function.starts == {"cold": 1}
    assert function.contradictions == {}
    assert function.init is not None
    assert (function.init.count, function.init.max) == (1, 350.25)
    assert (function.billed_ms, function.billed_init_ms) == (451 + 51, 350.25)
    assert (function.memory_mb, function.max_memory_used_mb) == (512, 90)
    assert (function.region, function.runtime) == ("eu-west-1", "python3.13")
    assert function.concurrency is not None
    assert [period.invocations for period in function.periods] == [1, 1]
    assert (result.begin, result.end) == (BEGIN + 0.4, BEGIN + 60.25)


@pytest.mark.parametrize("write", [tail_short, stdout], ids=lambda write: write.__name__)
def test_shapes_that_tell_less(write: Callable[[Path, list[Event]], None], tmp_path: Path) -> None:
    write(tmp_path, EVENTS)
    result = report_of_log_files([tmp_path])
    (function,) = result.functions
    assert (function.function, function.invocations, function.cold_starts) == ("orders", 2, 1)
    assert function.contradictions == {}
    assert function.concurrency is None
    assert len(result.gaps) == 1
    assert "seconds" in result.gaps[0] or "without a time" in result.gaps[0]


def test_json_as_log_format(tmp_path: Path) -> None:
    """ "Lambda Telemetry API Event schema reference"; level and timestamp pass the level filter."""
    lines = [
        '{"time":"2026-11-25T10:00:00.000Z","type":"platform.initStart","record":'
        '{"initializationType":"on-demand","phase":"init","runtimeVersion":"python:3.13.v50",'
        '"runtimeVersionArn":"arn:aws:lambda:eu-west-1::runtime:01"}}',
        '{"time":"2026-11-25T10:00:00.400Z","type":"platform.start","record":{"requestId":"one"}}',
        emf("one", BEGIN + 0.4, timestamp="2026-11-25T10:00:00.400Z", level="WARN", namespace="My"),
        '{"level":"INFO","message":"a \\"platform.report\\" in a message","cold_start":true}',
        json_report("one", BEGIN + 0.5, 100.0, initDurationMs=350.25),
        json_report("two", BEGIN + 9, 20.0, restoreDurationMs=300.5, billedRestoreDurationMs=80),
    ]
    (tmp_path / "out.log").write_text("\n".join(lines))
    function = only(tmp_path)
    assert (function.function, function.invocations, function.cold_starts) == ("orders", 2, 1)
    assert (function.platform_inits, function.platform_restores) == (1, 1)
    assert function.restore is not None
    assert function.restore.max == 300.5
    assert (function.billed_ms, function.billed_init_ms) == (451 + 20, 350.25)
    assert (function.region, function.runtime) == ("eu-west-1", "python3.13")
    assert function.concurrency is not None  # the records tell the time


def test_overlapping_exports_count_once(tmp_path: Path) -> None:
    for name, write in (("a", export_to_s3), ("b", tail_detailed), ("c", tail_short)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, EVENTS if name != "a" else EVENTS[:5])
    function = only(tmp_path)
    assert (function.invocations, function.starts) == (2, {"cold": 1})
    assert function.contradictions == {}


def test_a_retry_has_the_request_id_of_the_first_try_and_counts(tmp_path: Path) -> None:
    """As Lambda's asynchronous invocations do, a minute later; here both time out."""
    events = [
        (BEGIN, STREAM, emf("one", BEGIN)),
        (BEGIN + 3, STREAM, report("one", 3000.0, init=200.0, status="timeout")),
        (BEGIN + 63, STREAM, emf("one", BEGIN + 63, "reinit")),
        (BEGIN + 66, STREAM, report("one", 3000.0, status="timeout")),
        (BEGIN + 123, STREAM, report("one", 3000.0, status="timeout")),
    ]
    tail_detailed(tmp_path, events)
    function = only(tmp_path)
    assert (function.invocations, function.starts) == (3, {"cold": 1, "reinit": 1})
    assert (function.cold_starts, function.contradictions) == (2, {})
