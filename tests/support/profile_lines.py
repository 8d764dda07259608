"""Log lines as COLDSTART_PROFILE=on writes them."""

from __future__ import annotations

import json
from typing import Any


def module(name: str, depth: int, own: float, total: float, origin: str = "function") -> dict:
    return {
        "name": name,
        "depth": depth,
        "own_ms": own,
        "total_ms": total,
        "bytes": 1000,
        "origin": origin,
    }


def told(kind: str = "init", **fields: Any) -> dict[str, Any]:
    """A line as the layer writes it."""
    modules = fields.pop(
        "modules",
        [
            module("app", 0, 10.0, 100.0),
            module("boto3", 1, 20.0, 60.0, "runtime"),
            module("client s3", 1, 25.0, 25.0, "client"),
        ],
    )
    shared = {
        "function_name": "orders",
        "function_version": "$LATEST",
        "handler": "app.handler",
        "log_stream": "2026/11/25/[$LATEST]a",
        "initialization_type": "on-demand",
        "memory_size": 512,
        "runtime": "python3.13",
        "layer_version": "0.1.0",
        "imports_ms": 100.0,
        "origins_ms": {"function": 10.0, "runtime": 60.0, "client": 25.0},
        "compiled": {"modules": 0, "ms": 0.0},
        "profiler_ms": 0.1,
        "modules": modules,
        "remainder": {"modules": 7, "own_ms": 5.0},
    }
    if kind == "init":
        parts = {
            "wrapper": 1.0,
            "interpreter": 9.0,
            "layer": 2.0,
            "runtime": 38.0,
            "handler": 100.0,
        }
        about: dict[str, Any] = {"coldstart_profile": "init", "init_ms": 150.0, "parts_ms": parts}
    else:
        about = {"coldstart_profile": kind, "start_type": "cold", "request_id": "r"}
    return {**about, **shared, **fields}


def line(kind: str = "init", **fields: Any) -> str:
    return json.dumps(told(kind, **fields))
