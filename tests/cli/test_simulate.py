"""``coldstart simulate``, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import coldstart_layer
import pytest
from coldstart_cli import signals, simulate_output
from coldstart_cli.simulate import INITIALIZATION_TYPES, SCENARIOS, Row
from conftest import ROOT, RUNTIMES

EXAMPLE = ROOT / "examples/upload_links"
COLDSTART = Path(sys.executable).with_name("coldstart")


def coldstart(
    *arguments: object, columns: int = 80, **environment: str
) -> subprocess.CompletedProcess:
    environment |= {"COLUMNS": str(columns), "PATH": "/usr/bin:/bin"}
    command = [COLDSTART, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def test_the_example_in_every_way_to_start() -> None:
    run = coldstart("simulate", "--handler", "app.handler", "--task-root", EXAMPLE, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    rows = json.loads(run.stdout)
    told = [
        (row["initialization_type"], row["before"], row["start_type"], row["cold_start"]["xray"])
        for row in rows
        if row["invocation"] == 1
    ]
    assert told == [
        ("on-demand", "init", "cold", True),
        ("on-demand", "init, gap", "proactive", False),
        ("on-demand", "restart", "reinit", True),
        ("provisioned-concurrency", "init, gap", "provisioned", False),
        ("provisioned-concurrency", "restart", "reinit", False),
        ("snap-start", "restore", "restore", True),
        ("snap-start", "restore, gap", "proactive", False),
        ("lambda-managed-instances", "init, gap", "managed", False),
        ("unset", "init", "cold", True),
    ]
    for row in rows:
        flag = row["cold_start"]["xray"]
        assert row["agree"]
        assert row["right"]
        assert row["cold_start"]["log"] == [flag]
        assert row["cold_start"]["emf"] == (flag if row["invocation"] == 1 else None)
        if row["invocation"] == 2:
            assert (row["start_type"], flag, row["init_ms"]) == ("warm", False, None)
        else:
            assert (row["init_ms"] is None) == (row["initialization_type"] == "snap-start")


def test_table_fits_80_columns() -> None:
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", EXAMPLE,
        "--init-type", "provisioned-concurrency", "--init-type", "lambda-managed-instances",
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in run.stdout
    assert lines[0].split() == [
        "initialization", "type", "before", "request", "#", "start", "type", "log", "EMF",
        "X-Ray", "init", "ms",
    ]  # fmt: skip
    row = lines[2].split()
    assert row[:6] == ["provisioned-concurrency", "init,", "gap", "1", "provisioned", "warm"]
    assert lines[-1] == "6 invocations, 0 of them cold starts; the signals agree on every one."


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda path: path.name)
def test_another_interpreter(runtime: Path, tmp_path) -> None:
    (tmp_path / "app.py").write_text(
        "import os, sys\n"
        "def handler(event, context):\n"
        "    assert event == {'a': 'ü'}\n"
        "    assert os.environ['MY_SETTING'] == 'x=y'\n"
        "    assert '%d.%d' % sys.version_info[:2] == os.environ['EXPECTED']\n"
    )
    event = tmp_path / "event.json"
    event.write_text('{"a": "ü"}')
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", tmp_path, "--event", event,
        "--python", runtime / "bin/python", "--init-type", "unset", "--json",
        "--env", "MY_SETTING=x=y", "--env", f"EXPECTED={runtime.name}",
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)[0]["cold_start"] == {"log": [], "emf": True, "xray": True}


FAILURES = {
    "raises": (
        "def handler(event, context):\n    raise KeyError('body\\nof two lines')\n",
        "app.handler raised: KeyError: 'body\\nof two lines', at File \"",
    ),
    "does-not-import": (
        "import not_there\n",
        "app.handler failed to load: Runtime.ImportModuleError: Unable to import module 'app': "
        "No module named 'not_there'",
    ),
    "has-no-handler": (
        "",
        "app.handler failed to load: Runtime.HandlerNotFound: Handler 'handler' missing on module",
    ),
    "exits": (
        "import os\ndef handler(event, context):\n    os._exit(4)\n",
        "app.handler ended its process with exit code 4 (on-demand, init, request 1)",
    ),
    "says-why-and-exits": (
        "import sys\nsys.stderr.write('no password\\n')\nsys.exit(2)\n",
        "app.handler ended its process with exit code 2 (on-demand, init); its last line on stderr:"
        ' "no password"',
    ),
    "misses-a-variable": (
        "import os\nTABLE = os.environ['TABLE']\ndef handler(event, context):\n    pass\n",
        "app.handler failed to load: KeyError: 'TABLE', at File \"",
    ),
    "exits-while-loading": ("import os\nos._exit(4)\n", "app.handler ended its process with exit"),
    "hangs": (
        "import time\ndef handler(event, context):\n    time.sleep(600)\n",
        "app.handler was not done with an event within 2 s",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_function_that_fails(tmp_path, name: str) -> None:
    code, message = FAILURES[name]
    (tmp_path / "app.py").write_text(code)
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", tmp_path, "--timeout", "2"
    )
    assert (run.returncode, run.stdout) == (1, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"coldstart: {message}")
    if " at File " in message:
        assert f'{tmp_path}/app.py", line' in line


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--task-root", "/no/such"], 2, "Directory '/no/such' does not exist"),
        (["--event", "/no/such"], 2, "File '/no/such' does not exist"),
        (["--python", "/no/such"], 2, "File '/no/such' does not exist"),
        (["--layer", "/no/such"], 1, "/no/such is not there; build the layer first: make build"),
        (["--layer", __file__], 1, "is not the layer's zip file: File is not a zip file"),
        (["--python", "/bin/false"], 1, "/bin/false does not run as a Python interpreter"),
        (["--python", "/etc/passwd"], 1, "/etc/passwd does not run as a Python interpreter"),
        (["--python", "/usr/bin/python3"], 1, "has no awslambdaric"),
        (["--event", __file__], 1, "is not JSON"),
        (["--init-type", "warm"], 2, "'warm' is not one of"),
        (["--env", "X"], 2, "'X' is not NAME=VALUE"),
        (["--timeout", "0"], 2, "0.0 is not in the range"),
    ],
)
def test_a_wrong_call(arguments: list[str], status: int, message: str) -> None:
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", EXAMPLE, *arguments, columns=200
    )
    assert (run.returncode, run.stdout) == (status, "")
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    if status == 1:
        assert len(run.stderr.splitlines()) == 1


def test_nothing_is_left_behind(tmp_path) -> None:
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", EXAMPLE, "--init-type", "unset",
        TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert run.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_disagreement_shows() -> None:
    """The mark, the summary, and what feeds them."""
    stdout = (
        '{"cold_start": true, "message": "x"}\n'
        '{"_aws": {}, "ColdStart": 0, "start_type": "proactive", "InitDuration": 1}\n'
        "not json\n[1]\n{broken\n"
    )
    leaf = {"name": "coldstart", "annotations": {"ColdStart": False, "StartType": "proactive"}}
    told = signals.read(stdout, [{"name": "other"}, leaf])
    assert (told.log, told.emf, told.xray, told.agree) == ({True}, False, False, False)
    assert told.start_type == "proactive"
    rows = [Row(SCENARIOS[0], 1, told)]
    assert simulate_output.summary(rows) == (
        "The signals of 1 of 1 invocations contradict each other."
    )
    assert json.loads(simulate_output.as_json(rows))[0]["agree"] is False
    assert not simulate_output.is_right(rows)


def test_a_wrong_verdict_shows() -> None:
    """Even where all three say it."""
    leaf = {"name": "coldstart", "annotations": {"ColdStart": False, "StartType": "proactive"}}
    told = signals.read('{"cold_start": false}\n', [leaf])
    assert told.agree
    assert Row(SCENARIOS[1], 1, told).right
    rows = [Row(SCENARIOS[0], 1, told)]
    assert not simulate_output.is_right(rows)
    assert simulate_output.summary(rows) == (
        "The start type of 1 of 1 invocations is not the right one."
    )


def test_start_types_that_contradict_each_other() -> None:
    emf = '{"_aws": {}, "ColdStart": 1, "start_type": "cold"}\n'
    leaf = {"name": "coldstart", "annotations": {"ColdStart": True, "StartType": "reinit"}}
    told = signals.read(emf, [leaf])
    assert (told.agree, told.start_type) == (False, "cold or reinit")


def test_a_metric_of_somebody_elses() -> None:
    """Powertools has one of the same name."""
    told = signals.read('{"_aws": {}, "ColdStart": [1.0], "function_name": "x"}\n', [])
    assert told.emf is None


@pytest.mark.parametrize(
    ("setting", "summary", "status"),
    [
        ("COLDSTART_ENABLED=off", "Nothing was told: is the layer switched off?", 1),
        ("COLDSTART_TRACING=off", "2 invocations, 1 of them cold starts;", 0),
        ("COLDSTART_METRICS=maybe", "2 invocations, 1 of them cold starts;", 0),
    ],
)
def test_settings_of_the_layer(setting: str, summary: str, status: int) -> None:
    run = coldstart(
        "simulate", "--handler", "app.handler", "--task-root", EXAMPLE, "--init-type", "unset",
        "--env", setting,
    )  # fmt: skip
    assert run.returncode == status
    assert summary in run.stdout
    expected = "coldstart-layer: COLDSTART_METRICS='maybe' is neither on nor off; using on\n"
    assert run.stderr == (expected if "maybe" in setting else "")


def test_help() -> None:
    run = coldstart("simulate", "--help")
    assert run.returncode == 0
    assert "Example: coldstart simulate --handler app.handler" in run.stdout
    for name in INITIALIZATION_TYPES:
        assert name in run.stdout
    assert "simulate" in coldstart("--help").stdout
    assert coldstart("--version").stdout == f"coldstart, version {coldstart_layer.__version__}\n"
    assert subprocess.run([sys.executable, "-m", "coldstart_cli", "-h"]).returncode == 0
