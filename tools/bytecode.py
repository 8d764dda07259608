"""Compiles the layer's modules for the CPython that runs this script.

    python bytecode.py PACKAGE_FOLDER

/opt is read-only on Lambda: a module without bytecode would be compiled at every cold start. The
bytecode holds what runs and no more, since all of it is read at each start: no docstrings, no
annotations, no imports for type checkers, and, with ``-X no_debug_ranges``, no column numbers. That
makes it half as large.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

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
    """Write a pyc for each module in ``package``, under the name that the import system expects."""
    for source in sorted(package.glob("*.py")):
        if source.name == "bootstrap.py":
            continue  # run as a script, for which Python never looks for bytecode
        text = source.read_bytes()
        tree = ast.fix_missing_locations(_Strip().visit(ast.parse(text)))
        # As it stands on Lambda, wherever it is built.
        path = f"/opt/python/{package.name}/{source.name}"
        code = compile(tree, path, "exec", dont_inherit=True, optimize=2)
        target = package / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(
            importlib.util.MAGIC_NUMBER
            + _UNCHECKED_HASH
            + importlib.util.source_hash(text)
            + marshal.dumps(code)
        )


if __name__ == "__main__":
    compile_package(Path(sys.argv[1]))
