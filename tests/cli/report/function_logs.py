"""Log lines of a function as Lambda and the layer write them, in both log formats.

Formats: "Understanding Lambda function logs" and "Lambda Telemetry API Event schema reference" in
the AWS Lambda developer guide, "Monitoring for Lambda SnapStart" for restores.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone

from coldstart_layer.output import Output
from coldstart_layer.settings import Settings
from coldstart_layer.sinks import emf
from coldstart_layer.start import Start
from coldstart_layer.trace_header import TraceHeader

Event = tuple[float, str, str]  # epoch seconds, log stream, message


@dataclass
class FunctionLog:
    """Collects a function's log events."""

    function: str
    json_format: bool = False
    shared_group: bool = False  # then streams are named after the function
    events: list[Event] = field(default_factory=list)

    def stream(self, name: str = "a") -> str:
        return f"2026/11/25/{self.function if self.shared_group else ''}[$LATEST]{name}"

    def request(
        self,
        at: float,
        start_type: str | None = None,
        stream: str = "a",
        duration_ms: float = 20.5,
        init_ms: float | None = None,
        restore_ms: float | None = None,
        billed_ms: float | None = None,
        memory_mb: int = 90,
        report: bool = True,
        request_id: str | None = None,
    ) -> str:
        """One invocation that begins at ``at``; with a line of the layer if it has a start type."""
        request_id = request_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.function}{at}"))
        if start_type is not None:
            self.events.append(
                (at, self.stream(stream), self.layer_line(at, start_type, request_id))
            )
        self.events.append((at, self.stream(stream), "INFO\tDuration: of nothing, 99 ms\n"))
        if report:
            message = self._report(
                request_id, duration_ms, init_ms, restore_ms, billed_ms, memory_mb
            )
            self.events.append((at + duration_ms / 1000, self.stream(stream), message))
        return request_id

    def init_start(self, at: float, stream: str = "a") -> None:
        message = "INIT_START Runtime Version: python:3.13.v12\tRuntime Version ARN: arn:aws:x\n"
        if self.json_format:
            message = _platform_line("initStart", {"phase": "init"})
        self.events.append((at, self.stream(stream), message))

    def init_report(self, at: float, status: str, stream: str = "a") -> None:
        """Of an init; in the text that of a success has no status."""
        message = "INIT_REPORT Init Duration: 9999.99 ms\tPhase: init"
        if status != "success":
            message += f"\tStatus: {status}"
        if self.json_format:
            metrics_ = {"durationMs": 9999.99}
            message = _platform_line("initReport", {"status": status, "metrics": metrics_})
        self.events.append((at, self.stream(stream), message))

    def layer_line(self, at: float, start_type: str, request_id: str) -> str:
        cold = start_type in ("cold", "restore", "reinit")
        init_ms = None if start_type == "restore" else 123.4
        start = Start(cold, start_type, "on-demand", init_ms, request_id)
        settings = Settings(
            {
                "AWS_LAMBDA_FUNCTION_NAME": self.function,
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_LOG_FORMAT": "JSON" if self.json_format else "Text",
            }
        )
        return json.dumps(emf.document(Output(settings), start, TraceHeader(), None, at))

    def _report(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        restore_ms: float | None,
        billed_ms: float | None,
        memory_mb: int,
    ) -> str:
        if billed_ms is None:
            billed_ms = -(-(duration_ms + (init_ms or 0)) // 1)
        if self.json_format:
            values = {
                "durationMs": duration_ms,
                "billedDurationMs": int(billed_ms),
                "memorySizeMB": 512,
                "maxMemoryUsedMB": memory_mb,
                "initDurationMs": init_ms,
                "restoreDurationMs": restore_ms,
                "billedRestoreDurationMs": None if restore_ms is None else 49,
            }
            record = {
                "requestId": request_id,
                "metrics": {name: value for name, value in values.items() if value is not None},
                "status": "success",
            }
            return _platform_line("report", record)
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {billed_ms:.0f} ms",
            "Memory Size: 512 MB",
            f"Max Memory Used: {memory_mb} MB",
        ]
        if init_ms is not None:
            parts.append(f"Init Duration: {init_ms:.2f} ms")
        if restore_ms is not None:
            parts += [f"Restore Duration: {restore_ms:.2f} ms", "Billed Restore Duration: 49 ms"]
        return "\t".join(parts) + "\t\n"


def _platform_line(name: str, record: dict[str, object]) -> str:
    time = datetime.fromtimestamp(1795600000, timezone.utc).isoformat()
    document = {"time": time, "type": f"platform.{name}", "record": record}
    return json.dumps(document, separators=(",", ":"))
