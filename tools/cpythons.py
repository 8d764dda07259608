"""Finds the CPythons of this machine that Lambda has, or had of late, as a runtime.

Run as a script it prints one line for each: its version and its path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIMES = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

# Of pre-releases the bytecode need not fit the release.
_ASK = """
import sys
print(sys.implementation.name, *sys.version_info[:3])
sys.exit(sys.version_info.releaselevel != "final")
"""


def find() -> dict[str, Path]:
    """The newest patch release of each runtime's CPython found on this machine.

    Looks at the running interpreter, at PATH, where pyenv and uv keep theirs, and where
    `make pythons` puts them.
    """
    newest: dict[str, tuple[int, Path]] = {}
    for path in dict.fromkeys(_candidates()):
        version = _cpython_version(path)
        if version is None:
            continue
        runtime, patch = version
        if runtime in RUNTIMES and patch > newest.get(runtime, (-1, path))[0]:
            newest[runtime] = patch, path
    return {runtime: newest[runtime][1] for runtime in RUNTIMES if runtime in newest}


def _candidates() -> Iterator[Path]:
    yield Path(getattr(sys, "_base_executable", sys.executable))  # in a venv, the one it is of
    for runtime in RUNTIMES:
        found = shutil.which(f"python{runtime}")
        if found:
            yield Path(found)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    ours = ROOT / "build/pythons"
    for folder in (pyenv / "versions", home / ".local/share/uv/python", ours):
        for runtime in RUNTIMES:
            yield from sorted(folder.glob(f"*/bin/python{runtime}"))
            yield from sorted(folder.glob(f"*/usr/bin/python{runtime}"))  # from Debian's packages


def _cpython_version(path: Path) -> tuple[str, int] | None:
    """Runtime and patch number of the interpreter at ``path``; None if it is no CPython."""
    try:
        # A pyenv shim is a file that exists and fails: only running it tells.
        run = subprocess.run([path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = run.stdout.split()
    if run.returncode != 0 or len(words) != 4 or words[0] != "cpython":
        return None
    return f"{words[1]}.{words[2]}", int(words[3])


if __name__ == "__main__":
    for runtime, path in find().items():
        print(runtime, path)
