"""Errors of AWS as one line that says what to do."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_KEYS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_THROTTLED = {
    "TooManyRequestsException",
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
}

# IAM actions of operations that are not Lambda's, or have another name there.
_ACTIONS = {"GetLayerVersionByArn": "lambda:GetLayerVersion", "GetResources": "tag:GetResources"}


_LONGEST = 400  # a proxy may answer with a whole page


class FleetError(Exception):
    """Something that one line tells, and that more of the same would not help."""


def explain(error: Exception, subject: str = "") -> str:
    """One line on an error.

    Args:
        error: what was raised, by botocore or by this package.
        subject: the function or other thing that it happened to, if one did.
    """
    where = f"{subject}: " if subject else ""
    if isinstance(error, ClientError):
        return where + _client_error(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return (
            f"{where}no AWS credentials: run `aws configure` or `aws sso login`, or set --profile"
        )
    if isinstance(error, SSOError | TokenRetrievalError):
        return f"{where}the sign-in has expired: run `aws sso login`"
    if isinstance(error, ProfileNotFound):
        return f"{where}{error}: `aws configure list-profiles` lists those there are"
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return f"{where}no connection: {_one_line(str(error))}"
    if isinstance(error, BotoCoreError | FleetError | OSError):
        return where + _one_line(str(error))
    return where + _unexpected(error)


def _client_error(error: ClientError) -> str:
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    message = _one_line(str(details.get("Message") or details.get("message") or ""))
    # Lambda repeats all variables there, which may be secrets.
    message = message.partition(" String measured:")[0]
    operation = error.operation_name
    if code in _DENIED:
        return f"not allowed: the permission {_action(error, message)} is needed ({message})"
    if code in _EXPIRED:
        return "the credentials have expired: sign in again"
    if code in _UNKNOWN_KEYS:
        return f"AWS does not accept the credentials ({code}): check the profile and its keys"
    if code in _THROTTLED:
        return f"AWS throttles {operation}, after ten tries: run it again, or lower --rate"
    return f"{operation} failed: {code}: {message}" if code else f"{operation} failed: {message}"


def _unexpected(error: Exception) -> str:
    """Something else than AWS answered, the AWS configuration is odd, or we have made a mistake."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f", at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"something unexpected: {type(error).__name__}: {_one_line(str(error))}{at}"


def _action(error: ClientError, message: str) -> str:
    """The permission that was missing; AWS's message mostly names it itself."""
    told = re.search(r"not authorized to perform: ([\w-]+:\w+)", message)
    if told:
        return told[1]
    return _ACTIONS.get(error.operation_name, f"lambda:{error.operation_name}")


def is_denied(error: BaseException) -> bool:
    """Whether a permission was missing."""
    return code_of(error) in _DENIED


def code_of(error: BaseException) -> str:
    """The error code of a ClientError; of anything else, nothing."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
