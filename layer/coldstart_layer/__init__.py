"""What the layer knows about the start behind the current Lambda invocation.

A function needs none of this: log lines, metrics and traces carry the verdict by themselves. It is
here for code that wants to act on it::

    import coldstart_layer

    start = coldstart_layer.current()
    if start is not None and start.cold_start:
        ...

The package's other modules come out of one file of bytecode instead of a pyc file each: opening a
dozen files takes a third of the time that our part of a start has. That file has them for each
CPython side by side, which lets the zip be a third smaller. ``make build`` writes it. Where it has
nothing for this CPython, the modules are imported as any others are.
"""

import os
import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class _Bytecode:
    """A finder for one folder, and a loader: parts of the import protocol (PEP 302, PEP 451)."""

    def __init__(self, folder: str, modules: "dict[str, bytes]") -> None:
        """Take the bytecode of a folder.

        Args:
            folder: where the sources lie: the modules' ``__file__``.
            modules: names within the package, and each one's marshalled code.
        """
        self._folder = folder
        self._modules = modules

    def find_spec(self, name: str, _target: object = None) -> "ModuleSpec | None":
        """Where to get a module from; None if it has none here."""
        module = name.rpartition(".")[2]
        if module not in self._modules:
            return None
        spec: ModuleSpec = type(__spec__)(name, self, origin=f"{self._folder}/{module}.py")  # type: ignore[arg-type]
        spec.has_location = True
        return spec

    def create_module(self, spec: object) -> None:
        """No module of our own making: the interpreter's will do."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code."""
        exec(loads(self._modules[module.__name__.rpartition(".")[2]]), module.__dict__)


def _use_bytecode(folder: str) -> None:
    """Import what lies in ``folder`` from its file of bytecode, if that has it for this CPython.

    The file: how long its index is (four bytes, little-endian); the index, marshalled: the tag of
    each CPython and the magic number of its bytecode, and of each module its name and its length
    for each CPython; then the modules, in that order.
    """
    try:
        file = os.open(f"{folder}/modules.bytecode", os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = int.from_bytes(os.read(file, 4), "little")
            magics, lengths = loads(os.read(file, size))
            column = list(magics).index(sys.implementation.cache_tag)
            modules = {}
            position = 4 + size
            for name, row in lengths.items():
                code = os.pread(file, row[column], position + sum(row[:column]))
                if len(code) != row[column]:
                    return  # cut short: the sources are there
                modules[name] = code
                position += sum(row)
        finally:
            os.close(file)
        # Nobody else imports from this folder: all that the entry changes is where we come from.
        magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
        if magics[sys.implementation.cache_tag] == magic:
            sys.path_importer_cache[folder] = _Bytecode(folder, modules)
    except Exception:
        pass  # the sources are there


_use_bytecode(__path__[0])

from coldstart_layer.start import Start, current  # noqa: E402

__all__ = ["Start", "current"]
__version__ = "0.1.0"
