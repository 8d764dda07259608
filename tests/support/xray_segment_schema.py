"""Checks a subsegment document against what X-Ray takes.

Rules: "AWS X-Ray segment documents" in the AWS X-Ray developer guide, and the schema it links,
xray-segmentdocument-schema-v1.0.0.
"""

from __future__ import annotations

import json
import re
from typing import Any

FIELDS = {
    "id", "name", "start_time", "end_time", "in_progress", "trace_id", "parent_id", "type",
    "namespace", "annotations", "metadata", "http", "aws", "error", "throttle", "fault", "cause",
    "precursor_ids", "subsegments", "sql",
}  # fmt: skip


def check(document: dict[str, Any]) -> None:
    """Assert that ``document`` is a subsegment that was sent by itself."""
    assert len(json.dumps(document)) <= 64 * 1024
    assert set(document) <= FIELDS
    assert re.fullmatch(r"[0-9a-f]{16}", document["id"])
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", document["trace_id"])
    assert re.fullmatch(r"[0-9a-f]{16}", document["parent_id"])
    assert document["type"] == "subsegment"
    assert 1 <= len(document["name"]) <= 200
    assert re.fullmatch(r"[\w\s.:/%&#=+\\\-@]+", document["name"])
    check_times(document)
    annotations = document.get("annotations", {})
    assert len(annotations) <= 50
    for name, value in annotations.items():
        assert re.fullmatch(r"[A-Za-z0-9_]{1,500}", name)
        assert isinstance(value, (str, bool, int, float))
        assert not isinstance(value, str) or len(value) <= 1000


def check_times(document: dict[str, Any]) -> None:
    """Epoch seconds; a document that is not in progress has an end, and not before its start."""
    assert isinstance(document["start_time"], (int, float))
    if document.get("in_progress"):
        assert "end_time" not in document
    else:
        assert document["end_time"] >= document["start_time"] > 10**9
