"""Compiles the layer's modules for the CPython that runs this script.

    python compile_layer.py PACKAGE_FOLDER TARGET

/opt is read-only on Lambda: a module without bytecode would be compiled at every cold start. The
bytecode holds what runs and no more, since all of it is read at each start: the sources are
stripped already (``strip_source.py``), and there are no docstrings and no line numbers within a
function.

The package itself gets a pyc file, and so does the shim, which the wrapper runs where it knows the
Python. The other modules' bytecode goes into the folder ``TARGET``, a file each, for
``build_layer.py`` to put together.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType

# By functions that use a library, or have their starts profiled.
_SELDOM_LOADED = {"datadog", "loguru", "opentelemetry", "powertools", "structlog", "xray_sdk"}
_SELDOM_LOADED |= {"import_times", "profile"}
# PEP 552: a pyc that goes by its source's hash, which nobody is to check: /opt never changes.
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def _without_lines(code: CodeType) -> CodeType:
    """The same code, all of it on the line where its function begins.

    The layer's own reports name an error, never a line: nobody reads these tables but a debugger.
    The formats: Objects/lnotab_notes.txt in CPython 3.10, Objects/locations.md (later:
    InternalDocs/code_objects.md) from 3.11 on.
    """
    size = len(code.co_code)
    if sys.version_info < (3, 11):  # pairs: how many bytes, on how many lines further down
        table = bytes([254, 0]) * (size // 254) + bytes([size % 254, 0])
    else:  # pairs: "no column" for up to eight code units of two bytes, on the same line
        units = size // 2
        table = bytes([0x80 | 13 << 3 | 7, 0]) * (units // 8)
        if units % 8:
            table += bytes([0x80 | 13 << 3 | units % 8 - 1, 0])
    constants = (_without_lines(it) if isinstance(it, CodeType) else it for it in code.co_consts)
    code = code.replace(co_linetable=table, co_consts=tuple(constants))
    return code.replace(co_qualname=code.co_name) if hasattr(code, "co_qualname") else code


def compile_package(package: Path, target: Path) -> None:
    """Write the bytecode of the modules in ``package``: pyc files there, others in ``target``."""
    tag = sys.implementation.cache_tag
    target.mkdir()
    (target / "magic number").write_bytes(importlib.util.MAGIC_NUMBER)
    for source in sorted(package.glob("*.py")):
        text = source.read_bytes()
        # As it stands on Lambda, wherever it is built.
        path = f"/opt/python/{package.name}/{source.name}"
        code = compile(text, path, "exec", dont_inherit=True, optimize=2)
        # Without references within it, marshalled code zips better, and loads a third slower.
        version = 2 if source.stem in _SELDOM_LOADED else marshal.version
        # Marshalled twice: what it then refers to does not depend on what else this process holds.
        ours = marshal.loads(marshal.dumps(_without_lines(code)))  # noqa: S302 # made just now
        data = marshal.dumps(ours, version)
        header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(text)
        if source.stem == "__init__":
            pyc = package / f"__pycache__/{source.stem}.{tag}.pyc"
            pyc.parent.mkdir(exist_ok=True)
            pyc.write_bytes(header + data)
        elif source.stem == "bootstrap":
            (package / f"{source.stem}.{tag}.pyc").write_bytes(header + data)
        else:
            (target / source.stem).write_bytes(data)


if __name__ == "__main__":
    compile_package(Path(sys.argv[1]), Path(sys.argv[2]))
