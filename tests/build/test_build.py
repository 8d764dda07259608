"""The artifact: what is in it, and that the same sources make the same bytes."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cpythons
import pytest
from conftest import ROOT

PACKAGE = "python/coldstart_layer"
LIMIT = 250_000  # with bytecode for six CPythons


def build(checkout: Path, *arguments: str, **environment: str) -> str:
    command = [sys.executable, checkout / "tools/build_layer.py", *arguments]
    variables = {**os.environ, **environment}
    return subprocess.check_output(command, text=True, env=variables, cwd=checkout)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """The sources in another folder, with other times and modes."""
    target = tmp_path / "another folder"
    for name in ("layer", "wrapper", "tools"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "build").mkdir()
    (target / "build/pythons").symlink_to(ROOT / "build/pythons")
    for path in target.rglob("*"):
        if path.is_file():
            os.utime(path, (1e9, 1e9))
            path.chmod(0o600)
    return target


def sources() -> dict[str, Path]:
    """Where each of the layer's sources stands in the zip."""
    placed = {
        "coldstart-wrapper": ROOT / "wrapper/coldstart-wrapper",
        "coldstart/bootstrap.py": ROOT / "layer/bootstrap.py",
        f"{PACKAGE}/from-source.py": ROOT / "layer/from_source.py",
    }
    for path in (ROOT / "layer/coldstart_layer").rglob("*.py"):
        placed[f"python/{path.relative_to(ROOT / 'layer')}"] = path
    return placed


def bytecode_files() -> set[str]:
    return {f"cpython-{runtime.replace('.', '')}.bytecode" for runtime in cpythons.find()}


def test_files(layer_zip) -> None:
    expected = {*sources(), f"{PACKAGE}/LICENSE"}
    expected |= {f"{PACKAGE}/{name}" for name in bytecode_files()}
    with zipfile.ZipFile(layer_zip) as archive:
        assert set(archive.namelist()) == expected
        for entry in archive.infolist():
            mode = entry.external_attr >> 16 & 0o777
            assert mode == (0o755 if entry.filename == "coldstart-wrapper" else 0o644)


def test_nothing_but_the_shim_can_be_imported_from_its_folder(wrapper) -> None:
    """A sub-interpreter of the function's has that folder in its path."""
    assert [path.name for path in (wrapper.parent / "coldstart").iterdir()] == ["bootstrap.py"]


def test_size(layer_zip) -> None:
    assert layer_zip.stat().st_size < LIMIT


def test_bytecode_is_never_checked_against_its_source(layer_zip) -> None:
    """PEP 552: the flags say "by hash" (bit 0) and "don't check" (bit 1 unset)."""
    with zipfile.ZipFile(layer_zip) as archive:
        for name in bytecode_files():
            data = archive.read(f"{PACKAGE}/{name}")
            assert data[2:4] == b"\r\n"
            assert int.from_bytes(data[4:8], "little") == 0b01


def test_same_bytes_from_another_folder(layer_zip, checkout) -> None:
    build(checkout, "zip", "dist/layer.zip", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")
    assert (checkout / "dist/layer.zip").read_bytes() == layer_zip.read_bytes()


LISTS_MODULES = """
import json, sys
sys.path.append(sys.argv[1])
for name in sys.argv[2:]:
    __import__(name)
print(json.dumps({
    name: [
        type(module.__spec__.loader).__name__, module.__spec__.loader is module.__loader__,
        module.__file__, module.__package__, module.__spec__.name, module.__spec__.origin,
        module.__spec__.parent, module.__spec__.has_location,
        module.__spec__.submodule_search_locations == getattr(module, "__path__", None),
    ]
    for name, module in sys.modules.items() if name.partition(".")[0] == "coldstart_layer"
}))
"""
MODULES = [
    ".".join(path.relative_to(ROOT / "layer").with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "layer/coldstart_layer").rglob("*.py"))
]


@pytest.mark.parametrize("optimize", ["0", "2"])
def test_modules_are_as_if_imported_from_their_sources(
    wrapper, runtime, tmp_path, optimize: str
) -> None:
    """But for their loader: none is compiled, under PYTHONOPTIMIZE neither."""
    script = tmp_path / "script.py"
    script.write_text(LISTS_MODULES)
    listed = []
    for launcher in ([], [wrapper]):
        command = [*launcher, runtime / "bin/python", "-B", script, wrapper.parent / "python"]
        environment = {**os.environ, "PYTHONOPTIMIZE": optimize}
        run = subprocess.run([*command, *MODULES], capture_output=True, env=environment)
        assert (run.returncode, run.stderr) == (0, b"")
        listed.append(json.loads(run.stdout))
    plain, ours = listed
    assert sorted(plain) == sorted(ours) == sorted(MODULES)
    assert {loader for loader, *_ in plain.values()} == {"SourceFileLoader"}
    assert {loader for loader, *_ in ours.values()} == {"Bytecode"}
    for name in MODULES:
        assert ours[name][1:] == plain[name][1:]


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """The content of each file, and whether it can be executed."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), os.access(path, os.X_OK))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_each_way_to_get_it_gives_the_same_tree(layer_zip, wrapper, tmp_path) -> None:
    """The zip, what ``sam build`` calls, and what docs/attach.md has a Dockerfile do."""
    sam, image = tmp_path / "sam", tmp_path / "image"
    command = ["make", "--silent", "build-ColdStartLayer", f"ARTIFACTS_DIR={sam}"]
    subprocess.run(
        [*command, f"PYTHON={sys.executable}"], cwd=ROOT, check=True, capture_output=True
    )
    docs = (ROOT / "docs/attach.md").read_text()
    (unpacking,) = re.findall(r"^RUN (.*coldstart-layer\.zip.*)$", docs, re.MULTILINE)
    unpacking = unpacking.replace("/tmp/coldstart-layer.zip", str(layer_zip))
    unpacking = unpacking.replace("/opt", str(image)).replace("python3", sys.executable)
    subprocess.run(["bash", "-c", unpacking], check=True)
    assert tree(sam) == tree(image) == tree(wrapper.parent)


def test_a_machine_with_one_cpython(checkout, tmp_path) -> None:
    """The build works, and says which versions it covers and which it does not."""
    home = tmp_path / "empty"
    home.mkdir()
    (checkout / "build/pythons").unlink()
    said = build(
        checkout, "zip", "layer.zip", PATH="/nowhere", PYENV_ROOT=str(home), HOME=str(home)
    )
    own = "{}.{}".format(*sys.version_info)
    assert f"bytecode for Python {own}\n" in said
    others = [runtime for runtime in cpythons.RUNTIMES if runtime != own]
    assert f"Not found here: Python {', '.join(others)}." in said
    with zipfile.ZipFile(checkout / "layer.zip") as archive:
        names = "\n".join(archive.namelist())
        tags = set(re.findall(r"cpython-\d+", names))
    assert tags == {sys.implementation.cache_tag}


class _WithoutTypes(ast.NodeTransformer):
    """Takes out docstrings and what only type checkers read."""

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return None
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass(lineno=node.body[0].lineno, col_offset=0)
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            assigned = ast.Assign([node.target], self.visit(node.value))
            return ast.copy_location(assigned, node)
        return self.generic_visit(node)


def test_stripped_sources_are_the_same_program(wrapper) -> None:
    """Line by line: what they lack is comments, docstrings and what only type checkers read."""
    elsewhere = re.compile(r", (end_lineno|end_col_offset|col_offset)=\d+")
    for place, source in sources().items():
        if source.suffix != ".py":
            continue
        paths = (source, wrapper.parent / place)
        trees = [_WithoutTypes().visit(ast.parse(path.read_text())) for path in paths]
        dumps = [ast.dump(tree, include_attributes=True) for tree in trees]
        assert elsewhere.sub("", dumps[0]) == elsewhere.sub("", dumps[1]), place


def test_the_stripped_wrapper_is_the_same_program(wrapper) -> None:
    source = ROOT / "wrapper/coldstart-wrapper"
    lines = [path.read_text().splitlines() for path in (source, wrapper)]
    assert [left for left in zip(*lines, strict=True) if len(set(left)) > 1 and left[1]] == []
    read = ["bash", "--pretty-print", "-O", "extglob"]
    programs = [subprocess.check_output([*read, path]) for path in (source, wrapper)]
    assert programs[0] == programs[1]


def test_without_bytecode_it_works_too(wrapper, tmp_path) -> None:
    """On a CPython that the build did not cover: the sources are compiled, nothing else changes."""
    package = tmp_path / "coldstart_layer"
    shutil.copytree(wrapper.parent / PACKAGE, package, ignore=shutil.ignore_patterns("*.bytecode"))
    command = [
        sys.executable,
        "-c",
        "import coldstart_layer.runtime; print(coldstart_layer.current())",
    ]
    said = subprocess.check_output(command, text=True, cwd=tmp_path)
    assert said == "None\n"


def test_a_changed_source_is_built(checkout, tmp_path) -> None:
    """Whichever file of the layer it is: make knows them all."""
    shutil.copy(ROOT / "Makefile", checkout)
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    make = ["make", "--question", "dist/coldstart-layer.zip"]

    def is_up_to_date() -> bool:
        return subprocess.run(make, cwd=checkout, capture_output=True).returncode == 0

    target = checkout / "dist/coldstart-layer.zip"
    target.parent.mkdir()
    target.touch()
    assert is_up_to_date()
    for source in [*(checkout / "layer").rglob("*.py"), checkout / "wrapper/coldstart-wrapper"]:
        os.utime(source, (4e9, 4e9))
        assert not is_up_to_date(), source
        os.utime(source, (1e9, 1e9))
    assert is_up_to_date()
