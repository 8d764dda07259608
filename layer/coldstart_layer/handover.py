"""Becomes the command line that Lambda wanted to run: path, arguments, ``__main__`` and all."""

import _imp
import os
import sys
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from types import FrameType
    from typing import Any

    from coldstart_layer.import_times import ImportTimes


def take_message(environ: "MutableMapping[str, str]") -> "tuple[float, float | None]":
    """Take what the wrapper left in ``environ`` out again.

    Returns:
        When the wrapper was started, in epoch seconds; and when it was done, which it tells only
        if it may be that the start is to be profiled.
    """
    started = environ.pop("_COLDSTART_STARTED", "")
    before_bash = environ.pop("_COLDSTART_BEFORE_BASH", None)
    if before_bash is not None:
        for name in ("PWD", "OLDPWD", "SHLVL", "_"):
            environ.pop(name, None)
        for variable in before_bash.split("\x1f")[:-1]:
            name, _, value = variable.partition("=")
            environ[name] = value
    now = time()
    try:
        # The decimal point is that of the function's locale.
        began_at, *done_at = map(float, started.replace(",", ".").split())
    except ValueError:
        return now, None  # bash before 5.0 has no clock with fractions
    if not now - 3600 < began_at <= now:
        return now, None
    return began_at, done_at[0] if done_at else None


def note_imports(environ: "Mapping[str, str]") -> "ImportTimes | None":
    """Begin to note imports, if it may be that the start is to be profiled.

    The settings are read later: by then what we and the runtime need alike has been imported.
    """
    if not environ.get("COLDSTART_PROFILE"):
        return None
    from coldstart_layer.guard import attempt
    from coldstart_layer.import_times import ImportTimes

    times = ImportTimes()
    attempt("profile", times.start)
    return times


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


def become(argv: "list[str]", shim: "dict[str, Any]") -> None:
    """Run the original command line as the interpreter would have.

    Args:
        argv: the command line behind the interpreter's options.
        shim: the namespace of the module that is ``__main__`` now.
    """
    main = type(sys)("__main__")
    for name in ("__annotations__", "__builtins__", "__cached__"):
        if name in shim:
            main.__dict__[name] = shim[name]
    sys.modules["__main__"] = main
    script = argv[0]
    if script == "-m":
        import runpy

        sys.argv[:] = ["-m", *argv[2:]]
        runpy._run_module_as_main(argv[1])  # type: ignore[attr-defined]
        return
    sys.argv[:] = argv
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
