"""CloudWatch Logs over HTTP, with so much of Logs Insights as the report's queries use.

moto has StartQuery too, but knows neither filter, parse nor stats, nor any status but Complete.
ListProvisionedConcurrencyConfigs of Lambda, which moto has not, is answered as well.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from function_logs import Event

ACCOUNT = "123456789012"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Error = tuple[str, str]  # code and message


@dataclass
class Group:
    events: list[Event] = field(default_factory=list)
    log_class: str = "STANDARD"
    retention_days: int | None = None


@dataclass
class Started:
    """A query that was started."""

    request: dict[str, Any]
    rows: list[dict[str, str]]
    bytes_scanned: int
    statuses: list[str]

    @property
    def groups(self) -> list[str]:
        return self.request["logGroupNames"]


@dataclass
class CloudWatchLogs:
    groups: dict[str, Group] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    # Asked before a query is started; an error refuses it.
    refuse: Callable[[dict[str, Any]], Error | None] = lambda _: None
    # The statuses that a query shows, one after the other; the last one stays.
    statuses: Callable[[dict[str, Any]], list[str]] = lambda _: ["Running", "Complete"]
    denied: set[str] = field(default_factory=set)
    page: int = 10_000
    counts_results: bool = True
    more_counted: int = 0  # than there are rows
    empty: set[str] = field(default_factory=set)  # actions that are answered with nothing
    provisioned: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, group: str, events: Sequence[Event] = (), **of_group: Any) -> None:
        self.groups[group] = Group(list(events), **of_group)

    def answer(self, action: str, request: dict[str, Any]) -> dict[str, Any] | Error:
        if action in self.denied:
            return "AccessDeniedException", f"User is not authorized to perform: logs:{action}"
        answer = getattr(self, f"_{action}")(request)
        return {} if action in self.empty else answer

    def _DescribeLogGroups(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = []
        for name in request["logGroupIdentifiers"]:
            if name in self.groups:
                group = self.groups[name]
                one = {"logGroupName": name, "logGroupClass": group.log_class}
                if group.retention_days is not None:
                    one["retentionInDays"] = group.retention_days
                found.append(one)
        return {"logGroups": found}

    def _StartQuery(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        assert 1 <= len(request["logGroupNames"]) <= 50
        assert len(request["queryString"]) <= 10_000
        if refused := self.refuse(request):
            return refused
        for name in request["logGroupNames"]:
            if name not in self.groups:
                message = f"Log group '{name}' does not exist for account ID '{ACCOUNT}'"
                return "ResourceNotFoundException", message
        events = [
            (at, name, stream, message)
            for name in request["logGroupNames"]
            for at, stream, message in self.groups[name].events
            if request["startTime"] <= at <= request["endTime"]
        ]
        rows = evaluate(request["queryString"], events)
        scanned = sum(len(message) for *_, message in events)
        self.started.append(Started(request, rows, scanned, self.statuses(request)))
        return {"queryId": str(len(self.started) - 1)}

    def _GetQueryResults(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        query = self.started[int(request["queryId"])]
        status = query.statuses.pop(0) if len(query.statuses) > 1 else query.statuses[0]
        rows = query.rows[: query.request["limit"]]
        if status != "Complete":
            rows = rows[: len(rows) // 2]
        at = int(request.get("nextToken", 0))
        statistics = {"bytesScanned": float(query.bytes_scanned)}
        if self.counts_results:
            statistics["resultCount"] = float(len(query.rows) + self.more_counted)
        result: dict[str, Any] = {
            "status": status,
            "statistics": statistics,
            "results": [
                [{"field": name, "value": value} for name, value in row.items()]
                for row in rows[at : at + self.page]
            ],
        }
        if status == "Complete" and at + self.page < len(rows) and self.counts_results:
            result["nextToken"] = str(at + self.page)
        return result

    def _StopQuery(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        self.stopped.append(request["queryId"])
        return {"success": True}


def evaluate(text: str, events: Sequence[tuple[float, str, str, str]]) -> list[dict[str, str]]:
    """Run a query over events: time, log group, log stream, message."""
    rows: list[dict[str, Any]] = [
        {
            "@timestamp": f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S.%f}"[:-3],
            "@millis": at * 1000,
            "@log": f"{ACCOUNT}:{group}",
            "@logStream": stream,
            "@message": message,
        }
        for at, group, stream, message in events
    ]
    for number, line in enumerate(text.split("\n")):
        assert line.startswith("| ") == bool(number), line
        command, _, rest = line.removeprefix("| ").partition(" ")
        rows = {"filter": _filter, "parse": _parse, "fields": _fields, "stats": _stats}[command](
            rows, rest
        )
    return rows


def _regex(text: str) -> re.Pattern[str]:
    return re.compile(text.replace("(?<", "(?P<"))


def _filter(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    regexes = []

    def like(match: re.Match[str]) -> str:
        regexes.append(_regex(match[2]))
        return f"bool(regexes[{len(regexes) - 1}].search(row.get('{match[1]}', '')))"

    code = re.sub(r"(@\w+) like /((?:[^/\\]|\\.)*)/", like, rest)
    code = re.sub(r"(\w+) in (\[.*\])", r"row.get('\1') in \2", code)
    code = code.replace("toMillis(@timestamp)", "row['@millis']")
    return [row for row in rows if eval(code, {"regexes": regexes, "row": row})]


def _parse(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    name, _, regex = rest.partition(" ")
    assert regex[0] == regex[-1] == "/"
    assert not re.search(r"(?<!\\)/", regex[1:-1])
    for row in rows:
        if match := _regex(regex[1:-1]).search(row[name]):
            row.update(match.groupdict())
    return rows


def _fields(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    names = rest.split(", ")
    return [{name: row[name] for name in names if name in row} | {"@ptr": "x"} for row in rows]


def _stats(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    wanted, _, by = rest.partition(" by ")
    keys = by.split(", ")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(_key(row, key) for key in keys)].append(row)
    results = []
    for group, members in groups.items():
        result = {key: value for key, value in zip(keys, group, strict=True) if value is not None}
        for one in wanted.split(", "):
            function, name, number, alias = re.fullmatch(
                r"(\w+)\(([\w*]+)( \+ 0)?\) as (\w+)", one
            ).groups()
            values = [member[name] for member in members if name in member]
            if function == "count":
                result[alias] = str(len(members))
            elif function == "sum":
                result[alias] = str(sum(map(float, values)))
            elif values:
                assert function == "max"
                result[alias] = str(max(map(float, values) if number else values))
        results.append(result)
    return results


def _key(row: dict[str, Any], key: str) -> Any:
    if bin_ := re.fullmatch(r"bin\((\d+)([smhd])\)", key):
        assert int(bin_[1]) <= {"s": 60, "m": 60, "h": 24, "d": 31}[bin_[2]]
        seconds = int(bin_[1]) * _UNITS[bin_[2]]
        at = row["@millis"] // 1000 // seconds * seconds
        return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S}.000"
    return row.get(key)


@contextmanager
def serving() -> Iterator[tuple[CloudWatchLogs, str]]:
    """The service, and the URL it is at."""
    service = CloudWatchLogs()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(service.answer(self.headers["X-Amz-Target"].partition(".")[2], request))

        def do_GET(self) -> None:
            function = self.path.split("/")[3]
            if "ListProvisionedConcurrencyConfigs" in service.denied:
                self._send(("AccessDeniedException", "not authorized"))
            else:
                self._send({"ProvisionedConcurrencyConfigs": service.provisioned.get(function, [])})

        def _send(self, answer: dict[str, Any] | Error) -> None:
            failed = isinstance(answer, tuple)
            if isinstance(answer, tuple):
                answer = {"__type": answer[0], "message": answer[1], "Message": answer[1]}
            body = json.dumps(answer).encode()
            self.send_response(400 if failed else 200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            if failed:
                self.send_header("x-amzn-ErrorType", answer["__type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield service, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
