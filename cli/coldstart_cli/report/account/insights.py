"""Runs CloudWatch Logs Insights queries; an answer that is not whole is asked again, or told of.

Facts from the Amazon CloudWatch Logs API reference, StartQuery and GetQueryResults: at most 100,000
rows, in pages of 10,000; at most 60 minutes; only the status Complete means that the rows are all
there are.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from coldstart_cli.fleet.aws_errors import code_of
from coldstart_cli.report.account.errors import is_denied, reason
from coldstart_cli.report.account.insights_query import Outcome, Query, Row, Unanswered

_ROWS = 100_000
_PAGE = 10_000
# An account may run 100 at once, 30 in older regions, and others use the same account.
_AT_ONCE = 10
# A query that fails or times out is halved, and its halves once more.
_HALVINGS = 2
_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 10.0  # seconds between looks
_TOO_LONG = 3_700.0  # seconds; Insights itself gives up after 60 minutes
_BUSY_FOR = 900.0  # seconds, in which others use up the account's queries

_BUSY = (
    "LimitExceededException",
    "ThrottlingException",
    "TooManyRequestsException",
    "ServiceUnavailableException",
)
_ENDED = {"Failed": "the query failed", "Timeout": "the query timed out"}


def run(
    client: Any,
    queries: Iterable[Query],
    region: str,
    take: Callable[[Query, list[Row]], None],
    progress: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Outcome:
    """Run queries, several at once, until each is answered or known to stay without an answer.

    On any exception, KeyboardInterrupt too, those still running are stopped: they cost money.

    Args:
        client: boto3's client for "logs".
        queries: what to ask.
        region: for what is told.
        take: called with each query that was answered, and all its rows.
        progress: called with a line of text when a query has ended.
        sleep: called with seconds.
    """
    run_ = _Run(client, region, take, deque(queries))
    total = len(run_.waiting)
    wait = _SHORTEST_WAIT
    try:
        while (run_.waiting or run_.running) and run_.outcome.stopped is None:
            started = run_.start()
            ended = run_.look()
            total = max(total, run_.ended + len(run_.waiting) + len(run_.running))
            if ended:
                progress(f"{region}: {run_.ended} of {total} queries of log lines")
            if run_.running or run_.waiting:
                wait = _SHORTEST_WAIT if started or ended else min(wait * 1.5, _LONGEST_WAIT)
                sleep(wait)
                run_.waited += wait
    finally:
        run_.stop()
    if run_.outcome.stopped is not None:
        left = [*run_.waiting, *(query for query, _ in run_.running.values())]
        run_.outcome.unanswered += [Unanswered(query, run_.outcome.stopped) for query in left]
    return run_.outcome


@dataclass
class _Run:
    client: Any
    region: str
    take: Callable[[Query, list[Row]], None]
    waiting: deque[Query]
    # By query id; and when it was started, in seconds waited.
    running: dict[str, tuple[Query, float]] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    ended: int = 0
    waited: float = 0.0
    refused_since: float | None = None

    def start(self) -> bool:
        """Start what may run now; whether anything was started."""
        started = False
        while self.waiting and len(self.running) < _AT_ONCE and self.outcome.stopped is None:
            query = self.waiting.popleft()
            try:
                query_id = self.client.start_query(
                    logGroupNames=list(query.groups),
                    startTime=query.begin,
                    endTime=query.end,
                    # The API's end is inclusive: halves of a window would both have that instant.
                    queryString=f"filter toMillis(@timestamp) < {query.end * 1000}\n{query.text}",
                    limit=_ROWS,
                ).get("queryId")
            except (ClientError, BotoCoreError) as error:
                if not self._not_started(query, error):
                    break
                continue
            if not query_id:
                why = f"logs:StartQuery in {self.region}: an answer without a query id"
                self.outcome.unanswered.append(Unanswered(query, why))
                continue
            self.running[query_id] = (query, self.waited)
            self.outcome.queries += 1
            self.refused_since = None
            started = True
        return started

    def _not_started(self, query: Query, error: ClientError | BotoCoreError) -> bool:
        """Take note of a query that could not be started; whether to go on with others."""
        code = code_of(error)
        if code in _BUSY:
            self.waiting.appendleft(query)
            since = self.refused_since = (
                self.waited if self.refused_since is None else self.refused_since
            )
            if not self.running and self.waited - since >= _BUSY_FOR:
                self.outcome.stopped = reason(error, "logs:StartQuery", self.region)
            return False
        if code == "ResourceNotFoundException":
            named = {group for group in query.groups if f"'{group}'" in str(error)}
            if len(query.groups) == 1:
                named = set(query.groups)
            self.outcome.missing |= named
            rest = tuple(group for group in query.groups if group not in named)
            halves = [replace(query, groups=rest)] if named else query.halved_groups()
            self.waiting.extendleft(half for half in halves if half.groups)
        elif code in ("MalformedQueryException", "InvalidParameterException"):
            # As for a window before a log group was made or kept anything: that of one group ends
            # the query for all.
            if len(query.groups) == 1:
                why = reason(error, "logs:StartQuery", self.region)
                self.outcome.unanswered.append(Unanswered(query, why))
            self.waiting.extendleft(query.halved_groups())
        else:
            self.waiting.appendleft(query)
            self.outcome.stopped = reason(error, "logs:StartQuery", self.region)
        return self.outcome.stopped is None

    def look(self) -> bool:
        """Look at what runs; whether any of it has ended."""
        before = self.ended
        for query_id, (query, started_at) in list(self.running.items()):
            rows: list[Row] = []
            try:
                result = self.client.get_query_results(queryId=query_id)
                status = result.get("status") or "an answer without a status"
                if status == "Complete" and "results" not in result:
                    status = "an answer without results"
                if status == "Complete":
                    rows = self._rows(query_id, result)
            except (ClientError, BotoCoreError) as error:
                if code_of(error) in _BUSY:
                    continue
                status = reason(error, "logs:GetQueryResults", self.region)
                if is_denied(error) or isinstance(error, BotoCoreError):
                    self.outcome.stopped = status
                    break
                result = {}
            if status in ("Scheduled", "Running", "Unknown"):
                if self.waited - started_at < _TOO_LONG:
                    continue
                self._stop(query_id)
                status = "Timeout"
            if status == "Complete":
                self._complete(query, rows, result)
            elif status == "Cancelled":  # by somebody, who had a reason
                self.outcome.unanswered.append(Unanswered(query, "the query was cancelled"))
            else:
                self._failed(query, _ENDED.get(status, status))
            self.outcome.bytes_scanned += _statistic(result, "bytesScanned") or 0.0
            self.ended += 1
            del self.running[query_id]
        return self.ended > before

    def _rows(self, query_id: str, result: Mapping[str, Any]) -> list[Row]:
        rows = list(_as_rows(result))
        while token := result.get("nextToken"):
            result = self.client.get_query_results(queryId=query_id, nextToken=token)
            rows += _as_rows(result)
        return rows

    def _complete(self, query: Query, rows: list[Row], result: Mapping[str, Any]) -> None:
        counted = _statistic(result, "resultCount")
        # Some regions may know no more than the first page, and no count.
        cut_off = len(rows) >= _ROWS or (len(rows) == _PAGE if counted is None else False)
        if not cut_off and (counted or 0) > len(rows):
            # Not for want of room: half of it may come whole, but that is no reason to go on.
            self._failed(query, f"{counted:.0f} rows were found, and {len(rows)} came")
        elif not cut_off:
            self.take(query, rows)
            self.outcome.answered.append(query)
        elif query.end - query.begin > 1:
            self.waiting.extendleft(query.halved_window())
        else:
            why = f"more than {len(rows)} rows in a second"
            self.outcome.unanswered.append(Unanswered(query, why))

    def _failed(self, query: Query, why: str) -> None:
        if query.halvings >= _HALVINGS or query.end - query.begin < 2:
            self.outcome.unanswered.append(Unanswered(query, why))
        else:
            halves = query.halved_window()
            self.waiting.extendleft(replace(half, halvings=query.halvings + 1) for half in halves)

    def stop(self) -> None:
        """Stop what still runs."""
        for query_id in self.running:
            self._stop(query_id)

    def _stop(self, query_id: str) -> None:
        with suppress(ClientError, BotoCoreError):  # it has ended meanwhile, or will by itself
            self.client.stop_query(queryId=query_id)


def _statistic(result: Mapping[str, Any], name: str) -> float | None:
    """One of the statistics of an answer; None: it is not there, or no number."""
    value = (result.get("statistics") or {}).get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else None


def _as_rows(result: Mapping[str, Any]) -> list[Row]:
    return [
        {
            str(cell["field"]): str(cell["value"])
            for cell in row
            if "value" in cell and cell.get("field") not in (None, "@ptr")
        }
        for row in result.get("results", ())
    ]
