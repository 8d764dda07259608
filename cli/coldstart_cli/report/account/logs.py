"""What the log lines of some functions in one region tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.report.account import insights, log_queries, log_rows
from coldstart_cli.report.account.insights_query import GROUPS_A_QUERY, Outcome, Query, Row
from coldstart_cli.report.account.log_groups import LogGroup
from coldstart_cli.report.account.log_rows import LayerLine, PhaseLine, ReportLine, Totals
from coldstart_cli.report.account.retention import kept_since
from coldstart_cli.report.account.window import Window, time_text
from coldstart_cli.report.figures import Contradiction


@dataclass
class FunctionLogs:
    """What was found of one function."""

    totals: list[Totals] = field(default_factory=list)
    layer: list[LayerLine] = field(default_factory=list)
    reports: list[ReportLine] = field(default_factory=list)
    phases: list[PhaseLine] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    partial: bool = False  # not all starts or requests are known
    unread: bool = False  # none of its lines was read
    torn: bool = False  # of a part of the window the starts were not read

    @property
    def requests(self) -> int:
        """How many REPORT lines it has."""
        return sum(one.requests for one in self.totals)


@dataclass
class RegionLogs:
    """What was found in a region."""

    of: dict[str, FunctionLogs]  # by the function's name
    missing: list[str] = field(default_factory=list)  # functions whose log group does not exist
    damaged: int = 0  # rows of the answers that could not be read
    of_unknown: int = 0  # REPORT lines that do not say which function they are of
    gaps: list[str] = field(default_factory=list)
    queries: int = 0
    bytes_scanned: float = 0.0


def read_logs(
    client: Any,
    region: str,
    functions: Sequence[FleetFunction],
    window: Window,
    known: Mapping[str, LogGroup] | None,
    progress: Callable[[str], None],
    sleep: Callable[[float], None],
) -> RegionLogs:
    """Ask CloudWatch Logs Insights for what the lines of functions tell.

    Args:
        client: boto3's client for "logs".
        region: where it asks.
        functions: those of that region.
        window: what to read.
        known: the log groups that exist, by name; None: not known.
        progress: called with a line of text when a query has ended.
        sleep: called with seconds.
    """
    found = RegionLogs({one.name: FunctionLogs() for one in functions})
    groups: dict[str, list[str]] = defaultdict(list)
    for one in functions:
        groups[one.log_group].append(one.name)

    batches = _batches(known, groups, window, region, found)
    texts = (log_queries.totals(min(window.bar, 86_400)), log_queries.STARTS)
    outcome = insights.run(
        client,
        (Query(text, batch, window.begin, window.end) for batch in batches for text in texts),
        region,
        lambda query, rows: _take(query, rows, groups, found),
        progress,
        sleep,
    )
    found.queries = outcome.queries
    found.bytes_scanned = outcome.bytes_scanned
    if found.damaged:
        found.gaps.append(
            f"damaged rows in what CloudWatch Logs Insights answered in {region}, not counted:"
            f" {found.damaged}"
        )
    if found.of_unknown:
        found.gaps.append(
            f"{found.of_unknown} lines in log groups of several functions in {region} do not say"
            " which function they are of, and are not counted"
        )
    for group in sorted(outcome.missing):
        _without_group(found, groups[group])
    _tell_unanswered(outcome, groups, region, found)
    return found


def _batches(
    known: Mapping[str, LogGroup] | None,
    groups: Mapping[str, list[str]],
    window: Window,
    region: str,
    found: RegionLogs,
) -> list[tuple[str, ...]]:
    """Log groups to be asked together; those that cannot be asked are noted."""
    by_class: dict[str, list[str]] = defaultdict(list)
    kept: dict[int, list[str]] = defaultdict(list)
    for group, names in groups.items():
        one = LogGroup("STANDARD", None) if known is None else known.get(group)
        if one is None:
            _without_group(found, names)
        elif one.log_class == "DELIVERY":
            found.gaps.append(
                f"log lines cannot be read where they are of the class DELIVERY: {_list(names)}"
                f" in {region}"
            )
            _mark(found, names, unread=True)
        else:
            by_class[one.log_class].append(group)
            days = one.retention_days
            if days is not None and kept_since(one, window) > window.begin:
                kept[days] += names
                _mark(found, names)
    found.gaps += [
        f"log lines are kept for {days} day{'s' * (days > 1)} only, which is less than the window"
        f" (--since {days}d would do): {_list(names)} in {region}"
        for days, names in sorted(kept.items())
    ]
    return [
        tuple(some[at : at + GROUPS_A_QUERY])
        for some in by_class.values()
        for at in range(0, len(some), GROUPS_A_QUERY)
    ]


def _take(
    query: Query, rows: list[Row], groups: Mapping[str, list[str]], found: RegionLogs
) -> None:
    """Sort the rows of an answer by function."""
    if query.text == log_queries.STARTS:
        starts, damaged = log_rows.read_starts(rows)
        _note_damaged(query, damaged, groups, found)
        for line in starts.layer:
            name = line.stream_function or line.function
            if logs := _logs_of(found, groups[line.group], name):
                logs.layer.append(line)
        for report in starts.reports:
            if logs := _logs_of(found, groups[report.group], report.stream_function):
                logs.reports.append(report)
        for phase in starts.phases:
            if logs := _logs_of(found, groups[phase.group], phase.stream_function):
                logs.phases.append(phase)
        return
    all_totals, damaged = log_rows.read_totals(rows)
    _note_damaged(query, damaged, groups, found)
    for totals in all_totals:
        if logs := _logs_of(found, groups[totals.group], totals.stream_function):
            logs.totals.append(totals)
        elif totals.stream_function is None:
            found.of_unknown += totals.requests


def _note_damaged(
    query: Query, damaged: Sequence[Row], groups: Mapping[str, list[str]], found: RegionLogs
) -> None:
    """Take note of rows that could not be read, and of the functions that they may be of."""
    found.damaged += len(damaged)
    for row in damaged:
        group = log_rows.group_of(row)
        for one in [group] if group in groups else query.groups:
            _mark(found, groups[str(one)])


def _logs_of(found: RegionLogs, names: list[str], name: str | None) -> FunctionLogs | None:
    """The function that a line is of.

    In a log group of several functions the stream's name says which. A function may write into one
    that is not asked for here.
    """
    if name is None and len(names) == 1:
        return found.of[names[0]]
    return found.of[name] if name in names else None


def _without_group(found: RegionLogs, names: Sequence[str]) -> None:
    found.missing += names
    _mark(found, names, unread=True)


def _mark(found: RegionLogs, names: Iterable[str], unread: bool = False) -> None:
    for name in names:
        found.of[name].partial = True
        found.of[name].unread |= unread


def _tell_unanswered(
    outcome: Outcome, groups: Mapping[str, list[str]], region: str, found: RegionLogs
) -> None:
    told: dict[str, list[str]] = defaultdict(list)
    answered = {group for query in outcome.answered for group in query.groups}
    for one in outcome.unanswered:
        names = [name for group in one.query.groups for name in groups[group]]
        for group in one.query.groups:
            _mark(found, groups[group], unread=group not in answered)
        for name in names:
            found.of[name].torn |= one.query.text == log_queries.STARTS
        when = f" from {time_text(one.query.begin)} to {time_text(one.query.end)}"
        if one.why == outcome.stopped:
            when = ""
        told[f"{one.why}: log lines{when} are not read"] += names
    found.gaps += [
        f"{what}: {_list(list(dict.fromkeys(names)))} in {region}" for what, names in told.items()
    ]


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
