"""Compiles the layer's modules for the CPython that runs this script.

    python compile_layer.py PACKAGE_FOLDER

/opt is read-only on Lambda: a module without bytecode would be compiled at every cold start. The
bytecode holds what runs and no more, since all of it is read at each start: no docstrings, no
annotations, no imports for type checkers, and, with ``-X no_debug_ranges``, no column numbers. That
makes it half as large.

The package and the module that finds the others' bytecode get a pyc file each; all others lie
together in ``bytecode/``, one file for each CPython.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

_WITH_PYC = ("__init__.py", "bytecode.py")
# PEP 552: a pyc that goes by its source's hash, which nobody is to check: /opt never changes.
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


class _Strip(ast.NodeTransformer):
    """Takes out what only a type checker reads."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)


def compile_package(package: Path) -> None:
    """Write the bytecode of the modules in ``package``, under the names they are looked up by."""
    tag = sys.implementation.cache_tag
    together = {}
    for source in sorted(package.glob("*.py")):
        if source.name == "bootstrap.py":
            continue  # run as a script, for which Python never looks for bytecode
        text = source.read_bytes()
        tree = ast.fix_missing_locations(_Strip().visit(ast.parse(text)))
        # As it stands on Lambda, wherever it is built.
        path = f"/opt/python/{package.name}/{source.name}"
        code = marshal.dumps(compile(tree, path, "exec", dont_inherit=True, optimize=2))
        if source.name in _WITH_PYC:
            header = (
                importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(text)
            )
            _write(package / f"__pycache__/{source.stem}.{tag}.pyc", header + code)
        else:
            together[source.stem] = code
    _write(package / f"bytecode/{tag}", importlib.util.MAGIC_NUMBER + marshal.dumps(together))


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)


if __name__ == "__main__":
    compile_package(Path(sys.argv[1]))
