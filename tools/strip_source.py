"""Takes comments and docstrings out of source, for the copy of it that is shipped.

Every line keeps its number, so that a stack trace leads to the right line in the repository.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize


def strip_shell(text: str) -> str:
    """A shell script without the lines that are comments; it must have no here-documents."""
    return re.sub(r"^[ \t]*#(?!!).*", "", text, flags=re.MULTILINE)


def strip_source(text: str) -> str:
    """Python source without comments and docstrings; the same program, line by line."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            lines[line - 1] = lines[line - 1][:column].rstrip()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            docstring = node.body[0]
            first, last = docstring.lineno, docstring.end_lineno or docstring.lineno
            # Something has to stand there: it may be the only statement of the body.
            lines[first - 1 : last] = [" " * docstring.col_offset + '""', *[""] * (last - first)]
    return "\n".join(lines) + "\n"
