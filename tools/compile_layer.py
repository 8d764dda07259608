"""Compiles the layer's package for the CPython that runs this script, into one pyc file.

    python compile_layer.py FOLDER_OF_THE_PACKAGE SCRIPT TARGET

/opt is read-only on Lambda: a module without bytecode would be compiled at every cold start.
``layer/from_bytecode.py`` is the script in which the modules are constants.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType
from typing import Any

PACKAGE = "coldstart_layer"
# What the shim imports, at once and a moment later: with what these import, all that every start
# needs.
ENTRIES = (f"{PACKAGE}.process", f"{PACKAGE}.runtime")


def module_name(path: Path) -> str:
    """Return the name of the module at ``path``, which is relative to the package's folder."""
    return ".".join(path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts)


def imported_modules(source: str, modules: set[str]) -> list[str]:
    """Return those of ``modules`` that a source imports when it is run, in the order it does."""
    imported = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            imported += [name for name in (node.module, *inside) if name in modules]
    return imported


def in_running_order(sources: dict[str, str]) -> list[str]:
    """Return the modules that every start needs, each one behind what it imports."""
    order: dict[str, None] = {}
    under_way: set[str] = set()

    def add(name: str) -> None:
        if name in under_way:
            return
        under_way.add(name)
        package = name.rpartition(".")[0]
        for other in ([package] if package else []) + imported_modules(sources[name], set(sources)):
            add(other)
        order[name] = None

    for entry in ENTRIES:
        add(entry)
    return list(order)


def compile_package(folder: Path, script: Path, target: Path) -> None:
    """Write the bytecode of ``script`` to ``target``, with the modules in ``folder`` in it."""
    paths = {
        module_name(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*.py"))
        if path.stem.isidentifier()
    }
    sources = {name: path.read_text() for name, path in paths.items()}

    def compiled(source: str, path: Path) -> CodeType:
        # The path is that on Lambda, wherever it is built. Without docstrings.
        place = f"/opt/python/{path.relative_to(folder)}"
        code: CodeType = compile(source, place, "exec", dont_inherit=True, optimize=2)
        return code

    order = in_running_order(sources)
    within = {name: path.relative_to(folder / PACKAGE).as_posix() for name, path in paths.items()}
    constants = {
        "NEEDED": tuple(
            (name, within[name], compiled(sources[name], paths[name])) for name in order
        ),
        "WAITING": {
            name: (within[name], _marshalled(compiled(sources[name], paths[name])))
            for name in paths
            if name not in order
        },
    }
    code = compiled(script.read_text(), folder / PACKAGE / script.name)
    replaced = [constants.get(it, it) if type(it) is str else it for it in code.co_consts]
    code = code.replace(co_consts=tuple(replaced))
    # PEP 552: valid by the hash of its source, which nobody is to check: /opt never changes.
    header = (0b01).to_bytes(4, "little") + bytes(8)
    target.write_bytes(importlib.util.MAGIC_NUMBER + header + _marshalled(code))


def _marshalled(value: Any) -> bytes:
    # Twice: what the data refers to then does not depend on what else this process holds.
    return marshal.dumps(marshal.loads(marshal.dumps(value)))  # noqa: S302 # made just now


if __name__ == "__main__":
    compile_package(*map(Path, sys.argv[1:]))
