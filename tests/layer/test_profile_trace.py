"""COLDSTART_PROFILE=on in X-Ray: what took long is a part of the leaf."""

from __future__ import annotations

import json

import pytest
import xray_segment_schema
from coldstart_cli.local_lambda import Sandbox
from conftest import ready
from profiled_starts import ON, SLEEPS, TREE, TREE_FILES, check_nesting, profiles, with_parents


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
    assert leaf["name"] == "coldstart"
    assert init["initialization_type"] == "provisioned-concurrency"


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
        leaf, *documents = sandbox.xray.read()
        assert sandbox.stderr == ""
    assert {document["parent_id"] for document in documents} == {leaf["id"]}
    parts = []
    for document in (leaf, *documents):
        xray_segment_schema.check(document)
        assert len(json.dumps(document)) < 64_000
        parts += with_parents(document)
    assert len(parts) > 50
    assert all(len(part["name"]) <= 200 for part in parts)
