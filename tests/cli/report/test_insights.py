"""Queries of Logs Insights: only whole answers count, and what money runs for is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cloudwatch_logs import CloudWatchLogs, serving
from coldstart_cli.report.account import insights
from coldstart_cli.report.account.insights_query import Outcome, Query, Row
from reported_account import REGION, client_of

GROUPS = tuple(f"/aws/lambda/f{number}" for number in range(4))
TEXT = "| fields @timestamp, @log, @message"


class Asking:
    """Asks the service, and lets no time pass."""

    def __init__(self, service: CloudWatchLogs, url: str) -> None:
        self.service = service
        self.client = client_of({"logs": url}, "logs", REGION)
        self.said: list[str] = []
        self.answers: list[tuple[Query, list[Row]]] = []
        self.slept: list[float] = []
        self.sleep = self.slept.append

    def ask(self, *queries: Query) -> Outcome:
        self.answers = []

        def take(query: Query, rows: list[Row]) -> None:
            self.answers.append((query, rows))

        return insights.run(self.client, queries, REGION, take, self.said.append, self.sleep)

    def messages(self, *queries: Query) -> list[str]:
        outcome = self.ask(*queries)
        assert not outcome.unanswered
        return sorted(row["@message"] for _, rows in self.answers for row in rows)


@pytest.fixture
def asking() -> Iterator[Asking]:
    with serving() as (service, url):
        for group in GROUPS:
            service.add(group, [(1000.0 + at, "s", f"{group}-{at}") for at in range(8)])
        yield Asking(service, url)


def query(groups: tuple[str, ...] = GROUPS, begin: int = 1000, end: int = 1008) -> Query:
    return Query(TEXT, groups, begin, end)


def lines(groups: tuple[str, ...] = GROUPS, of: range = range(8)) -> list[str]:
    return sorted(f"{group}-{at}" for group in groups for at in of)


def test_partial_results_are_not_taken(asking: Asking) -> None:
    asking.service.statuses = lambda _: ["Scheduled", "Running", "Unknown", "Running", "Complete"]
    outcome = asking.ask(query())
    ((_, rows),) = asking.answers
    assert sorted(row["@message"] for row in rows) == lines()
    assert outcome.queries == 1
    assert outcome.bytes_scanned == sum(map(len, lines()))
    assert asking.said == [f"{REGION}: 1 of 1 queries of log lines"]
    assert asking.slept == sorted(asking.slept)
    assert asking.slept[-1] > asking.slept[0]


def test_the_end_of_the_window_is_not_in_it(asking: Asking) -> None:
    assert asking.messages(query(end=1004), query(begin=1004)) == lines()


@pytest.mark.parametrize(("status", "why"), [("Failed", "failed"), ("Timeout", "timed out")])
def test_a_query_that_failed_is_halved(asking: Asking, status: str, why: str) -> None:
    def first_fails(request: dict[str, Any]) -> list[str]:
        return ["Running", status if request["endTime"] - request["startTime"] > 4 else "Complete"]

    asking.service.statuses = first_fails
    assert asking.messages(query()) == lines()
    assert len(asking.service.started) == 3
    asking.service.statuses = lambda _: [status]
    outcome = asking.ask(query())
    assert outcome.queries == 1 + 2 + 4
    assert asking.answers == []
    windows = sorted((one.query.begin, one.query.end) for one in outcome.unanswered)
    assert windows == [(1000, 1002), (1002, 1004), (1004, 1006), (1006, 1008)]
    assert {one.why for one in outcome.unanswered} == {f"the query {why}"}
    # What it scanned is to be paid all the same.
    assert outcome.bytes_scanned >= 3 * sum(map(len, lines()))


def test_a_query_that_somebody_cancelled_is_not_asked_again(asking: Asking) -> None:
    asking.service.statuses = lambda _: ["Running", "Cancelled"]
    outcome = asking.ask(query())
    assert (outcome.queries, asking.answers) == (1, [])
    assert [one.why for one in outcome.unanswered] == ["the query was cancelled"]


def test_a_query_that_never_ends(asking: Asking) -> None:
    asking.service.statuses = lambda _: ["Running"]
    outcome = asking.ask(query(end=1001))
    assert [one.why for one in outcome.unanswered] == ["the query timed out"]
    assert asking.service.stopped == ["0"]
    assert 3_700 <= sum(asking.slept) < 3_800


def test_too_many_queries_at_once(asking: Asking) -> None:
    refusals = iter([("LimitExceededException", "too many"), ("ThrottlingException", "slow"), None])
    asking.service.refuse = lambda _: next(refusals, None)
    assert asking.messages(query()) == lines()
    assert len(asking.slept) >= 2


def test_too_many_queries_for_long(asking: Asking) -> None:
    asking.service.refuse = lambda _: ("LimitExceededException", "too many queries")
    outcome = asking.ask(query(), query())
    assert outcome.stopped is not None
    assert "LimitExceededException: too many queries" in outcome.stopped
    assert len(outcome.unanswered) == 2
    assert 900 <= sum(asking.slept) < 1_000


def test_ten_queries_run_at_once(asking: Asking) -> None:
    running = []
    asking.service.statuses = lambda _: ["Running"] * 3 + ["Complete"]
    asking.sleep = lambda _: running.append(
        sum(len(one.statuses) > 1 for one in asking.service.started)
    )
    asking.ask(*[query()] * 25)
    assert max(running) == 10


def test_pages(asking: Asking) -> None:
    asking.service.page = 3
    assert asking.messages(query()) == lines()


def test_more_rows_than_a_query_returns(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights, "_ROWS", 5)
    assert asking.messages(query()) == lines()
    assert len(asking.service.started) > 7
    outcome = asking.ask(query((GROUPS * 2)[:8], 1000, 1001))
    (one,) = outcome.unanswered
    assert one.why == "more than 5 rows in a second"


def test_a_service_that_knows_but_one_page(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights, "_PAGE", 10)
    asking.service.page = 10
    asking.service.counts_results = False
    assert asking.messages(query()) == lines()


def test_rows_that_are_said_to_be_there_and_do_not_come(asking: Asking) -> None:
    """However often it is asked: two halvings, and no more."""
    asking.service.more_counted = 7
    outcome = asking.ask(query(end=1000 + 86_400))
    assert outcome.queries == 1 + 2 + 4
    assert asking.answers == []
    whys = sorted(one.why for one in outcome.unanswered)
    assert whys == ["39 rows were found, and 32 came", *["7 rows were found, and 0 came"] * 3]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("StartQuery", f"logs:StartQuery in {REGION}: an answer without a query id"),
        ("GetQueryResults", "an answer without a status"),
    ],
)
def test_an_answer_without_what_it_is_about(asking: Asking, action: str, why: str) -> None:
    asking.service.empty = {action}
    outcome = asking.ask(query(end=1001))
    assert [one.why for one in outcome.unanswered] == [why]
    assert asking.answers == []


def test_an_answer_without_results_is_not_one_without_rows(asking: Asking) -> None:
    asking.client.meta.events.register(
        "after-call.cloudwatch-logs.GetQueryResults", lambda parsed, **_: parsed.pop("results", 0)
    )
    outcome = asking.ask(query(end=1001))
    assert [one.why for one in outcome.unanswered] == ["an answer without results"]
    assert asking.answers == []


def test_log_groups_that_do_not_exist(asking: Asking) -> None:
    gone = ("/aws/lambda/f", "/aws/lambda/f00")
    outcome = asking.ask(query((gone[0], *GROUPS, gone[1])))
    assert outcome.missing == set(gone)
    ((answered, rows),) = asking.answers
    assert answered.groups == GROUPS
    assert len(rows) == len(lines())
    assert asking.ask(query(gone)).missing == set(gone)


def test_log_groups_that_do_not_exist_and_are_not_named(asking: Asking) -> None:
    def refuse(request: dict[str, Any]) -> tuple[str, str] | None:
        gone = "/aws/lambda/gone" in request["logGroupNames"]
        return ("ResourceNotFoundException", "no such thing") if gone else None

    asking.service.refuse = refuse
    outcome = asking.ask(query((*GROUPS, "/aws/lambda/gone")))
    assert outcome.missing == {"/aws/lambda/gone"}
    assert {group for one, _ in asking.answers for group in one.groups} == set(GROUPS)


def test_a_log_group_that_kept_nothing_of_the_window(asking: Asking) -> None:
    message = "Query's end date and time is before the log group's creation time"

    def refuse(request: dict[str, Any]) -> tuple[str, str] | None:
        young = GROUPS[2] in request["logGroupNames"]
        return ("MalformedQueryException", message) if young else None

    asking.service.refuse = refuse
    outcome = asking.ask(query())
    (one,) = outcome.unanswered
    assert one.query.groups == (GROUPS[2],)
    assert message in one.why
    answered = {group for done, _ in asking.answers for group in done.groups}
    assert answered == set(GROUPS) - {GROUPS[2]}


@pytest.mark.parametrize("action", ["StartQuery", "GetQueryResults"])
def test_no_permission(asking: Asking, action: str) -> None:
    asking.service.denied = {action}
    outcome = asking.ask(query(), query())
    assert outcome.stopped == f"no permission for logs:{action} in {REGION}"
    assert [one.why for one in outcome.unanswered] == [outcome.stopped] * 2
    assert len(asking.service.stopped) == len(asking.service.started)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_whatever_ends_it_queries_are_stopped(asking: Asking, error: type[BaseException]) -> None:
    asking.service.statuses = lambda _: ["Running"]

    def sleep(_: float) -> None:
        if len(asking.service.started) == 3:
            raise error

    asking.sleep = sleep
    with pytest.raises(error):
        asking.ask(query(), query(), query())
    assert asking.service.stopped == ["0", "1", "2"]


def test_no_connection() -> None:
    client = client_of({"logs": "http://127.0.0.1:1"}, "logs", REGION)
    outcome = insights.run(client, [query()], REGION, print, print, lambda _: None)
    assert outcome.stopped is not None
    assert outcome.stopped.startswith(f"logs:StartQuery in {REGION}: no connection: ")
    assert len(outcome.unanswered) == 1
