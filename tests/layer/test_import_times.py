"""Which imports are told under COLDSTART_PROFILE=on, and of what they were part: the odd ones."""

from __future__ import annotations

from typing import Any

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import library_environment, ready
from profiled_starts import ON, SLEEP_MS, SLEEPS, by_name, check_nesting, profiles, start_and_invoke

pytestmark = pytest.mark.each_end


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
