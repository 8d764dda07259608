"""Builds the layer: the wrapper, the shim and the package, with bytecode for each CPython found.

    python tools/build_layer.py zip dist/coldstart-layer.zip
    python tools/build_layer.py folder DIR

The same sources and the same CPythons give the same bytes.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import zipfile
from pathlib import Path

import cpythons
from strip_source import strip_shell, strip_source

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("python/coldstart_layer")
# A reference, as the license's appendix has it: the whole text would be a thirtieth of the zip.
_LICENSE = """\
lambda-coldstart-layer is licensed under the Apache License, Version 2.0; you may not use it except
in compliance with the License. You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License is
distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or
implied. See the License for the specific language governing permissions and limitations under it.
"""


def build(folder: Path) -> list[str]:
    """Lay the layer out in ``folder``, as it is to stand under /opt.

    Returns:
        The Python versions it has bytecode for.
    """
    sources = ROOT / "layer"
    # Where each is to stand. Lambda reads the shim and the wrapper at each start, and counts bytes.
    places = {
        sources / "bootstrap.py": folder / "coldstart/bootstrap.py",
        # With a name that nobody can import.
        sources / "from_source.py": folder / PACKAGE / "from-source.py",
    }
    for source in sorted((sources / PACKAGE.name).rglob("*.py")):
        places[source] = folder / "python" / source.relative_to(sources)
    for source, target in places.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(strip_source(source.read_text()))
    package = folder / PACKAGE
    (package / "LICENSE").write_text(_LICENSE)
    wrapper = folder / "coldstart-wrapper"
    wrapper.write_text(strip_shell((ROOT / "wrapper/coldstart-wrapper").read_text()))
    wrapper.chmod(0o755)
    script = sources / "from_bytecode.py"
    found = cpythons.find()
    for version, python in found.items():
        target = package / f"cpython-{version.replace('.', '')}.bytecode"
        compiler = ROOT / "tools/compile_layer.py"
        # With line numbers, but without columns: those would be a fifth of the zip. A fixed hash
        # seed: bytecode holds sets in the order of their hashes.
        subprocess.run(
            [python, "-sSB", "-X", "no_debug_ranges", compiler, package.parent, script, target],
            check=True,
            env={"PYTHONHASHSEED": "0"},
        )
    return list(found)


def write_zip(folder: Path, target: Path) -> None:
    """Zip ``folder`` so that nothing but its contents shows in the bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())  # dated 1980
                mode = 0o755 if path.name == "coldstart-wrapper" else 0o644
                entry.external_attr = (0o100000 | mode) << 16
                entry.create_system = 3  # Unix: else the mode is not read
                # An entry of one's own does not take the level from the archive.
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    partial.replace(target)


def main() -> None:
    """Build what the command line asks for, and say what it covers."""
    parser = argparse.ArgumentParser(description="Build the Lambda layer.")
    parser.add_argument("form", choices=["zip", "folder"])
    parser.add_argument("target", type=Path, help="the zip file, or the folder, to make")
    arguments = parser.parse_args()
    if arguments.form == "folder":
        covered = build(arguments.target)
        size = ""
    else:
        with tempfile.TemporaryDirectory() as scratch:
            covered = build(Path(scratch))
            write_zip(Path(scratch), arguments.target)
        size = f" ({arguments.target.stat().st_size / 1000:.0f} kB)"
    print(f"{arguments.target}{size}: bytecode for Python {', '.join(covered)}")
    missing = [runtime for runtime in cpythons.RUNTIMES if runtime not in covered]
    if missing:
        print(
            f"Not found here: Python {', '.join(missing)}. The layer works there too, but compiles"
            " its modules at each cold start."
        )


if __name__ == "__main__":
    main()
