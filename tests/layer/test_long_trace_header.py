"""A trace header of 131 kB, which Lambda passes on, costs no more to read than one of 2 kB."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest
from coldstart_layer.trace_header import parse
from conftest import RUNTIMES
from with_and_without import compare

START = "Root=1-6b0ad308-fb89f8bf217c45c3a9f836fe;Parent=06b7157b8c954c25;Sampled=1"
LENGTH = 131_000
# What may fill it: fields, white space that is stripped, separators, one long field, dashes.
FILLERS = {
    "fields": ";Lineage=a:1",
    "separators": ";",
    "spaces": " ;",
    "equal signs": "=",
    "one field": "x",
    "dashes": "-",
}


def filled(filler: str, length: int = LENGTH) -> str:
    return (START + ";Self=" + filler * length)[:length]


def lines_run(header: str, only_if_sampled: bool) -> int:
    """How many lines of Python it takes to read the header."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        parse(header, only_if_sampled)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("only_if_sampled", [False, True])
@pytest.mark.parametrize("filler", FILLERS.values(), ids=FILLERS)
def test_what_it_costs_to_read(filler: str, only_if_sampled: bool) -> None:
    # The longest that a header of real fields gets, and then some.
    assert lines_run(filled(filler), only_if_sampled) == lines_run(
        filled(filler, 2_000), only_if_sampled
    )
    header = filled(filler)
    tracemalloc.start()
    try:
        trace = parse(header, only_if_sampled)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LENGTH  # not even a copy of it
    assert trace.text is header
    assert (trace.root, trace.parent, trace.sampled) == (
        "1-6b0ad308-fb89f8bf217c45c3a9f836fe",
        "06b7157b8c954c25",
        True,
    )


@pytest.mark.parametrize("filler", FILLERS.values(), ids=FILLERS)
def test_fields_behind_all_that_are_not_looked_for(filler: str) -> None:
    trace = parse("Self=" + filler * LENGTH + ";" + START)
    assert (trace.root, trace.parent, trace.sampled) == (None, None, False)


@pytest.mark.parametrize("runtime", [RUNTIMES[0], RUNTIMES[-1]], ids=lambda it: it.name)
async def test_the_function_gets_it_whole(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        import os, zlib
        def handler(event, context):
            header = os.environ.get("_X_AMZN_TRACE_ID", "")
            return [len(header), zlib.crc32(header.encode()), header[:40]]
        """,
    )
    # The runtime's own client, libcurl, takes lines of up to 100 KiB.
    length = 102_000
    behind = "Self=" + "y" * (length - 100) + ";" + START
    headers = (filled(";Lineage=a:1", length), filled("x", length), behind)
    bare, layered = await compare(function, wrapper, events=("a", "b", "c"), trace_headers=headers)
    assert [answer[0] for answer in bare.answers] == [len(header) for header in headers]
    # The third one's fields stand too far behind.
    traces = [leaf["trace_id"] for leaf in layered.leaves]
    assert traces == ["1-6b0ad308-fb89f8bf217c45c3a9f836fe"] * 2
    assert all(len(json.dumps(leaf)) < 1000 for leaf in layered.leaves)
    assert [metric["xray_trace_id"] for metric in layered.metrics] == traces[:1]
