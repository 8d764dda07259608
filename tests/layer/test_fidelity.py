"""With the layer and without it, the function behaves the same: to the byte, where bytes go out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Function, Sandbox

RAISES = "def handler(event, context):\n    raise ValueError('boom')\n"
OK = "def handler(event, context):\n    return event\n"

CASES = {
    "returns": {"code": OK},
    "raises": {"code": RAISES},
    "raises-deep": {
        "code": """
            import helper
            def handler(event, context):
                return helper.outer()
        """,
        "files": {
            "helper.py": "def outer():\n    return inner()\n\ndef inner():\n    return {}['x']\n"
        },
    },
    "raises-with-cause": {
        "code": """
            def handler(event, context):
                try:
                    1 / 0
                except ZeroDivisionError as error:
                    raise RuntimeError("consequence") from error
        """
    },
    "raises-base-exception": {
        "code": "def handler(event, context):\n    raise KeyboardInterrupt\n",
    },
    "returns-what-is-not-json": {"code": "def handler(event, context):\n    return {1, 2}\n"},
    "returns-bytes": {"code": "def handler(event, context):\n    return b'\\x00raw'\n"},
    "calls-sys-exit": {"code": "import sys\ndef handler(event, context):\n    sys.exit(7)\n"},
    "calls-os-exit": {"code": "import os\ndef handler(event, context):\n    os._exit(9)\n"},
    "recurses-deep": {
        "code": """
            def down(depth):
                return depth and down(depth - 1)
            def handler(event, context):
                return down(950)
        """
    },
    "recurses-forever": {
        "code": "def handler(event, context):\n    return handler(event, context)\n"
    },
    "takes-too-few-arguments": {"code": "def handler(event):\n    return event\n"},
    "is-not-callable": {"code": "handler = 42\n"},
    "is-a-callable-object": {
        "code": """
            class Handler:
                def __call__(self, event, context):
                    raise ValueError("called")
            handler = Handler()
        """
    },
    "is-a-partial": {
        "code": """
            import functools
            def work(extra, event, context):
                return [extra, event]
            handler = functools.partial(work, "extra")
        """
    },
    "logs-a-reserved-key": {
        "code": """
            import logging
            def handler(event, context):
                logging.getLogger().error("x", extra={"message": "y"})
        """,
    },
    "is-missing": {"code": "x = 1\n"},
    "module-is-missing": {"code": "", "handler": "nowhere.handler"},
    "module-does-not-import": {"code": "import not_installed_anywhere\n"},
    "module-of-module-does-not-import": {
        "code": "import helper\n",
        "files": {"helper.py": "import not_installed_anywhere\n"},
    },
    "has-a-syntax-error": {"code": "def handler(event, context)\n    return 1\n"},
    "raises-while-loading": {"code": "def load():\n    raise OSError('no')\n\nload()\n"},
    "exits-while-loading": {"code": "import sys\nsys.exit(3)\n"},
    "has-no-dot": {"code": OK, "handler": "handler"},
    "names-a-built-in-module": {"code": OK, "handler": "sys.exit"},
    "is-empty": {"code": OK, "handler": "."},
    "is-in-a-package": {
        "code": "",
        "handler": "package/module.handler",
        "files": {"package/module.py": RAISES, "package/__init__.py": ""},
    },
    "is-in-a-file-called-bootstrap": {
        "code": "",
        "handler": "bootstrap.handler",
        "files": {"bootstrap.py": RAISES},
    },
}


async def observe(function: Function, wrapper: Path | None, initialization_type: str) -> tuple:
    """All that goes out of the process: what it posts, and how it ends."""
    async with Sandbox(
        function, wrapper=wrapper, initialization_type=initialization_type
    ) as sandbox:
        outcome = await sandbox.start()
        posted = [(outcome.kind, outcome.body, headers(outcome))]
        exit_code = outcome.exit_code
        if outcome.kind == "init error":
            exit_code = await sandbox.wait()
        elif outcome.kind == "ready":
            for _ in range(2):
                invocation = await sandbox.invoke(b'{"key": "value"}')
                outcome = invocation.outcome
                body = outcome.body.replace(invocation.request_id.encode(), b"<request id>")
                posted.append((outcome.kind, body, headers(outcome)))
                exit_code = outcome.exit_code
                if exit_code is not None:
                    break
        return posted, exit_code


def without_our_frames(observed: tuple) -> tuple:
    """The same without the layer's frames in the stack traces; there must be some."""
    posted, exit_code = observed
    cleaned = []
    for kind, body, posted_headers in posted:
        payload = json.loads(body or b"{}")
        if "stackTrace" in payload:
            kept = [frame for frame in payload["stackTrace"] if "/coldstart_layer/" not in frame]
            assert len(kept) == len(payload["stackTrace"]) - 1
            body = json.dumps({**payload, "stackTrace": kept}, ensure_ascii=False).encode()
            cause = json.loads(posted_headers["cause"])
            (exception,) = cause["exceptions"]
            exception["stack"] = [
                f for f in exception["stack"] if "/coldstart_layer/" not in f["path"]
            ]
            cause["paths"] = [path for path in cause["paths"] if "/coldstart_layer/" not in path]
            posted_headers = {**posted_headers, "cause": json.dumps(cause, ensure_ascii=False)}
        cleaned.append((kind, body, posted_headers))
    return cleaned, exit_code


def headers(outcome) -> dict[str, str]:
    """The posted headers that say something of the function."""
    kept = ("content-type", "lambda-runtime-function-error-type", "x-amzn-trace-id")
    cause = outcome.headers.get("lambda-runtime-function-xray-error-cause", "")
    return {name: outcome.headers.get(name) for name in kept} | {"cause": cause}


@pytest.mark.parametrize("name", CASES)
async def test_what_goes_out(wrapper, runtime, make_function, name: str) -> None:
    case = CASES[name]
    # The runtime lists the paths of a trace in the order of their hashes.
    function = make_function(runtime, **case, PYTHONHASHSEED="0")
    bare = await observe(function, None, "on-demand")
    layered = await observe(function, wrapper, "on-demand")
    if name == "logs-a-reserved-key" and runtime.name == "3.10":
        # The one known difference: 3.10 has no way to take our frame out of this trace.
        layered = without_our_frames(layered)
    if name == "recurses-forever":
        # Below the runtime's loop lie a few frames of ours, so the limit is reached a bit earlier.
        assert "RecursionError" in str(bare)
        bare, layered = (
            re.sub(r"9[789]\d more times|(<cut>)", "N", cut(seen)) for seen in (bare, layered)
        )
    assert layered == bare


def cut(observed: tuple) -> str:
    """The same without the X-Ray cause, which lists the frames one by one."""
    posted, exit_code = observed
    return str(([(kind, body) for kind, body, _ in posted], exit_code))


async def test_a_failing_restore_hook(wrapper, runtime, make_function) -> None:
    function = make_function(
        runtime,
        """
        from snapshot_restore_py import register_after_restore
        @register_after_restore
        def fail():
            raise RuntimeError("hook")
        def handler(event, context):
            pass
        """,
    )
    seen = []
    for own_wrapper in (None, wrapper):
        async with Sandbox(
            function, wrapper=own_wrapper, initialization_type="snap-start"
        ) as sandbox:
            await sandbox.start()
            outcome = await sandbox.restore()
            seen.append((outcome.kind, outcome.body, await sandbox.wait()))
    assert seen[0] == seen[1]
    assert seen[0][0] == "restore error"


# What the user's code can see of the process around it, while it loads and while it handles.
LOOK_AROUND = """
    import inspect, os, re, signal, sys, threading

    def shown(value):
        return re.sub("0x[0-9a-f]+", "0x", repr(value))

    def look():
        main = sys.modules["__main__"]
        return {
            "environ": dict(os.environ),
            "argv": sys.argv,
            "orig_argv": sys.orig_argv,
            "path": sys.path,
            "meta_path": [shown(finder) for finder in sys.meta_path],
            "path_hooks": len(sys.path_hooks),
            "main": {
                name: type(value).__name__ if name == "__loader__" else shown(value)
                for name, value in vars(main).items()
                if not inspect.isfunction(value) and not inspect.ismodule(value)
            },
            "main_names": sorted(vars(main)),
            "main_code": getattr(main, "main", look).__code__.co_filename,
            "loader": [main.__loader__.name, main.__loader__.path] if main.__loader__ else None,
            "profile": repr((sys.getprofile(), sys.gettrace())),
            "hooks": shown((sys.excepthook, sys.displayhook, sys.unraisablehook)),
            "threads": len(threading.enumerate()),
            "signals": [shown(signal.getsignal(number)) for number in signal.valid_signals()],
            "descriptors": sorted(os.listdir("/proc/self/fd")),
            "limit": sys.getrecursionlimit(),
            "cwd": os.getcwd(),
            "flags": repr(sys.flags),
            "umask": os.umask(os.umask(0)),
            "stdio": [type(sys.stdout).__name__, type(sys.stderr).__name__],
        }

    loading = look()

    def handler(event, context):
        seen = look()
        # From the runtime's loop to here; below that loop is how the process was started.
        functions = [frame.function for frame in inspect.stack()]
        seen["stack"] = functions[: functions.index("run") + 1]
        seen["context"] = {
            name: shown(value) for name, value in vars(context).items()
            if name not in ("aws_request_id", "_epoch_deadline_time_in_ms")
        }
        return [loading, seen]
"""
# Each sandbox has its own of these.
VARYING = {
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_DAEMON_ADDRESS",
    "_X_AMZN_TRACE_ID",
}


@pytest.mark.parametrize("form", ["script", "module"])
@pytest.mark.parametrize(
    "shell_variables",
    [
        {},
        {"SHLVL": "3", "PWD": "/elsewhere", "OLDPWD": "/nowhere", "_": "/usr/bin/env"},
        {"SHELL_LIKE": "a\nb", "PWD": "", "BASH_ENV": "/does/not/exist"},
    ],
    ids=["none", "of-a-parent-shell", "odd"],
)
async def test_what_the_function_sees(
    wrapper, runtime, make_function, form: str, shell_variables: dict[str, str]
) -> None:
    # As on Lambda, the variable is there whether or not anything runs through it.
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": str(wrapper), **shell_variables}
    function = make_function(runtime, LOOK_AROUND, **environment)
    command = None
    if form == "module":
        command = (str(function.python), "-m", "awslambdaric", "app.handler")
    seen = []
    for own_wrapper in (None, wrapper):
        async with Sandbox(function, wrapper=own_wrapper, command=command) as sandbox:
            outcome = await sandbox.start()
            assert outcome.kind == "ready", outcome
            invocation = await sandbox.invoke()
            assert sandbox.stderr == ""
        moments = json.loads(invocation.outcome.body)
        for moment in moments:
            for name in VARYING:
                moment["environ"].pop(name, None)
        moments[1]["context"].pop("log_stream_name")
        seen.append(moments)
    bare, layered = seen
    assert layered[0] == bare[0]
    assert layered[1] == bare[1]


async def test_modules_added(wrapper, runtime, make_function) -> None:
    """Where nothing is traced the layer brings its own modules and no other."""
    function = make_function(
        runtime,
        """
        import sys
        def handler(event, context):
            return sorted(sys.modules)
        """,
    )
    seen = []
    for own_wrapper in (None, wrapper):
        async with Sandbox(function, wrapper=own_wrapper) as sandbox:
            await sandbox.start()
            invocation = await sandbox.invoke(trace_header="")
            seen.append(set(json.loads(invocation.outcome.body)))
    bare, layered = seen
    assert bare <= layered
    assert {name.partition(".")[0] for name in layered - bare} == {"coldstart_layer"}
    assert "coldstart_layer.tracing" not in layered


async def test_modules_added_where_a_request_is_traced(wrapper, runtime, make_function) -> None:
    code = "import sys\ndef handler(event, context):\n    return sorted(sys.modules)\n"
    function = make_function(runtime, code)
    seen = []
    for own_wrapper in (None, wrapper):
        async with Sandbox(function, wrapper=own_wrapper) as sandbox:
            await sandbox.start()
            seen.append(set(json.loads((await sandbox.invoke()).outcome.body)))
    added = {name for name in seen[1] - seen[0] if not name.startswith("coldstart_layer")}
    assert added == {"_socket"}
