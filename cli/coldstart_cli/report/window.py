"""The window of a report, as it is given on the command line."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_YEAR_10000 = 253_402_300_800  # epoch seconds


def parse_time(text: str, now: float) -> float:
    """A point in time, in epoch seconds.

    Args:
        text: so long ago, as 90s, 15m, 24h, 7d or 2w; or a time in ISO 8601, in UTC where it names
            no zone.
        now: epoch seconds.

    Raises:
        ValueError: it is neither, or not of the years 1970 to 9999.
    """
    ago = re.fullmatch(r"(\d{1,9})([smhdw])", text)
    if ago is not None:
        at = now - int(ago[1]) * _UNITS[ago[2]]
    else:
        try:
            # Before Python 3.11 fromisoformat does not know Z.
            time = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
            at = (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(
                f"{text!r} is neither so long ago (15m, 24h, 7d) nor a time (2026-11-25T10:00:00Z)"
            ) from None
    if not 0 <= at < _YEAR_10000:
        raise ValueError(f"{text!r} is not a time in the years 1970 to 9999")
    return at
