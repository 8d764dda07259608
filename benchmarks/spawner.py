"""Starts a function's processes inside Lambda's file layout, one at a time.

A script of its own, with the standard library alone: it runs in the layout, on the CPython there,
and does what it is told on stdin. So the clock of a start begins right before the exec of
/var/runtime/bootstrap, and the mounts are not in it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def start(environment: dict[str, str], core: int) -> dict[str, int]:
    """Start the runtime; all it writes goes to a file in memory.

    Returns:
        Its process id here, that file's descriptor, and the time right before the start on the
        monotonic clock, which all processes share, in nanoseconds.
    """
    # The function inherits it. This process sleeps meanwhile.
    os.sched_setaffinity(0, {core})
    output = os.memfd_create("output")
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    command = "/var/runtime/bootstrap"
    began = time.monotonic_ns()
    # By vfork: it returns when the process has been exec'd, and this one's size does not matter.
    pid = os.posix_spawn(command, [command], environment, file_actions=files, setpgroup=0)
    return {"pid": pid, "output": output, "began_ns": began}


def look(pid: int, output: int) -> dict[str, int]:
    """The peak of its resident memory in kB (VmHWM in proc(5)), and how much it has written."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return {"peak_kb": int(peak), "output_bytes": os.fstat(output).st_size}


def send(pid: int, name: str) -> None:
    """Send it, and all that it started, the signal of that name."""
    os.killpg(pid, signal.Signals[name])


def tail(output: int) -> str:
    """The end of what it has written."""
    size = os.fstat(output).st_size
    return os.pread(output, 4000, max(size - 4000, 0)).decode(errors="replace")


def end(pid: int, output: int) -> None:
    """End it with all that it started."""
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:  # this is the namespace's init: orphans come here
            pass
    except ChildProcessError:
        pass
    os.close(output)


def main() -> None:
    """Do what each line on stdin says, until it ends: the name of a function here, its arguments.

    The answer is a line on stdout.
    """
    functions: dict[str, Any] = {
        "start": start,
        "look": look,
        "send": send,
        "tail": tail,
        "end": end,
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(functions[name](**arguments)), flush=True)


if __name__ == "__main__":
    main()
