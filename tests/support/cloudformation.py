"""Works out a CloudFormation template's resources, as a deployment would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from moto.cloudformation.parsing import ResourceMap, clean_json
from moto.cloudformation.utils import yaml_tag_constructor

REGION = "eu-west-1"
STACK = "watched"


class _Loader(yaml.SafeLoader):
    """With CloudFormation's short forms, such as !Sub."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if suffix == "Condition":  # which moto takes for a function
        return {"Condition": node.value}
    return yaml_tag_constructor(loader, f"!{suffix}", node)


yaml.add_multi_constructor("!", _long_form, _Loader)


def read(path: Path) -> dict[str, Any]:
    """The template as it is, with every function in its long form."""
    return yaml.load(path.read_text(), _Loader)


def resolve(template: dict[str, Any], **parameters: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource that the parameters ask for, by logical id."""
    defaults = {
        name: str(parameter["Default"])
        for name, parameter in template["Parameters"].items()
        if "Default" in parameter
    }
    resources = ResourceMap(
        stack_id=f"arn:aws:cloudformation:{REGION}:123456789012:stack/{STACK}/0",
        stack_name=STACK,
        parameters=defaults | parameters,
        tags={},
        region_name=REGION,
        account_id="123456789012",
        template=template | {"Outputs": {}},
        cross_stack_resources={},
    )
    resources.load()
    return {
        name: clean_json(resource["Properties"], resources)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resources.lazy_condition_map[resource["Condition"]]
    }
