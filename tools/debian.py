"""Gets packages of a newer Debian than the machine's, with all they need down to the C library.

Nothing is installed: the packages are unpacked into a folder. apt-get runs with lists and a cache
of its own, so neither root nor the machine's package database is involved. It checks signatures.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_DEFAULT_MIRROR = "http://deb.debian.org/debian"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# What extension modules may need. One that brings a search path of its own would be given the
# machine's, which do not fit, if these were not loaded already.
_PRELOADED = ["libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"]
_PRELOADED += ["libgcc_s.so.1", "libstdc++.so.6"]


class PackageError(Exception):
    """A package cannot be had; the message says why."""


class Suite:
    """One suite of Debian's archive, for one architecture."""

    def __init__(self, name: str, architecture: str, scratch: Path) -> None:
        """Fetch its list of packages.

        Args:
            name: such as ``forky``.
            architecture: by Debian's name, such as ``arm64``.
            scratch: an empty folder for lists and packages, of no use afterwards.

        Raises:
            PackageError: the list cannot be fetched.
        """
        for program in ("apt-get", "dpkg-deb"):
            if shutil.which(program) is None:
                raise PackageError(f"no {program} on this machine")
        self._scratch = scratch
        for folder in ("lists/partial", "cache", "state"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "state/status").touch()  # nothing is installed: so all that is needed is fetched
        signed_by = f" signed-by={_KEYRING}" if _KEYRING.exists() else ""
        source = f"deb [arch={architecture}{signed_by}] {_mirror()} {name} main\n"
        (scratch / "sources.list").write_text(source)
        options = {
            "Dir::State": scratch / "state",
            "Dir::State::lists": scratch / "lists",
            "Dir::State::status": scratch / "state/status",
            "Dir::Cache": scratch / "cache",
            "Dir::Etc::sourcelist": scratch / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Default-Release": name,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",  # apt's own user cannot read this folder
            "Acquire::Check-Valid-Until": "false",  # a mirror may stand still for longer
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        self._apt_get = ["apt-get", "-qq", "--yes"]
        self._apt_get += [f"-o{name}={value}" for name, value in options.items()]
        _run([*self._apt_get, "update"])

    def fetch(self, *packages: str) -> list[Path]:
        """Download the packages and all that they depend on.

        Raises:
            PackageError: there is no such package, or it cannot be downloaded.
        """
        archives = self._scratch / "archives" / "-".join(packages)
        (archives / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::Cache::archives={archives}"]
        _run([*self._apt_get, *own, "install", "--download-only", *packages])
        return sorted(archives.glob("*.deb"))


def unpack(packages: list[Path], root: Path) -> None:
    """Unpack them into ``root``, as if it were the root directory."""
    root.mkdir(parents=True)
    for package in packages:
        _run(["dpkg-deb", "--extract", package, root])


def relocate(program: Path, root: Path, patchelf: Path) -> None:
    """Make an unpacked program run with the C library that it came with.

    It can be mounted elsewhere then, if ``root`` is to be found in its place too.
    """
    loaders = list(root.glob("usr/lib/*/ld-linux-*.so.?"))
    if len(loaders) != 1:
        raise PackageError(f"{root} has {len(loaders)} loaders")
    libraries = loaders[0].parent
    preloaded = [name for name in _PRELOADED if (libraries / name).exists()]
    command: list[str | Path] = [patchelf, "--set-interpreter", loaders[0]]
    # The old form of the search path: it holds for the libraries that libraries need, too.
    command += ["--force-rpath", "--set-rpath", libraries]
    for name in preloaded:
        command += ["--add-needed", name]
    _run([*command, program])


def _mirror() -> str:
    """Debian's archive as this machine's apt is set up to reach it."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    for uri in run.stdout.split():
        if re.search(r"/debian(\.list)?/?$", uri):
            return uri
    return _DEFAULT_MIRROR


def _run(command: list[str | Path]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        lines = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        errors = [line for line in lines if line.startswith("E: ")] or lines
        raise PackageError(f"{Path(command[0]).name}: {errors[0].removeprefix('E: ')}")
