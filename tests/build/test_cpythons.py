"""Getting the CPythons that a machine lacks, and running those that came with their own libc."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cpythons
import debian
import get_cpythons
import lambda_layout
import pytest
from conftest import ROOT, RUNTIMES, library_environment, python_version

UNPACKED = sorted((ROOT / "build/pythons").glob("debian-*"))
EVERYTHING = """
import bz2, ctypes, curses, decimal, hashlib, lzma, readline, sqlite3, ssl, uuid, zlib
import runtime_client, simplejson._speedups
print(open("/proc/self/maps").read())
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("root", UNPACKED, ids=lambda path: path.name)
def test_one_with_its_own_libc(root: Path) -> None:
    """It is whole, loads what was built for the machine's libc, and takes none of the machine's."""
    version = root.name.removeprefix("debian-")
    (environment,) = (it for it in RUNTIMES if python_version(it) == version)
    command = [environment / "bin/python", "-c", EVERYTHING]
    maps = subprocess.check_output(command, text=True)
    libraries = {line.split()[-1] for line in maps.splitlines() if ".so" in line}
    assert any("/libc.so" in path for path in libraries)
    assert {path for path in libraries if not path.startswith(f"{ROOT}/build/")} == set()


def test_what_make_pythons_got_is_found(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cpythons, "ROOT", tmp_path)
    monkeypatch.setattr(cpythons, "RUNTIMES", ("3.98", "3.99"))
    for folder, patch in (("cpython-3.98.1-linux/bin", 1), ("debian-3.99/usr/bin", 2)):
        version = folder.partition("-")[2][:4]
        target = tmp_path / "build/pythons" / folder
        target.mkdir(parents=True)
        program(target, f"python{version}", f"echo cpython {version.replace('.', ' ')} {patch}")
    assert [path.name for path in cpythons.find().values()] == ["python3.98", "python3.99"]


class TestWithNoWay:
    """Nothing can be downloaded."""

    @pytest.fixture
    def run(self, tmp_path, monkeypatch, capsys):
        """Runs the script where 3.99 is missing; returns its exit code and what it printed."""
        monkeypatch.setattr(cpythons, "RUNTIMES", ("3.99",))
        monkeypatch.setattr(get_cpythons, "_SCRIPTS", tmp_path / "bin")
        monkeypatch.setattr(sys, "argv", ["get_cpythons.py", str(tmp_path / "pythons")])
        program(
            tmp_path / "bin",
            "uv",
            "echo 'error: it failed' >&2; echo '  cause: no way' >&2; exit 2",
        )
        program(tmp_path / "bin", "apt-get", "echo 'W: hm' >&2; echo 'E: no network' >&2; exit 100")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

        def run() -> tuple[int, list[str]]:
            code = get_cpythons.main()
            return code, capsys.readouterr().out.splitlines()

        return run

    @pytest.mark.parametrize(("ci", "expected"), [(None, 0), ("true", 1)])
    def test_one_line_says_so(self, run, monkeypatch, ci: str | None, expected: int) -> None:
        monkeypatch.delenv("CI", raising=False)
        if ci is not None:
            monkeypatch.setenv("CI", ci)
        code, (_, line) = run()
        assert code == expected
        assert line == (
            "Python 3.99 cannot be had here, and is not tested: uv: no way; apt-get: no network"
        )

    def test_the_record_is_written_only_when_it_changes(self, run, tmp_path) -> None:
        run()
        record = tmp_path / "pythons/found"
        assert record.read_text() == ""
        os.utime(record, (1e9, 1e9))
        run()
        assert record.stat().st_mtime == 1e9
        record.write_text("3.99 /somewhere\n")
        run()
        assert record.read_text() == ""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "http://deb.debian.org/debian"),
        (
            "https://packages.example/apt\nhttp://mirror.example/debian/",
            "http://mirror.example/debian/",
        ),
        ("http://mirror.example/debian-security", "http://deb.debian.org/debian"),
        ("mirror+file:/etc/apt/mirrors/debian.list", "mirror+file:/etc/apt/mirrors/debian.list"),
        ("http://archive.ubuntu.com/ubuntu", "http://deb.debian.org/debian"),
    ],
)
def test_the_mirror_is_the_machines(tmp_path, monkeypatch, said: str, expected: str) -> None:
    program(tmp_path, "apt-get", f"cat <<'END'\n{said}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert debian._mirror() == expected


@pytest.mark.parametrize(
    ("name", "script", "says"),
    [
        ("unshare", "echo 'unshare: no' >&2; exit 1", "arm64 is not tested: Linux "),
        ("uname", "echo aarch64", "arm64 is not emulated on aarch64."),
    ],
)
def test_where_arm64_cannot_be_emulated(tmp_path, name: str, script: str, says: str) -> None:
    program(tmp_path, name, script)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [ROOT / "tools/run_arm64", "--check"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.startswith(says)
    assert run.stdout.count("\n") == 1


def test_the_cpythons_in_the_readme_are_those_tested() -> None:
    """Of libraries: the newest that there are wheels for, as `make libraries` found out."""
    if RUNTIMES[-1].name != cpythons.RUNTIMES[-1]:
        lambda_layout.unavailable(f"Python {cpythons.RUNTIMES[-1]} is not here")
    table = (ROOT / "README.md").read_text().partition("| package |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|", table, re.MULTILINE))
    assert rows.pop("aws-xray-sdk") == f"{cpythons.RUNTIMES[0]} to {cpythons.RUNTIMES[-1]}"
    locks = {path.stem: path.read_text() for path in (ROOT / "requirements/libraries").glob("*")}
    for package, stated in rows.items():
        names = [name for name, lock in locks.items() if f"\n{package}==" in f"\n{lock}"]
        assert {python_version(library_environment(name)) for name in names} == {stated}, package
