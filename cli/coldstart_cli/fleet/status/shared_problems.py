"""Finds the problems that many functions have alike, so that each is told once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status.problems import Problem
from coldstart_cli.fleet.status.status import FunctionStatus

# As many functions have a problem each for itself.
MOST_APART = 3
# In place of a function's name.
NAME = "NAME"


@dataclass(frozen=True)
class SharedProblem:
    """A problem of several functions."""

    problem: Problem  # with NAME where each has its own name
    functions: tuple[FleetFunction, ...]


def nameless(problem: Problem, function: FleetFunction) -> Problem:
    """A problem with NAME in place of the function's name."""
    own = re.compile(rf"(?<![\w-]){re.escape(function.name)}(?![\w-])")
    return replace(problem, what=own.sub(NAME, problem.what), cure=own.sub(NAME, problem.cure))


def shared_problems(statuses: Iterable[FunctionStatus]) -> tuple[SharedProblem, ...]:
    """The problems that more than three functions have alike, in the order in which they come."""
    having: dict[Problem, list[FleetFunction]] = defaultdict(list)
    for one in statuses:
        for problem in dict.fromkeys(nameless(each, one.function) for each in one.problems):
            having[problem].append(one.function)
    return tuple(
        SharedProblem(problem, tuple(functions))
        for problem, functions in having.items()
        if len(functions) > MOST_APART
    )
