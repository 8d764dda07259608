"""What one piece of advice is, and from when on there is any."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart_cli.report.figures import FunctionFigures

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


def may_have_provisioned(function: FunctionFigures) -> bool:
    """Whether it has provisioned concurrency, or that cannot be ruled out.

    Args:
        function: its figures. Lines of a provisioned start, and figures without the number of
            environments, tell of some just as well.
    """
    provisioned = function.provisioned
    if not function.provisioned_known or function.starts.get("provisioned"):
        return True
    if provisioned is None:
        return False
    amounts = (provisioned.allocated, provisioned.allocated_gb_seconds)
    return any(amounts) or amounts == (None, None)


def has_snap_start(function: FunctionFigures) -> bool:
    """Whether SnapStart is on: by the configuration, or by a restore in the window.

    Args:
        function: its figures. The configuration is that of $LATEST, restores are of any version.
    """
    restored = function.platform_restores or function.restore or function.starts.get("restore")
    return bool(function.snap_start or restored)


def is_python(function: FunctionFigures) -> bool:
    """Whether COLDSTART_PROFILE, which times imports of Python, is of use to it.

    Args:
        function: its figures; where its runtime is not known, as of an image, lines of the layer
            tell that it is Python.
    """
    return function.runtime.startswith("python") if function.runtime else bool(function.starts)


def of_all_inits(function: FunctionFigures) -> tuple[str, ...]:
    """What a sentence on its cold starts has to add where the layer wrote no line of any."""
    if function.layer:
        return ()
    return (
        "Without lines of the layer all inits and restores count as cold starts, those too that no"
        " request waited for.",
    )
