"""Picks the lines that figures are made of out of log files; what they say is found out later."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coldstart_cli.report.log_files.documents import events_in, rows_of_document
from coldstart_cli.report.log_files.files import (
    UNREADABLE,
    LogFile,
    NotLogsError,
    NotTextError,
    opened,
    shown,
    unpacked,
)
from coldstart_cli.report.log_files.rows import TIME, clean, lines_that_count, seconds

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 24

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STAMPED = re.compile(rf"(?:\S+[ \t])?({TIME})[ \t]".encode())
# `aws logs tail --format json` breaks a JSON message into lines.
_BROKEN_UP = re.compile(rb'\s+"type": "platform\.|\s+"layer_version": ')


@dataclass
class Reading:
    """What became of a file."""

    bytes_read: int = 0  # as it lies there
    first_at: float | None = None  # epoch seconds, of its first line
    gap: str | None = None  # why not all of it was read
    partial: bool = False  # what was not read may be log lines
    counted_in: str = "byte"  # what the places in its rows are


def rows(file: LogFile, number: int, reading: Reading) -> Iterator[bytes]:
    """The lines that count, as rows (see log_rows), many at a time.

    Args:
        file: the file.
        number: what to call it in the rows.
        reading: is filled in on the way; what cannot be read is told there.
    """
    try:
        raw = opened(file.path)
    except OSError as error:
        reading.gap = f"{shown(file.path)}: not read: {error.strerror}"
        reading.partial = True
        return
    with raw:
        try:
            if not raw.seekable() and not raw.peek(1):
                raise NotLogsError("not read: nothing comes out of this pipe")
            content = unpacked(raw)
            if content.peek(3).startswith(_BYTE_ORDER_MARK):
                content.read(3)
            prefix = events_in(content.peek(1 << 12))
            reading.counted_in = "byte" if prefix is None else "event"
            found = (
                _of_text(content, file, number, reading)
                if prefix is None
                else rows_of_document(content, prefix, number)
            )
            for some in found:
                reading.bytes_read = raw.tell() if raw.seekable() else 0
                yield some
        except NotLogsError as error:
            reading.gap = f"{shown(file.path)}: {error}"
            reading.partial = not isinstance(error, NotTextError)
        except UNREADABLE as error:
            reading.gap = (
                f"{shown(file.path)}: cut off or damaged: {error}; what came before counts"
            )
            reading.partial = True
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
                reading.first_at = seconds(stamp[1].decode())
            stamped = b"true" if stamp else b"false"
            columns = b"\x1f".join((stamped, b"", b"", (file.stream or "").encode(), b""))
        if b"\x1f" in block:  # takes no line away from those that count
            block = block.replace(b"\x1f", b" ")
        wanted = []
        for begin, end in lines_that_count(block):
            line = block[begin:end]
            if _BROKEN_UP.match(line) and reading.gap is None:
                reading.gap = (
                    f"{shown(file.path)}: byte {offset + begin}: JSON over several lines is not"
                    " read; with aws logs tail use --format detailed"
                )
                reading.partial = True
            wanted.append(b"%d\x1f%d\x1f%b%b\n" % (number, offset + begin, columns, line))
        offset += len(block)
        yield clean(b"".join(wanted))
