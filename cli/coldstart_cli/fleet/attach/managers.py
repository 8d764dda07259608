"""Which deployment tool a function belongs to: its next deploy would undo what we change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_STACK = "aws:cloudformation:stack-name"
_LOGICAL_ID = "aws:cloudformation:logical-id"
# Names that people give the tag that says it; Terraform itself sets none.
_TERRAFORM = re.compile("terraform|opentofu", re.IGNORECASE)
# The CDK ends logical ids with a hash of the construct's path; the Serverless Framework ends them
# with the type.
_CDK_ID = re.compile("[0-9A-F]{8}$")
_SERVERLESS_ID = "LambdaFunction"


@dataclass(frozen=True)
class Manager:
    """The tool, as ``snippets`` names it, and where in it the function is."""

    tool: str  # "sam", "cdk", "serverless", "cloudformation", "terraform"
    where: str

    def __str__(self) -> str:
        return f"{_NAMES[self.tool]} ({self.where})"


_NAMES = {
    "sam": "SAM",
    "cdk": "the CDK",
    "serverless": "the Serverless Framework",
    "cloudformation": "CloudFormation",
    "terraform": "Terraform",
}


def manager_of(tags: Mapping[str, str]) -> Manager | None:
    """The tool that manages a function with these tags; None: none that tags tell of.

    CloudFormation tags all it makes ("Resource tags" in its user guide), SAM adds
    ``lambda:createdBy``.
    """
    if _STACK in tags:
        logical_id = tags.get(_LOGICAL_ID, "")
        where = f"stack {tags[_STACK]}" + (f", {logical_id}" if logical_id else "")
        if tags.get("lambda:createdBy") == "SAM":
            return Manager("sam", where)
        if _CDK_ID.search(logical_id):
            return Manager("cdk", where)
        if logical_id.endswith(_SERVERLESS_ID) and "STAGE" in tags:
            return Manager("serverless", where)
        return Manager("cloudformation", where)
    for key, value in tags.items():
        no = value.lower() in ("false", "no", "0")
        if (_TERRAFORM.search(key) and not no) or _TERRAFORM.search(value):
            return Manager("terraform", f"tag {key}={value}")
    return None
