"""What one piece of advice is, and from when on there is any."""

from __future__ import annotations

from dataclasses import dataclass

# Below these a function's figures are chance, and nothing is advised that rests on them.
FEWEST_INVOCATIONS = 100
FEWEST_STARTS = 20
# Of invocations. AWS: cold starts "typically occur in under 1% of invocations" ("AWS Lambda
# standardizes billing for INIT Phase", AWS Compute Blog); half of that is rare.
RARE = 0.005
# A month; below this a sum is not worth a change.
WORTH_USD = 1.0


@dataclass(frozen=True)
class Advice:
    """What to do about one function, with the arithmetic in words and numbers."""

    function: str
    region: str | None
    # "provisioned concurrency", "spill-over", "idle", "snap-start", "init", "memory",
    # "contradictions"
    kind: str
    title: str  # what to do, in a sentence without a full stop
    steps: tuple[str, ...]  # sentences; every number is a figure, a price, or worked out here
    # In 30 days: negative if it costs more than it saves, None if that is not known.
    saves_usd: float | None = None
    avoids_cold_starts: float | None = None  # in 30 days
    shortens_starts: float | None = None  # in 30 days
