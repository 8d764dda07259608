"""Starts under COLDSTART_PROFILE=on, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from coldstart_cli.local_lambda import Sandbox
from conftest import ready

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


SEES_WHAT_IS_PATCHED = """
    import sys
    import botocore.session
    from coldstart_layer.profiling.import_times import ImportTimes

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
