"""How many environments of provisioned concurrency a function needs, and what they would serve."""

from __future__ import annotations

import math
from typing import NamedTuple

from coldstart_cli.report.figures import Concurrency
from coldstart_cli.report.shown.wording import percent

# The share of the environments that are in use when concurrency is at its p95. The developer
# guide's example of target tracking has the same ("Configuring provisioned concurrency").
TARGET_UTILISATION = 0.7
_OVER = {
    "busy": "over the seconds with at least one request",
    "periods": "over the metric's periods, each with the most that there was in it",
}
_OF = {"busy": "the seconds with at least one request", "periods": "the metric's periods"}


class Needed(NamedTuple):
    """How many environments, and what they would serve."""

    number: int
    served: float  # share of the billed duration
    left: float  # share of the cold starts that remain, an estimate
    steps: tuple[str, ...]


def environments_needed(concurrency: Concurrency) -> Needed | None:
    """How many environments of provisioned concurrency a function needs; None if none are in use.

    Args:
        concurrency: how many requests it handles at once.
    """
    if concurrency.p95 <= 0 or concurrency.mean <= 0 or concurrency.max <= 0:
        return None
    # Rounded first: 21 / 0.7 is a little more than 30 in floating point.
    roomy = max(1, math.ceil(round(concurrency.p95 / TARGET_UTILISATION, 6)))
    # More than were ever in use at once would serve nobody.
    number = min(roomy, math.ceil(concurrency.max))
    how = (
        f"How many: its concurrency has a p95 of {concurrency.p95:g}"
        f" ({_OVER.get(concurrency.over, f'over {concurrency.over}')}). {concurrency.p95:g} /"
        f" {TARGET_UTILISATION}, rounded up, is {roomy}"
    )
    if number < roomy:
        how += f"; but no more than {number} were ever in use at once, so it is {number}."
    else:
        how += (
            ". The p95, since what lies above it is short peaks;"
            f" {TARGET_UTILISATION}, so that three in ten are free even then."
        )
    if number >= concurrency.max:
        enough = f"That is enough for the highest that was seen, {concurrency.max:g}."
        return Needed(number, 1.0, 0.0, (how, enough))
    over = _OF.get(concurrency.over, concurrency.over)
    # A metric's periods have only their maxima, which is no bound of what lies in between.
    about = "at least" if concurrency.over == "busy" else "about"
    quantile = 0.99 if number >= concurrency.p99 else 0.95
    beyond = concurrency.max - number
    served = max(0.0, 1 - (1 - quantile) * beyond / concurrency.mean)
    left = beyond / concurrency.max
    return Needed(
        number,
        served,
        left,
        (
            how,
            f"For {1 - quantile:.0%} of {over} concurrency may be above {number}, by at most"
            f" {concurrency.max:g} - {number} = {beyond:g}, of {concurrency.mean:.4g} on average:"
            f" so it serves {about} 1 - {1 - quantile:.2f} x {beyond:g} / {concurrency.mean:.4g}"
            f" = {percent(served)} of the work.",
            f"Cold starts that remain, an estimate: as if each of the {concurrency.max:g}"
            f" environments at the peak started equally often, {beyond:g} / {concurrency.max:g} ="
            f" {percent(left)}.",
        ),
    )
