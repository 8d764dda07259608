"""The process that the wrapper has started: what it left for us, and becoming what was to run."""

import _imp
import os
import sys

from coldstart_layer.guard import described, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import FrameType
    from typing import Any

    # When the wrapper began (as the shim, where that is not known), when it became Python (None
    # where bash has no clock with fractions), when Python began to run the shim: epoch seconds.
    Times = tuple[float, float | None, float]

_BASH_CHANGES = ("PWD", "OLDPWD", "SHLVL", "_")
# A Mersenne prime: the remainder of the name is its hash, with no module to import for it.
_PRIME = 2**127 - 1


def prepare(shim_at: float) -> None:
    """Restore the command line, and get ready for the runtime to be imported. Never raises.

    Args:
        shim_at: when Python began to run the shim, in epoch seconds.
    """
    try:
        restore_command_line(sys.argv[1])
        times = take_message(os.environ, shim_at)
        from coldstart_layer.runtime import install

        install(os.environ, times)
    except Exception as error:
        warn(f"not started: {described(error)}")


def take_message(environ: "MutableMapping[str, str]", shim_at: float) -> "Times":
    """Take what the wrapper has left in ``environ`` out again.

    Args:
        environ: the environment variables.
        shim_at: when Python began to run the shim.
    """
    message = environ.pop("_COLDSTART_STARTED", "")
    before_bash = environ.pop("_COLDSTART_BEFORE_BASH", None)
    if before_bash is not None:
        for name in _BASH_CHANGES:
            environ.pop(name, None)
        for variable in before_bash.split("\x1f")[:-1]:
            name, _, value = variable.partition("=")
            if name in _BASH_CHANGES:
                environ[name] = value
    try:
        # The decimal point is that of the function's locale.
        began_at, done_at = map(float, message.replace(",", ".").split())
    except ValueError:
        return shim_at, None, shim_at  # bash before 5.0 has no clock with fractions
    if not shim_at - 3600 < began_at <= done_at <= shim_at:
        return shim_at, None, shim_at
    return began_at, done_at, shim_at


def marker_path(log_stream: str) -> str:
    """Return the file that stands for the execution environment which writes to ``log_stream``."""
    digest = int.from_bytes(os.fsencode(log_stream), "big") % _PRIME
    return f"/tmp/.coldstart-{digest:032x}"


def is_restarted(log_stream: "str | None") -> bool:
    """Tell whether an earlier runtime process ran in this execution environment; mark it for later.

    Lambda starts the runtime again in the same environment after a crash, a timeout or a failed
    init, and does not clear /tmp in between ("Failures during the invoke phase" in the Lambda
    developer guide, "Execution environment lifecycle").

    Args:
        log_stream: the name of the log stream, which is unique to an environment. Where there is
            none (SnapStart), or one that all share (local emulators), the answer is no.

    Raises:
        OSError: the marker can neither be made nor found.
    """
    if not log_stream or log_stream == "$LATEST":
        return False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(marker_path(log_stream), flags, 0o600))
    except FileExistsError:
        return True
    return False


def restore_command_line(script: str) -> None:
    """Take the shim out of ``sys.orig_argv``, and put in front of ``sys.path`` what is due there.

    Args:
        script: the script the interpreter would have run, or ``-m``.
    """
    del sys.orig_argv[-len(sys.argv)]
    if getattr(sys.flags, "safe_path", sys.flags.isolated):
        return  # the interpreter puts nothing there
    try:
        sys.path[0] = os.getcwd() if script == "-m" else os.path.dirname(os.path.realpath(script))
    except OSError:
        del sys.path[0]  # there is no current folder


def become(command: "list[str]", shim: "dict[str, Any]") -> None:
    """Run the original command line as the interpreter would have.

    Args:
        command: it, behind the interpreter's options.
        shim: the namespace of the module that is ``__main__`` now.
    """
    main = type(sys)("__main__")
    for name in ("__annotations__", "__builtins__", "__cached__"):
        if name in shim:
            main.__dict__[name] = shim[name]
    sys.modules["__main__"] = main
    script = command[0]
    if script == "-m":
        import runpy

        sys.argv[:] = ["-m", *command[2:]]
        runpy._run_module_as_main(command[1])  # type: ignore[attr-defined]
        return
    sys.argv[:] = command
    path = script if script.startswith("/") else f"{os.getcwd()}/{script}"
    loader: Any = sys.modules["_frozen_importlib_external"].SourceFileLoader
    main.__dict__.update(__file__=path, __loader__=loader("__main__", path))
    with open(script, "rb") as file:
        source = file.read()
    _run(source, path, main.__dict__)


def _run(source: bytes, path: str, namespace: "dict[str, object]") -> None:
    """Run ``source`` as the file at ``path``.

    Other than ``exec(compile(source, path, "exec"))`` this does not call ``compile``: the first
    call of that in a process makes the classes of Python's syntax tree, which takes a tenth of the
    time of a bare runtime's whole init. ``exec`` alone cannot be told the path, so the code gets
    it just before its first line runs.
    """
    named = False

    def name(frame: "FrameType", event: str, _: object) -> None:
        nonlocal named
        if event == "call" and frame.f_globals is namespace:
            named = True
            sys.setprofile(None)
            try:
                _imp._fix_co_filename(frame.f_code, path)  # type: ignore[attr-defined]
            except Exception:
                pass  # a later Python without it: the script runs, unnamed in its stack traces

    if sys.getprofile() is None:
        sys.setprofile(name)
        try:
            exec(source, namespace)
            return
        except (SyntaxError, ValueError):
            if named:
                raise
        finally:
            if not named:
                sys.setprofile(None)
    # A script that does not compile has to say so under its own name.
    exec(compile(source, path, "exec"), namespace)
