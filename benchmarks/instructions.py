"""Counts the instructions of a start and of an invocation: the same on a busy machine.

Valgrind runs the processes and counts what they execute themselves; the kernel's part (files,
sockets, memory) is not in it. https://valgrind.org/docs/manual/cl-manual.html
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass

from benchmarks.layouts import Place
from benchmarks.runtime_api import FunctionError, RuntimeApi

# Few enough to be quick, and so many that what happens once in a while (the HTTP client has to look
# again for the rest of a message) does not count. The first ones are left out: there the
# interpreter specializes its code.
_INVOCATIONS = (50, 350)
# So that it waits for an answer by then: one that is ended before often has no report.
_SETTLE_S = 0.5
_TRIES = 3
# For X-Ray's datagrams: the discard port.
_NOBODY = "127.0.0.1:9"
# Runs a command until stdin has a line, then ends it in a way in which valgrind still reports.
_UNTIL_TOLD = '"$@" 4<&- </dev/null & read -r _ <&4; kill "$!"; wait'


@dataclass(frozen=True)
class Instructions:
    """How many instructions were executed.

    Attributes:
        init: from the first exec until the runtime asks for its first event.
        invocation: in each invocation from then on, when it has warmed up.
    """

    init: int
    invocation: float


def is_available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def count(place: Place) -> Instructions:
    """Count the instructions of a function that does nothing, the shells that lead to it included.

    Args:
        place: where it runs.

    Raises:
        FunctionError: the function did not load, or an invocation failed.
    """
    init, warm, later = (_count(place, invocations) for invocations in (0, *_INVOCATIONS))
    return Instructions(init, (later - warm) / (_INVOCATIONS[1] - _INVOCATIONS[0]))


def count_until_answer(place: Place, handler: str = "boto3") -> int:
    """Those of one of ``arms.HANDLERS`` until its first event is answered."""
    return _count(place, 1, handler)


def _count(place: Place, invocations: int, handler: str = "empty") -> int:
    """From the first exec until it asks for the event after so many invocations."""
    for _ in range(_TRIES):
        dumps = _dumps(place, invocations, handler)
        if any("Program termination" in dump for dump in dumps):
            return sum(int(dump.partition("totals:")[2].split()[0]) for dump in dumps)
    raise FunctionError("valgrind ended without a report")


def _dumps(place: Place, invocations: int, handler: str) -> list[str]:
    """What callgrind wrote: a dump for each program."""
    api = RuntimeApi()
    stop, stopped = os.pipe()
    counts, counted = os.pipe()
    valgrind = [
        *("valgrind", "--tool=callgrind", "--quiet", "--vgdb=no", "--trace-children=yes"),
        # At an exec what was counted so far is lost, unless it is written down before. A file would
        # be emptied by the next program: hence a pipe, and all parts in what it takes for one file.
        *("--dump-before=execve", "--combine-dumps=yes"),
        f"--callgrind-out-file=/proc/self/fd/{counted}",
    ]
    script = f"exec 4<&{stop}; {_UNTIL_TOLD}"
    command = ["/bin/bash", "-c", script, "count", *valgrind, "/var/runtime/bootstrap"]
    environment = place.environment(handler, api.address, _NOBODY)
    process = subprocess.Popen(
        place.command(*command),
        # Without a fixed seed no two counts are equal.
        env={**environment, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(stop, counted),
    )
    os.close(stop)
    os.close(counted)
    dumps: list[str] = []
    reader = threading.Thread(target=_read, args=(counts, dumps))
    reader.start()
    try:
        api.wait_until_ready()
        for _ in range(invocations):
            api.invoke(b"{}", sampled=place.arm.sampled)
        time.sleep(_SETTLE_S)
    finally:
        os.write(stopped, b"\n")
        os.close(stopped)
        process.wait()
        reader.join()
        api.close()
    return dumps


def _read(counts: int, dumps: list[str]) -> None:
    """Collect callgrind's dumps, each from what triggered it to its sum, until the pipe ends."""
    with os.fdopen(counts) as lines:
        for line in lines:
            if line.startswith("desc: Trigger:"):
                dumps.append("")
            if line.startswith(("desc: Trigger:", "totals:")):
                dumps[-1] += line
