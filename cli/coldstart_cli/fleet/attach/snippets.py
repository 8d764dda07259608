"""What to add to a function's own code base, where a tool such as CloudFormation manages it.

docs/attach.md shows the same in complete examples.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping

from coldstart_cli.fleet.wiring import NEXT_WRAPPER, OUR_WRAPPER


def snippet(tool: str, layer_version_arn: str, next_wrapper: str | None) -> str:
    """What attaches the layer to a function, in the language of the tool that manages it.

    It is the part to add to the function's own definition, to the layers and variables that are
    there already.

    Args:
        tool: one of ``TOOLS``. ``cdk`` is CDK in Python; ``terraform`` is OpenTofu as well.
        layer_version_arn: ARN of the published version.
        next_wrapper: the exec wrapper that the function has already, to be run as well; or None.

    Returns:
        Whole lines, not indented.

    Raises:
        ValueError: there is no snippet for that tool.
    """
    if tool not in _SNIPPETS:
        raise ValueError(f"no snippet for {tool!r}; there is one for: {', '.join(TOOLS)}")
    return _SNIPPETS[tool](layer_version_arn, _variables(next_wrapper))


def dockerfile(layer_version_arn: str, next_wrapper: str | None) -> str:
    """What puts the layer into a container image: to an image Lambda attaches none.

    It belongs into the last stage of a Dockerfile, while that runs as root. Where the layer is
    fetched from: "GetLayerVersionByArn" in the Lambda API reference. ENV takes quotes as a shell
    does ("ENV" in the Dockerfile reference).

    Args:
        layer_version_arn: ARN of the published version.
        next_wrapper: the exec wrapper that the image has already, to be run as well; or None.

    Returns:
        Whole lines.
    """
    variables = "\n".join(
        f"ENV {name}={shlex.quote(value)}" for name, value in _variables(next_wrapper).items()
    )
    # Python's zipfile sets no file modes.
    return f"""\
# First, in the folder of the Dockerfile; the address it asks for is good for ten minutes:
#   curl --fail --output coldstart-layer.zip "$(aws lambda get-layer-version-by-arn \\
#     --arn {layer_version_arn} --query Content.Location --output text)"
COPY coldstart-layer.zip /tmp/
RUN python3 -m zipfile -e /tmp/coldstart-layer.zip /opt && chmod 755 {OUR_WRAPPER}
{variables}
# On an image that is not one of AWS's, instead of AWS_LAMBDA_EXEC_WRAPPER:
# ENTRYPOINT ["{OUR_WRAPPER}", "python3", "-m", "awslambdaric"]
"""


def _variables(next_wrapper: str | None) -> dict[str, str]:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": OUR_WRAPPER}
    if next_wrapper is not None:
        variables[NEXT_WRAPPER] = next_wrapper
    return variables


def _cloudformation(layer: str, variables: Mapping[str, str]) -> str:
    lines = [f"    {name}: {_yaml_text(value)}\n" for name, value in variables.items()]
    head = f"Layers:\n  - {_yaml_text(layer)}\nEnvironment:\n  Variables:\n"
    return head + "".join(lines)


def _serverless(layer: str, variables: Mapping[str, str]) -> str:
    lines = [f"  {name}: {_yaml_text(value)}\n" for name, value in variables.items()]
    return f"layers:\n  - {_yaml_text(layer)}\nenvironment:\n" + "".join(lines)


def _cdk(layer: str, variables: Mapping[str, str]) -> str:
    lines = [
        f'function.add_environment("{name}", {_json_text(value)})\n'
        for name, value in variables.items()
    ]
    layer_of = "lambda_.LayerVersion.from_layer_version_arn"
    head = f'cold_start = {layer_of}(\n    function, "ColdStart", {_json_text(layer)}\n)\n'
    return head + "function.add_layers(cold_start)\n" + "".join(lines)


def _terraform(layer: str, variables: Mapping[str, str]) -> str:
    width = max(len(name) for name in variables)  # in line, as `terraform fmt` has them
    lines = [
        f"    {name:{width}} = {_terraform_text(value)}\n" for name, value in variables.items()
    ]
    head = f"layers = [{_terraform_text(layer)}]\n\nenvironment {{\n  variables = {{\n"
    return head + "".join(lines) + "  }\n}\n"


def _json_text(value: str) -> str:
    """A string of JSON, which is one of Python and YAML as well."""
    return json.dumps(value, ensure_ascii=False)


def _yaml_text(value: str) -> str:
    plain = re.fullmatch(r"(/|arn:)[\w/.:-]*[\w/]", value, re.ASCII)
    return value if plain else _json_text(value)


def _terraform_text(value: str) -> str:
    """Escapes what would begin a template ("Strings and Templates" in Terraform's language)."""
    return _json_text(value).replace("${", "$${").replace("%{", "%%{")


_SNIPPETS = {
    "sam": _cloudformation,
    "cloudformation": _cloudformation,
    "cdk": _cdk,
    "terraform": _terraform,
    "serverless": _serverless,
}
TOOLS = tuple(_SNIPPETS)
