"""Takes out of source what nobody runs, for the copy of it that is shipped.

Every line keeps its number, so that a stack trace leads to the right line in the repository.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TypeGuard


def strip_shell(text: str) -> str:
    """A shell script without the lines that are comments; it must have no here-documents."""
    return re.sub(r"^[ \t]*#(?!!).*", "", text, flags=re.MULTILINE)


def strip_source(text: str) -> str:
    """Python source without comments, docstrings and what only type checkers read.

    The same program, line by line; annotations have to be on one line each.
    """
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            lines[line - 1] = lines[line - 1][:column].rstrip()
    cuts = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            docstring = node.body[0]
            first, last = docstring.lineno, docstring.end_lineno or docstring.lineno
            # Something has to stand there: it may be the only statement of the body.
            lines[first - 1 : last] = [" " * docstring.col_offset + '""', *[""] * (last - first)]
        if isinstance(node, ast.arg) and node.annotation is not None:
            cuts.append((node.lineno, node.col_offset + len(node.arg), node.annotation))
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            cuts.append((node.lineno, node.target.end_col_offset or 0, node.annotation))
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            before = lines[node.returns.lineno - 1].encode()[: node.returns.col_offset]
            cuts.append((node.returns.lineno, before.rindex(b" ->"), node.returns))
        elif is_for_type_checkers(node):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    for number, column, annotation in sorted(cuts, key=lambda cut: cut[:2], reverse=True):
        if lines[number - 1]:
            # The parser counts in bytes.
            encoded = lines[number - 1].encode()
            rest = encoded[annotation.end_col_offset or 0 :]
            lines[number - 1] = (encoded[:column] + rest).decode()
    return "\n".join(lines) + "\n"


def is_for_type_checkers(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether it is an ``if TYPE_CHECKING:``."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )
