"""Picks the lines that figures are made of out of log files; what they say is found out later.

Those are the platform's REPORT, INIT_REPORT, RESTORE_REPORT and INIT_START, as text or as JSON, and
the layer's EMF lines. All others are passed over without a look at them one by one.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import ijson

from coldstart_cli.report.log_files import UNREADABLE, LogFile, NotLogsError, unpacked

# Between the columns of a row, which are: the number of the file; where in it, the byte or the
# event; whether all messages of the file begin with a time; when it was, in ms since the epoch, if
# that is beside the message; the log group; the log stream; the line.
SEPARATOR = "\x1f"

_BLOCK = 1 << 20
# CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas"); none that counts here is
# nearly as long.
_LONGEST_LINE = 1 << 24
_LONGEST_ROW = 1 << 16

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LATEST_MS = 253_402_300_800_000  # the year 10000

_PLATFORM = b'"platform.'
_MARKS = (b"REPORT ", b"INIT_START ", b'"layer_version"', _PLATFORM)
_EVENTS = (b'report"', b'initReport"', b'restoreReport"', b'initStart"')

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_STAMPED = re.compile(rf"(?:\S+ )?({_TIME}) ".encode())
# `aws logs tail --format json` breaks a JSON message into lines.
_BROKEN_UP = re.compile(rb'\s+"type": "platform\.|\s+"layer_version": ')

# JSON documents by the key they begin with, and where their events lie: in what the AWS CLI prints
# (GetLogEvents, FilterLogEvents, GetQueryResults), in Logs Insights' export, and one after the
# other: a subscription filter's records, or events.
_DOCUMENT = re.compile(rb'\s*(\[\s*)?[\[{]\s*(?:"(\w+|@\w+)"|\{)\s*')
_EVENT_KEYS = (b"events", b"searchedLogStreams", b"nextForwardToken", b"nextBackwardToken")
_QUERY_KEYS = (b"results", b"queryLanguage", b"statistics", b"encryptionKey")
_RECORD_KEYS = (b"messageType", b"owner", b"logGroup", b"logStream", b"logStreamName", b"eventId")


@dataclass
class Reading:
    """What became of a file."""

    bytes_read: int = 0  # as it lies there
    first_at: float | None = None  # epoch seconds, of its first line
    gap: str | None = None  # why not all of it was read
    counted_in: str = "byte"  # what the places in its rows are


def rows(file: LogFile, number: int, reading: Reading) -> Iterator[bytes]:
    """The lines that count, as rows with columns as above, many at a time.

    Args:
        file: the file.
        number: what to call it in the rows.
        reading: is filled in on the way; what cannot be read is told there.
    """
    try:
        raw = file.path.open("rb")
    except OSError as error:
        reading.gap = f"{file.path}: not read: {error.strerror}"
        return
    with raw:
        try:
            content = unpacked(raw)
            if content.peek(3).startswith(_BYTE_ORDER_MARK):
                content.read(3)
            prefix = _document(content.peek(1 << 12))
            reading.counted_in = "byte" if prefix is None else "event"
            found = (
                _of_text(content, file, number, reading)
                if prefix is None
                else _of_document(content, prefix, number)
            )
            for some in found:
                reading.bytes_read = raw.tell()
                yield some
        except NotLogsError as error:
            reading.gap = f"{file.path}: {error}"
        except UNREADABLE as error:
            reading.gap = f"{file.path}: cut off or damaged: {error}; what came before counts"
    reading.bytes_read = file.size


def _blocks(content: io.BufferedReader | gzip.GzipFile) -> Iterator[bytes]:
    """The content in blocks of whole lines. What was read before an error comes before it."""
    rest = b""
    while True:
        parts = [rest]
        size = len(rest)
        failure: Exception | None = None
        try:
            while size < len(rest) + _BLOCK and (part := content.read1(_BLOCK)):
                parts.append(part)
                size += len(part)
        except UNREADABLE as error:
            failure = error
        block = b"".join(parts)
        if failure is None and size < len(rest) + _BLOCK:
            yield block
            return
        end = block.rfind(b"\n") + 1
        yield block[:end]
        rest = block[end:]
        if failure is not None:
            raise failure
        if len(rest) > _LONGEST_LINE:
            raise NotLogsError(
                f"no line ends within {_LONGEST_LINE >> 20} MB; what came before counts"
            )


def _of_text(
    content: io.BufferedReader | gzip.GzipFile, file: LogFile, number: int, reading: Reading
) -> Iterator[bytes]:
    offset = 0
    columns = b""
    for block in _blocks(content):
        if not columns:
            stamp = _STAMPED.match(block)
            if stamp is not None:
                reading.first_at = _seconds(stamp[1].decode())
            stamped = b"true" if stamp else b"false"
            columns = b"\x1f".join((stamped, b"", b"", (file.stream or "").encode(), b""))
        if b"\x1f" in block:  # takes no line away from those that count
            block = block.replace(b"\x1f", b" ")
        wanted = []
        for begin, end in _candidates(block):
            line = block[begin:end]
            if _BROKEN_UP.match(line) and reading.gap is None:
                reading.gap = (
                    f"{file.path}: byte {offset + begin}: JSON over several lines is not read; with"
                    " aws logs tail use --format detailed"
                )
            wanted.append(b"%d\x1f%d\x1f%b%b\n" % (number, offset + begin, columns, line))
        offset += len(block)
        yield _clean(b"".join(wanted))


def _candidates(block: bytes) -> list[tuple[int, int]]:
    """Begin and end of the lines that have a mark in them."""
    found = {}
    for mark in _MARKS:
        at = block.find(mark)
        while at >= 0:
            end = block.find(b"\n", at)
            if end < 0:
                end = len(block)
            begin = block.rfind(b"\n", 0, at) + 1
            counts = mark is not _PLATFORM or block.startswith(_EVENTS, at + len(mark))
            if counts and end - begin <= _LONGEST_ROW:
                found[begin] = end
            at = block.find(mark, at + 1 if not counts else end)
    return list(found.items())


def _clean(data: bytes) -> bytes:
    """Rows in UTF-8 that end where their lines do; whatever else is in them is replaced."""
    for odd in (b"\r", b"\0"):
        if odd in data:
            data = data.replace(odd, b" ")
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def _document(head: bytes) -> str | None:
    """Where the events lie, in ijson's notation; None: these are lines, not a document."""
    match = _DOCUMENT.match(head)
    key = match[2] if match else None
    if match is None or key is None:
        return None
    if match[1]:  # a list of events, or of rows
        return "item" if key in (b"@timestamp", b"@message", *_RECORD_KEYS) else None
    if key in _EVENT_KEYS:
        return "events.item"
    if key in _QUERY_KEYS:
        return "results.item"
    return "" if key in _RECORD_KEYS else None


class _Steps:
    """What ijson reads from."""

    def __init__(self, content: io.BufferedReader | gzip.GzipFile) -> None:
        self.read = content.read1


def _of_document(
    content: io.BufferedReader | gzip.GzipFile, prefix: str, number: int
) -> Iterator[bytes]:
    count = 0
    wanted: list[bytes] = []
    failure: Exception | None = None
    try:
        for item in ijson.items(_Steps(content), prefix, multiple_values=True, use_float=True):
            for event in _events(item):
                count += 1
                row = _row(event, number, count)
                if row is not None:
                    wanted.append(row)
            if len(wanted) >= 1000:
                yield _clean(b"".join(wanted))
                wanted = []
    except UNREADABLE as error:
        failure = error
    except ijson.JSONError as error:
        why = str(error).partition("\n")[0].strip() or "cut off"
        failure = NotLogsError(
            f"what follows event {count} is not JSON ({why}); what came before counts"
        )
    yield _clean(b"".join(wanted))
    if failure is not None:
        raise failure


def _events(item: Any) -> Iterator[dict[str, Any]]:
    """The events of a part of a document, whichever it is."""
    if isinstance(item, list):  # GetQueryResults: a list of fields a row
        item = {cell.get("field"): cell.get("value") for cell in item if isinstance(cell, dict)}
    if not isinstance(item, dict):
        return
    inside = item.get("logEvents")
    if not isinstance(inside, list):
        yield item
        return
    shared = {"logGroup": item.get("logGroup"), "logStreamName": item.get("logStream")}
    for event in inside:
        if isinstance(event, dict):
            yield {**shared, **event}


def _row(event: dict[str, Any], number: int, count: int) -> bytes | None:
    message = event.get("message", event.get("@message"))
    if isinstance(message, dict):  # Logs Insights' export has JSON messages as JSON
        message = json.dumps(message)
    if not isinstance(message, str):
        return None
    line = message.encode(errors="replace").replace(b"\n", b" ").replace(b"\x1f", b" ").strip()
    if not _candidates(line):
        return None
    at = event.get("timestamp", event.get("@timestamp"))
    if isinstance(at, str):
        seconds = _seconds(at)
        at = None if seconds is None else seconds * 1000
    if not isinstance(at, (int, float)) or not 0 <= at < _LATEST_MS:
        at = None
    group = event.get("logGroup") or event.get("logGroupName") or event.get("@log") or ""
    stream = event.get("logStreamName") or event.get("@logStream") or ""
    names = [str(name).replace(SEPARATOR, " ").replace("\n", " ") for name in (group, stream)]
    columns = (number, count, "false", "" if at is None else round(at), *names, "")
    return SEPARATOR.join(map(str, columns)).encode(errors="replace") + line + b"\n"


def _seconds(text: str) -> float | None:
    """Epoch seconds of a time in ISO 8601; in UTC where it names no zone, as AWS writes them."""
    try:
        time = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
