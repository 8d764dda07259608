"""Everything that one run has measured, and the targets it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import arms
from benchmarks.arms import Arm
from benchmarks.differences import Difference, median, paired
from benchmarks.instructions import Instructions
from benchmarks.scale import Logged
from benchmarks.starts import Samples

_MB_IN_KB = 1024


@dataclass(frozen=True)
class Target:
    """What is asked of the layer, what it is, and whether that is enough."""

    asked: str
    measured: str
    reached: bool


@dataclass(frozen=True)
class Profiling:
    """What one way to tell of imports adds, in ms, and in instructions if they were counted."""

    name: str
    added_ms: Difference
    instructions: int | None


@dataclass(frozen=True)
class Results:
    """One run.

    Attributes:
        machine: the machine and the versions, by name.
        rounds: how many there were.
        samples: of each arm, by its name.
        zipped_bytes: the size of each arm's layer, by its name.
        logged: what was measured of functions that log.
        instructions: by the arm's name; None where valgrind is not installed.
        profiling: those of the arms that tell what was imported, and of the same without: of a
            start with boto3 until the first answer. None as above.
    """

    machine: Mapping[str, str]
    rounds: int
    samples: Mapping[str, Samples]
    zipped_bytes: Mapping[str, int]
    logged: Sequence[Logged]
    instructions: Mapping[str, Instructions] | None
    profiling: Mapping[str, int] | None

    def added(self, arm: Arm, what: str) -> Difference:
        """How much more than bare.

        Args:
            arm: of what.
            what: an attribute of ``Samples``.
        """
        return paired(
            getattr(self.samples[arm.name], what), getattr(self.samples[arms.BARE.name], what)
        )

    def added_by_profiling(self) -> list[Profiling]:
        """What telling of imports adds to a start with boto3 until the first answer."""
        return [
            Profiling(
                name,
                paired(
                    self.samples[arm.name].answered_boto3_ms,
                    self.samples[other.name].answered_boto3_ms,
                ),
                self.profiling[arm.name] - self.profiling[other.name] if self.profiling else None,
            )
            for name, arm, other in arms.PROFILING
            if arm.name in self.samples and other.name in self.samples
        ]

    def added_by_lines(self, log_format: str, lines: int) -> tuple[Difference, float]:
        """How many µs and bytes the layer adds to an invocation that logs so many lines."""
        bare, ours = (
            one
            for arm in (arms.BARE, arms.OURS)
            for one in self.logged
            if (one.arm, one.log_format, one.lines) == (arm.name, log_format, lines)
        )
        added_bytes = median(ours.invocation_bytes) - median(bare.invocation_bytes)
        return paired(ours.invocation_us, bare.invocation_us), added_bytes

    def targets(self) -> list[Target]:
        """Each of the project's targets."""
        init = self.added(arms.OURS, "init_ms")
        share = 0.1 * median(self.samples[arms.BARE.name].init_ms)
        allowed = max(3.0, share)
        of_bare = ", which is 10 % of bare" if share > 3.0 else ""
        found = [_at_most(f"added init: {allowed:.1f} ms{of_bare}", init, allowed, "ms")]
        for arm, times in (
            (arms.POWERTOOLS, 6),
            (arms.POWERTOOLS_TRACER, 30),
            (arms.DATADOG, 50),
            (arms.OPENTELEMETRY, 50),
        ):
            if arm.name in self.samples:
                ratio = self.added(arm, "init_ms").median / max(init.median, 0.01)
                asked = f"added init: {times} times less than {arm.name}"
                found.append(Target(asked, f"{ratio:.0f} times", ratio >= times))
        for arm, allowed in ((arms.OURS, 10.0), (arms.OURS_SAMPLED, 60.0)):
            asked = f"added to an invocation, {arm.name.strip()}: {allowed:.0f} µs"
            found.append(_at_most(asked, self.added(arm, "invocation_us"), allowed, "µs"))
        profiling = self.added_by_profiling()
        if len(profiling) == len(arms.PROFILING):
            ours, theirs = profiling
            allowed = theirs.added_ms.median
            asked = f"{ours.name}: {theirs.name} has {allowed:.1f} ms"
            found.append(_at_most(asked, ours.added_ms, allowed, "ms"))
        peak = self.added(arms.OURS, "peak_kb")
        found.append(_at_most("added peak memory: 1,024 kB", peak, _MB_IN_KB, "kB"))
        return found

    def as_json(self) -> dict[str, Any]:
        """All of it, raw samples included."""
        return {**asdict(self), "targets": [asdict(target) for target in self.targets()]}


def _at_most(asked: str, measured: Difference, allowed: float, unit: str) -> Target:
    text = f"{measured.median:.1f} {unit} [{measured.low:.1f}, {measured.high:.1f}]"
    return Target(asked, text, measured.median <= allowed)
