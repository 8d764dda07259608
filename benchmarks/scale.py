"""What the layer adds where a function logs a lot: time and bytes, by the number of lines."""

from __future__ import annotations

import contextlib
import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coldstart_cli.local_lambda.xray_daemon import XrayDaemon

from benchmarks.layouts import Place, undisturbed
from benchmarks.starts import Rounds, Started

FORMATS = ("JSON", "Text")
# Lines in an invocation, and how many invocations are measured in a row.
_INVOCATIONS = {1: 25, 10: 25, 1000: 3}
LINES = tuple(_INVOCATIONS)
_BLOCKS = 5


@dataclass(frozen=True)
class Logged:
    """What was measured of invocations that log so many lines, of an arm with a log format.

    Attributes:
        invocation_us: the median of each block, in a list for each round.
        invocation_bytes: what an invocation wrote, in the same order.
    """

    arm: str
    log_format: str
    lines: int
    invocation_us: Rounds = field(default_factory=list)
    invocation_bytes: Rounds = field(default_factory=list)


def measure(places: Sequence[Place], rounds: int, done: Callable[[], object]) -> list[Logged]:
    """Let functions log.

    Args:
        places: where the arms run that are compared.
        rounds: how many times, with new processes.
        done: called after each.

    Raises:
        FunctionError: a function failed.
    """
    logged = [
        Logged(place.arm.name, log_format, lines)
        for place in places
        for log_format in FORMATS
        for lines in LINES
    ]
    xray = XrayDaemon()
    with undisturbed():
        for _ in range(rounds):
            _measure_round(places, xray.address, logged)
            gc.collect()
            done()
    xray.close()
    return logged


def _measure_round(places: Sequence[Place], xray: str, logged: Sequence[Logged]) -> None:
    with contextlib.ExitStack() as stack:
        started = {}
        for place in places:
            for log_format in FORMATS:
                variables = {"AWS_LAMBDA_LOG_FORMAT": log_format}
                function = stack.enter_context(Started(place, "lines", xray, variables))
                function.block(b"100", 20, 1)
                started[place.arm.name, log_format] = function
        for one in logged:
            one.invocation_us.append([])
            one.invocation_bytes.append([])
        for number in range(_BLOCKS):
            for lines, invocations in _INVOCATIONS.items():
                # The arms next to each other, and each first as often as last.
                for one in logged[:: -1 if number % 2 else 1]:
                    if one.lines == lines:
                        _measure_block(started[one.arm, one.log_format], one, invocations)


def _measure_block(started: Started, logged: Logged, invocations: int) -> None:
    event = str(logged.lines).encode()
    _, before = started.process.look()
    times = started.block(event, 1, invocations)
    _, after = started.process.look()
    logged.invocation_us[-1].append(statistics.median(times))
    logged.invocation_bytes[-1].append((after - before) / (invocations + 1))
