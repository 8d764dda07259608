"""Exported log files: finds them, opens them whatever they are packed with, says what is amiss."""

from __future__ import annotations

import errno
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# What a file that is cut off or damaged raises while it is unpacked.
UNREADABLE = (OSError, EOFError, zlib.error)

# CloudWatch Logs puts this file into a bucket before it exports ("Export log data to Amazon S3").
_WRITE_TEST = "aws-logs-write-test"
# Its exports are EXPORT-TASK-ID/LOG-STREAM/000000.gz, with the stream's slashes as dashes.
_EXPORTED = re.compile(r"\d{6}\.gz|\d{6}")
_STREAM = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(.*\[.+\].+)")

_MOST_PACKED = 4  # times, by gzip
_HEAD = 1024  # bytes, to tell text from other files
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class NotLogsError(Exception):
    """A file that is something else than log lines; the message says what."""


class NotTextError(NotLogsError):
    """A file that cannot have log lines, such as a picture: nothing is missing without it."""


@dataclass(frozen=True)
class LogFile:
    """A file with log lines."""

    path: Path
    size: int  # bytes, as it lies there
    stream: str | None  # the log stream, where the file's place tells it
    source: Path  # what one command wrote, of one log group: the export task's folder, or the file


def shown(path: Path) -> str:
    """A path as text that can be printed, whatever bytes it is of."""
    return os.fsencode(path).decode(errors="backslashreplace")


def find(paths: Sequence[Path]) -> tuple[list[LogFile], list[str]]:
    """The files at these paths, folders with all that lies in them.

    Args:
        paths: files and folders.

    Returns:
        The files, each once, in order of their names; and a line for each path that cannot be read.
    """
    files: dict[Path, LogFile] = {}
    gaps: list[str] = []
    for path in paths:
        for found in _walk(path, gaps):
            try:
                real = found.resolve()
                stream = _stream(real)
                source = real if stream is None else real.parent.parent
                files.setdefault(real, LogFile(found, found.stat().st_size, stream, source))
            except OSError as error:
                gaps.append(f"{shown(found)}: not read: {error.strerror or error}")
            except RuntimeError:  # before Python 3.13, of a link that leads to itself
                gaps.append(f"{shown(found)}: not read: {os.strerror(errno.ELOOP)}")
    return list(files.values()), gaps


def _walk(path: Path, gaps: list[str]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return

    def failed(error: OSError) -> None:
        gaps.append(f"{shown(Path(error.filename))}: not read: {error.strerror}")

    for folder, folders, names in os.walk(path, onerror=failed):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            # Neither sockets nor pipes, which would be waited for.
            if name != _WRITE_TEST and (file.is_file() or not file.exists()):
                yield file


def _stream(path: Path) -> str | None:
    match = _STREAM.fullmatch(path.parent.name)
    if match is None or not _EXPORTED.fullmatch(path.name):
        return None
    return "/".join(match.groups())


def opened(path: Path) -> io.BufferedReader:
    """A file, opened; a pipe that nobody writes to is not waited for, and has nothing in it.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)  # whoever writes to a pipe may take a while
    return open(descriptor, "rb")  # noqa: PTH123


def unpacked(file: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile:
    """A file's content, unpacked as often as it was packed.

    A subscription filter's records are packed, and Firehose may pack them once more. Read it with
    ``read1``: what was unpacked before a damaged place is lost otherwise.

    Args:
        file: an open file.

    Raises:
        NotLogsError: it is not text, or packed in a way that is not read here.
        OSError, EOFError, zlib.error: it is damaged from the beginning.
    """
    content: io.BufferedReader | gzip.GzipFile = file
    packed = 0
    while (head := content.peek(_HEAD)[:_HEAD]).startswith(_GZIP):
        packed += 1
        if packed > _MOST_PACKED:
            raise NotLogsError(f"left out: it is packed more than {_MOST_PACKED} times")
        content = gzip.GzipFile(fileobj=content, mode="rb")
    if head.startswith(_ZSTD):
        raise NotLogsError("left out: it is packed with zstd; unpack it first: zstd -d")
    if head.startswith(_UTF_16):
        raise NotLogsError("left out: it is UTF-16; write it as UTF-8")
    if b"\0" in head:
        raise NotTextError("left out: it is not text")
    return content
