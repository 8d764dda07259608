"""What a start and an invocation cost, in instructions: a busy machine does not change those.

``make bench`` prints the same ones beside those of a bare runtime. They depend a little on the
processor and on how CPython was compiled: hence a margin.
"""

from __future__ import annotations

from pathlib import Path

import lambda_layout

from benchmarks import arms, instructions
from benchmarks.arms import Arm
from benchmarks.instructions import Instructions
from benchmarks.layouts import Place

# Added to a bare runtime's. As measured with CPython 3.13 on an x86_64 machine on 2026-11-25.
INIT = 6_240_000
INVOCATION = 16_000
SAMPLED_INVOCATION = 87_000
MARGIN = 1.15


def count(arm: Arm, folder: Path) -> Instructions:
    place = Place(arm, folder)
    try:
        return instructions.count(place)
    finally:
        place.close()


def test_added_instructions(tmp_path) -> None:
    lambda_layout.require()
    if not instructions.is_available():
        lambda_layout.unavailable("valgrind is not installed")
    bare, ours, sampled = (
        count(arm, tmp_path / str(number))
        for number, arm in enumerate((arms.BARE, arms.OURS, arms.OURS_SAMPLED))
    )
    assert ours.init - bare.init < INIT * MARGIN
    assert ours.invocation - bare.invocation < INVOCATION * MARGIN
    assert sampled.invocation - bare.invocation < SAMPLED_INVOCATION * MARGIN
