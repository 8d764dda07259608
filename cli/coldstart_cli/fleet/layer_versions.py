"""The version of our layer that a region has."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from coldstart_cli.fleet.access import Access
from coldstart_cli.fleet.aws_errors import FleetError
from coldstart_cli.fleet.wiring import is_version_arn, layer_name, layer_version

DEFAULT_NAME = "coldstart-layer"
# Ours is a tenth of that.
_MOST_BYTES = 1_000_000
_SECONDS = 10
_NAME = re.compile(r"[\w-]{1,140}")


@dataclass(frozen=True)
class LayerVersion:
    """A published version of the layer."""

    arn: str
    runtimes: tuple[str, ...] = ()  # none: it is not said which
    architectures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the layer."""
        return layer_name(self.arn)

    @property
    def version(self) -> int:
        """Its number."""
        return layer_version(self.arn)

    @property
    def label(self) -> str:
        """Name and number."""
        return f"{self.name}:{self.version}"


def name_in(layer: str) -> str:
    """The name of a layer that was given by its name or the ARN of a version.

    Raises:
        FleetError: it is neither.
    """
    if is_version_arn(layer):
        return layer_name(layer)
    layer = re.sub(r":\d+$", "", layer)  # as plans show it
    if not _NAME.fullmatch(layer):
        raise FleetError(f"{layer!r} is no name of a layer, and no ARN of a version of one")
    return layer


def find(access: Access, region: str, layer: str) -> LayerVersion:
    """The layer version to attach in a region.

    Args:
        access: to the account.
        region: of the functions.
        layer: a name, whose newest version in this account is meant, a name and the number of a
            version (``coldstart-layer:3``), or the ARN of a version.

    Raises:
        FleetError: there is none, or it is of another region.
        botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
    """
    client = access.client("lambda", region)
    if ":" in layer and not is_version_arn(layer):
        name, number = name_in(layer), int(layer.rpartition(":")[2])
        arns = (one.arn for one in versions(access, region, name) if one.version == number)
        layer = next(arns, "")
        if not layer:
            raise FleetError(f"{region} has no version {number} of layer {name}")
    if not is_version_arn(layer):
        newest = newest_version(access, region, name_in(layer))
        if newest is None:
            raise FleetError(
                f"{region} has no layer {layer}: publish it there first (README, Start), or name"
                " another one with --layer"
            )
        layer = newest.arn
    of_region = layer.split(":")[3]
    if of_region != region:
        raise FleetError(f"--layer {layer} is of {of_region}: it cannot be attached in {region}")
    try:
        found = client.get_layer_version_by_arn(Arn=layer)
    except client.exceptions.ResourceNotFoundException:
        raise FleetError(f"there is no layer version {layer}") from None
    if not _has_wrapper(found["Content"]):
        raise FleetError(f"{layer} is another layer: it has no coldstart-wrapper")
    return _version(found)


def _has_wrapper(content: Mapping[str, Any]) -> bool:
    """Whether a layer is ours; with the wrapper's path set, no function starts without it.

    True where that cannot be found out, as its files lie in S3, which not everybody reaches.
    """
    if content["CodeSize"] > _MOST_BYTES:
        return False
    try:
        with urlopen(content["Location"], timeout=_SECONDS) as answer:  # noqa: S310 - AWS's URL
            archive = io.BytesIO(answer.read(_MOST_BYTES))
    except OSError:
        return True
    try:
        return "coldstart-wrapper" in zipfile.ZipFile(archive).namelist()
    except zipfile.BadZipFile:
        return False


def newest_version(access: Access, region: str, name: str) -> LayerVersion | None:
    """The newest version of a layer of this account; None: there is none."""
    return max(versions(access, region, name), key=lambda one: one.version, default=None)


def versions(access: Access, region: str, name: str) -> tuple[LayerVersion, ...]:
    """The versions of a layer of this account that are not deleted ("ListLayerVersions").

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
    """
    client = access.client("lambda", region)
    return tuple(
        _version(version)
        for page in client.get_paginator("list_layer_versions").paginate(LayerName=name)
        for version in page["LayerVersions"]
    )


def _version(found: Mapping[str, Any]) -> LayerVersion:
    arn = found["LayerVersionArn"]
    if not is_version_arn(arn):
        raise FleetError(f"{str(arn)[:200]!r} was answered, which is no ARN of a layer version")
    return LayerVersion(
        arn,
        tuple(found.get("CompatibleRuntimes") or ()),
        tuple(found.get("CompatibleArchitectures") or ()),
    )
