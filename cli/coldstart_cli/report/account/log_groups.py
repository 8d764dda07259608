"""What is known of log groups before anything is asked of them, which costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_GROUPS_A_CALL = 50


@dataclass(frozen=True)
class LogGroup:
    """A log group that exists."""

    log_class: str  # "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"
    retention_days: int | None  # None: for ever


def describe(client: Any, names: Sequence[str]) -> Mapping[str, LogGroup] | None:
    """The log groups of these names; one that is not there does not exist.

    None if CloudWatch does not tell, for want of permission as an example: queries find out what
    is missing, too. API: DescribeLogGroups in the Amazon CloudWatch Logs API reference.

    Args:
        client: boto3's client for "logs".
        names: of log groups.
    """
    found = {}
    try:
        for at in range(0, len(names), _GROUPS_A_CALL):
            pages = client.get_paginator("describe_log_groups").paginate(
                logGroupIdentifiers=list(names[at : at + _GROUPS_A_CALL])
            )
            for page in pages:
                for group in page["logGroups"]:
                    found[group["logGroupName"]] = LogGroup(
                        group.get("logGroupClass", "STANDARD"), group.get("retentionInDays")
                    )
    except (ClientError, BotoCoreError):
        return None
    return found
