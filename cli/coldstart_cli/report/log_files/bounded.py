"""Keeps a JSON document's parser from being handed what would take all memory."""

from __future__ import annotations

import gzip
import io
import re

from coldstart_cli.report.log_files.files import NotLogsError

BLOCK = 1 << 20
# Strings are built as a whole. CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs
# quotas"), which may be six times that in JSON.
_LONGEST_STRING = 1 << 23
# The parser keeps the path to where it is at each level. Log events lie three levels deep; Logs
# Insights' export has JSON messages as JSON, with as many levels as the function logs.
_DEEPEST = 200

# An escaped character, or a backslash whose character comes next; a quote; a bracket.
_TOKEN = re.compile(rb'\\.?|["\[\]{}]', re.DOTALL)


class Bounded:
    """What ijson reads from: the content as it is, up to where it goes out of bounds."""

    def __init__(self, content: io.BufferedReader | gzip.GzipFile) -> None:
        self._content = content
        self._depth = 0
        self._string: int | None = None  # where the one that has not ended begins
        self._read = 0
        self._escape = False  # the last byte was a backslash

    def read(self, size: int) -> bytes:
        """Some of it, as soon as there is some: what comes before a damaged place is not lost.

        Raises:
            NotLogsError: a string is too long, or it is nested too deeply.
            OSError, EOFError, zlib.error: it is damaged.
        """
        block = self._content.read1(size)
        start = int(self._escape and bool(block))
        self._escape = self._escape and not block
        for token in _TOKEN.finditer(block, start):
            said = token[0]
            if said == b'"':
                self._string = self._read + token.start() if self._string is None else None
            elif said[:1] == b"\\":
                self._escape = len(said) == 1
            elif self._string is None:
                self._depth += 1 if said in b"[{" else -1
                if self._depth > _DEEPEST:
                    raise NotLogsError(
                        f"JSON nested more than {_DEEPEST} levels deep; what came before counts"
                    )
        self._read += len(block)
        if self._string is not None and self._read - self._string > _LONGEST_STRING:
            raise NotLogsError(
                f"a string does not end within {_LONGEST_STRING >> 20} MB; what came before counts"
            )
        return block
