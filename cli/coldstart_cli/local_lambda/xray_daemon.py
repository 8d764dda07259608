"""The X-Ray daemon's UDP side: takes datagrams, keeps the documents.

Format: "X-Ray daemon" in the AWS X-Ray developer guide: a JSON header line, then the document.
"""

from __future__ import annotations

import json
import socket
from typing import Any


class XrayDaemon:
    """Listens on a free loopback port. What was sent before a read is in that read."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    @property
    def address(self) -> str:
        """For ``AWS_XRAY_DAEMON_ADDRESS``."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def read(self) -> list[dict[str, Any]]:
        """The documents received since the last read.

        Raises:
            ValueError: a datagram has not the daemon's format.
        """
        documents: list[dict[str, Any]] = []
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return documents
            header, separator, body = datagram.partition(b"\n")
            if not separator or json.loads(header) != {"format": "json", "version": 1}:
                raise ValueError(f"not what the X-Ray daemon reads: {datagram!r}")
            documents.append(json.loads(body))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
