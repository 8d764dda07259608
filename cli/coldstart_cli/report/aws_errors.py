"""What an error of AWS's APIs says, in one line."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden")


class ReportError(Exception):
    """There is nothing to report on; the message says why, in a line."""


def code_of(error: ClientError | BotoCoreError) -> str:
    """The error's code; that of an error on the way to AWS is its name."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


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
    if isinstance(error, ClientError):
        said = str(error.response.get("Error", {}).get("Message", "")).strip()
    else:
        said = str(error)
    return " ".join(f"{action} failed in {region}: {code_of(error)}: {said}".split())
