"""Which functions a command is about, and what the account says of them."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.functions import FleetFunction
from coldstart_cli.fleet.parallel import Progress, answers_of, no_progress

_ARN = re.compile(
    r"arn:[\w-]+:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:"
    r"(?P<name>[\w-]+)(:(?P<qualifier>[\w$-]+))?"
)
_NAME = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True)
class Named:
    """A function asked for by its name or ARN."""

    name: str
    arn: str | None = None  # None: whichever account and regions are worked in

    @property
    def region(self) -> str | None:
        """Where it is; None: not said."""
        return self.arn.split(":")[3] if self.arn else None

    def __str__(self) -> str:
        return self.arn or self.name


@dataclass(frozen=True)
class Selection:
    """What was asked for: these by name, and those that fit all of prefix and tags."""

    named: tuple[Named, ...] = ()
    prefix: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    everything: bool = False
    exclude: tuple[str, ...] = ()  # names, or patterns with * and ?

    @property
    def searches(self) -> bool:
        """Whether the account's functions have to be looked through."""
        return self.everything or self.prefix is not None or bool(self.tags)


@dataclass(frozen=True)
class Selected:
    """What was found."""

    functions: tuple[FleetFunction, ...]
    named: frozenset[str]  # ARNs of those that were asked for by name
    missing: tuple[str, ...]  # asked for by name, and not there


def named(text: str) -> Named:
    """A function's name or ARN, as somebody wrote it.

    Raises:
        FleetError: it is neither, or is of one version or alias.
    """
    text = text.strip()
    arn = _ARN.fullmatch(text)
    if arn:
        if arn["qualifier"] not in (None, "$LATEST"):
            raise FleetError(
                f"{text} is one version or alias: leave out {':' + arn['qualifier']!r}"
                " (--publish --alias moves an alias)"
            )
        return Named(arn["name"], text.removesuffix(":$LATEST"))
    if re.fullmatch(r"[\w-]{1,64}:[\w$-]+", text):
        raise FleetError(
            f"{text} is one version or alias: leave out what is behind the colon"
            " (--publish --alias moves an alias)"
        )
    if not _NAME.fullmatch(text):
        raise FleetError(f"{text!r} is no name or ARN of a function")
    return Named(text)


def excluded(text: str) -> str:
    """What is to be left out, as somebody wrote it: a name, an ARN, or a pattern with * and ?.

    Raises:
        FleetError: it is none of them.
    """
    text = text.strip()
    if text.startswith("arn:"):
        return str(named(text))
    if not re.fullmatch(r"[\w*?\[\]!-]+", text):
        raise FleetError(f"--exclude {text!r} is no name, ARN or pattern of functions")
    return text


def names_in(path: Path) -> tuple[Named, ...]:
    """The functions that a file lists, a name or ARN on each line; # begins a comment.

    Raises:
        FleetError: it cannot be read, or a line is something else.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise FleetError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                found.append(named(text))
            except FleetError as error:
                raise FleetError(f"{path}, line {number}: {error}") from None
    return tuple(found)


def select(
    access: Access,
    selection: Selection,
    with_tags: bool = False,
    progress: Progress = no_progress,
) -> Selected:
    """Find the functions, in each region.

    Args:
        access: to the account.
        selection: what was asked for.
        with_tags: look up tags too, where the selection would not need them.
        progress: is told what is being done.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
        FleetError: an ARN is of a region that was not asked for.
    """
    for one in selection.named:
        if one.region not in (None, *access.regions):
            raise FleetError(
                f"{one.name} is in {one.region}, which is not among the regions:"
                f" give --region {one.region}"
            )
    functions: list[FleetFunction] = []
    left_out: set[str] = set()
    by_name: set[str] = set()
    found: set[Named] = set()
    for region in access.regions:
        progress(f"looking for functions in {region}", 0, 0)
        wanted: dict[str, list[Named]] = defaultdict(list)
        for one in selection.named:
            if one.region in (None, region):
                wanted[one.name].append(one)
        tags = _tags(access, region) if with_tags or selection.tags else {}
        if selection.searches:
            described = _list(access, region)
        else:
            described = _describe(access, region, wanted)
        for configuration in described:
            function = FleetFunction(region, configuration)
            function = FleetFunction(region, configuration, tags.get(function.arn, {}))
            by_these = [one for one in wanted[function.name] if one.arn in (None, function.arn)]
            if by_these:
                by_name.add(function.arn)
                found.update(by_these)
            elif not _fits(function, selection):
                continue
            excluding = {pattern for pattern in selection.exclude if _is(function, pattern)}
            left_out |= excluding
            if not excluding:
                functions.append(function)
    useless = [pattern for pattern in selection.exclude if pattern not in left_out]
    if useless and functions:  # a slip of the pen would change what was to be left alone
        raise FleetError(f"--exclude {useless[0]} is none of the functions: nothing was done")
    missing = tuple(dict.fromkeys(str(one) for one in selection.named if one not in found))
    functions.sort(key=lambda function: (function.region, function.name))
    return Selected(tuple(functions), frozenset(by_name), missing)


def _fits(function: FleetFunction, selection: Selection) -> bool:
    return (
        selection.searches
        and function.name.startswith(selection.prefix or "")
        and all(function.tags.get(key) == value for key, value in selection.tags.items())
    )


def _is(function: FleetFunction, pattern: str) -> bool:
    return function.arn == pattern or fnmatch.fnmatchcase(function.name, pattern)


def _list(access: Access, region: str) -> list[Mapping[str, Any]]:
    """All functions of a region, 50 a request."""
    pages = access.client("lambda", region).get_paginator("list_functions").paginate()
    return [function for page in pages for function in page["Functions"]]


def _describe(access: Access, region: str, names: Iterable[str]) -> list[Mapping[str, Any]]:
    """Those of the named functions that are in a region."""
    client = access.client("lambda", region)

    def describe(name: str) -> Mapping[str, Any] | None:
        try:
            return dict(client.get_function_configuration(FunctionName=name))
        except client.exceptions.ResourceNotFoundException:
            return None

    found = answers_of(describe, list(names), no_progress, "")
    return [one for one in found if one is not None]


def _tags(access: Access, region: str) -> dict[str, dict[str, str]]:
    """The tags of all functions of a region by ARN, 100 functions a request.

    ListFunctions does not have them. Those that CloudFormation sets are there as well ("Resource
    tags" in the CloudFormation user guide).
    """
    client = access.client("resourcegroupstaggingapi", region)
    pages = client.get_paginator("get_resources").paginate(ResourceTypeFilters=["lambda:function"])
    return {
        resource["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
        for page in pages
        for resource in page["ResourceTagMappingList"]
    }
