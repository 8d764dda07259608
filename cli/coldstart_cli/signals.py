"""Reads what the layer told back out of what a function wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Signals:
    """The verdict on one invocation as each signal has it; None where it was not given there.

    Attributes:
        log: ``cold_start`` of the log lines; more than one value where lines contradict each other.
        emf: ``ColdStart`` of the EMF document.
        xray: the annotation ``ColdStart``.
        start_types: as EMF and X-Ray have it; more than one where they contradict each other.
        init_ms: ``InitDuration`` of the EMF document, in milliseconds.
    """

    log: frozenset[bool]
    emf: bool | None
    xray: bool | None
    start_types: frozenset[str]
    init_ms: float | None

    @property
    def flags(self) -> frozenset[bool]:
        """What the signals say, all together: empty where nothing was told."""
        return self.log | {flag for flag in (self.emf, self.xray) if flag is not None}

    @property
    def start_type(self) -> str | None:
        """The start type, if one was told."""
        return " or ".join(sorted(self.start_types)) or None

    @property
    def agree(self) -> bool:
        """Whether all signals that were given say the same."""
        return len(self.flags) <= 1 and len(self.start_types) <= 1


def json_lines(text: str) -> Iterable[dict[str, Any]]:
    """The lines of ``text`` that are JSON objects."""
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                parsed = json.loads(line)
            except ValueError:
                continue
            if isinstance(parsed, dict):
                yield parsed


def read(stdout: str, documents: Iterable[dict[str, Any]]) -> Signals:
    """What one invocation told.

    Args:
        stdout: what the function wrote meanwhile, its log lines in JSON format.
        documents: the X-Ray documents it sent.
    """
    lines = list(json_lines(stdout))
    # Powertools has a metric of the same name; only ours tells the start type.
    metrics = [line for line in lines if {"_aws", "ColdStart", "start_type"} <= set(line)]
    emf: dict[str, Any] = metrics[0] if metrics else {}
    log = frozenset(
        line["cold_start"]
        for line in lines
        if "_aws" not in line and isinstance(line.get("cold_start"), bool)
    )
    leaves = [document for document in documents if document.get("name") == "coldstart"]
    annotations: dict[str, Any] = leaves[0].get("annotations", {}) if leaves else {}
    return Signals(
        log=log,
        emf=bool(emf["ColdStart"]) if emf else None,
        xray=annotations.get("ColdStart"),
        start_types=frozenset(
            told for told in (emf.get("start_type"), annotations.get("StartType")) if told
        ),
        init_ms=emf.get("InitDuration"),
    )
