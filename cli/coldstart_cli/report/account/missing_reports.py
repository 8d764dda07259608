"""Finds what the layer's and the platform's lines disagree on, in the functions of a region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from coldstart_cli.report.account import insights, log_queries, log_rows
from coldstart_cli.report.account.audit import audit, reported_otherwise
from coldstart_cli.report.account.insights_query import GROUPS_A_QUERY, Query, Row
from coldstart_cli.report.account.log_rows import LayerLine
from coldstart_cli.report.account.logs import RegionLogs
from coldstart_cli.report.account.window import Window

# Requests may take 15 minutes; their REPORT comes at the end.
_LONGEST_REQUEST = 960  # seconds
# So many starts without the REPORT that they should have are looked up, in ten queries a region.
_LOOKED_UP = 2_000


def compare(
    client: Any,
    region: str,
    logs: RegionLogs,
    window: Window,
    progress: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Add the contradictions to what was read of each function.

    A start without a REPORT that says so is a contradiction if there is another REPORT of that
    request. Those were not read, as there is one for each request; they are asked for here.

    Args:
        client: boto3's client for "logs".
        region: where it asks.
        logs: what was read there.
        window: what was read.
        progress: called with a line of text when a query has ended.
        sleep: called with seconds.
    """
    unconfirmed: list[tuple[str, LayerLine]] = []
    for name, found in logs.of.items():
        if not found.layer or found.torn:
            # A line in the part that was not read would look as if it were not there.
            continue
        result = audit(found.layer, found.reports, found.phases, window.begin)
        found.contradictions += result.contradictions
        if result.not_compared:
            found.partial = True
            logs.gaps.append(
                f"{name} in {region}: {result.not_compared} starts not compared with the layer's"
                " lines, and not among the cold starts: of a version without any, or before its"
                " first one"
            )
        if found.requests:  # without any REPORT there is nothing to look up
            unconfirmed += [(name, line) for line in result.unconfirmed]
    unconfirmed.sort(key=lambda pair: pair[1].at)
    looked_up, left = unconfirmed[:_LOOKED_UP], unconfirmed[_LOOKED_UP:]
    reported: set[tuple[str, str, str]] = set()
    damaged: list[Row] = []

    def take(_: Query, rows: list[Row]) -> None:
        found, odd = log_rows.read_reported(rows)
        reported.update(found)
        damaged.extend(odd)

    outcome = insights.run(
        client,
        _look_up([line for _, line in looked_up], window),
        region,
        take,
        progress,
        sleep,
    )
    logs.queries += outcome.queries
    logs.bytes_scanned += outcome.bytes_scanned
    for name, line in looked_up:
        logs.of[name].contradictions += reported_otherwise([line], reported)
    if left or outcome.unanswered or damaged:
        some = "some" if outcome.unanswered or damaged else str(len(left))
        logs.gaps.append(
            f"{some} of {len(unconfirmed)} starts in {region} could not be compared with the"
            " platform's lines: there may be more contradictions"
        )


def _look_up(lines: Sequence[LayerLine], window: Window) -> Iterable[Query]:
    for at in range(0, len(lines), log_queries.REQUESTS_A_QUERY):
        some = lines[at : at + log_queries.REQUESTS_A_QUERY]
        text = log_queries.reports_of([line.request_id for line in some if line.request_id])
        begin = max(window.begin, int(some[0].at) - 1)
        # Not beyond the window: what follows has not been read for Init Durations either.
        end = min(window.end, int(some[-1].at) + _LONGEST_REQUEST)
        groups = tuple(dict.fromkeys(line.group for line in some))
        for first in range(0, len(groups), GROUPS_A_QUERY):
            yield Query(text, groups[first : first + GROUPS_A_QUERY], begin, end)
