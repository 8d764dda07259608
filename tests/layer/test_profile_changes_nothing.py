"""COLDSTART_PROFILE=on: the function, its errors and what it patches stay as they are without."""

from __future__ import annotations

import json

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import library_environment, ready
from profiled_starts import ON, SEES_WHAT_IS_PATCHED, SLEEPS, by_name, parent, profiles

pytestmark = pytest.mark.each_end


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
        profiler = {"coldstart_layer.profiling.profile", "coldstart_layer.profiling.import_times"}
        assert profiler.isdisjoint(ours)


async def test_after_the_first_invocation_nothing_is_left(wrapper, make_function) -> None:
    function = make_function(library_environment("imports"), SEES_WHAT_IS_PATCHED, **ON)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        await ready(sandbox)
        loading, first = json.loads((await sandbox.invoke()).outcome.body)
        _, second = json.loads((await sandbox.invoke()).outcome.body)
    ours = "coldstart_layer.profiling.import_times"
    assert loading == first == ["TimedLock", f"source_to_code@{ours}", "import_times.py"]
    original = "source_to_code@_frozen_importlib_external"
    assert second[:2] == ["_ModuleLockManager", original]
    assert second[2] != "import_times.py"


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
        from coldstart_layer.profiling.import_times import ImportTimes
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
