"""What it means for a report that AWS refused something, in one line."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from coldstart_cli.fleet.aws_errors import code_of, explain

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden")


class ReportError(Exception):
    """There is nothing to report on; the message says why, in a line."""


def is_denied(error: ClientError | BotoCoreError) -> bool:
    """Whether a permission is missing."""
    return code_of(error) in _DENIED


def reason(error: ClientError | BotoCoreError, action: str, region: str) -> str:
    """What went wrong, as one line.

    Args:
        error: what boto3 raised.
        action: as in an IAM policy, "logs:StartQuery".
        region: where.
    """
    if is_denied(error):
        return f"no permission for {action} in {region}"
    return f"{action} in {region}: {explain(error)}"
