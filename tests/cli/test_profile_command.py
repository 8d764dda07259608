"""`coldstart profile`: tables, pages, files, and errors in a line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from coldstart_cli import profile, profile_output
from coldstart_cli.main import main
from conftest import library_environment
from profile_lines import line, module


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
    assert "no profile found, though the logs name one; it has to be in one line" in result.stderr
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
