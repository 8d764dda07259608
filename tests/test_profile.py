"""COLDSTART_PROFILE=on: where an init went, under the real runtime; and that it changes nothing."""

from __future__ import annotations

import asyncio
import compileall
import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import xray_segment_schema
from coldstart_cli.local_lambda import Sandbox
from coldstart_layer.import_times import Import
from coldstart_layer.profile import longest
from conftest import library_environment, ready

ON = {"COLDSTART_PROFILE": "on"}
# A few milliseconds that a busy machine only makes more of.
SLEEP_MS = 30
SLEEPS = f"import time\ntime.sleep({SLEEP_MS / 1000})\n"


def profiles(stdout: str) -> list[dict[str, Any]]:
    lines = [line for line in stdout.splitlines() if '"coldstart_profile"' in line]
    assert all(len(line) < 8000 for line in lines)
    return [json.loads(line) for line in lines]


def by_name(profile: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {module["name"]: module for module in profile["modules"]}


def parent(profile: dict[str, Any], name: str) -> str | None:
    path: list[str] = []
    for module in profile["modules"]:
        del path[module["depth"] :]
        if module["name"] == name:
            return path[-1] if path else None
        path.append(module["name"])
    raise AssertionError(f"{name} is not listed")


async def start_and_invoke(function, wrapper, **sandbox_options) -> tuple[list, str]:
    """Start a function and invoke it twice; returns its profiles and what was on stderr."""
    async with Sandbox(function, wrapper=wrapper, **sandbox_options) as sandbox:
        await ready(sandbox)
        for _ in range(2):
            invocation = await sandbox.invoke()
            assert invocation.outcome.kind == "response", (invocation, sandbox.stderr)
        return profiles(sandbox.stdout), sandbox.stderr


TREE = """
    import slow_package.inner
    import flat
    import json.tool
    import spaces.within
    try:
        import is_not_there
    except ImportError:
        pass

    def handler(event, context):
        import late.module
        return late.module.answer
"""
TREE_FILES = {
    "slow_package/__init__.py": SLEEPS,
    "slow_package/inner.py": f"import flat\n{SLEEPS}",
    "flat.py": SLEEPS,
    "spaces/within.py": SLEEPS,
    "late/__init__.py": "",
    "late/module.py": f"answer = 42\n{SLEEPS}",
}


async def test_an_init_module_by_module(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, TREE, files=TREE_FILES, **ON)
    (init, first), stderr = await start_and_invoke(function, wrapper, json_logs=True)
    assert stderr == ""

    assert init["coldstart_profile"] == "init"
    assert sum(init["parts_ms"].values()) == pytest.approx(init["init_ms"], abs=0.01)
    assert list(init["parts_ms"]) == ["wrapper", "interpreter", "layer", "runtime", "handler"]
    assert all(ms > 0 for ms in init["parts_ms"].values())
    own = sum(module["own_ms"] for module in init["modules"]) + init["remainder"]["own_ms"]
    assert own == pytest.approx(init["imports_ms"], abs=0.1)
    assert sum(init["origins_ms"].values()) == pytest.approx(init["imports_ms"], abs=0.1)
    assert init["imports_ms"] == pytest.approx(init["parts_ms"]["handler"], rel=0.05, abs=2)

    modules = by_name(init)
    assert parent(init, "app") is None
    # A package is imported before its module, and not by it.
    assert {parent(init, name) for name in ("slow_package", "slow_package.inner")} == {"app"}
    assert parent(init, "flat") == "slow_package.inner"  # which was first to ask for it
    assert modules["slow_package.inner"]["total_ms"] >= 2 * SLEEP_MS
    assert SLEEP_MS <= modules["slow_package.inner"]["own_ms"] < 2 * SLEEP_MS
    assert modules["spaces.within"]["own_ms"] >= SLEEP_MS
    assert modules["app"]["total_ms"] >= 4 * SLEEP_MS
    assert modules["app"]["own_ms"] < SLEEP_MS
    assert all(0 <= module["own_ms"] <= module["total_ms"] for module in init["modules"])
    assert modules["flat"]["origin"] == "function"
    assert modules["flat"]["bytes"] == (function.task_root / "flat.py").stat().st_size
    assert modules["json.tool"]["origin"] == "standard library"
    assert "not imported" in init["origins_ms"]

    assert first["coldstart_profile"] == "first invocation"
    assert [module["name"] for module in first["modules"]] == ["late", "late.module"]
    assert first["modules"][1]["own_ms"] >= SLEEP_MS
    assert (init["handler"], init["function_name"]) == ("app.handler", function.name)
    assert {init["level"], first["level"]} == {"INFO"}
    assert first["request_id"] is not None


KINDS = {
    "built in": ("faulthandler", "standard library"),
    "an extension": ("array", "standard library"),
    "a namespace package": ("spaces", "function"),
    "in a zip file": ("zipped", "function"),
    "elsewhere": ("elsewhere", "other"),
    "another Python's": ("anothers", "other"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_kinds_of_modules(wrapper, runtime, make_function, tmp_path, kind: str) -> None:
    name, origin = KINDS[kind]
    (tmp_path / "elsewhere.py").write_text("")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages/anothers.py").write_text("")
    function = make_function(
        runtime,
        f"""
        import sys
        sys.path += ["{tmp_path}/task/some.zip", "{tmp_path}", "{tmp_path}/site-packages"]
        sys.modules.pop("{name}", None)
        import {name}
        def handler(event, context):
            pass
        """,
        files={"spaces/within.py": ""},
        **ON,
    )
    with zipfile.ZipFile(function.task_root / "some.zip", "w") as archive:
        archive.writestr("zipped.py", "")
    (init,), _ = await start_and_invoke(function, wrapper)
    assert by_name(init)[name]["origin"] == origin
    assert parent(init, name) == "app"


async def test_a_real_function(wrapper, make_function) -> None:
    """boto3, pydantic and numpy: the parts make up what was measured from outside, within 5 %."""
    runtime = library_environment("imports")
    function = make_function(
        runtime,
        """
        import boto3
        import numpy
        from pydantic import BaseModel

        class Order(BaseModel):
            number: int

        client = boto3.client("s3")

        def handler(event, context):
            return Order(number=int(numpy.sum([1, 2]))).model_dump()
        """,
        **ON,
    )
    off = []
    for _ in range(3):  # what else the machine does can make the time outside longer, never shorter
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            began = time.perf_counter()
            await ready(sandbox)
            measured_ms = (time.perf_counter() - began) * 1000
            (init,) = profiles(sandbox.stdout)
        off.append(1 - sum(init["parts_ms"].values()) / measured_ms)
        parts_ms = sum(ms for name, ms in init["parts_ms"].items() if name != "handler")
        modules_ms = sum(module["own_ms"] for module in init["modules"])
        modules_ms += init["remainder"]["own_ms"]
        assert parts_ms + modules_ms == pytest.approx(init["init_ms"], rel=0.05)
    assert 0 <= min(off) < 0.05, off
    modules = by_name(init)
    assert {"boto3", "numpy", "client s3"} <= modules.keys()
    assert modules["client s3"]["origin"] == "client"
    assert modules["numpy"]["origin"] == "runtime"  # beside Python, though not in its library
    assert parent(init, "client s3") == "app"
    assert len(init["modules"]) == 20
    assert init["remainder"]["modules"] > 200


async def test_origins_in_lambdas_layout(runtime, make_function, make_layout, own_wrapper) -> None:
    layers = own_wrapper.parent / "python"
    (layers / "of_a_layer.py").write_text(SLEEPS)
    code = "import of_a_layer, own, simplejson, wave\ndef handler(event, context):\n    pass\n"
    function = make_function(runtime, code, files={"own.py": SLEEPS}, **ON)
    layout = make_layout(function, opt=own_wrapper.parent)
    function = replace(
        function,
        environment={
            **function.environment,
            **layout.environment(),
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper",
        },
    )
    command = tuple(layout.command("/var/runtime/bootstrap"))
    (init,), _ = await start_and_invoke(function, None, command=command)
    origins = {name: module["origin"] for name, module in by_name(init).items()}
    assert origins["own"] == origins["app"] == "function"
    assert origins["of_a_layer"] == "layer"
    assert origins["wave"] == "standard library"
    assert origins.get("simplejson", "runtime") == "runtime"
    # The wrapper tells of itself also where it does not read on.
    assert list(init["parts_ms"]) == ["wrapper", "interpreter", "layer", "runtime", "handler"]
    assert all(ms > 0 for ms in init["parts_ms"].values())


async def test_bytecode_that_is_missing_is_counted(wrapper, runtime, make_function) -> None:
    function = make_function(runtime, TREE, files=TREE_FILES, PYTHONDONTWRITEBYTECODE="1", **ON)
    (init, first), _ = await start_and_invoke(function, wrapper)
    assert init["compiled"]["modules"] >= 5  # app, flat, slow_package twice, spaces.within
    assert init["compiled"]["ms"] > 0
    assert first["compiled"]["modules"] == 2


async def test_bytecode_that_fits_is_not(wrapper, make_function, newest_runtime) -> None:
    function = make_function(newest_runtime, TREE, files=TREE_FILES, **ON)
    command = [function.python, "-m", compileall.__name__, "-q", function.task_root]
    subprocess.run(command, check=True)
    (init, first), _ = await start_and_invoke(function, wrapper)
    assert init["compiled"]["modules"] == first["compiled"]["modules"] == 0


async def test_off_it_is_not_even_imported(wrapper, runtime, make_function) -> None:
    code = """
        import sys
        importlib = sys.modules["_frozen_importlib"]
        def handler(event, context):
            ours = [name for name in sys.modules if name.startswith("coldstart_layer")]
            return [importlib._ModuleLockManager.__module__, *ours]
    """
    for value in ("", "off", "no"):
        function = make_function(runtime, code, COLDSTART_PROFILE=value)
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            await ready(sandbox)
            module, *ours = json.loads((await sandbox.invoke()).outcome.body)
            assert profiles(sandbox.stdout) == []
            assert sandbox.stderr == ""
        assert module == "_frozen_importlib"
        profiler = {"coldstart_layer.profile", "coldstart_layer.import_times"}
        # Asked for and declined, it is there until the settings have been read.
        assert value or profiler.isdisjoint(ours)


async def test_an_odd_value(wrapper, newest_runtime, make_function) -> None:
    code = "def handler(event, context):\n    pass\n"
    function = make_function(newest_runtime, code, COLDSTART_PROFILE="maybe")
    told, stderr = await start_and_invoke(function, wrapper)
    assert told == []
    line = "coldstart-layer: COLDSTART_PROFILE='maybe' is neither on nor off; using off\n"
    assert stderr == line


SEES_WHAT_IS_PATCHED = """
    import sys
    import botocore.session
    from coldstart_layer.import_times import ImportTimes

    def patched():
        importlib = sys.modules["_frozen_importlib"]
        external = sys.modules["_frozen_importlib_external"]
        return [
            importlib._ModuleLockManager.__name__,
            external.SourceLoader.source_to_code.__name__
            + "@" + str(external.SourceLoader.source_to_code.__module__),
            botocore.session.Session.create_client.__code__.co_filename.split("/")[-1],
        ]

    loading = patched()

    def handler(event, context):
        return [loading, patched()]
"""


async def test_after_the_first_invocation_nothing_is_left(wrapper, make_function) -> None:
    function = make_function(library_environment("imports"), SEES_WHAT_IS_PATCHED, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        loading, first = json.loads((await sandbox.invoke()).outcome.body)
        _, second = json.loads((await sandbox.invoke()).outcome.body)
    ours = "coldstart_layer.import_times"
    assert loading == first == ["TimedLock", f"source_to_code@{ours}", "import_times.py"]
    original = "source_to_code@_frozen_importlib_external"
    assert second[:2] == ["_ModuleLockManager", original]
    assert second[2] != "import_times.py"


async def test_imports_of_other_threads(wrapper, newest_runtime, make_function) -> None:
    """They take time beside the init, not of it."""
    code = """
        import threading
        def work():
            import in_a_thread
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        def handler(event, context):
            pass
    """
    function = make_function(newest_runtime, code, files={"in_a_thread.py": SLEEPS}, **ON)
    (init,), _ = await start_and_invoke(function, wrapper)
    assert "in_a_thread" not in by_name(init)
    assert init["compiled"]["modules"] == 1
    assert by_name(init)["app"]["own_ms"] >= SLEEP_MS  # which waited for it


async def test_long_names_fit_into_the_line(wrapper, newest_runtime, make_function) -> None:
    names = [f"{chr(ord('a') + number)}{'ß' * 120}" for number in range(25)]
    files = {f"{name}.py": "import time\ntime.sleep(.002)\n" for name in names}
    code = f"import {', '.join(names)}\ndef handler(event, context):\n    pass\n"
    function = make_function(newest_runtime, code, files=files, **ON)
    (init,), _ = await start_and_invoke(function, wrapper)
    listed = len(init["modules"])
    assert 5 <= listed < 20
    assert listed + init["remainder"]["modules"] >= 26
    own = sum(module["own_ms"] for module in init["modules"]) + init["remainder"]["own_ms"]
    assert own == pytest.approx(init["imports_ms"], abs=0.1)


async def test_at_the_level_that_gets_through(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, TREE, files=TREE_FILES, **ON)
    told, _ = await start_and_invoke(function, wrapper, json_logs=True, log_level="ERROR")
    assert [profile["level"] for profile in told] == ["ERROR", "ERROR"]


def with_parents(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A subsegment and those in its document, each with the id of its parent."""
    yield part
    for inner in part.get("subsegments", ()):
        yield from with_parents({**inner, "parent_id": part["id"]})


def check_nesting(sent: list[dict[str, Any]]) -> dict[str, str]:
    """The name of what each subsegment lies in, whose time its own lies in."""
    parts = {part["id"]: part for document in sent for part in with_parents(document)}
    nested = [part for part in parts.values() if part["parent_id"] in parts]
    for part in nested:
        outer = parts[part["parent_id"]]
        # The clocks of imports and of the init are not the same one.
        assert outer["start_time"] - 0.002 <= part["start_time"] <= part["end_time"]
        assert part["end_time"] <= outer["end_time"] + 0.002
    return {part["name"]: parts[part["parent_id"]]["name"] for part in nested}


@pytest.mark.parametrize("sdk", [False, True], ids=["our own datagram", "through the SDK"])
async def test_in_the_trace(wrapper, runtime, make_function, sdk: bool) -> None:
    """Modules that took long are parts of the leaf."""
    loads_sdk = "from aws_xray_sdk.core import xray_recorder\n" if sdk else ""
    files = {**TREE_FILES, "flat.py": SLEEPS + loads_sdk}
    function = make_function(runtime, TREE, files=files, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        await sandbox.invoke()
        sent = sandbox.xray.read()
        assert sandbox.stderr == ""
    for document in sent:
        xray_segment_schema.check(document)
    within = check_nesting(sent)
    assert within["import app"] == "coldstart"
    assert within["import slow_package.inner"] == "import app"
    assert within["import flat"] == "import slow_package.inner"
    assert "import spaces" not in within  # which took no time
    parts = {part["name"]: part for document in sent for part in with_parents(document)}
    package, inner = parts["import slow_package"], parts["import slow_package.inner"]
    assert package["end_time"] <= inner["start_time"] + 0.02  # first the one, then the other


async def test_a_trace_has_no_init_that_nobody_waited_for(
    wrapper, newest_runtime, make_function
) -> None:
    function = make_function(newest_runtime, TREE, files=TREE_FILES, **ON)
    async with Sandbox(
        function, wrapper=wrapper, initialization_type="provisioned-concurrency"
    ) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        (leaf,) = sandbox.xray.read()
        init, *_ = profiles(sandbox.stdout)
    assert "subsegments" not in leaf
    assert init["initialization_type"] == "provisioned-concurrency"


async def test_with_snapstart(wrapper, newest_runtime, make_function) -> None:
    """The init is told when the version is published, the first invocation after the restore."""
    function = make_function(newest_runtime, TREE, files=TREE_FILES, **ON)
    async with Sandbox(function, wrapper=wrapper, initialization_type="snap-start") as sandbox:
        await ready(sandbox)
        assert [it["coldstart_profile"] for it in profiles(sandbox.stdout)] == ["init"]
        assert (await sandbox.restore()).kind == "ready"
        for _ in range(2):
            await sandbox.invoke()
        told = profiles(sandbox.stdout)
        assert sandbox.stderr == ""
    assert [it["coldstart_profile"] for it in told] == ["init", "first invocation"]


FAILS = {
    "at the top": ("raise ValueError('no')\n", {}),
    "deeper": ("import one\n", {"one.py": "import two\n", "two.py": "1 / 0\n"}),
    "not found": ("import one\n", {"one.py": "import nowhere.at.all\n"}),
    "no such name": ("from one import nothing\n", {"one.py": ""}),
    "does not compile": ("import one\n", {"one.py": "def broken(:\n"}),
    "exits": ("import one\n", {"one.py": "raise SystemExit(3)\n"}),
    "circular": ("import one\n", {"one.py": "import two\n", "two.py": "from one import later\n"}),
    "client": ("import boto3\nboto3.client('nothing')\n", {}),
    "by import_module": (
        "import importlib\nimportlib.import_module('one')\n",
        {"one.py": "import importlib\nimportlib.import_module('two')\n", "two.py": "1 / 0\n"},
    ),
    "in the handler": (
        "def handler(event, context):\n    import one\n",
        {"one.py": "import two\n", "two.py": "1 / 0\n"},
    ),
    "recursion": ("def load():\n    import one\n    load()\nload()\n", {"one.py": ""}),
}


@pytest.mark.parametrize("case", FAILS)
async def test_failures_are_the_same_to_the_byte(wrapper, runtime, make_function, case) -> None:
    """Error payloads with their stack traces, with COLDSTART_PROFILE=on and without the layer."""
    code, files = FAILS[case]
    if case == "client":
        runtime = library_environment("imports")
    seen = []
    for own_wrapper in (wrapper, None):
        function = make_function(runtime, code, files=files, **ON)
        async with Sandbox(function, wrapper=own_wrapper) as sandbox:
            outcome = await sandbox.start()
            if outcome.kind == "ready":
                outcome = (await sandbox.invoke()).outcome
            exit_code = await sandbox.wait() if outcome.kind == "exit" else None
            body = outcome.body
            if outcome.kind == "error" or body:
                told = json.loads(body)
                told.pop("requestId", None)
                body = json.dumps(told)
            stderr = [line for line in sandbox.stderr.splitlines() if "coldstart" in line]
        seen.append((outcome.kind, body, exit_code))
        assert stderr == []
    if case == "recursion":  # at what depth differs
        seen = [(kind, json.loads(body)["errorType"], code) for kind, body, code in seen]
    assert seen[0] == seen[1]


async def test_a_timeout_of_the_functions_own_in_an_import(wrapper, runtime, make_function) -> None:
    """A signal handler raises in the middle of an import: it gets through, and imports go on."""
    code = """
        import signal
        def handler(event, context):
            def late(*_):
                raise TimeoutError("too late")
            signal.signal(signal.SIGALRM, late)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                import sleeps
            except TimeoutError as error:
                import afterwards
                return str(error)
    """
    files = {"sleeps.py": "import time\ntime.sleep(5)\n", "afterwards.py": SLEEPS}
    function = make_function(runtime, code, files=files, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert (await sandbox.invoke()).outcome.body == b'"too late"'
        assert (await sandbox.invoke()).outcome.body == b'"too late"'
        _, first = profiles(sandbox.stdout)
        assert sandbox.stderr == ""
    assert parent(first, "afterwards") is None
    assert by_name(first)["sleeps"]["origin"] == "not imported"


async def test_managed_workers(wrapper, newest_runtime, make_function) -> None:
    """Each worker loads the handler, and tells of its own init."""
    function = make_function(newest_runtime, TREE, files=TREE_FILES, **ON)
    async with Sandbox(
        function, wrapper=wrapper, initialization_type="lambda-managed-instances", workers=2
    ) as sandbox:
        await ready(sandbox)
        for _ in range(100):
            if len(profiles(sandbox.stdout)) >= 2:
                break
            await asyncio.sleep(0.05)
        told = profiles(sandbox.stdout)
    assert [it["coldstart_profile"] for it in told[:2]] == ["init", "init"]
    assert all("slow_package.inner" in by_name(it) for it in told)


ODD = {
    "imported twice": (
        "import m\n",
        {"m.py": f"{SLEEPS}import sys\nif not hasattr(sys, 'again'):\n"
         "    sys.again = sys.modules.pop('m')\n    import m\n"},
    ),
    "its own package anew": (
        "import a.b\n",
        {"a/__init__.py": "", "slow.py": SLEEPS,
         "a/b.py": f"import sys\nimport slow\nsys.modules.pop('a')\nimport a\n{SLEEPS}"},
    ),
    "its own package anew, and first of all": (
        "import a.b\n",
        {"a/__init__.py": SLEEPS,
         "a/b.py": f"import sys\nsys.modules.pop('a')\nimport a\n{SLEEPS}"},
    ),
    "an exception leaves some": (
        "for _ in range(3):\n    try:\n        import one\n"
        "    except ValueError:\n        import slow\n",
        {"one.py": "import two\n", "two.py": f"{SLEEPS}raise ValueError\n", "slow.py": SLEEPS},
    ),
    "a chain": (
        "import c0\n",
        {f"c{number}.py": f"import c{number + 1}\n" for number in range(60)} | {"c60.py": SLEEPS},
    ),
    "a value in place of the module": (
        "import value\nimport gone\nimport lazy\n",
        {"value.py": "import sys\nsys.modules[__name__] = 5\n",
         "gone.py": SLEEPS,
         "lazy.py": "import sys\nclass It(type(sys)):\n"
         "    def __getattribute__(self, name):\n        raise RuntimeError(name)\n"
         "sys.modules[__name__] = It(__name__)\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
async def test_odd_imports_add_up(wrapper, runtime, make_function, case: str) -> None:
    code, files = ODD[case]
    code += "def handler(event, context):\n    pass\n"
    function = make_function(runtime, code, files=files, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        sent = sandbox.xray.read()
        (init, *_) = profiles(sandbox.stdout)
        assert sandbox.stderr == ""
    assert init["imports_ms"] <= init["parts_ms"]["handler"] + 0.1
    assert init["imports_ms"] == pytest.approx(init["parts_ms"]["handler"], rel=0.1, abs=3)
    path: list[dict[str, Any]] = []
    for module in init["modules"]:
        del path[module["depth"] :]
        assert 0 <= module["own_ms"] <= module["total_ms"] + 0.001
        assert not path or module["total_ms"] <= path[-1]["total_ms"] + 0.001
        path.append(module)
    check_nesting(sent)


async def test_a_deleted_module_was_found(wrapper, newest_runtime, make_function) -> None:
    code = """
        import sys
        import helper
        del sys.modules["helper"]
        def handler(event, context):
            pass
    """
    function = make_function(newest_runtime, code, files={"helper.py": SLEEPS}, **ON)
    (init,), _ = await start_and_invoke(function, wrapper)
    assert by_name(init)["helper"]["origin"] == "function"


TWICE = {
    "its package imports it": (
        "import a.b\n",
        {"a/__init__.py": "import a.b\n", "a/b.py": SLEEPS},
        ["app", "a", "a.b"],
        1,
    ),
    "its package imports and deletes it": (
        "import a.b\n",
        {"a/__init__.py": "import sys\nimport a.b\ndel sys.modules['a.b']\n", "a/b.py": SLEEPS},
        ["app", "a", "a.b", "a.b"],
        2,
    ),
    "its package fails to import it": (
        "import a.b\n",
        {"a/__init__.py": "try:\n    import a.b\nexcept ValueError:\n    pass\n",
         "a/b.py": f"import sys\nif not hasattr(sys, 'again'):\n    sys.again = True\n"
         f"    raise ValueError\n{SLEEPS}"},
        ["app", "a", "a.b", "a.b"],
        1,
    ),
    "a cycle": (
        "import one\n",
        {"one.py": "import two\n",
         "two.py": f"import importlib\nimportlib.import_module('one')\n{SLEEPS}"},
        ["app", "one", "two"],
        1,
    ),
    "loaded anew": (
        "import importlib\nimport flat\nimportlib.reload(flat)\n",
        {"flat.py": SLEEPS},
        ["app", "flat"],
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TWICE)
async def test_what_is_asked_for_twice(wrapper, runtime, make_function, case: str) -> None:
    """It is told of as often as its module was run, but for a reload, which is no import."""
    code, files, names, times = TWICE[case]
    code += "def handler(event, context):\n    pass\n"
    function = make_function(runtime, code, files=files, **ON)
    (init,), _ = await start_and_invoke(function, wrapper)
    assert sorted(it["name"] for it in init["modules"]) == sorted(names)
    slow = [it["own_ms"] for it in init["modules"] if it["name"] in ("a.b", "two", "flat")]
    assert sum(slow) >= times * SLEEP_MS
    assert init["imports_ms"] <= init["parts_ms"]["handler"] + 0.1


STRANGE = {
    "says that it is a module": (
        "import sys, types\nclass It:\n    __class__ = types.ModuleType\n"
        "sys.modules[__name__] = It()\n"
    ),
    "does not say what it is": (
        "import sys\nclass It:\n    @property\n    def __class__(self):\n"
        "        raise RuntimeError\nsys.modules[__name__] = It()\n"
    ),
    "has no dict": (
        "import sys, types\nclass It(types.ModuleType):\n    def __init__(self):\n        pass\n"
        "sys.modules[__name__] = It()\n"
    ),
    "its spec has no origin": "del __spec__.origin\n",
    "its spec lies": "__spec__.origin = None\n__spec__.submodule_search_locations = 7\n",
    "a namespace without its package": "import sys\nimport a.ns.m\ndel sys.modules['a']\n",
    "a botocore of its own": "import botocore.session\n",
    "holds the lock by itself": (
        "import sys\nlock = sys.modules['_frozen_importlib']._ModuleLockManager('none')\n"
        "lock.__enter__()\nlock.__exit__()\n"
    ),
}


@pytest.mark.parametrize("case", STRANGE)
async def test_strange_modules(wrapper, runtime, make_function, case: str) -> None:
    """They load as they would, and the rest is told all the same."""
    files = {"strange.py": STRANGE[case], "a/__init__.py": "", "a/ns/m.py": "", "flat.py": SLEEPS}
    files |= {"botocore/__init__.py": "", "botocore/session.py": ""}
    code = "import flat, strange\ndef handler(event, context):\n    pass\n"
    function = make_function(runtime, code, files=files, **ON)
    (init,), stderr = await start_and_invoke(function, wrapper)
    assert stderr == ""
    assert by_name(init)["flat"]["own_ms"] >= SLEEP_MS
    assert "strange" in by_name(init)
    if "a.ns" in by_name(init):
        assert by_name(init)["a.ns"]["origin"] == "function"


async def test_what_is_imported_lazily_stays_lazy(wrapper, runtime, make_function) -> None:
    """Also the module that we watch for the clients of boto3."""
    code = """
        import importlib.util, sys
        spec = importlib.util.find_spec("botocore.session")

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name != "botocore.session":
                    return None
                sys.meta_path.remove(self)
                spec = importlib.util.find_spec(name)
                spec.loader = importlib.util.LazyLoader(spec.loader)
                return spec

        sys.meta_path.insert(0, Finder())
        import botocore.session

        def handler(event, context):
            return hasattr(sys, "loaded")
    """
    files = {
        "botocore/__init__.py": "",
        "botocore/session.py": "import sys\nsys.loaded = True\nclass Session:\n    pass\n",
    }
    function = make_function(runtime, code, files=files, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        assert (await sandbox.invoke()).outcome.body == b"false"
        assert sandbox.stderr == ""


async def test_a_client_of_a_boto3_that_another_thread_has_imported(wrapper, make_function) -> None:
    code = """
        import inspect, threading
        def work():
            import boto3
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        import boto3, botocore.session
        client = boto3.client("s3")
        seen = str(inspect.signature(botocore.session.Session.create_client))
        def handler(event, context):
            return seen
    """
    function = make_function(library_environment("imports"), code, **ON)
    seen = []
    for own_wrapper in (wrapper, None):
        async with Sandbox(function, wrapper=own_wrapper) as sandbox:
            await ready(sandbox)
            seen.append((await sandbox.invoke()).outcome.body)
            if own_wrapper is not None:
                (init,) = profiles(sandbox.stdout)
    assert seen[0] == seen[1]
    assert by_name(init)["client s3"]["origin"] == "client"


def test_which_modules_are_listed() -> None:
    """Half of them for what they import, where of a chain the last one counts; then by own time."""
    listed = ["app", "end", *(f"b{number}" for number in range(8)), "alone"]
    imports = []
    for position in range(30):  # each one imports the one before it
        name = "end" if position == 0 else f"c{position}"
        imports.append(Import(name, 0.0, 1.0, None, total=0.030 + position * 0.0001))
    for number in range(8):
        imports.append(Import(f"b{number}", 0.0, 1.0, None, total=0.030))
        imports += [Import(f"b{number}{it}", 0.0, 1.0, None, total=0.010) for it in "xyz"]
    for number in range(12):  # for which there is no space
        imports.append(Import(f"d{number}", 0.0, 1.0, None, total=0.030))
        imports[-1].longest, imports[-1].own = 0.015, 0.0
    imports += [Import("alone", 0.0, 1.0, None, total=0.011), Import("app", 0.0, 1.0, None, 0.3)]
    for noted in imports:
        if noted.name.startswith("c"):
            noted.longest, noted.own = noted.total - 0.0001, 0.0001
        elif noted.name.startswith("b") and noted.name in listed:
            noted.longest, noted.own = 0.010, 0.0
    imports[-1].longest, imports[-1].own = 0.033, 0.0
    found = [noted.name for noted in longest(imports, 20)]
    assert len(set(found)) == 20
    assert set(listed) <= set(found)
    assert not any(name.startswith("c") for name in found)


PATCHES = """
    import awslambdaric.bootstrap
    client = awslambdaric.bootstrap.LambdaRuntimeClient
    if {base}:
        client = awslambdaric.lambda_runtime_client.BaseLambdaRuntimeClient
    original = client.wait_next_invocation
    counts = []

    def mine(self):
        counts.append(1)
        return original(self)

    if not {late}:
        client.wait_next_invocation = mine

    def handler(event, context):
        if {late} and client.wait_next_invocation is not mine:
            client.wait_next_invocation = mine
        return len(counts)
"""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("base", [False, True])
async def test_a_patch_of_the_runtimes_client_stays(
    wrapper, newest_runtime, make_function, base: bool, late: bool
) -> None:
    function = make_function(newest_runtime, PATCHES.format(base=base, late=late), **ON)
    seen = []
    for own_wrapper in (wrapper, None):
        async with Sandbox(function, wrapper=own_wrapper) as sandbox:
            await ready(sandbox)
            seen.append([(await sandbox.invoke()).outcome.body for _ in range(4)])
    assert seen[0] == seen[1]


async def test_noting_stops_in_managed_workers_too(wrapper, make_function) -> None:
    function = make_function(library_environment("imports"), SEES_WHAT_IS_PATCHED, **ON)
    async with Sandbox(
        function, wrapper=wrapper, initialization_type="lambda-managed-instances", workers=1
    ) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        _, second = json.loads((await sandbox.invoke()).outcome.body)
    assert "TimedLock" not in second
    assert second[-1] != "import_times.py"


async def test_where_the_function_wraps_ours_it_does_nothing_any_more(
    wrapper, make_function
) -> None:
    code = """
        import boto3, botocore.session, gc
        from coldstart_layer.import_times import ImportTimes
        original = botocore.session.Session.create_client

        def mine(*arguments, **options):
            return original(*arguments, **options)

        botocore.session.Session.create_client = mine

        def handler(event, context):
            boto3.client("s3")
            (times,) = (it for it in gc.get_objects() if isinstance(it, ImportTimes))
            return len(times._notes)
    """
    function = make_function(library_environment("imports"), code, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        counts = [(await sandbox.invoke()).outcome.body for _ in range(3)]
        assert sandbox.stderr == ""
    assert counts == [b"0", b"0", b"0"]


COLLECTS_OFTEN = """
    import gc, sys
    import json.tool
    passing_by = []

    def note(phase, info):
        frame = sys._getframe()
        while frame is not None:
            name = frame.f_code.co_filename.rpartition("/")[2]
            if name == "profile.py" or (name, frame.f_code.co_name) == ("import_times.py", "done"):
                passing_by.append(name)
            frame = frame.f_back

    gc.callbacks.append(note)
    gc.set_threshold(50)
    {switch}

    def handler(event, context):
        import wave
        return [passing_by, gc.isenabled()]
"""


@pytest.mark.parametrize(
    "switch", ["gc.enable()", "gc.disable()", "gc.enable = gc.disable = passing_by.append"]
)
async def test_the_collector_does_not_run_because_of_the_profile(
    wrapper, runtime, make_function, switch: str
) -> None:
    """In a function that has imported much it takes longer than all that the profile does."""
    function = make_function(runtime, COLLECTS_OFTEN.format(switch=switch), **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        for _ in range(2):
            passing_by, enabled = json.loads((await sandbox.invoke()).outcome.body)
            assert passing_by == []
            assert enabled == (switch != "gc.disable()")
        assert len(profiles(sandbox.stdout)) == 2


async def test_a_trace_of_many_slow_modules_with_long_names(
    wrapper, newest_runtime, make_function
) -> None:
    """Within X-Ray's 64 kB for a document, and 200 characters for a name."""
    names = [f"m{number:03}{'ß' * 110}" for number in range(90)]
    files = {f"{name}.py": "import time\ntime.sleep(.011)\n" for name in names}
    long = "/".join(["long" * 20] * 3)
    files[f"{long}.py"] = SLEEPS
    code = f"import {', '.join(names)}\nimport {long.replace('/', '.')}\n"
    code += "def handler(event, context):\n    pass\n"
    function = make_function(newest_runtime, code, files=files, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        await sandbox.invoke()
        (leaf,) = sandbox.xray.read()
        assert sandbox.stderr == ""
    xray_segment_schema.check(leaf)
    parts = list(with_parents(leaf))
    assert len(parts) > 50
    assert len(json.dumps(leaf)) < 64_000
    assert all(len(part["name"]) <= 200 for part in parts)


async def test_a_function_that_changes_how_json_is_written(
    wrapper, newest_runtime, make_function
) -> None:
    code = """
        import json
        json._default_encoder = json.JSONEncoder(indent=2)
        def handler(event, context):
            pass
    """
    function = make_function(newest_runtime, code, **ON)
    (init,), stderr = await start_and_invoke(function, wrapper)
    assert init["coldstart_profile"] == "init"
    assert stderr == ""
