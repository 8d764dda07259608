"""`coldstart profile`: advice that follows from what was measured, and from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from coldstart_cli import profile
from coldstart_cli.profile_advice import advice
from profile_lines import line, module


@pytest.mark.parametrize("name", [".", "/etc/passwd", "日" * 200, "..", "a/b"])
def test_a_module_that_is_no_file_of_the_functions(tmp_path, name: str) -> None:
    assert (
        given(tmp_path, modules=[module(name, 0, 9.0, 99.0), module("x", 1, 90.0, 90.0, "runtime")])
        == []
    )


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
