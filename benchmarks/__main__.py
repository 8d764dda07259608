"""The command line: `make bench` runs it with all that it needs set up."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks import arms, chart, instructions, machine, scale
from benchmarks.differences import median
from benchmarks.layouts import Place, is_installed
from benchmarks.report import show
from benchmarks.results import Results
from benchmarks.runtime_api import FunctionError
from benchmarks.starts import Measurement

_T = TypeVar("_T")
_COUNTED = (arms.BARE, *arms.FLOORS, arms.OURS, arms.OURS_SAMPLED)
# What the targets are about.
_ALWAYS = (arms.BARE, arms.OURS, arms.OURS_SAMPLED)
_ROWS = [arm.name.strip() for arm in arms.ALL if arm not in _ALWAYS]


@click.command()
@click.option(
    "--rounds", type=click.IntRange(2), default=30, show_default=True, help="How often to measure."
)
@click.option(
    "--row",
    "rows",
    multiple=True,
    type=click.Choice(_ROWS),
    metavar="NAME",
    help="Only this one, beside bare and the layer; may be given again. By default all.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all samples there."
)
@click.option("--chart", "chart_file", type=click.Path(path_type=Path), help="Draw there.")
def main(
    rounds: int, rows: tuple[str, ...], json_file: Path | None, chart_file: Path | None
) -> None:
    """Measure what the layer costs, against no layer and against every alternative."""
    asked = rows or _ROWS
    chosen = [arm for arm in arms.ALL if arm in _ALWAYS or arm.name.strip() in asked]
    shown = [arm for arm in chosen if is_installed(arm)]
    for arm in chosen:
        if arm not in shown:
            click.echo(f"{arm.name.strip()} is left out: its packages are not installed", err=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with tempfile.TemporaryDirectory(prefix="coldstart-benchmarks-") as folder, progress:
        places: list[Place] = []
        try:
            for number, arm in enumerate(shown):
                places.append(Place(arm, Path(folder) / str(number)))
            results = _measure(places, rounds, progress)
        except FunctionError as error:
            raise click.ClickException(str(error)) from None
        finally:
            for place in places:
                place.close()
    show(results, Console(width=100))
    if json_file is not None:
        json_file.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if chart_file is not None:
        _draw(results, chart_file)


def _measure(places: Sequence[Place], rounds: int, progress: Progress) -> Results:
    def task(what: str, steps: int) -> Callable[[], None]:
        number = progress.add_task(what, total=steps)
        return lambda: progress.advance(number)

    # What logs is cheap to measure and noisy; what is counted is neither.
    scale_rounds = max(2, rounds // 2)
    started, logged = task("starts", rounds), task("log lines", scale_rounds)
    here = [place.arm for place in places]
    pairs = [pair for _, *pair in arms.PROFILING if all(arm in here for arm in pair)]
    profiled = [arm for pair in pairs for arm in pair]
    to_count = [place for place in places if place.arm in _COUNTED]
    to_profile = [place for place in places if place.arm in profiled]
    counted = task("instructions", len(to_count) + len(to_profile))

    measurement = Measurement(places)
    measurement.measure(rounds, started)
    by_arm = {place.arm.name: place for place in places}
    compared = [by_arm[arms.BARE.name], by_arm[arms.OURS.name]]
    return Results(
        machine.describe(place.arm for place in places),
        rounds,
        measurement.samples,
        {place.arm.name: machine.zipped_bytes(place.arm) for place in places},
        scale.measure(compared, scale_rounds, logged),
        _count(to_count, counted, instructions.count),
        _count(to_profile, counted, instructions.count_until_answer),
    )


def _count(
    places: Sequence[Place], done: Callable[[], None], count: Callable[[Place], _T]
) -> dict[str, _T] | None:
    if not instructions.is_available():
        return None
    counted = {}
    # Side by side: what else the machine does, instructions do not show.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for place, found in zip(places, pool.map(count, places), strict=True):
                counted[place.arm.name] = found
                done()
        except FunctionError as error:  # what took half an hour to measure is not lost by that
            click.echo(f"instructions are left out: {error}", err=True)
            return None
    return counted


def _draw(results: Results, file: Path) -> None:
    bars = [
        chart.Bar(arm.name, results.added(arm, "init_ms").median, ours=arm == arms.OURS)
        for arm in (arms.OURS, *arms.ALTERNATIVES)
        if arm.name in results.samples and not arm.name.startswith(" ")
    ]
    bare = median(results.samples[arms.BARE.name].init_ms)
    versions = results.machine
    chart.draw(
        sorted(bars, key=lambda bar: bar.value),
        f"Added to the init of an empty function, which takes {bare:.0f} ms without",
        f"Median difference to a start without in {results.rounds} rounds; CPython"
        f" {versions['CPython']}, awslambdaric {versions['awslambdaric']}, {versions['date']}",
        file,
    )


if __name__ == "__main__":
    sys.exit(main())
