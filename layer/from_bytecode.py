"""Gets the package ready from the bytecode that the build makes for this Python: run by the shim.

To find, open and import a dozen modules would take longer than all else that the layer does at a
start. So they are constants of this code, and with it in one file, which is a pyc file like any
other. What every start needs is run at once, each module behind those that it imports; the others
wait for whoever imports them.
"""

import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    shim_at: float
    package: str


class Bytecode:
    """A finder for the package's folders and a loader, parts of the import protocol (PEP 451).

    Takes, for each module that waits, its path below the package and its marshalled code.
    """

    def __init__(self, waiting: "dict[str, tuple[str, bytes]]") -> None:
        self._waiting = waiting

    def spec(self, name: str, path: str) -> "ModuleSpec":
        """Say of a module what an import of its source would say."""
        spec: ModuleSpec = type(sys.__spec__)(name, self, origin=package + path)  # type: ignore[arg-type]
        spec.has_location = True
        if path.endswith("__init__.py"):
            folder = (package + path)[: -len("/__init__.py")]
            spec.submodule_search_locations = [folder]
            # Imports from this folder, which has our modules alone, come here.
            sys.path_importer_cache[folder] = self
        return spec

    def find_spec(self, name: str, _target: object = None) -> "ModuleSpec | None":
        """Find a module; None if it is not among those that wait."""
        return self.spec(name, self._waiting[name][0]) if name in self._waiting else None

    def create_module(self, _spec: object) -> None:
        """Leave that to the interpreter."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module's code."""
        exec(loads(self._waiting[module.__name__][1]), module.__dict__)


def run_modules(
    finder: Bytecode,
    needed: "tuple[tuple[str, str, CodeType], ...]",
    modules: "dict[str, ModuleType]",
) -> None:
    """Run the modules that every start needs: the name, path and code of each, in that order.

    Raises:
        Exception: one of them failed. Then none of them is left in ``modules``.
    """
    try:
        for name, path, _ in needed:
            module = modules[name] = type(sys)(name)
            spec = module.__spec__ = finder.spec(name, path)
            module.__loader__ = finder
            module.__file__ = spec.origin
            module.__package__ = spec.parent
            if spec.submodule_search_locations is not None:
                module.__path__ = spec.submodule_search_locations
        for name, _, code in needed:
            exec(code, modules[name].__dict__)
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(modules[parent], child, modules[name])
    except Exception:
        for name, _, _ in needed:
            modules.pop(name, None)
        sys.path_importer_cache.clear()
        raise


# The build puts the modules in the place of these two constants.
run_modules(Bytecode("WAITING"), "NEEDED", sys.modules)  # type: ignore[arg-type]

from coldstart_layer.process import become, prepare  # for the shim

prepare(shim_at)
