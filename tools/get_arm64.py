"""Gets what the layer runs on where a function's architecture is arm64, to be emulated here.

    python tools/get_arm64.py FOLDER

That is Debian's CPython and bash for arm64, and the emulator, ``FOLDER/qemu-aarch64``. The file
``FOLDER/found`` then has one line for the CPython, as ``cpythons.py`` prints them.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import debian
import get_cpythons

VERSION = "3.14"
EMULATOR = "qemu-aarch64"


def get_emulator(folder: Path) -> None:
    """Take QEMU's emulator of arm64 programs out of its package.

    Raises:
        debian.PackageError: it cannot be had.
    """
    with tempfile.TemporaryDirectory() as scratch:
        suite = debian.Suite(get_cpythons.SUITES[0], get_cpythons.architecture(), Path(scratch))
        (package,) = (it for it in suite.fetch("qemu-user") if it.name.startswith("qemu-user_"))
        # It has those of all other architectures too, 40 of them.
        command = ["dpkg-deb", "--fsys-tarfile", str(package)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking,
            tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive,
        ):
            for member in archive:
                program = archive.extractfile(member)
                if member.name == f"./usr/bin/{EMULATOR}" and program is not None:
                    (folder / EMULATOR).write_bytes(program.read())
                    (folder / EMULATOR).chmod(0o755)
                    unpacking.kill()
                    return
    raise debian.PackageError(f"qemu-user has no {EMULATOR}")


def main() -> int:
    """Get all of it, and say how long that took."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Getting Python {VERSION} for arm64 (the first time only) ...", flush=True)
    began = time.monotonic()
    try:
        get_emulator(folder)
        get_cpythons.get_from_debian([VERSION], folder, "arm64", "bash")
        root = folder / f"debian-{VERSION}"
        debian.relocate(root / "usr/bin/bash", root, get_cpythons.PATCHELF)
    except debian.PackageError as error:
        print(f"Python {VERSION} for arm64 cannot be had here: {error}")
        return 1
    (folder / "found").write_text(f"{VERSION} {root}/usr/bin/python{VERSION}\n")
    print(f"Got it in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
