"""COLDSTART_PROFILE=on: the lines that tell where an init went, under the real runtime."""

from __future__ import annotations

import asyncio
import compileall
import subprocess
import time
import zipfile
from dataclasses import replace

import pytest
from coldstart_cli.local_lambda import Sandbox
from coldstart_layer.profiling.import_times import Import
from coldstart_layer.profiling.profile import longest
from conftest import library_environment, ready
from profiled_starts import (
    ON,
    SLEEP_MS,
    SLEEPS,
    TREE,
    TREE_FILES,
    by_name,
    parent,
    profiles,
    start_and_invoke,
)


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
    inner = modules["slow_package.inner"]
    assert SLEEP_MS <= inner["own_ms"] <= inner["total_ms"] - SLEEP_MS
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


@pytest.mark.each_end
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
    listed: dict[str, dict] = {}
    for _ in range(3):  # what else the machine does can make the time outside longer, never shorter
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            began = time.perf_counter()
            await ready(sandbox)
            measured_ms = (time.perf_counter() - began) * 1000
            (init,) = profiles(sandbox.stdout)
        listed |= by_name(init)
        off.append(1 - sum(init["parts_ms"].values()) / measured_ms)
        parts_ms = sum(ms for name, ms in init["parts_ms"].items() if name != "handler")
        modules_ms = sum(module["own_ms"] for module in init["modules"])
        modules_ms += init["remainder"]["own_ms"]
        assert parts_ms + modules_ms == pytest.approx(init["init_ms"], rel=0.05)
    assert 0 <= min(off) < 0.05, off
    # What a busy machine makes long is not always the same.
    assert {"boto3", "numpy", "client s3"} <= listed.keys()
    assert listed["client s3"]["origin"] == "client"
    assert listed["numpy"]["origin"] == "runtime"  # beside Python, though not in its library
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


async def test_an_odd_value(wrapper, newest_runtime, make_function) -> None:
    code = "def handler(event, context):\n    pass\n"
    function = make_function(newest_runtime, code, COLDSTART_PROFILE="maybe")
    told, stderr = await start_and_invoke(function, wrapper)
    assert told == []
    line = "coldstart-layer: COLDSTART_PROFILE='maybe' is neither on nor off; using off\n"
    assert stderr == line


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
    assert [profile["level"] for profile in told] == ["FATAL", "FATAL"]


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
