"""What Lambda costs: the one place that sums are worked out from. The prices are in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Whose prices are taken where the table has none.
FALLBACK_REGION = "us-east-1"
_X86 = "x86_64"
_ARCHITECTURES = (_X86, "arm64")
# Of what is priced for arm64 in us-east-1, to the last digit.
_ARM_TO_X86 = 0.8


@dataclass(frozen=True)
class Price:
    """A price, and what it is in the place of the one asked for; empty if it is that."""

    usd: float
    instead: str = ""

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


def remark(*of: Price) -> str:
    """What a sentence that names these prices has to add; empty if all are the right ones."""
    notes = dict.fromkeys(price.instead for price in of if price.instead)
    return f" ({'; '.join(notes)})" if notes else ""


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

    For a price that the table has not there is another, which says what it is: a fifth less than
    x86_64 for arm64, as it is in us-east-1; if there is none either, that of us-east-1.
    """
    regions = _table()["regions"]
    asked = region or FALLBACK_REGION
    own = regions.get(asked, {})
    other = regions[FALLBACK_REGION]
    kind = architecture if architecture in _ARCHITECTURES else _X86

    def everywhere(name: str) -> Price:
        usd = own.get(name)
        return Price(float(other[name]), _borrowed(asked)) if usd is None else Price(float(usd))

    def by_architecture(name: str) -> Price:
        if not own:
            return Price(float(other[kind][name]), _borrowed(asked))
        usd = own[kind][name]
        if usd is not None:
            return Price(float(usd))
        return Price(
            round(float(own[_X86][name]) * _ARM_TO_X86, 10),
            f"a fifth less than x86_64: {asked}'s price for {kind} is not in the table",
        )

    return Prices(
        as_of=as_of(),
        region=asked,
        architecture=kind,
        request=everywhere("request"),
        duration=by_architecture("duration"),
        provisioned=by_architecture("provisioned"),
        provisioned_duration=by_architecture("provisioned_duration"),
        snapshot_cache=everywhere("snapshot_cache"),
        snapshot_restore=everywhere("snapshot_restore"),
    )


def _borrowed(region: str) -> str:
    return f"{FALLBACK_REGION}'s price: {region}'s is not in the table"


def is_listed(region: str) -> bool:
    """Whether the table has prices of the region."""
    return region in _table()["regions"]
