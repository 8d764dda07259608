"""Asks the account where signals pass: log groups and their classes, and what roles may do."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from coldstart_layer.settings import Settings

from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.parallel import Progress, answers_of
from coldstart_cli.fleet.status import permissions
from coldstart_cli.fleet.status.unknowns import Unknowns

_GROUPS_A_REQUEST = 50  # "DescribeLogGroups" in the CloudWatch Logs API reference

# Role, IAM actions, the resources they are on.
_Question = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class SignalPaths:
    """The answers, for all functions of a region."""

    log_classes: Mapping[str, str]  # by log group; those that are not there, or not known, are not
    allowed: Mapping[_Question, Mapping[str, bool | None]]

    def log_class(self, function: FleetFunction) -> str | None:
        """The class of a function's log group; None: not known, or there is no such group."""
        return self.log_classes.get(function.log_group)

    def role_may(self, function: FleetFunction) -> dict[str, bool | None]:
        """What a function's role may do, by IAM action; what is not known is None, or not there."""
        return {
            action: may
            for question in _questions(function)
            for action, may in self.allowed.get(question, {}).items()
        }


def look_up(
    access: Access,
    region: str,
    functions: Iterable[FleetFunction],
    unknowns: Unknowns,
    progress: Progress,
) -> SignalPaths:
    """Ask for all functions of a region at once: each role and each log group only once.

    Args:
        access: to the account.
        region: of the functions.
        functions: in which the layer runs, $LATEST and versions.
        unknowns: what could not be asked is noted there.
        progress: is told what is being done.
    """
    functions = list(functions)
    classes = _log_classes(access, region, {one.log_group for one in functions}, unknowns)
    questions = list(dict.fromkeys(question for one in functions for question in _questions(one)))
    client = access.client("iam", region)

    def ask(question: _Question) -> tuple[_Question, dict[str, bool | None] | None]:
        role, actions, resources = question
        subject = role.rpartition("/")[2]
        answer = unknowns.ask(
            "what roles may do",
            subject,
            "iam:SimulatePrincipalPolicy",
            lambda: permissions.allowed(client, role, actions, resources),
        )
        if answer is not None and None in answer.values():
            why = "its policies have conditions that the policy simulator is not told of"
            unknowns.note("what roles may do", subject, why)
        return question, answer

    answers = answers_of(ask, questions, progress, "looking at roles")
    allowed = {question: answer for question, answer in answers if answer is not None}
    return SignalPaths(classes, allowed)


def _questions(function: FleetFunction) -> list[_Question]:
    """What is to be asked about a function's role: of signals that are on."""
    settings, role = Settings(function.variables), str(function.configuration.get("Role", ""))
    found: list[_Question] = []
    if settings.tracing:
        found.append((role, permissions.TRACING, ()))
    if settings.logs or settings.metrics:
        found.append((role, permissions.LOGGING, permissions.log_resources(function)))
    return found


def _log_classes(
    access: Access, region: str, groups: Iterable[str], unknowns: Unknowns
) -> dict[str, str]:
    if not groups:
        return {}
    names, client, found = iter(sorted(groups)), access.client("logs", region), dict[str, str]()
    while batch := list(islice(names, _GROUPS_A_REQUEST)):
        described = unknowns.ask(
            "classes of log groups",
            region,
            "logs:DescribeLogGroups",
            functools.partial(_describe, client, batch),
        )
        found.update(described or {})
    return found


def _describe(client: Any, groups: Sequence[str]) -> dict[str, str]:
    pages = client.get_paginator("describe_log_groups").paginate(logGroupIdentifiers=groups)
    return {
        group["logGroupName"]: str(group["logGroupClass"])
        for page in pages
        for group in page["logGroups"]
        if "logGroupClass" in group
    }
