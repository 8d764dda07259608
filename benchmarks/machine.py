"""What was measured with: the machine, the versions, the sizes of packages."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterable
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path

from coldstart_cli.local_lambda.layer import default_layer
from coldstart_layer import __version__

from benchmarks.arms import Arm
from benchmarks.layouts import BUILD, MANAGED_RUNTIME, site_packages


def describe(arms: Iterable[Arm]) -> dict[str, str]:
    """The machine and the versions of what was measured, by name."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "system": f"{os.uname().sysname} {os.uname().release}",
        "CPython": _cpython(),
        "lambda-coldstart-layer": __version__,
        **_versions(site_packages(MANAGED_RUNTIME), "awslambdaric", "boto3"),
        **{
            name: version
            for arm in arms
            if arm.packages is not None and arm.distribution is not None
            for name, version in _versions(
                site_packages(BUILD / arm.packages), arm.distribution
            ).items()
        },
    }


def zipped_bytes(arm: Arm) -> int:
    """How large the arm's layer is: this one's zip, or the packages of another one.

    Those are without bytecode, and without what Lambda's own runtime has.
    """
    if arm.layer:
        return default_layer().stat().st_size
    if arm.packages is None:
        return 0
    folder = site_packages(BUILD / arm.packages)
    runtime = {_project(path) for path in site_packages(MANAGED_RUNTIME).iterdir()}
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as layer:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            ours = _project(folder / inside.parts[0]) not in runtime
            if ours and path.is_file() and path.suffix != ".pyc":
                layer.write(path, str(inside))
    return len(archive.getvalue())


def _project(path: Path) -> str:
    """What a file or folder in site-packages belongs to: ``six`` of ``six-1.17.0.dist-info``."""
    return path.name.partition("-")[0].partition(".")[0]


def _versions(folder: Path, *names: str) -> dict[str, str]:
    found = {it.name.replace("_", "-"): it.version for it in distributions(path=[str(folder)])}
    return {name: found[name] for name in names}


def _cpython() -> str:
    for line in (MANAGED_RUNTIME / "pyvenv.cfg").read_text().splitlines():
        name, _, value = line.partition(" = ")
        if name in ("version", "version_info"):
            return value
    return "unknown"


def _cpu() -> str:
    """Its model; what virtual machines say of it is short, so with family and model number."""
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    numbers = ", ".join(
        f"{name} {facts[name]}" for name in ("cpu family", "model") if name in facts
    )
    return f"{facts.get('model name', os.uname().machine)} ({numbers})"
