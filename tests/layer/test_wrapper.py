"""The exec wrapper as it is shipped: what it makes of a command line, and when it steps aside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Sandbox, unpack_layer
from conftest import ready

BASH = shutil.which("bash")
# Prints how it was run, in place of a Python.
REPORTER = """#!{python}
import json, os, sys
print(json.dumps([sys.argv[1:], dict(os.environ)]))
"""


class Wrapped:
    """A wrapper, and a file called python3 that reports what it is run with."""

    def __init__(self, wrapper: Path, folder: Path) -> None:
        self.wrapper = wrapper
        self.shim = str(wrapper.parent / "coldstart/bootstrap.py")
        self.folder = folder
        self.python = self.script(
            "python3", REPORTER.format(python=os.path.realpath(sys.executable))
        )
        self.runtime = str(folder / "runtime.py")
        Path(self.runtime).touch()

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def run(
        self, *arguments: str, launcher: tuple[str, ...] = (), **environment: str
    ) -> subprocess.CompletedProcess:
        command = [*launcher, str(self.wrapper), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, cwd=self.folder
        )

    def argv(self, *arguments: str, **options) -> list[str]:
        """What the interpreter was given."""
        run = self.run(self.python, *arguments, **options)
        assert (run.returncode, run.stderr) == (0, ""), run
        return json.loads(run.stdout)[0]


@pytest.fixture
def wrapped(wrapper, tmp_path) -> Wrapped:
    return Wrapped(wrapper, tmp_path)


def test_shellcheck(wrapper) -> None:
    command = [Path(sys.executable).with_name("shellcheck"), "--enable=all", "--severity=warning"]
    subprocess.run([*command, wrapper], check=True)


def test_forks_nothing(wrapped) -> None:
    """No subshell, no pipe, no command that is not a builtin: one process from first to last."""
    run = wrapped.run(wrapped.script("python3", "#!/bin/sh\necho $$\n"), wrapped.runtime)
    text = wrapped.wrapper.read_text()
    assert "$(" not in text
    assert "`" not in text
    assert run.stdout.strip().isdigit()
    pid = subprocess.Popen(
        [str(wrapped.wrapper), wrapped.python, wrapped.runtime], stdout=subprocess.PIPE, text=True
    )
    pid.communicate()
    echo = wrapped.script("python3", "#!/bin/sh\necho $$\n")
    with subprocess.Popen([str(wrapped.wrapper), echo, wrapped.runtime], stdout=-1) as process:
        assert int(process.stdout.read()) == process.pid


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-B"],
        ["-X", "importtime"],
        ["-Xfrozen_modules=off", "-W", "error"],
        ["-bb", "-I", "-sS", "-OO", "-Wd", "--check-hash-based-pycs", "never"],
    ],
)
def test_shim_goes_behind_the_options(wrapped, options: list[str]) -> None:
    shim, runtime = wrapped.shim, wrapped.runtime
    assert wrapped.argv(*options, runtime) == [*options, shim, runtime]
    assert wrapped.argv(*options, runtime, "", "a b", "*") == [
        *options, shim, runtime, "", "a b", "*",
    ]  # fmt: skip
    assert wrapped.argv(*options, "-m", "awslambdaric", "app.handler") == [
        *options, shim, "-m", "awslambdaric", "app.handler",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "print(1)"],
        ["-"],
        [""],
        ["-m"],
        ["-m", ""],
        ["-X"],
        ["-i", "runtime.py"],
        ["-x", "runtime.py"],
        ["--version"],
        ["--", "runtime.py"],
        ["no-such-file.py"],
        ["python3"],
        [],
    ],
)
def test_any_other_shape_runs_as_it_is(wrapped, arguments: list[str]) -> None:
    run = wrapped.run(wrapped.python, *arguments)
    argv, environment = json.loads(run.stdout)
    assert argv == arguments
    assert not any(name.startswith("_COLDSTART") for name in environment)
    (line,) = run.stderr.splitlines()
    assert line.startswith("coldstart-layer: not started: this is not how a Python runtime is run")


@pytest.mark.parametrize("name", ["node", "python2", "python3-config", "pypy3", "my python3.12"])
def test_a_command_that_is_not_python(wrapped, name: str) -> None:
    command = wrapped.script(name, "#!/bin/sh\nprintf '%s|' \"$@\"\nexit 3\n")
    run = wrapped.run(command, "a b", "", wrapped.runtime)
    assert (run.returncode, run.stdout) == (3, f"a b||{wrapped.runtime}|")
    (line,) = run.stderr.splitlines()
    assert line.startswith("coldstart-layer: not started: ")
    assert line.endswith("is not Python")


@pytest.mark.parametrize(
    ("command", "status"), [(["/no/such/command"], 127), (["/etc/passwd"], 126), (["/tmp"], 126)]
)
def test_a_command_that_does_not_run(wrapped, command: list[str], status: int) -> None:
    assert wrapped.run(*command).returncode == status


@pytest.mark.parametrize("arguments", [[], [""]])
def test_no_command(wrapped, arguments: list[str]) -> None:
    run = wrapped.run(*arguments)
    assert run.stdout == ""
    assert run.returncode == (127 if arguments else 0)
    assert run.stderr.startswith("coldstart-layer: not started: there is no command to run")


@pytest.mark.parametrize(
    "missing", ["python", "coldstart", "python/coldstart_layer/from-source.py"]
)
def test_files_missing(own_wrapper, tmp_path, missing: str) -> None:
    wrapped = Wrapped(own_wrapper, tmp_path)
    path = own_wrapper.parent / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    run = wrapped.run(wrapped.python, wrapped.runtime)
    assert json.loads(run.stdout)[0] == [wrapped.runtime]
    (line,) = run.stderr.splitlines()
    assert line.endswith("is missing or cannot be read")


@pytest.mark.parametrize("value", ["off", "false", "FALSE", "0", "no", " off "])
def test_kill_switch(wrapped, value: str) -> None:
    assert wrapped.argv(wrapped.runtime, COLDSTART_ENABLED=value) == [wrapped.runtime]


@pytest.mark.parametrize("value", ["", "on", "True", "1", "yes"])
def test_switched_on(wrapped, value: str) -> None:
    argv = wrapped.argv(wrapped.runtime, COLDSTART_ENABLED=value)
    assert argv == [wrapped.shim, wrapped.runtime]


def test_a_bad_switch_is_on(wrapped) -> None:
    run = wrapped.run(wrapped.python, wrapped.runtime, COLDSTART_ENABLED="a\nb")
    assert json.loads(run.stdout)[0] == [wrapped.shim, wrapped.runtime]
    assert run.stderr == (
        "coldstart-layer: COLDSTART_ENABLED=$'a\\nb' is neither on nor off; using on\n"
    )


class TestNextWrapper:
    def test_options_before_the_last_argument(self, wrapped) -> None:
        """The pattern in AWS's documentation of wrapper scripts."""
        text = '#!/bin/bash\nargs=("$@")\nexec "${args[@]:0:$#-1}" -X importtime "${args[@]: -1}"\n'
        wrapper = wrapped.script("next wrapper", text)
        argv = wrapped.argv(wrapped.runtime, COLDSTART_NEXT_WRAPPER=wrapper)
        assert argv == ["-X", "importtime", wrapped.shim, wrapped.runtime]

    def test_another_launcher(self, wrapped) -> None:
        """As OpenTelemetry's layer: sets variables, then starts a launcher that starts the rest."""
        launcher = wrapped.script("launch", '#!/bin/sh\nLAUNCHED=yes exec "$@"\n')
        wrapper = wrapped.script(
            "otel",
            f'#!/bin/bash\nexport ORIG_HANDLER=$_HANDLER _HANDLER=x.y\nexec {launcher} "$@"\n',
        )
        run = wrapped.run(
            wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=wrapper, _HANDLER="a.b"
        )
        argv, environment = json.loads(run.stdout)
        assert argv == [wrapped.shim, wrapped.runtime]
        assert (environment["LAUNCHED"], environment["ORIG_HANDLER"]) == ("yes", "a.b")
        assert "COLDSTART_NEXT_WRAPPER" not in environment

    def test_one_that_runs_something_else(self, wrapped) -> None:
        """As the Lambda Web Adapter, which runs the handler as a script of its own."""
        wrapper = wrapped.script("adapter", "#!/bin/sh\necho web\n")
        run = wrapped.run(wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=wrapper)
        assert (run.stdout, run.stderr) == ("web\n", "")

    def test_ourselves(self, wrapped) -> None:
        own = str(wrapped.wrapper)
        run = wrapped.run(wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=own)
        assert json.loads(run.stdout)[0] == [wrapped.shim, wrapped.runtime]
        assert len(run.stderr.splitlines()) == 1

    @pytest.mark.parametrize("kind", ["absent", "a folder", "not executable"])
    def test_not_executable(self, wrapped, kind: str) -> None:
        path = wrapped.folder / "next"
        if kind == "a folder":
            path.mkdir()
        elif kind == "not executable":
            path.touch(mode=0o644)
        run = wrapped.run(wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=str(path))
        argv, environment = json.loads(run.stdout)
        assert argv == [wrapped.shim, wrapped.runtime]
        assert "COLDSTART_NEXT_WRAPPER" not in environment
        assert run.stderr == (
            f"coldstart-layer: COLDSTART_NEXT_WRAPPER={path} is not another executable file;"
            " going on without it\n"
        )

    def test_that_hands_us_what_is_not_python(self, wrapped) -> None:
        env = shutil.which("env")
        wrapper = wrapped.script("next", f'#!/bin/sh\nexec "$1" {env}\n')
        run = wrapped.run(wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=wrapper)
        assert "COLDSTART" not in run.stdout
        (line,) = run.stderr.splitlines()
        assert line == f"coldstart-layer: not started: {env} is not Python"

    def test_still_runs_where_we_are_switched_off(self, wrapped) -> None:
        wrapper = wrapped.script("next", '#!/bin/sh\nNEXT=ran exec "$@"\n')
        run = wrapped.run(
            wrapped.python, wrapped.runtime, COLDSTART_NEXT_WRAPPER=wrapper, COLDSTART_ENABLED="off"
        )
        argv, environment = json.loads(run.stdout)
        assert (argv, environment["NEXT"], run.stderr) == ([wrapped.runtime], "ran", "")
        assert not any(name.startswith("_COLDSTART") for name in environment)

    async def test_with_the_runtime(self, wrapper, runtime, make_function) -> None:
        function = make_function(
            runtime,
            """
            import os, sys
            def handler(event, context):
                return [sys._xoptions, {n: v for n, v in os.environ.items() if "COLDSTART" in n}]
            """,
        )
        following = function.task_root / "next"
        following.write_text(
            '#!/bin/bash\nargs=("$@")\nexec "${args[@]:0:$#-1}" -X own "${args[@]: -1}"\n'
        )
        following.chmod(0o755)
        function.environment["COLDSTART_NEXT_WRAPPER"] = str(following)
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            await ready(sandbox)
            invocation = await sandbox.invoke()
        assert json.loads(invocation.outcome.body) == [{"own": True}, {}]
        assert '"start_type": "cold"' in invocation.stdout


class TestAsOuterWrapperOfOurs:
    """Another wrapper is the exec wrapper, and runs ours with options it has put in already."""

    def test_options(self, wrapped) -> None:
        text = f'#!/bin/bash\nargs=("$@")\nexec {wrapped.wrapper} "$1" -X outer "${{args[@]:1}}"\n'
        outer = wrapped.script("outer", text)
        run = subprocess.run(
            [outer, wrapped.python, wrapped.runtime], env={}, capture_output=True, text=True
        )
        assert json.loads(run.stdout)[0] == ["-X", "outer", wrapped.shim, wrapped.runtime]


class TestShell:
    """Whatever state the shell is put in from outside."""

    @pytest.mark.parametrize(
        "environment",
        [
            {"SHELLOPTS": "nounset"},
            {"SHELLOPTS": "errexit:nounset:noglob:xtrace:verbose"},
            {"BASHOPTS": "nocasematch:failglob"},
            {"BASH_ENV": "{trap}"},
            {"ENV": "{trap}", "POSIXLY_CORRECT": "1"},
            {"BASH_FUNC_exec%%": "() { echo hijacked; }"},
            {"BASH_FUNC_printf%%": "() { echo hijacked; }", "IFS": "/"},
            {"CDPATH": "/", "GLOBIGNORE": "*"},
        ],
        ids=lambda environment: "-".join(environment),
    )
    def test_environment(self, wrapped, environment: dict[str, str]) -> None:
        trap = wrapped.script("trap.sh", "echo trapped; exit 9\n")
        environment = {name: value.format(trap=trap) if "{trap}" in value else value
                       for name, value in environment.items()}  # fmt: skip
        run = wrapped.run(wrapped.python, wrapped.runtime, "a b", "", **environment)
        argv, seen = json.loads(run.stdout)
        assert argv == [wrapped.shim, wrapped.runtime, "a b", ""]
        assert run.stderr == ""
        began, done = map(float, seen["_COLDSTART_STARTED"].replace(",", ".").split())
        assert 1e9 < began <= done
        if "BASH_ENV" in environment:
            assert seen["BASH_ENV"] == trap

    @pytest.mark.parametrize("options", [["-u"], ["-eu"], ["--posix"], ["-f"], ["-x"]])
    def test_options(self, wrapped, options: list[str]) -> None:
        """Run by a bash that was told more than the first line of the file tells it."""
        run = wrapped.run(wrapped.python, wrapped.runtime, "", launcher=(BASH, *options))
        assert json.loads(run.stdout)[0] == [wrapped.shim, wrapped.runtime, ""]
        for name in ("COLDSTART_NEXT_WRAPPER", "COLDSTART_ENABLED"):
            run = wrapped.run(
                wrapped.python, wrapped.runtime, launcher=(BASH, *options), **{name: "nope"}
            )
            assert json.loads(run.stdout)[0] == [wrapped.shim, wrapped.runtime]

    def test_called_by_its_bare_name(self, wrapped) -> None:
        command = [BASH, wrapped.wrapper.name, wrapped.python, wrapped.runtime]
        run = subprocess.run(
            command, env={}, cwd=wrapped.wrapper.parent, capture_output=True, text=True
        )
        assert json.loads(run.stdout)[0] == [wrapped.shim, wrapped.runtime]

    def test_no_proc(self, wrapped) -> None:
        """Where there is no /proc the function starts as well."""
        command = ["unshare", "--mount", "--map-root-user", "bash", "-c",
                   'mount -t tmpfs none /proc && exec "$@"', "-"]  # fmt: skip
        python = wrapped.script("python3", "#!/bin/sh\nprintf '%s|' \"$@\"\n")
        run = wrapped.run(python, wrapped.runtime, launcher=tuple(command))
        assert (run.stdout, run.stderr) == (f"{wrapped.shim}|{wrapped.runtime}|", "")


def test_the_functions_own_variables_stay(wrapped) -> None:
    """Whatever they are called: bash would export the wrapper's values of the same names."""
    text = re.sub("(?m)^ *#.*$", "", wrapped.wrapper.read_text())
    assigned = set(re.findall(r"(?:^|[\s(])(\w+)\+?=", text)) | set(
        re.findall(r"local (\w+)", text)
    )
    assigned = {name for name in assigned if name.islower()}
    assert len(assigned) >= 9
    assert {name for name in assigned if not name.startswith("_coldstart_")} == set()
    plain = {name.removeprefix("_coldstart_"): "mine" for name in assigned}
    command = [wrapped.wrapper, wrapped.python, wrapped.runtime]
    for options in ({}, {"COLDSTART_ENABLED": "off"}, {"COLDSTART_NEXT_WRAPPER": "/no/such"}):
        run = subprocess.run(command, env={**plain, **options}, capture_output=True, text=True)
        _, seen = json.loads(run.stdout)
        assert {name: seen.get(name) for name in plain} == plain


def test_an_environment_that_is_almost_too_large(wrapped) -> None:
    """The kernel takes 128 kB for one variable: ours must not be the one that breaks it."""
    large = "x" * (131072 - len("OLDPWD=") - 1)
    run = wrapped.run(wrapped.python, wrapped.runtime, OLDPWD=large)
    argv, _ = json.loads(run.stdout)
    assert argv == [wrapped.runtime]


def test_the_environment_is_told_only_where_bash_was_not_there_before(wrapped) -> None:
    """On Lambda the bootstrap is bash itself: there is nothing to tell, and no time to lose."""
    run = wrapped.run(wrapped.python, wrapped.runtime, OLDPWD="/no/where", _="x")
    _, environment = json.loads(run.stdout)
    told = environment["_COLDSTART_BEFORE_BASH"].split("\x1f")
    assert sorted(told) == ["", "OLDPWD=/no/where", "_=x"]


def test_mode_and_place_in_the_zip(layer_zip, tmp_path) -> None:
    wrapper = unpack_layer(layer_zip, tmp_path)
    assert os.access(wrapper, os.X_OK)
    assert wrapper.read_bytes().startswith(b"#!/bin/bash -p\n")
