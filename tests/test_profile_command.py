"""`coldstart profile`: finds profiles in any log; makes tables, pages, files and advice of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from coldstart_cli import profile, profile_output
from coldstart_cli.main import main
from coldstart_cli.profile_advice import advice
from conftest import library_environment


def module(name: str, depth: int, own: float, total: float, origin: str = "function") -> dict:
    return {
        "name": name,
        "depth": depth,
        "own_ms": own,
        "total_ms": total,
        "bytes": 1000,
        "origin": origin,
    }


def told(kind: str = "init", **fields: Any) -> dict[str, Any]:
    """A line as the layer writes it."""
    modules = fields.pop(
        "modules",
        [
            module("app", 0, 10.0, 100.0),
            module("boto3", 1, 20.0, 60.0, "runtime"),
            module("client s3", 1, 25.0, 25.0, "client"),
        ],
    )
    shared = {
        "function_name": "orders",
        "function_version": "$LATEST",
        "handler": "app.handler",
        "log_stream": "2026/11/25/[$LATEST]a",
        "initialization_type": "on-demand",
        "memory_size": 512,
        "runtime": "python3.13",
        "layer_version": "0.1.0",
        "imports_ms": 100.0,
        "origins_ms": {"function": 10.0, "runtime": 60.0, "client": 25.0},
        "compiled": {"modules": 0, "ms": 0.0},
        "profiler_ms": 0.1,
        "modules": modules,
        "remainder": {"modules": 7, "own_ms": 5.0},
    }
    if kind == "init":
        parts = {
            "wrapper": 1.0,
            "interpreter": 9.0,
            "layer": 2.0,
            "runtime": 38.0,
            "handler": 100.0,
        }
        about: dict[str, Any] = {"coldstart_profile": "init", "init_ms": 150.0, "parts_ms": parts}
    else:
        about = {"coldstart_profile": kind, "start_type": "cold", "request_id": "r"}
    return {**about, **shared, **fields}


def line(kind: str = "init", **fields: Any) -> str:
    return json.dumps(told(kind, **fields))


def as_csv(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["2026-11-25 19:00:00.000", text])
    return out.getvalue()


FORMATS = {
    "bare": line(),
    "aws logs tail": f"2026-11-25T19:00:00.000000+00:00 2026/11/25/[$LATEST]a {line()}",
    "aws logs filter-log-events, text": f"EVENTS\t38\t1795\t2026/11/25/[$LATEST]a\t{line()}\t1795",
    "aws logs filter-log-events, JSON": json.dumps({"events": [{"message": line() + "\n"}]}),
    "pretty-printed JSON": f'            "message": {json.dumps(line())},',
    "Logs Insights, CSV": as_csv(line()),
    "CSV of JSON": as_csv(json.dumps({"message": line()})),
    "with spaces": line().replace("{", "{ ", 1),
    "JSON of JSON of JSON": json.dumps([json.dumps([json.dumps({"message": line()})])]),
    "JSON of JSON": json.dumps({"Records": [json.dumps({"message": line()})]}),
    "compact JSON": json.dumps(told(), separators=(",", ":")),
    "JSON log format of Lambda": json.dumps({"timestamp": "…", "message": told()}),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    found = profile.read(["START RequestId: 1", FORMATS[name], "END"])
    assert found.unreadable == []
    (start,) = found.starts
    assert (start.function, start.init_ms, len(start.init.modules)) == ("orders", 150.0, 3)


def test_several_in_one_line() -> None:
    other = line(function_name="payments")
    events = json.dumps({"events": [{"message": line()}, {"message": other}]})
    found = profile.read([events])
    assert [start.function for start in found.starts] == ["orders", "payments"]
    assert found.unreadable == []


def test_a_first_invocation_goes_with_its_own_start() -> None:
    first = "first invocation"
    lines = [
        line(log_stream="a"),
        line(log_stream="b", init_ms=200.0),
        line(first, log_stream="a", modules=[module("late", 0, 3.0, 3.0)]),
        line(first, log_stream="c"),
    ]
    a, b = profile.read(lines).starts
    assert a.first_invocation is not None
    assert a.first_invocation.modules[0].name == "late"
    assert b.first_invocation is None


TOGETHER = {
    "one after the other": line() + line(),
    "behind one that is cut short": line()[:300] + line() + line(),
    "events": json.dumps([{"message": line()[:300]}, {"message": line()}, {"message": line()}]),
    "among many others": json.dumps(
        [*[{"message": json.dumps({"level": "INFO"})}] * 2000, {"message": line()}, line()]
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_each_good_one_in_a_line_is_found(name: str) -> None:
    found = profile.read([TOGETHER[name]])
    assert len(found.starts) == 2
    assert len(found.unreadable) == ("cut" in name or "events" in name)


def test_a_line_of_nothing_but_beginnings() -> None:
    """It takes a second, and not minutes."""
    found = profile.read(['{\\"coldstart_profile' * 10_000, line()])
    assert len(found.starts) == 1


DAMAGED = {
    "cut short": line()[:200],
    "no modules": json.dumps({"coldstart_profile": "init"}),
    "wrong types": line(modules={"name": "app"}),
    "a number that is none": line(init_ms="soon"),
    "not a number": line().replace("150.0", "NaN"),
    "infinite": line().replace("150.0", "Infinity"),
    "negative": line(init_ms=-5.0),
    "an odd depth": line(modules=[module("app", -3, 1.0, 1.0)]),
    "null": line(modules=None),
    "a huge number": line().replace("150.0", "1" * 400),
    "infinitely many": line().replace('"modules": 7', '"modules": Infinity'),
    "nested without end": '{"coldstart_profile": "init", "x": ' + "[" * 100_000,
    "a size that is none": line(modules=[{**module("app", 0, 1.0, 1.0), "bytes": "large"}]),
    "a part of nothing": line(modules=[module("app", 0, 1.0, 1.0), module("b", 2, 1.0, 1.0)]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_lines_are_named_and_others_are_kept(name: str) -> None:
    found = profile.read([line(), DAMAGED[name], line()])
    assert len(found.starts) == 2
    (complaint,) = found.unreadable
    assert complaint.startswith("line 2 has a profile that is cut off or damaged: ")
    assert "\n" not in complaint


def test_lines_that_only_mention_it() -> None:
    found = profile.read(["what is coldstart_profile?", '{"message": "coldstart_profile"}', "\0\1"])
    assert (found.starts, found.unreadable) == ([], [])


def run(*arguments: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["profile", *arguments], input=text)


def test_tables() -> None:
    result = run(text=f"{line()}\n{line('first invocation')}\n")
    assert result.exit_code == 0
    shown = [row.rstrip() for row in result.stdout.splitlines()]
    assert shown[0] == "orders (python3.13, 512 MB, on-demand)"
    assert shown[1] == "init 150 ms"
    assert any(row.startswith("the handler's module") and "100.0" in row for row in shown)
    assert any(row.split()[:4] == ["app", "100.0", "67", "10.0"] for row in shown)
    assert any(row.startswith("7 other modules") and row.endswith("5.0") for row in shown)
    assert "Imported in the first invocation" in " ".join(shown)
    assert "Imported with the handler: 3 of 10 modules" in shown
    assert any("boto3 client for s3" in row for row in shown)


def test_of_several_starts_the_median_one() -> None:
    text = "\n".join(line(init_ms=ms) for ms in (300.0, 100.0, 200.0))
    assert "init 200 ms: the median of 3 starts, from 100 to 300 ms" in run(text=text).stdout
    assert "init 300 ms: the slowest of 3" in run("--slowest", text=text).stdout
    text += "\n" + line(init_ms=400.0, initialization_type="provisioned-concurrency")
    told = (
        "init 200 ms: the lower median of 4 starts (on-demand, provisioned-concurrency), from 100"
    )
    assert told in " ".join(run(text=text).stdout.split())
    two = "\n".join(line(init_ms=ms) for ms in (300.0, 100.0))
    assert "init 100 ms: the faster of 2 starts" in run(text=two).stdout


def test_of_several_functions_one_has_to_be_chosen() -> None:
    text = line() + "\n" + line(function_name="payments", function_version="7")
    result = run(text=text)
    assert result.exit_code == 1
    assert "2 functions: choose one with --function: orders, payments:7" in result.stderr
    assert run("--function", "payments:7", text=text).stdout.startswith("payments:7 (")
    result = run("--function", "nothing", text=text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no profile of nothing; there are profiles of: orders, payments:7" in result.stderr


def test_nothing_to_show() -> None:
    result = run(text="START\nEND\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("coldstart: no profile found; set COLDSTART_PROFILE=on")


def test_a_profile_over_several_lines_or_cut_off() -> None:
    result = run(text=json.dumps(json.loads(line()), indent=2))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no profile found, though 1 lines name one; it has to be in one line" in result.stderr
    result = run(text=line()[:99])
    assert result.exit_code == 1
    assert "line 1 has a profile that is cut off or damaged" in result.stderr
    assert "set COLDSTART_PROFILE" not in result.stderr


def test_a_compressed_export(tmp_path) -> None:
    """As CloudWatch Logs writes it to S3; also on standard input, and cut off."""
    text = f"2026-11-26T01:02:03.000Z {line()}\n".encode()
    logs = tmp_path / "000000.gz"
    logs.write_bytes(gzip.compress(text))
    assert "init 150 ms" in run(str(logs)).stdout
    command = [sys.executable, "-m", "coldstart_cli", "profile"]
    shown = subprocess.run(command, input=logs.read_bytes(), capture_output=True)
    assert b"init 150 ms" in shown.stdout, shown.stderr
    logs.write_bytes(gzip.compress(text)[:-20])
    result = run(str(logs))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_a_damaged_line_is_said_and_the_rest_shown(tmp_path) -> None:
    logs = tmp_path / "logs"
    logs.write_bytes(b"\xff\xfe\n" + line()[:99].encode() + b"\n" + line().encode())
    result = run(str(logs))
    assert result.exit_code == 0
    assert "coldstart: line 2 has a profile that is cut off or damaged: " in result.stderr
    assert "init 150 ms" in result.stdout


def test_many_damaged_lines_are_counted() -> None:
    result = run(text="\n".join([line()[:99]] * 50 + [line()]))
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) == 6
    assert "and 45 more that cannot be read" in result.stderr


def test_only_first_invocations() -> None:
    result = run(text=line("first invocation"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "look further back" in result.stderr


def test_names_are_shown_as_they_are() -> None:
    names = ["[bold]strong[/bold]", "[/red]", ":smile:", "\x1b[2Jcleared", "two\nlines", "s\udcff"]
    modules = [module(name, 0, 9.0, 9.0, "[/x]") for name in names]
    result = run(text=line(modules=modules, function_name="fn[/]"))
    assert result.exit_code == 0, result.exception
    assert "fn[/] (python3.13" in result.stdout
    for name in names[:3]:
        assert name in result.stdout
    assert "\x1b" not in result.stdout
    assert "\N{REPLACEMENT CHARACTER}[2Jcleared" in result.stdout
    assert "two\N{REPLACEMENT CHARACTER}lines" in result.stdout


@pytest.mark.parametrize("stdout", ["/dev/full", "ascii"])
def test_a_stdout_that_does_not_take_it(tmp_path, stdout: str) -> None:
    text = line(function_name="straße")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii" if stdout == "ascii" else "utf-8"}
    with Path("/dev/full" if stdout == "/dev/full" else tmp_path / "out").open("w") as target:
        command = [sys.executable, "-m", "coldstart_cli", "profile"]
        profiled = subprocess.run(
            command, input=text, text=True, stdout=target, stderr=subprocess.PIPE, env=environment
        )
    assert profiled.returncode in (1, 120)
    assert "Traceback" not in profiled.stderr
    assert profiled.stderr.startswith("coldstart: ")


@pytest.mark.parametrize("name", [".", "/etc/passwd", "日" * 200, "..", "a/b"])
def test_a_module_that_is_no_file_of_the_functions(tmp_path, name: str) -> None:
    assert (
        given(tmp_path, modules=[module(name, 0, 9.0, 99.0), module("x", 1, 90.0, 90.0, "runtime")])
        == []
    )


def test_a_file_that_cannot_be_written(tmp_path) -> None:
    result = run("--html", str(tmp_path / "no" / "such.html"), text=line())
    assert result.exit_code == 1
    assert "no/such.html" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "init 150 ms" in result.stdout


def test_json() -> None:
    shown = json.loads(run("--json", text=line()).stdout)
    assert shown["starts"] == 1
    assert shown["start"]["init"]["modules"][1]["name"] == "boto3"
    assert shown["advice"][0]["saves_ms"] == 25.0


class Page(HTMLParser):
    """What a browser would fetch from elsewhere, and what it would show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_shows_names_as_they_are(tmp_path) -> None:
    target = tmp_path / "start.html"
    name = "<script>alert('x')</script>&\"quoted\""
    modules = [module("app", 0, 10.0, 100.0), module(name, 1, 90.0, 90.0, "runtime")]
    result = run("--html", str(target), text=line(modules=modules, function_name="<b>me</b>"))
    assert result.exit_code == 0
    text = target.read_text()
    page = Page(text)
    assert page.links == []
    assert "url(" not in text
    assert "@import" not in text
    assert page.tags.count("script") == 1
    assert page.tags.count("b") == 0
    assert name in page.text
    assert "prefers-color-scheme: dark" in text


def bars(start: profile.Start) -> list[profile.Bar]:
    found = []
    rest = list(profile.flame(start))
    while rest:
        bar = rest.pop()
        found.append(bar)
        rest += bar.parts
    return found


def test_every_bar_is_as_long_as_what_lies_in_it() -> None:
    lines = [line(), line("first invocation", modules=[module("late", 0, 3.0, 3.0)])]
    (start,) = profile.read(lines).starts
    init, first = profile.flame(start)
    assert init.ms == sum(part.ms for part in init.parts)
    for bar in bars(start):
        assert sum(part.ms for part in bar.parts) + bar.own_ms <= bar.ms + 0.001
    handler = init.parts[-1]
    assert [part.name for part in handler.parts] == ["app"]
    assert [part.name for part in handler.parts[0].parts] == ["boto3", "client s3", "other modules"]
    assert first.parts[0].name == "late"


def test_speedscope() -> None:
    """Format: file-format-schema.json of speedscope, sampled profiles."""
    (start,) = profile.read([line()]).starts
    file = json.loads(profile_output.speedscope(start))
    (one,) = file["profiles"]
    frames = [frame["name"] for frame in file["shared"]["frames"]]
    assert (one["type"], one["unit"], one["startValue"]) == ("sampled", "milliseconds", 0)
    assert len(one["samples"]) == len(one["weights"])
    assert sum(one["weights"]) == pytest.approx(one["endValue"]) == pytest.approx(150.0)
    assert all(0 <= index < len(frames) for sample in one["samples"] for index in sample)
    stacks = [[frames[index] for index in sample] for sample in one["samples"]]
    assert ["init", "handler", "app", "boto3"] in stacks


def given(source: Path | None = None, *more: str, **fields: Any) -> list[str]:
    (start,) = profile.read([line(**fields), *more]).starts
    return [one.text for one in advice(start, source)]


def test_advice_on_bytecode() -> None:
    texts = given(compiled={"modules": 12, "ms": 40.0})
    assert texts[0].startswith("12 modules had no bytecode that fits")
    assert "python3.13 -m compileall" in texts[0]
    assert "saves about 40 ms" in texts[0]
    assert not any("bytecode" in text for text in given(compiled={"modules": 1, "ms": 0.5}))


def test_advice_on_imports_of_the_first_invocation() -> None:
    late = line("first invocation", modules=[module("pandas", 0, 80.0, 80.0, "layer")])
    assert not any("pandas" in text for text in given(None, late))
    ready_before = "provisioned-concurrency"
    texts = given(None, late, initialization_type=ready_before)
    assert any("first invocation imports pandas (80 ms)" in text for text in texts)


SOURCES = {
    "one function": ("import boto3\ndef export():\n    return boto3.resource('s3')\n", True),
    "its from": ("from boto3 import client\ndef export():\n    return client('s3')\n", True),
    "an alias": ("import boto3 as aws\ndef export():\n    return aws.client('s3')\n", True),
    "the handler is made": (
        "import boto3\ndef export():\n    boto3\nhandler = wrap(export)\n", False
    ),
    "called in a loop": (
        "import boto3\ndef export(it):\n    boto3\n"
        "def handler(event, context):\n    for it in event:\n        export(it)\n", False
    ),
    "called in a try": (
        "import boto3\ndef export():\n    boto3\ndef handler(event, context):\n"
        "    try:\n        export()\n    except ValueError:\n        raise\n", False
    ),
    "called in an except": (
        "import boto3\ndef export():\n    boto3\ndef handler(event, context):\n"
        "    try:\n        pass\n    except ValueError:\n        export()\n", True
    ),
    "handed on": (
        "import boto3\ndef export(it):\n    boto3\n"
        "def handler(event, context):\n    return list(map(export, event))\n", False
    ),
    "a method's": (
        "import boto3\ndef export():\n    boto3\nclass It:\n    def go(self):\n"
        "        export()\ndef handler(event, context):\n    It().go()\n", False
    ),
    "the handler": ("import boto3\ndef handler(event, context):\n    boto3.client('s3')\n", False),
    "two functions": ("import boto3\ndef a():\n    boto3\ndef b():\n    boto3\n", False),
    "the top": ("import boto3\nclient = boto3.client('s3')\ndef a():\n    boto3\n", False),
    "a decorator": ("import boto3\n@boto3.register\ndef a():\n    pass\n", False),
    "a default": ("import boto3\ndef a(client=boto3.client('s3')):\n    pass\n", False),
    "a class": ("import boto3\nclass A:\n    client = boto3\n", False),
    "called at once": ("import boto3\ndef a():\n    boto3\na()\n", False),
    "in a try": ("try:\n    import boto3\nexcept ImportError:\n    boto3 = None\n", False),
    "a star": ("from boto3 import *\ndef a():\n    client('s3')\n", False),
    "does not compile": ("import boto3\ndef a(:\n", False),
    "not used": ("import boto3\n", False),
    "exported": ("import boto3\n__all__ = ['boto3']\ndef a():\n    boto3\n", False),
    "called by the handler in a branch": (
        "import boto3\ndef export():\n    boto3\n"
        "def handler(event, context):\n    if event:\n        export()\n", True
    ),
    "called by the handler": (
        "import boto3\ndef a():\n    boto3\ndef handler(event, context):\n    a()\n", False
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_advice_on_imports_that_one_function_uses(tmp_path, name: str) -> None:
    code, advised = SOURCES[name]
    if "handler" not in code:
        code += "def handler(event, context):\n    pass\n"
    (tmp_path / "app.py").write_text(code)
    texts = [text for text in given(tmp_path) if "alone" in text]
    assert bool(texts) == advised, texts
    assert not advised or texts[0].startswith("app.py uses boto3 in export() alone.")


def test_no_advice_where_the_handler_gets_there_through_another_module(tmp_path) -> None:
    (tmp_path / "helper.py").write_text("import boto3\ndef export():\n    boto3\n")
    modules = [module("app", 0, 1.0, 91.0), module("helper", 1, 1.0, 90.0)]
    modules.append(module("boto3", 2, 89.0, 89.0, "runtime"))
    for call, advised in (("helper.export()", False), ("print()", True)):
        code = f"import helper\ndef handler(event, context):\n    {call}\n"
        (tmp_path / "app.py").write_text(code)
        texts = given(tmp_path, modules=modules)
        assert any("helper.py uses boto3 in export() alone" in it for it in texts) == advised


@pytest.mark.parametrize(
    ("own_ms", "origin", "compiled_ms", "advised"),
    [(90, "function", 0, True), (90, "function", 80, False), (15, "function", 0, False),
     (90, "runtime", 0, False)],
)  # fmt: skip
def test_advice_on_code_that_runs_at_the_top(
    own_ms: float, origin: str, compiled_ms: float, advised: bool
) -> None:
    compiled = {"modules": 1, "ms": compiled_ms}
    texts = given(modules=[module("tables", 0, own_ms, own_ms, origin)], compiled=compiled)
    assert any(text.startswith("tables itself takes 90 ms") for text in texts) == advised


def test_advice_on_clients_of_the_first_invocation() -> None:
    client = [module("client s3", 0, 80.0, 80.0, "client")]
    late = line("first invocation", modules=client)
    (text,) = (it for it in given(None, late) if it.startswith("The first invocation"))
    assert "makes a boto3 client for s3 (80 ms)" in text
    assert "global variable" in text
    texts = given(None, late, initialization_type="provisioned-concurrency")
    assert any("this one made a request wait" in text for text in texts)


def test_where_nothing_stands_out(tmp_path) -> None:
    text = line(modules=[module("app", 0, 2.0, 2.0)])
    assert "left out; with --source FOLDER your code" in " ".join(run(text=text).stdout.split())
    page = tmp_path / "start.html"
    result = run("--source", str(tmp_path), "--html", str(page), text=text)
    assert "could be left out." in result.stdout
    assert "could be left out." in Page(page.read_text()).text


def test_a_handler_that_fails_is_profiled_all_the_same(tmp_path) -> None:
    code = "import json.tool\ndef handler(event, context):\n    raise ValueError('no table')\n"
    (tmp_path / "app.py").write_text(code)
    options = ["--handler", "app.handler", "--task-root", str(tmp_path), "--profile"]
    simulated = CliRunner().invoke(main, ["simulate", *options])
    assert simulated.exit_code == 1
    assert "ValueError: no table" in simulated.stderr
    assert "json.tool" in run(text=simulated.stdout).stdout
    both = CliRunner().invoke(main, ["simulate", *options, "--json"])
    assert both.exit_code == 2


def test_from_a_function_to_its_page(tmp_path) -> None:
    """As in the README: simulate, then profile; with the real runtime and real packages."""
    code = "import boto3\nclient = boto3.client('s3')\ndef handler(event, context):\n    pass\n"
    (tmp_path / "app.py").write_text(code)
    python = library_environment("imports") / "bin/python"
    options = ["--handler", "app.handler", "--task-root", str(tmp_path), "--python", str(python)]
    simulated = CliRunner().invoke(main, ["simulate", *options, "--profile"])
    assert simulated.exit_code == 0, simulated.stderr
    result = run("--html", str(tmp_path / "start.html"), text=simulated.stdout)
    assert result.exit_code == 0, result.stderr
    assert "boto3 client for s3" in " ".join(result.stdout.split())
    assert "client s3" in Page((tmp_path / "start.html").read_text()).text
