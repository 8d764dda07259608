"""A report as JSON, for programs.

The shape is that of the data classes in figures.py, field by field, with their names and units:
``begin`` and ``end`` in epoch seconds, ``source``, ``gaps`` (a line for each thing that was not
read or is not known), and ``functions``, each with its figures and ``cold_start_rate``. What is not
known is null; a number is never a stand-in for that: where a function is ``partial``, a count or
sum that is 0 because none of its lines were read is null (``invocations``, ``cold_starts``,
``platform_inits``, ``platform_restores``, ``billed_ms``, ``billed_init_ms``; if not 0, they are at
least that much). ``version`` changes when a field is renamed or gone, or means something else;
fields may be added without.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from coldstart_cli.report.advice.advise import Advice
from coldstart_cli.report.figures import Report

VERSION = 1

# What is counted from lines, and too low where not all of them were read.
_AT_LEAST = (
    "invocations", "cold_starts", "platform_inits", "platform_restores", "billed_ms",
    "billed_init_ms",
)  # fmt: skip


def as_json(report: Report, advice: Sequence[Advice]) -> str:
    """The whole report, and the advice on it, as a JSON document."""
    document: dict[str, Any] = {"version": VERSION, **dataclasses.asdict(report)}
    for function, figures in zip(document["functions"], report.functions, strict=True):
        function["cold_start_rate"] = figures.cold_start_rate
        if figures.partial:
            function.update({name: None for name in _AT_LEAST if not function[name]})
    document["advice"] = [dataclasses.asdict(one) for one in advice]
    return json.dumps(document, indent=2, allow_nan=False)
