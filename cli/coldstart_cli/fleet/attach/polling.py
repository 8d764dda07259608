"""Waits for what Lambda does after it has answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from coldstart_cli.fleet.aws_errors import FleetError

_MINUTES = 20


def poll(
    ask: Callable[[], Mapping[str, Any]], undecided: Callable[[Mapping[str, Any]], bool], what: str
) -> Mapping[str, Any]:
    """Ask until it is decided, at longer and longer intervals up to ten seconds.

    Args:
        ask: a request for how far it is.
        undecided: whether that answer says that it is not done yet.
        what: is waited for, in words.

    Raises:
        FleetError: it is not done after twenty minutes.
    """
    try:
        return Retrying(
            retry=retry_if_result(undecided),
            wait=wait_exponential(multiplier=0.5, max=10),
            stop=stop_after_delay(_MINUTES * 60),
        )(ask)
    except RetryError:
        raise FleetError(f"{what} is not done after {_MINUTES} minutes: run it again") from None
