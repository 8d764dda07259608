"""`make bench`, in small: it measures and tells, and the layer stays within its instructions."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lambda_layout
import pytest
from conftest import ROOT

from benchmarks import arms, chart, instructions
from benchmarks.arms import Arm
from benchmarks.differences import paired
from benchmarks.layouts import Place

# Added to those of a bare runtime, as measured with CPython 3.13 on x86_64 on 2026-11-28: a busy
# machine does not change them. The processor and how CPython was compiled do a little.
INIT = 6_240_000
INVOCATION = 13_500
SAMPLED_INVOCATION = 80_000
PROFILE = 8_150_000
MARGIN = 1.15


@dataclass(frozen=True)
class Run:
    tables: str
    results: dict[str, Any]
    chart: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    lambda_layout.require()
    if not instructions.is_available():
        lambda_layout.unavailable("valgrind is not installed")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # one for all workers: whoever comes first measures
    results, drawn, tables = (folder / f"benchmark.{it}" for it in ("json", "svg", "txt"))
    with (folder / "benchmark.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tables.exists():
            command = [sys.executable, "-m", "benchmarks", "--rounds", "2"]
            command += ["--json", results, "--chart", drawn]
            command += ["--row", arms.POWERTOOLS.name.strip()]
            environment = {**os.environ, "PYTHONPATH": "tests:tests/support"}
            measured = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True
            )
            assert measured.returncode == 0, measured.stderr
            tables.write_text(measured.stdout)
    return Run(tables.read_text(), json.loads(results.read_text()), drawn)


def test_added_instructions(run) -> None:
    counted = run.results["instructions"]
    bare, ours = counted[arms.BARE.name], counted[arms.OURS.name]
    sampled = counted[arms.OURS_SAMPLED.name]
    assert 0 < ours["init"] - bare["init"] < INIT * MARGIN
    assert 0 < ours["invocation"] - bare["invocation"] < INVOCATION * MARGIN
    assert 0 < sampled["invocation"] - bare["invocation"] < SAMPLED_INVOCATION * MARGIN


def test_bytes_written(run) -> None:
    def written(arm: Arm, what: str) -> set[float]:
        return {it for values in run.results["samples"][arm.name][what] for it in values}

    # The EMF document, whose numbers vary in length.
    assert all(600 < size < 750 for size in written(arms.OURS, "start_bytes"))
    assert written(arms.BARE, "start_bytes") == {0}
    assert written(arms.OURS, "warm_bytes") == written(arms.OURS_SAMPLED, "warm_bytes") == {0}


def test_telling_of_imports(tmp_path) -> None:
    """What COLDSTART_PROFILE=on adds to a start with a hundred modules, until the first answer."""
    lambda_layout.require()
    if not instructions.is_available():
        lambda_layout.unavailable("valgrind is not installed")

    def count(arm: Arm) -> int:
        place = Place(arm, tmp_path / arm.name.strip())
        try:
            return instructions.count_until_answer(place, "library")
        finally:
            place.close()

    with ThreadPoolExecutor(2) as pool:
        off, on = pool.map(count, (arms.OURS, arms.OURS_PROFILED))
    assert 0 < on - off < PROFILE * MARGIN, on - off


def test_each_row_is_measured(run) -> None:
    for samples in run.results["samples"].values():
        for what in ("init_ms", "first_us", "invocation_us", "peak_kb"):
            assert len(samples[what]) >= 1
            assert all(value > 0 for values in samples[what] for value in values), what
    assert [target["reached"] for target in run.results["targets"]].count(None) == 0


def test_tables_fit(run) -> None:
    assert "…" not in run.tables
    assert max(map(len, run.tables.splitlines())) <= 100
    for name in (arms.BARE.name, arms.OURS.name, arms.POWERTOOLS.name):
        assert f"\n {name} " in run.tables


def test_an_unknown_row() -> None:
    command = [sys.executable, "-m", "benchmarks", "--row", "nothing"]
    environment = {**os.environ, "PYTHONPATH": "tests:tests/support"}
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "'nothing'" in refused.stderr


def test_the_chart_for_light_and_dark(run) -> None:
    text = run.chart.read_text()
    drawing = ElementTree.fromstring(text)
    shown = " ".join(drawing.itertext())
    assert arms.POWERTOOLS.name in shown
    assert "prefers-color-scheme: dark" in shown
    assert "href" not in text


def test_a_bars_length_is_what_it_says(tmp_path) -> None:
    bars = [chart.Bar("<this>", 2.5, ours=True), chart.Bar("that", 250.0)]
    chart.draw(bars, "title", "note", tmp_path / "chart.svg")
    drawing = ElementTree.parse(tmp_path / "chart.svg").getroot()
    widths = [
        float(it.attrib["width"])
        for it in drawing.iter("{http://www.w3.org/2000/svg}rect")
        if it.attrib.get("class") != "ground"
    ]
    assert widths[1] == pytest.approx(100 * widths[0], rel=0.02)
    assert "<this>" in " ".join(drawing.itertext())


def test_differences_are_within_a_round() -> None:
    """What slows down a whole round is not taken for the arm's."""
    bare = [[10.0, 11.0], [30.0, 31.0], [10.0, 11.0]]
    arm = [[12.0, 13.0], [32.0, 33.0], [13.0, 14.0]]
    difference = paired(arm, bare)
    assert difference.median == 2.0
    assert (difference.low, difference.high) == (2.0, 3.0)
    once_each = [[12.0], [32.0], [12.0]]
    assert paired(once_each, bare).median == 2.0
