"""The artifact: what is in it, and that the same sources make the same bytes."""

from __future__ import annotations

import ast
import importlib.util
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
# With bytecode for four CPythons.
LIMIT = 100_000 + 15_000 * max(0, len(cpythons.find()) - 4)


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
    shutil.copy(ROOT / "LICENSE", target)
    for path in target.rglob("*"):
        if path.is_file():
            os.utime(path, (1e9, 1e9))
            path.chmod(0o600)
    return target


def test_files(layer_zip) -> None:
    sources = {path.name for path in (ROOT / "layer/coldstart_layer").glob("*.py")}
    expected = {"coldstart-wrapper", f"{PACKAGE}/LICENSE"}
    expected |= {f"{PACKAGE}/{name}" for name in (*sources, "modules.bytecode")}
    for runtime in cpythons.find():
        tag = "cpython-" + runtime.replace(".", "")
        expected |= {
            f"{PACKAGE}/{name}.{tag}.pyc" for name in ("__pycache__/__init__", "bootstrap")
        }
    with zipfile.ZipFile(layer_zip) as archive:
        assert set(archive.namelist()) == expected
        for entry in archive.infolist():
            mode = entry.external_attr >> 16 & 0o777
            assert mode == (0o755 if entry.filename == "coldstart-wrapper" else 0o644)


def test_size(layer_zip) -> None:
    assert layer_zip.stat().st_size < LIMIT


def test_bytecode_is_never_checked_against_its_source(layer_zip) -> None:
    """PEP 552: the flags say "by hash" (bit 0) and "don't check" (bit 1 unset)."""
    with zipfile.ZipFile(layer_zip) as archive:
        bytecode = [name for name in archive.namelist() if name.endswith(".pyc")]
        assert bytecode
        for name in bytecode:
            data = archive.read(name)
            assert int.from_bytes(data[4:8], "little") == 0b01
            if sys.implementation.cache_tag in name:
                source = re.sub(r"(__pycache__/)?(\w+)\.cpython-\d+\.pyc", r"\2.py", name)
                assert data[8:16] == importlib.util.source_hash(archive.read(source))


def test_same_bytes_from_another_folder(layer_zip, checkout) -> None:
    build(checkout, "zip", "dist/layer.zip", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")
    assert (checkout / "dist/layer.zip").read_bytes() == layer_zip.read_bytes()


# Prints where each module of the layer came from.
ORIGINS = """
import sys
sys.path.append({!r})
import coldstart_layer.seam
for path in {!r}:
    __import__("coldstart_layer." + path)
for name, module in sys.modules.items():
    if name.startswith("coldstart_layer"):
        print(name, type(module.__spec__.loader).__name__)
"""


def origins(
    python: Path, package: Path, *options: str, **environment: str
) -> tuple[dict[str, str], str]:
    """The loader of each module of the layer, and what ``python -v`` says about them."""
    modules = [path.stem for path in (ROOT / "layer/coldstart_layer").glob("[a-z]*.py")]
    modules.remove("bootstrap")
    command = [python, "-B", "-v", *options, "-c", ORIGINS.format(str(package.parent), modules)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return dict(line.split() for line in done.stdout.splitlines()), done.stderr


def test_no_module_is_compiled_at_start_up(wrapper, runtime) -> None:
    """With -v Python says of what it has compiled, and of each pyc file, where it comes from."""
    loaders, trace = origins(runtime / "bin/python", wrapper.parent / PACKAGE)
    files = {name for name, loader in loaders.items() if loader != "_Bytecode"}
    assert files == {"coldstart_layer"}
    assert len(loaders) > 12
    read = re.findall(r"# code object from '?([^'\n]*coldstart_layer[^'\n]*?)'?\n", trace)
    assert len(read) == 1
    assert all(path.endswith(".pyc") for path in read), read


def test_with_optimization_one_module_is_compiled(wrapper, runtime) -> None:
    loaders, _ = origins(runtime / "bin/python", wrapper.parent / PACKAGE, PYTHONOPTIMIZE="2")
    assert list(loaders.values()).count("_Bytecode") == len(loaders) - 1


@pytest.mark.parametrize("broken", [b"", b"magic", None], ids=["empty", "other", "cut"])
def test_bytecode_that_cannot_be_used(own_wrapper, newest_runtime, broken: bytes | None) -> None:
    """Then the sources are."""
    python = newest_runtime / "bin/python"
    together = own_wrapper.parent / PACKAGE / "modules.bytecode"
    together.write_bytes(together.read_bytes()[:-9] if broken is None else broken)
    loaders, _ = origins(python, own_wrapper.parent / PACKAGE)
    assert set(loaders.values()) == {"SourceFileLoader"}
    assert "coldstart_layer.seam" in loaders


def test_a_machine_with_one_cpython(checkout, tmp_path) -> None:
    """The build works, and says which versions it covers and which it does not."""
    home = tmp_path / "empty"
    home.mkdir()
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
    for shipped in (wrapper.parent / PACKAGE).glob("*.py"):
        source = ROOT / "layer/coldstart_layer" / shipped.name
        trees = [_WithoutTypes().visit(ast.parse(path.read_text())) for path in (source, shipped)]
        dumps = [ast.dump(tree, include_attributes=True) for tree in trees]
        elsewhere = re.compile(r", (end_lineno|end_col_offset|col_offset)=\d+")
        assert elsewhere.sub("", dumps[0]) == elsewhere.sub("", dumps[1]), shipped.name


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
    source = wrapper.parent / PACKAGE
    without = shutil.ignore_patterns("__pycache__", "bytecode")
    shutil.copytree(source, package, ignore=without)
    command = [
        sys.executable,
        "-c",
        "import coldstart_layer.seam; print(coldstart_layer.current())",
    ]
    said = subprocess.check_output(command, text=True, cwd=tmp_path)
    assert said == "None\n"
