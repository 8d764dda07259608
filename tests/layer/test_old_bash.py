"""The wrapper under the bash of Amazon Linux 2, 4.2, which has no clock with fractions of seconds.

A stand-in for it: the machine's bash, without the variables that came later.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Sandbox
from conftest import ready
from profiled_starts import ON, start_and_invoke
from start_scenarios import every_scenario, is_cold_start, run

# Started in place of /bin/bash by the wrapper's first line, with -p and the wrapper's path.
OLD_BASH = """#!/bin/bash -p
unset EPOCHREALTIME EPOCHSECONDS SRANDOM BASH_ARGV0
shopt -s compat42 2>/dev/null
[[ -z ${EPOCHREALTIME-} ]] || exit 99
[[ $1 == -p ]] && shift
source "$@"
"""
ANSWERS = """
    import logging
    def handler(event, context):
        logging.getLogger().warning("handling")
        return "answer"
"""
# What bash learned after 4.2, as it would be written.
NEWER = {
    "4.3": r"(local|declare|typeset) -\w*n|wait -n|\[-\d+\]=|-v \w+\[",
    "4.4": r"\$\{[\w@*]+@\w\}|(mapfile|readarray) -d|local -(\s|$)|inherit_errexit",
    "5.0 and later": r"EPOCHSECONDS|SRANDOM|BASH_ARGV0|wait -\w*p|\$\{[ |]|assoc_expand_once",
}


@pytest.fixture
def old_bash(own_wrapper: Path, tmp_path: Path) -> Path:
    """A copy of the wrapper that the stand-in runs."""
    bash = tmp_path / "old-bash"
    bash.write_text(OLD_BASH)
    bash.chmod(0o755)
    first, _, rest = own_wrapper.read_text().partition("\n")
    assert first == "#!/bin/bash -p"
    own_wrapper.write_text(f"#!{bash} -p\n{rest}")
    return own_wrapper


@every_scenario
async def test_every_way_to_start(old_bash, newest_runtime, make_function, scenario) -> None:
    """The verdict needs no clock of the wrapper's; the init is counted from Python's start on."""
    first, second = await run(make_function(newest_runtime, ANSWERS), old_bash, scenario)
    for told, cold in ((first, is_cold_start(scenario)), (second, False)):
        assert told.outcome.body == b'"answer"'
        assert [line["cold_start"] for line in told.logs] == [cold]
        assert told.subsegment("coldstart")["annotations"]["ColdStart"] == cold
    (metric,) = first.metrics
    assert metric["start_type"] == scenario.expected
    if scenario.initialization_type != "snap-start":
        assert metric["InitDuration"] > 0


async def test_lambdas_own_command_line(old_bash, runtime, make_function, make_layout) -> None:
    """The one that the wrapper is done with after a few lines."""
    function = make_function(runtime, ANSWERS)
    layout = make_layout(function, opt=old_bash.parent)
    environment = {**layout.environment(), "AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper"}
    bash = old_bash.parent.parent / "old-bash"
    (layout.opt / "old-bash").write_bytes(bash.read_bytes())
    (layout.opt / "old-bash").chmod(0o755)
    old_bash.write_text(old_bash.read_text().replace(str(bash), "/opt/old-bash"))
    command = tuple(layout.command("/var/runtime/bootstrap"))
    async with Sandbox(replace(function, environment=environment), command=command) as sandbox:
        await ready(sandbox)
        assert (await sandbox.invoke()).outcome.body == b'"answer"'
        assert '"start_type": "cold"' in sandbox.stdout
        assert sandbox.stderr == ""


async def test_options_are_kept(old_bash, newest_runtime, make_function) -> None:
    """The rest of the wrapper: what it reads where the command line is another one."""
    code = "import sys\ndef handler(event, context):\n    return sys.orig_argv[1:]\n"
    function = make_function(newest_runtime, code)
    options = ("-X", "utf8", "-W", "ignore", "-s", "-m", "awslambdaric", "app.handler")
    seen = []
    for prefix in ((), (str(old_bash),)):
        async with Sandbox(function, command=(*prefix, str(function.python), *options)) as sandbox:
            await ready(sandbox)
            seen.append(json.loads((await sandbox.invoke()).outcome.body))
            assert ('"start_type": "cold"' in sandbox.stdout) == bool(prefix)
            assert sandbox.stderr == ""
    assert seen[0] == seen[1] == list(options)


async def test_the_profile(old_bash, newest_runtime, make_function) -> None:
    """It lacks what only the wrapper's clock could tell."""
    function = make_function(newest_runtime, ANSWERS, **ON)
    (init, *_), stderr = await start_and_invoke(function, old_bash, json_logs=True)
    assert list(init["parts_ms"]) == ["layer", "runtime", "handler"]
    assert stderr == ""


def test_nothing_that_came_later(wrapper) -> None:
    text = wrapper.read_text().replace("${EPOCHREALTIME-}", "")
    found = {version: re.findall(pattern, text) for version, pattern in NEWER.items()}
    assert not any(found.values()), found
    assert "EPOCHREALTIME" not in text
