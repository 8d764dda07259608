"""The shim: the wrapper puts this script in front of the runtime's own, which it then becomes.

Short and without annotations, because Python compiles a script anew at each start; the modules it
imports come compiled. The runtime cuts leading frames in files called bootstrap.py from the stack
traces it reports, so what stands on the stack while the user's module is imported is in this file.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment, unreachable"

import os
import sys
from time import time

shim_at = time()


def wrap_loader(loader, loading, loaded):
    """The runtime's loader, with ``loading()`` before it and ``loaded(handler)`` after it."""

    def get_handler(*args, **kwargs):
        loading()
        return loaded(loader(*args, **kwargs))

    return get_handler


def become_plainly(command):
    """Run the command line with the rest of the layer missing: the function must still run."""
    import runpy

    os.environ.pop("_COLDSTART_STARTED", None)
    os.environ.pop("_COLDSTART_BEFORE_BASH", None)
    script, *arguments = command
    sys.argv[1:] = arguments
    if script == "-m":
        del sys.argv[1]
        sys.path[0] = os.getcwd()
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(script)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    become = None
    command = sys.argv[1:]
    try:
        # In front, for as long as nothing but the layer's own modules is imported.
        sys.path.insert(0, __file__.rsplit("/", 2)[0])
        try:
            from coldstart_layer import handover

            become = handover.become
        finally:
            del sys.path[0]
        handover.restore_command_line(command[0])
        times = (*handover.take_message(os.environ), shim_at, handover.note_imports(os.environ))
        from coldstart_layer.seam import install

        install(os.environ, times, wrap_loader)
    except Exception as error:
        try:
            message = " ".join(f"{type(error).__name__}: {error}".splitlines())
            sys.stderr.write(f"coldstart-layer: not started: {message}\n")
        except Exception:
            pass
    if become is None:
        become_plainly(command)
    else:
        become(command, globals())
