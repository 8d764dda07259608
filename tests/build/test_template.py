"""template.yaml under the real aws-sam-cli and cfn-lint."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path

import cloudformation
import pytest
from conftest import ROOT

SAM = ROOT / "build/sam/bin"


@pytest.fixture
def tool(tmp_path):
    """Runs a command of aws-sam-cli's environment, with a home of its own and no account."""
    environment = {
        "PATH": f"{SAM}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if "PYENV_ROOT" not in os.environ:
        environment["PYENV_ROOT"] = str(Path.home() / ".pyenv")
    else:
        environment["PYENV_ROOT"] = os.environ["PYENV_ROOT"]

    def run(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [SAM / command[0], *command[1:]],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    return run


def test_sam_validate(tool) -> None:
    run = tool("sam", "validate", "--lint")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "is a valid SAM Template" in run.stdout


def test_cfn_lint(tool) -> None:
    run = tool("cfn-lint", "--include-checks", "I", "--", "template.yaml", "alarms.yaml")
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


def test_sam_build_makes_what_make_build_makes(tool, layer_zip, tmp_path) -> None:
    run = tool("sam", "build", "ColdStartLayer", "--build-dir", str(tmp_path / "build"))
    assert run.returncode == 0, run.stdout + run.stderr
    built = tmp_path / "build/ColdStartLayer"
    files = {
        path.relative_to(built).as_posix(): (path.read_bytes(), os.access(path, os.X_OK))
        for path in built.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(layer_zip) as archive:
        expected = {
            entry.filename: (archive.read(entry), bool(entry.external_attr >> 16 & 0o100))
            for entry in archive.infolist()
        }
    assert files == expected


def test_what_it_deploys(tool, tmp_path) -> None:
    """Transformed as CloudFormation would: the three ways to start, each with the layer."""
    script = """
import json, sys
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samcli.yamlhelper import yaml_parse
template = yaml_parse(open("template.yaml").read())
defaults = {name: p["Default"] for name, p in template["Parameters"].items()}
for resource in template["Resources"].values():  # as `sam package` leaves them
    for name in ("CodeUri", "ContentUri"):
        if name in resource.get("Properties", {}):
            resource["Properties"][name] = "s3://bucket/key"
template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
translated = Translator({"AWSXRayDaemonWriteAccess": "arn:aws:iam::aws:policy/x"}, Parser())
json.dump(translated.translate(template, defaults), sys.stdout)
"""
    run = tool("python", "-c", script)
    assert run.returncode == 0, run.stderr
    resources = json.loads(run.stdout)["Resources"]
    by_type: dict[str, list[dict]] = {}
    for resource in resources.values():
        by_type.setdefault(resource["Type"], []).append(resource)
    (layer,) = by_type["AWS::Lambda::LayerVersion"]
    assert layer["DeletionPolicy"] == "Retain"
    assert len(by_type["AWS::Lambda::Function"]) == 3
    for function in by_type["AWS::Lambda::Function"]:
        properties = function["Properties"]
        assert len(properties["Layers"]) == 1
        assert properties["TracingConfig"] == {"Mode": "Active"}
        variables = properties["Environment"]["Variables"]
        assert variables == {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/coldstart-wrapper"}
    aliases = by_type["AWS::Lambda::Alias"]
    assert [alias["Properties"]["Name"] for alias in aliases] == ["live", "live"]
    assert sum("ProvisionedConcurrencyConfig" in alias["Properties"] for alias in aliases) == 1
    snap_starts = [f["Properties"].get("SnapStart") for f in by_type["AWS::Lambda::Function"]]
    assert snap_starts.count({"ApplyOn": "PublishedVersions"}) == 1
    stacks = [stack["Properties"] for stack in by_type["AWS::CloudFormation::Stack"]]
    watched = {
        stack["Parameters"]["FunctionName"]["Ref"]: stack["Parameters"]["Initialization"]
        for stack in stacks
    }
    assert watched == {
        "OnDemandFunction": "on-demand",
        "ProvisionedFunction": "provisioned-concurrency",
        "SnapStartFunction": "snap-start",
    }
    assert len(by_type["AWS::CloudWatch::Dashboard"]) == 1


TEMPLATE = cloudformation.read(ROOT / "template.yaml")
ALARMS = cloudformation.read(ROOT / "alarms.yaml")


def without_sam(**parameters: str) -> set[str]:
    """The logical ids that are deployed, of those that CloudFormation itself knows."""
    own = {
        name: resource | {"Properties": {}}
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] != "AWS::Serverless::LayerVersion"
    }
    return set(cloudformation.resolve(TEMPLATE | {"Resources": own}, **parameters))


def test_what_can_be_left_out() -> None:
    functions = {"OnDemandFunction", "ProvisionedFunction", "SnapStartFunction"}
    alarms = {name.replace("Function", "Alarms") for name in functions}
    assert without_sam() == functions | alarms | {"Dashboard"}
    assert without_sam(Examples="false") == {"Dashboard"}
    assert without_sam(Monitoring="false") == functions
    assert without_sam(Examples="false", Monitoring="false") == set()


def test_parameters_are_handed_on_to_the_alarms() -> None:
    """Under the same names, with the same bounds and defaults."""
    handed_on = set()
    for resource in TEMPLATE["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            assert resource["Properties"]["TemplateURL"] == "alarms.yaml"
            parameters = resource["Properties"]["Parameters"]
            assert set(parameters) <= set(ALARMS["Parameters"])
            handed_on |= {n for n, value in parameters.items() if value == {"Ref": n}}
    shared = set(TEMPLATE["Parameters"]) & set(ALARMS["Parameters"])
    assert handed_on == shared
    for name in shared:
        for field in ("Type", "Default", "MinValue", "MaxValue", "AllowedPattern"):
            ours, theirs = TEMPLATE["Parameters"][name], ALARMS["Parameters"][name]
            assert ours.get(field) == theirs.get(field), name
