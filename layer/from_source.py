"""Gets the package ready from its sources, where there is no bytecode that fits: run by the shim.

The package may be broken, too. The function must still run.
"""
# mypy: disable-error-code="no-untyped-def, no-redef"

import os
import runpy
import sys

shim_at: float
package: str


def become(command, _shim):
    """Run the command line with the rest of the layer missing."""
    os.environ.pop("_COLDSTART_STARTED", None)
    os.environ.pop("_COLDSTART_BEFORE_BASH", None)
    if command[0] == "-m":
        sys.argv = command[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path[0] = os.path.dirname(command[0])
        runpy.run_path(command[0], run_name="__main__")


sys.path.insert(0, os.path.dirname(os.path.dirname(package)))
try:
    try:
        from coldstart_layer.process import become, prepare
    finally:
        del sys.path[0]
    prepare(shim_at)
except Exception as error:
    message = " ".join(f"{type(error).__name__}: {error}".splitlines())
    try:
        sys.stderr.write(f"coldstart-layer: not started: {message}\n")
    except Exception:
        pass
