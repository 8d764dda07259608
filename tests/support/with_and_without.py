"""Runs a function under the bare runtime and under the layer, and says what of it must be the same.

What the layer adds is taken away where it belongs and nowhere else: its two fields in a line of the
runtime's JSON format, its column in a line of the runtime's text format, and its metric lines.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coldstart_cli.local_lambda import Function, Sandbox
from conftest import ready

# Whatever an environment or an invocation has of its own. A frozen clock shows 2024: that stays.
_VARYING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"20(2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"), "<time>"),
    (re.compile(r"0x[0-9a-f]+"), "<address>"),
)
_COLUMN = re.compile(
    r"^(\[[A-Z]+\]\t[^\t]+\t(?:<id>)?\t)(cold_start=[^\t]+ )?initialization_type=[^\t]+\t"
)
_FIELD = re.compile(r', "(cold_start|initialization_type)": ("[^"]*"|true|false|null)')


@dataclass
class Seen:
    """What a function did: one entry per event, with the init as the first one of ``stdout``.

    Attributes:
        outcomes: kind and body of each answer.
        stdout: lines, without what the layer adds and what varies from run to run.
        raw: the lines as they were, without the metric lines.
        metrics: the layer's metric lines, with the level that the runtime filters by.
        leaves: the layer's documents for X-Ray.
    """

    outcomes: list[tuple[str, str]] = field(default_factory=list)
    stdout: list[list[str]] = field(default_factory=list)
    raw: list[list[str]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[dict[str, Any]] = field(default_factory=list)
    stderr: str = ""

    @property
    def answers(self) -> list[Any]:
        assert {kind for kind, _ in self.outcomes} == {"response"}, self
        return [json.loads(body) for _, body in self.outcomes]

    def add(self, stdout: str) -> None:
        lines = stdout.split("\n")
        self.metrics += [json.loads(line) for line in lines if '"_aws"' in line]
        self.raw.append([line for line in lines if '"_aws"' not in line])
        self.stdout.append([_plain(line) for line in self.raw[-1]])


def _plain(line: str) -> str:
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    if line.startswith('{"timestamp": '):
        return _FIELD.sub("", line)
    return _COLUMN.sub(r"\1", line)


async def see(
    function: Function,
    wrapper: Path | None,
    *,
    events: tuple[object, ...] = ({}, {}),
    initialization_type: str = "on-demand",
    trace_headers: tuple[str | None, ...] = (),
    delay: float = 0,
    **options: Any,
) -> Seen:
    """Start the function, let it stand ready for ``delay`` seconds, and send the events.

    By default the first one's trace began with the process, as that of a request that waits for it.
    """
    seen = Seen()
    async with Sandbox(
        function, wrapper=wrapper, initialization_type=initialization_type, **options
    ) as sandbox:
        await ready(sandbox)
        if initialization_type == "snap-start":
            await sandbox.restore()
        seen.add(sandbox.stdout)
        await asyncio.sleep(delay)
        for event, header in zip(events, trace_headers or [None] * len(events), strict=True):
            told = await sandbox.invoke(json.dumps(event).encode(), header)
            body = told.outcome.body.decode()
            for pattern, name in _VARYING:
                body = pattern.sub(name, body)
            seen.outcomes.append((told.outcome.kind, body))
            seen.add(told.stdout)
            if told.outcome.kind == "exit":
                break
        seen.leaves = [leaf for leaf in sandbox.xray.read() if leaf["name"] == "coldstart"]
        seen.stderr = sandbox.stderr
    return seen


async def compare(function: Function, wrapper: Path, **options: Any) -> tuple[Seen, Seen]:
    """Run it both ways, bare first; answers, lines and errors must be the same.

    Options as for ``see``.
    """
    bare, layered = await asyncio.gather(
        see(function, None, **options), see(function, wrapper, **options)
    )
    same(bare, layered)
    return bare, layered


def same(bare: Seen, layered: Seen) -> None:
    assert layered.outcomes == bare.outcomes, layered.stderr
    assert layered.stdout == bare.stdout
    assert layered.stderr == bare.stderr
    assert bare.metrics == []
