"""Log lines as Lambda writes them, and exports of any size with the figures that they must give."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

BEGIN = 1_795_600_800.0  # 2026-11-25T10:00:00Z
RUNTIME_ARN = "arn:aws:lambda:eu-west-1::runtime:0123abcd"


def iso(at: float) -> str:
    """Epoch seconds as CloudWatch Logs writes them."""
    at = round(at, 3)
    time = datetime.fromtimestamp(at, timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{round(at * 1000) % 1000:03d}Z"


def report(
    request_id: str,
    duration: float = 10.0,
    init: float | None = None,
    restore: float | None = None,
    status: str = "",
    memory: int = 512,
    used: int = 90,
    init_billed: bool = True,
) -> str:
    """A REPORT line. Since August 2025 what is billed has the init in it."""
    billed = math.ceil(round(duration + (init or 0.0) * init_billed, 2))
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed + (math.ceil(restore / 4) if restore else 0)} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {used} MB",
    ]
    if init is not None:
        parts.append(f"Init Duration: {init:.2f} ms")
    if restore is not None:
        parts += [
            f"Restore Duration: {restore:.2f} ms",
            f"Billed Restore Duration: {math.ceil(restore / 4)} ms",
        ]
    return "\t".join([*parts, f"Status: {status}" if status else ""])


def json_report(request_id: str, at: float, duration: float = 10.0, **metrics: float) -> str:
    """The same with JSON as the function's log format."""
    billed = math.ceil(duration + metrics.get("initDurationMs", 0.0))
    record = {
        "requestId": request_id,
        "metrics": {
            "durationMs": duration,
            "billedDurationMs": billed,
            "memorySizeMB": 512,
            "maxMemoryUsedMB": 90,
            **metrics,
        },
        "status": "success",
    }
    return json.dumps({"time": iso(at), "type": "platform.report", "record": record})


def emf(
    request_id: str,
    at: float,
    start_type: str = "cold",
    function: str = "orders",
    initialization_type: str = "on-demand",
    version: str = "$LATEST",
    namespace: str = "ColdStart",
    **more: object,
) -> str:
    """The layer's line of a start."""
    cold = start_type in ("cold", "restore") or (
        start_type == "reinit" and initialization_type != "provisioned-concurrency"
    )
    metrics = [{"Name": "ColdStart", "Unit": "Count"}]
    dimensions = [["function_name"], ["function_name", "start_type"]]
    declared = {"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}
    document = {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [declared]},
        "function_name": function,
        "start_type": start_type,
        "ColdStart": int(cold),
        "initialization_type": initialization_type,
        "function_version": version,
        "memory_size": 512,
        "runtime": "python3.13",
        "layer_version": "0.1.0",
        "request_id": request_id,
    }
    return json.dumps(document | more)


def init_start() -> str:
    return f"INIT_START Runtime Version: python:3.13.v50\tRuntime Version ARN: {RUNTIME_ARN}"


def stream_name(number: int, version: str = "$LATEST") -> str:
    return f"2026/11/25/[{version}]{number:032x}"


@dataclass
class Expected:
    """What the lines of a function must come out as, by the generator's own bookkeeping."""

    invocations: int = 0
    starts: Counter[str] = field(default_factory=Counter)
    inits: list[float] = field(default_factory=list)
    restores: list[float] = field(default_factory=list)
    billed_ms: int = 0
    billed_init_ms: float = 0.0
    contradictions: Counter[str] = field(default_factory=Counter)
    spillover: int = 0
    # Begin and end of each request, in µs.
    requests: list[tuple[int, int]] = field(default_factory=list)


def write_export(
    folder: Path, size: int, seed: int = 1, contradicted: float = 0.01, level: int = 1
) -> dict[str, Expected]:
    """Write an export as CloudWatch Logs makes it to S3, stream by stream, and say what is in it.

    Args:
        folder: where to.
        size: of the lines, unpacked, in bytes; at least.
        seed: of the random numbers.
        contradicted: of all starts, the share of which layer and platform disagree on.
        level: of the compression.
    """
    numbers = random.Random(seed)
    functions = {
        "orders": ("on-demand", "$LATEST"),
        "payments": ("on-demand", "$LATEST"),
        "stock": ("provisioned-concurrency", "7"),
        "thumbnails": ("snap-start", "3"),
    }
    expected = {name: Expected() for name in functions}
    written = count = 0
    while written < size:
        function = numbers.choices(list(functions), (8, 4, 4, 2))[0]
        initialization_type, version = functions[function]
        if function == "stock" and numbers.random() < 0.2:
            initialization_type = "on-demand"  # spilled over
        stream = stream_name(count, version)
        text = _environment(
            numbers, function, initialization_type, version, expected[function], contradicted
        )
        target = folder / "0a1b2c" / stream.replace("/", "-")
        target.mkdir(parents=True)
        with gzip.open(target / "000000.gz", "wb", compresslevel=level) as file:
            file.write(text)
        written += len(text)
        count += 1
    (folder / "aws-logs-write-test").write_text("Permission Check Successful")
    return expected


def _environment(
    numbers: random.Random,
    function: str,
    initialization_type: str,
    version: str,
    expected: Expected,
    contradicted: float,
) -> bytes:
    """The lines of one environment."""
    out = io.StringIO()
    at = BEGIN + 60 + numbers.random() * 6 * 3600

    def say(message: str) -> None:
        out.write(f"{iso(at)} {message}\n")

    start_type = {"provisioned-concurrency": "provisioned", "snap-start": "restore"}.get(
        initialization_type, "cold"
    )
    if numbers.random() < 0.1 and start_type == "cold":
        start_type = "proactive"
    contradiction = numbers.random() < contradicted and start_type in ("cold", "restore")
    init = restore = None
    if start_type == "restore":
        restore = round(numbers.lognormvariate(6.0, 0.3), 2)
        if contradiction:
            restore = None
            expected.contradictions["restore-without-restore"] += 1
    else:
        init = round(numbers.lognormvariate(6.2, 0.5), 2)
        say(init_start())
        if contradiction:
            init = None
            expected.contradictions["cold-without-init"] += 1
    at += (init or restore or 0.0) / 1000 + (
        30 if start_type in ("proactive", "provisioned") else 0
    )
    for number in range(numbers.randrange(1, 400)):
        request_id = str(uuid.UUID(int=numbers.getrandbits(128), version=4))
        duration = round(numbers.lognormvariate(4.0, 0.8), 2)
        say(f"START RequestId: {request_id} Version: {version}")
        if number == 0:
            say(emf(request_id, at, start_type, function, initialization_type, version))
            expected.starts[start_type] += 1
        for line in range(6):
            say(
                f"[INFO]\t{iso(at)}\t{request_id}\tcold_start=false initialization_type="
                f"{initialization_type}\tstep {line} of the order {numbers.getrandbits(64):x}"
            )
        say("Traceback: a message of several lines\nREPORT RequestId: not-one\tDuration: 9.99 ms")
        at = round(at + duration / 1000 + 0.0005, 3)
        say(f"END RequestId: {request_id}")
        first = number == 0
        line = report(request_id, duration, init if first else None, restore if first else None)
        say(f"{line}\nXRAY TraceId: 1-6a85b38d-6f9d98\tSegmentId: f8f17b16\tSampled: true\t")
        _count(expected, at, duration, init if first else None, restore if first else None)
        at += numbers.expovariate(1.0)
        expected.spillover += function == "stock" and initialization_type == "on-demand"
    return out.getvalue().encode()


def _count(
    expected: Expected, at: float, duration: float, init: float | None, restore: float | None
) -> None:
    expected.invocations += 1
    expected.billed_ms += math.ceil(round(duration + (init or 0.0), 2))
    if init is not None:
        expected.inits.append(init)
        expected.billed_init_ms += init
    if restore is not None:
        expected.restores.append(restore)
        expected.billed_ms += math.ceil(restore / 4)
    end = round(at * 1000) * 1000
    expected.requests.append((end - round(duration * 1000), end))
