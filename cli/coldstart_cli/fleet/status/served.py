"""What aliases serve: the versions they point at, and the environments that are kept ready.

"Lambda function aliases", "Configuring provisioned concurrency" and "Improving startup performance
with Lambda SnapStart" in the Lambda developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.status.problems import Problem, Surroundings, is_ours

LATEST = "$LATEST"
_ALIASES = 'Lambda developer guide, "Lambda function aliases"'
_SNAP_START = 'Lambda developer guide, "Improving startup performance with Lambda SnapStart"'
_PROVISIONED = 'Lambda API reference, "ProvisionedConcurrencyConfigListItem"'


@dataclass(frozen=True)
class Alias:
    """An alias, and the version it points at; where its traffic is split, the other one too."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Provisioned:
    """Provisioned concurrency of an alias or a version, in environments."""

    qualifier: str
    requested: int
    allocated: int | None  # are ready
    status: str  # "IN_PROGRESS", "READY" or "FAILED"
    reason: str = ""

    @property
    def label(self) -> str:
        """What it is set on."""
        return f"{'version' if self.qualifier.isdecimal() else 'alias'} {self.qualifier}"


@dataclass(frozen=True)
class Serving:
    """What the account says of a function beside $LATEST; None: not known."""

    aliases: tuple[Alias, ...] | None = None
    provisioned: tuple[Provisioned, ...] | None = None
    # The published versions that these mean, as far as they are known, by number.
    versions: Mapping[str, FleetFunction] = field(default_factory=dict)
    # All published versions; looked up only where SnapStart is on and there is no alias.
    published: tuple[FleetFunction, ...] | None = None


def snap_start(function: FleetFunction) -> bool:
    """Whether published versions of it start from snapshots."""
    config = function.configuration.get("SnapStart") or {}
    return bool(config.get("ApplyOn") == "PublishedVersions")


def qualifiers(serving: Serving) -> Iterator[tuple[str, str, str | None]]:
    """Each published version that serves: where it is met, its number, and the alias if any."""
    for alias in serving.aliases or ():
        for version in alias.versions:
            if version != LATEST:
                yield f"alias {alias.name} (version {version})", version, alias.name
    for one in serving.provisioned or ():
        if one.qualifier.isdecimal():
            yield f"version {one.qualifier}", one.qualifier, None


def served_problems(
    function: FleetFunction, serving: Serving, around: Surroundings
) -> Iterator[Problem]:
    """Where the layer is not in what serves, and where environments are not ready.

    Args:
        function: $LATEST.
        serving: its aliases and versions.
        around: what else is known.
    """
    latest = is_ours(function, around.layer)
    for where, number, alias in qualifiers(serving):
        version = serving.versions.get(number)
        if version is None or is_ours(version, around.layer) == latest:
            continue
        if latest:
            kind, what = "version-without-layer", "this version has no layer, $LATEST has one"
            cure = around.command("attach", function, alias)
            if alias is None:
                cure = "publish a version, and set provisioned concurrency on that one"
        else:
            kind, what = (
                "latest-without-layer",
                ("this version has the layer, $LATEST has none: nor will the next version"),
            )
            cure = around.command("attach", function)
        yield Problem(kind, what, cure, _ALIASES, (where,))
    published = serving.published
    if (
        latest
        and published is not None
        and not any(is_ours(version, around.layer) for version in published)
    ):
        what = "SnapStart is for published versions, and only $LATEST has the layer"
        cure = "publish a version, make an alias of it, and have callers use that"
        yield Problem("snap-start-without-layer", what, cure, _SNAP_START)
    if latest or any(is_ours(version, around.layer) for version in serving.versions.values()):
        for one in serving.provisioned or ():
            yield from _not_ready(one)


def _not_ready(one: Provisioned) -> Iterator[Problem]:
    if one.status == "FAILED":
        what = f"the provisioned concurrency of {one.label} failed ({one.reason or 'no reason'})"
        cure = "correct that, and set it again: aws lambda put-provisioned-concurrency-config"
        yield Problem("provisioned-failed", what, cure, _PROVISIONED)
    elif one.allocated is not None and one.allocated < one.requested:
        what = (
            f"{one.allocated} of {one.requested} provisioned environments of {one.label} are ready"
            f" ({one.status}): more requests at once start on demand"
        )
        cure = "wait; if it stays so, look at the account's concurrency limit"
        yield Problem("provisioned-not-ready", what, cure, _PROVISIONED)


def merged(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems that several configurations have, as one: with all places, and what cures all.

    The cure of an alias includes that of $LATEST, since a version is published of $LATEST.
    """
    same: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        same.setdefault((problem.kind, problem.what), []).append(problem)
    return tuple(_one(all_of_it) for all_of_it in same.values())


def _one(same: list[Problem]) -> Problem:
    aliases = [one for one in same if one.where != (LATEST,)] or same
    return replace(
        same[0],
        where=tuple(dict.fromkeys(where for one in same for where in one.where)),
        cure="; ".join(dict.fromkeys(one.cure for one in aliases)),
    )
