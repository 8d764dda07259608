"""Other tools' exec wrappers: each works beside ours as it does alone, whichever runs first.

tests/support/exec_wrappers has one for each pattern in use, which does what those tools' own do.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import ROOT, library_environment, ready
from start_scenarios import run

PATTERNS = ROOT / "tests/support/exec_wrappers"
ANSWERS = """
    import logging, os, sys
    logger = logging.getLogger()
    def handler(event, context):
        logger.warning("handling")
        return {
            "handler": [os.environ["_HANDLER"], os.environ.get("ORIG_HANDLER")],
            "importtime": "importtime" in sys._xoptions,
            "left": sorted(name for name in os.environ if "COLDSTART" in name),
        }
"""
OTEL_WRAPPER = "from app import handler as lambda_handler\n"


@pytest.fixture(params=["as the next wrapper", "as the outer wrapper"])
def beside(request, wrapper, tmp_path):
    """Puts a wrapper beside ours: the exec wrapper, and what is in the environment for it."""

    def beside(pattern: Path) -> tuple[Path, dict[str, str]]:
        if request.param == "as the next wrapper":
            return wrapper, {"COLDSTART_NEXT_WRAPPER": str(pattern)}
        outer = tmp_path / "outer"
        outer.write_text(f'#!/bin/sh\nexec {shlex.quote(str(pattern))} "{wrapper}" "$@"\n')
        outer.chmod(0o755)
        return outer, {}

    return beside


@pytest.mark.parametrize(
    ("pattern", "handler", "importtime"),
    [
        ("aws-docs", ["app.handler", None], True),
        ("opentelemetry", ["otel_wrapper.lambda_handler", "app.handler"], False),
        ("datadog", ["datadog_lambda.handler.handler", None], False),
    ],
)
async def test_that_hands_on_the_command(
    make_function, newest_runtime, beside, pattern: str, handler: list, importtime: bool
) -> None:
    environment = newest_runtime
    if pattern != "aws-docs":
        environment = library_environment(pattern)
    exec_wrapper, variables = beside(PATTERNS / pattern)
    function = make_function(
        environment,
        ANSWERS,
        files={"otel_wrapper.py": OTEL_WRAPPER},
        OTEL_PYTHON=str(environment / "bin/python"),
        OTEL_TRACES_EXPORTER="none",
        DD_TRACE_ENABLED="false",
        **variables,
    )
    async with Sandbox(function, wrapper=exec_wrapper, json_logs=True) as sandbox:
        await ready(sandbox)
        for number in (1, 2):
            invocation = await sandbox.invoke()
            assert json.loads(invocation.outcome.body) == {
                "handler": handler,
                "importtime": importtime,
                "left": [],
            }
            (line,) = [it for it in invocation.stdout.splitlines() if '"handling"' in it]
            assert json.loads(line)["cold_start"] is (number == 1)
            (leaf,) = sandbox.xray.read()
            assert leaf["annotations"]["ColdStart"] is (number == 1)
        assert "coldstart-layer" not in sandbox.stderr


async def test_that_runs_the_handler_as_a_script(
    make_function, newest_runtime, beside, tmp_path
) -> None:
    """The Lambda Web Adapter's: we have no part in it, and leave no trace."""
    exec_wrapper, variables = beside(PATTERNS / "web-adapter")
    python = shlex.quote(str(newest_runtime / "bin/python"))
    script = f"#!/bin/sh\nexec {python} -m awslambdaric app.handler\n"
    code = "import sys\ndef handler(event, context):\n    return sorted(sys.modules)\n"
    seen = []
    for which, more in ((PATTERNS / "web-adapter", {}), (exec_wrapper, variables)):
        function = make_function(
            newest_runtime, code, handler="run.sh", files={"run.sh": script}, **more
        )
        (tmp_path / "task/run.sh").chmod(0o755)
        (told,) = await run(function, which, events=({},))
        seen.append(told.outcome.body)
        assert (told.stdout, told.documents) == ("", [])
    assert seen[0] == seen[1]
