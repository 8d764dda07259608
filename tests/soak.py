"""200,000 invocations of one process, with the layer and without: `make soak`, about ten minutes.

Not part of `make test`. Prints its figures, which docs/reliability.md quotes.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from coldstart_cli.local_lambda import Sandbox
from coldstart_cli.local_lambda.sandbox import new_trace_header
from conftest import ready

INVOCATIONS = 200_000
BLOCK = 10_000
ONE_IN = 20  # is sampled for X-Ray

HANDLER = """
    import logging, os
    def handler(event, context):
        logging.getLogger().warning("handling")
        return os.getpid()
"""


class Measured:
    """A sandbox, and what it is after each block of invocations."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seconds: list[float] = []
        self.resident: list[int] = []
        self.descriptors: list[int] = []
        self.leaves: list[bool] = []

    async def block(self) -> None:
        began = time.perf_counter()
        for number in range(BLOCK):
            header = new_trace_header(sampled=number % ONE_IN == 0)
            outcome = await self.sandbox.send(trace_header=header).outcome
            if number % 100 == 0:
                self.leaves += [
                    leaf["annotations"]["ColdStart"] for leaf in self.sandbox.xray.read()
                ]
        self.seconds.append(time.perf_counter() - began)
        self.leaves += [leaf["annotations"]["ColdStart"] for leaf in self.sandbox.xray.read()]
        process = Path("/proc") / outcome.body.decode()
        pages = int((process / "statm").read_text().split()[1])
        self.resident.append(pages * 4096)
        self.descriptors.append(len(list((process / "fd").iterdir())))

    def report(self, name: str) -> float:
        """Print it; returns the growth of resident memory in bytes per 1,000 invocations."""
        # The first block is left out: there caches fill.
        counts = [BLOCK * number for number in range(2, len(self.resident) + 1)]
        slope = statistics.linear_regression(counts, self.resident[1:]).slope * 1000
        rate = statistics.median(BLOCK / seconds for seconds in self.seconds)
        print(
            f"\n{name}: {rate:.0f} invocations a second (median of {len(self.seconds)} blocks of"
            f" {BLOCK:,}); resident memory {self.resident[0] >> 10:,} kB after the first block,"
            f" {self.resident[-1] >> 10:,} kB after the last, {slope:+.0f} bytes in 1,000"
            f" invocations; {self.descriptors[0]} descriptors, then {self.descriptors[-1]}"
        )
        return slope


async def test_soak(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, HANDLER)
    async with (
        Sandbox(function, json_logs=True) as bare,
        Sandbox(function, wrapper=wrapper, json_logs=True) as layered,
    ):
        measured = Measured(bare), Measured(layered)
        for sandbox in (bare, layered):
            await ready(sandbox)
        for number in range(INVOCATIONS // BLOCK):
            # In turns, and each first as often as the other: the machine's mood is shared.
            for one in measured if number % 2 else measured[::-1]:
                await one.block()
        slopes = [one.report(name) for one, name in zip(measured, ("bare", "layer"), strict=True)]
        ratio = statistics.median(
            bare_block / layer_block
            for bare_block, layer_block in zip(
                measured[0].seconds, measured[1].seconds, strict=True
            )
        )
        print(f"throughput with the layer: {ratio:.3f} of that without (median of pairs)")

        cold_starts = [0, 0]
        with (Path(layered._folder.name) / "stdout").open() as lines:
            for line in lines:
                document = json.loads(line)
                if "message" in document:
                    cold_starts[document["cold_start"]] += 1
        assert cold_starts == [INVOCATIONS - 1, 1]
        assert measured[1].leaves == [True] + [False] * (INVOCATIONS // ONE_IN - 1)
        assert layered.stderr == bare.stderr == ""
    assert measured[1].descriptors[0] == measured[1].descriptors[-1]
    # Less than a byte an invocation more than without.
    assert slopes[1] - max(slopes[0], 0) < 1000
