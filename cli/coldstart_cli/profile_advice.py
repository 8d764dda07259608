"""What would make a start shorter: advice that follows from what was measured, and the code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from coldstart_cli.profile import Imports, Module, Start

# Below this nobody would notice.
_WORTH_MS = 5.0
# A module's own code is not looked into: so only where there must be something to find.
_LONG_MS, _LONG_SHARE = 20.0, 0.05


@dataclass(frozen=True)
class Advice:
    """What to do, and how much of a start it saves at most, in milliseconds."""

    text: str
    saves_ms: float


def advice(start: Start, source: Path | None) -> list[Advice]:
    """The advice for one start, that which saves most first.

    Args:
        start: the start.
        source: the folder with the function's code, if that is to be read as well.
    """
    given = [*_compile(start), *_clients(start), *_own_code(start), *_first_invocation(start)]
    if source is not None:
        given += _single_users(start, source)
    return sorted(given, key=lambda one: one.saves_ms, reverse=True)


def _compile(start: Start) -> Iterator[Advice]:
    imports = [start.init, *([start.first_invocation] if start.first_invocation else [])]
    modules = sum(part.compiled for part in imports)
    saves = sum(part.compiled_ms for part in imports)
    if saves >= _WORTH_MS:
        version = start.runtime.removeprefix("python")
        yield Advice(
            f"{_count(modules, 'module')} had no bytecode that fits and had to be compiled. Compile"
            f" your package, and your layers, when you build them: python{version} -m compileall"
            f" -q --invalidation-mode unchecked-hash FOLDER; it saves about {saves:.0f} ms.",
            saves,
        )


def _clients(start: Start) -> Iterator[Advice]:
    for module in start.init.modules:
        if module.origin == "client" and module.total_ms >= _WORTH_MS:
            yield Advice(
                f"{_parent(start.init, module)} makes a boto3 client for"
                f" {module.name.removeprefix('client ')} while it is imported, which takes"
                f" {module.total_ms:.0f} ms. If every request needs it, that is the place for it;"
                " if not, make it when it is first needed, and keep it.",
                module.total_ms,
            )


def _own_code(start: Start) -> Iterator[Advice]:
    for module in start.init.modules:
        # It may have been this one that was compiled.
        ms = module.own_ms - start.init.compiled_ms
        if module.origin == "function" and ms >= max(_LONG_MS, _LONG_SHARE * start.init_ms):
            yield Advice(
                f"{module.name} itself takes {ms:.0f} ms, without what it imports: that is what"
                " its code does at the top, outside of functions. What not every request needs"
                " can wait until it is needed; what is the same each time can be done when you"
                " build the package.",
                ms,
            )


def _first_invocation(start: Start) -> Iterator[Advice]:
    imports = start.first_invocation
    early = start.initialization_type in ("provisioned-concurrency", "snap-start")
    for module in imports.modules if imports is not None else ():
        if module.total_ms < _WORTH_MS:
            continue
        service = module.name.removeprefix("client ")
        if module.origin == "client" and early:
            yield Advice(
                f"The first invocation makes a boto3 client for {service} ({module.total_ms:.0f}"
                f" ms). Under {start.initialization_type} one that is made at the top of a module"
                " is there before any request; this one made a request wait.",
                module.total_ms,
            )
        elif module.origin == "client":
            yield Advice(
                f"The first invocation makes a boto3 client for {service} ({module.total_ms:.0f}"
                " ms). If that is not so already, keep it in a global variable: then no later"
                " request has to make it again.",
                module.total_ms,
            )
        elif early and module.depth == 0:
            yield Advice(
                f"The first invocation imports {module.name} ({module.total_ms:.0f} ms). Under"
                f" {start.initialization_type} an import at the top of a module is done before any"
                " request; this one makes a request wait.",
                module.total_ms,
            )


def _single_users(start: Start, source: Path) -> Iterator[Advice]:
    trees = dict(_trees(start.init, source))
    always = _always_run([tree for _, tree in trees.values()], start.handler.rpartition(".")[2])
    if always is None:
        return
    for module in start.init.modules:
        if module.name not in trees:
            continue
        path, tree = trees[module.name]
        for imported in _imported_by(start.init, module):
            if imported.total_ms < _WORTH_MS or imported.origin == "client":
                continue
            users = _users(tree, imported.name)
            if users is None or len(users) != 1 or users & always:
                continue
            (user,) = users
            yield Advice(
                f"{path.relative_to(source)} uses {imported.name} in {user}() alone. If not every"
                f" request gets there, import it there; a start saves up to"
                f" {imported.total_ms:.0f} ms, if nothing else imports it.",
                imported.total_ms,
            )


def _trees(imports: Imports, source: Path) -> Iterator[tuple[str, tuple[Path, ast.Module]]]:
    """The function's own modules that can be read: name, path and code."""
    for module in imports.modules:
        path = _path(source, module.name) if module.origin == "function" else None
        if path is not None:
            try:
                yield module.name, (path, ast.parse(path.read_bytes()))
            except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                continue


def _path(source: Path, module: str) -> Path | None:
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    base = source.joinpath(*parts)
    try:
        return next(it for it in (base.with_suffix(".py"), base / "__init__.py") if it.is_file())
    except (StopIteration, OSError):
        return None


def _imported_by(imports: Imports, module: Module) -> Iterator[Module]:
    """The modules one level below ``module``."""
    place = imports.modules.index(module)
    for other in imports.modules[place + 1 :]:
        if other.depth <= module.depth:
            return
        if other.depth == module.depth + 1:
            yield other


def _parent(imports: Imports, module: Module) -> str:
    for other in reversed(imports.modules[: imports.modules.index(module)]):
        if other.depth < module.depth:
            return other.name
    return "a module"


def _users(tree: ast.Module, imported: str) -> set[str] | None:
    """The functions that use what a module imports from ``imported``, at its top.

    Returns:
        Their names. None where something else uses it, or it cannot be told: then no advice.
    """
    names: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if imported == alias.name or imported.startswith(f"{alias.name}."):
                    names.add(alias.asname or alias.name.partition(".")[0])
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            origin = statement.module or ""
            for alias in statement.names:
                if imported in (origin, f"{origin}.{alias.name}") or imported.startswith(
                    f"{origin}."
                ):
                    names.add(alias.asname or alias.name)
    if not names or "*" in names or names & _exported(tree):
        return None
    users = set()
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        used = any(_is_use(node, names) for node in ast.walk(statement))
        if not used:
            continue
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            return None  # a class, or code that runs at once
        # What stands outside the body runs when the function is defined.
        outside = [*statement.decorator_list, statement.args, *filter(None, [statement.returns])]
        if any(_is_use(node, names) for part in outside for node in ast.walk(part)):
            return None
        users.add(statement.name)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    at_once = [it for it in tree.body if not isinstance(it, definitions)]
    return None if any(users & _called(statement) for statement in at_once) else users


def _exported(tree: ast.Module) -> set[object]:
    """What is in the module's ``__all__``."""
    return {
        node.value
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign)
        and any(_is_use(node, {"__all__"}) for node in ast.walk(statement))
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant)
    }


def _always_run(trees: Iterable[ast.Module], handler: str) -> set[str] | None:
    """The names of functions that each request may well get to.

    Rather too many than too few: whatever has the name of something that a function on the way
    names outside of a branch.

    Returns:
        None if the handler is not simply a function.
    """
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.ClassDef):  # to call it is to call that
                functions.setdefault(node.name, []).extend(
                    it for it in node.body if isinstance(it, ast.FunctionDef)
                )
    if handler not in functions:
        return None
    always: set[str] = set()
    pending = [handler]
    while pending:
        name = pending.pop()
        if name in always:
            continue
        always.add(name)
        for function in functions.get(name, ()):
            pending += _named(function.body)
    return always


def _named(body: Iterable[ast.stmt]) -> Iterator[str]:
    """What is named in statements, but for what only runs on a condition, or is only defined."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        if isinstance(node, ast.If):
            pending.append(node.test)
        elif isinstance(node, ast.Match):
            pending.append(node.subject)
        elif not isinstance(node, ast.ExceptHandler | ast.FunctionDef | ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(node)


def _called(statement: ast.AST) -> set[str]:
    """The names of the functions that are called in a statement."""
    return {
        node.func.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def _is_use(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
