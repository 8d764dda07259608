"""Whatever of ours is broken, missing or misled: the function answers as it would without us.

And stderr says what was skipped, once.
"""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from coldstart_cli.local_lambda import Function, Sandbox, unpack_layer
from coldstart_layer.process import marker_path
from conftest import ROOT, RUNTIMES, SELDOM_IMPORTED, answers

pytestmark = pytest.mark.each_end

ANSWERS = """
    import logging
    def handler(event, context):
        logging.getLogger().error("handling", extra={"cold_start": "mine"})
        return "answer"
"""
PACKAGE = ROOT / "layer/coldstart_layer"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def without_bytecode(wrapper: Path) -> Path:
    """Take the bytecode out of a layer; returns the package's folder."""
    package = wrapper.parent / "python/coldstart_layer"
    bytecode = list(package.glob("*.bytecode"))
    assert bytecode
    for path in bytecode:
        path.unlink()
    return package


def module_name(file: str) -> str:
    """Within the package."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def ours(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("coldstart-layer: ")]


@pytest.mark.parametrize("form", ["script", "module"])
@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_missing(
    own_wrapper, newest_runtime, make_function, name: str, form: str
) -> None:
    (without_bytecode(own_wrapper) / name).unlink()
    function = make_function(newest_runtime, ANSWERS)
    command = None
    if form == "module":
        command = (str(function.python), "-m", "awslambdaric", "app.handler")
    async with Sandbox(function, wrapper=own_wrapper, command=command) as sandbox:
        lines = await answers(sandbox)
    if name.endswith("__init__.py"):
        return  # Python takes the folder for a namespace package: little of ours is missed
    if module_name(name) in SELDOM_IMPORTED:
        assert lines == []
    else:
        assert len(lines) == len(ours(lines)) == 1, lines


@pytest.mark.parametrize("error", ["RuntimeError('broken')", "ImportError('broken')"])
@pytest.mark.parametrize("name", FILES)
async def test_a_file_raises_on_import(
    own_wrapper, newest_runtime, make_function, name: str, error: str
) -> None:
    (without_bytecode(own_wrapper) / name).write_text(f"raise {error}\n")
    function = make_function(newest_runtime, ANSWERS)
    async with Sandbox(function, wrapper=own_wrapper) as sandbox:
        lines = await answers(sandbox)
    if module_name(name) in SELDOM_IMPORTED:
        assert lines == []
    else:
        assert len(lines) == len(ours(lines)) == 1, lines
        assert "broken" in lines[0]


def test_a_broken_package_and_a_python_that_does_not_know_where_it_is(
    own_wrapper, tmp_path
) -> None:
    """With an empty environment, found by its name alone, Python has no sys.executable."""
    (without_bytecode(own_wrapper) / "process.py").write_text("1 +\n")
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sys.argv[1:], sys.orig_argv[1:])\n")
    command = [own_wrapper, "python3", "-X", "utf8", script, "a b"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, env={})
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"['a b'] ['-X', 'utf8', '{script}', 'a b']\n"
    (line,) = ours(run.stderr.splitlines())
    assert line.startswith("coldstart-layer: not started: SyntaxError: ")


def broken_bytecode(data: bytes) -> dict[str, bytes]:
    """What a file of bytecode can be other than right."""
    return {
        "foreign-magic-number": b"\x00\x01\r\n" + data[4:],
        "magic-number-of-the-next-version": (int.from_bytes(data[:2], "little") + 50).to_bytes(
            2, "little"
        )
        + data[2:],
        "empty": b"",
        "magic-number-alone": data[:16],
        "cut": data[:-9],
        "garbage": b"garbage",
        "garbage-behind-the-magic-number": data[:16] + b"\xff" * 99,
        "another-code": data[:16] + marshal.dumps(5),
    }


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda path: path.name)
async def test_bytecode_of_another_python(own_wrapper, runtime, make_function) -> None:
    await answers_from_source("foreign-magic-number", own_wrapper, make_function(runtime, ANSWERS))


@pytest.mark.parametrize("broken", broken_bytecode(bytes(20)))
async def test_bytecode_that_cannot_be_used(
    own_wrapper, newest_runtime, make_function, broken: str
) -> None:
    await answers_from_source(broken, own_wrapper, make_function(newest_runtime, ANSWERS))


async def answers_from_source(broken: str, own_wrapper: Path, function: Function) -> None:
    """Then the sources are: the verdict is there, and no word about it."""
    for path in (own_wrapper.parent / "python/coldstart_layer").glob("*.bytecode"):
        path.write_bytes(broken_bytecode(path.read_bytes())[broken])
    async with Sandbox(function, wrapper=own_wrapper) as sandbox:
        assert await answers(sandbox) == []
        assert '"start_type": "cold"' in sandbox.stdout


def unprivileged(command: list[str], **options) -> subprocess.CompletedProcess:
    """Run ``command`` as somebody to whom file modes mean something."""
    if os.geteuid() == 0:
        options = {**options, "user": 65534, "group": 65534, "extra_groups": []}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize("unreadable", ["python", "python/coldstart_layer"])
def test_an_unreadable_folder(layer_zip, unreadable: str, tmp_path_factory) -> None:
    folder = Path("/tmp") / f"coldstart-unreadable-{os.getpid()}"  # every parent can be entered
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        wrapper = unpack_layer(layer_zip, folder)
        script = folder / "script.py"
        script.write_text("print('answer')\n")
        (folder / unreadable).chmod(0)
        command = [str(wrapper), "/usr/bin/python3", str(script)]
        run = unprivileged(command, env={}, cwd="/")
        (folder / unreadable).chmod(0o755)
    finally:
        shutil.rmtree(folder)
    assert (run.returncode, run.stdout) == (0, "answer\n"), run
    (line,) = run.stderr.splitlines()
    assert line.startswith("coldstart-layer: not started:")


ODD_NAMES = ["space dir", "quote'dir", 'double"dir', "$test", "`id`", "a;b", "new\nline", "ü", "-x"]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_paths(layer_zip, tmp_path, runtime, make_function, name: str) -> None:
    wrapper = unpack_layer(layer_zip, tmp_path / name / "opt")
    async with Sandbox(make_function(runtime, ANSWERS), wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []
        assert '"_aws"' in sandbox.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLDSTART_LOGS", "maybe"),
        ("COLDSTART_METRICS", "2"),
        ("COLDSTART_TRACING", "ja"),
        ("COLDSTART_METRICS_NAMESPACE", "a\nb"),
        ("COLDSTART_ENABLED", "perhaps"),
    ],
)
async def test_a_bad_setting_is_named_once(
    wrapper, runtime, make_function, name: str, value: str
) -> None:
    function = make_function(runtime, ANSWERS, **{name: value})
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        (line,) = await answers(sandbox)
        assert '"_aws"' in sandbox.stdout
        assert len(sandbox.xray.read()) == 3
    default = "ColdStart" if name.endswith("NAMESPACE") else "on"
    assert line.startswith(f"coldstart-layer: {name}=")
    assert line.endswith(f"using {default}")


async def test_unknown_settings_are_left_alone(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, ANSWERS, COLDSTART_NOSUCH="x", COLDSTART="y")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []


@pytest.mark.parametrize("address", ["garbage", "no.such.host.example:2000", "127.0.0.1:99999"])
async def test_a_bad_daemon_address(wrapper, runtime, make_function, address: str) -> None:
    function = make_function(runtime, ANSWERS, AWS_XRAY_DAEMON_ADDRESS=address)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        (line,) = await answers(sandbox)
        assert '"_aws"' in sandbox.stdout
    assert line == (
        "coldstart-layer: tracing skipped: ValueError: "
        f"AWS_XRAY_DAEMON_ADDRESS={address!r} is not an IP address and a port"
    )


async def test_an_unreachable_daemon(wrapper, newest_runtime, make_function) -> None:
    function = make_function(newest_runtime, ANSWERS, AWS_XRAY_DAEMON_ADDRESS="255.255.255.255:1")
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        (line,) = await answers(sandbox)
    assert line.startswith("coldstart-layer: tracing skipped: ")


async def test_stderr_and_stdout_closed(wrapper, runtime, make_function) -> None:
    """Descriptor 1 may then belong to a file of the function's: nothing of ours goes there."""
    function = make_function(
        runtime,
        """
        import os
        first = os.open(os.environ["LAMBDA_TASK_ROOT"] + "/mine", os.O_RDWR | os.O_CREAT)
        def handler(event, context):
            return [first, os.pread(first, 100, 0).decode()]
        """,
    )
    closer = function.task_root / "closer"
    closer.write_text('#!/bin/bash\nexec "$@" >&- 2>&-\n')
    closer.chmod(0o755)
    command = (str(function.python), "-m", "awslambdaric", "app.handler")
    seen = []
    for inner in ((), (str(wrapper),)):
        async with Sandbox(function, command=(str(closer), *inner, *command)) as sandbox:
            outcome = await sandbox.start()
            if outcome.kind == "ready":
                seen.append([(await sandbox.invoke()).outcome.body for _ in range(3)])
            else:
                seen.append((outcome.kind, outcome.exit_code))
    assert seen[0] == seen[1]


async def test_stdout_closed_by_the_function(wrapper, runtime, make_function) -> None:
    """The stream alone: descriptor 1 is still what Lambda reads."""
    function = make_function(
        runtime,
        """
        import sys
        sys.__stdout__.close()
        def handler(event, context):
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        assert await answers(sandbox) == []
        assert sandbox.stdout.count('"_aws"') == 1


async def test_tmp_cannot_be_written(wrapper, runtime, make_function) -> None:
    """No marker can be left: never ``reinit``, and all else works."""
    function = make_function(runtime, ANSWERS)
    launcher = function.task_root / "read-only-tmp"
    # A mount namespace of its own, in which /tmp is read-only.
    launcher.write_text(
        "#!/bin/bash\n"
        "exec unshare --mount --map-root-user bash -c 'mount --bind /tmp /tmp"
        ' && mount -o remount,bind,ro /tmp && exec "$@"\' launcher "$@"\n'
    )
    launcher.chmod(0o755)
    command = (
        str(launcher),
        str(wrapper),
        str(function.python),
        "-m",
        "awslambdaric",
        "app.handler",
    )
    async with Sandbox(function, command=command) as sandbox:
        for _ in range(2):
            lines = await answers(sandbox, times=1)
            assert lines[0].startswith("coldstart-layer: restart detection skipped: OSError: ")
            assert '"start_type": "cold"' in sandbox.stdout
            assert "reinit" not in sandbox.stdout
            await sandbox.kill()


@pytest.mark.parametrize(
    "stream",
    [
        "../../../../tmp/coldstart-evil",
        "/etc/passwd",
        "a" * 100_000,
        "new\nline;$(touch /tmp/coldstart-evil)",
        "\udcff\udcfe",
        "$LATEST",
    ],
)
async def test_hostile_log_stream_names(wrapper, newest_runtime, make_function, stream) -> None:
    """The name is hashed, so it cannot lead anywhere; and a shared one tells of no restart."""
    if stream != "$LATEST":
        stream += f"-{os.getpid()}"  # the marker of another run of these tests is another file
    name = {"AWS_LAMBDA_LOG_STREAM_NAME": stream}
    function = make_function(newest_runtime, ANSWERS, **name)
    try:
        async with Sandbox(function, wrapper=wrapper) as sandbox:
            assert await answers(sandbox) == []
            await sandbox.kill()
            assert await answers(sandbox) == []
            assert ('"start_type": "reinit"' in sandbox.stdout) == (stream != "$LATEST")
        assert list(Path("/tmp").glob("coldstart-evil*")) == []
        marker = Path(marker_path(stream))
        assert marker.parent == Path("/tmp")
        assert marker.exists() == (stream != "$LATEST")
        if marker.exists():
            assert marker.stat().st_mode & 0o777 == 0o600
            assert marker.stat().st_size == 0
    finally:
        Path(marker_path(stream)).unlink(missing_ok=True)


WITHOUT = """
    import importlib.machinery
    original = importlib.machinery.SourceFileLoader.exec_module
    def exec_module(self, module):
        original(self, module)
        if module.__name__ == "awslambdaric.bootstrap":
            {change}
    importlib.machinery.SourceFileLoader.exec_module = exec_module
"""
RENAMED_LOADER = """module.of_the_future = module.__dict__.pop("_get_handler")
            run = module.run
            def later(*args):
                module._get_handler = module.of_the_future
                return run(*args)
            module.run = later"""
RENAMED_WAIT = """owner = next(
                it for it in module.LambdaRuntimeClient.__mro__
                if "wait_next_invocation" in vars(it)
            )
            owner.of_the_future = owner.wait_next_invocation
            del owner.wait_next_invocation
            run = module.run
            def later(*args):
                owner.wait_next_invocation = owner.of_the_future
                return run(*args)
            module.run = later"""


@pytest.mark.parametrize(
    ("change", "line", "has_verdict"),
    [
        (
            RENAMED_WAIT,
            "coldstart-layer: not started: this version of awslambdaric has no"
            " wait_next_invocation",
            False,
        ),
        (
            RENAMED_LOADER,
            "coldstart-layer: log column skipped: this version of awslambdaric has no _get_handler",
            True,
        ),
    ],
    ids=["loop", "loader"],
)
async def test_a_runtime_without_the_seam(
    wrapper, runtime, make_function, change: str, line: str, has_verdict: bool
) -> None:
    """A later awslambdaric: one warning, and it runs as it is."""
    files = {"sitecustomize.py": WITHOUT.format(change=change)}
    function = make_function(runtime, ANSWERS, files=files)
    function.environment["PYTHONPATH"] = str(function.task_root)
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        lines = await answers(sandbox)
        assert ('"_aws"' in sandbox.stdout) == has_verdict
    assert lines == [line]


async def test_a_sink_that_fails_does_not_take_the_others_along(
    wrapper, newest_runtime, make_function
) -> None:
    function = make_function(
        newest_runtime,
        """
        import logging, sys
        import coldstart_layer.sinks.emf
        def fail(*args):
            raise RuntimeError("broken")
        coldstart_layer.sinks.emf.write = fail
        def handler(event, context):
            logging.getLogger().error("handling")
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        lines = await answers(sandbox)
        assert len(sandbox.xray.read()) == 3
        assert "cold_start=true" in sandbox.stdout
    assert lines == ["coldstart-layer: metrics skipped: RuntimeError: broken"]


async def test_a_report_is_one_line(wrapper, newest_runtime, make_function) -> None:
    function = make_function(
        newest_runtime,
        """
        import coldstart_layer.sinks.emf, coldstart_layer.sinks.xray
        class Unspeakable(Exception):
            def __str__(self):
                raise ValueError
        def several_lines(*args):
            raise ValueError("a\\nb\\u2028c" + "x" * 10_000)
        def unspeakable(*args):
            raise Unspeakable
        coldstart_layer.sinks.emf.write = several_lines
        coldstart_layer.sinks.xray.annotate = unspeakable
        def handler(event, context):
            return "answer"
        """,
    )
    async with Sandbox(function, wrapper=wrapper) as sandbox:
        first, second = await answers(sandbox)
    assert first.startswith("coldstart-layer: metrics skipped: ValueError: a b cxxx")
    assert len(first) < 500
    assert second == "coldstart-layer: tracing skipped: Unspeakable"


def test_this_machine_can_hide_tmp() -> None:
    """The test above needs it; where the kernel refuses, say so rather than skip."""
    command = ["unshare", "--mount", "--map-root-user", "true"]
    assert subprocess.run(command).returncode == 0, "no mount namespaces here"
