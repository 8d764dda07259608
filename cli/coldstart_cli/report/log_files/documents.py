"""JSON documents of log events, of any size, one event after the other."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import ijson

from coldstart_cli.report.log_files.bounded import BLOCK, Bounded
from coldstart_cli.report.log_files.files import UNREADABLE, NotLogsError
from coldstart_cli.report.log_files.rows import SEPARATOR, clean, lines_that_count, seconds

_LATEST_MS = 253_402_300_800_000  # the year 10000

# JSON documents by the key they begin with, and where their events lie: in what the AWS CLI prints
# (GetLogEvents, FilterLogEvents, GetQueryResults), in Logs Insights' export, and one after the
# other: a subscription filter's records, or events.
_DOCUMENT = re.compile(rb'\s*(\[\s*)?[\[{]\s*(?:"(\w+|@\w+)"|\{)\s*')
_EVENT_KEYS = (b"events", b"searchedLogStreams", b"nextForwardToken", b"nextBackwardToken")
_QUERY_KEYS = (b"results", b"queryLanguage", b"statistics", b"encryptionKey")
_RECORD_KEYS = (b"messageType", b"owner", b"logGroup", b"logStream", b"logStreamName", b"eventId")
# Events of GetLogEvents alone. Functions that log JSON may use the first two of these keys, too.
_EVENT = re.compile(rb'"timestamp"\s*:\s*\d{13}\b')
_EVENT_FIRST = (b"timestamp", b"message", b"ingestionTime")


def events_in(head: bytes) -> str | None:
    """Where the events lie, in ijson's notation; None: these are lines, not a document.

    Args:
        head: the first bytes.
    """
    match = _DOCUMENT.match(head)
    key = match[2] if match else None
    if match is None or key is None:
        return None
    event = key in _EVENT_FIRST and _EVENT.search(head) is not None
    if match[1]:  # a list of events, or of rows
        return "item" if event or key in (b"@timestamp", b"@message", *_RECORD_KEYS) else None
    if key == b"ResponseMetadata":  # boto3's answer as it is, of either kind
        return "results.item" if b'"results"' in head else "events.item"
    if key in _EVENT_KEYS:
        return "events.item"
    if key in _QUERY_KEYS:
        return "results.item"
    return "" if key in _RECORD_KEYS or (event and b'"ingestionTime"' in head) else None


def rows_of_document(
    content: io.BufferedReader | gzip.GzipFile, prefix: str, number: int
) -> Iterator[bytes]:
    """The events that count, as rows, many at a time; what came before an error, too.

    Args:
        content: the file.
        prefix: where the events lie, from events_in.
        number: what to call the file.

    Raises:
        NotLogsError: it is not JSON from some place on, or JSON of no log events.
        OSError, EOFError, zlib.error: it is damaged from some place on.
    """
    count = 0
    wanted: list[bytes] = []
    failure: Exception | None = None
    try:
        for item in ijson.items(
            Bounded(content), prefix, buf_size=BLOCK, multiple_values=True, use_float=True
        ):
            for event in _events(item):
                count += 1
                row = _row(event, number, count)
                if row is not None:
                    wanted.append(row)
            if len(wanted) >= 1000:
                yield clean(b"".join(wanted))
                wanted = []
    except (*UNREADABLE, NotLogsError) as error:
        failure = error
    except ijson.JSONError as error:
        why = str(error).partition("\n")[0].strip() or "cut off"
        failure = NotLogsError(
            f"what follows event {count} is not JSON ({why}); what came before counts"
        )
    yield clean(b"".join(wanted))
    if failure is not None:
        raise failure


def _events(item: Any) -> Iterator[dict[str, Any]]:
    """The events of a part of a document, whichever it is."""
    if isinstance(item, list):  # GetQueryResults: a list of fields a row
        item = {
            str(cell.get("field")): cell.get("value") for cell in item if isinstance(cell, dict)
        }
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
    if not lines_that_count(line):
        return None
    at = event.get("timestamp", event.get("@timestamp"))
    if isinstance(at, str):
        epoch = seconds(at)
        at = None if epoch is None else epoch * 1000
    if not isinstance(at, (int, float)) or not 0 <= at < _LATEST_MS:
        at = None
    group = event.get("logGroup") or event.get("logGroupName") or event.get("@log") or ""
    stream = event.get("logStreamName") or event.get("@logStream") or ""
    names = [str(name).replace(SEPARATOR, " ").replace("\n", " ") for name in (group, stream)]
    columns = (number, count, "false", "" if at is None else round(at), *names, "")
    return SEPARATOR.join(map(str, columns)).encode(errors="replace") + line + b"\n"
