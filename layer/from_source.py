"""Gets the package ready from its sources, where there is no bytecode that fits: run by the shim.

If the package is broken too, the process becomes what it would have been without the layer, but for
what bash has made of PWD and SHLVL.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    shim_at: float
    package: str

sys.path.insert(0, os.path.dirname(os.path.dirname(package)))
try:
    from coldstart_layer.process import become, prepare
except Exception as error:
    message = " ".join(f"{type(error).__name__}: {error}".splitlines())
    os.environ.pop("_COLDSTART_STARTED", None)
    os.environ.pop("_COLDSTART_BEFORE_BASH", None)
    del sys.orig_argv[-len(sys.argv)]
    if sys.stderr is not None:
        print(f"coldstart-layer: not started: {message}", file=sys.stderr, flush=True)
    os.execvp(sys.executable or sys.orig_argv[0], sys.orig_argv)
del sys.path[0]
prepare(shim_at)
