"""Checks an EMF document against what CloudWatch takes.

Rules: "Specification: Embedded metric format" in the Amazon CloudWatch user guide, with its JSON
schema, and the limits of MetricDatum and Dimension in the CloudWatch API reference, which the
extracted metrics have to keep.
"""

from __future__ import annotations

import json
import re
from typing import Any

UNITS = {
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes",
    "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count",
    "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second",
    "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second",
    "Terabits/Second", "Count/Second", "None",
}  # fmt: skip


def check(line: str) -> dict[str, Any]:
    """Assert that a log line is an EMF document; returns it."""
    assert len(line.encode()) <= 1024 * 1024
    document = json.loads(line)
    assert isinstance(document, dict)
    metadata = document["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    timestamp = metadata["Timestamp"]
    assert isinstance(timestamp, int)
    assert 10**12 < timestamp < 10**13, "milliseconds since the epoch"
    assert metadata["CloudWatchMetrics"]
    for directive in metadata["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        check_namespace(directive["Namespace"])
        for dimension_set in directive["Dimensions"]:
            check_dimension_set(dimension_set, document)
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            check_metric(metric, document)
    return document


def check_namespace(namespace: Any) -> None:
    assert isinstance(namespace, str)
    assert 1 <= len(namespace) <= 255
    assert re.fullmatch(r"[A-Za-z0-9._/#: -]+", namespace)
    assert not namespace.startswith((":", "AWS/"))
    assert namespace.strip()


def check_dimension_set(names: Any, document: dict[str, Any]) -> None:
    assert len(names) <= 30
    assert len(set(names)) == len(names)
    for name in names:
        assert 1 <= len(name) <= 250
        assert name.isascii()
        assert not name.startswith(":")
        value = document[name]
        assert isinstance(value, str)
        assert 1 <= len(value) <= 1024
        assert value.isascii()
        assert value.strip()


def check_metric(metric: Any, document: dict[str, Any]) -> None:
    assert set(metric) <= {"Name", "Unit", "StorageResolution"}
    assert 1 <= len(metric["Name"]) <= 1024
    assert metric.get("Unit", "None") in UNITS
    assert metric.get("StorageResolution", 60) in (1, 60)
    value = document[metric["Name"]]
    assert isinstance(value, (int, float))
    assert not isinstance(value, bool)
    assert abs(value) < 2**360
