"""What users may rely on, and that it works where there is no layer."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys

import coldstart_layer
from coldstart_layer.start import Start


def test_exported_names() -> None:
    assert coldstart_layer.__all__ == ["Start", "current"]
    assert coldstart_layer.Start is Start


def test_current_is_none_outside_lambda() -> None:
    assert coldstart_layer.current() is None


def test_start_has_the_documented_fields() -> None:
    start = Start(
        cold_start=True,
        start_type="cold",
        initialization_type="on-demand",
        init_duration_ms=250.0,
        request_id="request",
        sequence=1,
    )
    assert list(vars(start)) == [
        "cold_start",
        "start_type",
        "initialization_type",
        "init_duration_ms",
        "request_id",
        "sequence",
    ]
    assert {name for name in dir(start) if not name.startswith("_")} == set(vars(start))
    assert repr(start) == (
        "Start(cold_start=True, start_type='cold', initialization_type='on-demand',"
        " init_duration_ms=250.0, request_id='request', sequence=1)"
    )


def test_typed(tmp_path) -> None:
    assert importlib.resources.files("coldstart_layer").joinpath("py.typed").is_file()
    user = tmp_path / "user.py"
    user.write_text(
        "import coldstart_layer\n"
        "start = coldstart_layer.current()\n"
        "reveal_type(start)\n"
        "assert start is not None\n"
        "reveal_type((start.cold_start, start.start_type, start.initialization_type,"
        " start.init_duration_ms, start.request_id, start.sequence))\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", str(user)]
    mypy = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert mypy.returncode == 0, mypy.stdout
    assert '"coldstart_layer.start.Start | None"' in mypy.stdout
    assert '"tuple[bool, str, str, float | None, str | None, int]"' in mypy.stdout


def test_a_users_unit_test(monkeypatch) -> None:
    """As README's "In your code" says."""

    def handler(event, context):
        start = coldstart_layer.current()
        return "warmed" if start is not None and start.cold_start else "as it is"

    assert handler({}, None) == "as it is"
    start = coldstart_layer.Start(
        cold_start=True, start_type="cold", initialization_type="on-demand"
    )
    monkeypatch.setattr(coldstart_layer, "current", lambda: start)
    assert handler({}, None) == "warmed"
