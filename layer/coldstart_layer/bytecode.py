"""Finds the layer's modules in one file of bytecode instead of in a pyc file each.

Opening a dozen files takes a third of the time that our part of a start has, and a dozen zip
entries for each CPython a fifth of the zip. ``make build`` writes the file. Where there is none for
this CPython, the modules are imported as any others are.
"""

import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class Bytecode:
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


def use(folder: str) -> None:
    """Import what lies in ``folder`` from its file of bytecode, if this CPython has one there."""
    try:
        with open(f"{folder}/bytecode/{sys.implementation.cache_tag}", "rb") as file:
            magic, data = file.read(4), file.read()
        # Nobody else imports from this folder: all that the entry changes is where we come from.
        if magic == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER:
            sys.path_importer_cache[folder] = Bytecode(folder, loads(data))
    except Exception:
        pass  # the sources are there
