"""What Lambda costs: the one place that sums are worked out from. The prices are in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Whose prices are taken where the table has none.
FALLBACK_REGION = "us-east-1"
_ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True)
class Price:
    """A price, and the region it is of: another than was asked for, if the table has none."""

    usd: float
    region: str

    def __str__(self) -> str:
        return f"USD {self.usd:.10f}".rstrip("0")


@dataclass(frozen=True)
class Prices:
    """What a function in a region pays (list prices, first tier, no free tier, no savings plan).

    Source: "AWS Lambda Pricing" (https://aws.amazon.com/lambda/pricing/) and the AWS Price List;
    prices.json says which figure is from where.
    """

    as_of: str  # the date of the table
    region: str  # that the prices were asked for
    architecture: str
    request: Price  # for one request
    duration: Price  # on demand, the init included; for a GB-second
    provisioned: Price  # for a GB-second of provisioned concurrency, used or not
    provisioned_duration: Price  # of requests that provisioned concurrency serves; GB-second
    # SnapStart, Python and .NET (Java pays neither): for a GB-second and for a GB.
    snapshot_cache: Price
    snapshot_restore: Price

    def borrowed(self, *prices: Price) -> str:
        """The end of a sentence that names the prices; empty if they are this region's own.

        Args:
            prices: those that the sentence has.
        """
        if all(price.region == self.region for price in prices):
            return ""
        return f" ({FALLBACK_REGION}'s price: {self.region}'s is not in the table)"


@cache
def _table() -> Any:
    return json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))


def as_of() -> str:
    """The date of the table, as YYYY-MM-DD."""
    return str(_table()["as_of"])


def prices(region: str | None, architecture: str | None) -> Prices:
    """The prices in a region.

    Args:
        region: such as "eu-west-1"; None, if it is not known, for those of us-east-1.
        architecture: "x86_64" or "arm64"; None, if it is not known, for x86_64.

    Each price that the table has not for this region is that of us-east-1, and says so.
    """
    regions = _table()["regions"]
    asked = region or FALLBACK_REGION
    own = regions.get(asked, {})
    other = regions[FALLBACK_REGION]
    kind = architecture if architecture in _ARCHITECTURES else _ARCHITECTURES[0]

    def of(name: str, within: str | None = None) -> Price:
        usd = (own.get(within, {}) if within else own).get(name)
        if usd is not None:
            return Price(float(usd), asked)
        return Price(float((other[within] if within else other)[name]), FALLBACK_REGION)

    return Prices(
        as_of=as_of(),
        region=asked,
        architecture=kind,
        request=of("request"),
        duration=of("duration", kind),
        provisioned=of("provisioned", kind),
        provisioned_duration=of("provisioned_duration", kind),
        snapshot_cache=of("snapshot_cache"),
        snapshot_restore=of("snapshot_restore"),
    )


def is_listed(region: str) -> bool:
    """Whether the table has prices of the region."""
    return region in _table()["regions"]
