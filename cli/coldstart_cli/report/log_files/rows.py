"""Which lines of log files count, and the rows that they are handed on in.

They are the platform's REPORT, INIT_REPORT, RESTORE_REPORT and INIT_START, as text or as JSON, and
the layer's EMF lines. A row's columns are: the number of the file; where in it, the byte or the
event; whether all messages of the file begin with a time; when it was, in ms since the epoch, if
that is beside the message; the log group; the log stream; the line.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

SEPARATOR = "\x1f"  # between the columns

# A time in ISO 8601, as in front of messages; in regular expressions of Python and of DuckDB.
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"

# CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas"); none that counts here is
# nearly as long.
_LONGEST = 1 << 16
_SOME = 32  # bytes of a longer line, by which it is known later on that it looks like one

_PLATFORM = b'"platform.'
_MARKS = (b"REPORT ", b"INIT_START ", b'"layer_version"', _PLATFORM)
_EVENTS = (b'report"', b'initReport"', b'restoreReport"', b'initStart"')


def lines_that_count(block: bytes) -> list[tuple[int, int]]:
    """Begin and end of the lines that may count, found without a look at the others.

    Args:
        block: any number of lines.

    Returns:
        For a line that is too long, a part of it that is none of those lines.
    """
    found = {}
    for mark in _MARKS:
        at = block.find(mark)
        while at >= 0:
            # Asked before the line's ends are looked for: it may be long, and full of these.
            if mark is _PLATFORM and not block.startswith(_EVENTS, at + len(mark)):
                at = block.find(mark, at + 1)
                continue
            end = block.find(b"\n", at)
            if end < 0:
                end = len(block)
            begin = block.rfind(b"\n", 0, at) + 1
            if end - begin <= _LONGEST:
                found[begin] = end
            elif at > begin and block[at - 1] != ord("{"):  # no report, but maybe a list of them
                found[at - 1] = at + _SOME
            at = block.find(mark, end)
    return list(found.items())


def clean(data: bytes) -> bytes:
    """Rows in UTF-8 that end where their lines do; whatever else is in them is replaced."""
    if b"\r" in data:
        data = data.replace(b"\r", b" ")
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def seconds(text: str) -> float | None:
    """Epoch seconds of a time in ISO 8601; in UTC where it names no zone, as AWS writes them."""
    try:
        time = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
