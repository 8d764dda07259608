"""A query of CloudWatch Logs Insights, and what a number of them came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

# "StartQuery" in the Amazon CloudWatch Logs API reference.
GROUPS_A_QUERY = 50

Row = Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """One query over some log groups, from ``begin`` up to but without ``end`` (epoch seconds)."""

    text: str
    groups: tuple[str, ...]
    begin: int
    end: int
    halvings: int = 0  # because it failed

    def halved_groups(self) -> Sequence[Query]:
        """The same in two queries, for half of the log groups each; none if there is but one."""
        middle = len(self.groups) // 2
        if not middle:
            return ()
        return (
            replace(self, groups=self.groups[:middle]),
            replace(self, groups=self.groups[middle:]),
        )

    def halved_window(self) -> Sequence[Query]:
        """The same in two queries, for half of the window each."""
        middle = (self.begin + self.end) // 2
        return replace(self, end=middle), replace(self, begin=middle)


@dataclass(frozen=True)
class Unanswered:
    """What no rows are there of, and why."""

    query: Query
    why: str


@dataclass
class Outcome:
    """What a number of queries came to."""

    answered: list[Query] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)  # log groups that do not exist
    queries: int = 0
    bytes_scanned: float = 0.0
    # No permission, or no connection: nothing more was asked.
    stopped: str | None = None
