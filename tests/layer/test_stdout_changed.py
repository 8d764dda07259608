"""Functions that detach, close, replace or redirect stdout: the metric goes where Lambda reads.

It must not go into a file or a socket that is the function's own by then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from with_and_without import see


@dataclass
class Kind:
    """What a function does to stdout while its module loads.

    Attributes:
        code: that.
        metric: whether the metric reaches Lambda; where it does not, one line on stderr says so.
        prints: whether what the function prints does.
    """

    code: str
    metric: bool = True
    prints: bool = False


KINDS = {
    "detached and wrapped anew": Kind(
        "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8', line_buffering=True)",
        prints=True,
    ),
    "detached, the buffer kept": Kind(
        """
buffer = sys.__stdout__.detach()
class Stream:
    def write(self, text):
        buffer.write(text.encode())
        buffer.flush()
sys.stdout = Stream()
        """,
        prints=True,
    ),
    "opened once more": Kind("sys.stdout = open(1, 'w', closefd=False, buffering=1)", prints=True),
    "opened once more, unbuffered": Kind(
        "sys.stdout = io.TextIOWrapper(open(1, 'wb', 0, closefd=False), write_through=True)",
        prints=True,
    ),
    "replaced by a string": Kind("sys.stdout = io.StringIO()"),
    "replaced by nothing": Kind("sys.stdout = None"),
    "both names replaced": Kind("sys.stdout = sys.__stdout__ = io.StringIO()"),
    "both names replaced by nothing": Kind("sys.stdout = sys.__stdout__ = None"),
    "another encoding": Kind(
        "sys.stdout.reconfigure(encoding='cp1252', errors='strict')", prints=True
    ),
    "ASCII, strictly": Kind(
        "sys.stdout.reconfigure(encoding='ascii', errors='strict')", prints=True
    ),
    "other line ends": Kind("sys.stdout.reconfigure(newline='\\r\\n')", prints=True),
    "written through": Kind(
        "sys.stdout.reconfigure(write_through=True, line_buffering=True)", prints=True
    ),
    "something left in its buffer": Kind("sys.__stdout__.write('left\\n')", prints=True),
    "closed, which leaves the descriptor open": Kind("sys.stdout.close(); sys.stdout = log"),
    "closed, the descriptor of a file": Kind(
        "sys.__stdout__.close(); os.close(1); sys.stdout = opened(1)", metric=False
    ),
    "closed, the descriptor of a file, and the loader asked": Kind(
        "sys.__stdout__.close(); os.close(1); sys.stdout = opened(1)\n"
        "import awslambdaric.bootstrap as runtime; runtime._get_handler('json.dumps')",
        metric=False,
    ),
    "closed, the descriptor of a socket": Kind(
        "sys.__stdout__.close(); os.close(1); sys.stdout = connected(1)", metric=False
    ),
    "closed, the descriptor of whatever comes": Kind(
        "sys.__stdout__.close(); os.close(1); sys.stdout = log", metric=False
    ),
    "detached, the descriptor of a file": Kind(
        "kept = sys.__stdout__.detach(); os.close(1); sys.stdout = opened(1)", metric=False
    ),
    "detached, the descriptor redirected to a file": Kind(
        "kept = sys.__stdout__.detach(); log = opened(); os.dup2(log.fileno(), 1)\n"
        "sys.stdout = log",
        metric=False,
    ),
    "the descriptor of a file": Kind("os.close(1); sys.stdout = opened(1)", metric=False),
    "the descriptor of a socket": Kind("os.close(1); sys.stdout = connected(1)", metric=False),
    "the descriptor of whatever comes": Kind("os.close(1); sys.stdout = log", metric=False),
    "the descriptor redirected to a file": Kind(
        "log = opened(); os.dup2(log.fileno(), 1); sys.stdout = log",
        metric=False,
    ),
    "the descriptor redirected to a file, and print as well": Kind(
        "log = opened(); os.dup2(log.fileno(), 1)", metric=False
    ),
    "the descriptor redirected for a while": Kind(
        "kept = os.dup(1); file = opened(); os.dup2(file.fileno(), 1); print('away', flush=True)\n"
        "os.dup2(kept, 1)",
        prints=True,
    ),
    "redirected for a while": Kind(
        "\nwith contextlib.redirect_stdout(io.StringIO()):\n    print('away')\n", prints=True
    ),
}
FUNCTION = """
import contextlib, io, os, socket, sys

log = io.StringIO()
path = __file__ + ".own"

def opened(descriptor=None):
    file = open(path, "a", buffering=1)
    assert descriptor is None or file.fileno() == descriptor
    return file

def connected(descriptor):
    global ours, theirs
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    assert ours.fileno() == descriptor
    return ours.makefile("w", buffering=1)

def own():
    if "theirs" in globals():
        return theirs.recv(100000).decode()
    return open(path).read() if os.path.exists(path) else log.getvalue()

CHANGE

def handler(event, context):
    if sys.stdout is not None:
        print("handling")
    return own() if event == "last" else "answer"
"""


@pytest.mark.each_end
@pytest.mark.parametrize("name", KINDS)
async def test_stdout(wrapper, runtime, make_function, name: str) -> None:
    kind = KINDS[name]
    function = make_function(runtime, FUNCTION.replace("CHANGE", kind.code))
    runs = []
    for which in (None, wrapper):
        (function.task_root / "app.py.own").unlink(missing_ok=True)
        runs.append(await see(function, which, events=("first", "last")))
    bare, layered = runs
    assert layered.outcomes == bare.outcomes  # the last one is what is in the function's own file
    printed = ["".join(line for part in it.raw for line in part).split() for it in runs]
    assert printed[0] == printed[1]
    assert ("handling" in str(printed)) == kind.prints
    told = layered.stderr.removeprefix(bare.stderr)
    if kind.metric:
        assert [it["start_type"] for it in layered.metrics] == ["cold"]
        assert told == ""
    else:
        assert layered.metrics == []
        assert re.fullmatch("coldstart-layer: metrics skipped: .+\\n", told)
